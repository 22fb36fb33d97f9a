"""The pipeline: sources -> articles -> passages -> the store, and a report of what came of it.

Knows which articles are new, changed or gone. Does not know file formats, or how things are stored.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.articles import Draft, Item, UnreadableError, find, read
from ingest.passages import RULES_VERSION, passages
from vectorstore import Article, Passage, Prepared, Store, times

BATCH_CHARACTERS = 20_000  # of text that is embedded and committed at once: some three seconds of work


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that gave no article, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did: the sources (files, or file#line) by outcome, in the order they were met."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update is: bytes done and in all, and the source at hand."""

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
    failed: list[Failed] = field(default_factory=list)

    def report(self) -> Report:
        """The report as it stands."""
        return Report(*(tuple(getattr(self, one.name)) for one in dataclasses.fields(self)))


def run(
    store: Store,
    sources: Sequence[str],
    *,
    prune: bool,
    dry_run: bool,
    on_progress: Callable[[Progress], None],
    tally: Tally,
) -> Report:
    """Brings the store up to date with the sources: files and folders.

    An article is known again by its address, else by its `id`, else by its file. One whose text and data are as stored
    is left alone. With `prune`, articles that came from a given folder or file and are no longer in it are taken out;
    a source that could not be read never is. With `dry_run` nothing is written. `tally` fills as articles are
    committed, so what it says when the work is broken off is true.
    """
    if dry_run:
        return _run(store, sources, prune=prune, write=False, on_progress=on_progress, tally=tally)
    with store.writing():
        return _run(store, sources, prune=prune, write=True, on_progress=on_progress, tally=tally)


def _run(
    store: Store,
    sources: Sequence[str],
    *,
    prune: bool,
    write: bool,
    on_progress: Callable[[Progress], None],
    tally: Tally,
) -> Report:
    seen: dict[str, str] = {}
    batch: list[tuple[Prepared, bool]] = []
    size = 0

    def flush() -> None:
        if write and batch:
            store.publish([prepared for prepared, _ in batch])
        for prepared, is_new in batch:
            (tally.added if is_new else tally.changed).append(prepared.article.source)
        batch.clear()

    for item in _items(sources, on_progress):
        if item.draft is None:
            tally.failed.append(Failed(item.source, item.reason))
            continue
        article_id = _digest(item.draft.key)[:12]
        if article_id in seen:
            tally.failed.append(Failed(item.source, f"has the same address or id as {seen[article_id]}"))
            continue
        seen[article_id] = item.source
        fingerprint = _fingerprint(item.draft)
        stored = store.library.fingerprint(article_id)
        if stored == fingerprint:
            if write:
                store.library.locate(article_id, item.source)
            tally.unchanged.append(item.source)
            continue
        batch.append((_prepare(store, article_id, item.draft, fingerprint), not stored))
        size += len(item.draft.text)
        if size >= BATCH_CHARACTERS:
            flush()
            size = 0
    flush()
    if prune:
        _prune(store, sources, seen, write=write, tally=tally)
    if write:
        store.sweep()
    return tally.report()


def _items(sources: Sequence[str], on_progress: Callable[[Progress], None]) -> Iterator[Item]:
    files: list[tuple[Path, int]] = []
    for source in sources:
        try:
            for found in find(source):
                if isinstance(found, Item):
                    yield found
                else:
                    files.append((found, found.stat().st_size if found.is_file() else 0))
        except UnreadableError as error:
            yield Item(source, 0, None, str(error))
    total, done = sum(size for _, size in files), 0
    for path, size in dict(files).items():
        used = 0
        for item in read(path):
            on_progress(Progress(done + used, total, item.source))
            yield item
            used += item.size
        done += size
        on_progress(Progress(done, total, str(path)))


def _prepare(store: Store, article_id: str, draft: Draft, fingerprint: str) -> Prepared:
    article = Article(
        id=article_id,
        version=store.library.next_version(article_id),
        source=draft.source,
        title=draft.title,
        url=draft.url,
        publisher=draft.publisher,
        published=draft.published,
        lang=draft.lang,
        note=draft.note,
        text=draft.text,
        sha256=_digest(draft.text),
        added=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Prepared(
        article, fingerprint, tuple(_timed(article, passage) for passage in passages(draft.text, draft.lang))
    )


def _timed(article: Article, passage: Passage) -> Passage:
    """The passage with the times it names."""
    start, end = passage.span.start, passage.span.end
    return dataclasses.replace(passage, times=tuple(times(article.text[start:end], start, article.published)))


def _prune(store: Store, sources: Sequence[str], seen: dict[str, str], *, write: bool, tally: Tally) -> None:
    """Takes out what came from the given sources and is no longer there."""
    scopes = [str(Path(source).absolute()) for source in sources]
    unread = [str(Path(failed.source).absolute()) for failed in tally.failed]
    gone = [
        article
        for article in store.library.articles()
        if article.id not in seen
        and any(_within(article.source, scope) for scope in scopes)
        and not any(_within(article.source, failed) for failed in unread)
    ]
    if write and gone:
        store.library.retire([article.id for article in gone])
    tally.removed += [article.source for article in gone]


def _within(source: str, scope: str) -> bool:
    """Whether a source is a file or folder, lies below it, or is a line of it."""
    return source == scope or source.startswith((scope + "/", scope + "\\", scope + "#"))


def _fingerprint(draft: Draft) -> str:
    fields = dataclasses.asdict(draft)
    del fields["source"]  # a moved file alone is no change
    return _digest(json.dumps([RULES_VERSION, fields], sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
