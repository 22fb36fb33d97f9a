"""The page behind a permanent link: the text of one version of one article, as it was taken in.

Knows how the text is laid out so that source.js finds the quoted characters in it; which they are stands behind the #
of the address and never reaches the server. Does not know where articles are stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot import Article
from page.markup import escape_html, original

SHOWN_DIGITS = 12  # of the hash: enough to compare by eye


def source_page(article: Article, newer: Article | None) -> str:
    """The text with what is known of it; `newer` is the version that follows, if there is one."""
    link = original(article)
    facts = [
        ("Publisher", escape_html(article.publisher)),
        ("Published", escape_html(article.published)),
        ("Original", link and f'<a href="{link}" rel="noopener noreferrer">{link}</a>'),
        ("Note", escape_html(article.note)),
        ("Taken in", escape_html(article.added[:10])),
        ("Version", f"{article.version}{_newer(newer)}"),
        ("SHA-256", f"<code>{escape_html(article.sha256[:SHOWN_DIGITS])}</code>"),
    ]
    listed = "".join(f'<dt>{name}</dt><dd dir="auto">{value}</dd>' for name, value in facts if value)
    return _page(
        article.name,
        f'<header><p class="kind">A source, as it was read</p><h1 dir="auto">{escape_html(article.name)}</h1>'
        f"<dl>{listed}</dl></header>"
        '<p id="marked" role="status"><noscript>The quoted words are marked where JavaScript is on.</noscript></p>'
        f'<main id="text" lang="{escape_html(article.lang)}" dir="auto" data-length="{len(article.text)}">'
        f"{''.join(_paragraphs(article.text))}</main>",
    )


def missing_page(article_id: str, version: str) -> str:
    """What is shown for a link to a text that is not there."""
    return _page(
        "No such text",
        '<header><p class="kind">Error 404</p><h1>No such text in this collection</h1></header>'
        f"<p>There is no version {_named(version)} of an article {_named(article_id)} here. A permanent link holds for "
        "the collection it was made from: this one may be another, or may have been made anew.</p>"
        '<p><a href="/">To the chat</a></p>',
    )


def _newer(newer: Article | None) -> str:
    if newer is None:
        return ""
    return f' (<a href="/source/{escape_html(newer.id)}/{newer.version}">version {newer.version}</a> is newer)'


def _named(part: str) -> str:
    return f"“{escape_html(part[:40])}”"


def _paragraphs(text: str) -> Iterator[str]:
    """The text's lines, each with the place of its first character in the text, in code points."""
    start = 0
    for line in text.split("\n"):
        if line.strip():
            # a parser of HTML would take a bare carriage return for a line's end
            words = escape_html(line).replace("\r", "&#13;")
            yield f'<p data-start="{start}">{words}</p>'
        start += len(line) + 1


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape_html(title)} · Viadoma</title>\n"
        '<link rel="icon" href="data:,">\n<link rel="stylesheet" href="/source.css">\n'
        f'<script src="/source.js" defer></script>\n</head>\n<body>\n{body}\n</body>\n</html>\n'
    )
