"""An article's way: from files and addresses into the library.

`update` takes sources in, `watch` follows them; `Report` says what was done. `remove` and `delete` take articles out,
`bring_back` undoes `remove`, `amend` mends what is known of an article. `check`, `rebuild`, `backup` and `restore` look
after the data folder.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from ingest.articles import is_address, part_marks
from ingest.formats.dates import day
from ingest.preparing import amended, prepare
from ingest.session import Engine, session
from ingest.update import Failed, Progress, Report, Tally, run
from ingest.watch import due
from vectorstore import (
    Amendment,
    Article,
    BusyError,
    Deleted,
    LibraryError,
    Rebuilt,
    Settings,
    Store,
    open_embeddings,
    settings,
)
from vectorstore import backup as _backup
from vectorstore import check as _check
from vectorstore import rebuild as _rebuild
from vectorstore import restore as _restore

__all__ = [
    "Deleted",
    "Engine",
    "Failed",
    "LibraryError",
    "Progress",
    "Rebuilt",
    "Report",
    "Tally",
    "amend",
    "backup",
    "bring_back",
    "check",
    "delete",
    "rebuild",
    "remove",
    "restore",
    "update",
    "watch",
]

Folder = str | os.PathLike[str] | None
THIS_PROCESS = Engine()


def _ignore(*_: object) -> None:
    pass


def update(
    sources: Sequence[str | os.PathLike[str]],
    *,
    data: Folder = None,
    prune: bool = False,
    dry_run: bool = False,
    engine: Engine = THIS_PROCESS,
    on_progress: Callable[[Progress], None] = _ignore,
    tally: Tally | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Takes articles into the library in the folder `data` (else VIADOMA_DATA, else ./data), making it if need be.

    See `ingest.update.run` for what counts as new, changed and gone. `stop` is asked before each source whether to end
    there; `tally` fills as articles are committed. LibraryError if the folder can't be used; what is wrong with a
    single source is in the report instead.
    """
    named = _sources(sources)
    with session(_where(data), engine, dry_run=dry_run, stop=stop) as (store, means):
        return run(
            store,
            named,
            means,
            prune=prune,
            dry_run=dry_run,
            on_progress=on_progress,
            tally=Tally() if tally is None else tally,
        )


def watch(
    sources: Sequence[str | os.PathLike[str]],
    stop: Event,
    *,
    data: Folder = None,
    prune: bool = False,
    interval_seconds: float = 900,
    engine: Engine = THIS_PROCESS,
) -> Iterator[Report]:
    """Takes sources in, and again whenever a file changes, or every `interval_seconds` for addresses and feeds.

    A report each time; ends when `stop` is set. While another writer has the folder, what is due waits.
    """
    named = _sources(sources)
    with session(_where(data), engine, stop=stop.is_set) as (store, means):
        waiting: dict[str, None] = {}
        for some in due(named, interval_seconds, stop):
            waiting |= dict.fromkeys(some)
            if not waiting:
                continue
            try:
                report = run(
                    store, list(waiting), means, prune=prune, dry_run=False, on_progress=_ignore, tally=Tally()
                )
            except BusyError:
                continue  # what is due waits until the other is done
            waiting.clear()
            yield report


def remove(names: Sequence[str], reason: str, *, data: Folder = None) -> list[str]:
    """Takes articles out of what is searched, under a tombstone with a reason; gives their ids.

    A name is an article's id, its source, its address, or a folder. The articles stay out when their sources are taken
    in again; their texts stay, so that what was cited can be opened. ValueError if a name means no article.
    """
    with _kept(data) as store, store.writing():
        articles = _named(store, names)
        store.library.remove(articles, reason, barred=True)
        store.collect_garbage()
        return articles


def bring_back(names: Sequence[str], *, data: Folder = None) -> list[str]:
    """Undoes `remove`: the articles' last versions are searched again; gives their ids.

    For names see `remove`. ValueError if one means no article, or none that was removed.
    """
    with _kept(data) as store, store.writing():
        articles = [one for one in _named(store, names) if store.library.origins.removed(one)]
        if not articles:
            raise ValueError(f"Nothing of {', '.join(names)} was removed from {store.folder}.")
        store.reinstate(articles)
        return articles


def amend(
    names: Sequence[str],
    *,
    title: str | None = None,
    publisher: str | None = None,
    published: str | None = None,
    data: Folder = None,
) -> list[str]:
    """Mends what is known of articles, each in a new version of the same text; gives the ids of those that changed.

    What is None stays; an empty string gives back what the source says itself. What was mended counts also when the
    source is taken in again, and is shown as mended beside the text. For names see `remove`. ValueError if one means
    no article that is searched, or for a date that is not written as 2025-12-13, 2025-12 or 2025.
    """
    given = {"title": title, "publisher": publisher, "published": published}
    wanted = {field: " ".join(value.split()) for field, value in given.items() if value is not None}
    if wanted.get("published"):
        if len(wanted["published"]) > len("2025-12-13"):
            raise ValueError(f"The date is {published!r}: write it as 2025-12-13, 2025-12 or 2025.")
        day(wanted["published"])
    changed: list[str] = []
    store = Store.open(_where(data), create=False)
    try:
        with store.writing():
            articles = [one for one in map(store.library.article, _named(store, names)) if one]
            if not articles:
                raise ValueError(f"Of {', '.join(names)} nothing is searched: bring it back first.")
            for article in articles:
                known = store.library.origins.amendments(article.id)
                said: dict[str, Any] = {one.field: one.own for one in known}
                own = dataclasses.replace(article, **said)
                new, amendments = amended(own, _mended(own, known, wanted))
                if amendments == known:
                    continue
                new = dataclasses.replace(
                    new, version=article.version + 1, added=datetime.now(UTC).isoformat(timespec="seconds")
                )
                provenance = store.library.origins.provenance(article.id, article.version)
                store.publish([prepare(new, provenance, amendments)])
                changed.append(article.id)
            store.collect_garbage()
    finally:
        store.close()
    return changed


def _mended(own: Article, known: Sequence[Amendment], wanted: Mapping[str, str]) -> list[Amendment]:
    """All amendments there are, once what is wanted is in: in order of their fields, none that says what is said."""
    values = {one.field: one for one in known}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for field, value in wanted.items():
        if field not in values or values[field].value != value:
            values[field] = Amendment(field, value, getattr(own, field), now)
        if value in ("", getattr(own, field)):
            del values[field]
    return [values[field] for field in sorted(values)]


def delete(names: Sequence[str], *, data: Folder = None) -> Deleted:
    """Deletes articles for good: all versions, vectors, raw bytes, and what was known of their sources.

    For names see `remove`. Says what it did; nothing of it can be undone, and links to the articles end.
    """
    with _kept(data) as store, store.writing():
        return store.delete(_named(store, names))


def check(*, data: Folder = None, on_progress: Callable[[int, int], None] = _ignore) -> list[str]:
    """What is wrong in the data folder, a line each; empty if library, full text, vectors and index agree."""
    with _kept(data) as store:
        return _check(store, on_progress)


def rebuild(*, data: Folder = None, on_progress: Callable[[int, int], None] = _ignore) -> Rebuilt:
    """Makes the search index again, and all vectors that are missing, damaged, or of another model than is set.

    The old ones answer until the new ones are complete.
    """
    where = _where(data)
    name, embeddings = open_embeddings(where.embedding, where.cache)
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
    named = [os.fspath(source) for source in sources]
    if not all(name.strip() for name in named):
        raise ValueError("An empty name is no source: name a file, a folder or an address.")
    return named


def _where(data: Folder) -> Settings:
    return settings(None if data is None else Path(data))


@contextmanager
def _kept(data: Folder) -> Iterator[Store]:
    """The store that is there, whatever model its vectors are of."""
    store = Store.open(_where(data), create=False, any_model=True)
    try:
        yield store
    finally:
        store.close()


def _named(store: Store, names: Sequence[str]) -> list[str]:
    articles: dict[str, None] = {}
    for name in names:
        if not name.strip():
            raise ValueError("An empty name means no article: name an id, a file, a folder or an address.")
        found = _meant(store, name) or _meant(store, os.path.realpath(name))
        if not found:
            raise ValueError(f"{name} is no article's id, file or address in {store.folder}.")
        articles |= dict.fromkeys(found)
    return list(articles)


def _meant(store: Store, name: str) -> list[str]:
    # the pages below an address are others
    return store.library.named(name, () if is_address(name) else [name + mark for mark in part_marks(name)])
