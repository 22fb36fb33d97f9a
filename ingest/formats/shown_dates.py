"""The day of publication as a page shows it to its reader, at the head of the article.

Knows how dates are written in the collection's languages. Does not know what a page says of itself for programs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from ingest.formats.blocks import CLOCK
from ingest.formats.dates import found_day
from ingest.formats.page_blocks import Seen
from language import alternation, word_list, words_by_key

YEAR = r"(?P<year>(?:19|20)\d\d)(?!\d)"
MONTH = r"(?P<month>[^\W\d_]{3,})"
DAY = r"(?<!\d)(?P<day>\d{1,2})"
WRITTEN = [
    re.compile(rf"{DAY}(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{MONTH}\.?,?\s+{YEAR}", re.I),
    re.compile(rf"{MONTH}\.?\s+{DAY}(?:st|nd|rd|th)?,?\s+{YEAR}", re.I),
    re.compile(rf"{YEAR}\s*m\.\s*{MONTH}\s+{DAY}", re.I),
    re.compile(rf"{DAY}\.(?P<month>\d{{1,2}})\.{YEAR}"),
    re.compile(rf"{YEAR}-(?P<month>\d{{2}})-{DAY}"),
]
CHANGED = re.compile(rf"\b(?:{alternation(word_list('date_words', 'changed'))})(?!\w)", re.I)
WORDS_BESIDE = 8  # in a line that tells the date; more of them are a sentence
ABOVE = 4  # blocks above the title
IN_ADDRESS = re.compile(r"/((?:19|20)\d\d)/(\d{1,2})/(\d{1,2})(?:/|$)")
MONTHS = {name: int(number) for number, names in words_by_key("months").items() for name in names}


def head_day(seen: Sequence[Seen], title: str, first: int) -> str:
    """The day that is shown by the title, or over the first block of the article's text; empty if there is none.

    `first` is the place of that block.
    """
    named = re.findall(r"\w+", title.casefold())
    titles = [at for at in range(first) if re.findall(r"\w+", seen[at].text.casefold()) == named]
    begin = (titles[-1] if titles else first) - ABOVE
    return next((day for block in seen[max(0, begin) : first + 1] if (day := line_day(block.text))), "")


def line_day(text: str) -> str:
    """The day that a line tells which is there to tell it, but for that of a change; empty if there is none."""
    last = 0
    days = []
    for start, end, day in sorted(_days(text)):
        if not CHANGED.search(text[last:start]):
            days.append(day)
        last = end
    beside = re.findall(r"[^\W\d_]+", WRITTEN[0].sub(" ", text))
    return days[0] if days and len(beside) <= WORDS_BESIDE else ""


def is_date_line(text: str) -> bool:
    """Whether a line says nothing but a day of publication, or of a change, and its time."""
    rest = text
    for start, end, _ in sorted(_days(text), reverse=True):
        rest = rest[:start] + rest[end:]
    if rest == text:
        return False
    return len(re.findall(r"[^\W\d_]{3,}", CHANGED.sub(" ", CLOCK.sub(" ", rest)))) <= 1


def address_day(url: str) -> str:
    """The day in an address; empty if it has none."""
    found = IN_ADDRESS.search(url)
    return found_day(f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}") if found else ""


def nearest(stated: str, shown: str) -> str:
    """The day of publication: as shown where the page's stamp is a day off, as in another zone; else as stated."""
    if len(stated) == len(shown) == len("2025-12-13"):
        apart = abs((date.fromisoformat(stated) - date.fromisoformat(shown)).days)
        return shown if apart == 1 else stated
    return stated or shown


def _days(text: str) -> set[tuple[int, int, str]]:
    found = set()
    for pattern in WRITTEN:
        for match in pattern.finditer(text):
            number = _month(match["month"])
            if number and (day := found_day(f"{match['year']}-{number:0>2}-{match['day']:0>2}")):
                found.add((match.start(), match.end(), day))
    return found


def _month(word: str) -> int:
    """The number of a month by its name or the first letters of it; 0 if it is none."""
    word = word.lower()
    if word.isdecimal():
        return int(word)
    return MONTHS.get(word) or next((number for name, number in MONTHS.items() if name.startswith(word)), 0)
