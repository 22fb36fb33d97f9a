"""Where sources differ: other numbers or dates told of the same thing.

Knows sentences that answer one question. Does not know how they were found, nor which of them is right. Things that
only look alike stay apart: another time, a total beside a part, "more than 120" beside 123.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.asking import Asked
from vectorstore import Hit, Span, Time, published_span, without_times

MOST = 4  # accounts
SAME_TIME = timedelta(days=20)  # between the times of two accounts of one thing
ROUGH_SHARE = 0.2  # of the greater number, by which "more than 100" or "about 100" may differ from another
NEAR_LETTERS = 60  # between a number and the word it belongs to
WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "thousand": 1000, "один": 1, "одна": 1, "два": 2, "две": 2,
    "три": 3, "четыре": 4, "четверо": 4, "пять": 5, "пятеро": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9,
    "десять": 10, "сто": 100, "тысяча": 1000, "адзін": 1, "адна": 1, "дзве": 2, "тры": 3, "чатыры": 4, "чацвёра": 4,
    "пяць": 5, "шэсць": 6, "сем": 7, "восем": 8, "дзевяць": 9, "дзесяць": 10,
}  # fmt: skip
ROUGHLY = (
    r"about|around|some|roughly|nearly|almost|over|more than|at least|up to|fewer than|less than|"
    r"около|почти|более|больше|свыше|примерно|каля|амаль|больш за|болей за"
)
FIGURE = re.compile(
    rf"(?P<roughly>\b(?:{ROUGHLY})\s+(?:an?\s+)?)?(?P<number>(?<![\w.,])\d{{1,3}}(?:[ ,\u00a0]\d{{3}})+\b|"
    rf"(?<![\w.,№])\d+(?:\.\d+)?\b|\b(?:{'|'.join(WORDS)})\b)(?!-year|-летн|%)",
    re.I,
)
NAMED_NUMBER = re.compile(r"\b(?:No\.?|nos?\.|number|flight|licen[cs]e|GL|part|CFR|order|№|номер)\s*$", re.I)
TOTAL = re.compile(
    r"\b(?:in all|in total|altogether|counting (?:earlier|all)|brought the total|since \d{4}|all told|of the year|"
    r"всего|в общей сложности|за последнее время|за (?:всё|все) время|усяго|w sumie|in tutto)\b",
    re.I,
)
# words of an article that puts an earlier report right
CORRECTS = re.compile(
    r"\b(?:correct(?:s|ed|ing|ion)\b|revis(?:ed|ing|ion)\b|put(?:s|ting)? right|earlier (?:report|version|figure|count|"
    r"statement|number)s?|(?:earlier|previously|first|initially|originally) (?:reported|said|stated|given|put|told)|"
    r"(?:was|were) wrong(?:ly)?|in error|"
    r"исправ\w+|поправ\w+|уточн\w+|ранее сообщ\w+|ошибочно|опроверг\w+|"
    r"выправ\w+|выпраўл\w+|удакладн\w+|раней паведамл\w+|памылкова)",
    re.I,
)
ONLY = re.compile(r"\b(?:only|sole|единственн\w*|адзін\w*|только|толькі)\b", re.I)


@dataclass(frozen=True, slots=True)
class Telling:
    """A sentence that may answer: its place, the times it names, and the question's words in it (as it spells them)."""

    hit: Hit
    span: Span
    times: tuple[Time, ...]
    shared: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentence, word for word."""
        return self.hit.article.text[self.span.start : self.span.end]

    def corrects(self, other: Telling) -> bool:
        """Whether it says that it puts an earlier report right, and is of a later day than the other."""
        passage = self.hit.article.text[self.hit.span.start : self.hit.span.end]
        earlier, later = other.hit.article.published, self.hit.article.published
        if not (earlier and later and CORRECTS.search(passage)):
            return False
        return published_span(later)[0] > published_span(earlier)[1]

    @property
    def period(self) -> tuple[date, date] | None:
        """When what it tells happened, as far as that is known: the time it names, else that of publication."""
        if self.times:
            return self.times[0].first, self.times[0].last
        return published_span(self.hit.article.published) if self.hit.article.published else None


@dataclass(frozen=True, slots=True)
class Told:
    """A value and the first telling that gives it; `corrects`: it says that it puts an earlier account right."""

    value: str
    telling: Telling
    corrects: bool


@dataclass(frozen=True, slots=True)
class Differing:
    """Accounts that differ, at least two, in a number or a date; the best telling's first."""

    about: Literal["number", "date"]
    told: tuple[Told, ...]


def accounts(asked: Asked, tellings: Sequence[Telling]) -> Differing | None:
    """The accounts that differ; None if the tellings, best first, agree.

    All tellings must be about what is asked. One source has one account: of an article and its reprints, the first.
    """
    if "count" in asked or ("yes-no" in asked and ONLY.search(asked.question)):
        found = _apart(tellings, lambda one: figure(one.text, one.shared, asked.question), _clash)
        return Differing("number", tuple(found)) if len(found) > 1 else None
    if "when" in asked:
        found = _apart(tellings, _day, lambda one, other: one != other)
        return Differing("date", tuple(found)) if len(found) > 1 else None
    return None


def _apart(
    tellings: Sequence[Telling],
    value: Callable[[Telling], tuple[str, float, bool] | None],
    clash: Callable[[tuple[str, float, bool], tuple[str, float, bool]], bool],
) -> list[Told]:
    """The first telling's value, and those of the others that clash with all before them, of the same time."""
    told = [(found, telling) for telling in tellings if (found := value(telling))]
    told.sort(key=lambda one: not one[0][2])  # exact ones first: they are what can differ
    sources: set[str] = set()
    kept: list[tuple[tuple[str, float, bool], Telling]] = []
    for found, telling in told:
        source = telling.hit.article.id
        if source in sources:
            continue
        sources |= {source, *(one.id for one in telling.hit.copies)}
        same = not kept or _same_time(kept[0][1], telling)
        if same and len(kept) < MOST and all(clash(other, found) for other, _ in kept):
            kept.append((found, telling))
    return [
        Told(found[0], telling, any(telling.corrects(other) for _, other in kept if other is not telling))
        for found, telling in kept
    ]


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


def _clash(one: tuple[str, float, bool], other: tuple[str, float, bool]) -> bool:
    """Whether two numbers can't both be right: "more than 120" and 123 can, 114 and 104 can't."""
    if one[1] == other[1]:
        return False
    if one[2] and other[2]:
        return True
    return abs(one[1] - other[1]) > ROUGH_SHARE * max(one[1], other[1])


def _day(telling: Telling) -> tuple[str, float, bool] | None:
    """The time a telling names, to the day."""
    for time in telling.times:
        if time.first == time.last:
            text = telling.hit.article.text[time.span.start : time.span.end]
            return (f"{text} ({time.first})" if time.reckoned else text, float(time.first.toordinal()), True)
    return None


def _same_time(one: Telling, other: Telling) -> bool:
    first, second = one.period, other.period
    if not first or not second:
        return True
    return first[0] - SAME_TIME <= second[1] and second[0] - SAME_TIME <= first[1]
