"""What a web page says of itself for programs: dates, publisher, licence, its own address and language.

Knows meta tags, microdata and JSON-LD. Does not read the text of a page.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.formats.dates import found_day
from ingest.formats.properties import language_of
from ingest.urls import absolute_url

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_JSON = 1_000_000  # characters of one block of JSON-LD


@dataclass(slots=True)
class PageMetadata:
    """What a page says of itself; empty where it does not.

    `body` is the article's whole text, `about` its description. `is_free` is False only if it says that it must be
    paid.
    """

    published: str = ""
    modified: str = ""
    publisher: str = ""
    licence: str = ""
    body: str = ""
    about: str = ""
    is_free: bool = True


def page_metadata(tree: HtmlElement) -> PageMetadata:
    """The metadata of a page: of two places that say the same thing, meta tags count first, JSON-LD last."""
    meta = _meta_tags(tree)
    page = PageMetadata(
        published=_first_day(
            meta,
            *("article:published_time", "og:article:published_time", "article.published", "og:published_time"),
            *("datepublished", "dc.date.issued", "dcterms.issued", "dc.date", "dcterms.created", "parsely-pub-date"),
            *("pubdate", "publish-date", "publishdate", "sailthru.date", "cxenseparse:recs:publishtime"),
        ),
        modified=_first_day(meta, "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified"),
        publisher=meta.get("og:site_name", ""),
        about=meta.get("og:description", "") or meta.get("description", ""),
        licence=meta.get("dcterms.license", "") or meta.get("license", ""),
    )
    for link in tree.xpath(".//*[self::a or self::link][@rel='license' or @rel='licence'][@href]")[:1]:
        page.licence = page.licence or str(link.get("href")).strip()
    for element in tree.xpath(".//*[@itemprop='datePublished' or @itemprop='dateModified']")[:20]:
        day = found_day(element.get("datetime") or element.get("content") or "")
        if element.get("itemprop") == "datePublished":
            page.published = page.published or day
        else:
            page.modified = page.modified or day
    for item in _linked_data(tree):
        page.published = page.published or found_day(_words(item.get("datePublished")))
        page.modified = page.modified or found_day(_words(item.get("dateModified")))
        page.licence = page.licence or _words(item.get("license"))
        if "datePublished" in item or "headline" in item:
            page.publisher = page.publisher or _words(item.get("publisher"))
        if isinstance(item.get("articleBody"), str):
            page.body = page.body or html.unescape(re.sub(r"<[^>]*>", "\n", item["articleBody"]))
        if str(item.get("isAccessibleForFree")).lower() == "false":
            page.is_free = False
    return page


def canonical_url(tree: HtmlElement, base: str) -> str:
    """The page's own URL for itself, seen from where it was found; empty if it names none."""
    canonical = tree.xpath(".//link[@rel='canonical' or @rel='Canonical']/@href")
    claims = [*map(str, canonical[:1]), _meta_tags(tree).get("og:url", "")]
    return next((url for claim in claims if (url := absolute_url(claim, base))), "")


def page_language(tree: HtmlElement) -> str:
    """The language that a page is marked with (ISO 639-1); empty if it is not, or not well."""
    top = tree if tree.tag == "html" else tree.find(".//html")
    if top is None:
        return ""
    return language_of(top.get("lang") or top.get("{http://www.w3.org/XML/1998/namespace}lang"))


def _meta_tags(tree: HtmlElement) -> dict[str, str]:
    values: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        content = (element.get("content") or "").strip()
        if name and content:
            values.setdefault(name.strip().lower(), content)
    return values


def _first_day(meta: Mapping[str, str], *names: str) -> str:
    return next((day for name in names if (day := found_day(meta.get(name, "")))), "")


def _linked_data(tree: HtmlElement) -> Iterator[Mapping[str, Any]]:
    """The objects of JSON-LD, those within @graph too, in the page's order."""
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and len(script.text or "") <= MAX_JSON:
            try:
                yield from _objects(json.loads(script.text or "", strict=False))
            except (ValueError, RecursionError):
                continue


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    stack = [value]
    while stack:
        node = stack.pop(0)
        if isinstance(node, list):
            stack[:0] = node[:100]
        elif isinstance(node, dict):
            yield node
            stack[:0] = [part for part in (node.get("@graph"), node.get("mainEntity")) if part]


def _words(value: object) -> str:
    """What a value of JSON-LD says in words: itself, or the name of the thing it is."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("url") or value.get("@id") or ""
    return " ".join(value.split())[:500] if isinstance(value, str) else ""
