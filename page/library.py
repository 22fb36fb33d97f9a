"""The library: the articles that are searched, taking more in, and taking some out.

Knows Gradio's events; the work is done by `ingest`. Does not know how articles are read or stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from bot import Bot, Entry, LibraryError, Record
from ingest import amend, bring_back, remove
from page.errors import refused, telling
from page.intake import Intake
from page.markup import escape_html, in_line
from page.words import Words, remark

WIDTHS: list[str | int] = ["31%", "16%", "10%", "8%", "7%", "9%", "10%", "9%", "0%"]
LOOK_SECONDS = 0.7
NAMED = 50  # of the articles that went in; what failed is all named
REASON = "removed on the page"
# Run in the browser: what is typed while an article is on its way would be lost.
LOCK = "() => Array(3).fill({ __type__: 'update', interactive: false })"


def headers(words: Words) -> list[str]:
    """The table's columns."""
    return [
        words("Title"),
        words("Publisher"),
        words("Published"),
        words("Language"),
        words("Version"),
        words("Passages"),
        words("Copies"),
        words("Note"),
        words("Id"),
    ]


def rows(entries: Sequence[Entry], words: Words) -> list[list[Any]]:
    """The table's rows."""
    return [
        [
            one.name.rsplit("/", 1)[-1] if one.name.startswith("/") else one.name,
            one.publisher,
            one.published,
            one.lang,
            one.version,
            one.passages,
            one.copies,
            words("source can't be read any more") if one.stale else "",
            one.article,
        ]
        for one in entries
    ]


def told(intake: Intake, words: Words) -> str:
    """How far taking in is, or what came of it, as HTML; empty if there was none."""
    state = intake.state
    left = f"<p>{words('What was still to come was not read: “Take all in again” goes on with it.')}</p>"
    if state is None:
        head = f"<p><strong>{words('Broken off')}.</strong></p>{left}"
        return f'<div class="intake" role="status">{head}</div>' if intake.unread else ""
    report, progress = state.report, state.progress
    counted = [
        words("{count} added", count=len(report.added)),
        words("{count} changed", count=len(report.changed)) if report.changed else "",
        words("{count} unchanged", count=len(report.unchanged)) if report.unchanged else "",
        words("{count} kept out", count=len(report.withheld)) if report.withheld else "",
        words("{count} failed", count=len(report.failed)) if report.failed else "",
    ]
    counts = ", ".join(filter(None, counted))
    if state.running:
        value = f'value="{progress.done}" max="{progress.total}"' if progress.total else ""
        head = (
            f'<progress {value} aria-label="{words("Taking in")}"></progress>'
            f"<p>{words('Stopping') if state.stopped else words('Taking in')}: {counts}. "
            f"{escape_html(progress.source)}</p>"
        )
    else:
        end = words("Broken off") if state.trouble else words("Stopped") if state.stopped else words("Done")
        head = f"<p><strong>{end}: {counts}.</strong></p>"
    if state.trouble:
        head += f'<p class="failed">{escape_html(remark(state.trouble, words))}</p>'
    if intake.unread and not state.running:
        head += left
    lines = [
        f'<li class="failed">{in_line(one.source)}: {in_line(remark(one.reason, words))}</li>' for one in report.failed
    ]
    went = [(words("added"), one) for one in report.added] + [(words("changed"), one) for one in report.changed]
    lines += [f"<li>{word}: {in_line(source)}</li>" for word, source in went[:NAMED]]
    if len(went) > NAMED:
        lines.append(f"<li>{words('and {count} more', count=len(went) - NAMED)}</li>")
    return f'<div class="intake" role="status">{head}<ul>{"".join(lines)}</ul></div>'


def about(bot: Bot, article_id: str, words: Words) -> str:
    """The article chosen in the table, as HTML."""
    entry = next((one for one in bot.catalogue if one.article == article_id), None)
    if entry is None:
        said = words("Choose an article in the table to open it, take it in again or remove it.")
        return f'<p class="chosen">{said}</p>'
    link = escape_html(f"/source/{entry.article}/{entry.version}")
    stale = ""
    if entry.stale:
        stale = " " + words(
            "Its source can't be read any more: {reason}", reason=escape_html(remark(entry.stale, words))
        )
    known = " · ".join(map(in_line, filter(None, (entry.publisher, entry.published, entry.lang))))
    return (
        f'<div class="chosen"><p><strong dir="auto">{escape_html(entry.name)}</strong><br>'
        f"{known}{' · ' if known else ''}"
        f'<a href="{link}" target="_blank" rel="noopener">{words("open its text and versions")}</a>.{stale}</p>'
        f"{_passages(bot.record(entry.article, entry.version), link, words)}</div>"
    )


def _passages(record: Record | None, link: str, words: Words) -> str:
    """What is found of an article, in reading order, each with the way to its place in the text behind `link`."""
    if record is None or not record.passages:
        return ""
    article = record.article
    items = "".join(
        f'<li><span lang="{escape_html(article.lang)}" dir="auto">'
        f"{in_line(article.text[span.start : span.end])}</span> "
        f'<a href="{link}#{span.start}-{span.end}" target="_blank" rel="noopener">{words("open the passage")}</a></li>'
        for span in record.passages
    )
    head = words.many("{count} passage", "{count} passages", len(record.passages))
    return f"<details><summary>{head}</summary><ol>{items}</ol></details>"


def library(
    page: gr.Blocks, bot: Bot, data: Path, intake: Intake, words: Words, top: gr.HTML, glance: Callable[[], str]
) -> None:
    """Puts the library on the page; whatever changes it changes what stands at the `top`, made by `glance`."""

    def busy() -> gr.Error:
        return refused(words("Other articles are being taken in: wait for them, or stop them."), words)

    def look() -> tuple[Any, ...]:
        state = intake.state
        running = bool(state and state.running)
        now: list[Any] = [gr.skip(), gr.skip()]
        if not running:
            try:
                now = standing()
            except LibraryError as error:  # told once, for then the timer ends
                gr.Warning(remark(str(error), words), title=words("Error"))
        return (
            told(intake, words),
            gr.Timer(active=running),
            gr.Button(interactive=not running),
            gr.Button(visible=running, interactive=not (state and state.stopped)),
            *now,
        )

    def standing() -> list[Any]:
        """The table and the top as they are by now."""
        return [rows(bot.catalogue, words), glance()]

    def take(files: list[str] | None, addresses: str) -> tuple[Any, ...]:
        sources = [line.strip() for line in addresses.splitlines() if line.strip()]
        wrong = [one for one in sources if not one.lower().startswith(("http://", "https://"))]
        if wrong:
            raise refused(
                words("{address} is no address that begins with http:// or https://.", address=wrong[0]), words
            )
        if not files and not sources:
            raise refused(words("Drop files here, or write addresses."), words)
        return started([Path(file) for file in files or ()], sources)

    def started(files: list[Path], sources: list[str]) -> tuple[Any, ...]:
        if not intake.start(files, sources):
            raise busy()
        return None, "", *look()

    def source_of(article_id: str, version: int) -> str:
        """Where an article came from, without its place in an archive or a table."""
        article = bot.article(article_id, version)
        return article.source.partition("#")[0].partition("!")[0] if article else ""

    def again(article_id: str) -> tuple[Any, ...]:
        if not (
            source := source_of(article_id, next((e.version for e in bot.catalogue if e.article == article_id), 0))
        ):
            raise refused(words("Choose an article first."), words)
        return started([], [source])[2:]

    def all_again() -> tuple[Any, ...]:
        articles = [source_of(one.article, one.version) for one in bot.catalogue]
        return started([], [one for one in dict.fromkeys([*articles, *intake.unread]) if one])[2:]

    def taken_out(article_id: str) -> tuple[Any, ...]:
        if not article_id:
            raise refused(words("Choose an article first."), words)
        return (
            *_changed(lambda: remove([article_id], REASON, data=data)),
            about(bot, "", words),
            "",
            article_id,
            gr.Button(visible=True),
        )

    def put_back(article_id: str) -> tuple[Any, ...]:
        now = _changed(lambda: bring_back([article_id], data=data))
        return *now, about(bot, article_id, words), article_id, "", gr.Button(visible=False)

    def _changed(work: Any) -> list[Any]:
        if intake.state and intake.state.running:
            raise busy()
        try:
            work()
        except (LibraryError, ValueError) as error:
            raise refused(remark(str(error), words), words) from error
        return standing()

    def known(article_id: str) -> tuple[str, str, str]:
        """What stands in the fields to edit."""
        entry = next((one for one in bot.catalogue if one.article == article_id), None)
        article = bot.article(article_id, entry.version) if entry else None
        return (article.title, article.publisher, article.published) if article else ("", "", "")

    def chosen(event: gr.SelectData) -> tuple[Any, ...]:
        article_id = str(event.row_value[-1])
        own = (gr.Textbox(value=value, interactive=True) for value in known(article_id))
        return article_id, about(bot, article_id, words), *own

    def edited(article_id: str, title: str, publisher: str, published: str) -> tuple[Any, ...]:
        if not article_id:
            raise refused(words("Choose an article first."), words)
        now = _changed(lambda: amend([article_id], title=title, publisher=publisher, published=published, data=data))
        return *now, about(bot, article_id, words), *known(article_id)

    article = gr.State("")
    removed = gr.State("")
    gr.Markdown(f"## {words('Library')}", elem_id="library-title")
    with gr.Row(elem_id="intake"):
        files = gr.File(label=words("Files: drop them here"), file_count="multiple", type="filepath", height=140)
        with gr.Column():
            addresses = gr.Textbox(label=words("Addresses, one a line: pages, feeds, sitemaps"), lines=3, max_lines=8)
            with gr.Row():
                go = gr.Button(words("Take in"), variant="primary", size="sm")
                stop = gr.Button(words("Stop"), size="sm", visible=False)
    outcome = gr.HTML("", elem_id="outcome")
    detail = gr.HTML(about(bot, "", words), elem_id="detail")
    with gr.Row(elem_id="actions"):
        renew = gr.Button(words("Take in again"), size="sm")
        renew_all = gr.Button(words("Take all in again"), size="sm")
        out = gr.Button(words("Remove"), size="sm")
        undo = gr.Button(words("Undo the removal"), size="sm", visible=False)
    with gr.Accordion(words("Edit title, publisher or date"), open=False, elem_id="edit"):
        with gr.Row():
            title = gr.Textbox(label=words("Title"), max_lines=1, scale=3)
            publisher = gr.Textbox(label=words("Publisher"), max_lines=1)
            published = gr.Textbox(label=words("Published"), placeholder="2025-12-13", max_lines=1)
        with gr.Row():
            gr.Markdown(
                words(
                    "What is written here counts from now on, also when the article is taken in again. An empty field "
                    "gives back what the source says."
                )
            )
            save = gr.Button(words("Save"), size="sm", scale=0, min_width=144)
    table = gr.Dataframe(
        headers=headers(words),
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
    timer = gr.Timer(LOOK_SECONDS, active=False)

    tried = telling(words)
    quiet: Any = {"api_visibility": "private", "show_progress": "hidden"}
    shown = [outcome, timer, go, stop, table, top]
    page.load(tried(look), None, shown, **quiet)
    timer.tick(tried(look), None, shown, **quiet)
    go.click(tried(take), [files, addresses], [files, addresses, *shown], **quiet)
    stop.click(intake.stop, None, None, **quiet)
    fields = [title, publisher, published]
    table.select(None, None, fields, js=LOCK, **quiet)
    table.select(tried(chosen), None, [article, detail, *fields], **quiet)
    save.click(tried(edited), [article, *fields], [table, top, detail, *fields], **quiet)
    renew.click(tried(again), article, shown, **quiet)
    renew_all.click(tried(all_again), None, shown, **quiet)
    out.click(tried(taken_out), article, [table, top, detail, article, removed, undo], **quiet)
    undo.click(tried(put_back), removed, [table, top, detail, article, removed, undo], **quiet)
