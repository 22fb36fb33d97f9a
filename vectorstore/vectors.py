"""The dense index: Chroma on disk, through LangChain, holding names and vectors and nothing else.

Knows Chroma and its faults. Does not know articles, or how vectors are made: it is fed with finished ones, and what it
holds can be thrown away and rebuilt from the library.

Embedded Chroma can be left unreadable by a kill or a damaged file, and can then take its process down with it. So a
folder is probed in a child process before it is opened here (`start_probe`, `wait_for_probe`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from language import Message, message_of
from vectorstore.article import Vector

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from langchain_chroma import Chroma

COLLECTION = "passages"
BATCH = 2000  # Chroma refuses over 5,461 at once
# Recall@10 on random vectors is .99 with these, .64 to .74 with Chroma's own settings. Below `sync_threshold` nothing
# but the log is on disk: fewer files that a kill can tear, but the log is replayed at start (about 1 ms a vector).
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 32,
    "ef_construction": 200,
    "ef_search": 300,
    "sync_threshold": 2000,
}


class VectorIndexError(RuntimeError):
    """Chroma could not do what was asked; the folder should be rebuilt."""


class _Finished(Embeddings):
    """Hands LangChain vectors that are there already; it never embeds anything."""

    def __init__(self) -> None:
        self.vectors: dict[str, list[float]] = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError("Questions are embedded before they come here.")


class VectorIndex:
    """One Chroma folder, open. Not to be opened on a damaged folder: see the module's docstring."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from langchain_chroma import Chroma

        settings = chromadb.config.Settings(anonymized_telemetry=False)
        try:
            self._client: ClientAPI = chromadb.PersistentClient(str(folder), settings)
            self._finished = _Finished()
            self._chroma: Chroma = Chroma(
                COLLECTION,
                self._finished,
                client=self._client,
                collection_configuration={"hnsw": HNSW},
            )
            self._collection = self._client.get_collection(COLLECTION)
        except Exception as error:
            raise VectorIndexError(
                Message("Chroma could not open {folder}: {why}", folder=folder, why=message_of(error))
            ) from error

    def add(self, vectors: Mapping[str, Sequence[float] | Vector]) -> None:
        """Adds named unit vectors; a name already there is overwritten."""
        names = list(vectors)
        for start in range(0, len(names), BATCH):
            some = names[start : start + BATCH]
            self._finished.vectors = {name: np.asarray(vectors[name], np.float32).tolist() for name in some}
            try:
                self._chroma.add_texts(some, ids=some)
            except Exception as error:
                raise VectorIndexError(
                    Message("Chroma could not add {count} vectors: {why}", count=len(some), why=message_of(error))
                ) from error
            finally:
                self._finished.vectors = {}

    def remove(self, names: Sequence[str]) -> None:
        """Removes vectors by name; names that are not there are ignored."""
        for start in range(0, len(names), BATCH):
            try:
                self._chroma.delete(list(names[start : start + BATCH]))
            except Exception as error:
                raise VectorIndexError(Message("Chroma could not delete: {why}", why=message_of(error))) from error

    def nearest(self, vectors: Vector, limit: int) -> list[list[tuple[str, float]]]:
        """(name, cosine) of what is nearest to each row, best first; fewer than `limit` if there are no more."""
        try:
            # not through LangChain, which has Chroma read the documents too
            found = self._collection.query(vectors, n_results=limit, include=["distances"])
        except Exception as error:
            raise VectorIndexError(Message("Chroma could not search: {why}", why=message_of(error))) from error
        assert found["distances"] is not None
        return [
            [(name, 1 - distance) for name, distance in zip(names, distances, strict=True)]
            for names, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def count(self) -> int:
        """How many vectors are there."""
        try:
            return self._collection.count()
        except Exception as error:
            raise VectorIndexError(Message("Chroma could not count: {why}", why=message_of(error))) from error

    def entries(self, start: int, limit: int) -> tuple[list[str], Vector]:
        """Names and vectors from the `start`th on, at most `limit`: (names, matrix of a row each)."""
        try:
            found = self._collection.get(limit=limit, offset=start, include=["embeddings"])
        except Exception as error:
            raise VectorIndexError(Message("Chroma could not read vectors: {why}", why=message_of(error))) from error
        return found["ids"], np.asarray(found["embeddings"], np.float32)

    def close(self) -> None:
        """Lets go of the folder; what was added is on disk."""
        self._client.close()  # type: ignore[attr-defined] # every local client has it, the interface does not say so


def start_probe(folder: Path, expected: int, sample: Mapping[str, Iterable[float]]) -> subprocess.Popen[str]:
    """Starts a look at a Chroma folder in a child process, so that a crash there harms nothing.

    Healthy means: at least `expected` vectors, and each of `sample` finds itself.
    """
    child = subprocess.Popen(  # noqa: S603 - a program of ours, which finds no module of ours by chance
        [sys.executable, "-P", Path(__file__).with_name("probe.py"), str(folder), COLLECTION, str(expected)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert child.stdin is not None
    # short enough for the pipe's buffer, so that the parent need not wait for the child to read it
    try:
        child.stdin.write(json.dumps({name: [round(float(x), 4) for x in vector] for name, vector in sample.items()}))
        child.stdin.close()
    except BrokenPipeError:
        pass  # it died at once: the wait will tell
    return child


def wait_for_probe(child: subprocess.Popen[str], timeout_seconds: float) -> str:
    """What is wrong with the folder; empty if it is healthy."""
    assert child.stdout is not None
    try:
        child.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return f"no answer within {timeout_seconds:.0f} s"
    finally:
        problem = child.stdout.read().strip()
        child.stdout.close()
    return problem if child.returncode == 0 else f"the probe ended with code {child.returncode}"
