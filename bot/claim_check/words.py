"""The words of claims and quotes: their stems, their sentences, and what language they are of.

Does not know what a word proves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from language import entries, word_list
from vectorstore.terms import CYRILLIC, terms

# What typography writes in several ways: one way for comparing. Every character stands for exactly one, so that
# positions stay those of the text.
PLAIN = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("‐‑‒–—―−", "-") | {"\u00a0": " "}
)
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]*[^\W\d_a-zа-яёіўїєґ])|\n+")
LEXICON_LANGUAGES = ("en", "ru", "be")  # whose number words are all known
CYRILLIC_LANGUAGES = frozenset(("ru", "be", "uk"))
STOP_WORDS = frozenset(word_list("stop_words", "words"))
CACHED = 4096  # texts: a quote is compared with many claims


@lru_cache(65536)
def stem(word: str) -> str:
    """The stem of a word in lower case; empty for a mark."""
    found = terms(word.removesuffix("'s")) if word[0].isalnum() else []
    return found[0] if found else ""


def sentences(text: str) -> list[str]:
    """The sentences of a text; pieces of one or two words stay with what follows them (abbreviations)."""
    found, rest = [], ""
    for piece in SENTENCE_END.split(text):
        rest = f"{rest} {piece}".strip() if rest else piece.strip()
        if len(rest.split()) > 2:
            found.append(rest)
            rest = ""
    return [*found, rest] if rest else found


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
    for name, (common, typical) in _languages().items():
        score = sum(word in common for word in words) / len(words)
        score += 3 * sum(letter in typical for letter in letters) / len(letters)
        if (name in CYRILLIC_LANGUAGES) == cyrillic and score > most:
            best, most = name, score
    return best


@cache
def _languages() -> Mapping[str, tuple[frozenset[str], str]]:
    """Each language's commonest words, and the letters that it alone has."""
    return {
        name: (frozenset(keys["words"]), "".join(keys.get("letters", ())))
        for name, keys in entries("common_words").items()
    }
