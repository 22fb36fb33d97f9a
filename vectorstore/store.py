"""A data folder, open: library, dense index and embedding model together.

Knows the order of writes that makes a crash harmless: vectors into the library, then into the index, then one commit
that makes the versions live, then the old vectors out. Does not know where articles come from or how they are ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from langchain_core.embeddings import Embeddings

from vectorstore.article import Vector
from vectorstore.catalogue import LIVE, VersionFilter
from vectorstore.database import locked, require, stored_embedding
from vectorstore.embeddings import open_embeddings
from vectorstore.language_bias import language_means, shift_to_languages
from vectorstore.library import DeleteResult, Library, NewVersion
from vectorstore.library_index import LibraryIndex
from vectorstore.passage_table import embedded_passage, embedded_texts
from vectorstore.settings import Settings
from vectorstore.vectors import BATCH

VectorQuery = tuple[Vector, int]  # how many of the nearest to a vector
Nearest = list[tuple[int, float]]  # (passage id, cosine), best first

QUERIES = 512
# Where a filter leaves no more passages than this, or where the index would have to give more than REACH vectors for
# enough of them, their stored vectors are looked at one by one: 20 ms at 5,000.
EXACT = 2000
REACH = 2000
WIDEN_FACTOR = 4  # times what was asked for before, where too little of that is chosen


class Store:
    """One data folder. Searching is safe from any thread; one process at a time may write."""

    def __init__(self, folder: Path, *, name: str | None, embeddings: Embeddings, create: bool) -> None:
        """Opens the folder with an embedding model and the name its vectors are filed under.

        With the name None it is opened whatever model its vectors are of, to be looked after and not to be searched.
        A missing library is made if `create` says so. LibraryError if the folder can't be used.
        """
        self.folder = folder.absolute()
        self.embeddings = embeddings
        # a conversation's earlier questions come again with each new one
        self._queries = lru_cache(QUERIES)(lambda text: np.asarray(embeddings.embed_query(text), np.float32))
        self._means = lru_cache(1)(lambda: language_means(embeddings))
        self.library = Library(self.folder, name, create=create)
        self.index = LibraryIndex(self.library)

    @classmethod
    def open(cls, where: Settings, *, create: bool, any_model: bool = False) -> Self:
        """Opens the folder and the embedding model that the settings name; for `any_model` see the constructor.

        Of the built-in models it is the one whose vectors are there.
        """
        if not create:
            require(where.data)  # before the model is loaded
        name, embeddings = open_embeddings(where.embedding_model, where.cache_dir, stored=stored_embedding(where.data))
        return cls(where.data, name=None if any_model else name, embeddings=embeddings, create=create)

    def close(self) -> None:
        """Lets go of every file; what was published is on disk."""
        self.index.close()
        self.library.close()

    # reading

    def embed_query(self, text: str) -> Vector:
        """The unit vector of a question; not to be written to, for the last ones are kept."""
        return self._queries(text)

    def language_mean(self, lang: str) -> Vector:
        """Where texts of a language lie for their language alone; of one not known there, where texts of any lie.

        See `vectorstore.language_bias`; the sentences there are embedded when it is first asked for.
        """
        means = self._means()
        return means.get(lang, means[""])

    def cross_language_queries(self, vector: Vector, question: Vector, which: VersionFilter) -> list[Vector]:
        """A query's vector as it would be in each other language of what is chosen; empty where that is of one.

        `question` tells which language it is in.
        """
        langs = self.library.catalogue.languages(which)
        return shift_to_languages(self._means(), vector, question, langs) if len(langs) > 1 else []

    def nearest(self, vector: Vector, limit: int, which: VersionFilter = LIVE) -> Nearest:
        """(passage id, cosine) of the chosen passages nearest to `vector`, best first."""
        return self.start_nearest([(vector, limit)], which)()[0]

    def start_nearest(self, wanted: Sequence[VectorQuery], which: VersionFilter = LIVE) -> Callable[[], list[Nearest]]:
        """Begins `nearest` in another thread, for several vectors at once, each with its limit.

        What it gives waits for the results, in the caller's snapshot. The index knows no filters: it is asked for more
        than the limits, or, where little is chosen, not at all. Of all but the first vector fewer than are chosen may
        be found.
        """
        most = max(limit for _, limit in wanted)
        if which == LIVE:
            return self._indexed(wanted, most, which)
        chosen = self.library.catalogue.passage_count(which)
        reach = 2 * most * self.library.fulltext.totals()[0] // max(1, chosen)
        if chosen > EXACT and reach <= REACH:
            return self._indexed(wanted, reach, which)
        return lambda: self._exact(wanted, which)

    def _exact(self, wanted: Sequence[VectorQuery], which: VersionFilter) -> list[Nearest]:
        best: list[Nearest] = [[] for _ in wanted]
        for passages, vectors in self.library.vectors.chosen(which, BATCH):
            for place, (vector, limit) in enumerate(wanted):
                matches = [*best[place], *zip(passages, (vectors @ vector).tolist(), strict=True)]
                best[place] = sorted(matches, key=lambda match: -match[1])[:limit]
        return best

    def _indexed(self, wanted: Sequence[VectorQuery], reach: int, which: VersionFilter) -> Callable[[], list[Nearest]]:
        """The nearest of what the index gives; it may hold much that is not chosen, or that was replaced since."""
        vectors = np.stack([vector for vector, _ in wanted])
        first = self.index.start_nearest(vectors, reach)

        def found() -> list[Nearest]:
            asked, near = reach, first.result()
            while True:
                names = list({name for matches in near for name, _ in matches})
                owners = self.library.passages.by_vector(names, which)
                passages = [
                    [(passage, cosine) for name, cosine in matches for passage in owners.get(name, ())][:limit]
                    for matches, (_, limit) in zip(near, wanted, strict=True)
                ]
                if len(passages[0]) >= wanted[0][1] or len(near[0]) < asked:
                    return passages
                if asked * WIDEN_FACTOR > REACH:
                    return self._exact(wanted, which)
                asked *= WIDEN_FACTOR
                near = self.index.start_nearest(vectors, asked).result()

        return found

    # writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the folder for this process's writes; LibraryError names the holder if another has it."""
        with locked(self.folder), self.library.unmapped():
            yield

    def publish(self, versions: Sequence[NewVersion]) -> None:
        """Makes the articles live, each whole or not at all; to be called inside `writing`."""
        model = self.library.embedding
        embedded = [[embedded_passage(model, new.article, passage) for passage in new.passages] for new in versions]
        texts: dict[str, str] = {}
        for new, passages in zip(versions, embedded, strict=True):
            for passage in passages:
                texts |= embedded_texts(new.article, passage)
        self._embed(texts)
        self.index.add(passage.vector for passages in embedded for passage in passages)
        before = self.library.generation()
        self.library.publish(versions, embedded)
        self.index.wrote(before)

    def _embed(self, texts: Mapping[str, str]) -> None:
        """Makes and stores the vectors of those named texts that have none yet."""
        missing = sorted(self.library.vectors.missing(texts))
        if missing:
            vectors = self.embeddings.embed_documents([texts[name] for name in missing])
            self.library.vectors.store(
                {name: np.asarray(vector, np.float32) for name, vector in zip(missing, vectors, strict=True)}
            )

    def reinstate(self, article_ids: Sequence[str]) -> None:
        """Takes removed articles into what is searched again; to be called inside `writing`."""
        for article_id in article_ids:
            version = self.library.next_version(article_id) - 1
            self.index.add(vector for _, _, vector in self.library.passages.of_version(article_id, version))
        before = self.library.generation()
        self.library.reinstate(article_ids)
        self.index.wrote(before)

    def delete(self, article_ids: Sequence[str]) -> DeleteResult:
        """Deletes articles for good, their vectors and raw bytes with them; to be called inside `writing`.

        The index is rebuilt from what is left, for Chroma keeps what is deleted on disk.
        """
        deleted = self.library.delete(article_ids)
        self._purge()
        return deleted

    def _purge(self) -> None:
        vectors = self.library.vectors
        vectors.delete(vectors.unused())
        self.index.rebuild(self.library.embedding, vectors.indexed(BATCH), ())
        self.library.checkpoint_wal()

    def collect_garbage(self) -> None:
        """Takes out what no live passage needs: old vectors in the index, leftovers of broken-off runs."""
        if self.library.purge_pending():
            self._purge()
        vectors = self.library.vectors
        # out of the index first: what the library has forgotten nobody would look for there
        if retired := vectors.retired():
            self.index.remove(retired)
            vectors.unindex(retired)
        if unused := vectors.unused():
            vectors.delete(unused)
        self.index.remove_leftovers()
