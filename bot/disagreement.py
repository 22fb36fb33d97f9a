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
from vectorstore import published_span, without_times

MOST = 4  # accounts
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
class Told:
    """A value and the first sentence that gives it; `corrects`: it says that it puts an earlier account right."""

    value: str
    candidate: Candidate
    corrects: bool


@dataclass(frozen=True, slots=True)
class Differing:
    """Accounts that differ, at least two, in a number or a date; the best sentence's first."""

    about: Literal["number", "date"]
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """What a sentence answers: as told, as a number (of a day its ordinal), and whether it is exact."""

    told: str
    number: float
    exact: bool


def accounts(ranked: Sequence[Candidate], fitted: Calibration) -> Differing | None:
    """The accounts that differ; None if the sentences, best first, agree.

    The words by which the best one answers say whether numbers or days are compared. Sentences that are less likely to
    answer than what is quoted give no account. One source has one: of an article and its reprints, the first.
    """
    likely = [one for one in ranked if one.likely >= fitted.quoted and one.scores.span >= fitted.short]
    if not likely or likely[0] is not ranked[0]:
        return None
    about: Literal["number", "date"] = "date" if _day(likely[0]) else "number"
    value, clash = (_day, _other_day) if about == "date" else (_number, _clash)
    found = _apart(likely, value, clash)
    return Differing(about, tuple(found)) if len(found) > 1 else None


def _apart(
    likely: Sequence[Candidate],
    value: Callable[[Candidate], _Value | None],
    clash: Callable[[_Value, _Value], bool],
) -> list[Told]:
    """The best sentence's value, and those of the others that clash with all before them, of the same time."""
    sources: set[str] = set()
    kept: list[tuple[_Value, Candidate]] = []
    for one in likely:
        found = value(one)
        if not found and not kept:
            return []  # what answers best gives no such value
        if not found or one.hit.article.id in sources:
            continue
        sources |= {one.hit.article.id, *(copy.id for copy in one.hit.copies)}
        same = not kept or _same_time(kept[0][1], one)
        if same and len(kept) < MOST and all(clash(other, found) for other, _ in kept):
            kept.append((found, one))
    return [
        Told(found.told, one, any(_corrects(one, other) for _, other in kept if other is not one))
        for found, one in kept
    ]


def _words(candidate: Candidate) -> str:
    return candidate.hit.article.text[candidate.words.start : candidate.words.end]


def _number(candidate: Candidate) -> _Value | None:
    """The only number among the words that answer."""
    text = without_times(_words(candidate))
    found = list(FIGURE.finditer(text))
    if len(found) != 1 or TOTAL.search(candidate.text) or NAMED_NUMBER.search(_before(candidate, found[0])):
        return None
    digits = re.sub(r"[ ,\u00a0]", "", found[0]["number"])
    value = float(digits) if digits[0].isdigit() else float(WORDS[digits.lower()])
    return _Value(" ".join(_words(candidate).split()), value, not found[0]["roughly"])


def _before(candidate: Candidate, number: re.Match[str]) -> str:
    """What stands before a number in its sentence: "General License" makes 13 a name."""
    words = without_times(_words(candidate))[: number.start("number")]
    return candidate.hit.article.text[candidate.sentence.span.start : candidate.words.start] + words


def _day(candidate: Candidate) -> _Value | None:
    """The day that the words that answer name."""
    text, words = candidate.hit.article.text, candidate.words
    for time in candidate.sentence.times:
        if time.first == time.last and time.span.overlaps(words):
            told = text[time.span.start : time.span.end]
            return _Value(f"{told} ({time.first})" if time.reckoned else told, float(time.first.toordinal()), True)
    return None


def _other_day(one: _Value, other: _Value) -> bool:
    return one.number != other.number


def _clash(one: _Value, other: _Value) -> bool:
    """Whether two numbers can't both be right: "more than 120" and 123 can, 114 and 104 can't."""
    if one.number == other.number:
        return False
    if one.exact and other.exact:
        return True
    return abs(one.number - other.number) > ROUGH_SHARE * max(one.number, other.number)


def _corrects(one: Candidate, other: Candidate) -> bool:
    """Whether one says that it puts an earlier report right, and is of a later day than the other."""
    earlier, later = other.hit.article.published, one.hit.article.published
    if not (earlier and later and CORRECTS.search(one.hit.text)):
        return False
    return published_span(later)[0] > published_span(earlier)[1]


def _same_time(one: Candidate, other: Candidate) -> bool:
    first, second = _period(one), _period(other)
    if not first or not second:
        return True
    return first[0] - SAME_TIME <= second[1] and second[0] - SAME_TIME <= first[1]


def _period(candidate: Candidate) -> tuple[date, date] | None:
    """When what it tells happened, as far as that is known: the time it names, else that of publication."""
    if candidate.sentence.times:
        return candidate.sentence.times[0].first, candidate.sentence.times[0].last
    published = candidate.hit.article.published
    return published_span(published) if published else None


def figure(sentence: str, near: Iterable[str], question: str) -> tuple[str, float, bool] | None:
    """The number of a sentence nearest to one of the words `near`: as told, its value, and whether it is exact.

    None if there is none, or it is a total and the question asks for a part. Numbers of the question are none.
    """
    text = without_times(sentence)
    if TOTAL.search(text) and not TOTAL.search(question):
        return None
    own = set(re.findall(r"\d+", question))
    spots = [match.start() for word in near for match in re.finditer(rf"\b{re.escape(word)}", text, re.I)]
    made = []
    for match in FIGURE.finditer(text):
        digits = re.sub(r"[ ,\u00a0]", "", match["number"])
        if digits in own or NAMED_NUMBER.search(text[: match.start("number")]):
            continue
        value = float(digits) if digits[0].isdigit() else float(WORDS[digits.lower()])
        distance = min((abs(spot - match.start("number")) for spot in spots), default=NEAR_LETTERS + 1)
        if distance <= NEAR_LETTERS:
            made.append((distance, (" ".join(match[0].split()), value, not match["roughly"])))
    return min(made, key=lambda one: one[0])[1] if made else None
