"""An article's way: from files into the library.

`update` is the public face; `Report` says what it did.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.update import Failed, Progress, Report, Tally, run
from vectorstore import LibraryError, Store, exists, settings

__all__ = ["Failed", "LibraryError", "Progress", "Report", "update"]


def update(
    sources: Sequence[str | os.PathLike[str]],
    *,
    data: str | os.PathLike[str] | None = None,
    prune: bool = False,
    dry_run: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Takes articles into the library in the folder `data` (else VIADOMA_DATA, else ./data), making it if need be.

    See `ingest.update.run` for what counts as new, changed and gone. LibraryError if the folder can't be used; what
    is wrong with a single source is in the report instead.
    """
    named = [os.fspath(source) for source in sources]
    with open_store(data, dry_run=dry_run) as store:
        return run(store, named, prune=prune, dry_run=dry_run, on_progress=on_progress, tally=Tally())


@contextmanager
def open_store(data: str | os.PathLike[str] | None, *, dry_run: bool) -> Iterator[Store]:
    """The store in a data folder, made if missing; with `dry_run` an empty one elsewhere stands in for a missing."""
    where = settings(None if data is None else Path(data))
    with TemporaryDirectory() as elsewhere:
        if dry_run and not exists(where.data):
            where = replace(where, data=Path(elsewhere))
        store = Store.open(where, create=True)
        try:
            yield store
        finally:
            store.close()
