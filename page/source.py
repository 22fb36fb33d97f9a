"""The page behind a permanent link: the text of one version of one article, as it was ingested.

Knows how the text is laid out so that source.js finds the quoted characters in it; which they are stands behind the #
of the address and never reaches the server. Does not know where articles are stored, nor who reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot import Article, VersionDetails, diff_words
from page.i18n import Translator
from page.markup import escape_html
from render.bibliography import url_of

SHOWN_DIGITS = 12  # of the hash: enough to compare by eye


def source_page(details: VersionDetails, words: Translator) -> str:
    """The text of a version with what is known of it."""
    article, provenance = details.article, details.provenance
    link = escape_html(url_of(article))
    facts = [
        (words("Publisher"), escape_html(article.publisher)),
        (words("Author"), escape_html(provenance.author)),
        (words("Published"), escape_html(article.published)),
        (words("Modified"), escape_html(provenance.modified)),
        (words("File made"), escape_html(provenance.made)),
        (words("Original"), link and f'<a href="{link}" rel="noopener noreferrer">{link}</a>'),
        (words("Note"), escape_html(article.note)),
        (words("Licence"), escape_html(provenance.licence)),
        (words("Ingested"), escape_html(article.ingested_at[:10])),
        (words("Extracted with"), escape_html(provenance.extractor)),
        (words("Left out"), escape_html(words.message(provenance.left_out))),
        (words("Version"), _versions(details, words)),
        (words("Corrected"), _corrected(details, words)),
        (words("Edited"), _edited(details, words)),
        (words("Source"), _source_state(details, words)),
        ("SHA-256", f"<code>{escape_html(article.sha256[:SHOWN_DIGITS])}</code>"),
    ]
    listed = "".join(f'<dt>{name}</dt><dd dir="auto">{value}</dd>' for name, value in facts if value)
    length = len(article.text)
    phrases = {
        "marked": words("The quoted words are marked."),
        "whole": words("This URL names no quote: it shows the whole text."),
        "unnamed": words("The end of this URL names no quote: nothing is marked."),
        "beyond": words(
            "This URL names a quote that this text of {length} characters does not have: nothing is marked.",
            length=words.number(length),
        ),
    }
    sayings = " ".join(f'data-{name}="{escape_html(text)}"' for name, text in phrases.items())
    unmarked = words("The quoted words are marked where JavaScript is on.")
    return _page(
        article.name,
        f'<header><p class="kind">{words("Source text (archived copy)")}</p>'
        f'<h1 dir="auto">{escape_html(article.name)}</h1><dl>{listed}</dl></header>'
        f'<p id="marked" role="status" {sayings}><noscript>{unmarked}</noscript></p>'
        f'<main id="text" lang="{escape_html(article.lang)}" dir="auto" data-length="{length}">'
        f"{''.join(_paragraphs(article.text))}</main>",
        words,
    )


def missing_page(article_id: str, version: str, words: Translator) -> str:
    """What is shown for a link to a text that is not there."""
    hint = words(
        "There is no version {version} of an article {article} here. A permanent link holds for the collection it was "
        "made from: this one may be another, or may have been rebuilt.",
        version=_named(version),
        article=_named(article_id),
    )
    return _page(
        words("No such text"),
        f'<header><p class="kind">{words("Error 404")}</p><h1>{words("No such text in this collection")}</h1></header>'
        f'<p>{hint}</p><p><a href="{words.address("/")}">{words("To the chat")}</a></p>',
        words,
    )


def changes_page(details: VersionDetails, words: Translator) -> str:
    """What changed from the version before, word by word; for the first version that nothing did."""
    article, before = details.article, details.previous
    if before is None:
        body = f"<p>{words('This is the first version that was ingested.')}</p>"
    elif before.text == article.text and before.title == article.title:
        body = f"<p>{words('Title and text are the same as in the version before.')}</p>"
    else:
        marked = {"equal": "{}", "delete": "<del>{}</del>", "insert": "<ins>{}</ins>"}
        edits = diff_words(f"{before.title}\n\n{before.text}", f"{article.title}\n\n{article.text}")
        text = "".join(marked[edit.kind].format(escape_html(edit.text).replace("\r", "&#13;")) for edit in edits)
        hint = words("Deleted words are struck through, added words underlined. The first line is the title.")
        body = f'<p>{hint}</p><main id="changes" lang="{escape_html(article.lang)}" dir="auto">{text}</main>'
    compared = " → ".join(_version(version, words) for version in (before, article) if version)
    return _page(
        f"{words('What changed')}: {article.name}",
        f'<header><p class="kind">{words("What changed")}: {compared}</p>'
        f'<h1 dir="auto">{escape_html(article.name)}</h1></header>{body}',
        words,
    )


def _address(article: Article) -> str:
    return f"/source/{escape_html(article.id)}/{article.version}"


def _version(article: Article, words: Translator) -> str:
    named = words("version {number}", number=article.version)
    taken = words("ingested {day}", day=escape_html(article.ingested_at[:10]))
    return f'<a href="{_address(article)}">{named}</a> ({taken})'


def _versions(details: VersionDetails, words: Translator) -> str:
    """Every version with the way to it, and whether there is a newer one."""
    article, newest = details.article, details.latest
    every = " · ".join(
        f"<strong>{version.version}</strong>"
        if version.version == article.version
        else f'<a href="{_address(version)}">{version.version}</a>'
        for version in details.versions
    )
    if newest.version == article.version:
        return every
    named = words("version {number} is newer", number=newest.version)
    return f'{every} (<a href="{_address(newest)}">{named}</a>)'


def _corrected(details: VersionDetails, words: Translator) -> str:
    if not details.corrected_on:
        return ""
    changed = f'<a href="{_address(details.article)}/changes">{words("what changed")}</a>'
    return f"{escape_html(details.corrected_on)} ({changed})"


def _edited(details: VersionDetails, words: Translator) -> str:
    fields = {"title": words("Title"), "publisher": words("Publisher"), "published": words("Published")}
    return "<br>".join(
        escape_html(
            words(
                "{field}: by hand on {day}; the source says {own}",
                field=fields[override.field],
                day=override.changed_at[:10],
                own=f"“{override.source_value}”" if override.source_value else words("nothing"),
            )
        )
        for override in details.overrides
    )


def _source_state(details: VersionDetails, words: Translator) -> str:
    status = ""
    if details.tombstone:
        status = words(
            "removed on {day}: {reason}",
            day=details.tombstone.removed_at[:10],
            reason=words.message(details.tombstone.reason),
        )
    elif details.stale:
        status = words(
            "unavailable since {day}: {reason}",
            day=details.stale.since[:10],
            reason=words.message(details.stale.reason),
        )
    return escape_html(status)


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


def _page(title: str, body: str, words: Translator) -> str:
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape_html(title)} · Viadoma</title>\n"
        '<link rel="icon" href="data:,">\n<link rel="stylesheet" href="/source.css">\n'
        f'<script src="/source.js"></script>\n</head>\n<body>\n{body}\n</body>\n</html>\n'
    )
