"""Spreads reading and embedding over processes of this machine, or over a Dask cluster.

Knows the engines (loky, Dask) and how to share out texts. Does not know what is read, or where it is stored: workers
read and embed, the one process that asks them writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from ingest.reading import Reader
from vectorstore import embed_texts

TEXTS = 64  # a task: some two seconds of one core, so that a lost one costs little
CONNECT_SECONDS = "10s"


class SpreadEmbeddings(Embeddings):
    """The embedding model `model`, shared out over an executor; questions are embedded by `local`, here."""

    def __init__(self, executor: Executor, model: str, cache: Path, local: Embeddings) -> None:
        self._executor = executor
        self._model = model
        self._cache = cache
        self._local = local

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors in the order of `texts`; alike lengths go together, for a batch is as slow as its longest text."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = [order[start : start + TEXTS] for start in range(0, len(order), TEXTS)]
        tasks = [
            self._executor.submit(embed_texts, self._model, self._cache, [texts[place] for place in part])
            for part in parts
        ]
        vectors: list[list[float]] = [[]] * len(texts)
        for part, task in zip(parts, tasks, strict=True):
            for place, vector in zip(part, task.result(), strict=True):
                vectors[place] = vector
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self._local.embed_query(text)


Spread = Callable[[str, Path, Embeddings], Embeddings]


@contextmanager
def processes(workers: int) -> Iterator[tuple[Reader, Spread]]:
    """A reader, and what spreads a model, over so many processes of this machine."""
    from loky import ProcessPoolExecutor

    # by itself, for what reads may be killed at any time, and has little memory
    embedding = ProcessPoolExecutor(workers)
    try:
        yield Reader(workers), lambda model, cache, local: SpreadEmbeddings(embedding, model, cache, local)
    finally:
        embedding.shutdown(kill_workers=True)


@contextmanager
def cluster(address: str) -> Iterator[tuple[Reader, Spread, int]]:
    """A reader, and what spreads a model, over the workers of a Dask scheduler, and the number of their threads.

    The scheduler gives the work of a worker that dies to another. ValueError if there is no scheduler at the address,
    or Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError("Spreading over a cluster needs Dask: pip install 'viadoma[cluster]'.") from error
    try:
        client: Any = Client(address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(f"There is no Dask scheduler at {address} ({error}).") from error
    try:
        executor = client.get_executor(pure=False)
        threads = sum(client.nthreads().values())
        if not threads:
            raise ValueError(f"The Dask scheduler at {address} has no workers.")
        yield (
            Reader(threads, lambda: executor),
            lambda model, cache, local: SpreadEmbeddings(executor, model, cache, local),
            threads,
        )
    finally:
        client.close()


def share(characters: int, workers: int) -> int:
    """How much text to embed at once so that each worker has several tasks."""
    return characters * max(1, 2 * workers)
