"""The page behind a permanent link: the text of one version of one article, as it was taken in.

Knows how the text is laid out so that source.js finds the quoted characters in it; which they are stands behind the #
of the address and never reaches the server. Does not know where articles are stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot import Article, Record, changes
from page.markup import escape_html, original

SHOWN_DIGITS = 12  # of the hash: enough to compare by eye


def source_page(record: Record) -> str:
    """The text of a version with what is known of it."""
    article, provenance = record.article, record.provenance
    link = original(article)
    facts = [
        ("Publisher", escape_html(article.publisher)),
        ("Author", escape_html(provenance.author)),
        ("Published", escape_html(article.published)),
        ("Modified", escape_html(provenance.modified)),
        ("Original", link and f'<a href="{link}" rel="noopener noreferrer">{link}</a>'),
        ("Note", escape_html(article.note)),
        ("Licence", escape_html(provenance.licence)),
        ("Taken in", escape_html(article.added[:10])),
        ("Read by", escape_html(provenance.extractor)),
        ("Version", f"{article.version}{_newer(record)}"),
        ("Corrected", _corrected(record)),
        ("Edited", _edited(record)),
        ("Source", _source_state(record)),
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


def changes_page(record: Record) -> str:
    """What changed from the version before, word by word; for the first version that nothing did."""
    article, before = record.article, record.before
    own = _address(article)
    if before is None:
        body = "<p>This is the first version that was taken in.</p>"
    elif before.text == article.text and before.title == article.title:
        body = "<p>Title and text are the same as in the version before.</p>"
    else:
        marked = {"same": "{}", "out": "<del>{}</del>", "in": "<ins>{}</ins>"}
        edits = changes(f"{before.title}\n\n{before.text}", f"{article.title}\n\n{article.text}")
        text = "".join(marked[one.kind].format(escape_html(one.text).replace("\r", "&#13;")) for one in edits)
        body = (
            "<p>Words that went are struck through, words that came are underlined. The title is the first line.</p>"
            f'<main id="changes" lang="{escape_html(article.lang)}" dir="auto">{text}</main>'
        )
    since = f"version {before.version} (taken in {escape_html(before.added[:10])}) and " if before else ""
    return _page(
        f"Changes: {article.name}",
        f'<header><p class="kind">What changed between {since}<a href="{own}">version {article.version}</a> '
        f"(taken in {escape_html(article.added[:10])})</p>"
        f'<h1 dir="auto">{escape_html(article.name)}</h1></header>{body}',
    )


def _address(article: Article) -> str:
    return f"/source/{escape_html(article.id)}/{article.version}"


def _newer(record: Record) -> str:
    newest = record.newest
    if newest.version == record.article.version:
        return ""
    return f' (<a href="{_address(newest)}">version {newest.version}</a> is newer)'


def _corrected(record: Record) -> str:
    if not record.corrected:
        return ""
    return f'{escape_html(record.corrected)} (<a href="{_address(record.article)}/changes">what changed</a>)'


def _edited(record: Record) -> str:
    edits = (
        f"{one.field} by hand on {one.at[:10]}; the source says {f'“{one.own}”' if one.own else 'nothing'}"
        for one in record.amendments
    )
    return escape_html(". ".join(edits))


def _source_state(record: Record) -> str:
    if record.removed:
        removed = record.removed
        return escape_html(f"no longer searched since {removed.at[:10]}: {removed.reason}")
    if record.stale:
        return escape_html(f"could not be read again since {record.stale.since[:10]}: {record.stale.reason}")
    return ""


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
