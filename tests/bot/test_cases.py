"""The counted set: questions over the starter collection, asked once, and how many come out right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import Answer, Bot, Turn
from tests.conftest import SAMPLES
from tests.support.program import ROOT

pytestmark = pytest.mark.slow

CASES = ROOT / "tests" / "cases" / "samples.jsonl"
LEAST = 46  # of CASES: what the shipped weights reach, less the spread between trainings (docs/models.md)


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the user's earlier ones, and what should come of it: `quotes`, one of which is to be cited first.

    Without quotes it should not be answered.
    """

    id: str
    question: str
    turns: Sequence[str]
    lang: str
    status: str
    quotes: Sequence[str]

    def is_right(self, answer: Answer) -> bool:
        """Whether the answer is what it should be; one in part counts as none."""
        if self.status == "not_found":
            return answer.status != "answered"
        if answer.status != "answered":
            return False
        first = " ".join(answer.citations[0].quote.split())
        plain = [" ".join(quote.split()) for quote in self.quotes]
        return any(first in quote or quote in first for quote in plain)


@pytest.fixture(scope="session")
def asked(sample_data: Path) -> list[tuple[Case, Answer]]:
    """All cases and what was answered."""
    cases = [Case(**json.loads(line)) for line in CASES.read_text("utf-8").splitlines()]
    with Bot.open(sample_data, model="") as bot:
        return [(case, bot.ask(case.question, [Turn(turn, "") for turn in case.turns])) for case in cases]


def test_the_set_is_whole_and_its_quotes_stand_in_the_collection(asked: list[tuple[Case, Answer]]) -> None:
    assert len(asked) == len({case.id for case, _ in asked}) == 60
    texts = [" ".join(path.read_text("utf-8").split()) for path in SAMPLES.glob("*.md")]
    for case, _ in asked:
        assert (case.status == "answered") == bool(case.quotes), case.id
        for quote in case.quotes:
            assert any(" ".join(quote.split()) in text for text in texts), (case.id, quote)


def test_at_least_as_many_come_out_right_as_were_counted(asked: list[tuple[Case, Answer]]) -> None:
    wrong = [case.id for case, answer in asked if not case.is_right(answer)]
    right = len(asked) - len(wrong)
    assert right >= LEAST, f"{right} of {len(asked)} are right; wrong are {', '.join(wrong)}"


def test_every_citation_is_exact_and_every_short_answer_stands_in_its_quote(asked: list[tuple[Case, Answer]]) -> None:
    for case, answer in asked:
        for cited in (*answer.citations, *answer.closest_passages):
            assert cited.article.text[cited.start : cited.end] == cited.quote, case.id
            assert cited.quote.strip(), case.id
        assert [one.number for one in answer.citations] == list(range(1, len(answer.citations) + 1)), case.id
        assert (answer.status == "not_found") == (not answer.citations), case.id
        if short := answer.short:
            assert short.text.strip(), case.id
            assert answer.citations[short.citation - 1].quote[short.start : short.end] == short.text, case.id
