"""The pipeline: sources -> documents -> articles -> passages -> the store, and a report of what came of it.

Knows which articles are new, changed, moved or gone. Does not know where documents are found, file formats, or how
things are stored.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.articles import RULES, Draft, draft, file_of, is_address
from ingest.document import Document, Missed, Same, UnreadableError, Visit
from ingest.fetching import Fetcher
from ingest.finding import Sources
from ingest.passages import passages
from ingest.reading import Reader
from vectorstore import Article, Origin, Passage, Prepared, Provenance, Store, times

BATCH_CHARACTERS = 20_000  # of text that is embedded and committed at once: some three seconds of work
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
    bytes. One whose text and data are as stored is left alone; a source whose bytes are as they were is not even read.
    A source that can't be read again leaves its article as it is, and stale. With `prune`, articles that came from a
    given folder or file and are no longer in it are taken out; a source that could not be read never is. With
    `dry_run` nothing is written. `tally` fills as articles are committed, so what it says when the work is broken off
    is true.
    """
    update = _Update(store, means, write=not dry_run, tally=tally)
    if dry_run:
        return update.run(sources, prune=prune, on_progress=on_progress)
    with store.writing():
        return update.run(sources, prune=prune, on_progress=on_progress)


class _Update:
    """One run over the sources."""

    def __init__(self, store: Store, means: Means, *, write: bool, tally: Tally) -> None:
        self._store = store
        self._library = store.library
        self._origins = store.library.origins
        self._means = means
        self._write = write
        self._tally = tally
        self._seen: dict[str, str] = {}  # article -> the source that gave it in this run
        self._batch: list[tuple[Prepared, bool]] = []
        self._size = 0
        self._claimed: dict[str, str] = {}  # key -> the article that has it in this run
        self._left: list[str] = []  # where articles lay before they moved

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
                self._tally.unchanged.append(item.source)
                on_progress(Progress(walk.done, walk.total, item.source))
            if stopped := self._means.stop():
                break
        self._flush()
        if prune and not stopped:
            self._prune(sources)
        if self._write:
            self._library.leave(self._left)
            self._store.sweep()
        return self._tally.report()

    def _visited(self, address: str) -> Visit | None:
        origin = self._origins.of(address)
        if origin is None or not origin.fetched or not self._library.fingerprint(origin.article):
            return None
        if origin.rules != RULES:  # what was read by other rules is fetched whole, to be read again
            return None
        return Visit(address, origin.final, origin.fetched, origin.etag, origin.last_modified)

    def _new(self, walk: Sources) -> Iterator[Document | Missed | Same]:
        """What the sources give, without reading documents again whose bytes are as they were."""
        for item in walk:
            if isinstance(item, Missed):
                yield item
                continue
            origin = self._origins.of(item.source)
            if isinstance(item, Same):
                if origin:
                    self._seen.setdefault(origin.article, item.source)
                    self._note(origin)
                yield item
            elif origin and self._is_as_it_was(origin, item) and self._seen.get(origin.article) is None:
                self._seen[origin.article] = item.source
                self._note(_origin(item, origin.article))
                yield Same(item.source)
            else:
                yield item

    def _is_as_it_was(self, origin: Origin, document: Document) -> bool:
        return (
            origin.rules == RULES
            and origin.sha256 == _digest(document.raw)
            and bool(self._library.fingerprint(origin.article))
        )

    def _note(self, origin: Origin, keys: Sequence[str] = ()) -> None:
        if not self._write:
            return
        known = self._origins.of(origin.source)
        if known and dataclasses.replace(known, fetched=origin.fetched) == origin:
            origin = known  # the time alone is no news
        self._library.note(origin, keys)

    def _take(self, document: Document, extract: object) -> None:
        if isinstance(extract, str):
            self._miss(Missed(document.source, extract))
            return
        try:
            made = draft(document, extract)  # type: ignore[arg-type]
        except UnreadableError as error:
            self._miss(Missed(document.source, str(error)))
            return
        article_id = self._identified(made, document)
        self._claimed |= dict.fromkeys(made.keys, article_id)
        if article_id in self._seen:
            self._tally.failed.append(Failed(made.source, f"has the same address or id as {self._seen[article_id]}"))
            return
        self._seen[article_id] = made.source
        removed = self._origins.removed(article_id)
        if removed and removed.barred:
            self._tally.withheld.append(made.source)
            return
        fingerprint = _fingerprint(made)
        stored = self._library.fingerprint(article_id)
        if stored == fingerprint:
            self._note(_origin(document, article_id), made.keys)
            self._tally.unchanged.append(made.source)
            return
        self._batch.append((self._prepared(article_id, made, document, fingerprint), not stored))
        self._size += len(made.text)
        if self._size >= self._means.batch_characters:
            self._flush()

    def _identified(self, made: Draft, document: Document) -> str:
        for key in made.keys:
            if known := self._claimed.get(key) or self._origins.known(key):
                return known
        own = _digest(made.keys[0])[:12]
        if self._library.next_version(own) > 1:
            if not self._origins.sources(own):  # stored before sources were noted
                return own
            own = _digest(f"{own}{made.text}")[:12]  # the article that was known by this key has moved
        # a file that had no address and now has one, or that was renamed
        if made.url and document.kind != "record":
            origin = self._origins.of(document.source)
            if origin and self._has_no_address(origin.article):
                return origin.article
        if not made.url:
            for origin in self._origins.with_bytes(_digest(document.raw)):
                if not is_address(origin.source) and not Path(file_of(origin.source)).exists():
                    self._left.append(origin.source)
                    return origin.article
        return own

    def _has_no_address(self, article_id: str) -> bool:
        article = self._library.article(article_id)
        return article is not None and not article.url

    def _miss(self, missed: Missed) -> None:
        self._tally.failed.append(Failed(missed.source, missed.reason))
        origin = self._origins.of(missed.source)
        if origin and self._library.fingerprint(origin.article):
            self._seen.setdefault(origin.article, missed.source)
            if self._write:
                self._library.doubt(origin.article, missed.reason)

    def _flush(self) -> None:
        if self._write and self._batch:
            self._store.publish([prepared for prepared, _ in self._batch])
        for prepared, is_new in self._batch:
            (self._tally.added if is_new else self._tally.changed).append(prepared.article.source)
        self._batch.clear()
        self._size = 0

    def _prepared(self, article_id: str, made: Draft, document: Document, fingerprint: str) -> Prepared:
        article = Article(
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
            sha256=_digest(made.text),
            added=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        visit = document.visit or Visit("", "", "")
        provenance = Provenance(
            address=visit.address,
            final=visit.final,
            fetched=visit.fetched,
            etag=visit.etag,
            last_modified=visit.last_modified,
            raw_sha256=_digest(document.raw),
            raw_bytes=len(document.raw),
            extractor=made.extractor,
            author=made.author,
            modified=made.modified,
            licence=made.licence,
        )
        return Prepared(
            article,
            fingerprint,
            tuple(_timed(article, passage) for passage in passages(made.text, made.lang)),
            provenance,
            document.raw if self._means.keep_raw else None,
            made.keys,
            _origin(document, article_id),
        )

    def _prune(self, sources: Sequence[str]) -> None:
        """Takes out what came from the given files and folders and is no longer there."""
        scopes = [str(Path(source).absolute()) for source in sources if not is_address(source)]
        unread = [str(Path(failed.source).absolute()) for failed in self._tally.failed]
        gone = [
            article
            for article in self._library.articles()
            if article.id not in self._seen
            and any(_within(article.source, scope) for scope in scopes)
            and not any(_within(article.source, failed) for failed in unread)
        ]
        if self._write and gone:
            self._library.retire([article.id for article in gone], VANISHED)
        self._tally.removed += [article.source for article in gone]


def _origin(document: Document, article_id: str) -> Origin:
    visit = document.visit or Visit("", "", "")
    return Origin(
        source=document.source,
        article=article_id,
        sha256=_digest(document.raw),
        rules=RULES,
        final=visit.final,
        fetched=visit.fetched,
        etag=visit.etag,
        last_modified=visit.last_modified,
    )


def _timed(article: Article, passage: Passage) -> Passage:
    """The passage with the times it names."""
    start, end = passage.span.start, passage.span.end
    return dataclasses.replace(passage, times=tuple(times(article.text[start:end], start, article.published)))


def _within(source: str, scope: str) -> bool:
    """Whether a source is a file or folder, lies below it, or is a part of it."""
    return source == scope or source.startswith(tuple(scope.rstrip("/\\") + mark for mark in ("/", "\\", "#", "!")))


def _fingerprint(made: Draft) -> str:
    """Changes when what is stored or searched of the article does, not with where it lies or what read it."""
    fields = dataclasses.asdict(made)
    for name in ("source", "keys", "extractor"):
        del fields[name]
    return _digest(json.dumps([RULES, fields], sort_keys=True))


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
