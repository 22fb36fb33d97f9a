"""The sources that the user names -> documents: files, folders, archives, addresses, feeds.

Knows where documents are found, and that only what the user named makes it fetch anything: no article and no file in a
folder or archive does. Does not know what documents say, or which of them are new.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import IO, TypeVar, cast
from urllib.parse import urldefrag

from ingest.document import MAX_BYTES, TOO_LARGE, Document, Failure, FetchInfo, Item, Unchanged, UnreadableError
from ingest.fetching import Fetched, Fetcher
from ingest.finding.containers import UNNAMED_LINK_LIST, documents
from ingest.finding.feeds import FeedLink, entries
from ingest.finding.folders import File, files, merged, opened
from ingest.formats.detection import CONTAINERS, KINDS, LINK_LISTS, FileKind, LinkListKind, detect_kind
from ingest.unpacking import PIECE, DecompressedStream, read_limited, unpacked_head
from ingest.urls import is_web_url
from language import Message, message_of
from vectorstore.timestamps import moment

URL_BYTES = 100_000  # what an address counts for in `total`: a middling page
MAX_URLS = 50_000  # of one source: as many as one sitemap may have
MAX_SITEMAP_DEPTH = 2  # an index of indexes is the most that is in use
NESTED_LINK_LIST = Message("a feed, sitemap or list met in another one: name it as a source of its own")

Found = TypeVar("Found")


class SourceWalker:
    """Walks the sources the user named: gives what is in them, in their order, each file and address once.

    A source is a file, a folder or an http(s) address. Feeds, sitemaps and lists of addresses that are sources
    themselves have their addresses fetched; those met in folders, archives or other lists do not. `last_fetch` gives
    how an address was last fetched well, None if it never was: what has not changed since comes as `Unchanged`.
    Whatever can't be read comes as `Failure`; nothing is raised.

    `done` and `total` are bytes, used up so far and in all as far as known; an address counts URL_BYTES.
    """

    def __init__(
        self, sources: Sequence[str], *, fetcher: Fetcher, last_fetch: Callable[[str], FetchInfo | None]
    ) -> None:
        self._sources = list(sources)
        self._fetcher = fetcher
        self._last_fetch = last_fetch
        self._asked: set[str] = set()
        self._budget = 0  # how many addresses of a source may still be met; less than none if it had more
        self.done = 0
        self.total = 0

    def __iter__(self) -> Iterator[Item]:
        self.done = self.total = 0
        self._asked.clear()
        plan: dict[str, File | str] = {}
        for source in self._sources:
            if is_web_url(source):
                plan.setdefault(source, source)
                continue
            for file in _guarded(source, files(source)):
                if isinstance(file, Failure):
                    yield file
                else:
                    plan[file.real] = merged(plan.get(file.real), file)
        self.total = sum(place.size if isinstance(place, File) else URL_BYTES for place in plan.values())
        for place in plan.values():
            if isinstance(place, File):
                yield from _guarded(place.path, self._file(place))
            else:
                self.done += URL_BYTES
                yield from _guarded(place, self._url(place, named=True))

    # ---- files

    def _file(self, file: File) -> Iterator[Item]:
        used = 0
        try:
            with opened(file.path) as stream:
                kind = detect_kind(stream, file.path)
                if kind in CONTAINERS:
                    for item in documents(kind, stream, file.path):
                        now = min(stream.tell(), file.size)
                        self.done += max(0, now - used)
                        used = max(used, now)
                        yield item
                    return
                if kind in LINK_LISTS and not file.named:
                    raise UnreadableError(UNNAMED_LINK_LIST)
                raw = b"" if file.size > MAX_BYTES else stream.read(MAX_BYTES + 1)
                if max(file.size, len(raw)) > MAX_BYTES:
                    raise UnreadableError(TOO_LARGE)
        finally:
            self.done += file.size - used
        if kind in KINDS:
            yield Document(file.path, raw, kind)
        elif kind in LINK_LISTS:
            yield from self._link_list(file.path, kind, raw)

    # ---- addresses

    def _url(self, url: str, *, named: bool = False) -> Iterator[Item]:
        if not self._is_new(url):
            return
        fetched = self._fetched(url, self._last_fetch(url))
        if isinstance(fetched, Failure):
            yield fetched
            return
        if fetched.unchanged:
            yield Unchanged(url)
            return
        kind = _kind(fetched)
        if kind in KINDS:
            yield Document(url, fetched.raw, kind, fetched.charset, fetched.info)
        elif kind in CONTAINERS:
            yield from documents(kind, io.BytesIO(fetched.raw), url, fetched.charset)
        elif kind in LINK_LISTS and named:
            yield from self._link_list(url, kind, fetched.raw, fetched.info.final_url, fetched.charset)
        else:
            yield Failure(url, NESTED_LINK_LIST)

    def _is_new(self, url: str) -> bool:
        """Whether an address is met for the first time."""
        page = urldefrag(url).url
        known = page in self._asked
        self._asked.add(page)
        return not known

    def _fetched(self, url: str, last: FetchInfo | None) -> Fetched | Failure:
        try:
            etag, last_modified = (last.etag, last.last_modified) if last else ("", "")
            return _unpacked(self._fetcher.fetch(url, etag=etag, last_modified=last_modified))
        except UnreadableError as error:
            return Failure(url, message_of(error))

    # ---- feeds, sitemaps and lists

    def _link_list(
        self, source: str, kind: LinkListKind, raw: bytes, base: str = "", charset: str = ""
    ) -> Iterator[Item]:
        self._budget = MAX_URLS
        yield from self._entries(_listed(kind, raw, source, base, charset), depth=0)
        if self._budget < 0:
            yield Failure(source, Message("it has more than {count} URLs: the rest is left out", count=MAX_URLS))

    def _entries(self, listed: list[FeedLink | Document | Failure], depth: int) -> Iterator[Item]:
        self.total += URL_BYTES * sum(isinstance(entry, FeedLink) for entry in listed)
        for entry in listed:
            if self._budget < 0:
                return
            if not isinstance(entry, FeedLink):
                yield entry
                continue
            self.done += URL_BYTES
            self._budget -= 1
            if self._budget < 0:
                return
            items = self._sitemap(entry.url, depth) if entry.is_sitemap else self._entry(entry)
            yield from _guarded(entry.url, items)
        if len(listed) > MAX_URLS:
            self._budget = -1

    def _entry(self, entry: FeedLink) -> Iterator[Item]:
        if not self._is_as_fetched(entry):
            yield from self._url(entry.url)
        elif self._is_new(entry.url):
            yield Unchanged(entry.url)

    def _is_as_fetched(self, entry: FeedLink) -> bool:
        last = self._last_fetch(entry.url)
        fetched_at = moment(last.fetched_at) if last else None
        return entry.updated is not None and fetched_at is not None and entry.updated <= fetched_at

    def _sitemap(self, url: str, depth: int) -> Iterator[Item]:
        if depth == MAX_SITEMAP_DEPTH:
            raise UnreadableError(Message("sitemaps in sitemaps, more than {count} deep", count=MAX_SITEMAP_DEPTH))
        if not self._is_new(url):
            return
        fetched = self._fetched(url, None)
        if isinstance(fetched, Failure):
            yield fetched
        elif _kind(fetched) != "sitemap":
            yield Failure(url, Message("a sitemap names it as a sitemap, but it is none"))
        else:
            listed = _listed("sitemap", fetched.raw, url, fetched.info.final_url, fetched.charset)
            yield from self._entries(listed, depth + 1)


def _listed(
    kind: LinkListKind, raw: bytes, source: str, base: str, charset: str
) -> list[FeedLink | Document | Failure]:
    # one more than is followed, to know that there is more
    return list(islice(entries(kind, raw, source=source, base=base, charset=charset), MAX_URLS + 1))


def _unpacked(fetched: Fetched) -> Fetched:
    """Sitemaps are often kept packed (sitemap.xml.gz); what was packed for its transfer alone is unpacked already."""
    head = unpacked_head(fetched.raw[:PIECE], "gzip")
    if not head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return fetched
    return replace(fetched, raw=read_limited(cast(IO[bytes], DecompressedStream(io.BytesIO(fetched.raw)))))


def _kind(fetched: Fetched) -> FileKind:
    header = f"{fetched.content_type}; charset={fetched.charset}" if fetched.charset else fetched.content_type
    return detect_kind(io.BytesIO(fetched.raw), fetched.info.final_url, header)


def _guarded(source: str, items: Iterator[Found]) -> Iterator[Found | Failure]:
    """The items, and whatever goes wrong among them as a failure: it must not keep the other sources out."""
    try:
        yield from items
    except UnreadableError as error:
        yield Failure(source, message_of(error))
    except Exception as error:  # noqa: BLE001 - see above
        yield Failure(source, Message("can't be read: {why}", why=message_of(error)))
