"""The pipeline: sources -> documents -> articles -> passages -> the store, and a report of what came of it.

Knows which articles are new, changed, moved or gone. Does not know where documents are found, file formats, or how
things are stored.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest.articles import RULES, Draft, address_key, draft, file_of, is_address, part_marks
from ingest.document import Document, Missed, Same, Visit
from ingest.fetching import Fetcher
from ingest.finding import Sources
from ingest.preparing import amended, digest, fingerprint, prepare
from ingest.reading import Reader
from vectorstore import Article, NewVersion, Origin, Provenance, Store, copied

BATCH_CHARACTERS = 20_000  # of text that is embedded and committed at once: some three seconds of work
DOUBLED = "its source is another article's, of the same text"
VANISHED = "no longer in the folder or file it came from"


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that gave no article, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did: the sources (files, parts of files, addresses) by outcome, in the order they were met.

    `removed` are sources of articles that were taken out, `withheld` those of articles that somebody took out by hand
    and that therefore stay out.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    withheld: tuple[str, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update is: bytes done and in all, as far as known, and the source at hand."""

    done: int
    total: int
    source: str


@dataclass(slots=True)
class Tally:
    """A report in the making; it holds good at any moment, also when the work is broken off."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def report(self) -> Report:
        """The report as it stands."""
        return Report(*(tuple(getattr(self, one.name)) for one in dataclasses.fields(self)))


@dataclass(frozen=True, slots=True)
class Means:
    """What an update works with.

    `fetcher` gets addresses, `reader` reads documents; `keep_raw` says whether their bytes are kept, `batch_characters`
    how much text is embedded and committed at once. `stop` is asked before each source whether to end there.
    """

    fetcher: Fetcher
    reader: Reader
    keep_raw: bool = True
    batch_characters: int = BATCH_CHARACTERS
    stop: Callable[[], bool] = lambda: False


def run(
    store: Store,
    sources: Sequence[str],
    means: Means,
    *,
    prune: bool,
    dry_run: bool,
    on_progress: Callable[[Progress], None],
    tally: Tally,
) -> Report:
    """Brings the store up to date with the sources: files, folders, archives, addresses, feeds.

    An article is known again by its address, else by its `id`, else by its file, else, where that file is gone, by its
    bytes; a row of a table without address and id by its text. One whose text and data are as stored is left alone; a
    source whose bytes are as they were is not even read. A source that can't be read again leaves its article as it is,
    and stale. With `prune`, articles that came from a given folder or file and are no longer in it are taken out; a
    source that could not be read never is. With `dry_run` nothing is written. `tally` fills as articles are committed,
    so what it says when the work is broken off is true.
    """
    update = _Update(store, means, write=not dry_run, tally=tally)
    if dry_run:
        return update.run(sources, prune=prune, on_progress=on_progress)
    with store.writing():
        return update.run(sources, prune=prune, on_progress=on_progress)


@dataclass(frozen=True, slots=True)
class _Unread(Same):
    """A source whose bytes are as they were, and the state to note of it."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class _Met:
    """A source that gave an article in this run, without its bytes; `read` says whether it was read."""

    source: str
    visit: Visit | None = None
    read: bool = False


@dataclass(frozen=True, slots=True)
class _Identity:
    """Which article a document is: its id, and the source that it left, empty if it stayed where it was."""

    article: str
    left: str = ""


class _Update:
    """One run over the sources."""

    def __init__(self, store: Store, means: Means, *, write: bool, tally: Tally) -> None:
        self._store = store
        self._library = store.library
        self._origins = store.library.origins
        self._means = means
        self._write = write
        self._tally = tally
        self._seen: dict[str, _Met] = {}  # article -> the source that gave it in this run
        self._missed: dict[str, str] = {}  # article -> why a source of it gave none
        self._batch: list[tuple[NewVersion, bool]] = []
        self._size = 0
        self._claimed: dict[str, str] = {}  # key -> the article that has it in this run
        self._left: set[str] = set()  # where articles lay before they moved
        self._doubled: dict[str, None] = {}  # articles whose source turned out to be another article's

    def run(self, sources: Sequence[str], *, prune: bool, on_progress: Callable[[Progress], None]) -> Report:
        walk = Sources(sources, fetcher=self._means.fetcher, visited=self._visited)
        stopped = False
        for item in self._means.reader.read(self._new(walk)):
            if isinstance(item, tuple):
                self._take(item[0], item[1])
                on_progress(Progress(walk.done, walk.total, item[0].source))
            elif isinstance(item, Missed):
                self._miss(item)
            else:
                self._leave_alone(item)
                on_progress(Progress(walk.done, walk.total, item.source))
            if stopped := self._means.stop():
                break
        self._flush()
        if prune and not stopped:
            self._prune(sources)
        if self._write:
            for article, reason in self._missed.items():
                if article not in self._seen:
                    self._library.mark_stale(article, reason)
            self._store.collect_garbage()
        return self._tally.report()

    def _visited(self, address: str) -> Visit | None:
        origin = self._origins.of(address)
        if origin is None or not origin.fetched or not self._library.fingerprint(origin.article):
            return None
        if origin.rules != RULES:  # what was read by other rules is fetched whole, to be read again
            return None
        return Visit(address, origin.final, origin.fetched, origin.etag, origin.last_modified)

    def _new(self, walk: Sources) -> Iterator[Document | Missed | Same]:
        """What the sources give, without reading documents again whose bytes are as they were.

        It runs ahead of what is taken, so it looks at what is stored alone.
        """
        for item in walk:
            origin = self._origins.of(item.source) if isinstance(item, Document) else None
            if origin and isinstance(item, Document) and self._is_as_it_was(origin, item):
                yield _Unread(item.source, _origin(item, origin.article))
            else:
                yield item

    def _is_as_it_was(self, origin: Origin, document: Document) -> bool:
        return (
            origin.rules == RULES
            and origin.sha256 == digest(document.raw)
            and bool(self._library.fingerprint(origin.article))
        )

    def _leave_alone(self, item: Same) -> None:
        origin = item.origin if isinstance(item, _Unread) else self._origins.of(item.source)
        if origin is None:
            self._tally.unchanged.append(item.source)
            return
        if other := self._seen.get(origin.article):
            if other.source != item.source:
                self._tally.failed.append(
                    Failed(item.source, f"is the same article as {other.source}, by its address, id or text")
                )
            return
        self._seen[origin.article] = _Met(item.source)
        self._note(origin)
        self._tally.unchanged.append(item.source)

    def _note(self, origin: Origin, keys: Sequence[str] = (), left: str = "") -> None:
        if not self._write:
            return
        known = self._origins.of(origin.source)
        if known and dataclasses.replace(known, fetched=origin.fetched) == origin:
            origin = known  # the time alone is no news
        self._library.save_source_state(origin, keys, left)

    def _take(self, document: Document, extract: object) -> None:
        if isinstance(extract, str):
            self._miss(Missed(document.source, extract))
            return
        try:
            made = draft(document, extract)  # type: ignore[arg-type]
        except ValueError as error:
            self._miss(Missed(document.source, str(error)))
            return
        made = self._believed(made, document)
        identity = self._identified(made, document)
        article_id = identity.article
        self._claimed |= dict.fromkeys(made.keys, article_id)
        if other := self._seen.get(article_id):
            if not _replaces(document, other):
                self._tally.failed.append(
                    Failed(made.source, f"is the same article as {other.source}, by its address, id or text")
                )
                return
            self._flush()  # what it replaces is stored first
        self._seen[article_id] = _Met(document.source, document.visit, read=True)
        removed = self._origins.removed(article_id)
        if removed and removed.barred:
            self._note(_origin(document, article_id), (*made.keys, *made.hints), identity.left)
            self._tally.withheld.append(made.source)
            return
        known = self._origins.amendments(article_id)
        article, amendments = amended(self._article(article_id, made), known)
        provenance, origin, keys = _provenance(made, document), _origin(document, article_id), (*made.keys, *made.hints)
        stored = self._library.fingerprint(article_id)
        is_same = stored == fingerprint(article, provenance) and amendments == known
        if is_same or (stored and self._is_older(document, article_id)):
            self._note(origin, keys, identity.left)
            self._tally.unchanged.append(made.source)
            return
        raw = document.raw if self._means.keep_raw else None
        new = prepare(article, provenance, amendments, raw=raw, keys=keys, origin=origin, left=identity.left)
        self._batch.append((new, not stored))
        self._size += len(made.text)
        if self._size >= self._means.batch_characters:
            self._flush()

    def _is_older(self, document: Document, article_id: str) -> bool:
        """Whether the document was fetched before what is stored, as an old capture of a web archive was."""
        article = self._library.article(article_id)
        if article is None or document.visit is None:
            return False
        return document.visit.fetched < self._origins.provenance(article_id, article.version).fetched

    def _identified(self, made: Draft, document: Document) -> _Identity:
        for key in made.keys:
            known = self._claimed.get(key) or self._origins.known(key)
            if known and (self._is_kept(known) or known in self._seen):
                self._look_for_double(known, made, document)
                return _Identity(known)
        before = self._origins.of(document.source)
        # a file or row whose address came, went or was mended
        for known in [before.article if before else "", *map(self._origins.known, made.hints)]:
            if known and known not in self._seen and self._is_the_same(known, made, document):
                return _Identity(known)
        if not made.url and (moved := self._moved(document)):
            return moved
        for key in made.keys:
            if known := self._origins.known(key):
                return _Identity(known)  # it was taken out, and comes back
        return _Identity(self._own(made))

    def _believed(self, made: Draft, document: Document) -> Draft:
        """The draft without an address of its own that another page gives itself too."""
        if document.visit is None:
            return made
        own = {document.visit.final, document.visit.address}
        own |= set(map(address_key, own))
        said = [key for key in made.keys if key not in own]
        known = next((one for key in said if (one := self._claimed.get(key) or self._origins.known(key))), "")
        before = self._origins.of(document.source)
        if not known or (before and before.article == known) or self._was_at(known, set(said)):
            return made
        if self._text(known) == made.text:
            return made
        final = document.visit.final
        return dataclasses.replace(
            made, url=final, keys=tuple(dict.fromkeys((final, *(key for key in made.keys if key in own))))
        )

    def _was_at(self, article_id: str, keys: set[str]) -> bool:
        """Whether the article was found at one of these addresses itself."""
        sources = [*self._origins.sources(article_id)]
        if (seen := self._seen.get(article_id)) is not None:
            sources.append(seen.source)
        places = [one for one in map(self._origins.of, sources) if one]
        found = {address_key(one) for one in (*sources, *(place.final for place in places))}
        # what came from a file has no page of its own
        return bool(found & keys) or not any(map(is_address, sources))

    def _is_kept(self, article_id: str) -> bool:
        """Whether it is searched, or was taken out by hand; what vanished gives way to what is there."""
        removed = self._origins.removed(article_id)
        return bool(self._library.fingerprint(article_id)) or bool(removed and removed.barred)

    def _text(self, article_id: str) -> str:
        """The text of the article's last version; empty if there is none."""
        versions = self._library.versions(article_id)
        return versions[-1].text if versions else ""

    def _is_the_same(self, article_id: str, made: Draft, document: Document) -> bool:
        """Whether what lies where the article lay is still that article, though its address is another."""
        versions = self._library.versions(article_id)
        if not versions or not self._is_kept(article_id):
            return False
        alike = versions[-1].text == made.text or copied(versions[-1].text, made.text)
        return alike or (document.kind != "record" and not versions[-1].url)

    def _look_for_double(self, article_id: str, made: Draft, document: Document) -> None:
        """Notes an article of the same text that only this source gave, which is another article's now."""
        before = self._origins.of(document.source)
        if (
            before
            and before.article not in (article_id, *self._seen)
            and self._origins.sources(before.article) == [document.source]
            and self._text(before.article) == made.text
        ):
            self._doubled[before.article] = None

    def _moved(self, document: Document) -> _Identity | None:
        """The article of these bytes whose file is gone: best one of the same name, and one that is searched."""
        gone = [
            origin
            for origin in self._origins.with_bytes(digest(document.raw))
            if not is_address(origin.source)
            and origin.source not in self._left
            and origin.article not in self._seen
            and not os.path.exists(file_of(origin.source))
        ]
        if not gone:
            return None
        name = os.path.basename(document.source)
        best = min(gone, key=lambda one: (not self._is_kept(one.article), os.path.basename(one.source) != name))
        self._left.add(best.source)
        return _Identity(best.article, best.source)

    def _own(self, made: Draft) -> str:
        """A new article's id: the digest of what it is known by, unless one that moved away has it."""
        own = digest(made.keys[0])[:12]
        number = 1
        while own in self._seen or (self._library.next_version(own) > 1 and self._origins.sources(own)):
            number += 1
            own = digest(f"{made.keys[0]} {number}")[:12]
        return own

    def _miss(self, missed: Missed) -> None:
        self._tally.failed.append(Failed(missed.source, missed.reason))
        origin = self._origins.of(missed.source)
        if origin and self._library.fingerprint(origin.article):
            self._missed.setdefault(origin.article, missed.reason)

    def _flush(self) -> None:
        if self._write and self._batch:
            self._store.publish([prepared for prepared, _ in self._batch])
        if self._write and self._doubled:
            self._library.remove(list(self._doubled), DOUBLED)
            self._doubled.clear()
        for prepared, is_new in self._batch:
            (self._tally.added if is_new else self._tally.changed).append(prepared.article.source)
        self._batch.clear()
        self._size = 0

    def _article(self, article_id: str, made: Draft) -> Article:
        """What the draft is as the article's next version."""
        return Article(
            id=article_id,
            version=self._library.next_version(article_id),
            source=made.source,
            title=made.title,
            url=made.url,
            publisher=made.publisher,
            published=made.published,
            lang=made.lang,
            note=made.note,
            text=made.text,
            sha256=digest(made.text),
            added=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _prune(self, sources: Sequence[str]) -> None:
        """Takes out what came from the given files and folders and is no longer there."""
        scopes = [os.path.realpath(source) for source in sources if not is_address(source)]
        # what could not be read may hold more than it tells
        unread = [file_of(os.path.abspath(failed.source)) for failed in self._tally.failed]
        gone = [
            article
            for article in self._library.articles()
            if article.id not in self._seen
            and article.id not in self._missed
            and any(_within(article.source, scope) for scope in scopes)
            and not any(_within(article.source, failed) for failed in unread)
            and not self._lies_elsewhere(article)
        ]
        if self._write and gone:
            self._library.remove([article.id for article in gone], VANISHED)
        for article in gone:
            self._tally.removed.append(article.source)

    def _lies_elsewhere(self, article: Article) -> bool:
        others = [source for source in self._origins.sources(article.id) if source != article.source]
        return any(not is_address(source) and os.path.isfile(file_of(source)) for source in others)


def _replaces(document: Document, other: _Met) -> bool:
    """Whether a document of an article met before in this run counts more: a later member of an archive, or capture."""
    if document.visit and other.visit:
        return document.visit.final == other.visit.final and document.visit.fetched > other.visit.fetched
    return other.read and document.source == other.source


def _provenance(made: Draft, document: Document) -> Provenance:
    visit = document.visit or Visit("", "", "")
    return Provenance(
        address=visit.address,
        final=visit.final,
        fetched=visit.fetched,
        etag=visit.etag,
        last_modified=visit.last_modified,
        raw_sha256=digest(document.raw),
        raw_bytes=len(document.raw),
        extractor=made.extractor,
        author=made.author,
        modified=made.modified,
        licence=made.licence,
    )


def _origin(document: Document, article_id: str) -> Origin:
    visit = document.visit or Visit("", "", "")
    return Origin(
        source=document.source,
        article=article_id,
        sha256=digest(document.raw),
        rules=RULES,
        final=visit.final,
        fetched=visit.fetched,
        etag=visit.etag,
        last_modified=visit.last_modified,
    )


def _within(source: str, scope: str) -> bool:
    """Whether a source is a file or folder, lies below it, or is a part of it."""
    return source == scope or source.startswith(tuple(scope.rstrip("/\\") + mark for mark in part_marks(scope)))
