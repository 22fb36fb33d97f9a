"""The word lists: `lists/NAME.txt`.

A line that starts with # is a note; `[en]` (ISO 639-1) begins the section of a language; below it stands `key: words` a
line, and a key may go on in further lines. In a word, * stands for any letters, _ for a blank, and … between two words
for anything up to 60 characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, reduce
from pathlib import Path

LISTS = Path(__file__).with_name("lists")
LANGUAGES = ("en", "ru", "be", "uk", "pl", "lt")  # those that a list should have


@cache
def entries(name: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """A list: of each language the words of each key, in the order of the file. ValueError for a damaged line."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    section: dict[str, tuple[str, ...]] | None = None
    for number, line in enumerate((LISTS / f"{name}.txt").read_text("utf-8").splitlines(), 1):
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, colon, listed = line.partition(": ")
            if section is None or not colon:
                raise ValueError(f"{name}.txt, line {number}: write [language], then key: words")
            section[key] = (*section.get(key, ()), *listed.split())
    return found


@cache
def words_by_key(name: str) -> dict[str, tuple[str, ...]]:
    """The words of each key in all languages, without repeats."""
    found: dict[str, dict[str, None]] = {}
    for keys in entries(name).values():
        for key, listed in keys.items():
            found.setdefault(key, {}).update(dict.fromkeys(listed))
    return {key: tuple(listed) for key, listed in found.items()}


def word_list(name: str, key: str) -> tuple[str, ...]:
    """The words of one key of a list in all languages; empty if none has it."""
    return words_by_key(name).get(key, ())


def all_words(name: str) -> tuple[str, ...]:
    """The words of all keys of a list, key by key."""
    return tuple(word for listed in words_by_key(name).values() for word in listed)


def alternation(listed: Iterable[str]) -> str:
    """A regular expression without groups for any of the words, the longest first."""
    ways = sorted(set(listed), key=lambda word: (-len(word), word))
    signs = {r"\*": r"\w*", "_": r"\s+", "…": r"\b[\s\S]{0,60}?\b"}
    return "|".join(reduce(lambda way, sign: way.replace(*sign), signs.items(), re.escape(word)) for word in ways)


def pattern(listed: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the words, whole and in small or capital letters."""
    return re.compile(rf"(?<!\w)(?:{alternation(listed)})(?!\w)", re.I)


def list_names() -> list[str]:
    """The names of all lists."""
    return sorted(file.stem for file in LISTS.glob("*.txt"))


def lacking(name: str) -> tuple[str, ...]:
    """The languages that a list has no section of."""
    return tuple(language for language in LANGUAGES if language not in entries(name))
