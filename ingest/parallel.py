"""Shares extracting and embedding out to processes of this machine, or to a Dask cluster.

Knows what runs them (loky, Dask) and how to share out texts. Does not know what is read, or where it is stored: workers
read and embed, the one process that asks them writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.embeddings import Embeddings

from ingest.extraction import Extractor
from language import Message, message_of
from vectorstore import embed_texts

TEXTS = 64  # a task: some two seconds of one core, so that a lost one costs little
CONNECT_SECONDS = "10s"


@dataclass(frozen=True, slots=True)
class Parallelism:
    """What reads and embeds: `workers` processes of this machine, or the Dask scheduler at `cluster`.

    One worker is this process for embedding, on all cores, and one child for reading.
    """

    workers: int = 1
    cluster: str = ""


class ParallelEmbeddings(Embeddings):
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


# what reads, what shares out a model (its name, its cache, and the one that stays here), and how many work at once
Workers = tuple[Extractor, Callable[[str, Path, Embeddings], Embeddings], int]


@contextmanager
def processes(workers: int) -> Iterator[Workers]:
    """So many processes of this machine."""
    from loky import ProcessPoolExecutor

    # by itself, for what reads may be killed at any time, and has little memory
    embedding = ProcessPoolExecutor(workers)
    try:
        yield Extractor(workers), partial(ParallelEmbeddings, embedding), workers
    finally:
        embedding.shutdown(kill_workers=True)


@contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """The workers of a Dask scheduler, as many as they have threads.

    The scheduler gives the work of a worker that dies to another. ValueError if there is no scheduler at the address,
    or Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError(Message("Spreading over a cluster needs Dask: pip install 'viadoma[cluster]'.")) from error
    try:
        client: Any = Client(address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(
            Message("There is no Dask scheduler at {address} ({why}).", address=address, why=message_of(error))
        ) from error
    try:
        executor = client.get_executor(pure=False)
        threads = sum(client.nthreads().values())
        if not threads:
            raise ValueError(Message("The Dask scheduler at {address} has no workers.", address=address))
        yield Extractor(threads, lambda: executor), partial(ParallelEmbeddings, executor), threads
    finally:
        client.close()
