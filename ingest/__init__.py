"""An article's way: from files and addresses into the library.

`update` ingests sources, `watch` follows them; `Report` says what was done. `remove` and `delete` take articles out,
`reinstate` undoes `remove`, `set_metadata` overrides what a source says of its article. `check`, `rebuild`, `backup`
and `restore` look after the data folder.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

from ingest.document import Failure
from ingest.formats.dates import day
from ingest.identity import part_marks
from ingest.parallel import Parallelism
from ingest.pipeline import ingest_sources
from ingest.report import Progress, Report, ReportBuilder
from ingest.resources import open_resources
from ingest.urls import is_web_url
from ingest.versions import apply_overrides, prepare
from ingest.watch import changed_sources
from language import Message, one_line, verbatim
from vectorstore import (
    Article,
    BusyError,
    DeleteResult,
    LibraryError,
    MetadataOverride,
    RebuildResult,
    Settings,
    Store,
    load_settings,
    open_embeddings,
)
from vectorstore import backup as _backup
from vectorstore import check as _check
from vectorstore import rebuild as _rebuild
from vectorstore import restore as _restore
from vectorstore.timestamps import utc_now

__all__ = [
    "DeleteResult",
    "Failure",
    "LibraryError",
    "Parallelism",
    "Progress",
    "RebuildResult",
    "Report",
    "ReportBuilder",
    "backup",
    "check",
    "delete",
    "rebuild",
    "reinstate",
    "remove",
    "restore",
    "set_metadata",
    "update",
    "watch",
]

Folder = str | os.PathLike[str] | None
THIS_PROCESS = Parallelism()


def _ignore(*_: object) -> None:
    pass


def update(
    sources: Sequence[str | os.PathLike[str]],
    *,
    data: Folder = None,
    prune: bool = False,
    dry_run: bool = False,
    parallelism: Parallelism = THIS_PROCESS,
    on_progress: Callable[[Progress], None] = _ignore,
    builder: ReportBuilder | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Takes articles into the library in the folder `data` (else VIADOMA_DATA, else ./data), making it if need be.

    See `ingest.pipeline.run` for what counts as new, changed and gone. `stop` is asked before each source whether to
    end there; `builder` fills as articles are committed. LibraryError if the folder can't be used; what is wrong with a
    single source is in the report instead.
    """
    names = _sources(sources)
    builder = ReportBuilder() if builder is None else builder
    with open_resources(_where(data), parallelism, dry_run=dry_run, stop=stop) as (store, resources):
        return ingest_sources(
            store, names, resources, prune=prune, dry_run=dry_run, on_progress=on_progress, builder=builder
        )


def watch(
    sources: Sequence[str | os.PathLike[str]],
    stop: Event,
    *,
    data: Folder = None,
    prune: bool = False,
    interval_seconds: float = 900,
    parallelism: Parallelism = THIS_PROCESS,
) -> Iterator[Report]:
    """Ingests sources, and again whenever a file changes, or every `interval_seconds` for addresses and feeds.

    A report each time; ends when `stop` is set. While another writer has the folder, what has changed waits.
    """
    names = _sources(sources)
    with open_resources(_where(data), parallelism, stop=stop.is_set) as (store, resources):
        waiting: dict[str, None] = {}
        for changed in changed_sources(names, interval_seconds, stop):
            waiting |= dict.fromkeys(changed)
            if not waiting:
                continue
            builder = ReportBuilder()
            try:
                report = ingest_sources(
                    store, [*waiting], resources, prune=prune, dry_run=False, on_progress=_ignore, builder=builder
                )
            except BusyError:
                continue  # what has changed waits until the other is done
            waiting.clear()
            yield report


def remove(names: Sequence[str], reason: str, *, data: Folder = None) -> list[str]:
    """Takes articles out of what is searched, under a tombstone with a reason; gives their ids.

    A name is an article's id, its source, its address, or a folder. The articles stay removed when their sources
    are re-ingested; their texts stay, so that what was cited can be opened. ValueError if a name means no article.
    """
    with _kept(data) as store, store.writing():
        articles = _named(store, names)
        store.library.remove(articles, verbatim(reason), by_user=True)
        store.collect_garbage()
        return articles


def reinstate(names: Sequence[str], *, data: Folder = None) -> list[str]:
    """Undoes `remove`: the articles' last versions are searched again; gives their ids.

    For names see `remove`. ValueError if one means no article, or none that was removed.
    """
    with _kept(data) as store, store.writing():
        articles = [article for article in _named(store, names) if store.library.sources.tombstone(article)]
        if not articles:
            raise ValueError(
                Message("Nothing of {names} was removed from {folder}.", names=", ".join(names), folder=store.folder)
            )
        store.reinstate(articles)
        return articles


def set_metadata(
    names: Sequence[str],
    *,
    title: str | None = None,
    publisher: str | None = None,
    published: str | None = None,
    data: Folder = None,
) -> list[str]:
    """Overrides what is known of articles, each in a new version of the same text; gives the ids of those that changed.

    What is None stays; an empty string gives back what the source says itself. What was set counts also when the
    source is re-ingested, and is shown as edited beside the text. For names see `remove`. ValueError if one means
    no article that is searched, or for a date that is not written as 2025-12-13, 2025-12 or 2025.
    """
    given = {"title": title, "publisher": publisher, "published": published}
    wanted = {field: " ".join(value.split()) for field, value in given.items() if value is not None}
    if wanted.get("published"):
        if len(wanted["published"]) > len("2025-12-13"):
            given_date = one_line(wanted["published"])
            raise ValueError(Message("The date is “{date}”: write it as 2025-12-13, 2025-12 or 2025.", date=given_date))
        day(wanted["published"])
    changed: list[str] = []
    with closing(Store.open(_where(data), create=False)) as store, store.writing():
        articles = [*filter(None, map(store.library.article, _named(store, names)))]
        if not articles:
            raise ValueError(Message("Of {names} nothing is searched: reinstate it first.", names=", ".join(names)))
        for article in articles:
            known = store.library.sources.overrides(article.id)
            source_fields: dict[str, Any] = {override.field: override.source_value for override in known}
            source_article = dataclasses.replace(article, **source_fields)
            new, overrides = apply_overrides(source_article, _merged_overrides(source_article, known, wanted))
            if overrides == known:
                continue
            new = dataclasses.replace(new, version=article.version + 1, ingested_at=utc_now())
            provenance = store.library.sources.provenance(article.id, article.version)
            store.publish([prepare(new, provenance, overrides)])
            changed.append(article.id)
        store.collect_garbage()
    return changed


def _merged_overrides(
    source_article: Article, overrides: Sequence[MetadataOverride], wanted: Mapping[str, str]
) -> list[MetadataOverride]:
    """All overrides there are, once what is wanted is in, by field; none that says what the source says itself."""
    by_field = {override.field: override for override in overrides}
    for field, value in wanted.items():
        if field not in by_field or by_field[field].value != value:
            by_field[field] = MetadataOverride(field, value, getattr(source_article, field), utc_now())
        if value in ("", getattr(source_article, field)):
            del by_field[field]
    return [by_field[field] for field in sorted(by_field)]


def delete(names: Sequence[str], *, data: Folder = None) -> DeleteResult:
    """Deletes articles for good: all versions, vectors, raw bytes, and what was known of their sources.

    For names see `remove`. Says what it did; nothing of it can be undone, and links to the articles end.
    """
    with _kept(data) as store, store.writing():
        return store.delete(_named(store, names))


def check(*, data: Folder = None, on_progress: Callable[[int, int], None] = _ignore) -> list[str]:
    """What is wrong in the data folder, a line each; empty if library, full text, vectors and index agree."""
    with _kept(data) as store:
        return _check(store, on_progress)


def rebuild(*, data: Folder = None, on_progress: Callable[[int, int], None] = _ignore) -> RebuildResult:
    """Makes the search index again, and all vectors that are missing, damaged, or of another model than is set.

    The old ones answer until the new ones are complete.
    """
    where = _where(data)
    name, embeddings = open_embeddings(where.embedding_model, where.cache_dir)
    with _kept(data) as store, store.writing():
        return _rebuild(store, name, embeddings, on_progress)


def backup(file: str | os.PathLike[str], *, data: Folder = None) -> int:
    """Writes one consistent archive of the data folder, also while it is in use; gives its size in bytes.

    LibraryError if `file` is one of the folder's own, or can't be written.
    """
    with _kept(data) as store:
        return _backup(store, Path(file))


def restore(file: str | os.PathLike[str], *, data: Folder = None) -> str:
    """Brings a backup back into a folder that holds no library; gives the time it was made (ISO 8601, UTC)."""
    return _restore(Path(file), _where(data).data)


def _sources(sources: Sequence[str | os.PathLike[str]]) -> list[str]:
    names = [os.fspath(source) for source in sources]
    if not all(name.strip() for name in names):
        raise ValueError(Message("An empty name is no source: name a file, a folder or a URL."))
    return names


def _where(data: Folder) -> Settings:
    return load_settings(None if data is None else Path(data))


def _kept(data: Folder) -> closing[Store]:
    """The store that is there, whatever model its vectors are of."""
    return closing(Store.open(_where(data), create=False, any_model=True))


def _named(store: Store, names: Sequence[str]) -> list[str]:
    articles: dict[str, None] = {}
    for name in names:
        if not name.strip():
            raise ValueError(Message("An empty name means no article: name an id, a file, a folder or a URL."))
        found = _meant(store, name) or _meant(store, os.path.realpath(name))
        if not found:
            raise ValueError(
                Message("{name} is no article's id, file or URL in {folder}.", name=name, folder=store.folder)
            )
        articles |= dict.fromkeys(found)
    return list(articles)


def _meant(store: Store, name: str) -> list[str]:
    # the pages below an address are others
    return store.library.resolve_articles(name, () if is_web_url(name) else [name + mark for mark in part_marks(name)])
