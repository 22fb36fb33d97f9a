"""What the reader makes of the hits: how likely each sentence answers, and whether any does.

Knows the regressions that turn the reader's logits into probabilities (`calibration.json`, fitted by
`python -m training calibrate`). Does not know how passages are found, or which sentences are shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoder import PassageScores, Reader, SentenceScores, Text, source_line
from vectorstore import Article, Hit, Sentence, Span

CALIBRATION = Path(__file__).with_name("calibration.json")
Features = NDArray[np.float64]
BEST_SENTENCES = 3  # sentences that a question's features look at


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a hit, as it was read.

    `score` orders the candidates of a question (a logit: it answers, or corrects what the question presumes).
    `probability` is the probability of that by itself, 0 to 1.
    """

    hit: Hit
    sentence: Sentence
    scores: SentenceScores
    passage: PassageScores
    score: float

    @property
    def probability(self) -> float:
        """The probability that the sentence answers, or corrects the question."""
        return _share(self.score)

    @property
    def text(self) -> str:
        """The sentence, word for word."""
        return self.hit.article.text[self.sentence.span.start : self.sentence.span.end]

    @property
    def corrects(self) -> bool:
        """Whether it corrects what the question takes for granted rather than answers."""
        return self.scores.corrects > self.scores.answers

    @property
    def words(self) -> Span:
        """The characters of the article that answer best."""
        start = self.sentence.span.start
        return Span(start + self.scores.start, start + self.scores.end)


@dataclass(frozen=True, slots=True)
class Reading:
    """The hits of a question, in the order of the search, read: `candidates` are their sentences, best first.

    `answerable` is the probability that any candidate answers or corrects the question; 0 without candidates.
    """

    candidates: tuple[Candidate, ...]
    answerable: float
    hits: tuple[Hit, ...]

    @property
    def passages_read(self) -> int:
        """How many passages were read."""
        return len(self.hits)

    def probability(self, hit: Hit, span: Span) -> float:
        """The probability that a stretch of a hit answers: of the best sentence it has a part of; 0 without one."""
        return max(
            (
                candidate.probability
                for candidate in self.candidates
                if candidate.hit.article.id == hit.article.id and candidate.sentence.span.overlaps(span)
            ),
            default=0.0,
        )

    @property
    def best_hits(self) -> list[Hit]:
        """The passages in the order of their best candidates, those without any last."""
        first: dict[tuple[str, Span], int] = {}
        for place, candidate in enumerate(self.candidates):
            first.setdefault((candidate.hit.article.id, candidate.hit.span), place)
        return sorted(self.hits, key=lambda hit: first.get((hit.article.id, hit.span), len(self.candidates)))


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression: weights of features by name, and the intercept."""

    weights: Mapping[str, float]
    intercept: float

    def logits(self, features: Mapping[str, Features]) -> Features:
        """The logit for each row of the features."""
        total = sum((weight * features[name] for name, weight in self.weights.items()), np.zeros(()))
        return np.asarray(total + self.intercept, np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted: the two regressions, and the least probabilities of each status.

    Of at least `answered` an answer is answered, of at least `partial` it is in part. Beside the best sentence others
    are quoted from `quoted` on; a short answer has at least a span's logit of `short`, a verdict `verdict`. Of what a
    chat model quotes, a sentence has at least `bears`, and what it claims is proved by it with at least `proves`.
    """

    sentence: Regression
    answerable: Regression
    answered: float
    partial: float
    quoted: float
    short: float
    verdict: float
    bears: float
    proves: float


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    """The fitted numbers that are kept beside this file."""
    kept = json.loads(CALIBRATION.read_text("utf-8"))
    fitted = (Regression(kept[name]["weights"], kept[name]["intercept"]) for name in ("sentence", "answerable"))
    sentence, answerable = fitted
    limits = kept["thresholds"]
    return Calibration(sentence, answerable, **{name: float(value) for name, value in limits.items()})


def read(reader: Reader, question: str, turns: Sequence[str], hits: Sequence[Hit]) -> Reading:
    """Reads hits with a question and the user's earlier ones, oldest first."""
    return build_reading(hits, scores(reader, question, turns, hits), calibration())


def scores(reader: Reader, question: str, turns: Sequence[str], hits: Sequence[Hit]) -> list[PassageScores]:
    """What the reader says of each hit."""
    texts = [
        Text(
            article_source(hit.article),
            tuple(hit.article.text[sentence.span.start : sentence.span.end] for sentence in hit.sentences),
        )
        for hit in hits
    ]
    return reader.read(question, turns, texts)


def article_source(article: Article) -> str:
    """What the reader is told of an article."""
    return source_line(article.title, article.publisher, article.published)


def build_reading(hits: Sequence[Hit], passages: Sequence[PassageScores], fitted: Calibration) -> Reading:
    """The reading that the reader's scores of each hit come to."""
    features = sentence_features(hits, passages)
    quotable = np.array([sentence.quotable for hit in hits for sentence in hit.sentences], bool)
    if not quotable.size:
        return Reading((), 0.0, tuple(hits))
    logits = fitted.sentence.logits(features)
    places = [
        (hit, passage, number)
        for hit, passage in zip(hits, passages, strict=True)
        for number in range(len(hit.sentences))
    ]
    candidates = [
        Candidate(hit, hit.sentences[number], passage.sentences[number], passage, score)
        for (hit, passage, number), score in zip(places, logits.tolist(), strict=True)
    ]
    ranked = tuple(sorted(candidates, key=lambda candidate: -candidate.score))
    if not quotable.any():
        return Reading(ranked, 0.0, tuple(hits))
    quotable_features = {
        name: values[quotable] for name, values in features.items()
    }  # what a heading says is no answer
    answerable = float(fitted.answerable.logits(question_features(logits[quotable], quotable_features)))
    return Reading(ranked, _share(answerable), tuple(hits))


def sentence_features(hits: Sequence[Hit], passages: Sequence[PassageScores]) -> dict[str, Features]:
    """The features of every sentence of the hits, in their order: arrays of one length.

    `answers`, `corrects`, `span` and `passage` are the reader's logits, `supports` is its probability of "yes"; `above`
    is `answers` and `near` the cosine to the question, less the mean of all and over their spread; `found` is the
    search's score of the hit, the same way; `rank` is its place, from 0.
    """
    sentences = [scores for passage in passages for scores in passage.sentences]
    cosines = np.array([sentence.cosine for hit in hits for sentence in hit.sentences], np.float64)
    answers = np.array([scores.answers for scores in sentences], np.float64)
    counts = [len(hit.sentences) for hit in hits]
    return {
        "answers": answers,
        "corrects": np.array([scores.corrects for scores in sentences], np.float64),
        "span": np.array([scores.span for scores in sentences], np.float64),
        "passage": np.repeat(np.array([scores.answerable for scores in passages], np.float64), counts),
        "supports": np.repeat(np.array([scores.relation[0] for scores in passages], np.float64), counts),
        "above": _standard(answers),
        "near": _standard(cosines),
        "found": np.repeat(_standard(np.array([hit.score for hit in hits], np.float64)), counts),
        "rank": np.repeat(np.arange(len(hits), dtype=np.float64), counts),
    }


def question_features(scores: Features, features: Mapping[str, Features]) -> dict[str, Features]:
    """The features of a whole question, from the sentences' scores and features: an array of one number each."""
    order = np.argsort(-scores, kind="stable")
    best = order[0]
    return {
        "best": scores[best],
        "next": scores[order[1]] if len(order) > 1 else scores[best],
        "mean": scores[order[:BEST_SENTENCES]].mean(),
        "answers": features["answers"].max(),
        "corrects": features["corrects"].max(),
        "span": features["span"].max(),
        "own span": features["span"][best],
        "passage": features["passage"].max(),
        "own passage": features["passage"][best],
        "mean passage": features["passage"].mean(),
        "above": features["above"].max(),
        "near": features["near"][best],
        "nearest": features["near"].max(),
        "supports": features["supports"][best],
    }


def _standard(values: Features) -> Features:
    spread = values.std() if values.size else 0.0
    return (values - values.mean()) / spread if spread else np.zeros_like(values)


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))
