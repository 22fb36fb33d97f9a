"""The dense index beside a library, kept in agreement with it.

Knows when the index must be probed, reopened, or rebuilt from the library's vectors. Does not know Chroma, or
what the vectors are of.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from language import Message
from vectorstore.article import Vector
from vectorstore.database import LibraryError, locked
from vectorstore.library import Library
from vectorstore.vectors import BATCH, VectorIndex, VectorIndexError, start_probe, wait_for_probe

Result = TypeVar("Result")
IndexState = Literal["not_loaded", "ready", "rebuilt"]

REPAIR_LOCK_SECONDS = 30.0
PROBE_SECONDS = 120.0
PROBE_SAMPLE = 6

log = logging.getLogger(__name__)


class LibraryIndex:
    """The index of one library; safe from any thread.

    It is probed in the background from the start, and opened, or rebuilt, when it is first needed: `state`.
    """

    def __init__(self, library: Library) -> None:
        self.state: IndexState = "not_loaded"
        self._library = library
        self._index: VectorIndex | None = None
        self._generation = -1  # of the library, as the open index has it
        self._lock = threading.RLock()
        self._asking = ThreadPoolExecutor(1, "index")
        self._probe: subprocess.Popen[str] | None = None
        self._start_probe()

    def close(self) -> None:
        """Lets go of every file."""
        self._asking.shutdown()
        with self._lock:
            if self._probe:
                self._probe.kill()
                wait_for_probe(self._probe, PROBE_SECONDS)
                self._probe = None
            self._close_index()

    # reading

    def start_nearest(self, vectors: Vector, limit: int) -> Future[list[list[tuple[str, float]]]]:
        """Begins to look, in another thread, for (name, cosine) of what is nearest to each row, best first."""
        return self._asking.submit(self._use, lambda index: index.nearest(vectors, limit))

    def entries(self, batch: int) -> Iterator[tuple[list[str], Vector]]:
        """All that the index holds, `batch` at a time: (names, matrix), in no particular order."""
        for start in range(0, self._use(VectorIndex.count), batch):
            yield self._use(lambda index, start=start: index.entries(start, batch))  # type: ignore[misc]

    # writing; the caller holds the folder's writer lock

    def add(self, names: Iterable[str]) -> None:
        """Puts stored vectors in."""
        wanted = list(dict.fromkeys(names))
        for start in range(0, len(wanted), BATCH):
            stored = self._library.vectors.by_name(wanted[start : start + BATCH])
            self._use(lambda index, stored=stored: index.add(stored))  # type: ignore[misc] # mypy on defaults

    def remove(self, names: Sequence[str]) -> None:
        """Takes vectors out; names that are not there are ignored."""
        self._use(lambda index: index.remove(names))

    def remove_leftovers(self) -> None:
        """Takes out what the library does not know, and folders of other indexes: of a rebuild that was interrupted."""
        vectors = self._library.vectors
        if self._use(VectorIndex.count) > vectors.indexed_count():
            wanted = {name for names, _ in vectors.indexed(BATCH) for name in names}
            self.remove([name for names, _ in self.entries(BATCH) for name in names if name not in wanted])
        for folder in self._library.folder.glob("chroma*"):
            if folder.name != self._library.index_folder():
                shutil.rmtree(folder, ignore_errors=True)

    def rebuild(
        self, embedding: str, vectors: Iterable[tuple[list[str], Vector]], renamed: Iterable[tuple[str, str]]
    ) -> None:
        """Makes an index of the given vectors in a folder of its own, and takes it into use in one commit.

        Until then the index in use answers. For `embedding` and `renamed` see `Library.activate_index`.
        """
        old, new = self._folder(), self._library.folder / f"chroma-{self._library.generation() + 1}"
        _fill(new, vectors)
        self._library.activate_index(embedding, new.name, renamed)
        with self._lock:
            self._close_index()
        shutil.rmtree(old, ignore_errors=True)

    def wrote(self, before: int) -> None:
        """Notes that this process wrote itself what raised the generation from `before`: its Chroma client saw it."""
        with self._lock:
            if self._generation == before:
                self._generation = before + 1

    # agreement

    def _use(self, use: Callable[[VectorIndex], Result]) -> Result:
        # One at a time: no other thread may close the client, for a newer index, while it is in use. A search takes
        # milliseconds here; it is the model and the answer that take time.
        with self._lock:
            try:
                return use(self._opened())
            except VectorIndexError as error:
                self._repair(str(error))
                return use(self._opened())

    def _opened(self) -> VectorIndex:
        generation = self._library.generation()
        if self._generation != generation:
            # another process has published: an open Chroma client never sees it
            self._close_index()
        if self._index is None:
            if self._probe:
                problem = wait_for_probe(self._probe, PROBE_SECONDS)
                self._probe = None
                if problem:
                    self._repair(problem)
            stored = self._library.stored_embedding()
            if stored != self._library.embedding:
                raise LibraryError(
                    Message(
                        "The vectors in {folder} were rebuilt with the embedding model {model} while this program ran. "
                        "Start it again with that model.",
                        folder=self._library.folder,
                        model=stored,
                    )
                )
            self._index = VectorIndex(self._folder())
            self._generation = generation
            self.state = "ready"
        return self._index

    def _close_index(self) -> None:
        if self._index:
            self._index.close()
            self._index = None

    def _folder(self) -> Path:
        return self._library.folder / self._library.index_folder()

    def _start_probe(self) -> None:
        vectors = self._library.vectors
        with self._library.snapshot():
            expected = vectors.indexed_count()
            names, sample = next(vectors.indexed(PROBE_SAMPLE), ([], np.zeros((0, 0))))
        if expected:
            self._probe = start_probe(self._folder(), expected, dict(zip(names, sample, strict=True)))

    def _repair(self, problem: str) -> None:
        """Rebuilds the index from the stored vectors; nothing is embedded."""
        folder = self._folder()
        log.warning("The search index in %s is rebuilt (%s).", folder, problem)
        self.state = "rebuilt"
        with suppress(Exception):  # it is broken: closing it may fail in any way
            self._close_index()
        self._index = None
        with locked(self._library.folder, REPAIR_LOCK_SECONDS):
            _fill(folder, self._library.vectors.indexed(BATCH))


def _fill(folder: Path, vectors: Iterable[tuple[list[str], Vector]]) -> None:
    """Makes an index in a folder, whatever was there, of named vectors: (names, matrix) each."""
    shutil.rmtree(folder, ignore_errors=True)
    index = VectorIndex(folder)
    for names, matrix in vectors:
        index.add(dict(zip(names, matrix, strict=True)))
    index.close()
