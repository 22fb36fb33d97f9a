"""Answers as a whole HTML page that needs nothing beside it: for reading, printing and keeping."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape

from bot import Answer
from render.blocks import Block, ConflictBlock, Sentence, Source, Sources, Translate, capital, conversation, title

STRONG = ("short", "partial", "not_found")
STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --soft: #57534e; --paper: #fff; --line: #d6d3d1; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e5e4; --soft: #a8a29e; --paper: #1c1917; --line: #44403c; --link: #7cc4ff; }
}
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 1.05rem/1.55 Georgia, "Noto Serif", "PT Serif", serif; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; } h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; } h3 { font-size: 1rem; }
a { color: var(--link); } sup a { text-decoration: none; }
.answered, .note, .coverage, .fact, small, li p { color: var(--soft); font-size: 0.85rem; }
.short { font-size: 1.35rem; line-height: 1.3; }
.issue { border-bottom: 1px dotted currentColor; }
article + article { border-top: 1px solid var(--line); margin-top: 2rem; }
blockquote { margin: 0 0 0.3rem; white-space: pre-line; } li { margin-bottom: 1rem; } li p { margin: 0; }
li:target { outline: 2px solid var(--link); outline-offset: 0.3rem; }
.fact { margin: 0; }
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


def html(answers: Sequence[Answer], say: Translate = str, language: str = "en") -> str:
    """The answers as one page in a language, with a source a quote, numbered on from answer to answer."""
    several, heading = len(answers) != 1, escape(say(title(answers)))
    level, body = ("h2", f"<h1>{heading}</h1>\n") if several else ("h1", "")
    for answer, blocks in zip(answers, conversation(answers), strict=True):
        asked = f'<{level} dir="auto">{escape(answer.question)}</{level}>'
        written = (part for block in blocks for part in _written(block, say))
        body += "\n".join(("<article>", asked, *written, "</article>\n"))
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{' '.join(heading.split())}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def _written(block: Block, say: Translate) -> Iterator[str]:
    match block:
        case Sentence(kind, before, short, behind, citations, beside):
            sentence, markers = _emphasised(say(before), short, behind), "".join(map(_marker, citations))
            sentence = f"<strong>{sentence}</strong>" if kind in STRONG else sentence
            small = "".join(f' <small class="{why}">({escape(say(words))})</small>' for why, words in beside)
            yield f'<p class="{kind}" dir="auto">{sentence}{markers}{small}</p>'
        case ConflictBlock(heading, sides):
            yield f"<p>{escape(say(heading))}:</p>\n<ul>"
            for value, reports, correcting in sides:
                cited = "; ".join(f"{escape(say(report))} {_marker(number)}" for report, number in reports)
                yield f'<li dir="auto">{escape(value)}: {cited}{escape(say(correcting))}</li>'
            yield "</ul>"
        case Sources(heading, sources):
            yield f"<h3>{escape(say(heading))}</h3>\n<ol>"
            yield from (_source(source, say) for source in sources)
            yield "</ol>"


def _source(source: Source, say: Translate) -> str:
    citation, url = source.citation, escape(source.url)
    about = escape(", ".join(filter(None, (citation.article.name, *map(say, source.about)))))
    link = f', <a href="{url}" rel="noopener noreferrer">{url}</a>' if url else ""
    remarks = "".join(f'<p dir="auto">{escape(capital(say(remark)))}</p>' for _, remark in source.remarks)
    context = "".join(f'<p dir="auto">{escape(words)}</p>' for words in citation.context_texts)
    proof = ", ".join(f"{escape(say(name))}: <code>{escape(value)}</code>" for name, value in source.proof)
    return (
        f'<li id="source-{citation.number}" value="{citation.number}">{context}'
        f'<blockquote lang="{escape(citation.article.lang)}" dir="auto">{_emphasised(*source.pieces)}</blockquote>'
        f'<p dir="auto">{about}{link}</p>{remarks}<p>{proof}</p></li>'
    )


def _marker(number: int) -> str:
    return f'<sup><a href="#source-{number}">[{number}]</a></sup>'


def _emphasised(before: str, short: str, behind: str) -> str:
    return f"{escape(before)}{f'<strong>{escape(short)}</strong>' if short else ''}{escape(behind)}"
