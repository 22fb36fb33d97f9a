"""What a document says -> an article in the making: what it is known by, its language, tidy fields.

Knows what makes two documents one article. Does not know file formats, or how an article is cut, embedded or stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from ingest.document import Document, Extract, UnreadableError
from ingest.formats import READER_VERSION
from ingest.passages import RULES_VERSION
from ingest.urls import is_front_page, page_url, url_key
from language import Message

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# of the rules by which a document becomes an article; other rules, other passages
EXTRACTION_VERSION = f"{READER_VERSION}.{RULES_VERSION}"
# the languages this is told apart among, when an article does not say: fewer candidates, fewer mistakes
LANGUAGES = ["be", "bg", "cs", "de", "en", "es", "et", "fi", "fr", "it", "lt", "lv", "nl", "pl", "pt", "ro", "ru", "sk"]
LANGUAGES += ["sv", "uk"]


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """An article as read, not yet stored.

    `identity_keys` are what it is known by over all its versions, the most specific first: one at least.
    `weak_identity_keys` are what it may be known by, if its text is much the same. `extract` is what its document says,
    with tidy fields, the page's URL and always a language.
    """

    identity_keys: tuple[str, ...]
    weak_identity_keys: tuple[str, ...]
    source: str
    extract: Extract


def build_draft(document: Document, extract: Extract) -> ArticleDraft:
    """The article in a document. UnreadableError if it has no text, or stands for a page that is gone."""
    if not extract.text.strip():
        raise UnreadableError(Message("no text in it"))
    url = extract.url.strip()
    if info := document.fetch_info:
        url = page_url(url, info.final_url)
        if is_front_page(info.final_url) and not is_front_page(info.url):
            raise UnreadableError(Message("it leads to the front page of its site: the article seems to be gone"))
    keys, hints = _identity_keys(document, url, extract)
    tidy = replace(
        extract,
        title=" ".join(extract.title.split()),
        url=" ".join(url.split()),
        publisher=" ".join(extract.publisher.split()),
        lang=extract.lang.lower()[:2] or _language(extract.text),
        note=" ".join(extract.note.split()),
        author=" ".join(extract.author.split()),
        licence=" ".join(extract.licence.split()),
    )
    return ArticleDraft(keys, hints, document.source, tidy)


def _identity_keys(document: Document, url: str, extract: Extract) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an article is known by, and what it may be known by."""
    info, own_id = document.fetch_info, extract.id.strip()
    file = document.source.rpartition("#")[0] or document.source
    # an id is only its file's: two collections may both count from 1
    named = (f"{file}#id={own_id}",) if own_id else ()
    if info:
        urls = [address for address in (url, info.final_url, info.url) if address]
        # the address as it is written comes first: the article's id is its digest
        return tuple(dict.fromkeys([urls[0], *filter(None, map(url_key, urls))])), ()
    if key := url_key(url, fragment=True):
        return (url, key), named
    if named:
        return named, ()
    if document.kind == "record":
        # its line says nothing: lines come and go above it
        row = "\n".join((extract.title, extract.publisher, extract.published, extract.text))
        return (f"{file}#row={hashlib.sha256(row.encode('utf-8', 'surrogatepass')).hexdigest()}",), ()
    return (document.source,), ()


def _language(text: str) -> str:
    return str(_identifier().classify(text[:5000])[0])


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid import langid

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages(LANGUAGES)
    return identifier
