"""Feeds, sitemaps and lists of addresses -> the URLs in them, and when what lies there was last changed.

Knows RSS, Atom, sitemaps and plain lists. Does not know what lies at the addresses, and never fetches anything.
"""

from __future__ import annotations

import html
import io
import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import struct_time
from typing import Any
from urllib.parse import urldefrag

from ingest.document import MAX_BYTES, Document, Failure, UnreadableError
from ingest.formats.decoding import decode
from ingest.formats.detection import LinkListKind
from ingest.urls import absolute_url
from language import Message, message_of, one_line
from vectorstore.timestamps import moment

MAX_ENTRIES = 5_000  # of one feed; the longest archives of news sites have some hundreds
MAX_FEED_BYTES = 10_000_000  # read at 4 MB/s; one made of nothing but tags at 0.1 MB/s
DAY = timedelta(hours=36)  # until it has ended everywhere

_ENTRY = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]")
_DECLARED = re.compile(rb"\s*<\?xml[^>]*\bencoding\s*=")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d.*)?")


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A URL in a list, without its fragment, and when what lies there was last changed; None if that is not said.

    `is_sitemap`: what lies there is no article but another sitemap.
    """

    url: str
    updated: datetime | None = None
    is_sitemap: bool = False


def entries(
    kind: LinkListKind, raw: bytes, *, source: str, base: str = "", charset: str = ""
) -> Iterator[FeedLink | Document | Failure]:
    """What a list names, in its order; entries of feeds that have no address, but a text, come as documents.

    `source` names the list for the user, `base` is its own URL, empty if it has none. What can't be read of it comes as
    a failure.
    """
    try:
        if kind == "feed":
            yield from _feed(raw, source, base, charset)
        elif kind == "sitemap":
            yield from _sitemap(raw, source, base)
        else:
            yield from _addresses(raw, source, charset)
    except UnreadableError as error:
        yield Failure(source, message_of(error))


# ---- RSS and Atom


def _feed(raw: bytes, source: str, base: str, charset: str) -> Iterator[FeedLink | Document | Failure]:
    import feedparser

    if len(raw) > MAX_FEED_BYTES:
        raise UnreadableError(Message("a feed larger than {size} MB", size=MAX_FEED_BYTES // 1_000_000))
    kept = _cut(raw)
    # bytes in a file object: given a text, it might take it for an address and fetch it
    feed = feedparser.parse(
        io.BytesIO(kept),
        response_headers={"content-type": _content_type(kept, charset)},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed["version"] and not feed["entries"]:
        raise UnreadableError(Message("a feed that can't be read: it is neither RSS nor Atom, or damaged"))
    language = str(feed["feed"].get("language") or "")
    for number, entry in enumerate(feed["entries"], 1):
        name = " ".join(str(entry.get("id") or entry.get("title") or number).split())
        link = str(entry.get("link") or "")
        # an id is given as a link unless the feed says that it is none, but many feeds just number their entries
        numbered = link == entry.get("id") and not _target(link)
        if not numbered and (url := _target(link, base)):
            yield FeedLink(url, _updated(entry))
            continue
        page = _page(entry, language)
        yield (
            Document(f"{source}#{name}", page, "html", "utf-8")
            if page
            else Failure(f"{source}#{name}", Message("an entry of a feed with neither a URL nor a text"))
        )
    if len(kept) < len(raw):
        endless = Message("an endless feed: what comes after its first {count} entries is left out", count=MAX_ENTRIES)
        yield Failure(source, endless)


def _cut(raw: bytes) -> bytes:
    """A feed up to its first MAX_ENTRIES entries; what is read of the rest would take minutes."""
    for number, found in enumerate(_ENTRY.finditer(raw)):
        if number == MAX_ENTRIES:
            return raw[: found.start()]
    return raw


def _content_type(raw: bytes, charset: str) -> str:
    """A header that makes the parser believe the feed's own word first, then its bytes, then the server."""
    if not raw.startswith(_MARKS) and not _DECLARED.match(raw):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return f"application/xml; charset={charset}" if charset else "application/xml"
    return "application/xml"


def _updated(entry: Any) -> datetime | None:
    # asked of the dict itself, for the parser's own `get` takes one date for another
    stated = [dict.get(entry, name) for name in ("updated_parsed", "published_parsed")]
    return max(filter(None, map(_time, filter(None, stated))), default=None)


def _time(stated: struct_time) -> datetime | None:
    try:
        return _sane(datetime.fromtimestamp(timegm(stated), UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _sane(time: datetime) -> datetime | None:
    """The last moment that may be meant, for midnight stands for a day; None for the future, where nothing is yet."""
    if time > datetime.now(UTC):
        return None
    return time + DAY if (time.hour, time.minute, time.second) == (0, 0, 0) else time


def _page(entry: Any, language: str) -> bytes:
    """The text of an entry as a page with what else the entry says; empty if it has none."""
    texts = [*(entry.get("content") or ()), entry.get("summary_detail") or {}]
    best = max(texts, key=lambda text: len(text.get("value") or ""))
    body = str(best.get("value") or "")
    if not body.strip():
        return b""
    if best.get("type") == "text/plain":
        body = "".join(f"<p>{html.escape(part)}</p>" for part in re.split(r"\n\s*\n", body))
    title = html.escape(str(entry.get("title") or ""))
    head = f'<meta charset="utf-8"><title>{title}</title>'
    if author := entry.get("author"):
        head += f'<meta name="author" content="{html.escape(str(author))}">'
    if published := dict.get(entry, "published_parsed"):
        day = f"{published[0]:04}-{published[1]:02}-{published[2]:02}"
        head += f'<meta property="article:published_time" content="{day}">'
    lang = html.escape(str(best.get("language") or language))
    page = f"<body><article>{f'<h1>{title}</h1>' if title else ''}{body}</article></body>"
    return f'<!doctype html><html lang="{lang}"><head>{head}</head>{page}</html>'.encode("utf-8", "replace")


# ---- sitemaps and lists


def _sitemap(raw: bytes, source: str, base: str) -> Iterator[FeedLink | Failure]:
    from lxml import etree

    # no entities, no network: a sitemap is a stranger's file
    events = etree.iterparse(
        io.BytesIO(raw), events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        for _, element in events:
            name = _local(element)
            if name in ("url", "sitemap"):
                fields = {_local(child): (child.text or "").strip() for child in element}
                if url := _target(fields.get("loc", ""), base):
                    yield FeedLink(url, _lastmod(fields.get("lastmod", "")), is_sitemap=name == "sitemap")
                else:
                    given = one_line(fields.get("loc", ""), 100)
                    yield Failure(source, Message("an entry that is not a URL: “{given}”", given=given))
                # what was read is let go, so that a large sitemap stays small in memory
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise UnreadableError(Message("a damaged sitemap: {why}", why=message_of(error))) from error


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _lastmod(text: str) -> datetime | None:
    time = moment(text) if _DATE.fullmatch(text) else None  # a month or a year is too little to go by
    return _sane(time) if time else None


def _addresses(raw: bytes, source: str, charset: str) -> Iterator[FeedLink | Failure]:
    if len(raw) > MAX_BYTES:
        raise UnreadableError(Message("a list of URLs larger than {size} MB", size=MAX_BYTES // 1_000_000))
    for number, line in enumerate(decode(raw, charset).splitlines(), 1):
        text = line.strip().removeprefix("\ufeff")
        if not text or text.startswith("#"):
            continue
        if url := _target(text):
            yield FeedLink(url)
        else:
            yield Failure(f"{source}#{number}", Message("not a URL: “{given}”", given=one_line(text, 100)))


def _target(link: str, base: str = "") -> str:
    """Where a link leads, without a place in the page; empty if it is not a URL."""
    return urldefrag(absolute_url(link, base)).url
