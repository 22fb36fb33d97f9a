"""Readings made by hand, and thresholds for whichever reader is shipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bot.reading import Calibration, Candidate, Reading, Regression, calibration
from encoder import PassageScores, SentenceScores
from vectorstore import Article, Hit, Sentence, Span, times

NEVER, HARDLY, SURELY = -9.0, -1.0, 9.0  # logits


FITTED = Calibration(
    sentence=Regression({"answers": 1.0}, 0.0),
    answerable=Regression({"best": 1.0}, 0.0),
    answered=0.6,
    partial=0.4,
    quoted=0.5,
    short=1.0,
    verdict=0.7,
    bears=0.0,
    proves=0.0,
)


@contextmanager
def answering_from(least: float) -> Iterator[None]:
    """Meanwhile what is so likely answers, whichever reader is shipped: with 0 whatever is found, with 2 nothing."""
    fitted = replace(calibration(), partial=least, answered=least)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.bot.calibration", lambda: fitted)
        yield


def hit(
    *sentences: str,
    name: str = "a",
    published: str = "2025-12-13",
    gap: str = " ",
    copies: Sequence[Article] = (),
) -> Hit:
    """An article that is one passage of these sentences, with the times they name; `gap` stands between them."""
    made: list[Sentence] = []
    text = ""
    for one in sentences:
        text += gap if text else ""
        own = tuple(times(one, len(text), published))
        made.append(Sentence(Span(len(text), len(text) + len(one)), 0.8, own))
        text += one
    article = Article(name, 1, f"{name}.txt", "", "", "", published, "en", "", text, "", "")
    return Hit(article, Span(0, len(text)), 1.0, 0.8, tuple(made), tuple(copies))


def candidate(
    found: Hit,
    place: int = 0,
    *,
    score: float = 2.0,
    words: str = "",
    span: float = 2.0,
    corrects: float = NEVER,
    relation: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Candidate:
    """A sentence of a hit, read: its score, the words that answer best (all, if none are given), and their logit."""
    sentence = found.sentences[place]
    text = found.article.text[sentence.span.start : sentence.span.end]
    start = text.index(words)
    scores = SentenceScores(score, corrects, start, start + len(words or text), span)
    return Candidate(found, sentence, scores, PassageScores(score, relation, (scores,)), score)


def reading(*candidates: Candidate, answerable: float = 0.9) -> Reading:
    """Candidates, best first, as `judged` would leave them."""
    ranked = tuple(sorted(candidates, key=lambda one: -one.score))
    hits = {one.hit.article.id: one.hit for one in candidates}
    return Reading(ranked, answerable, tuple(hits.values()))
