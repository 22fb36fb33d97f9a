"""Names: whether whom and what a claim names is named by its quotes, in whatever spelling and language.

Knows the project's table of names, countries with their people, and capitalised words. Across languages it trusts the
two tables alone, and in one script other names as far as they sound alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import fuzz

from bot.claim_check.dates import is_month, weekday
from bot.claim_check.numbers import is_number
from bot.claim_check.words import CACHED, STOP_WORDS
from language import Message, alternation, word_list, words_by_key
from vectorstore import Mention, NameTable, phonetic_key, transliterate

CAPITAL = re.compile(r"(?<![\w'])[^\W\d_a-zа-яёіўїєґ][\w'’]*(?:[-.][\w'’]+)*")
SHOUTED = frozenset(word_list("capitals_only", "words"))  # countries in capitals alone, other words otherwise
TITLES = frozenset(word_list("titles", "words"))
INSIDE = frozenset(word_list("titles", "inside"))
MIN_STEM = 4
MAX_ENDING = 3  # letters
SURE = 80.0  # rapidfuzz ratio (0 to 100) of a name spelt much as in the table; "Garden" sounds like Hrodna
MIN_KEY = 3  # letters of a fold key that tell a name


@dataclass(frozen=True, slots=True)
class EvidenceNames:
    """What is named in the quotes and in what is known of their articles."""

    known: Set[str]  # of the table
    countries: Set[str]
    words: Set[str]
    capitals: Set[str]
    keys: Set[str]
    initials: Set[str]


def name_reasons(
    claim: str, evidence: Sequence[str], names: NameTable, *, same: bool, near: bool
) -> list[tuple[str, Message]]:
    """What speaks against the names of a claim: (name, reason).

    `names` is the table of those that are known in several spellings. `same` says that claim and quotes share their
    language, `near` that they share its script and most words of it.
    """
    known = _evidence_names(tuple(evidence), names)
    missing, taken = [], []
    for mention in mentions(claim, names):
        if same or _sure(mention, names):
            taken.append(range(mention.start, mention.end))
            spellings = (mention.text, *names.aliases(mention.name))
            if mention.name not in known.known and not any(spelt(spelling, known.words) for spelling in spellings):
                missing.append(mention.text)
    for name, match in countries(claim):
        if not any(match.start() in place for place in taken):
            taken.append(range(match.start(), match.end()))
            if name not in known.countries and not (same and spelt(match[0], known.words)):
                missing.append(match[0])
    if near:
        found = [match for match in capitals(claim) if not any(match.start() in place for place in taken)]
        missing += [_bare(match) for match in found if not _known(match, claim, known)]
    return [(name, Message("the name {name} is not in its quote", name=name)) for name in missing]


def _known(match: re.Match[str], claim: str, words: EvidenceNames) -> bool:
    """Whether a capitalised word stands in the quote in some form, or may be no name at all."""
    word = _bare(match)
    lower, key = word.lower(), phonetic_key(word)
    before = claim[: match.start()].rstrip(" \"'(")
    opens = not before or before[-1] in ".!?…:\n"
    follower = CAPITAL.match(claim, match.end() + 1)
    if opens and (not follower or _names_nobody(_bare(follower)) or is_number(lower)):
        return True  # any word may open a sentence
    if spelt(word, words.words) or (len(key) >= MIN_KEY and key.rstrip("+") in words.keys):
        return True
    # "UN" for "United Nations", and the other way round
    short = {other.lower() for other in words.capitals if other.isupper() and len(other) > 1}
    around = initials(claim[max(0, match.start() - 40) : match.end() + 40])
    return lower in words.initials | initials(claim) or bool(around & short)


@lru_cache(CACHED)
def _evidence_names(texts: Sequence[str], names: NameTable) -> EvidenceNames:
    capital = {match[0] for text in texts for match in CAPITAL.finditer(text)}
    return EvidenceNames(
        known={mention.name for text in texts for mention in mentions(text, names)},
        countries={name for text in texts for name, _ in countries(text)},
        words={word for text in texts for word in re.findall(r"\w+", text.lower())},
        capitals=capital,
        keys={phonetic_key(word).rstrip("+") for word in capital} - {""},
        initials={short for text in texts for short in initials(text)},
    )


# what a text names


@lru_cache(CACHED)
def mentions(text: str, names: NameTable) -> Sequence[Mention]:
    """The names of the table in a plain text, but for places that are countries here."""
    lands = [range(match.start(), match.end()) for _, match in countries(text)]
    return [
        mention
        for mention in names.mentions(text)
        if mention.kind != "places" or not any(mention.start in land for land in lands)
    ]


@lru_cache(CACHED)
def countries(text: str) -> Sequence[tuple[str, re.Match[str]]]:
    """The countries a plain text names, also by their people: their name in the table, and where."""
    return [
        (name, match)
        for name, words in _countries().items()
        for match in words.finditer(text)
        if match[0].isupper() or match[0].lower() not in SHOUTED
    ]


@cache
def _countries() -> Mapping[str, re.Pattern[str]]:
    return {
        name: re.compile(rf"(?<![\w-])(?<!New )(?<!new )(?:{alternation(words)})(?!\w)", re.I)
        for name, words in words_by_key("countries").items()
    }


def capitals(text: str) -> Iterator[re.Match[str]]:
    """The capitalised words of a text that may be names."""
    return (match for match in CAPITAL.finditer(text) if not _names_nobody(_bare(match)))


def _names_nobody(word: str) -> bool:
    lower = word.lower()
    return (
        not lower or lower in TITLES or lower in STOP_WORDS
        or is_month(lower) or weekday(lower) is not None
    )  # fmt: skip


def _bare(match: re.Match[str]) -> str:
    return match[0].removesuffix("'s").strip(".'")


@lru_cache(CACHED)
def initials(text: str) -> frozenset[str]:
    """The abbreviations that a text's capitalised stretches could have: "eu" for "European Union"."""
    found = set()
    stretch = ""
    for word in re.findall(r"[^\W_]+|[^\w\s]", text):
        if word[0].isupper() and not word.isupper():
            stretch += word[0].lower()
        elif word.lower() not in INSIDE:
            stretch = ""
        found |= {stretch[begin:] for begin in range(len(stretch) - 1)}
    return frozenset(found)


# how it is spelt


def _sure(mention: Mention, names: NameTable) -> bool:
    """Whether a name of the table is spelt much as there."""
    words = [transliterate(word) for alias in names.aliases(mention.name) for word in re.findall(r"\w+", alias)]
    return all(
        any(fuzz.ratio(transliterate(part), word) >= SURE for word in words)
        for part in re.findall(r"\w+", mention.text)
    )


def spelt(name: str, words: Set[str]) -> bool:
    """Whether each part of a name is among the words, but for its ending."""
    parts = [part for part in re.split(r"\W+", name.lower().removesuffix("'s")) if part and part != "s"]
    return bool(parts) and all(part in words or any(_alike(word, part) for word in words) for part in parts)


def _alike(first: str, second: str) -> bool:
    """Whether two words differ in their ending alone."""
    shared = 0
    while shared < min(len(first), len(second)) and first[shared] == second[shared]:
        shared += 1
    return shared >= MIN_STEM and max(len(first), len(second)) - shared <= MAX_ENDING
