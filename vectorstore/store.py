"""A data folder, open: library, dense index and embedding model kept in agreement.

Knows the order of writes that makes a crash harmless: vectors into the library, then into the index, then one commit
that makes the versions live, then the old vectors out. Does not know where articles come from or how they are ranked.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self, TypeVar

import numpy as np
from filelock import FileLock, Timeout
from langchain_core.embeddings import Embeddings

from vectorstore.article import Article, Passage, Provenance
from vectorstore.database import BusyError, LibraryError, require, stored_embedding, unwritable
from vectorstore.embeddings import open_embeddings
from vectorstore.languages import language_means, moved
from vectorstore.library import ALL, Chosen, Deleted, Library, Placed, Stored, Vector
from vectorstore.origins import Amendment, Origin
from vectorstore.settings import Settings
from vectorstore.vectors import BATCH, VectorIndex, VectorIndexError, start_probe, wait_for_probe

Result = TypeVar("Result")
Wanted = tuple[Vector, int]  # how many of the nearest to a vector
IndexState = Literal["closed", "opened", "remade"]

QUERIES = 512
LOCK_SECONDS = 2.0
REPAIR_LOCK_SECONDS = 30.0
PROBE_SECONDS = 120.0
# Where a filter leaves no more passages than this, or where the index would have to give more than REACH vectors for
# enough of them, their stored vectors are looked at one by one: 20 ms at 5,000.
EXACT = 2000
REACH = 2000
WIDER = 4  # times what was asked for before, where too little of that is chosen
PROBE_SAMPLE = 6

NOWHERE = Provenance()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article ready to be embedded and stored; see `Stored` for its fields."""

    article: Article
    fingerprint: str
    passages: tuple[Passage, ...]
    provenance: Provenance = NOWHERE
    raw: bytes | None = None
    keys: tuple[str, ...] = ()
    origin: Origin | None = None
    left: str = ""
    amendments: tuple[Amendment, ...] = ()


class Store:
    """One data folder. Searching is safe from any thread; one process at a time may write.

    The dense index is probed in the background from the start, and opened, or made again, when it is first needed.
    """

    def __init__(self, folder: Path, *, name: str | None, embeddings: Embeddings, create: bool) -> None:
        """Opens the folder with an embedding model and the name its vectors are filed under.

        With the name None it is opened whatever model its vectors are of, to be looked after and not to be searched.
        A missing library is made if `create` says so. LibraryError if the folder can't be used.
        """
        self.folder = folder.absolute()
        self._embeddings = embeddings
        # a conversation's earlier questions come again with each new one
        self._queries = lru_cache(QUERIES)(lambda text: np.asarray(embeddings.embed_query(text), np.float32))
        self._means = lru_cache(1)(lambda: language_means(embeddings))
        self.library = Library(self.folder, name, create=create)
        self._index: VectorIndex | None = None
        self._index_generation = -1
        self.index_state: IndexState = "closed"
        self._index_lock = threading.RLock()
        self._asking = ThreadPoolExecutor(1, "index")
        self._probe: subprocess.Popen[str] | None = None
        self._start_probe()

    @classmethod
    def open(cls, where: Settings, *, create: bool, any_model: bool = False) -> Self:
        """Opens the folder and the embedding model that the settings name; for `any_model` see the constructor.

        Of the built-in models it is the one whose vectors are there.
        """
        if not create:
            require(where.data)  # before the model is loaded
        name, embeddings = open_embeddings(where.embedding, where.cache, stored=stored_embedding(where.data))
        return cls(where.data, name=None if any_model else name, embeddings=embeddings, create=create)

    def close(self) -> None:
        """Lets go of every file; what was published is on disk."""
        self._asking.shutdown()
        with self._index_lock:
            if self._probe:
                self._probe.kill()
                wait_for_probe(self._probe, PROBE_SECONDS)
                self._probe = None
            if self._index:
                self._index.close()
                self._index = None
        self.library.close()

    # reading

    def embed_query(self, text: str) -> Vector:
        """The unit vector of a question; not to be written to, for the last ones are kept."""
        return self._queries(text)

    def language_mean(self, lang: str) -> Vector:
        """Where texts of a language lie for their language alone; of one not known there, where texts of any lie.

        See `vectorstore.languages`; the sentences there are embedded when it is first asked for.
        """
        means = self._means()
        return means.get(lang, means[""])

    def moved(self, vector: Vector, question: Vector, which: Chosen) -> list[Vector]:
        """A query's vector as it would be in each other language of what is chosen; empty where that is of one.

        `question` tells which language it is in.
        """
        langs = self.library.languages(which)
        return moved(self._means(), vector, question, langs) if len(langs) > 1 else []

    def nearest(self, vector: Vector, limit: int, which: Chosen = ALL) -> list[tuple[int, float]]:
        """(passage id, cosine) of the chosen passages nearest to `vector`, best first."""
        return self.seek([(vector, limit)], which)()[0]

    def seek(self, wanted: Sequence[Wanted], which: Chosen = ALL) -> Callable[[], list[list[tuple[int, float]]]]:
        """Begins `nearest` in another thread, for several vectors at once, each with its limit.

        What it gives waits for the results, in the caller's snapshot. The index knows no filters: it is asked for more
        than the limits, or, where little is chosen, not at all. Of all but the first vector fewer than are chosen may
        be found.
        """
        most = max(limit for _, limit in wanted)
        if which == ALL:
            return self._indexed(wanted, most, which)
        chosen = self.library.count(which)
        reach = 2 * most * self.library.totals()[0] // max(1, chosen)
        if chosen > EXACT and reach <= REACH:
            return self._indexed(wanted, reach, which)
        return lambda: self._exact(wanted, which)

    def _exact(self, wanted: Sequence[Wanted], which: Chosen) -> list[list[tuple[int, float]]]:
        best: list[list[tuple[int, float]]] = [[] for _ in wanted]
        for passages, vectors in self.library.chosen_vectors(which, BATCH):
            for place, (vector, limit) in enumerate(wanted):
                some = [*best[place], *zip(passages, (vectors @ vector).tolist(), strict=True)]
                best[place] = sorted(some, key=lambda one: -one[1])[:limit]
        return best

    def _indexed(
        self, wanted: Sequence[Wanted], reach: int, which: Chosen
    ) -> Callable[[], list[list[tuple[int, float]]]]:
        """The nearest of what the index gives; it may hold much that is not chosen, or that was replaced since."""
        vectors = np.stack([vector for vector, _ in wanted])

        def ask(many: int) -> Future[list[list[tuple[str, float]]]]:
            return self._asking.submit(self._with_index, lambda index: index.nearest(vectors, many))

        first = ask(reach)

        def found() -> list[list[tuple[int, float]]]:
            many, near = reach, first.result()
            while True:
                owners = self.library.passages_of(list({name for some in near for name, _ in some}), which)
                passages = [
                    [(passage, cosine) for name, cosine in some for passage in owners.get(name, ())][:limit]
                    for some, (_, limit) in zip(near, wanted, strict=True)
                ]
                if len(passages[0]) >= wanted[0][1] or len(near[0]) < many:
                    return passages
                if many * WIDER > REACH:
                    return self._exact(wanted, which)
                many *= WIDER
                near = ask(many).result()

        return found

    def _with_index(self, use: Callable[[VectorIndex], Result]) -> Result:
        # One at a time: no other thread may close the client, for a newer index, while it is in use. A search takes
        # milliseconds here; it is the model and the answer that take time.
        with self._index_lock:
            try:
                return use(self._open_index())
            except VectorIndexError as error:
                self._rebuild(str(error))
                return use(self._open_index())

    def _open_index(self) -> VectorIndex:
        generation = self.library.generation()
        if self._index and self._index_generation != generation:
            # another process has published: an open Chroma client never sees it
            self._index.close()
            self._index = None
        if self._index is None:
            if self._probe:
                trouble = wait_for_probe(self._probe, PROBE_SECONDS)
                self._probe = None
                if trouble:
                    self._rebuild(trouble)
            stored = self.library.stored_embedding()
            if stored != self.library.embedding:
                raise LibraryError(
                    f"The vectors in {self.folder} were remade with the embedding model {stored} while this program "
                    "ran. Start it again with that model."
                )
            self._index = VectorIndex(self._index_folder())
            self._index_generation = generation
            self.index_state = "opened"
        return self._index

    def _index_folder(self) -> Path:
        return self.folder / self.library.index_folder()

    # keeping the index in agreement

    def _start_probe(self) -> None:
        with self.library.snapshot():
            expected = self.library.indexed()
            names, vectors = next(self.library.indexed_vectors(PROBE_SAMPLE), ([], np.zeros((0, 0))))
        if expected:
            self._probe = start_probe(self._index_folder(), expected, dict(zip(names, vectors, strict=True)))

    def _rebuild(self, trouble: str) -> None:
        """Makes the index again from the stored vectors; nothing is embedded."""
        folder = self._index_folder()
        log.warning("The search index in %s is made again (%s).", folder, trouble)
        self.index_state = "remade"
        if self._index:
            with suppress(Exception):  # it is broken: closing it may fail in any way
                self._index.close()
            self._index = None
        with locked(self.folder, REPAIR_LOCK_SECONDS):
            shutil.rmtree(folder, ignore_errors=True)
            index = VectorIndex(folder)
            for names, vectors in self.library.indexed_vectors(BATCH):
                index.add(dict(zip(names, vectors, strict=True)))
            index.close()

    # writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the folder for this process's writes; LibraryError names the holder if another has it."""
        with locked(self.folder, LOCK_SECONDS), self.library.unmapped():
            yield

    def publish(self, prepared: Sequence[Prepared]) -> None:
        """Makes the articles live, each whole or not at all; to be called inside `writing`."""
        placed = [[self._place(one.article, passage) for passage in one.passages] for one in prepared]
        texts: dict[str, str] = {}
        for one, passages in zip(prepared, placed, strict=True):
            for passage in passages:
                texts |= self.texts(one.article, passage)
        self.embed(texts)
        self._index_vectors(passage.vector for passages in placed for passage in passages)
        before = self.library.generation()
        self.library.publish(
            [
                Stored(
                    one.article,
                    one.fingerprint,
                    passages,
                    one.provenance,
                    one.raw,
                    one.keys,
                    one.origin,
                    one.left,
                    one.amendments,
                )
                for one, passages in zip(prepared, placed, strict=True)
            ]
        )
        self._seen(before)

    def revive(self, article_ids: Sequence[str]) -> None:
        """Takes removed articles into what is searched again; to be called inside `writing`."""
        for article_id in article_ids:
            version = self.library.next_version(article_id) - 1
            self._index_vectors(one.vector for one in self.library.placed(article_id, version))
        before = self.library.generation()
        self.library.revive(article_ids)
        self._seen(before)

    def _index_vectors(self, wanted: Iterable[str]) -> None:
        """Puts stored vectors into the index."""
        names = list(dict.fromkeys(wanted))
        for start in range(0, len(names), BATCH):
            stored = self.library.vectors(names[start : start + BATCH])
            self._with_index(lambda index, stored=stored: index.add(stored))  # type: ignore[misc] # mypy on defaults

    def embed(self, texts: Mapping[str, str]) -> int:
        """Makes and stores the vectors of those named texts that have none yet; gives their number."""
        missing = sorted(self.library.missing(texts))
        if missing:
            vectors = self._embeddings.embed_documents([texts[name] for name in missing])
            self.library.store(
                {name: np.asarray(vector, np.float32) for name, vector in zip(missing, vectors, strict=True)}
            )
        return len(missing)

    def delete(self, article_ids: Sequence[str]) -> Deleted:
        """Deletes articles for good, their vectors and raw bytes with them; to be called inside `writing`.

        The index is made again from what is left, for Chroma keeps what is deleted on disk.
        """
        done = self.library.delete(article_ids)
        self._purge()
        return done

    def _purge(self) -> None:
        self.library.forget(self.library.unused_vectors())
        self.remake(self.library.embedding, self.library.indexed_vectors(BATCH), ())
        self.library.empty_log()

    def remake(
        self, embedding: str, vectors: Iterable[tuple[list[str], Vector]], renamed: Iterable[tuple[str, str]]
    ) -> None:
        """Makes an index of the given vectors in a folder of its own, and takes it into use in one commit.

        Until then the index in use answers. For `embedding` and `renamed` see `Library.switch`.
        """
        old, new = self._index_folder(), self.folder / f"chroma-{self.library.generation() + 1}"
        shutil.rmtree(new, ignore_errors=True)
        index = VectorIndex(new)
        for names, some in vectors:
            index.add(dict(zip(names, some, strict=True)))
        index.close()
        self.library.switch(embedding, new.name, renamed)
        with self._index_lock:
            if self._index:
                self._index.close()
                self._index = None
        shutil.rmtree(old, ignore_errors=True)

    def index_entries(self, batch: int) -> Iterator[tuple[list[str], Vector]]:
        """All that the index holds, `batch` at a time: (names, matrix), in no particular order."""
        count = self._with_index(VectorIndex.count)
        for start in range(0, count, batch):
            yield self._with_index(lambda index, start=start: index.entries(start, batch))  # type: ignore[misc]

    def _seen(self, before: int) -> None:
        """Notes that this process wrote itself what raised the generation: its Chroma client has seen it."""
        with self._index_lock:
            if self._index_generation == before:
                self._index_generation = before + 1

    def sweep(self) -> None:
        """Takes out what no live passage needs: old vectors in the index, leftovers of broken-off runs."""
        if self.library.purge_is_due():
            self._purge()
        # out of the index first: what the library has forgotten nobody would look for there
        if retired := self.library.retired_vectors():
            self._with_index(lambda index: index.remove(retired))
            self.library.unindex(retired)
        if unused := self.library.unused_vectors():
            self.library.forget(unused)
        if self._with_index(VectorIndex.count) > self.library.indexed():
            wanted = {name for names, _ in self.library.indexed_vectors(BATCH) for name in names}
            surplus = [name for names, _ in self.index_entries(BATCH) for name in names if name not in wanted]
            self._with_index(lambda index: index.remove(surplus))
        for folder in self.folder.glob("chroma*"):
            if folder.name != self.library.index_folder():
                shutil.rmtree(folder, ignore_errors=True)  # of a rebuild that was broken off, or of the index before it

    @staticmethod
    def texts(article: Article, placed: Placed) -> dict[str, str]:
        """What is embedded of a passage and of its sentences, by the names of their vectors."""
        spans = zip(placed.sentence_vectors, placed.passage.sentences, strict=True)
        return {placed.vector: passage_text(article, placed.passage)} | {
            name: article.text[span.start : span.end] for name, span in spans
        }

    def _place(self, article: Article, passage: Passage) -> Placed:
        return place(self.library.embedding, article, passage)

    @property
    def embeddings(self) -> Embeddings:
        """The model the vectors are made with."""
        return self._embeddings


def place(embedding: str, article: Article, passage: Passage) -> Placed:
    """The passage with the names of its vectors of the model `embedding`: digests of model and text."""

    def name(text: str) -> str:
        return hashlib.sha256(f"{embedding}\n{text}".encode()).hexdigest()[:32]

    sentences = tuple(name(article.text[span.start : span.end]) for span in passage.sentences)
    return Placed(passage, name(passage_text(article, passage)), sentences)


def passage_text(article: Article, passage: Passage) -> str:
    """What is embedded of a passage: the article's title, then its words."""
    words = article.text[passage.span.start : passage.span.end]
    return f"{article.title}\n{words}" if article.title else words


@contextmanager
def locked(folder: Path, wait_seconds: float) -> Iterator[None]:
    """Holds a data folder for this process's writes; BusyError names the holder if another has it for so long."""
    holder = folder / "writer.txt"
    lock = FileLock(folder / "writer.lock", is_singleton=True)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        who = holder.read_text("utf-8").strip() if holder.exists() else "another process"
        raise BusyError(f"{who} is writing to {folder}. Wait until it has finished, then try again.") from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        try:
            holder.write_text(f"Process {os.getpid()}", "utf-8")
        except OSError as error:
            raise unwritable(folder, error) from error
        yield
    finally:
        lock.release()
