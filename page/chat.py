"""The chat: questions, answers, their sources beside them, and the conversations held before.

Knows Gradio's events; what is shown comes from `page.markup`. Does not know how an answer is found or kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import gradio as gr

from bot import Answer, Bot, Facet, Filters, QuestionError
from page.conversations import Conversations
from page.markup import message, saving, source_group, sources, turns

CONCURRENT_QUESTIONS = 8
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


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise QuestionError(f"{text} is no day such as 2025-12-13: mend it under “Which articles to search”.") from None


def _new_group() -> str:
    return f"cite-{uuid.uuid4().hex[:8]}"


def _shown(answers: Sequence[Answer]) -> tuple[list[dict[str, str]], list[str]]:
    """The messages of a conversation, and the groups of its sources."""
    messages: list[dict[str, str]] = []
    groups = []
    for answer in answers:
        group = _new_group()
        messages += [
            {"role": "user", "content": answer.question},
            {"role": "assistant", "content": message(answer, group)},
        ]
        if own := source_group(answer, group):
            groups.append(own)
    return messages, groups


def chat(page: gr.Blocks, bot: Bot, conversations: Conversations) -> None:
    """Puts the chat on the page; what it answers is kept in `conversations`.

    A conversation belongs to the browsers that began it: they list it. Anybody who has its address reads it, and going
    on with it makes a conversation of their own, so that nobody changes another's.
    """

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
    ) -> Iterator[tuple[str, str, str, list[str], str]]:
        group = _new_group()
        if not name:
            name = conversations.new_name()
            if shared:
                conversations.copy(shared, name)
        earlier = turns(history)
        try:
            filters = Filters(tuple(publishers), tuple(languages), tuple(articles), _day(since), _day(until))
            for event in bot.stream(question, earlier, filters=filters):
                if event.kind == "searched":
                    continue
                own = source_group(event.answer, group)
                now = [*groups, own] if own else groups
                conversations.keep(name, len(earlier), event.answer)
                kept = saving(name, conversations.count(name))
                yield message(event.answer, group), sources(now), kept, now, name
        except QuestionError as error:
            yield str(error), sources(groups), saving(name, conversations.count(name)), groups, name

    def listed(mine: list[str], words: str, name: str) -> Any:
        found = conversations.listed(mine, words)
        chosen = name if name in {one.name for one in found} else None
        return gr.Radio(choices=[(one.title, one.name) for one in found], value=chosen)

    def title_of(name: str) -> str:
        return next((one.title for one in conversations.listed([name])), "")

    def opened(name: str) -> tuple[list[dict[str, str]], str, str, list[str], str, str, str]:
        """What a conversation's page shows; an empty name begins one."""
        answers = conversations.answers(name) if name else ()
        messages, groups = _shown(answers)
        return messages, sources(groups), saving(name, len(answers)), groups, name, "", title_of(name)

    def begun(mine: list[str], request: gr.Request) -> tuple[Any, ...]:
        asked = str(request.query_params.get("c", ""))
        *rest, name, _, title = opened(asked)
        own = asked in mine
        facets = bot.facets
        dropdowns = [
            gr.Dropdown(choices=_choices(some)) for some in (facets.publishers, facets.languages, facets.articles)
        ]
        return *rest, name if own else "", "" if own else asked, title, listed(mine, "", asked), *dropdowns

    def known(name: str, mine: list[str], words: str) -> tuple[list[str], Any, str]:
        """A conversation that was begun here is listed here."""
        every = mine if name in mine or not name else [name, *mine]
        return every, listed(every, words, name), title_of(name)

    def renamed(name: str, title: str, mine: list[str], words: str) -> tuple[Any, str]:
        conversations.rename(name, title)
        return listed(mine, words, name), title_of(name)

    def deleted(name: str, mine: list[str], words: str) -> tuple[Any, ...]:
        conversations.delete(name)
        rest = [one for one in mine if one != name]
        return *opened(""), rest, listed(rest, words, ""), gr.Group(visible=False)

    mine = gr.BrowserState([], storage_key=MINE, secret=MINE)
    groups = gr.State([])
    name = gr.State("")
    shared = gr.State("")
    with gr.Sidebar(open=False, label="Conversations", elem_id="conversations", width=300):
        gr.Markdown("## Conversations")
        new = gr.Button("New conversation", size="sm", variant="primary")
        wanted = gr.Textbox(label="Search your conversations", max_lines=1)
        listing = gr.Radio(label="Your conversations", choices=[], elem_id="listing")
        title = gr.Textbox(label="Title of this one", max_lines=1, info="Enter renames it")
        delete = gr.Button("Delete this conversation", size="sm")
        with gr.Group(visible=False) as sure:
            gr.Markdown("Deleted for good, with its answers?")
            with gr.Row():
                yes, no = gr.Button("Delete", size="sm", variant="stop"), gr.Button("Keep", size="sm")
    with gr.Row(elem_id="desk"):
        with gr.Column(scale=3, min_width=320, elem_id="talk"):
            panel = gr.HTML(sources([]), elem_id="sources", render=False)
            downloads = gr.HTML("", elem_id="saving", render=False)
            with gr.Accordion("Which articles to search", open=False, elem_id="filters"), gr.Row():
                publishers = gr.Dropdown(label="Publishers", multiselect=True)
                languages = gr.Dropdown(label="Languages", multiselect=True)
                articles = gr.Dropdown(label="Articles", multiselect=True)
                since = gr.Textbox(label="Published from", placeholder="2025-12-13", max_lines=1)
                until = gr.Textbox(label="Published to", placeholder="2025-12-31", max_lines=1)
            downloads.render()  # type: ignore[no-untyped-call] # Gradio's own
            talk = gr.ChatInterface(
                respond,
                chatbot=gr.Chatbot(
                    label="Conversation",
                    show_label=False,
                    container=False,
                    elem_id="chat",
                    height="100%",
                    min_height=320,
                    buttons=["copy"],
                    latex_delimiters=[],
                    allow_tags=False,
                    layout="panel",
                    feedback_options=None,
                    placeholder="Ask a question in English, Russian or Belarusian.",
                ),
                textbox=gr.Textbox(
                    placeholder="Ask about the articles",
                    label="Question",
                    show_label=False,
                    container=False,
                    max_lines=6,
                    autofocus=True,
                    submit_btn=True,
                    stop_btn=True,
                ),
                additional_inputs=[groups, name, shared, publishers, languages, articles, since, until],
                additional_outputs=[panel, downloads, groups, name],
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

    whole = [talk.chatbot_value, panel, downloads, groups, name, shared, title]
    quiet: Any = {"api_visibility": "private", "show_progress": "hidden"}
    page.load(begun, mine, [*whole, listing, publishers, languages, articles], **quiet)
    name.change(known, [name, mine, wanted], [mine, listing, title], **quiet)
    wanted.change(listed, [mine, wanted, name], listing, **quiet)
    listing.input(opened, listing, whole, **quiet)
    gr.on([new.click, talk.chatbot.clear], lambda: opened(""), None, whole, **quiet)
    title.submit(renamed, [name, title, mine, wanted], [listing, title], **quiet)
    delete.click(lambda name: gr.Group(visible=bool(name)), name, sure, **quiet)
    no.click(lambda: gr.Group(visible=False), None, sure, **quiet)
    yes.click(deleted, [name, mine, wanted], [*whole, mine, listing, sure], **quiet)
