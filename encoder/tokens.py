"""Text to the model's token numbers, and back to the characters that a token stands for.

Knows SentencePiece's normalisation as the model was trained with it. Does not know roles, windows or vectors.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CLUSTER = re.compile(r"(?s).[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]*")


class Tokens:
    """Encodes text; `normalisation` maps a code point to what stands for it. Safe to call from several threads."""

    def __init__(self, tokenizer: Tokenizer, normalisation: Mapping[int, str]) -> None:
        self._tokenizer = tokenizer
        self._normalisation = normalisation

    def numbers(self, text: str, *, marks: bool = False) -> list[int]:
        """The token numbers of a text; with `marks`, those of beginning and end around them. Empty for white space."""
        # composing first (NFC) is what the original does for texts from systems that decompose accents
        plain = unicodedata.normalize("NFC", text).translate(self._normalisation)
        return list(self._tokenizer.encode(" ".join(filter(None, plain.split(" "))), add_special_tokens=marks).ids)

    def placed(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The token numbers of a text without marks, and for each the characters (start, end) that it stands for."""
        plain, places = self._normalised(text)
        encoded = self._tokenizer.encode(plain, add_special_tokens=False)
        spans = []
        for start, end in encoded.offsets:
            while start < end and plain[start].isspace():
                start += 1
            # a token of white space alone stands before the next character
            next_one = places[start][0] if start < len(places) else len(text)
            spans.append((next_one, places[end - 1][1] if start < end else next_one))
        return list(encoded.ids), spans

    def _normalised(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """The text as it is encoded, and where each of its characters stands in the original."""
        plain: list[str] = []
        places: list[tuple[int, int]] = []
        for cluster in CLUSTER.finditer(text):
            for sign in unicodedata.normalize("NFC", cluster[0]).translate(self._normalisation):
                if sign == " " and (not plain or plain[-1] == " "):
                    continue
                plain.append(sign)
                places.append(cluster.span())
        while plain and plain[-1] == " ":
            plain.pop(), places.pop()
        return "".join(plain), places
