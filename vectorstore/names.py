"""One person, many spellings: links names in a text to the table of known ones, and gives unknown ones a fold key.

Knows spellings of Latin and Cyrillic names and Russian and Belarusian case endings. Does not know articles or search.
Names that only look alike stay apart: a surname alone is linked only if no other first name stands before it, and what
ends like a woman's surname is never a man's.

The table is a plain text file, a name a line: `Maria Kalesnikava: Maria Kolesnikova; Мария Колесникова`. Lines that
start with # are notes; [people], [organisations] and [places] say what the lines below are. Of several people with one
surname, the first in the table is the one meant by it alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

from rapidfuzz import fuzz, process

TABLE = Path(__file__).with_name("names.txt")
Kind = Literal["people", "organisations", "places"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LIKENESS = 86.0  # least rapidfuzz ratio of two folded names; measured: benchmarks/LOG.md, "Names"
LONGEST_NAME = 6  # words
SHORT_KEY = 3  # letters; a word of a shorter key, or of capitals alone, is linked only if it is spelt as in the table

WORD = re.compile(r"[^\W\d_][\w’']*(?:\.\w+)?")
POSSESSIVE = re.compile("['’]s?$")
GAP = re.compile(r"[\s\-–]{1,2}\Z")
CYRILLIC = dict(
    zip(
        "абвгґдеёєзиіїйклмнопрстуўфыэ",
        [
            "a",
            "b",
            "v",
            "g",
            "g",
            "d",
            "e",
            "o",
            "e",
            "z",
            "i",
            "i",
            "i",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "v",
            "f",
            "i",
            "e",
        ],
        strict=True,
    )
) | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ь": "", "ю": "iu", "я": "ia"}
LATIN = str.maketrans({"ł": "l", "ż": "zh", "ž": "zh", "š": "sh", "ś": "s", "č": "ch", "ć": "ts", "ŭ": "v", "ź": "z"})
# Case endings of names -> the nominative's, for Russian and Belarusian, and Polish adjectives.
CASES = [
    (re.compile(r"((?:с|ц|ч)к)(?:ой|ую|ою|ай|ае|ою)$"), r"\1ая"),
    (re.compile(r"((?:с|ц|ч)к)(?:ого|ому|им|ым|ом|ага|аму)$"), r"\1ий"),
    (re.compile(r"((?:ов|ев|ёв|ав|ин|ын|ун)|ін)(?:ой|ою|у|ай|аю)$"), r"\1а"),
    (re.compile(r"([бвгджзклмнпрстфхцчшщ])(?:ом|ем|ём|ам|ым)$"), r"\1"),
    (re.compile(r"k(?:iego|iemu|im)$"), "ki"),
]
# Latin spellings of one sound -> one letter, in this order.
SOUNDS = [
    (re.compile(pattern), letter)
    for pattern, letter in (
        ("szcz|shch|sch|sz|sh", "W"),
        ("tch|cz|ch", "Q"),
        ("zh", "J"),
        ("kh|x|ks", "X"),
        ("tz|ts", "t"),
        ("dz|dj", "d"),
        ("ph", "f"),
        ("th", "t"),
        ("c(?=[eiyk])", "t"),
        ("ck", "tk"),
        ("c", "k"),
        ("h", "g"),
        ("w", "v"),
        ("^u(?=[^aeiouy])", "v"),
        ("(?<=[aeioy])u", "v"),
    )
]
WOMANS = re.compile(r"(?:v|n|sk|tk)(?:a|aia|aya|aja|aa)$")


@lru_cache(maxsize=65536)
def folded(word: str) -> str:
    """A word in plain Latin letters, lower case; Cyrillic is transliterated letter by letter."""
    lower = POSSESSIVE.sub("", unicodedata.normalize("NFC", word.lower()))
    plain = "".join(CYRILLIC.get(character, character) for character in lower).translate(LATIN)
    plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return re.sub("[^a-z0-9]", "", plain)


@lru_cache(maxsize=65536)
def fold_key(word: str) -> str:
    """The consonants of a name by their sound: the same for most spellings of one name in most languages.

    A leading vowel is kept as "A", the ending of a woman's surname as "+". Empty for a word without letters.
    """
    lower = POSSESSIVE.sub("", unicodedata.normalize("NFC", word.lower()))
    for ending, nominative in CASES:
        lower = ending.sub(nominative, lower)
    sound = folded(lower)
    for pattern, letter in SOUNDS:
        sound = pattern.sub(letter, sound)
    womans = "+" if WOMANS.search(sound) else ""
    sound = re.sub("(?<=k)[iyj]+[sj]?[iuy]*$", "", sound)
    lead = "A" if sound[:1] in ("a", "e", "i", "o", "u", "y") else ""
    sound = re.sub("[aeiouyj]", "", sound)
    single = re.sub(r"(.)\1+", r"\1", sound)
    return f"{lead}{single}{womans}" if single or lead else ""


@dataclass(frozen=True, slots=True)
class Mention:
    """A known name in a text: the table's name for it, what it names, as it is spelt there, and where."""

    name: str
    kind: Kind
    spelling: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: Kind
    spellings: tuple[str, ...]


class Names:
    """A table of known names."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Reads a table's lines, see the module's docstring; later lines of the same name add spellings to it."""
        entries = list(_read(lines))
        self._whole: dict[tuple[str, ...], str] = {}
        self._surnames: dict[str, str] = {}
        self._first_names: dict[str, set[str]] = {}
        self._spellings: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, bool]] = {}
        self._exact: set[str] = set()
        self._kinds: dict[str, Kind] = {}
        for entry in entries:
            self._kinds.setdefault(entry.name, entry.kind)
            self._spellings[entry.name] = tuple(dict.fromkeys([*self._spellings.get(entry.name, ()), *entry.spellings]))
            for spelling in entry.spellings:
                words = WORD.findall(spelling)
                if any(character.isdigit() for character in spelling) and len(words) == 1:
                    continue  # "Spring96" is not every spring
                self._whole.setdefault(tuple(map(fold_key, words)), entry.name)
                self._exact.add(folded(words[-1]))
                if len(words) > 1:
                    self._folded.setdefault(" ".join(map(folded, words)), (entry.name, entry.kind == "people"))
                if entry.kind == "people" and len(words) > 1:
                    self._surnames.setdefault(fold_key(words[-1]), entry.name)
                    for first in words[:-1]:
                        self._first_names.setdefault(fold_key(first).rstrip("+"), set()).add(entry.name)
        # keys of the words that a name can begin with
        starts = [key[0] for key in self._whole if key]
        self._beginnings = {key.rstrip("+") for key in (*starts, *self._surnames, *self._first_names)} - {""}

    @classmethod
    def open(cls, added: Path | None) -> Names:
        """The project's table, and what a user's file adds to it, if it exists."""
        lines = added.read_text("utf-8").splitlines() if added and added.exists() else []
        return cls([*lines, *TABLE.read_text("utf-8").splitlines()])

    def spellings(self, name: str) -> tuple[str, ...]:
        """All spellings of a name of the table; empty for another."""
        return self._spellings.get(name, ())

    def link(self, spelling: str) -> str:
        """The table's name for a whole name on its own, also if it is spelt in a new way; empty if it is not known."""
        words = WORD.findall(spelling)
        keys = tuple(map(fold_key, words))
        if found := self._whole.get(keys) or self._whole.get(keys[::-1]):
            return found
        return self._alike(words) if len(words) > 1 else ""

    def _alike(self, words: list[str]) -> str:
        """The nearest spelling, if it is near enough and of the same ending."""
        best = process.extractOne(
            " ".join(map(folded, words)), self._folded.keys(), scorer=fuzz.ratio, score_cutoff=LIKENESS
        )
        if best is None:
            return ""
        name, person = self._folded[best[0]]
        if person and not self._same_ending(name, words[-1]):
            return ""
        return name

    def _same_ending(self, name: str, surname: str) -> bool:
        endings = {fold_key(WORD.findall(spelling)[-1]).endswith("+") for spelling in self._spellings[name]}
        return fold_key(surname).endswith("+") in endings

    def mentions(self, text: str) -> list[Mention]:
        """The known names in a text, in its order, each place once, longest first."""
        words = (word for word in WORD.findall(text) if word[0].isupper())
        if not any(fold_key(word).rstrip("+") in self._beginnings for word in words):
            return []  # as in most sentences
        return [
            Mention(
                name, self._kinds[name], text[words[0].start() : words[-1].end()], words[0].start(), words[-1].end()
            )
            for name, words in self._scan(text)
            if name
        ]

    def unknown(self, text: str) -> list[str]:
        """The capitalised words of a text that are no known name, but for those that open a sentence."""
        made = []
        for name, words in self._scan(text):
            word = words[0]
            before = text[: word.start()].rstrip(" \"“”«»'‘’(")
            if not name and word[0][0].isupper() and before and before[-1] not in ".!?…\n":
                made.append(word[0])
        return made

    def _scan(self, text: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
        """Stretches of words and the names they are linked to, an empty one for a single word that is none."""
        words = list(WORD.finditer(text))
        keys = [fold_key(word[0]) if word[0][0].isupper() else "" for word in words]
        begins = [key.rstrip("+") in self._beginnings for key in keys]
        place = 0
        while place < len(words):
            most = min(LONGEST_NAME, len(words) - place) if begins[place] else 0
            for length in range(most, 0, -1):
                if name := self._name_of(text, words, keys, place, length):
                    yield name, words[place : place + length]
                    place += length
                    break
            else:
                yield "", words[place : place + 1]
                place += 1

    def _name_of(self, text: str, words: list[re.Match[str]], keys: list[str], place: int, length: int) -> str:
        some = words[place : place + length]
        if length > 1:
            joined = all(
                GAP.fullmatch(text[one.end() : other.start()]) and other[0][0].isupper()
                for one, other in pairwise(some)
            )
            if not joined:
                return ""
            key = tuple(keys[place : place + length])
            found = self._whole.get(key, "")
            if not found and length == 2 and keys[place].rstrip("+") in self._first_names:
                found = self._alike([word[0] for word in some])
            return found
        sound, word = keys[place], some[0][0]
        if (len(sound.rstrip("+")) < SHORT_KEY or word.isupper()) and folded(word) not in self._exact:
            return ""
        if found := self._whole.get((sound,), ""):
            return found
        if not (surname := self._surnames.get(sound, "")):
            return ""
        if place and GAP.fullmatch(text[words[place - 1].end() : words[place].start()]):
            first = keys[place - 1].rstrip("+")
            if words[place - 1][0][0].isupper() and surname not in self._first_names.get(first, {surname}):
                return ""  # somebody else's first name stands before it
        return surname


def _read(lines: Iterable[str]) -> Iterator[_Entry]:
    kind: Kind = "people"
    for line in map(str.strip, lines):
        if line[1:-1] in KINDS and line == f"[{line[1:-1]}]":
            kind = next(one for one in KINDS if one == line[1:-1])
        elif line and not line.startswith("#"):
            name, _, spellings = line.partition(":")
            every = [name, *spellings.split(";")]
            yield _Entry(name.strip(), kind, tuple(one.strip() for one in every if WORD.search(one)))
