"""One person, many spellings: links names in a text to the table of known ones, and gives unknown ones a fold key.

Knows spellings of Latin and Cyrillic names and Russian and Belarusian case endings. Does not know articles or search.
Names that only look alike stay apart: a surname alone is linked only if nobody else's first name stands before it, in a
sentence any capitalised word but a title; and what ends like a woman's surname is never a man's.

The table is a plain text file, a name a line: `Maria Kalesnikava: Maria Kolesnikova; Мария Колесникова`. Lines that
start with # are notes; [people], [organisations] and [places] say what the lines below are. Of several people with one
surname, the first in the table is the one meant by it alone, and the project's table comes before a user's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

from rapidfuzz import fuzz, process

from language import Message, word_list

TABLE = Path(__file__).with_name("names.txt")
FIRST_NAMES = Path(__file__).with_name("first_names.txt")
EntityType = Literal["people", "organisations", "places"]
ENTITY_TYPES: tuple[EntityType, ...] = get_args(EntityType)
MIN_SIMILARITY = 86.0  # least rapidfuzz ratio of two folded names; measured: benchmarks/LOG.md, "Names"
MIN_SOUND_SIMILARITY = 80.0  # the same of the sounds of two words with one key
LONGEST_NAME = 6  # words
CACHED_TEXTS = 8192  # texts whose names are kept in memory: an answer looks at its sentences several times
HEADLINE = 200  # characters: the longest headline, or question in small letters
SMALL_NAME = 5  # letters of a name that is known in small letters too
SHORT_KEY = 3  # letters; a word of a shorter key, or of capitals alone, is linked only if it is spelt as in the table

WORD = re.compile(r"[^\W\d_][\w’'\u0300-\u036f]*(?:\.\w+)?")
POSSESSIVE = re.compile("['’]s?$")
GAP = re.compile(r"[\s\-–]{1,2}\Z")
INITIAL_GAP = re.compile(r"\.?[\s\-–]{0,2}\Z")
OPENS = re.compile(r"(?:^|[.!?…:;*•—–\n])[\s\"'“”«»‘’„(\[\-]*\Z")  # what stands before the first word of a sentence
QUOTES = tuple("\"'“«‘„")
PATRONYMIC = re.compile("(?:[aeioy]vi(?:ch|cz)|[aeioy][uv]?vna|[aeioy]una|inichna)[aeimouy]*$")  # of a folded word
# Cyrillic names that are other words as well, folded, where they open a sentence
OTHER_WORDS = word_list("name_homonyms", "words")
CYRILLIC = dict(zip("абвгґдеёєзиіїйклмнопрстуўфыэ", "abvggdeoeziiiiklmnoprstuvfie", strict=True)) | {
    "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ь": "", "ю": "iu", "я": "ia",
}  # fmt: skip
LATIN = str.maketrans({"ł": "l", "ż": "zh", "ž": "zh", "š": "sh", "ś": "s", "č": "ch", "ć": "ts", "ŭ": "v", "ź": "z"})
# Case endings of names -> the nominative's, for Russian and Belarusian, and Polish adjectives.
CASES = [
    (re.compile(r"((?:с|ц|ч)к)(?:ой|ую|ою|ай|ае|ою)$"), r"\1ая"),
    (re.compile(r"((?:с|ц|ч)к)(?:ого|ому|им|ым|ом|ага|аму)$"), r"\1ий"),
    (re.compile(r"((?:ов|ев|ёв|ав|ин|ын|ун)|ін)(?:ой|ою|у|ай|аю)$"), r"\1а"),
    (re.compile("ю$"), "я"),
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
def transliterate(word: str) -> str:
    """A word in plain Latin letters, lower case; Cyrillic is transliterated letter by letter."""
    lower = POSSESSIVE.sub("", unicodedata.normalize("NFC", word.lower()))
    plain = "".join(CYRILLIC.get(character, character) for character in lower).translate(LATIN)
    plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return re.sub("[^a-z0-9]", "", plain)


def _sound(word: str) -> str:
    """A word of a name in its nominative, with a letter for each sound."""
    lower = POSSESSIVE.sub("", unicodedata.normalize("NFC", word.lower())).replace("\u0301", "")
    for ending, nominative in CASES:
        lower = ending.sub(nominative, lower)
    sound = transliterate(lower)
    for pattern, letter in SOUNDS:
        sound = pattern.sub(letter, sound)
    return sound


@lru_cache(maxsize=65536)
def phonetic_key(word: str) -> str:
    """The consonants of a name by their sound: the same for most spellings of one name in most languages.

    A leading vowel is kept as "A", the ending of a woman's surname as "+". Empty for a word without letters.
    """
    sound = _sound(word)
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
    kind: EntityType
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: EntityType
    aliases: tuple[str, ...]


class NameTable:
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
        self._last_sounds: dict[str, set[str]] = {}
        self._known_first = set(map(_stem, _listed(FIRST_NAMES)))
        self._titles = frozenset(map(transliterate, word_list("titles", "surname")))
        self._kinds: dict[str, EntityType] = {}
        for entry in entries:
            self._kinds.setdefault(entry.name, entry.kind)
            self._spellings[entry.name] = tuple(dict.fromkeys([*self._spellings.get(entry.name, ()), *entry.aliases]))
            for spelling in entry.aliases:
                words = WORD.findall(spelling)
                if any(character.isdigit() for character in spelling) and len(words) == 1:
                    continue  # "Spring96" is not every spring
                self._whole.setdefault(tuple(map(phonetic_key, words)), entry.name)
                self._exact.add(transliterate(words[-1]))
                self._last_sounds.setdefault(entry.name, set()).add(_sound(words[-1]))
                if len(words) > 1:
                    self._folded.setdefault(" ".join(map(transliterate, words)), (entry.name, entry.kind == "people"))
                if entry.kind == "people" and len(words) > 1:
                    self._surnames.setdefault(phonetic_key(words[-1]), entry.name)
                    for first in words[:-1]:
                        self._first_names.setdefault(phonetic_key(first).rstrip("+"), set()).add(entry.name)
                        self._known_first.add(_stem(first))
        # keys of the words that a name can begin with
        starts = [key[0] for key in self._whole if key]
        self._beginnings = {key.rstrip("+") for key in (*starts, *self._surnames, *self._first_names)} - {""}
        self._found = lru_cache(CACHED_TEXTS)(self._find)

    @classmethod
    def open(cls, added: Path | None) -> NameTable:
        """The project's table, and what a user's file adds to it, if it exists; ValueError if that is not UTF-8."""
        lines = TABLE.read_text("utf-8").splitlines()
        if added and added.exists():
            try:
                # a section that the project's table ends in is not the user's
                lines += ["[people]", *added.read_text("utf-8-sig").splitlines()]
            except UnicodeDecodeError as error:
                wrong = Message("The names in {file} can't be read: save the file as UTF-8.", file=added)
                raise ValueError(wrong) from error
        return cls(lines)

    def aliases(self, name: str) -> tuple[str, ...]:
        """All spellings of a name of the table; empty for another."""
        return self._spellings.get(name, ())

    def link(self, spelling: str) -> str:
        """The table's name for a whole name on its own, also if it is spelt in a new way; empty if it is not known."""
        words = WORD.findall(spelling)
        keys = tuple(map(phonetic_key, words))
        if found := self._whole.get(keys) or self._whole.get(keys[::-1]):
            return found
        return self._alike(words) if len(words) > 1 else ""

    def _alike(self, words: list[str]) -> str:
        """The nearest spelling, if it is near enough and of the same ending."""
        best = process.extractOne(
            " ".join(map(transliterate, words)), self._folded.keys(), scorer=fuzz.ratio, score_cutoff=MIN_SIMILARITY
        )
        if best is None:
            return ""
        name, person = self._folded[best[0]]
        return "" if person and not self._same_ending(name, words[-1]) else name

    def _same_ending(self, name: str, surname: str) -> bool:
        endings = {phonetic_key(WORD.findall(spelling)[-1]).endswith("+") for spelling in self._spellings[name]}
        return phonetic_key(surname).endswith("+") in endings

    def mentions(self, text: str) -> list[Mention]:
        """The known names in a text, in its order, each place once, longest first."""
        return list(self._found(text))

    def _find(self, text: str) -> tuple[Mention, ...]:
        if len(text) < HEADLINE and text == text.lower():
            text = self._capitalised(text)
        if not any(self._begins(word) for word in WORD.findall(text) if word[0].isupper()):
            return ()  # as in most sentences
        return tuple(
            Mention(
                name, self._kinds[name], text[words[0].start() : words[-1].end()], words[0].start(), words[-1].end()
            )
            for name, words in self._scan(text)
            if name
        )

    def _capitalised(self, text: str) -> str:
        """A question that is typed in small letters, with capitals for the words that are known names."""
        characters = list(text)
        words = list(WORD.finditer(text))
        for place, word in enumerate(words):
            pair = tuple(phonetic_key(other[0]) for other in words[place : place + 2])
            if len(pair) == 2 and pair in self._whole:
                known = words[place : place + 2]
            elif self._is_known_small(word[0]):
                known = [word]
            else:
                continue
            for match in known:
                characters[match.start()] = match[0][0].upper()
        return "".join(characters)

    def _is_known_small(self, word: str) -> bool:
        """Whether a word in small letters is a name, in the nominative or, in Cyrillic, in another case."""
        plain, key = transliterate(word), phonetic_key(word)
        if len(plain) < SMALL_NAME or plain in _other_words():
            return False
        if plain in self._exact:
            return True
        person = self._surnames.get(key, "")
        return bool(person) and len(key.rstrip("+")) > SHORT_KEY and self._sounds_like(person, word)

    def unknown_names(self, text: str) -> list[str]:
        """The capitalised words of a text that are no known name, but for those that open a sentence."""
        unknown = []
        for name, words in self._scan(text):
            before = text[: words[0].start()].rstrip(" \"“”«»'‘’(")
            if not name and before and before[-1] not in ".!?…\n":
                unknown.append(words[0][0])
        return unknown

    def _begins(self, word: str) -> bool:
        """Whether a known name can begin with a capitalised word."""
        return phonetic_key(word).rstrip("+") in self._beginnings

    def _scan(self, text: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
        """Stretches of capitalised words and the names they are linked to, an empty one for a word that is in none."""
        words = [word for word in WORD.finditer(text) if word[0][0].isupper()]
        # whether the next one stands right behind it
        joined = [_joined(text, word, other) for word, other in pairwise(words)]
        place = 0
        while place < len(words):
            name, length = self._longest(text, words, joined, place) if self._begins(words[place][0]) else ("", 1)
            yield name, words[place : place + length]
            place += length

    def _longest(self, text: str, words: list[re.Match[str]], joined: list[bool], place: int) -> tuple[str, int]:
        """The longest name that begins at a place, and of how many words it is; ("", 1) if none does."""
        end = place + 1
        while end - place < LONGEST_NAME and end < len(words) and joined[end - 1]:
            end += 1
        some = [word[0] for word in words[place:end]]
        keys = [phonetic_key(word) for word in some]
        for length in range(len(some), 1, -1):
            name = self._whole.get(tuple(keys[:length]), "")
            if name and not self._sounds_like(name, some[length - 1]):
                name = ""
            if not name and length == 2 and keys[0].rstrip("+") in self._first_names:
                name = self._alike(some[:2])
            if name:
                return name, length
        return self._alone(text, words, joined, place), 1

    def _alone(self, text: str, words: list[re.Match[str]], joined: list[bool], place: int) -> str:
        """The name that one word stands for where it stands; empty if it is none."""
        word = words[place][0]
        sound = phonetic_key(word)
        if (len(sound.rstrip("+")) < SHORT_KEY or word.isupper()) and transliterate(word) not in self._exact:
            return ""
        if transliterate(word) in _other_words() and word[0].lower() in CYRILLIC:
            before = text[: words[place].start()]
            if OPENS.search(before) and before[-1:] not in QUOTES:
                return ""
        if found := self._whole.get((sound,), ""):
            return found if self._sounds_like(found, word) else ""
        surname = self._surnames.get(sound, "")
        if not surname or not self._sounds_like(surname, word):
            return ""
        return surname if self._may_be_alone(surname, text, words, joined, place) else ""

    def _sounds_like(self, name: str, word: str) -> bool:
        """Whether a word of the key of a name's last word has its vowels too: "Black" is no Bialacki."""
        return (
            process.extractOne(
                _sound(word), self._last_sounds[name], scorer=fuzz.ratio, score_cutoff=MIN_SOUND_SIMILARITY
            )
            is not None
        )

    def _may_be_alone(
        self, surname: str, text: str, words: list[re.Match[str]], joined: list[bool], place: int
    ) -> bool:
        """Whether no first name but the person's own stands before a surname."""
        initial = ""
        while place and joined[place - 1]:
            place -= 1
            word = words[place][0]
            plain = transliterate(word)
            if len(word) == 1:
                initial = initial or plain
            elif not PATRONYMIC.search(plain):
                break
        else:
            # an initial, or nothing
            first_names = (key for key, names in self._first_names.items() if surname in names)
            return not initial or any(key.startswith(phonetic_key(initial)) for key in first_names)
        if surname in self._first_names.get(phonetic_key(word).rstrip("+"), ()):
            return True
        if _stem(word) in self._known_first:
            return False
        between = text[words[place].end() : words[place + 1].start()]
        hyphened = "-" in between or "–" in between
        return (
            plain in self._titles
            or POSSESSIVE.search(word) is not None
            or (word.isupper() and not words[place + 1][0].isupper())
            or (hyphened and (phonetic_key(word),) in self._whole)
            or phonetic_key(word) in self._surnames
            or OPENS.search(text[: words[place].start()]) is not None
            or _is_headline(text)
        )


def _joined(text: str, word: re.Match[str], other: re.Match[str]) -> bool:
    """Whether two words belong together: "Maria Kalesnikava", "A. Lukashenko"."""
    gap = INITIAL_GAP if len(word[0]) == 1 else GAP
    return gap.fullmatch(text, word.end(), other.start()) is not None


def _is_headline(text: str) -> bool:
    """Whether most words of a short text begin with a capital, as in English titles."""
    words = [word for word in WORD.findall(text[:HEADLINE]) if len(word) > 3]
    return len(text) < HEADLINE and len(words) > 3 and sum(word[0].isupper() for word in words) > 0.8 * len(words)


@cache
def _other_words() -> frozenset[str]:
    return frozenset(map(transliterate, OTHER_WORDS))


def _stem(first_name: str) -> str:
    """A folded first name without the vowels that it ends in, which case changes."""
    return transliterate(first_name).rstrip("aeiouy")


def _listed(path: Path) -> list[str]:
    lines = (line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    return [word for line in lines for word in line.split()]


def _read(lines: Iterable[str]) -> Iterator[_Entry]:
    kind: EntityType = "people"
    for line in map(str.strip, lines):
        if line[1:-1] in ENTITY_TYPES and line == f"[{line[1:-1]}]":
            kind = next(known for known in ENTITY_TYPES if known == line[1:-1])
        elif line and not line.startswith("#"):
            name, _, spellings = line.partition(":")
            every = [name, *spellings.split(";")]
            yield _Entry(name.strip(), kind, tuple(spelling.strip() for spelling in every if WORD.search(spelling)))
