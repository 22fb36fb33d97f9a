"""The chat: questions, answers, their sources beside them, and the conversations held before.

Knows Gradio's events; what is shown comes from `page.markup`. Does not know how an answer is found or kept.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import gradio as gr
from gradio.components.chatbot import TextMessage

from bot import Answer, Bot, Facet, Filters, QuestionError, escape_markdown
from page.conversations import Conversations
from page.markup import as_written, aside, escape_html, message, saving, source_group, sources, turns
from page.pulse import pulsed
from page.words import Words, remark

CONCURRENT_QUESTIONS = 20  # most of them wait for a model
SUGGESTED_AT_ONCE = 2
PULSE_SECONDS = (0.5, 2.0)  # the first and the longest: at most so long a reader who went away holds up the next
MINE = "viadoma-conversations"  # where a browser keeps the names of its conversations
EXAMPLES = [
    "How many people were taken to Ukraine?",
    "What does Belarus General License 13 allow?",
    "What happened to Mikola Statkevich after his stroke?",
    "Сколько дней провела в заключении Мария Колесникова?",
    "Ці пісаў Бяляцкі прашэнне аб памілаванні?",
]


def _choices(facets: Sequence[Facet]) -> list[tuple[str, str]]:
    return [(f"{one.name} ({one.articles:,})" if one.articles > 1 else one.name, one.value) for one in facets]


def status_line(bot: Bot, words: Words) -> str:
    """Size, age and index of the collection, who writes, and why the model did not, if it did not."""
    coverage = bot.coverage
    parts = [words.many("{count} article", "{count} articles", coverage.articles)]
    if coverage.newest:
        parts[0] += words(", newest {day}", day=coverage.newest)
    if bot.index != "closed":
        parts.append(words("index healthy") if bot.index == "opened" else words("index being made again"))
    model = bot.mode.removeprefix("writing with ")
    if model == bot.mode:
        parts.append(words("quoting"))
    elif bot.host:
        parts.append(words("writing with {model} at {host}", model=model, host=bot.host))
    else:
        parts.append(words("writing with {model}", model=model))
    trouble = (
        f'<span class="trouble" role="status">{escape_html(remark(bot.trouble, words))}</span>' if bot.trouble else ""
    )
    return f'<p class="status">{escape_html(" · ".join(parts))}{trouble}</p>'


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
        question: str,
        history: list[Any],
        groups: list[str],
        name: str,
        shared: str,
        publishers: list[str],
        languages: list[str],
        articles: list[str],
        since: str | None,
        until: str | None,
    ) -> Iterator[tuple[Any, ...]]:
        group, question = _new_group(), as_written(question)
        if not name:
            name = conversations.new_name()
            if shared:
                conversations.copy(shared, name)
        earlier = turns(history)
        try:
            filters = Filters(tuple(publishers), tuple(languages), tuple(articles), day(since), day(until))
            said = {"role": "assistant", "content": aside(words("Reading what was found ..."), "waiting")}
            unchanged = [gr.skip()] * 5
            for event in pulsed(bot.stream(question, earlier, filters=filters), *PULSE_SECONDS):
                if event is None:
                    yield said, *unchanged
                    continue
                # quotes are picked all at once: the whole answer comes in the same moment as its first
                if event.kind == "searched" or (event.kind == "claim" and event.answer.mode == "quoting"):
                    continue
                own = source_group(event.answer, group, words)
                now = [*groups, own] if own else groups
                conversations.keep(name, len(earlier), event.answer)
                kept = saving(name, conversations.count(name), words)
                said = {"role": "assistant", "content": message(event.answer, group, words)}
                yield said, sources(now, words), kept, now, name, told()
                if event.kind == "answer" and (then := suggested(event.answer)):
                    # the sources as they are: one may have been opened meanwhile
                    yield {**said, "options": [{"value": one} for one in then]}, *unchanged
        except QuestionError as error:
            kept = saving(name, conversations.count(name), words)
            said = {"role": "assistant", "content": aside(remark(str(error), words), "refused")}
            yield said, sources(groups, words), kept, groups, name, told()

    def suggested(answer: Answer) -> tuple[str, ...]:
        """What may be asked next; nothing while many ask, since finding it takes longer than an answer."""
        if not free.acquire(blocking=False):
            return ()
        try:
            return bot.suggest(answer)
        finally:
            free.release()

    def listed(mine: list[str], wanted: str, name: str) -> Any:
        found = conversations.listed(mine, wanted)
        chosen = name if name in {one.name for one in found} else None
        return gr.Radio(choices=[(one.title, one.name) for one in found], value=chosen)

    def title_of(name: str) -> str:
        return next((one.title for one in conversations.listed([name])), "")

    def opened(name: str) -> tuple[list[dict[str, str]], str, str, list[str], str, str, str]:
        """What a conversation's page shows; an empty name begins one."""
        answers = conversations.answers(name) if name else ()
        messages, groups = _shown(answers, words)
        return messages, sources(groups, words), saving(name, len(answers), words), groups, name, "", title_of(name)

    def begun(mine: list[str], request: gr.Request) -> tuple[Any, ...]:
        asked = str(request.query_params.get("c", ""))
        *rest, name, _, title = opened(asked)
        own = asked in mine
        facets = bot.facets
        dropdowns = [
            gr.Dropdown(choices=_choices(some)) for some in (facets.publishers, facets.languages, facets.articles)
        ]
        return *rest, name if own else "", "" if own else asked, title, listed(mine, "", asked), *dropdowns

    def known(name: str, mine: list[str], wanted: str) -> tuple[list[str], Any, str]:
        """A conversation that was begun here is listed here."""
        every = mine if name in mine or not name else [name, *mine]
        return every, listed(every, wanted, name), title_of(name)

    def renamed(name: str, title: str, mine: list[str], wanted: str) -> tuple[Any, str]:
        conversations.rename(name, title)
        return listed(mine, wanted, name), title_of(name)

    def deleted(name: str, mine: list[str], wanted: str) -> tuple[Any, ...]:
        conversations.delete(name)
        rest = [one for one in mine if one != name]
        return *opened(""), rest, listed(rest, wanted, ""), gr.Group(visible=False)

    def thumbed(name: str, history: list[Any], event: gr.LikeData) -> tuple[Any, ...]:
        """A thumb is kept at once; then its reason is asked for."""
        message_at = event.index if isinstance(event.index, int) else event.index[0]
        place = len(turns(history[: message_at + 1])) - 1
        liked = event.liked is True
        if not conversations.judge(name, place, liked=liked):
            return None, gr.Textbox(visible=False)
        label = words("What is good about this answer?") if liked else words("What is wrong with this answer?")
        return (place, liked), gr.Textbox(visible=True, label=label, value="")

    def reasoned(name: str, judged: tuple[int, bool] | None, why: str) -> Any:
        if judged:
            conversations.judge(name, judged[0], liked=judged[1], reason=why)
            gr.Info(words("Kept on this machine, with the answer's evidence."))
        return gr.Textbox(visible=False)

    promise = words(
        "Ask about the prisoner releases and sanctions in Belarus. Every sentence is an exact quote from a named "
        "article."
    )
    free = threading.BoundedSemaphore(SUGGESTED_AT_ONCE)
    mine = gr.BrowserState([], storage_key=MINE, secret=MINE)
    groups = gr.State([])
    name = gr.State("")
    shared = gr.State("")
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
            talk = gr.ChatInterface(
                respond,
                chatbot=gr.Chatbot(
                    label=words("Conversation"),
                    show_label=False,
                    container=False,
                    elem_id="chat",
                    height="100%",
                    min_height=320,
                    buttons=["copy"],
                    latex_delimiters=[],
                    allow_tags=False,
                    layout="panel",
                    autoscroll=False,  # page.js brings the question to the top instead
                    feedback_options=("Like", "Dislike"),
                    placeholder=f"## {promise}\n\n{words('Ask a question in English, Russian or Belarusian.')}",
                ),
                textbox=gr.Textbox(
                    placeholder=words("Ask about the articles"),
                    label=words("Question"),
                    show_label=False,
                    container=False,
                    max_lines=6,
                    autofocus=True,
                    submit_btn=True,
                    stop_btn=True,
                ),
                additional_inputs=[groups, name, shared, publishers, languages, articles, since, until],
                additional_outputs=[panel, downloads, groups, name, top],
                additional_inputs_accordion=gr.Accordion(visible=False),
                examples=[[example] for example in EXAMPLES],
                editable=True,
                fill_height=True,
                concurrency_limit=CONCURRENT_QUESTIONS,
                show_progress="hidden",
                api_visibility="private",
            )
        with gr.Column(scale=2, min_width=320, elem_id="side"):
            panel.render()  # type: ignore[no-untyped-call] # Gradio's own

    _as_written(talk.chatbot)
    whole = [talk.chatbot_value, panel, downloads, groups, name, shared, title]
    quiet: Any = {"api_visibility": "private", "show_progress": "hidden"}
    page.load(begun, mine, [*whole, listing, publishers, languages, articles], **quiet)
    name.change(known, [name, mine, wanted], [mine, listing, title], **quiet)
    wanted.change(listed, [mine, wanted, name], listing, **quiet)
    listing.input(opened, listing, whole, **quiet)
    gr.on([new.click, talk.chatbot.clear], lambda: opened(""), None, whole, **quiet)
    title.submit(renamed, [name, title, mine, wanted], [listing, title], **quiet)
    talk.chatbot.like(thumbed, [name, talk.chatbot], [judged, why], **quiet)
    why.submit(reasoned, [name, judged, why], why, **quiet)
    delete.click(lambda name: gr.Group(visible=bool(name)), name, sure, **quiet)
    no.click(lambda: gr.Group(visible=False), None, sure, **quiet)
    yes.click(deleted, [name, mine, wanted], [*whole, mine, listing, sure], **quiet)
