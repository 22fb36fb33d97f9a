"""The sources of answers as a bibliography: BibTeX (in the manner of BibLaTeX) and CSL-JSON, an entry an article.

Knows the formats. Does not know how answers are told.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from bot.answer import Answer, Citation, SourceKind
from vectorstore import Article

ADDRESS = re.compile(r"https?://[^\s\"'<>\x00-\x20\x7f-\x9f]+", re.I)
# pybtex 0.26 leaves braces, dollars and backslashes as they are and refuses a text with an odd brace; bibtexparser 2.1
# writes Cyrillic as macros of one font encoding, escapes braces so that they no longer balance, and addresses twice.
LATEX = str.maketrans(
    {special: f"\\{special}" for special in "&%$#_"}
    | {
        "\\": r"{\textbackslash}",
        "{": r"{\textbraceleft}",  # \{ would count as a brace where BibTeX looks for the field's end
        "}": r"{\textbraceright}",
        "~": r"{\textasciitilde}",
        "^": r"{\textasciicircum}",
        "<": r"{\textless}",
        ">": r"{\textgreater}",
        "|": r"{\textbar}",
    }
)
PRESS = frozenset[SourceKind](("state media", "news agency", "media"))


def bibtex(answers: Sequence[Answer]) -> str:
    """The cited articles as BibLaTeX entries in UTF-8, one an article, in the order of their first citation.

    Empty if nothing is cited; passages that are merely close are no sources. A key is made of publisher, year and id,
    so that an article has the same one in every export.
    """
    entries = []
    for key, citation in _cited(answers).items():
        article = citation.article
        # two pairs of braces keep capitals, and names with "and" in one piece
        fields = [
            ("title", f"{{{_latex(article.name)}}}"),
            ("organization", f"{{{_latex(article.publisher)}}}" if article.publisher else ""),
            ("date", article.published),
            ("url", url_of(article)),
            ("urldate", article.ingested_at[:10] if url_of(article) else ""),
            ("note", f"{{{_latex(article.note)}}}" if article.note else ""),
        ]
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields if value)
        entries.append(f"@{'online' if url_of(article) else 'misc'}{{{key},\n{lines}\n}}\n")
    return "\n".join(entries)


def csl_json(answers: Sequence[Answer]) -> str:
    """The same sources as CSL-JSON (csl-data.json of CSL 1.0.2), an array of items; empty if nothing is cited."""
    items = []
    for key, citation in _cited(answers).items():
        article = citation.article
        texts = {
            "id": key,
            "type": "article-newspaper" if citation.publisher_kind in PRESS else "webpage",
            "title": article.name,
            "container-title": article.publisher,
            "URL": url_of(article),
            "language": article.lang,
            "note": article.note,
        }
        dates = {"issued": article.published, "accessed": article.ingested_at[:10]}
        items.append(
            {name: value for name, value in texts.items() if value}
            | {name: {"date-parts": [[int(part) for part in day.split("-")]]} for name, day in dates.items() if day}
        )
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _cited(answers: Sequence[Answer]) -> dict[str, Citation]:
    """A citation of each cited article, of the newest version cited, by the article's key."""
    newest: dict[str, Citation] = {}
    for citation in (citation for answer in answers for citation in answer.citations):
        known = newest.get(citation.article.id)
        if known is None or known.article.version < citation.article.version:
            newest[citation.article.id] = citation
    keyed: dict[str, Citation] = {}
    for citation in newest.values():
        key = _key(citation.article, 6)
        keyed[_key(citation.article, None) if key in keyed else key] = citation
    return keyed


def _key(article: Article, digits: int | None) -> str:
    plain = unicodedata.normalize("NFKD", article.publisher.lower())
    publisher = re.sub(r"[^a-z0-9]", "", plain)[:24] or "source"
    return f"{publisher}{article.published[:4]}-{re.sub(r'[^A-Za-z0-9]', '', article.id)[:digits]}"


def _latex(text: str) -> str:
    return " ".join(text.split()).translate(LATEX)


def url_of(article: Article) -> str:
    """The article's address, if it is one to follow, without a character that means something elsewhere; else empty."""
    if not ADDRESS.fullmatch(article.url):
        return ""
    return re.sub(r"[\\^`{|}]", lambda found: f"%{ord(found[0]):02X}", article.url)
