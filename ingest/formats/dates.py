"""Dates as documents write them -> 2025-12-13, 2025-12 or 2025: as exact as they are given, without the time of day.

Knows which dates make sense. Does not know where they were written.
"""

from __future__ import annotations

import re
from datetime import date

from ingest.document import UnreadableError
from language import Message, one_line

DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
FOUND = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?![\d.])")
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
EARLIEST_YEAR = 1900  # before it, what a program wrote is a zero or a slip


def day(text: str) -> str:
    """A date that somebody wrote for us. UnreadableError, with the date in it, if it is none."""
    given = text[:10]
    try:
        if not DATE.fullmatch(given):
            raise ValueError
        if date.fromisoformat((given + "-01-01")[:10]).year < EARLIEST_YEAR:
            raise ValueError
    except ValueError as error:
        wrong = Message("its date is “{date}”: write it as 2025-12-13, 2025-12 or 2025", date=one_line(text, 40))
        raise UnreadableError(wrong) from error
    return given


def found_day(text: str) -> str:
    """A date that a program wrote into its file; empty if it makes no sense or lies in the future."""
    text = text.strip()
    if dotted := DOTTED.match(text):
        text = f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}"
    found = FOUND.match(text)
    if not found:
        return ""
    parts = [part for part in found.groups() if part]
    try:
        # a date of tomorrow may be today's in another time zone
        ahead = date.fromisoformat("-".join([*parts, "01", "01"][:3])).toordinal() - date.today().toordinal()
    except ValueError:
        return ""
    return "-".join(parts) if ahead <= 1 and int(parts[0]) >= EARLIEST_YEAR else ""
