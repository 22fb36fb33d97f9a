"""What a document says -> an article in the making: what it is known by, its language, tidy fields.

Knows what makes two documents one article. Does not know file formats, or how an article is cut, embedded or stored.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ingest.document import Document, Extract, UnreadableError
from ingest.formats import READER_VERSION
from ingest.passages import RULES_VERSION

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

RULES = f"{READER_VERSION}.{RULES_VERSION}"  # by which a document becomes an article; other rules, other passages
# the languages this is told apart among, when an article does not say: fewer candidates, fewer mistakes
LANGUAGES = ["be", "bg", "cs", "de", "en", "es", "et", "fi", "fr", "it", "lt", "lv", "nl", "pl", "pt", "ro", "ru", "sk"]
LANGUAGES += ["sv", "uk"]
# parts of an address that tell how somebody came there, not what is there
TRACKING = ("utm_", "fbclid", "gclid", "yclid", "mc_cid", "mc_eid")


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as read, not yet stored; fields as in `Article` and `Provenance`.

    `keys` are what it is known by over all its versions, the most telling first: one at least. `hints` are what it may
    be known by, if its text is much the same.
    """

    keys: tuple[str, ...]
    hints: tuple[str, ...]
    source: str
    title: str
    url: str
    publisher: str
    published: str
    lang: str
    note: str
    text: str
    author: str
    modified: str
    licence: str
    extractor: str


def draft(document: Document, extract: Extract) -> Draft:
    """The article in a document. UnreadableError if it has no text, or stands for a page that is gone."""
    text = extract.text
    if not text.strip():
        raise UnreadableError("no text in it")
    url = extract.url.strip()
    if document.visit:
        url = _of_page(url, document.visit.final)
        if not urlsplit(document.visit.final).path.strip("/") and urlsplit(document.visit.address).path.strip("/"):
            raise UnreadableError("it leads to the front page of its site: the article seems to be gone")
    keys, hints = _keys(document, url, extract)
    return Draft(
        keys=keys,
        hints=hints,
        source=document.source,
        title=" ".join(extract.title.split()),
        url=" ".join(url.split()),
        publisher=" ".join(extract.publisher.split()),
        published=extract.published,
        lang=extract.lang.lower()[:2] or _language(text),
        note=" ".join(extract.note.split()),
        text=text,
        author=" ".join(extract.author.split()),
        modified=extract.modified,
        licence=" ".join(extract.licence.split()),
        extractor=extract.extractor,
    )


def is_address(source: str) -> bool:
    """Whether a source is an address, not a file."""
    return source.lower().startswith(("http://", "https://"))


def part_marks(place: str) -> tuple[str, ...]:
    """What stands behind the name of a folder or file in the sources that lie in it, or are parts of it."""
    return ("/", "\\") if os.path.isdir(place) else ("/", "\\", "#", "!")


def file_of(source: str) -> str:
    """The file that a source is, or is a part of, if that is still there; else the source."""
    for place, mark in enumerate(source):
        if mark in "#!" and os.path.isfile(source[:place]) and not os.path.exists(source):
            return source[:place]
    return source


def address_key(address: str, *, fragment: bool = False) -> str:
    """What an address is known by: without scheme, "www.", last slash and what tracks readers; empty for no address.

    Its `fragment` counts where it may name one of several articles of a page.
    """
    if not is_address(address):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not pair[0].startswith(TRACKING)]
    host = parts.netloc.lower().removeprefix("www.")
    last = parts.fragment if fragment else ""
    return urlunsplit(("", host, parts.path.rstrip("/"), urlencode(query), last)) if host else ""


def _keys(document: Document, url: str, extract: Extract) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an article is known by, and what it may be known by."""
    visit, own, file = document.visit, extract.id.strip(), document.source.rpartition("#")[0] or document.source
    # an id is only its file's: two collections may both count from 1
    named = (f"{file}#id={own}",) if own else ()
    if visit:
        addresses = [one for one in (url, visit.final, visit.address) if one]
        # the address as it is written comes first: the article's id is its digest
        return tuple(dict.fromkeys([addresses[0], *filter(None, map(address_key, addresses))])), ()
    if key := address_key(url, fragment=True):
        return (url, key), named
    if named:
        return named, ()
    if document.kind == "record":
        # its line says nothing: lines come and go above it
        said = "\n".join((extract.title, extract.publisher, extract.published, extract.text))
        return (f"{file}#row={hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()}",), ()
    return (document.source,), ()


def _of_page(canonical: str, final: str) -> str:
    """The page's own address for itself, unless it can't be: some sites name their front page on every page."""
    try:
        said, real = urlsplit(canonical), urlsplit(final)
    except ValueError:
        return final
    if not said.netloc or said.scheme not in ("http", "https"):
        return final
    if not said.path.strip("/") and real.path.strip("/"):
        return final
    # another site may print the article, but then it is not the one that was asked for
    return canonical if _site(said.netloc) == _site(real.netloc) else final


def _site(host: str) -> str:
    return host.lower().removeprefix("www.").removeprefix("m.")


def _language(text: str) -> str:
    return str(_identifier().classify(text[:5000])[0])


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid import langid

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages(LANGUAGES)
    return identifier
