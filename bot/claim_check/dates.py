"""Dates: whether the days, months, years and weekdays a claim names are those of its quotes.

Knows what `vectorstore.times` finds, and tells from it how much of a date a text itself names. A day that a quote
infers from its publication ("on Saturday") is that date too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.claim_check.numbers import quantities
from bot.claim_check.words import CACHED
from language import Message, alternation, word_list
from vectorstore import TimeReference, times

NO_YEAR = "2000"  # stands for a year that a text does not name; a leap year
NAMED = re.compile(r" [A-ZА-ЯІЎ][a-zа-яіў]")  # somebody called April
HOMONYMS = frozenset(word_list("time_homonyms", "weekday"))
AT_DAY = re.compile(
    rf"\b(?:{alternation(word for key in ('in', 'since', 'until') for word in word_list('time_words', key))})\s+$", re.I
)
NEAR = 20  # characters before a weekday


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as a text names it, and where; 0 for what it does not name."""

    year: int
    month: int
    day: int
    text: str
    place: range

    def agrees(self, other: Day) -> bool:
        """Whether nothing that both name differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(not first or not two or first == two for first, two in pairs)


@lru_cache(CACHED)
def days(text: str) -> tuple[Day, ...]:
    """The dates, months and years a plain text names, in its order."""
    found = []
    for time in times(text, 0, NO_YEAR):
        place = range(time.span.start, time.span.end)
        words, behind = text[place.start : place.stop].strip(), text[place.stop :]
        first, length = time.start_date, (time.end_date - time.start_date).days
        bare = not any(map(str.isdigit, words))
        if bare and ((words.isascii() and words.islower()) or NAMED.match(behind)):
            continue  # "march" and "may" are words too
        if time.inferred and length > 30:
            continue  # "last year"
        year = 0 if time.inferred else first.year
        found.append(Day(year, 0 if length > 30 else first.month, 0 if length else first.day, words, place))
    return tuple(found)


def date_reasons(claim: str, quotes: Sequence[str], published: Sequence[str]) -> list[tuple[str, Message]]:
    """What speaks against the dates of a claim: (date, reason).

    `published` are the days of the quotes' articles, "" where not known.
    """
    ground = [day for text in (*quotes, *published) for day in days(text)]
    figures = {number.value for quote in quotes for number in quantities(quote)}
    years = figures | {day.year for day in ground} | {int(day[:4]) for day in published if day}
    inferred = [time for quote, day in zip(quotes, published, strict=False) for time in times(quote, 0, day)]
    reasons = []
    for day in days(claim):
        if not day.month:
            if day.year not in years and not any(
                time.start_date.year <= day.year <= time.end_date.year for time in inferred
            ):
                reasons.append((day.text, Message("the year {year} is not in its quote", year=day.text)))
            continue
        alike = [other for other in ground if other.month == day.month and day.agrees(other)]
        if day.day:
            alike = [other for other in alike if other.day or day.day in figures]
        if day.year and day.year not in years and not any(other.year for other in alike):
            alike = []
        if not alike and not _falls(day, inferred):
            reasons.append((day.text, Message("the date {day} is not in its quote", day=day.text)))
    quoted = {number for quote in quotes for number, _ in weekdays(quote)}
    quoted |= {time.start_date.weekday() for time in inferred if time.start_date == time.end_date}
    missing = [word for number, word in weekdays(claim) if number not in quoted]
    return reasons + [(word, Message("the day {day} is not in its quote", day=word)) for word in missing]


def _falls(day: Day, times: Iterable[TimeReference]) -> bool:
    """Whether a date is the first or last day of a time that the quote names from its publication."""
    return any(
        (time.end_date - time.start_date).days <= (7 if day.day else 31)
        and any(day.agrees(Day(end.year, end.month, end.day, "", range(0))) for end in (time.start_date, time.end_date))
        for time in times
    )


@lru_cache(CACHED)
def weekdays(text: str) -> tuple[tuple[int, str], ...]:
    """The weekdays a plain text names, Monday being 0, each with its word."""
    found = []
    for match in re.finditer(r"[^\W\d_]+(?:'[^\W\d_]+)?", text):
        number = weekday(match[0].lower())
        if number is not None and (match[0].lower() not in HOMONYMS or AT_DAY.search(text[: match.start()][-NEAR:])):
            found.append((number, match[0]))
    return tuple(found)


@lru_cache(65536)
def weekday(word: str) -> int | None:
    """Which day of the week a word names, Monday being 0; None if none."""
    # a weekday is the same one seen from two days, "today" is not
    first, second = (
        {time.start_date.weekday() for time in times(word, 0, day) if time.start_date == time.end_date}
        for day in ("2024-01-01", "2024-01-02")
    )
    return next(iter(first)) if first and first == second else None


@lru_cache(65536)
def is_month(word: str) -> bool:
    """Whether a word names a month."""
    return bool(times(f"1 {word}", 0, NO_YEAR))
