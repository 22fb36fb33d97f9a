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
KEPT = 8192  # texts whose names are kept in memory: an answer looks at its sentences several times
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
        self._found = lru_cache(KEPT)(self._find)

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
        return list(self._found(text))

    def _find(self, text: str) -> tuple[Mention, ...]:
        if not any(self._begins(word) for word in WORD.findall(text) if word[0].isupper()):
            return ()  # as in most sentences
        return tuple(
            Mention(
                name, self._kinds[name], text[words[0].start() : words[-1].end()], words[0].start(), words[-1].end()
            )
            for name, words in self._scan(text)
            if name
        )

    def unknown(self, text: str) -> list[str]:
        """The capitalised words of a text that are no known name, but for those that open a sentence."""
        made = []
        for name, words in self._scan(text):
            before = text[: words[0].start()].rstrip(" \"“”«»'‘’(")
            if not name and before and before[-1] not in ".!?…\n":
                made.append(words[0][0])
        return made

    def _begins(self, word: str) -> bool:
        """Whether a known name can begin with a capitalised word."""
        return fold_key(word).rstrip("+") in self._beginnings

    def _scan(self, text: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
        """Stretches of capitalised words and the names they are linked to, an empty one for a word that is in none."""
        words = [word for word in WORD.finditer(text) if word[0][0].isupper()]
        # whether the next one stands right behind it
        joined = [GAP.fullmatch(text, one.end(), other.start()) is not None for one, other in pairwise(words)]
        place = 0
        while place < len(words):
            name, length = self._longest(words, joined, place) if self._begins(words[place][0]) else ("", 1)
            yield name, words[place : place + length]
            place += length

    def _longest(self, words: list[re.Match[str]], joined: list[bool], place: int) -> tuple[str, int]:
        """The longest name that begins at a place, and of how many words it is; ("", 1) if none does."""
        end = place + 1
        while end - place < LONGEST_NAME and end < len(words) and joined[end - 1]:
            end += 1
        some = [word[0] for word in words[place:end]]
        keys = [fold_key(word) for word in some]
        for length in range(len(some), 1, -1):
            name = self._whole.get(tuple(keys[:length]), "")
            if not name and length == 2 and keys[0].rstrip("+") in self._first_names:
                name = self._alike(some[:2])
            if name:
                return name, length
        return self._alone(some[0], words[place - 1][0] if place and joined[place - 1] else ""), 1

    def _alone(self, word: str, before: str) -> str:
        """The name that one word stands for, behind the capitalised word `before`; empty if it is none."""
        sound = fold_key(word)
        if (len(sound.rstrip("+")) < SHORT_KEY or word.isupper()) and folded(word) not in self._exact:
            return ""
        if found := self._whole.get((sound,), ""):
            return found
        surname = self._surnames.get(sound, "")
        if before and surname not in self._first_names.get(fold_key(before).rstrip("+"), {surname}):
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
