"""The library: the articles that are searched, taking more in, and taking some out.

Knows Gradio's events; the work is done by `ingest`. Does not know how articles are read or stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from bot import ArticleSummary, Bot, LibraryError, VersionDetails
from ingest import reinstate, remove, set_metadata
from language import Message
from page.events import QUIET, Updates, listening, user_error
from page.i18n import Translator
from page.ingest_job import IngestJob
from page.markup import escape_html, safe_html
from page.top import top_html

WIDTHS: list[str | int] = ["31%", "16%", "10%", "8%", "7%", "9%", "10%", "9%", "0%"]
LOOK_SECONDS = 0.7
NAMED = 50  # of the articles that went in; what failed is all named
REASON = Message("removed on the page")
# Run in the browser: what is typed while an article is on its way would be lost.
LOCK = "() => Array(3).fill({ __type__: 'update', interactive: false })"


def table_headers(words: Translator) -> list[str]:
    """The table's columns."""
    return [
        words("Title"),
        words("Publisher"),
        words("Published"),
        words("Language"),
        words("Version"),
        words("Passages"),
        words("Reprints"),
        words("Status"),
        words("ID"),
    ]


def table_rows(entries: Sequence[ArticleSummary], words: Translator) -> list[list[Any]]:
    """The table's rows."""
    return [
        [
            entry.name.rsplit("/", 1)[-1] if entry.name.startswith("/") else entry.name,
            entry.publisher,
            entry.published,
            entry.lang,
            entry.version,
            entry.passages,
            entry.reprints,
            words("source unavailable") if entry.stale else "",
            entry.id,
        ]
        for entry in entries
    ]


def job_status(job: IngestJob, words: Translator) -> str:
    """How far the ingest is, or what came of it, as HTML; empty if there was none."""
    state = job.state
    left = f"<p>{words('Some sources were not processed. Choose “Re-ingest all” to continue.')}</p>"
    if state is None:
        head = f"<p><strong>{words('Interrupted')}.</strong></p>{left}"
        return f'<div class="intake" role="status">{head}</div>' if job.pending else ""
    report, progress = state.report, state.progress
    counted = [
        words("{count} added", count=len(report.added)),
        words("{count} changed", count=len(report.changed)) if report.changed else "",
        words("{count} unchanged", count=len(report.unchanged)) if report.unchanged else "",
        words("{count} still removed", count=len(report.still_removed)) if report.still_removed else "",
        words("{count} failed", count=len(report.failed)) if report.failed else "",
    ]
    counts = ", ".join(filter(None, counted))
    if state.running:
        value = f'value="{progress.done}" max="{progress.total}"' if progress.total else ""
        head = (
            f'<progress {value} aria-label="{words("Adding articles…")}"></progress>'
            f"<p>{words('Stopping…') if state.stopped else words('Adding articles…')} {counts}. "
            f"{escape_html(progress.source)}</p>"
        )
    else:
        end = words("Interrupted") if state.error else words("Stopped") if state.stopped else words("Done")
        head = f"<p><strong>{end}: {counts}.</strong></p>"
    if state.error:
        head += f'<p class="failed">{escape_html(words.message(state.error))}</p>'
    if job.pending and not state.running:
        head += left
    lines = [
        f'<li class="failed">{safe_html(failure.source)}: {safe_html(words.message(failure.reason))}</li>'
        for failure in report.failed
    ]
    went = [(words("added"), source) for source in report.added] + [
        (words("changed"), source) for source in report.changed
    ]
    lines += [f"<li>{word}: {safe_html(source)}</li>" for word, source in went[:NAMED]]
    if len(went) > NAMED:
        lines.append(f"<li>{words('and {count} more', count=len(went) - NAMED)}</li>")
    return f'<div class="intake" role="status">{head}<ul>{"".join(lines)}</ul></div>'


def article_panel(bot: Bot, article_id: str, words: Translator) -> str:
    """The article chosen in the table, as HTML."""
    entry = _entry(bot, article_id)
    if entry is None:
        hint = words("Choose an article in the table to open it, re-ingest it or remove it.")
        return f'<p class="chosen">{hint}</p>'
    link = escape_html(f"/source/{entry.id}/{entry.version}")
    stale = ""
    if entry.stale:
        stale = " " + words("Source unavailable: {reason}", reason=escape_html(words.message(entry.stale)))
    known = " · ".join(map(safe_html, filter(None, (entry.publisher, entry.published, entry.lang))))
    return (
        f'<div class="chosen"><p><strong dir="auto">{escape_html(entry.name)}</strong><br>'
        f"{known}{' · ' if known else ''}"
        f'<a href="{link}" target="_blank" rel="noopener">{words("view text and versions")}</a>.{stale}</p>'
        f"{_passages(bot.version_details(entry.id, entry.version), link, words)}</div>"
    )


def _entry(bot: Bot, article_id: str) -> ArticleSummary | None:
    return next((entry for entry in bot.list_articles() if entry.id == article_id), None)


def _passages(details: VersionDetails | None, link: str, words: Translator) -> str:
    """What is found of an article, in reading order, each with the way to its place in the text behind `link`."""
    if details is None or not details.passages:
        return ""
    article = details.article
    items = "".join(
        f'<li><span lang="{escape_html(article.lang)}" dir="auto">'
        f"{safe_html(article.text[span.start : span.end])}</span> "
        f'<a href="{link}#{span.start}-{span.end}" target="_blank" rel="noopener">{words("view passage")}</a></li>'
        for span in details.passages
    )
    head = words.many("{count} passage", "{count} passages", len(details.passages))
    return f"<details><summary>{head}</summary><ol>{items}</ol></details>"


class LibraryLayout:
    """The library's components below the `top` of the page, put on it as they are made."""

    def __init__(self, words: Translator, top: gr.HTML, detail: str) -> None:
        self.top = top
        self.article = gr.State("")  # the id of the one that is chosen
        self.removed = gr.State("")  # the id of the last that was taken out
        gr.Markdown(f"## {words('Library')}", elem_id="library-title")
        self._add_sources(words)
        self.outcome = gr.HTML("", elem_id="outcome")
        self.detail = gr.HTML(detail, elem_id="detail")
        with gr.Row(elem_id="actions"):
            self.renew = gr.Button(words("Re-ingest"), size="sm")
            self.renew_all = gr.Button(words("Re-ingest all"), size="sm")
            self.remove = gr.Button(words("Remove"), size="sm")
            self.undo = gr.Button(words("Undo removal"), size="sm", visible=False)
        self._add_fields(words)
        self.table = gr.Dataframe(
            headers=table_headers(words),
            datatype="str",
            column_widths=WIDTHS,
            interactive=False,
            show_search="search",
            wrap=True,
            max_height=700,
            elem_id="articles",
            label=words("Articles"),
            buttons=[],
        )
        self.timer = gr.Timer(LOOK_SECONDS, active=False)

    def _add_sources(self, words: Translator) -> None:
        with gr.Row(elem_id="intake"):
            label = words("Files")
            self.files = gr.File(label=label, file_count="multiple", type="filepath", height=140)
            with gr.Column():
                label = words("URLs, one per line: pages, feeds, sitemaps")
                self.addresses = gr.Textbox(label=label, lines=3, max_lines=8)
                with gr.Row():
                    self.take = gr.Button(words("Add articles"), variant="primary", size="sm")
                    self.stop = gr.Button(words("Stop"), size="sm", visible=False)

    def _add_fields(self, words: Translator) -> None:
        with gr.Accordion(words("Edit title, publisher or date"), open=False, elem_id="edit"):
            with gr.Row():
                self.title = gr.Textbox(label=words("Title"), max_lines=1, scale=3)
                self.publisher = gr.Textbox(label=words("Publisher"), max_lines=1)
                self.published = gr.Textbox(label=words("Published"), placeholder="2025-12-13", max_lines=1)
            with gr.Row():
                gr.Markdown(
                    words(
                        "Your edits are kept when the article is re-ingested. Clear a field to restore the source's "
                        "value."
                    )
                )
                self.save = gr.Button(words("Save"), size="sm", scale=0, min_width=144)


@dataclass(frozen=True, slots=True, eq=False)
class LibraryHandlers:
    """What the library does on its events; each handler gives what becomes of the components of the layout.

    gr.Error, which a reader is shown, for what can't be done.
    """

    bot: Bot
    data: Path
    job: IngestJob
    words: Translator
    layout: LibraryLayout

    def on_refresh(self) -> Updates:
        """Shows how far the ingest is; the timer runs until it has ended, then the table and the top are rebuilt."""
        layout, state = self.layout, self.job.state
        running = bool(state and state.running)
        look: Updates = {
            layout.outcome: job_status(self.job, self.words),
            layout.timer: gr.Timer(active=running),
            layout.take: gr.Button(interactive=not running),
            layout.stop: gr.Button(visible=running, interactive=not (state and state.stopped)),
        }
        if running:
            return look
        try:
            return look | self._standing()
        except LibraryError as error:  # told once, for then the timer ends
            gr.Warning(self.words.message(error), title=self.words("Error"))
            return look

    def on_add(self, files: list[str] | None, addresses: str) -> Updates:
        """Ingests what was dropped and the URLs."""
        words = self.words
        sources = [line.strip() for line in addresses.splitlines() if line.strip()]
        wrong = [source for source in sources if not source.lower().startswith(("http://", "https://"))]
        if wrong:
            raise user_error(
                words("“{url}” is not a URL: it must start with http:// or https://.", url=wrong[0]), words
            )
        if not files and not sources:
            raise user_error(words("Add at least one file or URL."), words)
        taken = self._started([Path(file) for file in files or ()], sources)
        return taken | {self.layout.files: None, self.layout.addresses: ""}

    def on_reingest(self, article_id: str) -> Updates:
        """Takes the chosen article in again."""
        entry = _entry(self.bot, article_id)
        source = self._source(entry) if entry else ""
        if not source:
            raise self._none_chosen()
        return self._started([], [source])

    def on_reingest_all(self) -> Updates:
        """Takes all in again, and what was not read before."""
        sources = [self._source(entry) for entry in self.bot.list_articles()]
        return self._started([], list(filter(None, dict.fromkeys([*sources, *self.job.pending]))))

    def on_remove(self, article_id: str) -> Updates:
        """Takes the chosen article out, until it is brought back."""
        if not article_id:
            raise self._none_chosen()
        now = self._changed(lambda: remove([article_id], REASON, data=self.data))
        return now | self._chosen("") | {self.layout.removed: article_id, self.layout.undo: gr.Button(visible=True)}

    def on_undo(self, article_id: str) -> Updates:
        """Reinstates what was removed last."""
        now = self._changed(lambda: reinstate([article_id], data=self.data))
        return now | self._chosen(article_id) | {self.layout.removed: "", self.layout.undo: gr.Button(visible=False)}

    def on_select(self, event: gr.SelectData) -> Updates:
        """Opens the article of a row."""
        article_id = str(event.row_value[-1])
        fields = {field: gr.Textbox(value=value, interactive=True) for field, value in self._fields(article_id).items()}
        return self._chosen(article_id) | fields

    def on_save(self, article_id: str, title: str, publisher: str, published: str) -> Updates:
        """Gives the chosen article what is written in the fields."""
        if not article_id:
            raise self._none_chosen()
        now = self._changed(
            lambda: set_metadata([article_id], title=title, publisher=publisher, published=published, data=self.data)
        )
        return now | {self.layout.detail: article_panel(self.bot, article_id, self.words)} | self._fields(article_id)

    def _standing(self) -> Updates:
        """The table and the top as they are by now."""
        rows_now = table_rows(self.bot.list_articles(), self.words)
        return {self.layout.table: rows_now, self.layout.top: top_html(self.bot, self.words, "/library")}

    def _started(self, files: list[Path], sources: list[str]) -> Updates:
        if not self.job.start(files, sources):
            raise self._busy()
        return self.on_refresh()

    def _changed(self, work: Callable[[], object]) -> Updates:
        if self.job.state and self.job.state.running:
            raise self._busy()
        try:
            work()
        except (LibraryError, ValueError) as error:
            raise user_error(self.words.message(error), self.words) from error
        return self._standing()

    def _chosen(self, article_id: str) -> Updates:
        return {self.layout.article: article_id, self.layout.detail: article_panel(self.bot, article_id, self.words)}

    def _source(self, entry: ArticleSummary) -> str:
        """Where an article came from, without its place in an archive or a table."""
        article = self.bot.article(entry.id, entry.version)
        return article.source.partition("#")[0].partition("!")[0] if article else ""

    def _fields(self, article_id: str) -> Updates:
        """What stands in the fields to edit."""
        layout, entry = self.layout, _entry(self.bot, article_id)
        article = self.bot.article(article_id, entry.version) if entry else None
        values = (article.title, article.publisher, article.published) if article else ("", "", "")
        return dict(zip((layout.title, layout.publisher, layout.published), values, strict=True))

    def _busy(self) -> gr.Error:
        return user_error(self.words("Another ingest is running. Wait for it to finish, or stop it."), self.words)

    def _none_chosen(self) -> gr.Error:
        return user_error(self.words("Choose an article first."), self.words)


def library(page: gr.Blocks, bot: Bot, data: Path, job: IngestJob, words: Translator, top: gr.HTML) -> None:
    """Puts the library on the page below its `top`, which changes with it."""
    layout, on = LibraryLayout(words, top, article_panel(bot, "", words)), listening(words)
    handlers = LibraryHandlers(bot, data, job, words, layout)
    table, article, detail, removed = layout.table, layout.article, layout.detail, layout.removed
    shown = [layout.outcome, layout.timer, layout.take, layout.stop, table, top]
    fields = [layout.title, layout.publisher, layout.published]
    changed = [table, top, detail, article, removed, layout.undo]
    given = [layout.files, layout.addresses]
    on(page.load, handlers.on_refresh, None, shown)
    on(layout.timer.tick, handlers.on_refresh, None, shown)
    on(layout.take.click, handlers.on_add, given, [*given, *shown])
    layout.stop.click(job.stop, None, None, **QUIET)
    table.select(None, None, fields, js=LOCK, **QUIET)
    on(table.select, handlers.on_select, None, [article, detail, *fields])
    on(layout.save.click, handlers.on_save, [article, *fields], [table, top, detail, *fields])
    on(layout.renew.click, handlers.on_reingest, article, shown)
    on(layout.renew_all.click, handlers.on_reingest_all, None, shown)
    on(layout.remove.click, handlers.on_remove, article, changed)
    on(layout.undo.click, handlers.on_undo, removed, changed)
