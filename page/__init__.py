"""What people see: the chat and, beside it, its sources. The only package that knows Gradio.

Does not know how an answer is found: it calls the public face of `bot` alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import gradio as gr

from bot import Bot, Facet, Filters, QuestionError
from page.markup import escape_html, message, source_group, sources, turns

HERE = Path(__file__).parent
ADDRESS = "127.0.0.1"
CONCURRENT_QUESTIONS = 8
WAITING_QUESTIONS = 64
MAX_UPLOAD = "1mb"  # nothing is uploaded to this page
# Nothing the page shows may be fetched from elsewhere, whoever wrote it.
POLICY = (
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; form-action 'self'"
)
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


def build(bot: Bot) -> gr.Blocks:
    """The page."""

    def respond(
        question: str,
        history: list[Any],
        groups: list[str],
        publishers: list[str],
        languages: list[str],
        articles: list[str],
        since: str | None,
        until: str | None,
    ) -> Iterator[tuple[str, str, list[str]]]:
        group = f"cite-{uuid.uuid4().hex[:8]}"
        try:
            filters = Filters(tuple(publishers), tuple(languages), tuple(articles), _day(since), _day(until))
            for event in bot.stream(question, turns(history), filters=filters):
                if event.kind == "searched":
                    continue
                own = source_group(event.answer, group)
                now = [*groups, own] if own else groups
                yield message(event.answer, group), sources(now), now
        except QuestionError as error:
            yield str(error), sources(groups), groups

    with gr.Blocks(title="Viadoma", analytics_enabled=False, fill_height=True, fill_width=True) as page:
        gr.HTML(
            "<header><h1>Viadoma</h1><p>Ask about the prisoner releases and sanctions in Belarus. Every sentence is an "
            f'exact quote from a named article.</p><p class="status">{escape_html(status_line(bot))}</p></header>',
            elem_id="head",
        )
        with gr.Row(elem_id="desk"):
            with gr.Column(scale=3, min_width=320, elem_id="talk"):
                panel = gr.HTML(sources([]), elem_id="sources", render=False)
                groups = gr.State([])
                with gr.Accordion("Which articles to search", open=False, elem_id="filters"), gr.Row():
                    publishers = gr.Dropdown(label="Publishers", multiselect=True)
                    languages = gr.Dropdown(label="Languages", multiselect=True)
                    articles = gr.Dropdown(label="Articles", multiselect=True)
                    since = gr.Textbox(label="Published from", placeholder="2025-12-13", max_lines=1)
                    until = gr.Textbox(label="Published to", placeholder="2025-12-31", max_lines=1)
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
                    additional_inputs=[groups, publishers, languages, articles, since, until],
                    additional_outputs=[panel, groups],
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


def launch(bot: Bot, port: int, *, in_browser: bool) -> None:
    """Serves the page on this machine alone until it is stopped."""
    theme = gr.themes.Base(
        primary_hue="teal", neutral_hue="stone", radius_size="sm", font=FONT, font_mono=["ui-monospace", "monospace"]
    )
    page = build(bot)
    page.queue(default_concurrency_limit=CONCURRENT_QUESTIONS, max_size=WAITING_QUESTIONS)
    page.launch(
        server_name=ADDRESS,
        server_port=port,
        inbrowser=in_browser,
        share=False,
        ssr_mode=False,
        footer_links=[],
        max_file_size=MAX_UPLOAD,
        theme=theme,
        head=f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        css_paths=HERE / "page.css",
        js=(HERE / "page.js").read_text("utf-8"),
    )
