"""What an ingest needs, open together: the store, the fetcher, the readers, and where the work is spread.

Knows the settings. Does not know what is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.fetching import Fetcher
from ingest.reading import Reader
from ingest.spread import cluster, processes, share
from ingest.update import BATCH_CHARACTERS, Means
from vectorstore import Settings, Store, exists, open_embeddings, stored_embedding


@dataclass(frozen=True, slots=True)
class Engine:
    """What reads and embeds: `workers` processes of this machine, or the Dask scheduler at `cluster`.

    One worker is this process for embedding, on all cores, and one child for reading.
    """

    workers: int = 1
    cluster: str = ""


@contextmanager
def session(
    where: Settings, engine: Engine, *, dry_run: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Store, Means]]:
    """The store in a data folder, made if missing, and what an update works with.

    With `dry_run` an empty store elsewhere stands in for a missing one. LibraryError if the folder can't be used,
    ValueError if a setting is wrong.
    """
    with ExitStack() as open_things:
        if dry_run and not exists(where.data):
            where = where.model_copy(update={"data": Path(open_things.enter_context(TemporaryDirectory()))})
        fetcher = open_things.enter_context(Fetcher(allow=where.allow, proxy=where.proxy))
        name, embeddings = open_embeddings(where.embedding, where.cache, stored=stored_embedding(where.data))
        reader, workers = Reader(), 1
        if engine.cluster:
            reader, spread, workers = open_things.enter_context(cluster(engine.cluster))
            embeddings = spread(name, where.cache, embeddings)
        elif engine.workers > 1:
            workers = engine.workers
            reader, spread = open_things.enter_context(processes(workers))
            embeddings = spread(name, where.cache, embeddings)
        store = Store(where.data, name=name, embeddings=embeddings, create=True)
        open_things.callback(store.close)
        batch = share(BATCH_CHARACTERS, workers) if workers > 1 else BATCH_CHARACTERS
        yield store, Means(fetcher, reader, where.raw, batch, stop)
