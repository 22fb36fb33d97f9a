"""Answers as a whole HTML page that needs nothing beside it: for reading, printing and keeping."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape

from bot import Answer
from language import Message
from render.blocks import (
    Block,
    Conflict,
    Facts,
    Lead,
    Pieces,
    Remark,
    Source,
    Sources,
    Statement,
    capital,
    conversation,
    title,
)
from render.translation import ENGLISH, Translation

STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --soft: #57534e; --paper: #fff; --line: #d6d3d1; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e5e4; --soft: #a8a29e; --paper: #1c1917; --line: #44403c; --link: #7cc4ff; }
}
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 1.05rem/1.55 Georgia, "Noto Serif", "PT Serif", serif; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; } h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; } h3 { font-size: 1rem; }
a { color: var(--link); } sup a { text-decoration: none; }
.answered, .note, .coverage, small, dl, li p { color: var(--soft); font-size: 0.85rem; }
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


def html(answers: Sequence[Answer], translation: Translation = ENGLISH) -> str:
    """The answers as one page, with a source a quote, numbered on from answer to answer."""
    page, several = _Page(translation), len(answers) != 1
    heading = page.safe(title(answers))
    body = f"<h1>{heading}</h1>\n" if several else ""
    level = "h2" if several else "h1"
    for answer, blocks in zip(answers, conversation(answers), strict=True):
        written = [part for block in blocks for part in page.written(block)]
        asked = f'<{level} dir="auto">{escape(answer.question)}</{level}>'
        body += "\n".join(("<article>", asked, *written, "</article>\n"))
    return (
        f'<!doctype html>\n<html lang="{escape(translation.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{' '.join(heading.split())}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


class _Page:
    """Writes blocks as HTML."""

    def __init__(self, translation: Translation) -> None:
        self.say = translation.message

    def safe(self, said: Message | str) -> str:
        return escape(self.say(said) if isinstance(said, Message) else said)

    def written(self, block: Block) -> Iterator[str]:
        match block:
            case Lead(said, citation, beside):
                marker = _markers((citation,) if citation else ())
                yield f'<p class="short" dir="auto"><strong>{self.safe(said)}</strong>{marker}{self.small(beside)}</p>'
            case Remark(kind, said):
                strong = kind in ("partial", "not_found")
                text = f"<strong>{self.safe(said)}</strong>" if strong else self.safe(said)
                yield f'<p class="{kind}" dir="auto">{text}</p>'
            case Statement(pieces, citations, teller, support, label):
                checked = self.small(label, "verified" if support == "verified" else "doubt")
                yield f'<p dir="auto">{_emphasised(pieces)}{_markers(citations)}{self.small(teller)}{checked}</p>'
            case Conflict(heading, sides):
                yield f'<p dir="auto">{self.safe(heading)}:</p>'
                for side in sides:
                    tellers = "; ".join(f"{self.safe(teller)} {_markers((number,))}" for teller, number in side.tellers)
                    told = f"{escape(side.value)}: {tellers}{self.safe(side.correcting)}"
                    yield f'<p class="side" dir="auto">{told}</p>'
            case Sources(heading, sources):
                yield f"<h3>{self.safe(heading)}</h3>\n<ol>"
                yield from map(self.source, sources)
                yield "</ol>"
            case Facts(facts):
                listed = (f'<dt>{self.safe(name)}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in facts)
                yield f"<dl>{''.join(listed)}</dl>"

    def small(self, said: Message, kind: str = "beside") -> str:
        """What stands small behind a sentence; empty if there is nothing to say."""
        return f' <small class="{kind}">({self.safe(said)})</small>' if said else ""

    def source(self, source: Source) -> str:
        citation = source.citation
        about = ", ".join(filter(None, map(self.safe, (citation.article.name, *source.about))))
        url = escape(source.url)
        link = f', <a href="{url}" rel="noopener noreferrer">{url}</a>' if url else ""
        told = (escape(capital(self.say(sentence))) for sentence in source.sentences)
        remarks = "".join(f'<p dir="auto">{sentence}</p>' for sentence in told)
        proof = ", ".join(f"{self.safe(name)}: <code>{escape(value)}</code>" for name, value in source.proof)
        return (
            f'<li id="source-{citation.number}" value="{citation.number}">'
            f'<blockquote lang="{escape(citation.article.lang)}" dir="auto">{_emphasised(source.pieces)}</blockquote>'
            f'<p dir="auto">{about}{link}</p>{remarks}<p>{proof}</p></li>'
        )


def _markers(numbers: Sequence[int]) -> str:
    return "".join(f'<sup><a href="#source-{number}">[{number}]</a></sup>' for number in numbers)


def _emphasised(pieces: Pieces) -> str:
    before, inside, behind = map(escape, pieces)
    return f"{before}{f'<strong>{inside}</strong>' if inside else ''}{behind}"
