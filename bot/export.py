"""Answers to take away, as Markdown with footnotes and as HTML, and the table of all formats.

Every format takes answers in the order they were given, of which one is a conversation of one.
"""

from __future__ import annotations

import hashlib
import html as markup
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bot.answer import (
    NOT_ANSWERED,
    Answer,
    Citation,
    Claim,
    Short,
    Voice,
)
from bot.bibliography import address as address_of
from bot.bibliography import bibtex, csl_json
from bot.bundle import bundle
from vectorstore import Time

# Markdown and HTML

STATUS = {"answered": "Answered", "partial": "Answered in part", "not_found": "Not answered"}
DOUBT = {"partly": "supported by the sources only in part", "unverified": "not supported by the sources"}
CLOSEST = "Closest passages, which are not an answer:"
VERDICT = {"yes": "Yes", "no": "No"}
CORRECTS = "The question takes something for granted that the articles put right:"
SHOWN_DIGITS = 12  # of an article's hash, for people; the bundle holds it whole
# everything that could make Markdown, HTML, a formula or a live link of an article's words
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@^=])|(?<=[wW]{3})(\.)|(:)(?=//)|^([-+:]|\d+[.)])(?=[\s-]|$)")
STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --soft: #57534e; --paper: #fff; --line: #d6d3d1; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e5e4; --soft: #a8a29e; --paper: #1c1917; --line: #44403c; --link: #7cc4ff; }
}
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 1.05rem/1.55 Georgia, "Noto Serif", "PT Serif", serif; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; } h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; } h3 { font-size: 1rem; }
a { color: var(--link); } sup a { text-decoration: none; }
.status, .doubt, .beside, dl, li p { color: var(--soft); font-size: 0.85rem; }
.short { font-size: 1.35rem; line-height: 1.3; }
.doubt { border-bottom: 1px dotted currentColor; }
article + article { border-top: 1px solid var(--line); margin-top: 2rem; }
blockquote { margin: 0 0 0.3rem; white-space: pre-line; } li { margin-bottom: 1rem; } li p { margin: 0; }
li:target { outline: 2px solid var(--link); outline-offset: 0.3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; } dd { margin: 0; }
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --link: #000; }
  body { margin: 0; max-width: none; font-size: 11pt; } li, article > p { break-inside: avoid; }
}
"""
# nothing is loaded and nothing runs, whatever an article says; the one style is known by its digest
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""

    def escaped(found: re.Match[str]) -> str:
        return f"{found[4][:-1]}\\{found[4][-1]}" if found[4] else f"\\{found[0]}"

    return SPECIAL.sub(escaped, " ".join(text.split()))


def bold_within(before: str, inside: str, behind: str) -> str:
    """Three pieces of a text as one line of Markdown that shows them as they are, the middle one bold.

    Stars between a letter and a sign ("US$5") would stay stars, and behind a backslash pass for escaped ones wherever
    Markdown is taken off again: there the whole word is bold. An empty middle piece leaves nothing bold.
    """
    text = f"{before}{inside}{behind}"
    start = len(before) + len(inside) - len(inside.lstrip())
    end = len(before) + len(inside.rstrip())
    if start >= end:
        return escape_markdown(text)
    if not text[start].isalnum() or text[start - 1 : start] == "\\":
        while start and (text[start - 1] == "\\" or not _apart(text[start - 1])):
            start -= 1
    if not text[end - 1].isalnum():
        while text[end - 1] == "\\" or text[end - 1].isspace() or not _apart(text[end : end + 1]):
            if end == len(text):
                return escape_markdown(text)
            end += 1
    first, bold, last = (escape_markdown(piece) for piece in (text[:start], text[start:end], text[end:]))
    gaps = [" " if piece.isspace() else "" for piece in (text[:start][-1:], text[end:][:1])]
    return f"{first}{gaps[0]}**{bold}**{gaps[1]}{last}".strip()


def _apart(character: str) -> bool:
    """Whether every reader of Markdown takes a character, or an end of the text, for white space or punctuation."""
    sign = character.isascii() and character.isprintable() and not character.isalnum()
    return sign or character.isspace() or unicodedata.category(character).startswith("P")


def short_in_quote(citation: Citation, short: Short | None) -> tuple[str, str, str]:
    """A quote before, in and behind the short answer; where that is not of this quote, all stands before it."""
    quote = citation.quote
    if short is None or short.citation != citation.number or quote[short.start : short.end] != short.text:
        return quote, "", ""
    return quote[: short.start], short.text, quote[short.end :]


def short_in_claim(answer: Answer, claim: Claim) -> tuple[str, str, str]:
    """A claim before, in and behind the short answer; all stands before it in a claim that is not its quote."""
    for citation in answer.citations if claim.support == "quoted" else ():
        if citation.number in claim.citations and citation.quote.split() == claim.text.split():
            pieces = short_in_quote(citation, answer.short)
            if pieces[1]:
                return pieces
    return claim.text, "", ""


def beside_short(answer: Answer) -> tuple[list[Time], list[Voice], list[str]]:
    """What stands beside the short answer: times, voices, dates; nothing where there is no short answer.

    The times are those in its words that were reckoned from the date of publication, the voices those that its words do
    not name, the dates those of `tellers`.
    """
    short = answer.short
    cited = next((one for one in answer.citations if short and one.number == short.citation), None)
    if short is None or cited is None:
        return [], [], []
    start, end = cited.start + short.start, cited.start + short.end
    times = [time for time in cited.times if time.reckoned and start <= time.span.start and time.span.end <= end]
    voices = [voice for voice in cited.voices if voice.speaker not in short.text]
    return times, voices, answer.tellers(Claim(short.text, "quoted", (short.citation,)))[1]


def lead(answer: Answer) -> str:
    """The verdict and the short answer on one line, for a terminal; empty if there is neither."""
    marker = f" [{answer.short.citation}]" if answer.short else ""
    return f"{_short(answer)}{marker}{f' ({beside})' if (beside := _beside(answer)) else ''}"


def passages_read(answer: Answer) -> str:
    """How many passages were read, in a sentence; empty if none were."""
    were = "passage was" if answer.read == 1 else "passages were"
    return f"{answer.read:,} {were} read." if answer.read else ""


def _short(answer: Answer) -> str:
    short = " ".join(answer.short.text.split()) if answer.short else ""
    return " — ".join(filter(None, (VERDICT.get(answer.verdict or "", ""), short)))


def _beside(answer: Answer) -> str:
    times, voices, dates = beside_short(answer)
    days = ", ".join(f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}" for one in times)
    said = ", ".join([*map(str, voices), *(day or "no date" for day in dates)])
    return "; ".join(filter(None, (f"{days}, counted from the date of publication" if days else "", said)))


def markdown(answers: Sequence[Answer]) -> str:
    """The answers with a footnote a quote, numbered on from answer to answer; the footnotes stand at the end."""
    numbered = _numbered(answers)
    parts = [] if len(numbered) == 1 else [f"# {_count(len(numbered), 'question')}"]
    for answer in numbered:
        parts += [f"{'#' if len(numbered) == 1 else '##'} {escape_markdown(answer.question)}", *_told(answer)]
        parts.append("\n".join(f"- {name}: {escape_markdown(value)}" for name, value in _facts(answer)))
    for answer in numbered:
        parts += [_footnote(citation, answer.short) for citation in answer.citations]
        parts += [_footnote(citation, None) for citation in answer.closest]
    return "\n\n".join(parts) + "\n"


def _told(answer: Answer) -> Iterator[str]:
    if short := _short(answer):
        marker = _marks((answer.short.citation,)) if answer.short else ""
        beside = f" ({escape_markdown(said)})" if (said := _beside(answer)) else ""
        yield f"**{escape_markdown(short)}**{marker}{beside}"
    yield f"*{STATUS[answer.status]}.*"
    if answer.status == "not_found":
        yield f"**{NOT_ANSWERED}**"
    if answer.corrects:
        yield CORRECTS
    for claim in answer.claims:
        doubt = f" *({escape_markdown(_doubt(claim))})*" if claim.support in DOUBT else ""
        yield f"{bold_within(*short_in_claim(answer, claim))}{_marks(claim.citations)}{doubt}"
    for disagreement in answer.disagreements:
        yield re.sub(r"\\\[(\d+)\\\]", r"[^\1]", escape_markdown(answer.told(disagreement)))
    yield from map(escape_markdown, answer.missing)
    if answer.closest:
        near = "\n".join(f"- “{escape_markdown(one.quote)}”[^{one.number}]" for one in answer.closest)
        yield f"{CLOSEST}\n\n{near}"


def _footnote(citation: Citation, short: Short | None) -> str:
    address = address_of(citation.article)
    about = [*map(escape_markdown, _about(citation)), *([f"<{address}>"] if address else [])]
    remarks = "".join(f" {escape_markdown(remark)}" for remark in _remarks(citation))
    told = "".join(f"{escape_markdown(words)} " for words in citation.told_before)
    return (
        f"[^{citation.number}]: {told}“{bold_within(*short_in_quote(citation, short))}” — {', '.join(about)}.{remarks} "
        f"Permanent link: `{_code(citation.link)}`, SHA-256 of the text: `{citation.article.sha256[:SHOWN_DIGITS]}`."
    )


def html(answers: Sequence[Answer]) -> str:
    """The same as a whole page that needs nothing beside it: for reading, printing and keeping."""
    numbered = _numbered(answers)
    title = numbered[0].question if len(numbered) == 1 else _count(len(numbered), "question")
    body = "" if len(numbered) == 1 else f"<h1>{_safe(title)}</h1>\n"
    for answer in numbered:
        level = "h1" if len(numbered) == 1 else "h2"
        facts = "".join(f'<dt>{_safe(name)}</dt><dd dir="auto">{_safe(value)}</dd>' for name, value in _facts(answer))
        listed = _sources("Sources", answer.citations, answer.short) + _sources(CLOSEST, answer.closest, None)
        body += (
            f'<article>\n<{level} dir="auto">{_safe(answer.question)}</{level}>\n'
            f"{''.join(_paragraphs(answer))}{listed}<dl>{facts}</dl>\n</article>\n"
        )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_safe(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_safe(' '.join(title.split()))}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def _paragraphs(answer: Answer) -> Iterator[str]:
    if short := _short(answer):
        marker = _marker(answer.short.citation) if answer.short else ""
        beside = f' <span class="beside">({_safe(said)})</span>' if (said := _beside(answer)) else ""
        yield f'<p class="short" dir="auto"><strong>{_safe(short)}</strong>{marker}{beside}</p>\n'
    yield f'<p class="status">{STATUS[answer.status]}.</p>\n'
    if answer.status == "not_found":
        yield f"<p><strong>{NOT_ANSWERED}</strong></p>\n"
    if answer.corrects:
        yield f"<p>{CORRECTS}</p>\n"
    for claim in answer.claims:
        doubt = f' <span class="doubt">({_safe(_doubt(claim))})</span>' if claim.support in DOUBT else ""
        markers = "".join(map(_marker, claim.citations))
        yield f'<p dir="auto">{_emphasised(*short_in_claim(answer, claim))}{markers}{doubt}</p>\n'
    for disagreement in answer.disagreements:
        told = re.sub(r"\[(\d+)\]", lambda found: _marker(int(found[1])), _safe(answer.told(disagreement)))
        yield f'<p dir="auto">{told}</p>\n'
    for sentence in answer.missing:
        yield f'<p dir="auto">{_safe(sentence)}</p>\n'


def _sources(heading: str, citations: Sequence[Citation], short: Short | None) -> str:
    listed = "\n".join(_source(citation, short) for citation in citations)
    return f"<h3>{heading}</h3>\n<ol>\n{listed}\n</ol>\n" if listed else ""


def _source(citation: Citation, short: Short | None) -> str:
    quote = _emphasised(*short_in_quote(citation, short))
    address = _safe(address_of(citation.article))
    link = f', <a href="{address}" rel="noopener noreferrer">{address}</a>' if address else ""
    remarks = "".join(f'<p dir="auto">{_safe(remark)}</p>' for remark in _remarks(citation))
    told = "".join(f'<p dir="auto">{_safe(words)}</p>' for words in citation.told_before)
    return (
        f'<li id="source-{citation.number}" value="{citation.number}">{told}'
        f'<blockquote lang="{_safe(citation.article.lang)}" dir="auto">{quote}</blockquote>'
        f'<p dir="auto">{_safe(", ".join(_about(citation)))}{link}</p>{remarks}'
        f"<p>Permanent link: <code>{_safe(citation.link)}</code>, SHA-256 of the text: "
        f"<code>{_safe(citation.article.sha256[:SHOWN_DIGITS])}</code></p></li>"
    )


def _marker(number: int) -> str:
    return f'<sup><a href="#source-{number}">[{number}]</a></sup>'


def _marks(numbers: Sequence[int]) -> str:
    return "".join(f"[^{number}]" for number in numbers)


def _emphasised(before: str, inside: str, behind: str) -> str:
    return f"{_safe(before)}{f'<strong>{_safe(inside)}</strong>' if inside else ''}{_safe(behind)}"


def _safe(text: str) -> str:
    return markup.escape(text)


def _code(text: str) -> str:
    """Text that can stand between backticks."""
    return "".join(text.split()).replace("`", "'")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _doubt(claim: Claim) -> str:
    return "; ".join([DOUBT[claim.support], *claim.doubts])


def _numbered(answers: Sequence[Answer]) -> list[Answer]:
    """The answers with citations that are numbered on from one to the next, closest passages too."""
    made: list[Answer] = []
    used = 0
    for answer in answers:
        cited = used + len(answer.citations)
        made.append(
            replace(
                answer,
                citations=tuple(replace(one, number=one.number + used) for one in answer.citations),
                closest=tuple(replace(one, number=one.number + cited) for one in answer.closest),
                claims=tuple(replace(one, citations=_moved(one.citations, used)) for one in answer.claims),
                disagreements=tuple(
                    replace(
                        one,
                        accounts=tuple(
                            replace(account, citations=_moved(account.citations, used)) for account in one.accounts
                        ),
                    )
                    for one in answer.disagreements
                ),
                short=replace(answer.short, citation=answer.short.citation + used) if answer.short else None,
            )
        )
        used = cited + len(answer.closest)
    return made


def _moved(numbers: Sequence[int], by: int) -> tuple[int, ...]:
    return tuple(number + by for number in numbers)


def _facts(answer: Answer) -> list[tuple[str, str]]:
    """How the answer came about, as (name, value); what is not known or goes without saying is left out."""
    facts = [
        *(("Note", note) for note in answer.notes),
        *(("Spelling", str(spelling)) for spelling in answer.spellings),
        ("Searched", f"{answer.searched} {passages_read(answer)}".rstrip()),
        ("Searched for", "" if answer.query == answer.question else answer.query),
        ("Restricted to", str(answer.filters)),
        ("As of", str(answer.as_of or "")),
        ("Mode", answer.mode),
        ("Reader", answer.reader),
        ("Prompts", ", ".join(answer.prompts)),
        ("Vectors", answer.embedding),
        ("Made", answer.made),
    ]
    return [(name, value) for name, value in facts if value]


def _about(citation: Citation) -> list[str]:
    article = citation.article
    kind = "" if citation.publisher_kind == "other" else f" ({citation.publisher_kind})"
    return [
        part for part in (article.name, f"{article.publisher}{kind}".strip(), article.published or "no date") if part
    ]


def _remarks(citation: Citation) -> list[str]:
    """What to know of a source, in sentences: who speaks, what the text is, who prints it too."""
    voices = "; ".join(map(str, citation.voices))
    copies = "; ".join(" ".join(filter(None, (one.publisher or one.name, one.published))) for one in citation.copies)
    return [
        *([f"{voices[0].upper()}{voices[1:]}."] if voices else []),
        *([f"Note: {citation.article.note.rstrip('.')}."] if citation.article.note else []),
        *([f"Printed again by {copies}: one source."] if copies else []),
        *([f"Corrected on {citation.corrected}."] if citation.corrected else []),
    ]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write answers down: the function, what its files' names end in, and their media type."""

    write: Callable[[Sequence[Answer]], str]
    ending: str
    media_type: str


FORMATS = MappingProxyType(
    {
        "markdown": Format(markdown, ".md", "text/markdown"),
        "html": Format(html, ".html", "text/html"),
        "bundle": Format(bundle, ".json", "application/json"),
        "bibtex": Format(bibtex, ".bib", "application/x-bibtex"),
        "csl-json": Format(csl_json, ".csl.json", "application/vnd.citationstyles.csl+json"),
    }
)
