"""Where sources differ: other numbers or dates told of the same thing.

Knows the words of sentences that answer one question, as the reader marked them. Does not know how they were found, nor
which of them is right. Things that only look alike stay apart: another time, a total beside a part, "more than 120"
beside 123.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.reading import Calibration, Candidate
from language import all_words, alternation, word_list, words_by_key
from vectorstore import published_span, strip_times

MAX_VALUES = 4  # accounts
SAME_TIME = timedelta(days=20)  # between the times of two accounts of one thing
ROUGH_SHARE = 0.2  # of the greater number, by which "more than 100" or "about 100" may differ from another
LARGEST_WORD = 1000  # a number that is one word
NEAR_LETTERS = 60  # between a number and the word it belongs to
WORDS = {
    word: int(value)
    for name in ("cardinals", "magnitudes")
    for value, listed in words_by_key(name).items()
    if int(value) <= LARGEST_WORD
    for word in listed
}
ROUGHLY = alternation(all_words("bounds"))
FIGURE = re.compile(
    rf"(?P<roughly>\b(?:{ROUGHLY})\s+(?:an?\s+)?)?(?P<number>(?<![\w.,])\d{{1,3}}(?:[ ,\u00a0]\d{{3}})+\b|"
    rf"(?<![\w.,№])\d+(?:\.\d+)?\b|\b(?:{alternation(WORDS)})\b)(?!-(?:{alternation(word_list('ages', 'words'))})|%)",
    re.I,
)
NAMED_NUMBER = re.compile(rf"(?<!\w)(?:{alternation(word_list('named_numbers', 'words'))})\s*$", re.I)
SUM, SUM_SINCE = (alternation(word_list("totals", key)) for key in ("words", "since"))
TOTAL = re.compile(rf"\b(?:(?:{SUM_SINCE}) (?:19|20)\d\d|{SUM})\b", re.I)
CORRECTS = re.compile(rf"\b(?:{alternation(word_list('corrections', 'words'))})\b", re.I)


@dataclass(frozen=True, slots=True)
class ExtractedValue:
    """A value and the first sentence that gives it; `corrects`: it says that it puts an earlier account right."""

    value: str
    candidate: Candidate
    corrects: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Accounts that differ, at least two, in a number or a date; the best sentence's first."""

    about: Literal["number", "date"]
    values: tuple[ExtractedValue, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """What a sentence answers: as told, as a number (of a day its ordinal), and whether it is exact."""

    text: str
    number: float
    exact: bool


def find_conflict(ranked: Sequence[Candidate], fitted: Calibration) -> Conflict | None:
    """The accounts that differ; None if the sentences, best first, agree.

    The words by which the best one answers say whether numbers or days are compared. Sentences that are less likely to
    answer than what is quoted give no account. One source has one: of an article and its reprints, the first.
    """
    likely = [
        candidate
        for candidate in ranked
        if candidate.probability >= fitted.quoted and candidate.scores.span >= fitted.short
    ]
    if not likely or likely[0] is not ranked[0]:
        return None
    about: Literal["number", "date"] = "date" if _day(likely[0]) else "number"
    value, clash = (_day, _days_conflict) if about == "date" else (_number, _numbers_conflict)
    found = _distinct_values(likely, value, clash)
    return Conflict(about, tuple(found)) if len(found) > 1 else None


def _distinct_values(
    likely: Sequence[Candidate],
    value: Callable[[Candidate], _Value | None],
    conflicts: Callable[[_Value, _Value], bool],
) -> list[ExtractedValue]:
    """The best sentence's value, and those of the others that clash with all before them, of the same time."""
    sources: set[str] = set()
    kept: list[tuple[_Value, Candidate]] = []
    for candidate in likely:
        found = value(candidate)
        if not found and not kept:
            return []  # what answers best gives no such value
        if not found or candidate.hit.article.id in sources:
            continue
        sources |= {candidate.hit.article.id, *(copy.id for copy in candidate.hit.reprints)}
        same = not kept or _same_time(kept[0][1], candidate)
        if same and len(kept) < MAX_VALUES and all(conflicts(other, found) for other, _ in kept):
            kept.append((found, candidate))
    return [
        ExtractedValue(
            found.text, candidate, any(_corrects(candidate, other) for _, other in kept if other is not candidate)
        )
        for found, candidate in kept
    ]


def _words(candidate: Candidate) -> str:
    return candidate.hit.article.text[candidate.words.start : candidate.words.end]


def _number(candidate: Candidate) -> _Value | None:
    """The only number among the words that answer."""
    text = strip_times(_words(candidate))
    found = list(FIGURE.finditer(text))
    if len(found) != 1 or TOTAL.search(candidate.text) or NAMED_NUMBER.search(_before(candidate, found[0])):
        return None
    digits = re.sub(r"[ ,\u00a0]", "", found[0]["number"])
    value = float(digits) if digits[0].isdigit() else float(WORDS[digits.lower()])
    return _Value(" ".join(_words(candidate).split()), value, not found[0]["roughly"])


def _before(candidate: Candidate, number: re.Match[str]) -> str:
    """What stands before a number in its sentence: "General License" makes 13 a name."""
    words = strip_times(_words(candidate))[: number.start("number")]
    return candidate.hit.article.text[candidate.sentence.span.start : candidate.words.start] + words


def _day(candidate: Candidate) -> _Value | None:
    """The day that the words that answer name."""
    text, words = candidate.hit.article.text, candidate.words
    for time in candidate.sentence.times:
        if time.start_date == time.end_date and time.span.overlaps(words):
            words_of_day = text[time.span.start : time.span.end]
            return _Value(
                f"{words_of_day} ({time.start_date})" if time.inferred else words_of_day,
                float(time.start_date.toordinal()),
                True,
            )
    return None


def _days_conflict(first: _Value, second: _Value) -> bool:
    return first.number != second.number


def _numbers_conflict(first: _Value, second: _Value) -> bool:
    """Whether two numbers can't both be right: "more than 120" and 123 can, 114 and 104 can't."""
    if first.number == second.number:
        return False
    if first.exact and second.exact:
        return True
    return abs(first.number - second.number) > ROUGH_SHARE * max(first.number, second.number)


def _corrects(later: Candidate, earlier: Candidate) -> bool:
    """Whether the later of two says that it puts an earlier report right, and is of a later day."""
    before, after = earlier.hit.article.published, later.hit.article.published
    if not (before and after and CORRECTS.search(later.hit.text)):
        return False
    return published_span(after)[0] > published_span(before)[1]


def _same_time(first: Candidate, second: Candidate) -> bool:
    one_period, other_period = _period(first), _period(second)
    if not one_period or not other_period:
        return True
    return one_period[0] - SAME_TIME <= other_period[1] and other_period[0] - SAME_TIME <= one_period[1]


def _period(candidate: Candidate) -> tuple[date, date] | None:
    """When what it tells happened, as far as that is known: the time it names, else that of publication."""
    if candidate.sentence.times:
        return candidate.sentence.times[0].start_date, candidate.sentence.times[0].end_date
    published = candidate.hit.article.published
    return published_span(published) if published else None


def extract_number(sentence: str, near: Iterable[str], question: str) -> tuple[str, float, bool] | None:
    """The number of a sentence nearest to one of the words `near`: as told, its value, and whether it is exact.

    None if there is none, or it is a total and the question asks for a part. Numbers of the question are none.
    """
    text = strip_times(sentence)
    if TOTAL.search(text) and not TOTAL.search(question):
        return None
    asked = set(re.findall(r"\d+", question))
    spots = [match.start() for word in near for match in re.finditer(rf"\b{re.escape(word)}", text, re.I)]
    numbers = []
    for match in FIGURE.finditer(text):
        digits = re.sub(r"[ ,\u00a0]", "", match["number"])
        if digits in asked or NAMED_NUMBER.search(text[: match.start("number")]):
            continue
        value = float(digits) if digits[0].isdigit() else float(WORDS[digits.lower()])
        distance = min((abs(spot - match.start("number")) for spot in spots), default=NEAR_LETTERS + 1)
        if distance <= NEAR_LETTERS:
            numbers.append((distance, (" ".join(match[0].split()), value, not match["roughly"])))
    return min(numbers, key=lambda number: number[0])[1] if numbers else None
