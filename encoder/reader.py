"""The reader: which sentences of a passage answer a question, with which words, and what follows for a claim.

Knows windows and the graph's outputs. Does not know articles, thresholds or what becomes of a score: those are logits,
which grow with the likelihood and mean nothing by themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from encoder.engine import Engine, vocabulary
from encoder.packing import ASK, CLAIM, Piece, Window, arrays, windows
from encoder.weights import Vectors

READER = "viadoma-reader/3"  # raise it with the weights
FILE = Path(__file__).with_name("reader.onnx")
TOKENS_PER_BATCH = 2048  # rows times longest row
SPAN_TOKENS = 24  # the longest short answer
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A passage to be read: its article's `source_line` and its sentences, in reading order."""

    source: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SentenceScores:
    """What the reader says of a sentence: logits that it answers, and that it corrects what the question presumes.

    `start` to `end` are the characters of the sentence that answer best, `span` is the logit of that over "nothing
    answers"; an empty sentence has no characters.
    """

    answers: float
    corrects: float
    start: int
    end: int
    span: float


@dataclass(frozen=True, slots=True)
class PassageScores:
    """What the reader says of a passage: the logit that anything in it answers, and its sentences' scores, in order.

    `relation` are the probabilities that it supports, contradicts and does not settle the statement; of a question,
    that the answer is yes, no, or open.
    """

    answerable: float
    relation: tuple[float, float, float]
    sentences: tuple[SentenceScores, ...]


def source_line(title: str, publisher: str, published: str) -> str:
    """What the reader is told of an article: "Publisher, 13 December 2025: Title", as far as it is known.

    `published` is an ISO 8601 date of any exactness; its month is a word, as in the questions, in English for all.
    """
    year, month, day = (*published.split("-"), "", "")[:3]
    written = " ".join(filter(None, [day.lstrip("0"), MONTHS[int(month) - 1] if month else "", year]))
    return ": ".join(filter(None, [", ".join(filter(None, [publisher, written])), title]))


NOTHING = SentenceScores(-20.0, -20.0, 0, 0, -20.0)


class Reader:
    """Reads on `threads` cores, one batch at a time; `cache` as in `E5Embeddings`. Safe to use from several threads.

    `waiting` is how many threads read or wait to.
    """

    name = READER

    def __init__(self, cache: Path, threads: int) -> None:
        self._vocabulary = vocabulary(cache)
        self._engine = Engine(lambda: FILE, threads)
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self.waiting = 0

    def read(self, question: str, turns: Sequence[str], texts: Sequence[Text]) -> list[PassageScores]:
        """Reads passages with a question and the user's earlier ones, oldest first; in the order of `texts`."""
        return self._read(ASK + question, turns, texts)

    def check(self, claim: str, texts: Sequence[Text]) -> list[PassageScores]:
        """Reads passages with a statement: a sentence's `answers` is the logit that it is evidence."""
        return self._read(CLAIM + claim, (), texts)

    def _read(self, asked: str, turns: Sequence[str], texts: Sequence[Text]) -> list[PassageScores]:
        tokens, weights = self._vocabulary.tokens, self._vocabulary.weights
        question, earlier = tokens.numbers(asked), [tokens.numbers(turn) for turn in turns]
        placed = [[tokens.placed(sentence) for sentence in text.sentences] for text in texts]
        rows: list[tuple[int, Window]] = []
        for place, text in enumerate(texts):
            numbers = [ids for ids, _ in placed[place]]
            text_windows = windows(question, earlier, tokens.numbers(text.source), numbers, weights.bos, weights.eos)
            rows += ((place, window) for window in text_windows)
        rows.sort(key=lambda row: len(row[1].tokens))
        gathered = [_Gathered(len(text.sentences)) for text in texts]
        with self._count:
            self.waiting += 1
        try:
            batch: list[tuple[int, Window]] = []
            for row in rows:
                if batch and (len(batch) + 1) * len(row[1].tokens) > TOKENS_PER_BATCH:
                    self._run(batch, placed, gathered)
                    batch = []
                batch.append(row)
            if batch:
                self._run(batch, placed, gathered)
        finally:
            with self._count:
                self.waiting -= 1
        return [passage.whole() for passage in gathered]

    def _run(
        self,
        rows: Sequence[tuple[int, Window]],
        placed: Sequence[Sequence[tuple[list[int], list[tuple[int, int]]]]],
        gathered: Sequence[_Gathered],
    ) -> None:
        words, mask = self._vocabulary.batch([window.tokens for _, window in rows])
        parts, pooling = arrays([window for _, window in rows], mask.shape[1])
        with self._turn:
            spans, sentences, passage, relation = self._engine.run(words=words, mask=mask, parts=parts, pooling=pooling)
        for row, (place, window) in enumerate(rows):
            gathered[place].passage(float(passage[row].reshape(())), relation[row])
            for number, piece in enumerate(window.pieces):
                places = placed[place][piece.sentence][1]
                found = _span(spans[row], piece, places)
                answers, corrects = (float(score) for score in sentences[row, number])
                gathered[place].sentence(piece.sentence, SentenceScores(answers, corrects, *found))


class _Gathered:
    """A passage's scores, as its windows come in: each the best of all windows, the relation that settles most."""

    def __init__(self, sentences: int) -> None:
        self._answerable = NOTHING.answers
        self._relation = (0.0, 0.0, 1.0)
        self._sentences = [NOTHING] * sentences

    def passage(self, answerable: float, relation: Vectors) -> None:
        self._answerable = max(self._answerable, answerable)
        shares = np.exp(relation - relation.max())
        supports, contradicts, unsettled = (shares / shares.sum()).tolist()
        if unsettled < self._relation[2]:
            self._relation = supports, contradicts, unsettled

    def sentence(self, number: int, scores: SentenceScores) -> None:
        if scores.answers > self._sentences[number].answers:
            self._sentences[number] = scores

    def whole(self) -> PassageScores:
        return PassageScores(self._answerable, self._relation, tuple(self._sentences))


def _span(logits: Vectors, piece: Piece, places: Sequence[tuple[int, int]]) -> tuple[int, int, float]:
    """The best characters of a piece of a sentence, and how much likelier they are than nothing."""
    starts, ends = logits[piece.start : piece.end].T
    pairs = starts[:, None] + ends[None, :]
    inside = np.triu(np.ones_like(pairs)) * np.tri(len(starts), k=SPAN_TOKENS - 1)
    pairs = np.where(inside > 0, pairs, -np.inf)
    first, last = divmod(int(pairs.argmax()), len(starts))
    start, end = places[piece.offset + first][0], places[piece.offset + last][1]
    return start, end, float(pairs[first, last] - logits[0].sum())
