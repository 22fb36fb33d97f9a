"""Answers and sources as the Markdown and HTML of the page.

Knows how to show words so that none of them is taken for markup. Does not know Gradio's components or events.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from bot import FORMATS, Answer, Article, Citation, Time, Turn, escape_markdown

MARKDOWN = re.compile(r"\[(\\\[\d+\\\])\]\(#[^)]*\)|<small[^>]*>.*?</small>|(?<!\\)\*\*", re.S)
# What is said of a claim that its quotes do not prove whole.
DOUBT = {"partly": "only partly supported by its source", "unverified": "not supported by the sources"}
# How a format is called where its own name says too little.
FORMAT_NAMES = {
    "markdown": "Markdown",
    "html": "HTML, for print",
    "bundle": "Evidence, to recheck",
    "bibtex": "BibLaTeX",
    "csl-json": "CSL-JSON",
}


def escape_html(text: str) -> str:
    """Text that neither HTML nor the templates of Gradio's HTML component take for anything but text."""
    safe = html.escape(text)
    for character in "$`{}\\":
        safe = safe.replace(character, f"&#{ord(character)};")
    return safe


def message(answer: Answer, group: str) -> str:
    """An answer as Markdown for the chat; its markers point to the sources of the same group."""
    lines = []
    if answer.status == "partial":
        lines.append("**The articles answer this in part.**")
    for claim in answer.claims:
        label = ""
        if claim.support in DOUBT:
            doubts = "; ".join((DOUBT[claim.support], *claim.doubts))
            label = f' <small class="doubt">{escape_markdown(doubts)}</small>'
        said = f' <small class="voice">{escape_markdown(by)}</small>' if (by := answer.said_by(claim)) else ""
        lines.append(f"{escape_markdown(claim.text)}\N{NO-BREAK SPACE}{markers(claim.citations, group)}{said}{label}")
    if answer.status == "not_found":
        lines.append("**The collection does not answer this.**")
    lines += accounts(answer, group)
    lines += [escape_markdown(one) for one in answer.missing]
    if answer.status == "not_found" and answer.closest:
        near = "\n".join(
            f"- {escape_markdown(shortened(one.quote))} {markers((one.number,), group)}" for one in answer.closest
        )
        lines.append(f"Closest passages, which are not an answer:\n\n{near}")
    notes = (*answer.notes, *map(str, answer.spellings))
    lines += [f"<small>{escape_markdown(note)}</small>" for note in notes]
    lines.append(f'<small class="coverage">{escape_markdown(coverage_line(answer))}</small>')
    return "\n\n".join(lines)


def markers(numbers: Iterable[int], group: str) -> str:
    """Links to the sources of a group, as they stand behind a sentence."""
    return "".join(f"[\\[{number}\\]](#{group}-{number})" for number in numbers)


def accounts(answer: Answer, group: str) -> list[str]:
    """What the sources differ in, a paragraph and a list each: the value, and who gives it when, oldest first."""
    cited = {one.number: one.article for one in answer.citations}
    lines = []
    for disagreement in answer.disagreements:
        sides = []
        for account in disagreement.accounts:
            tellers = "; ".join(
                f"{escape_markdown(', '.join((_publisher(cited[number]), cited[number].published or 'no date')))} "
                f"{markers((number,), group)}"
                for number in account.citations
                if number in cited
            )
            corrects = ", which says that it corrects an earlier report" if account.corrects else ""
            sides.append(f"- **{escape_markdown(account.value)}** — {tellers}{corrects}")
        lines += [f"**The sources differ in the {disagreement.about}**", "\n".join(sides)]
    return lines


def _publisher(article: Article) -> str:
    return article.publisher or article.name


def coverage_line(answer: Answer) -> str:
    """What was searched and how, for the line under an answer."""
    how = (
        "Quoted word for word."
        if answer.mode == "quoting"
        else f"Written by {answer.mode.removeprefix('writing with ')}."
    )
    asked = "" if answer.query == answer.question else f" Searched for: {answer.query}"
    return f"{answer.searched} {how if answer.claims else ''}{asked}".strip()


def shortened(text: str, limit: int = 220) -> str:
    """At most `limit` characters, cut between words."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[:limit].rsplit(" ", 1)[0] + " …"


def source_group(answer: Answer, group: str) -> str:
    """The numbered sources of an answer as HTML."""
    shown = answer.citations or answer.closest
    heading = "Sources" if answer.citations else "Closest passages"
    cards = "".join(card(citation, group) for citation in shown)
    return f'<section class="group" id="{group}"><h2>{heading}</h2><ol>{cards}</ol></section>' if shown else ""


def card(citation: Citation, group: str) -> str:
    """One source: title, publisher, date, links, who says it, and the quote lit up in its paragraph."""
    article = citation.article
    before, behind = citation.paragraph
    kind = "" if citation.publisher_kind == "other" else f" ({citation.publisher_kind})"
    publisher = f"{article.publisher}{kind}".strip()
    about = " · ".join(escape_html(part) for part in (publisher, article.published or "no date") if part)
    links = (
        f'<a class="permanent" href="{escape_html(citation.link)}" target="_blank" rel="noopener">'
        "Link to this passage</a>"
    )
    if address := original(article):
        links = f'<a class="open" href="{address}" target="_blank" rel="noopener noreferrer">Open page</a> {links}'
    voices = "; ".join(map(str, citation.voices))
    said = f'<p class="voices" dir="auto">{escape_html(voices[0].upper() + voices[1:])}</p>' if voices else ""
    times = [
        f"“{article.text[time.span.start : time.span.end]}” is {days(time)}, counted from the date of publication."
        for time in citation.times
        if time.reckoned
    ]
    notes = [article.note, *times, copies(citation)]
    note = "".join(f'<p class="note" dir="auto">{escape_html(line)}</p>' for line in notes if line)
    if citation.corrected:
        changes = escape_html(f"/source/{article.id}/{article.version}/changes")
        note += (
            f'<p class="note">Corrected on {escape_html(citation.corrected)}: '
            f'<a href="{changes}" target="_blank" rel="noopener">what changed</a></p>'
        )
    return (
        f'<li class="card" id="{group}-{citation.number}" tabindex="-1">'
        f'<h3><span class="number">{citation.number}</span> '
        f'<span dir="auto">{escape_html(article.name)}</span></h3><p class="about">{about}</p>'
        f'<p class="links">{links}</p>{said}'
        f'<blockquote lang="{escape_html(article.lang)}" dir="auto">{escape_html(before)}'
        f"<mark>{escape_html(citation.quote)}</mark>{escape_html(behind)}</blockquote>{note}</li>"
    )


def original(article: Article) -> str:
    """The article's address for an attribute or for reading, if it is one to follow; else empty."""
    return escape_html(article.url) if re.fullmatch(r"https?://[^\s\"'<>]+", article.url) else ""


def days(time: Time) -> str:
    """The days of a time: one, or from and to."""
    return f"{time.first}" if time.first == time.last else f"{time.first} to {time.last}"


def copies(citation: Citation) -> str:
    """Who else prints the article's text; empty if nobody does."""
    others = [" ".join(filter(None, (one.publisher or one.name, one.published))) for one in citation.copies]
    return f"Printed again by {'; '.join(others)}: one source." if others else ""


def turns(history: Sequence[Any]) -> list[Turn]:
    """The turns of a chat as Gradio keeps it; messages that are neither a user's nor an assistant's are left out."""
    made: list[Turn] = []
    question = ""
    for entry in history:
        content = entry["content"]
        text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
        if entry["role"] == "user":
            question = text
        elif entry["role"] == "assistant" and question:
            made.append(Turn(question, re.sub(r"\\(.)", r"\1", MARKDOWN.sub(r"\1", text)).strip()))
            question = ""
    return made


def sources(groups: Sequence[str]) -> str:
    """The panel beside the chat: the newest answer's sources, or those of the one whose marker was clicked."""
    close = '<button type="button" class="close" aria-label="Close the sources">×</button>'
    empty = '<p class="empty">The sources of an answer appear here, each with its quote in its paragraph.</p>'
    return f'<aside class="sources" aria-label="Sources">{close}{"".join(groups) or empty}</aside>'


def saving(conversation: str, answers: int) -> str:
    """The downloads of a conversation by its name, for as many answers as it has; none while there are none."""
    if not answers:
        return '<span data-conversation=""></span>'
    kinds = [("last", "The last answer"), ("all", f"All {answers} answers")][: min(answers, 2)]
    rows = "".join(
        f"<dt>{label}</dt><dd>"
        + "".join(
            f'<a href="/answers/{escape_html(conversation)}/{which}/{name}" download>{FORMAT_NAMES.get(name, name)}</a>'
            for name in FORMATS
        )
        + "</dd>"
        for which, label in kinds
    )
    about = f'class="saving" data-conversation="{escape_html(conversation)}"'
    return f"<details {about}><summary>Save the answers</summary><dl>{rows}</dl></details>"
