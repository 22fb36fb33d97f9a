"""The passage with the answer: how high the search ranks it.

Collections of articles with questions, each as a library of its own and among our own articles of the training data.
Beside the product's search, in the same run and over the same passages: the same hits ranked by the reader, the vectors
alone, full text alone (BM25), and the vectors of the embedding model as it was before training.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.figures import share
from benchmarks.reading import own_folder
from benchmarks.results import report
from benchmarks.retrieval import filled, lines
from bot.bot import HISTORY_TURNS
from bot.reading import read
from encoder import ORIGINAL, E5Embeddings, Reader
from encoder.weights import Vectors
from ingest import update
from training.collections import articles_of, overlap
from training.data import lines as all_lines
from vectorstore import NameTable, Query, Store, load_settings
from vectorstore.passage_table import passage_text
from vectorstore.search import search
from vectorstore.terms import terms

DEPTH = 20
FIRST = (1, 10, 20)
Ranking = Callable[[Query], list[str]]  # texts of passages, best first


class Original:
    """Passages ranked by the vectors of the original model alone; the vectors are kept from store to store."""

    def __init__(self, cache: Path) -> None:
        self._model = E5Embeddings(ORIGINAL, cache, os.cpu_count() or 1)
        self._known: dict[str, Vectors] = {}

    def ranking(self, store: Store) -> Ranking:
        """The ranking of a store's passages."""
        texts, passages = [], []
        for article in list(store.library.articles()):
            for _, span, _ in store.library.passages.of_version(article.id, article.version):
                texts.append(passage_text(article, span))
                passages.append(article.text[span.start : span.end])
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(fresh, np.array(self._model.embed_documents(fresh), np.float32), strict=True)
        matrix = np.stack([self._known[text] for text in texts])

        def rank(query: Query) -> list[str]:
            cosines = matrix @ np.array(self._model.embed_query(query.text), np.float32)
            return [passages[place] for place in np.argsort(-cosines, kind="stable")[:DEPTH]]

        return rank


def rankings(store: Store, original: Original, reader: Reader) -> dict[str, Ranking]:
    """The ways to rank the passages of a store."""
    names = NameTable.open(None)

    def texts(passages: Sequence[int]) -> list[str]:
        stored = store.library.passages.by_id(passages)
        return [passage.article.text[passage.span.start : passage.span.end] for passage in stored]

    def vectors(query: Query) -> list[str]:
        return texts([passage for passage, _ in store.nearest(store.embed_query(query.text), DEPTH)])

    def bm25(query: Query) -> list[str]:
        matches = store.library.fulltext.match(terms(query.text), DEPTH, postings=sys.maxsize)
        return texts([passage for passage, _ in matches])

    def read_anew(query: Query) -> list[str]:
        hits = search(store, query, DEPTH, names=names)
        return [hit.text for hit in read(reader, query.question, query.earlier, hits).best_hits]

    return {
        "the product, ranked by its reader": read_anew,
        "the product": lambda query: [hit.text for hit in search(store, query, DEPTH, names=names)],
        "vectors alone": vectors,
        "BM25 alone": bm25,
        "original vectors alone": original.ranking(store),
    }


def own_rows(folder: Path) -> Iterator[dict[str, str]]:
    """Our own articles as JSON Lines that `ingest` takes."""
    for one in all_lines(folder / "own"):
        begins = [*one["paragraphs"], len(one["sentences"])]
        paragraphs = [one["sentences"][start:end] for start, end in zip([0, *begins], begins, strict=False)]
        text = "\n\n".join(" ".join(some) for some in paragraphs if some)
        yield {name: one[name] for name in ("id", "title", "lang", "publisher", "published")} | {"text": text}


def _places(rank: Ranking, asked: Sequence[dict[str, Any]]) -> list[int]:
    """How many passages stand before the first with a gold quote, for each question; DEPTH if there is none."""
    return [
        next(
            (
                place
                for place, text in enumerate(rank(Query(one["question"], tuple(one["turns"])[-HISTORY_TURNS:])))
                if any(overlap(gold, text) for gold in one["gold_quotes"])
            ),
            DEPTH,
        )
        for one in asked
    ]


def run(shared: Path, cache: Path, collections: Sequence[Path] = ()) -> None:
    """Asks each collection's questions, of it alone and among our own articles."""
    folders = collections or sorted(one.parent for one in (shared / "collections").glob("*/questions.jsonl"))
    filled(cache / "own", own_rows(own_folder(shared))).close()
    original = Original(load_settings(None).cache_dir)
    reader = Reader(load_settings(None).cache_dir, os.cpu_count() or 1)
    rows: list[list[object]] = []
    with TemporaryDirectory() as scratch:
        for folder in folders:
            every = lines(folder / "questions.jsonl")
            source = articles_of(folder)
            asked = [one for one in every if not one["must_abstain"] and one["gold_quotes"]]
            for among in (False, True):
                data = Path(scratch) / f"{folder.name}-{among}"
                if among:
                    shutil.copytree(cache / "own" / "data", data)
                failed = update([source], data=data).failed
                assert not failed, failed[:3]
                store = Store.open(load_settings(data), create=False)
                library = f"{folder.name}, {store.library.catalogue.coverage().articles:,} articles"
                for way, rank in rankings(store, original, reader).items():
                    places = _places(rank, asked)
                    shares = [share(place < least for place in places) for least in FIRST]
                    rows.append([library, way, len(asked), *shares])
                store.close()
    report(
        "hits",
        "the rank of the first passage with a gold quote",
        ["library", "", "questions", "first", *(f"among {least}" for least in FIRST[1:])],
        rows,
        "The questions that the articles answer, searched together with the earlier ones of their conversation. A "
        "passage has a gold quote that is a part of it, or six in ten of whose words it holds.",
    )
