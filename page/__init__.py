"""What people see: the chat and, beside it, its sources. The only package that knows Gradio.

Does not know how an answer is found: it calls the public face of `bot` alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import gradio as gr
from starlette.routing import Mount

from bot import Bot, Facet, Filters, QuestionError
from page.conversations import Conversations
from page.markup import escape_html, message, saving, source_group, sources, turns
from page.serving import ADDRESS, HERE, Server, bound, serving

CONCURRENT_QUESTIONS = 8
WAITING_QUESTIONS = 64
MAX_UPLOAD = "1mb"  # nothing is uploaded to this page
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
EXAMPLES = [
    "How many people were taken to Ukraine?",
    "What does Belarus General License 13 allow?",
    "What happened to Mikola Statkevich after his stroke?",
    "Сколько дней провела в заключении Мария Колесникова?",
    "Ці пісаў Бяляцкі прашэнне аб памілаванні?",
]


def status_line(bot: Bot) -> str:
    """Mode and size of the collection, for the head of the page."""
    coverage = bot.coverage
    newest = f", newest {coverage.newest}" if coverage.newest else ""
    return f"{coverage.articles:,} articles{newest} · {bot.mode}"


def _choices(facets: Sequence[Facet]) -> list[tuple[str, str]]:
    return [(f"{one.name} ({one.articles:,})" if one.articles > 1 else one.name, one.value) for one in facets]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise QuestionError(f"{text} is no day such as 2025-12-13: mend it under “Which articles to search”.") from None


def build(bot: Bot, conversations: Conversations) -> gr.Blocks:
    """The page; what it answers is kept in `conversations`."""

    def respond(
        question: str,
        history: list[Any],
        groups: list[str],
        name: str,
        publishers: list[str],
        languages: list[str],
        articles: list[str],
        since: str | None,
        until: str | None,
    ) -> Iterator[tuple[str, str, str, list[str], str]]:
        group = f"cite-{uuid.uuid4().hex[:8]}"
        name = name or conversations.new_name()
        earlier = turns(history)
        try:
            filters = Filters(tuple(publishers), tuple(languages), tuple(articles), _day(since), _day(until))
            for event in bot.stream(question, earlier, filters=filters):
                if event.kind == "searched":
                    continue
                own = source_group(event.answer, group)
                now = [*groups, own] if own else groups
                conversations.keep(name, len(earlier), event.answer)
                kept = saving(name, len(conversations.answers(name)))
                yield message(event.answer, group), sources(now), kept, now, name
        except QuestionError as error:
            yield str(error), sources(groups), saving(name, len(conversations.answers(name))), groups, name

    with gr.Blocks(title="Viadoma", analytics_enabled=False, fill_height=True, fill_width=True) as page:
        gr.HTML(
            "<header><h1>Viadoma</h1><p>Ask about the prisoner releases and sanctions in Belarus. Every sentence is an "
            f'exact quote from a named article.</p><p class="status">{escape_html(status_line(bot))}</p></header>',
            elem_id="head",
        )
        with gr.Row(elem_id="desk"):
            with gr.Column(scale=3, min_width=320, elem_id="talk"):
                panel = gr.HTML(sources([]), elem_id="sources", render=False)
                downloads = gr.HTML("", elem_id="saving", render=False)
                groups = gr.State([])
                name = gr.State("")
                with gr.Accordion("Which articles to search", open=False, elem_id="filters"), gr.Row():
                    publishers = gr.Dropdown(label="Publishers", multiselect=True)
                    languages = gr.Dropdown(label="Languages", multiselect=True)
                    articles = gr.Dropdown(label="Articles", multiselect=True)
                    since = gr.Textbox(label="Published from", placeholder="2025-12-13", max_lines=1)
                    until = gr.Textbox(label="Published to", placeholder="2025-12-31", max_lines=1)
                downloads.render()  # type: ignore[no-untyped-call] # Gradio's own
                gr.ChatInterface(
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
                    additional_inputs=[groups, name, publishers, languages, articles, since, until],
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

        def fresh() -> list[Any]:
            facets = bot.facets
            return [
                gr.Dropdown(choices=_choices(some)) for some in (facets.publishers, facets.languages, facets.articles)
            ]

        page.load(fresh, outputs=[publishers, languages, articles], api_visibility="private")
    return page  # type: ignore[no-any-return] # Gradio types its context as Any


def launch(bot: Bot, port: int, *, ready: Callable[[str], None]) -> None:
    """Serves the page on this machine alone until it is stopped; calls `ready` with its address once it answers.

    OSError or OverflowError, with what to do, if the port can't be had. KeyboardInterrupt is what stops it.
    """
    with bound(port) as taken:
        theme = gr.themes.Base(
            primary_hue="teal",
            neutral_hue="stone",
            radius_size="sm",
            font=FONT,
            font_mono=["ui-monospace", "monospace"],
        )
        conversations = Conversations()
        page = build(bot, conversations)
        page.queue(default_concurrency_limit=CONCURRENT_QUESTIONS, max_size=WAITING_QUESTIONS)
        app = gr.mount_gradio_app(
            serving(bot, conversations),
            page,
            path="/",
            server_name=ADDRESS,
            server_port=port,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            show_error=False,
            max_file_size=MAX_UPLOAD,
            theme=theme,
            css_paths=HERE / "page.css",
            js=(HERE / "page.js").read_text("utf-8"),
        )
        chat: Any = next(route.app for route in app.routes if isinstance(route, Mount))
        address = f"http://{ADDRESS}:{taken.getsockname()[1]}"
        # Gradio holds a connection to every open page
        server = Server(app, ready=lambda: ready(address), ending=chat.stop_event.set)
        server.run_until_interrupted(taken)
