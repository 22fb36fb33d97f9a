"""The words of claims and quotes: with their stems, in sentences, of a language, and in tables.

Knows English, Russian and Belarusian, and tells other languages from them. Does not know what a word proves.

A table is a plain text file beside this one: `key: words` a line, under a [section]; a key may go on in further lines.
Lines that start with # are notes. In its words "*" stands for any ending and "_" for a blank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from vectorstore.terms import CYRILLIC, terms

# What typography writes in several ways: one way for comparing. Every character stands for exactly one, so that
# positions stay those of the text.
PLAIN = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("‐‑‒–—―−", "-") | {"\u00a0": " "}
)
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]*[^\W\d_a-zа-яёіўїєґ])|\n+")
TAUGHT = ("en", "ru", "be")  # whose words the tables hold
CYRILLIC_LANGUAGES = frozenset(("ru", "be", "uk"))
CACHED = 4096  # texts: a quote is compared with many claims


@cache
def table(name: str) -> Mapping[str, Mapping[str, str]]:
    """A table by its section and key."""
    made: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in Path(__file__).with_name(f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = made.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, words = line.partition(": ")
            section[key] = f"{section.get(key, '')} {words}".strip()
    return made


@cache
def every(name: str, section: str) -> frozenset[str]:
    """All words of a section."""
    return frozenset(" ".join(table(name)[section].values()).split())


@cache
def pattern(words: str) -> re.Pattern[str]:
    """Matches any of a table's words; `match` leaves open what follows, so that "fullmatch" is for words."""
    ways = (re.escape(word).replace(r"\*", r"\w*").replace("_", r"\s+") for word in words.split())
    return re.compile(rf"(?:{'|'.join(ways)})(?!\w)", re.I)


@lru_cache(65536)
def stem(word: str) -> str:
    """The stem of a word in lower case; empty for a mark."""
    found = terms(word.removesuffix("'s")) if word[0].isalnum() else []
    return found[0] if found else ""


def sentences(text: str) -> list[str]:
    """The sentences of a text; pieces of one or two words stay with what follows them (abbreviations)."""
    made, rest = [], ""
    for piece in SENTENCE_END.split(text):
        rest = f"{rest} {piece}".strip() if rest else piece.strip()
        if len(rest.split()) > 2:
            made.append(rest)
            rest = ""
    return [*made, rest] if rest else made


@lru_cache(CACHED)
def language(text: str) -> str:
    """The language of a text (ISO 639-1) by its commonest words and letters; "" if it can't be told.

    Why not py3langid: a claim is a sentence, often one of names.
    """
    lower = text.lower()
    words = re.findall(r"[^\W\d_]+", lower)
    letters = "".join(words)
    if not letters:
        return ""
    cyrillic = 2 * len(CYRILLIC.findall(letters)) > len(letters)
    best, most = "", 0.0
    for name, (common, own) in _languages().items():
        score = sum(word in common for word in words) / len(words)
        score += 3 * sum(letter in own for letter in letters) / len(letters)
        if (name in CYRILLIC_LANGUAGES) == cyrillic and score > most:
            best, most = name, score
    return best


@cache
def _languages() -> Mapping[str, tuple[frozenset[str], str]]:
    """Each language's commonest words, and the letters that it alone has."""
    letters = table("words")["letters"]
    return {name: (frozenset(words.split()), letters.get(name, "")) for name, words in table("words")["common"].items()}
