"""Titles, authors and languages as programs note them in their files -> those that mean something.

Knows what programs fill in by themselves. Does not know file formats.
"""

from __future__ import annotations

import re

from ingest.formats.decoding import plain
from language import alternation, words_by_key

MOST_CHARACTERS = 300
UNSET = {key: alternation(listed) for key, listed in words_by_key("file_defaults").items()}
NO_TITLE = re.compile(
    rf"(microsoft (word|powerpoint)\s*-.*|(?:{UNSET['title_start']}).*|(?:{UNSET['title']})\s*\d*"
    rf"|{UNSET['title_whole']}"
    r"|\S+\.(docx?|pdf|indd|odt|rtf|qxd|qxp|pub|tmp|html?)|.*\.(docx?|indd|odt|rtf)|[\W\d_]*)",
    re.I,
)
NO_AUTHOR = re.compile(
    rf"({UNSET['author']}|(?:{UNSET['author_start']}).*|python-docx|acer|asus|hp|lenovo|dell|[\W\d_]*)", re.I
)


def title_of(text: str) -> str:
    """A title, unless it is a file's name or what a program calls a file without one."""
    return _tidy(text, NO_TITLE)


def author_of(text: str) -> str:
    """An author, unless it is the name of an account or of a program."""
    return _tidy(text, NO_AUTHOR)


def language_of(tag: str | None) -> str:
    """The language (ISO 639-1) of a tag such as en-GB; empty if there is none, or none of two letters."""
    return tag.strip().lower()[:2] if tag and re.match(r"\s*[a-zA-Z]{2}(?:[-_]|\s*$)", tag) else ""


def _tidy(text: str, nobody: re.Pattern[str]) -> str:
    words = " ".join(plain(text).replace("\0", " ").split())[:MOST_CHARACTERS]
    return "" if nobody.fullmatch(words) else words
