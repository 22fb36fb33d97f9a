"""Times that texts speak of: "in December 2025", "since July 2024", "the latest", "on Saturday", "last month".

Knows months, weekdays and relative words in the collection's languages. Does not know articles. Publication dates are
compared as far as both are known: "2025" and "2025-12" agree.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from vectorstore.article import Span, Time

Kind = Literal["in", "since", "until", "latest"]

# month names with their endings: English, Russian, Belarusian, Ukrainian, Polish, Lithuanian
MONTHS = [
    "jan(?:uary)?|январ[ьяе]|студзен[ьяі]|січ(?:ень|ня|ні)|stycz(?:eń|nia|niu)|saus(?:is|io|į|yje)",
    "feb(?:ruary)?|феврал[ьяе]|лют(?:ы|ага|ым|ий|ого|ому)|lut(?:y|ego|ym)|vasar(?:is|io|į|yje)",
    "mar(?:ch)?|март[ае]?|сакавік[аеу]?|берез(?:ень|ня|ні)|mar(?:zec|ca|cu)|kov(?:as|o|ą|e)",
    "apr(?:il)?|апрел[ьяе]|красавік[ау]?|квіт(?:ень|ня|ні)|kwie(?:cień|tnia|tniu)|baland(?:is|žio|į|yje)",
    "may|ма[йяе]|трав(?:ень|ня|ні)|maj[au]?|geguž(?:ė|ės|ę|ėje)",
    "jun[e]?|июн[ьяе]|чэрвен[ьяі]|черв(?:ень|ня|ні)|czerw(?:iec|ca|cu)|birželi(?:s|o|į|yje)",
    "jul[y]?|июл[ьяе]|ліпен[ьяі]|лип(?:ень|ня|ні)|lip(?:iec|ca|cu)|liep(?:a|os|ą|oje)",
    "aug(?:ust)?|август[ае]?|жні(?:вень|ўня|ўні)|серп(?:ень|ня|ні)|sierp(?:ień|nia|niu)|rugpj(?:ūtis|ūčio|ūtį|ūtyje)",
    "sept?(?:ember)?|сентябр[ьяе]|верас(?:ень|ня|ні)|верес(?:ень|ня|ні)|wrze(?:sień|śnia|śniu)|rugsėj(?:is|o|į|yje)",
    "oct(?:ober)?|октябр[ьяе]|кастрычнік[ау]?|жовт(?:ень|ня|ні)|październik[au]?|spali(?:s|o|į|yje)",
    "nov(?:ember)?|ноябр[ьяе]|лістапад[ау]?|листопад[аі]?|listopad(?:a|zie)?|lapkri(?:tis|čio|tį|tyje)",
    "dec(?:ember)?|декабр[ьяе]|снеж(?:ань|ня|ні)|груд(?:ень|ня|ні)|grud(?:zień|nia|niu)|gruod(?:is|žio|į|yje)",
]
MONTH = "|".join(f"(?P<m{number}>(?:{names})(?!\\w))" for number, names in enumerate(MONTHS, 1))
TIME = re.compile(
    rf"\b(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+)?(?:{MONTH})\.?"
    r"(?:\s+(?P<after>\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,?\s+(?:of\s+)?(?P<year>(?:19|20)\d\d))?\b"
    r"|\b(?P<iso>(?:19|20)\d\d(?:-\d\d(?:-\d\d)?)?)\b",
    re.I,
)
WORDS_TOO = frozenset(["may", "mar", "мая", "мае", "маю", "maja", "maj", "lip"])  # words of other meaning, if alone
SINCE_WORDS = "since|after|from|с|со|после|начиная с|з|пасля|од|від|od|nuo"
UNTIL_WORDS = "until|till|before|by|as of|up to|до|к|на|да|па стан на|do|iki"
IN_WORDS = "in|on|at|during|within|в|во|у|ў|w|we"
SINCE, UNTIL, BEFORE = (
    re.compile(rf"\b(?:{words})\s+(?:the\s+)?$", re.I)
    for words in (SINCE_WORDS, UNTIL_WORDS, f"{IN_WORDS}|{SINCE_WORDS}|{UNTIL_WORDS}")
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
MONTH_ALONE = re.compile(rf"[^\d]*?(?:{MONTH})", re.I)
# Words that name a day, week, month or year by its distance from another day. Why not dateparser: benchmarks/LOG.md,
# "Dates".
WEEKDAYS = [
    "monday|понедельник[аеу]?|панядзел(?:ак|к[ауі])|понеділ(?:ок|к[ау])|poniedział(?:ek|k[ui]|ku)|pirmadien(?:is|į|io)",
    "tuesday|вторник[аеу]?|аўтор(?:ак|к[ау])|вівтор(?:ок|к[ау])|wtor(?:ek|k[ui])|antradien(?:is|į|io)",
    "wednesday|сред[ауые]|серад[аыу]|сераду|серед[аиу]|середу|środ[aęyo]|trečiadien(?:is|į|io)",
    "thursday|четверг[аеу]?|чацв(?:ер|ярг[ауі]|ерг)|четвер(?:га)?|czwart(?:ek|k[ui])|ketvirtadien(?:is|į|io)",
    "friday|пятниц[аеуы]|пятніц[аеуы]|п['’]ятниц[яюі]|piąt(?:ek|k[ui])|penktadien(?:is|į|io)",
    "saturday|суббот[аеуы]|субот[аеуыиі]|sobot[aęyo]|šeštadien(?:is|į|io)",
    "sunday|воскресень[ея]|нядзел[яюі]|неділ[яюі]|niedziel[aęi]|sekmadien(?:is|į|io)",
]
DAYS_BACK = [
    "today|сегодня|сёння|сьогодні|dziś|dzisiaj|šiandien",
    "yesterday|вчера|учора|ўчора|вчора|wczoraj|vakar",
    "the day before yesterday|позавчера|пазаўчора|заўчора|позавчора|przedwczoraj|užvakar",
]
UNITS = [
    ("week", "weeks?|недел[яюеи]|недель|тыд(?:зень|ні|ня|няў)|тиж(?:день|ні|ня|нів)|tydzień|tygodni[aue]?|savait\\w+"),
    ("month", "months?|месяц\\w*|місяц\\w*|miesiąc\\w*|miesięcy|mėnes\\w+"),
    ("year", "years?|год[ау]?|годзе|лет|гадоў|гады|роц[іи]|рок[ауі]*в?|roku?|lata?|lat|met[uųai]+s?"),
    ("day", "days?|дн[яей]+|день|дз(?:ень|ён)|дні|днів|dni|dienas?|dienų"),
]
UNIT = "|".join(f"(?P<{name}>{words})" for name, words in UNITS)
WEEKDAY = "|".join(f"(?P<d{number}>{words})" for number, words in enumerate(WEEKDAYS))
BACK = "|".join(f"(?P<b{number}>{words})" for number, words in reversed(list(enumerate(DAYS_BACK))))
LAST = r"last|past|previous|прошл\w+|мінул\w+|минул\w+|zeszł\w+|ubiegł\w+|minion\w+|praėjus\w+"
THIS = r"this|current|эт(?:ой|от|ом|у|а)|текущ\w+|гэт(?:ым|ай|ы)|цього|цьому|tym|tego|šį|šią|šiais|šiemet"
NEXT = re.compile(r"\b(?:next|coming|следующ\w+|наступн\w+|przyszł\w+|następn\w+|kit\w+)\s+$", re.I)
RELATIVE = re.compile(
    rf"\b(?:{BACK})\b|\b(?:{WEEKDAY})\b"
    rf"|\b(?:(?P<last>{LAST})|(?P<this>{THIS}))\s+(?:{UNIT})\b"
    rf"|\b(?P<ago>\d{{1,3}})\s+(?:{UNIT.replace('?P<', '?P<ago_')})\s+(?:ago|назад|таму|тому|temu)\b",
    re.I,
)
LATEST = re.compile(r"\b(?:latest|newest|most recent|последн\w+|апошн\w+|najnowsz\w+|naujausi\w+)\b", re.I)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time a question asks about; `first` and `last` are its days, both in it.

    `latest` alone has no bounds of its own.
    """

    kind: Kind
    first: date
    last: date

    def fits(self, published: str) -> bool | None:
        """Whether an article published then can speak of the period as its news; None if its date is not known.

        News of a period appears in it or within SPILL_DAYS after it; a bare year is taken at its word.
        """
        if not published:
            return None
        earliest, latest = span(published)
        spill = SPILL_DAYS if len(published) > len("2025") else 0
        return latest >= self.first and (earliest - self.last).days <= spill


SPILL_DAYS = 31
HALF_A_YEAR = 6  # months


def timely(asked: Sequence[Period], times: Sequence[Time], published: str) -> bool | None:
    """Whether words that name these times, in an article published then, can speak of the times asked about.

    None if nobody can tell. A time that is named decides, if it is as exact as the one asked about; otherwise the date
    of publication does.
    """
    bounded = [period for period in asked if period.kind != "latest"]
    if not bounded:
        return None
    widest = max(SPILL_DAYS, *((period.last - period.first).days for period in bounded))
    own = [time for time in times if (time.last - time.first).days <= widest]
    if own:
        return any(one.first <= other.last and other.first <= one.last for one in bounded for other in own)
    known = [fits for period in bounded if (fits := period.fits(published)) is not None]
    return any(known) if known else None


def without_times(text: str) -> str:
    """The text without the times it names: the numbers left in it count something."""
    return TIME.sub(" ", text)


def retimed(text: str, question: str) -> str:
    """An earlier question, asked of the time that this one names instead of its own.

    "freed in December 2025?", "And in September?" -> "freed in September 2025?". As it is where either names no time or
    more than one, which may be a comparison.
    """
    own, its = _named(question), _named(text)
    if len(own) != 1 or len(its) != 1:
        return text
    time, replaced = own[0], its[0]
    year = YEAR.search(replaced)
    if year and MONTH_ALONE.fullmatch(time):
        time = f"{time} {year[0]}"
    return text.replace(replaced, time, 1)


def _named(text: str) -> list[str]:
    """The times a text names, each with the preposition before it."""
    found = _times(text, "2000") or _reckoned(text, "2000-01-01")
    return [
        f"{before[0] if (before := BEFORE.search(text[:start])) else ''}{text[start:end]}" for start, end, *_ in found
    ]


def span(published: str) -> tuple[date, date]:
    """The first and last day an ISO 8601 date of any exactness can mean."""
    parts = [int(part) for part in published.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else None
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    if len(parts) > 2:
        return date(year, month, parts[2]), date(year, month, parts[2])
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def periods(question: str, today: date, earlier: str = "") -> list[Period]:
    """The times a question asked on that day speaks of, in its order; a time of its own kind is "in" it.

    A month without a year is taken in the first year the question names with a month, else in the last one that
    `earlier` questions name; without one it is left out.
    """
    years = [match["year"] or match["iso"][:4] for match in TIME.finditer(earlier) if match["year"] or match["iso"]]
    found = _times(question, years[-1] if years else "")
    made = []
    for start, _, first, last, _ in found or _reckoned(question, today.isoformat()):
        before = question[:start][-40:]
        if SINCE.search(before):
            made.append(Period("since", first, date.max))
        elif UNTIL.search(before):
            made.append(Period("until", date.min, last))
        else:
            made.append(Period("in", first, last))
    if not made and LATEST.search(question):
        made.append(Period("latest", date.min, date.max))
    return made


def times(text: str, start: int, published: str) -> list[Time]:
    """The times a text names, in its order, `start` being where it stands in its article.

    A month without a year is taken in the year that is named with another, else that of publication, or in the one
    before where it would lie more than half a year ahead ("in December", printed in February). "On Saturday" and "last
    month" are reckoned from the day or month of publication; where that is not known they are left out. "From July"
    and "until July" name July.
    """
    found = _times(text, published) + _reckoned(text, published)
    return [
        Time(Span(start + begin, start + end), first, last, reckoned)
        for begin, end, first, last, reckoned in sorted(found)
    ]


Stretch = tuple[int, int, date, date, bool]  # where it stands, its first and last day, whether that was reckoned


def _times(text: str, published: str) -> list[Stretch]:
    """The dates, months and years a text names; a month without a year is of one that is named, else of publication."""
    found = list(TIME.finditer(text))
    named = next((match["year"] for match in found if match["year"]), "")
    made = []
    for match in found:
        try:
            iso = _iso(match, named or published[:4])
            alone = iso and published and not (match["year"] or match["iso"])
            if alone and _months(iso) - _months(published) > HALF_A_YEAR:
                iso = f"{int(iso[:4]) - 1:04}{iso[4:]}"
            first, last = span(iso) if iso else (date.max, date.min)
        except ValueError:
            continue  # the 31st of June
        if iso:
            made.append((match.start(), match.end(), first, last, not (match["year"] or match["iso"])))
    return made


def _reckoned(text: str, published: str) -> list[Stretch]:
    """The times a text names by their distance from the day, month or year of publication."""
    if not published:
        return []
    made = []
    for match in RELATIVE.finditer(text):
        if not NEXT.search(text[: match.start()][-20:]) and (found := _distance(match, published)):
            made.append((match.start(), match.end(), *found, True))
    return made


def _distance(match: re.Match[str], published: str) -> tuple[date, date] | None:
    base, end = span(published)
    number = int(match["ago"] or 0)
    unit = next((name for name, _ in UNITS if match[name] or match[f"ago_{name}"]), "day")
    back = number if match["ago"] else int(bool(match["last"]))
    if unit == "year":
        return span(f"{base.year - back:04}") if base.year > back else None
    if len(published) < len("2025-12"):
        return None  # only its year is known
    if unit == "month":
        months = base.year * 12 + base.month - 1 - back
        return span(f"{months // 12:04}-{months % 12 + 1:02}") if months >= 12 else None
    if base != end:
        return None  # only its month is known
    if unit == "week":
        monday = base - timedelta(days=base.weekday() + 7 * back)
        return monday, monday + timedelta(days=6)
    days = next((day for day in range(len(DAYS_BACK)) if match[f"b{day}"]), number)
    for weekday in range(7):
        if match[f"d{weekday}"]:
            days = (base.weekday() - weekday) % 7  # the last such day, the day of publication among them
    day = base - timedelta(days=days)
    return day, day


def _months(iso: str) -> int:
    """A date in months; one that is known to the year alone is its last, so that none of its months lies ahead."""
    return int(iso[:4]) * 12 + int(iso[5:7] or 12)


def _iso(match: re.Match[str], named_year: str) -> str:
    if match["iso"]:
        return match["iso"]
    if not (match["year"] or match["before"] or match["after"]) and match[0].rstrip(". ").lower() in WORDS_TOO:
        return ""
    year = match["year"] or named_year
    month = next(number for number in range(1, 13) if match[f"m{number}"])
    day = match["before"] or match["after"]
    if not year:
        return ""
    return f"{year}-{month:02}" + (f"-{int(day):02}" if day else "")
