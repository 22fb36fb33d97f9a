"""The pack as batches of arrays.

Knows the pack's files and how rows become windows (by the functions that serve). Needs no torch.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoder.packing import Window, arrays, windows
from encoder.weights import Q4_0, Vectors, unpack

SORTED_TOGETHER = 640  # so many rows are sorted by length before they are cut into batches


@dataclass(frozen=True, slots=True)
class Row:
    """A window with its labels; `answers` and `corrects` by piece, `span` the first and last token or None."""

    window: Window
    answers: tuple[bool, ...]
    corrects: tuple[bool, ...]
    span: tuple[int, int] | None
    relation: int
    known: str
    claim: bool
    lang: str
    kind: str
    origin: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays (rows, tokens) or (rows, pieces); `pooling` (rows, pieces, tokens) takes means over pieces."""

    words: Vectors
    mask: NDArray[np.bool_]
    parts: NDArray[np.int64]
    pooling: Vectors
    rows: tuple[Row, ...]


class Pack:
    """What `prepare` wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        arrays = np.load(folder / "tokens.npz")
        self._tokens, self._begins = arrays["tokens"], arrays["begins"]
        self._vocabulary = arrays["vocabulary"]
        self._words = arrays["words"].view(Q4_0).reshape(len(self._vocabulary), -1)
        self._begin, self._end = (int(mark) for mark in arrays["marks"])

    def rows(self, file: str, shares: Mapping[str, float] | None = None, seed: int = 0) -> Iterator[Row]:
        """The rows of a file, of each group so large a share as `shares` names: it must name all; None takes all."""
        drawn = random.Random(seed)
        with gzip.open(self._folder / file, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if shares is None or drawn.random() < shares[row["group"]]:
                    yield from self._windows(row)

    def _text(self, number: int) -> list[int]:
        tokens: list[int] = self._tokens[self._begins[number] : self._begins[number + 1]].tolist()
        return tokens

    def _windows(self, row: Mapping[str, Any]) -> Iterator[Row]:
        sentences = [self._text(number) for number in row["s"]]
        source = self._text(row["h"]) if row["h"] >= 0 else []
        turns = [self._text(number) for number in row["t"]]
        found = windows(self._text(row["q"]), turns, source, sentences, self._begin, self._end)
        for window in found:
            answers = tuple(piece.sentence in row["a"] for piece in window.pieces)
            span = None
            for piece, answering in zip(window.pieces, answers, strict=True):
                if answering and "span" in row and row["span"][0] == piece.sentence:
                    start, end = (piece.start + token - piece.offset for token in row["span"][1:])
                    if piece.start <= start and end < piece.end:
                        span = start, end
            corrects = tuple(piece.sentence in row["c"] for piece in window.pieces)
            relation, known = row["r"], row["k"]
            if (
                len(found) > 1
            ):  # what a verdict rests on, or where an unmarked answer stands, may be in the other window
                relation = -1
                known = known if "s" in known else ""
            yield Row(
                window, answers, corrects, span, relation, known, row["claim"], row["lang"], row["kind"], row["origin"]
            )

    def batch(self, rows: Sequence[Row]) -> Batch:
        """The arrays of some rows, padded to the longest."""
        longest = max(len(row.window.tokens) for row in rows)
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.bool_)
        for place, row in enumerate(rows):
            count = len(row.window.tokens)
            ids[place, :count] = row.window.tokens
            mask[place, :count] = True
        places = np.searchsorted(self._vocabulary, ids)
        words = unpack(self._words[places], self._words.shape[1] * 32).reshape(*ids.shape, -1)
        parts, pooling = arrays([row.window for row in rows], longest)
        return Batch(words, mask, parts.astype(np.int64), pooling, tuple(rows))


def batched(rows: Sequence[Row], most_tokens: int, seed: int) -> list[list[Row]]:
    """The rows in random order, cut into batches of like length and at most so many tokens (padding counts)."""
    drawn = random.Random(seed)
    order = list(rows)
    drawn.shuffle(order)
    batches: list[list[Row]] = []
    for begin in range(0, len(order), SORTED_TOGETHER):
        open_batch: list[Row] = []
        for row in sorted(order[begin : begin + SORTED_TOGETHER], key=lambda row: len(row.window.tokens)):
            if open_batch and (len(open_batch) + 1) * len(row.window.tokens) > most_tokens:
                batches.append(open_batch)
                open_batch = []
            open_batch.append(row)
        batches.append(open_batch)
    drawn.shuffle(batches)
    return batches
