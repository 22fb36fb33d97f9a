"""The pipeline: sources -> documents -> articles -> passages -> the store, and a report of what came of it.

Knows which articles are new, changed, as they were or gone. Does not know where documents are found, file formats, or
how things are stored.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

from ingest.articles import EXTRACTION_VERSION, ArticleDraft, build_draft
from ingest.document import Document, Extract, Extracted, Failure, FetchInfo, Item, Unchanged
from ingest.finding import SourceWalker
from ingest.identity import Identities, SeenSource, file_of, part_marks
from ingest.report import Progress, Report, ReportBuilder
from ingest.resources import IngestResources
from ingest.urls import is_web_url
from ingest.versions import apply_overrides, digest, fingerprint, prepare
from language import Message, message_of
from vectorstore import Article, Block, NewVersion, Provenance, SourceState, Store, text_blocks
from vectorstore.timestamps import utc_now

DUPLICATE = Message("its source is another article's, of the same text")
VANISHED = Message("no longer in the folder or file it came from")
NOT_FETCHED = FetchInfo("", "", "")


def ingest_sources(
    store: Store,
    sources: Sequence[str],
    resources: IngestResources,
    *,
    prune: bool,
    dry_run: bool,
    on_progress: Callable[[Progress], None],
    builder: ReportBuilder,
) -> Report:
    """Brings the store up to date with the sources: files, folders, archives, addresses, feeds.

    An article is known again by its address, else by its `id`, else by its file, else, where that file is gone, by its
    bytes; a row of a table without address and id by its text. One whose text and data are as stored is left alone; a
    source whose bytes are as they were is not even read. A source that can't be read again leaves its article as it is,
    and stale. With `prune`, articles that came from a given folder or file and are no longer in it are removed; a
    source that could not be read never is. With `dry_run` nothing is written. `builder` fills as articles are
    committed, so what it says when the work is interrupted is true.
    """
    update = _Update(store, resources, write=not dry_run, builder=builder)
    with nullcontext() if dry_run else store.writing():
        return update.run(sources, prune=prune, on_progress=on_progress)


class _Update:
    """One run over the sources."""

    def __init__(self, store: Store, resources: IngestResources, *, write: bool, builder: ReportBuilder) -> None:
        self._store = store
        self._library = store.library
        self._origins = store.library.sources
        self._resources = resources
        self._write = write
        self._report = builder
        self._identities = Identities(store)
        self._stale: dict[str, Message] = {}  # article -> why a source of it gave none
        self._batch: list[tuple[NewVersion, bool]] = []  # what is to be published, and whether it is new
        self._batch_characters = 0

    def run(self, sources: Sequence[str], *, prune: bool, on_progress: Callable[[Progress], None]) -> Report:
        """Each source: found, read unless it is as it was, and stored unless it says what it said."""
        found = SourceWalker(sources, fetcher=self._resources.fetcher, last_fetch=self._last_fetch)
        stopped = False
        for outcome in self._resources.extractor.extract(self._skip_unchanged(found)):
            match outcome:
                case Extracted(document, extract):
                    self._store_article(document, extract)
                case Unchanged():
                    self._record_unchanged(outcome)
                case Failure():
                    self._record_failure(outcome)
            on_progress(Progress(found.done, found.total, outcome.source))
            if stopped := self._resources.stop():
                break
        self._publish()
        if prune and not stopped:
            self._prune(sources)
        if self._write:
            for article_id, reason in self._stale.items():
                if article_id not in self._identities.seen:
                    self._library.mark_stale(article_id, reason)
            self._store.collect_garbage()
        return self._report.report()

    def _last_fetch(self, url: str) -> FetchInfo | None:
        """How a URL was last fetched; None for one that has to be fetched whole, to be read."""
        origin = self._origins.get(url)
        if origin is None or not origin.fetched or not self._is_current(origin):
            return None
        return FetchInfo(url, origin.final, origin.fetched, origin.etag, origin.last_modified)

    def _is_current(self, origin: SourceState) -> bool:
        """Whether its article is searched, and was read by the rules of today."""
        return origin.rules == EXTRACTION_VERSION and bool(self._library.fingerprint(origin.article))

    def _skip_unchanged(self, items: SourceWalker) -> Iterator[Item]:
        """What is found, with documents whose bytes are as they were passed on as unchanged.

        It runs ahead of what is stored, so it looks at the library alone.
        """
        for item in items:
            if isinstance(item, Document):
                origin = self._origins.get(item.source)
                if origin and origin.sha256 == digest(item.raw) and self._is_current(origin):
                    yield Unchanged(item.source, item.fetch_info)
                    continue
            yield item

    def _record_unchanged(self, unchanged: Unchanged) -> None:
        origin = self._origins.get(unchanged.source)
        if origin is None:
            self._report.unchanged.append(unchanged.source)
            return
        if earlier := self._identities.seen.get(origin.article):
            if earlier.source != unchanged.source:
                self._record_duplicate(unchanged.source, earlier)
            return
        self._identities.seen[origin.article] = SeenSource(unchanged.source)
        if unchanged.fetch_info:
            origin = dataclasses.replace(origin, **_fetch_fields(unchanged.fetch_info))
        self._note(origin)
        self._report.unchanged.append(unchanged.source)

    def _record_failure(self, failure: Failure) -> None:
        self._report.failed.append(failure)
        origin = self._origins.get(failure.source)
        if origin and self._library.fingerprint(origin.article):
            self._stale.setdefault(origin.article, failure.reason)

    def _record_duplicate(self, source: str, earlier: SeenSource) -> None:
        reason = Message("is the same article as {source}, by its URL, id or text", source=earlier.source)
        self._report.failed.append(Failure(source, reason))

    def _store_article(self, document: Document, extract: Extract) -> None:
        try:
            draft = build_draft(document, extract)
        except ValueError as error:
            self._record_failure(Failure(document.source, message_of(error)))
            return
        draft = self._identities.drop_foreign_canonical(draft, document)
        identity = self._identities.identify(draft, document)
        article_id = identity.article
        if earlier := self._identities.seen.get(article_id):
            if not _replaces(document, earlier):
                self._record_duplicate(draft.source, earlier)
                return
            self._publish()  # what it replaces is stored first
        self._identities.seen[article_id] = SeenSource(document.source, document.fetch_info, extracted=True)
        origin, keys = _source_state(document, article_id), (*draft.identity_keys, *draft.weak_identity_keys)
        removed = self._origins.tombstone(article_id)
        if removed and removed.by_user:
            self._note(origin, keys, identity.moved_from)
            self._report.still_removed.append(draft.source)
            return
        known = self._origins.overrides(article_id)
        article, overrides = apply_overrides(self._next_version(article_id, draft), known)
        provenance = _provenance(draft, document)
        stored = self._library.fingerprint(article_id)
        is_same = stored == fingerprint(article, provenance) and overrides == known
        if is_same or (stored and self._is_older(document, article_id)):
            self._note(origin, keys, identity.moved_from)
            self._report.unchanged.append(draft.source)
            return
        raw = document.raw if self._resources.keep_raw else None
        prepared = prepare(
            article, provenance, overrides, raw=raw, keys=keys, source_state=origin, moved_from=identity.moved_from
        )
        self._batch.append((prepared, not stored))
        self._batch_characters += len(article.text)
        if self._batch_characters >= self._resources.batch_characters:
            self._publish()

    def _is_older(self, document: Document, article_id: str) -> bool:
        """Whether the document was fetched before what is stored, as an old capture of a web archive was."""
        article = self._library.article(article_id)
        if article is None or document.fetch_info is None:
            return False
        return document.fetch_info.fetched_at < self._origins.provenance(article_id, article.version).fetched

    def _note(self, origin: SourceState, keys: Sequence[str] = (), left: str = "") -> None:
        if not self._write:
            return
        known = self._origins.get(origin.source)
        if known and dataclasses.replace(known, fetched=origin.fetched) == origin:
            origin = known  # the time alone is no news
        self._library.save_source_state(origin, keys, left)

    def _publish(self) -> None:
        """Commits the batch, and reports it."""
        if self._write and self._batch:
            self._store.publish([prepared for prepared, _ in self._batch])
        if self._write and self._identities.duplicates:
            self._library.remove(list(self._identities.duplicates), DUPLICATE)
            self._identities.duplicates.clear()
        for prepared, is_new in self._batch:
            (self._report.added if is_new else self._report.changed).append(prepared.article.source)
        self._batch.clear()
        self._batch_characters = 0

    def _next_version(self, article_id: str, draft: ArticleDraft) -> Article:
        extract = draft.extract
        return Article(
            id=article_id,
            version=self._library.next_version(article_id),
            source=draft.source,
            title=extract.title,
            url=extract.url,
            publisher=extract.publisher,
            published=extract.published,
            lang=extract.lang,
            note=extract.note,
            text=extract.text,
            sha256=digest(extract.text),
            ingested_at=utc_now(),
            blocks=tuple(Block(*place) for place in extract.blocks) or text_blocks(extract.text),
        )

    def _prune(self, sources: Sequence[str]) -> None:
        """Takes out what came from the given files and folders and is no longer there."""
        scopes = [os.path.realpath(source) for source in sources if not is_web_url(source)]
        # what could not be read may hold more than it tells
        failed = [file_of(os.path.abspath(failure.source)) for failure in self._report.failed]
        gone = [
            article
            for article in self._library.articles()
            if article.id not in self._identities.seen
            and article.id not in self._stale
            and any(_within(article.source, scope) for scope in scopes)
            and not any(_within(article.source, source) for source in failed)
            and not self._lies_elsewhere(article)
        ]
        if self._write and gone:
            self._library.remove([article.id for article in gone], VANISHED)
        for article in gone:
            self._report.removed.append(article.source)

    def _lies_elsewhere(self, article: Article) -> bool:
        others = [source for source in self._origins.of_article(article.id) if source != article.source]
        return any(not is_web_url(source) and os.path.isfile(file_of(source)) for source in others)


def _replaces(document: Document, seen: SeenSource) -> bool:
    """Whether a document of an article met before in this run counts more: a later member of an archive, or capture."""
    if document.fetch_info and seen.fetch_info:
        is_later = document.fetch_info.fetched_at > seen.fetch_info.fetched_at
        return is_later and document.fetch_info.final_url == seen.fetch_info.final_url
    return seen.extracted and document.source == seen.source


def _provenance(draft: ArticleDraft, document: Document) -> Provenance:
    info = document.fetch_info or NOT_FETCHED
    return Provenance(
        address=info.url,
        **_fetch_fields(info),
        raw_sha256=digest(document.raw),
        raw_bytes=len(document.raw),
        extractor=draft.extract.extractor,
        author=draft.extract.author,
        modified=draft.extract.modified,
        licence=draft.extract.licence,
        made=draft.extract.made,
        left_out=draft.extract.left_out,
    )


def _source_state(document: Document, article_id: str) -> SourceState:
    return SourceState(
        source=document.source,
        article=article_id,
        sha256=digest(document.raw),
        rules=EXTRACTION_VERSION,
        **_fetch_fields(document.fetch_info or NOT_FETCHED),
    )


def _fetch_fields(info: FetchInfo) -> dict[str, str]:
    """What `Provenance` and `SourceState` keep of a fetch, by the names of their fields."""
    return {
        "final": info.final_url,
        "fetched": info.fetched_at,
        "etag": info.etag,
        "last_modified": info.last_modified,
    }


def _within(source: str, scope: str) -> bool:
    """Whether a source is a file or folder, lies below it, or is a part of it."""
    return source == scope or source.startswith(tuple(scope.rstrip("/\\") + mark for mark in part_marks(scope)))
