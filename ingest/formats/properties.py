"""Titles, authors and languages as programs note them in their files -> those that mean something.

Knows what programs fill in by themselves. Does not know file formats.
"""

from __future__ import annotations

import re

from ingest.formats.decoding import plain

MOST_CHARACTERS = 300
NO_TITLE = re.compile(
    r"(microsoft (word|powerpoint)\s*-.*|untitled.*|без (имени|названия).*|без назвы.*|bez (tytułu|nazwy).*"
    r"|unbenannt.*|(document|dokument|документ|дакумент|layout|slide)\s*\d*|powerpoint presentation|word document"
    r"|\S+\.(docx?|pdf|indd|odt|rtf|qxd|qxp|pub|tmp|html?)|.*\.(docx?|indd|odt|rtf)|[\W\d_]*)",
    re.I,
)
NO_AUTHOR = re.compile(
    r"(user|users|admin|administrator|owner|author|unknown|anonymous|guest|pc|home|root|python-docx|microsoft.*|acer|asus"
    r"|hp|lenovo|dell|пользователь.*|админ.*|автор|карыстальнік.*|użytkownik.*|benutzer.*|[\W\d_]*)",
    re.I,
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
