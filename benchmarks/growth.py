"""Growth: how long a search takes, and on what, as the library grows from a thousand passages to a million.

The text is synthetic: sentences of the realtimeqa articles, put together at random. The vectors are drawn at random
around those of its real passages (realtimeqa's store must be filled: `python -m benchmarks retrieval`), so nothing is
embedded but the questions. The store grows in place; a run that was stopped goes on, and what it measured is kept.
Beside the search, on the same index: a bare Chroma query for the ten nearest as `Collection.query` comes, and one for
their names and distances alone. Both find their files in memory, as far as they fit, as in a program that has run for a
while.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from langchain_core.embeddings import Embeddings
from tqdm import tqdm

from benchmarks.results import report
from benchmarks.retrieval import lines
from ingest.passages import passages
from vectorstore import Article, NameTable, NewVersion, Store, load_settings
from vectorstore.article import Vector
from vectorstore.embeddings import BUILT_IN, open_embeddings
from vectorstore.library import Library
from vectorstore.search import CANDIDATES, Query, search
from vectorstore.terms import terms
from vectorstore.vectors import COLLECTION

SIZES = [1_000, 10_000, 100_000, 1_000_000]
BASE = "10000"  # what the others are held against
QUESTIONS = 60
PARAGRAPHS = 12  # of an article, a passage each
BATCH_ARTICLES = 50
SPREAD = 0.4  # length of what is added to a real vector


class Drawn(Embeddings):
    """Vectors drawn around real ones, always the same for one text; questions are embedded by the built-in model."""

    def __init__(self, real: Vector, model: Embeddings) -> None:
        self._real = real
        self._model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Drawn vectors, a text each."""
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") for text in texts]
        draw = np.random.default_rng(seeds[0])
        noise = draw.standard_normal((len(texts), self._real.shape[1]), np.float32)
        made = self._real[np.array(seeds) % len(self._real)]
        made = made + SPREAD * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        vectors: list[list[float]] = (made / np.linalg.norm(made, axis=1, keepdims=True)).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """A real one."""
        return self._model.embed_query(text)


def article(number: int, sentences: list[str]) -> NewVersion:
    """An article of random sentences, the same for the same number."""
    draw = random.Random(number)
    text = "\n\n".join(" ".join(draw.choices(sentences, k=3)) for _ in range(PARAGRAPHS))
    made = Article(
        id=f"{number:012}",
        version=1,
        source=f"synthetic#{number}",
        title=draw.choice(sentences)[:60],
        url="",
        publisher=f"Paper {number % 50}",
        published=str(date(2020, 1, 1) + timedelta(days=draw.randrange(2000))),
        lang="en",
        note="",
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        ingested_at="2026-01-01T00:00:00+00:00",
    )
    return NewVersion(made, str(number), tuple(passages(text, "en")))


def grow(store: Store, size: int, sentences: list[str]) -> float:
    """Adds articles until there are that many passages; the seconds a thousand passages took (0 if none were added)."""
    have = before = store.library.fulltext.totals()[0]
    number = store.library.catalogue.coverage().articles
    start = time.perf_counter()
    with store.writing(), tqdm(total=size, initial=have, unit=" passages", desc=f"{size:,}") as bar:
        while have < size:
            batch = [article(number + more, sentences) for more in range(BATCH_ARTICLES)]
            store.publish(batch)
            number += len(batch)
            have = store.library.fulltext.totals()[0]
            bar.update(have - bar.n)
    return (time.perf_counter() - start) * 1000 / (have - before) if have > before else 0.0


def warm(folder: Path) -> None:
    """Reads every file of a folder once."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def milliseconds(run: Callable[[str], object], questions: list[str]) -> list[float]:
    """How long each question took."""
    taken = []
    for question in questions:
        start = time.perf_counter()
        run(question)
        taken.append((time.perf_counter() - start) * 1000)
    return taken


@contextmanager
def opened(folder: Path, real: Vector, cache: Path) -> Iterator[Store]:
    """The growing store."""
    name, model = open_embeddings(BUILT_IN, cache)
    store = Store(folder, name=f"drawn around {name}", embeddings=Drawn(real, model), create=True)
    try:
        yield store
    finally:
        store.close()


def run(shared: Path, cache: Path) -> None:
    """Grows a store and measures it at each size."""
    corpus = lines(shared / "bench" / "realtimeqa" / "corpus.jsonl")
    questions = [one["question"] for one in lines(shared / "bench" / "realtimeqa" / "queries.jsonl")][:QUESTIONS]
    sentences = [line for one in corpus for line in one["text"].split("\n") if 80 < len(line) < 250]
    name, _ = open_embeddings(BUILT_IN, load_settings(None).cache_dir)
    library = Library(cache / "realtimeqa" / "data", name, create=False)
    real = np.concatenate([vectors for _, vectors in library.vectors.indexed(10_000)])
    library.close()
    names = NameTable.open(None)
    kept = cache / "growth" / "rows.json"
    rows: dict[str, list[Any]] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    with opened(cache / "growth", real, load_settings(None).cache_dir) as store:
        for size in SIZES:
            if store.library.fulltext.totals()[0] > 1.5 * size:
                continue  # it had grown to this in a run before
            added = grow(store, size, sentences)
            warm(store.folder)
            vectors = {question: store.embed_query(question) for question in questions}

            folder = str(store.folder / store.library.index_folder())
            client = chromadb.PersistentClient(folder, chromadb.config.Settings(anonymized_telemetry=False))
            asked = client.get_collection(COLLECTION).query

            def bare(
                question: str, asked: Any = asked, vectors: dict[str, Vector] = vectors, **given: list[str]
            ) -> object:
                return asked(vectors[question][None], n_results=10, **given)

            ways: dict[str, Callable[[str], object]] = {
                "all": lambda question: search(store, Query(question), 10, names=names),
                "bare": bare,
                "barest": partial(bare, include=["distances"]),
                "dense": lambda question: store.nearest(store.embed_query(question), CANDIDATES),
                "words": lambda question: store.library.fulltext.match(terms(question), CANDIDATES),
            }
            for way in ways.values():
                milliseconds(way, questions[:5])
            # one after the other for each question, so that a slow moment of the machine strikes all of them
            taken = {way: list[float]() for way in ways}
            for question in questions:
                for kind, ask in ways.items():
                    taken[kind] += milliseconds(ask, [question])
            client.close()  # type: ignore[attr-defined] # every local client has it, the interface does not say so
            median = {way: statistics.median(times) for way, times in taken.items()}
            embedding = statistics.median(milliseconds(store.embeddings.embed_query, questions))
            base = median["all"] if str(size) == BASE else rows[BASE][1] if BASE in rows else None
            rows[str(size)] = [
                f"{store.library.fulltext.totals()[0]:,}",
                median["all"],
                sorted(taken["all"])[int(0.95 * len(questions))],
                median["dense"],
                median["words"],
                median["all"] - median["dense"] - median["words"],
                embedding,
                median["bare"],
                median["all"] / median["bare"],
                median["barest"],
                median["all"] / median["barest"],
                median["all"] / base if base else "",
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
                added,
            ]
            kept.write_text(json.dumps(rows), "utf-8")
            report(
                "growth",
                "searching a growing library",
                [
                    "passages",
                    "search without embedding, ms (median)",
                    "95th percentile",
                    "of it: vectors",
                    "full text",
                    "reading, names, fusion",
                    "embedding a question, ms",
                    "bare Chroma query, ms",
                    "search / bare",
                    "for names and distances alone, ms",
                    "search / that",
                    "search / that at 10,000",
                    "memory of the process at most, MB",
                    "adding 1,000 passages without embedding, s",
                ],
                list(rows.values()),
                "Synthetic text, vectors drawn around real ones; the times of a row were measured in turn, after its "
                "files were read once.",
            )
