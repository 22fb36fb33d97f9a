"""What an ingest needs, open together: the store, the fetcher, the extractor, and where the work is shared out.

Knows the settings. Does not know what is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.extraction import Extractor
from ingest.fetching import Fetcher
from ingest.parallel import Parallelism, cluster, processes
from vectorstore import Settings, Store, exists, open_embeddings, stored_embedding

BATCH_CHARACTERS = 20_000  # of text that is embedded and committed at once: some three seconds of work


@dataclass(frozen=True, slots=True)
class IngestResources:
    """What an update works with.

    `fetcher` gets addresses, `extractor` reads documents; `keep_raw` says whether their bytes are kept,
    `batch_characters` how much text is embedded and committed at once. `stop` is asked before each source whether to
    end there.
    """

    fetcher: Fetcher
    extractor: Extractor
    keep_raw: bool = True
    batch_characters: int = BATCH_CHARACTERS
    stop: Callable[[], bool] = lambda: False


@contextmanager
def open_resources(
    where: Settings, parallelism: Parallelism, *, dry_run: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Store, IngestResources]]:
    """The store in a data folder, made if missing, and what an update works with.

    With `dry_run` an empty store elsewhere stands in for a missing one. LibraryError if the folder can't be used,
    ValueError if a setting is wrong.
    """
    with ExitStack() as open_things:
        if dry_run and not exists(where.data):
            where = where.model_copy(update={"data": Path(open_things.enter_context(TemporaryDirectory()))})
        fetcher = open_things.enter_context(Fetcher(allow=where.allowed_hosts, proxy=where.proxy))
        name, embeddings = open_embeddings(where.embedding_model, where.cache_dir, stored=stored_embedding(where.data))
        extractor, batch_characters = Extractor(), BATCH_CHARACTERS
        if parallelism.cluster or parallelism.workers > 1:
            shared = cluster(parallelism.cluster) if parallelism.cluster else processes(parallelism.workers)
            extractor, share_out, workers = open_things.enter_context(shared)
            embeddings = share_out(name, where.cache_dir, embeddings)
            if workers > 1:
                batch_characters *= 2 * workers  # so that each worker has several tasks
        store = Store(where.data, name=name, embeddings=embeddings, create=True)
        open_things.callback(store.close)
        yield store, IngestResources(fetcher, extractor, where.keep_raw, batch_characters, stop)
