"""Times a question speaks of: "in December 2025", "since July 2024", "as of March 2026", "the latest".

Knows months and years in the collection's languages. Does not know articles. Publication dates are compared as far as
both are known: "2025" and "2025-12" agree.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

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
SINCE = re.compile(r"\b(?:since|after|from|с|со|после|начиная с|з|пасля|од|від|od|nuo)\s+(?:the\s+)?$", re.I)
UNTIL = re.compile(r"\b(?:until|till|before|by|as of|up to|до|к|на|да|па стан на|do|iki)\s+(?:the\s+)?$", re.I)
LATEST = re.compile(r"\b(?:latest|newest|most recent|последн\w+|апошн\w+|najnowsz\w+|naujausi\w+)\b", re.I)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time; `first` and `last` are its days, both in it. `latest` alone has no bounds of its own."""

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


def timely(asked: Sequence[Period], text: str, published: str) -> bool | None:
    """Whether a text of an article published then can speak of the times asked about; None if nobody can tell.

    A time named in the text decides, if it is as exact as the one asked about; a month without a year is taken in the
    year of publication. Otherwise the date of publication decides.
    """
    bounded = [period for period in asked if period.kind != "latest"]
    if not bounded:
        return None
    widest = max(SPILL_DAYS, *((period.last - period.first).days for period in bounded))
    own = [
        period
        for period in periods(text, year=published[:4])
        if period.kind == "in" and (period.last - period.first).days <= widest
    ]
    if own:
        return any(one.first <= other.last and other.first <= one.last for one in bounded for other in own)
    known = [fits for period in bounded if (fits := period.fits(published)) is not None]
    return any(known) if known else None


def without_times(text: str) -> str:
    """The text without the times it names: the numbers left in it count something."""
    return TIME.sub(" ", text)


def span(published: str) -> tuple[date, date]:
    """The first and last day an ISO 8601 date of any exactness can mean."""
    parts = [int(part) for part in published.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else None
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    if len(parts) > 2:
        return date(year, month, parts[2]), date(year, month, parts[2])
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def periods(question: str, year: str = "") -> list[Period]:
    """The times a text speaks of, in its order.

    A month without a year is taken in the first year the text names with a month, else in `year`; without one it is
    left out, and so is a day that no month has.
    """
    found = list(TIME.finditer(question))
    named = next((match["year"] for match in found if match["year"]), year)
    made = []
    for match in found:
        text = _iso(match, named)
        if not text:
            continue
        try:
            first, last = span(text)
        except ValueError:
            continue  # the 31st of June
        before = question[: match.start()][-40:]
        if SINCE.search(before):
            made.append(Period("since", first, date.max))
        elif UNTIL.search(before):
            made.append(Period("until", date.min, last))
        else:
            made.append(Period("in", first, last))
    if not made and LATEST.search(question):
        made.append(Period("latest", date.min, date.max))
    return made


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
