"""Words as the full-text index holds them: folded and stemmed, the same for articles and questions.

Knows scripts and word endings. Does not know what is a name, a date or a good match.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import Stemmer

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
APOSTROPHES = re.compile("['’ʼ]")
CYRILLIC = re.compile("[\u0400-\u04ff]")
# what Unicode does not decompose, and what Russian writes with or without dots
FOLDED = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ё": "е", "ў": "у", "і": "и"})
_threads = threading.local()


def terms(text: str) -> list[str]:
    """The terms of a text, in its order and as often as they occur; an empty list if it holds no word.

    Lower case, without accents, stemmed by script: Latin with Snowball's English rules, Cyrillic with its Russian
    ones, whichever the language, since a question and the article that answers it need not share one.
    """
    # composed letters such as й stay what they are; a mark of stress is no letter's own part
    plain = unicodedata.normalize("NFC", text).replace("\u0301", "")
    return [_term(word) for word in WORD.findall(plain.lower())]


@lru_cache(maxsize=65536)
def _term(word: str) -> str:
    if CYRILLIC.search(word):
        return str(_stemmer("russian").stemWord(APOSTROPHES.sub("", word).translate(FOLDED)))
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    plain = APOSTROPHES.sub("'", plain.translate(FOLDED))
    return str(_stemmer("english").stemWord(plain)).replace("'", "")


def _stemmer(language: str) -> Stemmer.Stemmer:
    """One a thread: a stemmer keeps its word in itself while it works."""
    stemmers: dict[str, Stemmer.Stemmer] = _threads.__dict__
    if language not in stemmers:
        stemmers[language] = Stemmer.Stemmer(language)
    return stemmers[language]
