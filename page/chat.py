"""The chat: questions, answers, their sources beside them, and the conversations held before.

Knows Gradio's events; what is shown comes from `page.markup`. Does not know how an answer is found or kept.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from weakref import WeakValueDictionary

import gradio as gr
from gradio.components.chatbot import TextMessage

from bot import Answer, Bot, Entry, Facet, Filters, LibraryError, QuestionError, escape_markdown
from page.conversations import Conversations, ConversationsError
from page.errors import telling
from page.markup import as_written, aside, escape_html, message, saving, shortened, source_group, sources, turns
from page.pulse import Reading
from page.words import Words, remark
from vectorstore import ORIGINAL

CONCURRENT_QUESTIONS = 20  # most of them wait for a model
SUGGESTED_TO = 2  # readers whose answers are in the making; where more ask, answers come first
PULSE_SECONDS = 0.9  # at most so long a reader who went away holds up the next
LEAVING_SECONDS = 10.0  # so long an answer in the making is waited for by whoever leaves it
MINE = "viadoma-conversations"  # where a browser keeps the names of its conversations
# Gradio reads what it keeps there once, and each tab would overwrite what another adds: all add to a place beside it.
EVERY_TABS = """(mine, ...given) => {
  const kept = JSON.parse(localStorage.getItem("viadoma-every-tab") ?? "[]");
  const every = [...new Set([...(mine ?? []), ...kept])];
  localStorage.setItem("viadoma-every-tab", JSON.stringify(every));
  return [every, ...given];
}"""
BROKEN_OFF = "This answer was broken off."
OFFERED = 100  # articles, the newest of which what is typed is a part
LONGEST = 2000  # characters of a question that stay on the page, though it was refused
UNCHANGED = [gr.skip()] * 7
Kept = tuple[int | None, ...]  # where the answers that a page shows are kept; None is one that is not
EXAMPLES = {
    "en": (
        "How many people were taken to Ukraine?",
        "Does General License 13 unblock frozen property?",
        "Why did Andrzej Poczobut stay in prison?",
        "How many people and companies are on the EU's Belarus sanctions lists?",
        "How many political prisoners has Viasna recognised since 2020?",
    ),
    "ru": (
        "Сколько дней провела в заключении Мария Колесникова?",
        "Сколько человек вывезли на Украину?",
        "Разблокирует ли лицензия на калий замороженное имущество?",
        "Почему Лукашенко помиловал 123 человек?",
        "К скольким годам приговорили Марину Золотову?",
    ),
    "be": (
        "Ці пісаў Бяляцкі прашэнне аб памілаванні?",
        "Колькі палітвязняў выйшла па памілаванні з ліпеня 2024 года?",
        "Колькі палітвязняў з цяжкімі хваробамі заставалася за кратамі?",
        "Што забараняюць памілаваным пасля вызвалення?",
        "Што дазваляе генеральная ліцэнзія 13?",
    ),
}


def _choices(facets: Sequence[Facet]) -> list[tuple[str, str]]:
    return [(f"{one.name} ({one.articles:,})" if one.articles > 1 else one.name, one.value) for one in facets]


def _named(entries: Sequence[Entry], chosen: Sequence[str], typed: str = "") -> list[tuple[str, str]]:
    """Articles to choose from: those that are chosen, and the newest whose label has what is typed.

    Equal names are told apart by publisher and date.
    """
    often = Counter(one.name for one in entries)
    labels = {
        one.article: " · ".join(filter(None, (one.name, one.publisher, one.published)))
        if often[one.name] > 1
        else one.name
        for one in entries
    }
    fitting = [one for one, label in labels.items() if one not in chosen and typed.casefold() in label.casefold()]
    return [(labels[one], one) for one in (*chosen, *fitting[:OFFERED]) if one in labels]


def status_line(bot: Bot, words: Words) -> str:
    """Size, age, index and model of the collection, who writes, and why the model did not, if it did not.

    Where the collection can't be read, why.
    """
    try:
        coverage = bot.coverage
    except LibraryError as error:
        return f'<p class="status">{_trouble(str(error), words)}</p>'
    parts = [words.many("{count} article", "{count} articles", coverage.articles)]
    if coverage.newest:
        parts[0] += words(", newest {day}", day=coverage.newest)
    if bot.index != "closed":
        parts.append(words("index healthy") if bot.index == "opened" else words("index being made again"))
    if bot.embedding == ORIGINAL:
        parts.append(words("vectors of an older model: python -m ingest --rebuild"))
    model = bot.mode.removeprefix("writing with ")
    if model == bot.mode:
        parts.append(words("quoting"))
    elif bot.host:
        parts.append(words("writing with {model} at {host}", model=model, host=bot.host))
    else:
        parts.append(words("writing with {model}", model=model))
    return f'<p class="status">{escape_html(" · ".join(parts))}{_trouble(bot.trouble, words)}</p>'


def _trouble(said: str, words: Words) -> str:
    return f'<span class="trouble" role="status">{escape_html(remark(said, words))}</span>' if said else ""


def _box(*, asking: bool, **more: Any) -> Any:
    """The box for questions, which is shut while one is answered, with a button to stop that."""
    return gr.Textbox(interactive=not asking, submit_btn=not asking, stop_btn=asking, **more)


def _there(kept: Kept) -> tuple[int, ...]:
    return tuple(place for place in kept if place is not None)


def _text(entry: Any) -> str:
    return "".join(part.get("text", "") for part in entry["content"])


def _message(event: gr.EditData | gr.LikeData) -> int:
    return event.index if isinstance(event.index, int) else event.index[0]


def _taken_back(history: list[Any]) -> tuple[list[Any], str]:
    """A history without its last question, and that."""
    last = max(at for at, one in enumerate(history) if one["role"] == "user")
    return history[:last], _text(history[last])


def _new_group() -> str:
    return f"cite-{uuid.uuid4().hex[:8]}"


def _shown(answers: Sequence[Answer], words: Words) -> tuple[list[dict[str, str]], list[str]]:
    """The messages of a conversation, and the groups of its sources."""
    messages: list[dict[str, str]] = []
    groups = []
    for answer in answers:
        group = _new_group()
        messages += [
            {"role": "user", "content": answer.question},
            {"role": "assistant", "content": message(answer, group, words)},
        ]
        if own := source_group(answer, group, words):
            groups.append(own)
    return messages, groups


def _as_written(chatbot: gr.Chatbot) -> None:
    """Has the chatbot show questions as they were written, which it takes for Markdown and HTML.

    An address leads others to a conversation, so that a question is no more to be trusted than an article.
    """
    to_browser, from_browser = chatbot.postprocess, chatbot.preprocess

    def shown(value: Any) -> Any:
        told = to_browser(value)
        for one in told.root:
            for part in one.content if one.role == "user" else ():
                if isinstance(part, TextMessage):
                    # a question that was edited comes back as the browser has it
                    part.text = escape_markdown(as_written(part.text))
        return told

    def read(payload: Any) -> Any:
        messages: Any = from_browser(payload)
        for one in messages:
            for part in one["content"] if one["role"] == "user" else ():
                if "text" in part:
                    part["text"] = as_written(part["text"])
        return messages

    # in a class of ours Gradio would write a file beside this one
    chatbot.postprocess, chatbot.preprocess = shown, read  # type: ignore[method-assign]


def _unchecked(choice: gr.Radio | gr.Dropdown) -> None:
    """Takes what was chosen on a page of whose choices Gradio holds nothing any more."""
    choice.preprocess = lambda payload: payload  # type: ignore[method-assign]


def chat(
    page: gr.Blocks, bot: Bot, conversations: Conversations, words: Words, top: gr.HTML, told: Callable[[], str]
) -> None:
    """Puts the chat on the page; what it answers is kept in `conversations`, and `told` at the top how it goes.

    A conversation belongs to the browsers that began it: they list it. Anybody who has its address reads it, and going
    on with it makes a conversation of their own, so that nobody changes another's.
    """

    def day(text: str | None) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            said = words("{day} is no day such as 2025-12-13: mend it under “Which articles to search”.", day=text)
            raise QuestionError(said) from None

    def respond(
        mine: list[str],
        history: list[Any],
        place: int,
        left: int | None,
        groups: list[str],
        name: str,
        shared: str,
        kept: Kept | None,
        publishers: list[str],
        languages: list[str],
        articles: list[str],
        since: str | None,
        until: str | None,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        """Answers the last question of a history, the earlier answers of which are `kept` where they stand."""
        if place == left or not history:
            return  # another conversation was opened while this waited for its turn
        *before, asked = history
        earlier, group = turns(before), _new_group()
        said = waiting

        def shown(**more: Any) -> list[Any]:
            return [*before, asked, {"role": "assistant", "content": said, **more}]

        reading = readings[str(request.session_hash)] = Reading()
        try:
            if kept is None:
                before, groups, name, shared, kept = forgotten(before, len(earlier), mine, request)
            now = (*(*kept, *[None] * len(earlier))[: len(earlier)], place)
            filters = Filters(tuple(publishers), tuple(languages), tuple(articles), day(since), day(until))
            for event in reading.pulsed(bot.stream(_text(asked), earlier, filters=filters), PULSE_SECONDS):
                if reading.silent:
                    yield gr.skip(), *UNCHANGED  # Gradio sends the last thing again, and another is shown by now
                    return
                if reading.left:
                    said = broken_off(said)
                    yield shown(), *UNCHANGED[:-1], _box(asking=False)
                    return
                if event is None:
                    yield shown(), *UNCHANGED
                    continue
                # quotes are picked all at once: the whole answer comes in the same moment as its first
                if event.kind == "searched" or (event.kind == "claim" and event.answer.mode == "quoting"):
                    continue
                whole = event.kind == "answer"
                said = message(event.answer, group, words)
                if not name:
                    yield shown(), *UNCHANGED  # whoever has gone away begins no conversation that nobody can find
                answer = event.answer if whole else replace(event.answer, notes=(*event.answer.notes, BROKEN_OFF))
                try:
                    name, kept = keep(name, shared, answer, kept, now)
                    now = kept
                except ConversationsError as error:
                    kept = (*now[:-1], None)
                    why = words("This answer is not kept. {why}", why=remark(str(error), words))
                    said += f"\n\n{aside(why, 'refused')}"
                own = source_group(event.answer, group, words)
                every = [*groups, own] if own else groups
                panel, downloads = sources(every, words), saving(name, len(_there(kept)), words)
                yield shown(), panel, downloads, every, name, kept, told(), _box(asking=not whole)
                if whole and (then := suggested(answer)) and not reading.left:
                    # the sources as they are: one may have been opened meanwhile
                    yield shown(options=[{"value": one} for one in then]), *UNCHANGED
        except (QuestionError, LibraryError, ConversationsError) as error:
            # the page sends all that it shows with each question
            asked = asked if len(_text(asked)) <= LONGEST else {**asked, "content": shortened(_text(asked), LONGEST)}
            said = aside(remark(str(error), words), "refused")
            yield shown(), *UNCHANGED[:-2], told(), _box(asking=False)
        finally:
            reading.end()

    def forgotten(before: list[Any], answered: int, mine: list[str], request: gr.Request) -> tuple[Any, ...]:
        """What a page shows that was opened so long ago that Gradio holds nothing of it: its address tells."""
        asked = str(request.query_params.get("c", ""))
        kept = conversations.places(asked)[:answered]
        answers = conversations.answers(asked)[:answered]
        messages, groups = _shown(answers, words) if len(answers) == answered else (before, [])
        return messages, groups, *((asked, "") if asked in mine else ("", asked)), kept

    def broken_off(said: str) -> str:
        """What had come of an answer, and that it was broken off, as it says where it is kept."""
        told = aside(remark(BROKEN_OFF, words), "refused")
        return told if said == waiting else f"{said}\n\n{told}"

    def leave(request: gr.Request, *, silent: bool = False) -> None:
        """Ends the answer in the making on a page; what this page shows next comes behind it."""
        if reading := readings.get(str(request.session_hash)):
            reading.leave(LEAVING_SECONDS, silent=silent)

    def keep(name: str, shared: str, answer: Answer, kept: Kept, now: Kept) -> tuple[str, Kept]:
        """Keeps the newest answer of `now` in the conversation that this page shows, if nobody else changed it.

        Else in a new one, which begins with what is shown and still there. Gives its name, and what is kept where.
        """
        if name and conversations.keep(name, answer, _there(kept), _there(now)):
            return name, now
        other = conversations.new_name()
        there = conversations.copy(name or shared, other, _there(now[:-1]))
        now = (*(place if place in there else None for place in now[:-1]), now[-1])
        conversations.keep(other, answer, there, _there(now))
        return other, now

    def put(history: list[Any], question: str) -> tuple[Any, ...]:
        """Shows a question; the new place has it answered."""
        return [*history, {"role": "user", "content": question}], time.time_ns(), _box(asking=True)

    def typed(history: list[Any], question: str, request: gr.Request) -> tuple[Any, ...]:
        leave(request)
        return *put(history, question)[:2], _box(asking=True, value="")

    def picked(history: list[Any], event: gr.SelectData, request: gr.Request) -> tuple[Any, ...]:
        """An example, or what may be asked next."""
        leave(request)
        return put(history, event.value["text"] if isinstance(event.value, dict) else event.value)

    def edited(history: list[Any], event: gr.EditData, request: gr.Request) -> tuple[Any, ...]:
        leave(request)
        return put(history[: _message(event)], event.value)

    def again(history: list[Any], request: gr.Request) -> tuple[Any, ...]:
        leave(request)
        return put(*_taken_back(history))

    def undone(history: list[Any], request: gr.Request) -> tuple[Any, ...]:
        leave(request)
        return _taken_back(history)

    def stopped(history: list[Any], place: int, request: gr.Request) -> tuple[Any, ...]:
        leave(request)
        # before its turn came there is none who says it
        waited = history[-1:] and history[-1]["role"] == "user"
        said = {"role": "assistant", "content": broken_off(waiting)}
        return [*history, said] if waited else gr.skip(), place, _box(asking=False)

    def suggested(answer: Answer) -> tuple[str, ...]:
        """What may be asked next; nothing while many ask, since finding it takes longer than an answer."""
        return bot.suggest(answer) if len(readings) <= SUGGESTED_TO else ()

    def listed(mine: list[str], wanted: str, name: str) -> Any:
        found = conversations.listed(mine, wanted)
        chosen = name if name in {one.name for one in found} else None
        return gr.Radio(choices=[(one.title, one.name) for one in found], value=chosen)

    def title_of(name: str) -> str:
        return next((one.title for one in conversations.listed([name])), "")

    def shows(name: str, *, own: bool = True) -> tuple[Any, ...]:
        """What a conversation's page shows, `whole` below; an empty name begins one."""
        # what is kept between these two is not for this page to replace
        kept, answers = (conversations.places(name), conversations.answers(name)) if name else ((), ())
        messages, groups = _shown(answers, words)
        panel, downloads = sources(groups, words), saving(name, len(answers), words)
        names = (name, "") if own else ("", name)
        return (
            messages,
            panel,
            downloads,
            groups,
            *names,
            kept,
            title_of(name),
            None,
            gr.Textbox(visible=False),
            _box(asking=False),
        )

    def opened(name: str, place: int, request: gr.Request) -> tuple[Any, ...]:
        leave(request, silent=True)
        return *shows(name), place

    def renewed(place: int, request: gr.Request) -> tuple[Any, ...]:
        return *opened("", place, request), gr.Radio(value=None)

    def begun(mine: list[str], request: gr.Request) -> tuple[Any, ...]:
        asked = str(request.query_params.get("c", ""))
        facets = bot.facets
        dropdowns = [gr.Dropdown(choices=_choices(some)) for some in (facets.publishers, facets.languages)]
        dropdowns.append(gr.Dropdown(choices=_named(bot.catalogue, ())))
        return *shows(asked, own=asked in mine), listed(mine, "", asked), *dropdowns

    def found(chosen: list[str], key: gr.KeyUpData) -> Any:
        """Articles by what is typed: all of a large library are too many for one list."""
        return gr.Dropdown(choices=_named(bot.catalogue, chosen, key.input_value))

    def known(mine: list[str], name: str, wanted: str) -> tuple[list[str], Any, str]:
        """A conversation that was begun here is listed here."""
        every = mine if name in mine or not name else [name, *mine]
        return every, listed(every, wanted, name), title_of(name)

    def renamed(mine: list[str], name: str, title: str, wanted: str) -> tuple[Any, str]:
        conversations.rename(name, title)
        return listed(mine, wanted, name), title_of(name)

    def deleted(mine: list[str], name: str, wanted: str, place: int, request: gr.Request) -> tuple[Any, ...]:
        leave(request, silent=True)
        conversations.delete(name)
        rest = [one for one in mine if one != name]
        return *shows(""), place, rest, listed(rest, wanted, ""), gr.Group(visible=False)

    def thumbed(name: str, kept: Kept | None, history: list[Any], event: gr.LikeData) -> tuple[Any, ...]:
        """A thumb is kept at once, until it is taken back; then its reason is asked for."""
        at = _message(event)
        before, upto = len(turns(history[:at])), len(turns(history[: at + 1]))
        # what was refused is no turn; in somebody else's conversation, which has no name here, nothing is changed
        place = kept[before] if kept and name and before < upto <= len(kept) else None
        if place is None or (event.liked != "" and not conversations.judge(name, place, liked=event.liked is True)):
            gr.Info(words("Nothing is kept of this: only answers in a conversation of your own can be judged."))
            return None, gr.Textbox(visible=False)
        if event.liked == "":
            conversations.take_back(name, place)
            return None, gr.Textbox(visible=False)
        liked = event.liked is True
        label = words("What is good about this answer?") if liked else words("What is wrong with this answer?")
        return (name, place, liked), gr.Textbox(visible=True, label=label, value="")

    def reasoned(judged: tuple[str, int, bool] | None, why: str) -> Any:
        if judged:
            name, place, liked = judged
            conversations.judge(name, place, liked=liked, reason=why)
            gr.Info(words("Kept on this machine, with the answer's evidence."))
        return gr.Textbox(visible=False)

    promise = words(
        "Ask about the prisoner releases and sanctions in Belarus. Every sentence is an exact quote from a named "
        "article."
    )
    waiting = aside(words("Reading what was found ..."), "waiting")
    readings: WeakValueDictionary[str, Reading] = WeakValueDictionary()  # by page
    mine = gr.BrowserState([], storage_key=MINE, secret=MINE)
    groups = gr.State([])
    name = gr.State("")
    shared = gr.State("")
    kept = gr.State(None)
    place = gr.State(0)
    left = gr.State(None)
    judged = gr.State(None)
    with gr.Sidebar(open=False, label=words("Conversations"), elem_id="conversations", width=300):
        gr.Markdown(f"## {words('Conversations')}")
        new = gr.Button(words("New conversation"), size="sm", variant="primary")
        wanted = gr.Textbox(label=words("Search your conversations"), max_lines=1)
        listing = gr.Radio(label=words("Your conversations"), choices=[], elem_id="listing")
        title = gr.Textbox(label=words("Title of this one"), max_lines=1, info=words("Enter renames it"))
        delete = gr.Button(words("Delete this conversation"), size="sm")
        with gr.Group(visible=False) as sure:
            gr.Markdown(words("Deleted for good, with its answers?"))
            with gr.Row():
                yes = gr.Button(words("Delete"), size="sm", variant="stop")
                no = gr.Button(words("Keep"), size="sm")
    with gr.Row(elem_id="desk"):
        with gr.Column(scale=3, min_width=320, elem_id="talk"):
            panel = gr.HTML(sources([], words), elem_id="sources", render=False)
            downloads = gr.HTML("", elem_id="saving", render=False)
            with gr.Accordion(words("Which articles to search"), open=False, elem_id="filters"), gr.Row():
                publishers = gr.Dropdown(label=words("Publishers"), multiselect=True)
                languages = gr.Dropdown(label=words("Languages"), multiselect=True)
                articles = gr.Dropdown(label=words("Articles"), multiselect=True)
                since = gr.Textbox(label=words("Published from"), placeholder="2025-12-13", max_lines=1)
                until = gr.Textbox(label=words("Published to"), placeholder="2025-12-31", max_lines=1)
            downloads.render()  # type: ignore[no-untyped-call] # Gradio's own
            why = gr.Textbox(visible=False, max_lines=3, submit_btn=words("Keep this reason"), elem_id="why")
            chatbot = gr.Chatbot(
                label=words("Conversation"),
                show_label=False,
                container=False,
                elem_id="chat",
                scale=1,
                height="100%",
                min_height=320,
                buttons=["copy"],
                latex_delimiters=[],
                allow_tags=False,
                layout="panel",
                autoscroll=False,  # page.js brings the question to the top instead
                editable="user",
                feedback_options=("Like", "Dislike"),
                placeholder=f"## {promise}\n\n{words('Ask a question in English, Russian or Belarusian.')}",
                examples=[{"text": example} for example in EXAMPLES[words.language]],
            )
            box = gr.Textbox(
                placeholder=words("Ask about the articles"),
                label=words("Question"),
                show_label=False,
                container=False,
                max_lines=6,
                autofocus=True,
                submit_btn=True,
                elem_id="box",
            )
        with gr.Column(scale=2, min_width=320, elem_id="side"):
            panel.render()  # type: ignore[no-untyped-call] # Gradio's own

    _as_written(chatbot)
    for choice in (listing, publishers, languages, articles):
        _unchecked(choice)
    whole = [chatbot, panel, downloads, groups, name, shared, kept, title, judged, why, box]
    tried = telling(words)
    quiet: Any = {"api_visibility": "private", "show_progress": "hidden"}
    answering = place.change(
        respond,
        [mine, chatbot, place, left, groups, name, shared, kept, publishers, languages, articles, since, until],
        [chatbot, panel, downloads, groups, name, kept, top, box],
        concurrency_limit=CONCURRENT_QUESTIONS,
        js=EVERY_TABS,
        **quiet,
    )
    answering.failure(lambda: _box(asking=False), None, box, **quiet)
    box.submit(typed, [chatbot, box], [chatbot, place, box], **quiet)
    gr.on([chatbot.example_select, chatbot.option_select], picked, chatbot, [chatbot, place, box], **quiet)
    chatbot.edit(edited, chatbot, [chatbot, place, box], **quiet)
    chatbot.retry(again, chatbot, [chatbot, place, box], **quiet)
    chatbot.undo(undone, chatbot, [chatbot, box], **quiet)
    box.stop(stopped, [chatbot, place], [chatbot, left, box], **quiet)
    page.load(tried(begun), mine, [*whole, listing, publishers, languages, articles], js=EVERY_TABS, **quiet)
    # one by one: the last key must have the last word
    articles.key_up(tried(found), articles, articles, trigger_mode="multiple", concurrency_limit=1, **quiet)
    mine.change(None, mine, None, js=EVERY_TABS)
    name.change(tried(known), [mine, name, wanted], [mine, listing, title], js=EVERY_TABS, **quiet)
    wanted.change(tried(listed), [mine, wanted, name], listing, js=EVERY_TABS, **quiet)
    listing.input(tried(opened), [listing, place], [*whole, left], **quiet)
    gr.on([new.click, chatbot.clear], tried(renewed), place, [*whole, left, listing], **quiet)
    title.submit(tried(renamed), [mine, name, title, wanted], [listing, title], js=EVERY_TABS, **quiet)
    chatbot.like(tried(thumbed), [name, kept, chatbot], [judged, why], **quiet)
    why.submit(tried(reasoned), [judged, why], why, **quiet)
    delete.click(lambda name: gr.Group(visible=bool(name)), name, sure, **quiet)
    no.click(lambda: gr.Group(visible=False), None, sure, **quiet)
    yes.click(tried(deleted), [mine, name, wanted, place], [*whole, left, mine, listing, sure], js=EVERY_TABS, **quiet)
