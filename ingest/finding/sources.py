"""The sources that the user names -> documents: files, folders, archives, addresses, feeds.

Knows where documents are found, and that only what the user named makes it fetch anything: no article and no file in a
folder or archive does. Does not know what documents say, or which of them are new.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import IO, BinaryIO, TypeVar, cast
from urllib.parse import urldefrag

from ingest.document import MAX_BYTES, Document, Kind, Missed, Same, UnreadableError, Visit
from ingest.fetching import Fetched, Fetcher, GoneError
from ingest.finding.containers import A_LIST, LISTS, MANY, Many, documents, one_line
from ingest.finding.feeds import Entry, List, entries
from ingest.finding.folders import File, files, merged, opened
from ingest.finding.unpacking import PIECE, TOO_LARGE, Cautious, Unpacked, whole
from ingest.formats.kinds import Container, kind_of

ADDRESS_BYTES = 100_000  # what an address counts for in `total`: a middling page
MAX_ADDRESSES = 50_000  # of one source: as many as one sitemap may have
MAX_SITEMAP_DEPTH = 2  # an index of indexes is the most that is in use
LIST_IN_A_LIST = "a feed, sitemap or list met in another one: name it as a source of its own"

Item = Document | Missed | Same
Found = TypeVar("Found")


class Sources:
    """Walks the sources the user named: gives what is in them, in their order, each file and address once.

    A source is a file, a folder or an http(s) address. Feeds, sitemaps and lists of addresses that are sources
    themselves have their addresses fetched; those met in folders, archives or other lists do not. `visited` gives the
    last successful visit to an address, None if there was none: what has not changed since comes as `Same`. Whatever
    can't be read comes as `Missed`; nothing is raised.

    `done` and `total` are bytes, used up so far and in all as far as known; an address counts ADDRESS_BYTES.
    """

    def __init__(self, sources: Sequence[str], *, fetcher: Fetcher, visited: Callable[[str], Visit | None]) -> None:
        self._sources = list(sources)
        self._fetcher = fetcher
        self._visited = visited
        self._asked: set[str] = set()
        self.done = 0
        self.total = 0

    def __iter__(self) -> Iterator[Item]:
        self.done = self.total = 0
        self._asked.clear()
        plan: dict[str, File | str] = {}
        for source in self._sources:
            if re.match("https?://", source, re.I):
                plan.setdefault(source, source)
                continue
            for found in _guarded(source, files(source)):
                if isinstance(found, Missed):
                    yield found
                else:
                    plan[found.real] = merged(plan.get(found.real), found)
        self.total = sum(one.size if isinstance(one, File) else ADDRESS_BYTES for one in plan.values())
        for one in plan.values():
            if isinstance(one, File):
                yield from _guarded(one.path, self._file(one))
            else:
                self.done += ADDRESS_BYTES
                yield from _guarded(one, self._address(one, named=True))

    # ---- files

    def _file(self, file: File) -> Iterator[Item]:
        used = 0
        try:
            with opened(file.path) as stream:
                kind = kind_of(cast(BinaryIO, Cautious(stream)), file.path)
                if kind in MANY:
                    for item in documents(cast(Many, kind), stream, file.path):
                        now = min(stream.tell(), file.size)
                        self.done += max(0, now - used)
                        used = max(used, now)
                        yield item
                    return
                if kind in LISTS and not file.named:
                    raise UnreadableError(A_LIST)
                raw = b"" if file.size > MAX_BYTES else stream.read(MAX_BYTES + 1)
                if max(file.size, len(raw)) > MAX_BYTES:
                    raise UnreadableError(TOO_LARGE)
        finally:
            self.done += file.size - used
        if kind in LISTS:
            yield from self._follow(file.path, cast(List, kind), raw)
        else:
            yield Document(file.path, raw, cast(Kind, kind))

    # ---- addresses

    def _address(self, address: str, *, named: bool = False) -> Iterator[Item]:
        if not self._new(address):
            return
        visit = self._visited(address)
        fetched = self._fetched(address, visit)
        if isinstance(fetched, Missed):
            yield fetched
            return
        if fetched.unchanged:
            yield Same(address)
            return
        kind = _kind(fetched)
        if kind in MANY:
            yield from documents(cast(Many, kind), io.BytesIO(fetched.raw), address, fetched.charset)
        elif kind not in LISTS:
            yield Document(address, fetched.raw, cast(Kind, kind), fetched.charset, fetched.visit)
        elif named:
            yield from self._follow(address, cast(List, kind), fetched.raw, fetched.visit.final, fetched.charset)
        else:
            yield Missed(address, LIST_IN_A_LIST)

    def _new(self, address: str) -> bool:
        """Whether an address is met for the first time."""
        page = urldefrag(address).url
        known = page in self._asked
        self._asked.add(page)
        return not known

    def _fetched(self, address: str, visit: Visit | None) -> Fetched | Missed:
        try:
            etag, last_modified = (visit.etag, visit.last_modified) if visit else ("", "")
            return _unpacked(self._fetcher.fetch(address, etag=etag, last_modified=last_modified))
        except GoneError as error:
            return Missed(address, str(error), gone=True)
        except UnreadableError as error:
            return Missed(address, str(error))

    # ---- feeds, sitemaps and lists

    def _follow(self, source: str, kind: List, raw: bytes, base: str = "", charset: str = "") -> Iterator[Item]:
        following = _Following()
        yield from self._entries(_listed(kind, raw, source, base, charset), following, depth=0)
        if following.left < 0:
            yield Missed(source, f"it has more than {MAX_ADDRESSES:,} addresses: the rest is left out")

    def _entries(self, listed: list[Entry | Document | Missed], following: _Following, depth: int) -> Iterator[Item]:
        self.total += ADDRESS_BYTES * sum(isinstance(one, Entry) for one in listed)
        for one in listed:
            if following.left < 0:
                return
            if not isinstance(one, Entry):
                yield one
                continue
            self.done += ADDRESS_BYTES
            following.left -= 1
            if following.left < 0:
                return
            items = self._sitemap(one.address, following, depth) if one.is_sitemap else self._entry(one)
            yield from _guarded(one.address, items)
        if len(listed) > MAX_ADDRESSES:
            following.left = -1

    def _entry(self, entry: Entry) -> Iterator[Item]:
        if not self._is_as_visited(entry):
            yield from self._address(entry.address)
        elif self._new(entry.address):
            yield Same(entry.address)

    def _is_as_visited(self, entry: Entry) -> bool:
        visit = self._visited(entry.address)
        if entry.updated is None or visit is None:
            return False
        try:
            fetched = datetime.fromisoformat(visit.fetched)
        except ValueError:
            return False
        return entry.updated <= (fetched if fetched.tzinfo else fetched.replace(tzinfo=UTC))

    def _sitemap(self, address: str, following: _Following, depth: int) -> Iterator[Item]:
        if depth == MAX_SITEMAP_DEPTH:
            raise UnreadableError(f"sitemaps in sitemaps, more than {MAX_SITEMAP_DEPTH} deep")
        if not self._new(address):
            return
        fetched = self._fetched(address, None)
        if isinstance(fetched, Missed):
            yield fetched
        elif _kind(fetched) != "sitemap":
            yield Missed(address, "a sitemap names it as a sitemap, but it is none")
        else:
            listed = _listed("sitemap", fetched.raw, address, fetched.visit.final, fetched.charset)
            yield from self._entries(listed, following, depth + 1)


@dataclass(slots=True)
class _Following:
    """How many addresses of a source may still be met, in all the sitemaps below it; less than none if it had more."""

    left: int = MAX_ADDRESSES


def _listed(kind: List, raw: bytes, source: str, base: str, charset: str) -> list[Entry | Document | Missed]:
    # one more than is followed, to know that there is more
    return list(islice(entries(kind, raw, source=source, base=base, charset=charset), MAX_ADDRESSES + 1))


def _unpacked(fetched: Fetched) -> Fetched:
    """Sitemaps are often kept packed (sitemap.xml.gz); what was packed for its transfer alone is unpacked already."""
    try:
        head = zlib.decompressobj(31).decompress(fetched.raw[:PIECE], 100)
    except zlib.error:
        return fetched
    if not head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return fetched
    return replace(fetched, raw=whole(cast(IO[bytes], Unpacked(io.BytesIO(fetched.raw)))))


def _kind(fetched: Fetched) -> Kind | Container:
    header = f"{fetched.content_type}; charset={fetched.charset}" if fetched.charset else fetched.content_type
    return kind_of(cast(BinaryIO, Cautious(io.BytesIO(fetched.raw))), fetched.visit.final, header)


def _guarded(source: str, items: Iterator[Found]) -> Iterator[Found | Missed]:
    """The items, and whatever goes wrong among them as a miss: it must not keep the other sources out."""
    try:
        yield from items
    except UnreadableError as error:
        yield Missed(source, str(error))
    except OSError as error:
        yield Missed(source, one_line(error))
    except Exception as error:  # noqa: BLE001 - see above
        yield Missed(source, f"can't be read: {one_line(error)}")
