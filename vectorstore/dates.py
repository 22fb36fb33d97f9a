"""Times that texts speak of: "in December 2025", "since July 2024", "the latest", "on Saturday", "last month".

Knows months, weekdays and relative words in the collection's languages. Does not know articles. Publication dates are
compared as far as both are known: "2025" and "2025-12" agree.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from language import all_words, alternation, word_list, words_by_key
from vectorstore.article import Span, TimeReference

PeriodType = Literal["in", "since", "until", "latest"]

WORDS = {key: alternation(listed) for key, listed in words_by_key("time_words").items()}
THE, PARTS = rf"(?:(?:{WORDS['the']})\s+)?", WORDS["part"]
MONTHS = [alternation(listed) for listed in words_by_key("months").values()]
MONTH = "|".join(f"(?P<m{number}>(?:{names})(?!\\w))" for number, names in enumerate(MONTHS, 1))
TIME = re.compile(
    rf"\b(?:(?P<before>\d{{1,2}})(?:{WORDS['ordinal']})?(?:\s+(?:{WORDS['of']}))?\s+)?(?:{MONTH})\.?"
    rf"(?:\s+(?P<after>\d{{1,2}})(?:{WORDS['ordinal']})?(?!\d))?"
    rf"(?:,?\s+(?:(?:{WORDS['of']})\s+)?(?P<year>(?:19|20)\d\d))?\b"
    r"|\b(?P<dotted>\d{1,2}\.\d{1,2}\.(?:19|20)\d\d)\b|\b(?P<iso>(?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?)\b",
    re.I,
)
# words of other meaning, or names, where no preposition stands before them
HOMONYMS = frozenset(word_list("time_homonyms", "month"))
SINCE, UNTIL, BEFORE = (
    re.compile(rf"\b(?:{listed})\s+{THE}(?:(?:{PARTS})[\s-]+)?$", re.I)
    for listed in (WORDS["since"], WORDS["until"], f"{WORDS['in']}|{WORDS['since']}|{WORDS['until']}")
)
MONTH_ALONE = re.compile(rf"\b(?:{WORDS['month_alone']})\s+$", re.I)  # "in December 25 people"
# what may stand before a month that is also a name or another word
MONTHLY = re.compile(
    rf"(?:\b(?:{'|'.join(WORDS[key] for key in ('in', 'since', 'until', 'month', 'part'))})\s+"
    rf"|\b(?:{'|'.join(MONTHS)})\.?,?\s+(?:{alternation(all_words('conjunctions'))})\s+|[-–])$",
    re.I,
)
FROM = re.compile(rf"\b(?:{WORDS['from']})\s+{THE}(?:\w+[\s-]+)?$", re.I)
TO = re.compile(rf"\s*(?:{WORDS['to']}|[-–—])\s*{THE}", re.I)
TOGETHER = re.compile(rf"(?:,|[-–—]|\s|\b(?:{WORDS['and']})\b)*", re.I)
DATE = re.compile(rf"\b(?:{WORDS['date']})\s+$", re.I)  # "until" before a date, "in" before a week
# a number of people or things, not a year
BOUNDS = {*word_list("bounds", "more"), *word_list("bounds", "less")} - {*word_list("bounds", "place")}
COUNTS = {key: alternation(listed) for key, listed in words_by_key("counted_people").items()}
MANY = re.compile(rf"\b(?:{COUNTS['many']}|{alternation(BOUNDS)})\s+$", re.I)
COUNTED = re.compile(rf"\s+(?:(?:{COUNTS['before']})\s+)?(?:{COUNTS['words']})\b", re.I)
# what speaks of things to come, shortly before a time
COMING = {key: alternation(listed) for key, listed in words_by_key("future").items()}
FUTURE = re.compile(rf"\b(?:{COMING['words']})\b|\b(?:{COMING['is']})\s+(?:\w+\s+)?(?:{COMING['in']})\s*$", re.I)
NEAR = 60  # characters before a time
# Words that name a day, week, month or year by its distance from another day. Why not dateparser: benchmarks/LOG.md,
# "Dates".
UNITS = {key: alternation(listed) for key, listed in words_by_key("time_units").items()}
UNIT = "|".join(f"(?P<{name}>{listed})" for name, listed in UNITS.items())
WEEKDAY = "|".join(f"(?P<d{number}>{alternation(listed)})" for number, listed in words_by_key("weekdays").items())
DAYS_BACK = words_by_key("days_back")
BACK = "|".join(f"(?P<b{number}>{alternation(listed)})" for number, listed in reversed(DAYS_BACK.items()))
NEXT = re.compile(rf"\b(?:{WORDS['next']})\s+$", re.I)
NUMBERS = {
    word: int(value) for value, listed in words_by_key("cardinals").items() for word in listed if 1 < int(value) < 100
}
RELATIVE = re.compile(
    rf"\b(?:{BACK})\b|\b(?:{WEEKDAY})\b"
    rf"|\b(?:(?P<last>{WORDS['last']})|(?P<this>{WORDS['this']}))\s+(?:{UNIT})\b"
    rf"|\b(?<!to\s)(?:{WORDS['last']}|{WORDS['latest']})\s+(?P<span>\d{{1,2}}|{alternation(NUMBERS)})\s+"
    rf"(?:{UNIT.replace('?P<', '?P<span_')})\b"
    rf"|\b(?P<ago>\d{{1,3}})\s+(?:{UNIT.replace('?P<', '?P<ago_')})\s+(?:{WORDS['ago']})\b",
    re.I,
)
LATEST = re.compile(rf"\b(?:{WORDS['latest']})\b", re.I)
YEAR_WORD = re.compile(rf"^\s*(?:{WORDS['year']}|{UNITS['year']})(?!\w)", re.I)
LAST_BEFORE = re.compile(rf"\b(?:{WORDS['last']})\s+$", re.I)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time a question asks about; `first` and `last` are its days, both in it.

    `latest` alone has no bounds of its own.
    """

    kind: PeriodType
    first: date
    last: date

    def fits(self, published: str) -> bool | None:
        """Whether an article published then can speak of the period as its news; None if its date is not known.

        News of a period appears in it or within SPILL_DAYS after it; a bare year and "until" are taken at their word.
        """
        if not published:
            return None
        earliest, latest = span(published)
        spill = SPILL_DAYS if len(published) > len("2025") and self.kind != "until" else 0
        return latest >= self.first and (earliest - self.last).days <= spill


SPILL_DAYS = 31
MONTHS_A_YEAR = 12
HALF_A_YEAR = 6  # months
DAYS_AHEAD, MONTHS_AHEAD = 2, 1  # how many months ahead a day or a month lies that is told of without "will"
SHORTLY = 3  # months
ENDS = re.compile(r"(?:(?<![A-Z])(?<!\b\w{3})[.!?…]\s|\n)")  # of sentences, but for "Dec. 13" and "A. Lukashenko"


def matches_period(asked: Sequence[Period], times: Sequence[TimeReference], published: str) -> bool | None:
    """Whether words that name these times, in an article published then, can speak of the times asked about.

    None if nobody can tell. A time that is named decides, if it is as exact as the one asked about; otherwise the date
    of publication does.
    """
    bounded = [period for period in asked if period.kind != "latest"]
    if not bounded:
        return None
    widest = max(SPILL_DAYS, *((period.last - period.first).days for period in bounded))
    nearby = [time for time in times if (time.end_date - time.start_date).days <= widest]
    if nearby:
        return any(
            time.start_date <= period.last and period.first <= time.end_date for period in bounded for time in nearby
        )
    known = [fits for period in bounded if (fits := period.fits(published)) is not None]
    return any(known) if known else None


def strip_times(text: str) -> str:
    """The text without the times it names: the numbers left in it count something."""
    for match in reversed([match for match, _, _ in _dates(text)]):
        before, behind = text[: match.start()], text[match.end() :]
        text = f"{LAST_BEFORE.sub('', before)} {YEAR_WORD.sub('', behind)}"
    return text


def span(published: str) -> tuple[date, date]:
    """The first and last day an ISO 8601 date of any exactness can mean."""
    year, *rest = map(int, published.split("-"))
    if not rest:
        return date(year, 1, 1), date(year, 12, 31)
    if len(rest) > 1:
        return date(year, *rest), date(year, *rest)
    return date(year, rest[0], 1), date(year, rest[0], calendar.monthrange(year, rest[0])[1])


def periods(question: str, today: date, earlier: str = "") -> list[Period]:
    """The times a question asked on that day speaks of, in its order; a time of its own kind is "in" it.

    A month without a year is taken in the one year that the question names with a month, else in the last one that
    `earlier` questions name; without one it is left out, but for "last December". "From July to September" is one time.
    """
    years = [match["year"] or match["iso"][:4] for match in TIME.finditer(earlier) if match["year"] or match["iso"]]
    has_year = any(match["year"] for match in TIME.finditer(question))
    found = _times(question, years[-1] if years and not has_year else "", today.isoformat())
    stretches = found or _inferred(question, today.isoformat())
    asked: list[Period] = []
    joined = False
    for place, (start, end, first, last, _) in enumerate(stretches):
        before = question[:start][-40:]
        if joined:
            begun = asked.pop()
            asked.append(Period("in", min(begun.first, first), max(begun.last, last)))
        elif SINCE.search(before):
            asked.append(Period("since", first, date.max))
        elif UNTIL.search(before) and (found or not DATE.search(before)):
            asked.append(Period("until", date.min, last))
        else:
            asked.append(Period("in", first, last))
        follower = stretches[place + 1][0] if place + 1 < len(stretches) else end
        joined = FROM.search(before) is not None and TO.fullmatch(question, end, follower) is not None
        if joined:
            asked[-1] = Period("in", first, last)
    if not asked and LATEST.search(question):
        asked.append(Period("latest", date.min, date.max))
    return asked


def times(text: str, start: int, published: str) -> list[TimeReference]:
    """The times a text names, in its order, `start` being where it stands in its article.

    A month without a year is of the year that stands with the month beside it ("between March and June 2024"). Else it
    is the last such month at publication, unless it lay just ahead, or stands behind words of things to come ("will",
    "due", "until"); one that lay less than half a year ahead may be either, and is left out. So is one where the text
    names another year with a month, unless it was shortly before publication. "On Saturday" and "last month" are
    counted from the day or month of publication; where that is not known they are left out, and a weekday to come is
    too. "From July" and "until July" name July.
    """
    found = sorted(_times(text, published) + _inferred(text, published))
    return [
        TimeReference(Span(start + begin, start + end), first, last, inferred)
        for begin, end, first, last, inferred in found
    ]


Stretch = tuple[int, int, date, date, bool]  # where it stands, its first and last day, whether that was inferred
Named = tuple[re.Match[str], int, str]  # a time in a text, its end, and its day in the month, if it has one


def _dates(text: str) -> Iterator[Named]:
    """The dates, months and years a text names, in its order."""
    for match in TIME.finditer(text):
        before = text[: match.start()][-NEAR:]
        end, day = match.end(), match["before"] or match["after"] or ""
        if match["iso"]:
            counted = MANY.search(before) or (COUNTED.match(text, end) and not BEFORE.search(before))
            if counted and len(match["iso"]) == len("2000"):
                continue
        elif match["after"] and not match["year"] and MONTH_ALONE.search(before):
            end, day = len(text[: match.start("after")].rstrip()), ""
        if not (match["iso"] or match["dotted"] or match["year"] or day):
            word = text[match.start() : end].rstrip(". ").lower()
            if word in HOMONYMS and not MONTHLY.search(before):
                continue
        yield match, end, day


def _times(text: str, published: str, today: str = "") -> list[Stretch]:
    """The dates, months and years a text names; "last December" of a question is counted from `today`."""
    found = list(_dates(text))
    stretches = []
    for place, (match, end, day) in enumerate(found):
        iso = _whole_date(match, day)
        inferred = not iso
        if inferred:
            year = _joined_year(text, found, place) or _inferred_year(text, found, place, published, today)
            iso = _iso(year, match, day) if year else ""
        try:
            if iso:
                stretches.append((match.start(), end, *span(iso), inferred))
        except ValueError:
            continue  # the 31st of June
    return stretches


def _month(match: re.Match[str]) -> int:
    return next(number for number in range(1, 13) if match[f"m{number}"])


def _iso(year: int, match: re.Match[str], day: str) -> str:
    return f"{year:04}-{_month(match):02}" + (f"-{int(day):02}" if day else "")


def _whole_date(match: re.Match[str], day: str) -> str:
    """What a match says with its year; empty for a month without one."""
    if match["iso"]:
        return match["iso"]
    if match["dotted"]:
        day, month, year = match["dotted"].split(".")
        return f"{year}-{month:0>2}-{day:0>2}"
    return _iso(int(match["year"]), match, day) if match["year"] else ""


def _joined_year(text: str, found: Sequence[Named], place: int) -> int:
    """The year that stands with a month behind this one, as in "between March and June 2024"; 0 if none does."""
    for (_, end, _), (other, _, _) in pairwise(found[place:]):
        if other["iso"] or other["dotted"] or not TOGETHER.fullmatch(text, end, other.start()):
            return 0
        if other["year"]:
            return int(other["year"])
    return 0


def _inferred_year(text: str, found: Sequence[Named], place: int, published: str, today: str) -> int:
    """The year of a month that stands without one; 0 if nobody can tell."""
    match, _, day = found[place]
    month, before = _month(match), text[: match.start()]
    named = {int(other["year"]) for other, _, _ in found if other["year"]}
    last = LAST_BEFORE.search(before[-NEAR:])
    base = published or (today if last else "")
    if not base:
        return next(iter(named)) if len(named) == 1 else 0
    year = int(base[:4])
    if len(base) < len("2025-12"):
        return year  # the month of publication is not known
    ahead = month - int(base[5:7])
    if FUTURE.search(_opened(before)):
        return year + (ahead < 0)
    if last:
        year, ahead = (year, ahead) if ahead < 0 else (year - 1, ahead - MONTHS_A_YEAR)
    elif ahead > (DAYS_AHEAD if day else MONTHS_AHEAD):
        if ahead < HALF_A_YEAR:
            return year if UNTIL.search(before[-NEAR:]) else 0
        year, ahead = year - 1, ahead - MONTHS_A_YEAR
    apart = named - {year}
    same = apart & {int(other["year"]) for other, _, _ in found if other["year"] and _one_sentence(text, match, other)}
    if apart and (ahead < -SHORTLY or (same and not day)):
        return 0
    return year


def _opened(before: str) -> str:
    """What stands before a time in its own sentence, as far as it is near."""
    return ENDS.split(before[-NEAR:])[-1]


def _one_sentence(text: str, match: re.Match[str], other: re.Match[str]) -> bool:
    first, second = sorted((match, other), key=lambda named: named.start())
    return not ENDS.search(text[first.end() : second.start()])


def _inferred(text: str, published: str) -> list[Stretch]:
    """The times a text names by their distance from the day, month or year of publication."""
    if not published:
        return []
    stretches = []
    for match in RELATIVE.finditer(text):
        before = text[: match.start()]
        weekday = any(match[f"d{number}"] for number in range(7))
        if NEXT.search(before[-20:]) or (weekday and FUTURE.search(_opened(before))):
            continue
        if days := _distance(match, published):
            stretches.append((match.start(), match.end(), *days, True))
    return stretches


def _distance(match: re.Match[str], published: str) -> tuple[date, date] | None:
    """The days a relative time means; None if the day of publication is not known so exactly, or is too long ago."""
    spanned = match["span"] or ""
    number = int(match["ago"] or (NUMBERS.get(spanned.lower()) or spanned or 0))
    unit = next((name for name in UNITS if match[name] or match[f"ago_{name}"] or match[f"span_{name}"]), "day")
    back = number if match["ago"] or spanned else int(bool(match["last"]))
    try:
        first, last = _back(match, published, unit, back)
    except (ValueError, OverflowError):
        return None
    return (first, span(published)[1]) if spanned else (first, last)


def _back(match: re.Match[str], published: str, unit: str, back: int) -> tuple[date, date]:
    """The same `back` units before publication. ValueError or OverflowError where None is meant."""
    base, end = span(published)
    if unit == "year":
        return span(f"{base.year - back:04}")
    if len(published) < len("2025-12"):
        raise ValueError("only its year is known")
    if unit == "month":
        months = base.year * MONTHS_A_YEAR + base.month - 1 - back
        return span(f"{months // MONTHS_A_YEAR:04}-{months % MONTHS_A_YEAR + 1:02}")
    if base != end:
        raise ValueError("only its month is known")
    if unit == "week":
        monday = base - timedelta(days=base.weekday() + 7 * back)
        return monday, monday + timedelta(days=6)
    days = next((day for day in range(len(DAYS_BACK)) if match[f"b{day}"]), back)
    for weekday in range(7):
        if match[f"d{weekday}"]:
            days = (base.weekday() - weekday) % 7  # the last such day, the day of publication among them
    day = base - timedelta(days=days)
    return day, day
