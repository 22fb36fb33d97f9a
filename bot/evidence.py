"""Proof: finds a quote in an article, and says whether quotes cover what a claim states.

Knows text. Does not know models, search or how an answer is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vectorstore import Span

# What typography writes in several ways: one way for comparing. Every character stands for exactly one, so that
# positions stay those of the text.
PLAIN = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("‐‑‒–—―−", "-") | {"\u00a0": " "}
)
SPACE = re.compile(r"\s+")
NUMBER = re.compile(r"\d+(?:[.,\u00a0 ]\d{3})*(?:[.,]\d+)?")
GROUPS = re.compile(r"(?<=\d)[.,\u00a0 ](?=\d{3}(?!\d))")
NAME = re.compile(r"\b[^\W\d_a-zа-яёіўїєґ][\w'’-]*[\w]", re.UNICODE)
FIRST_WORD = re.compile(r"^\W*\w+")
QUOTED = re.compile(r'"[^"]{12,}"')
MIN_STEM = 4


def find_quote(text: str, quote: str) -> Span | None:
    """Where a quote stands in a text, or None.

    White space may differ in kind and amount, and quotation marks and dashes in their typographic form; nothing else.
    A quote holds whole words.
    The span is the text's own, so `text[span.start:span.end]` is what the article says.
    """
    words = SPACE.split(quote.translate(PLAIN).strip())
    if words == [""]:
        return None
    pattern = r"\s+".join(map(re.escape, words))
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text.translate(PLAIN))
    return Span(found.start(), found.end()) if found else None


def uncovered(claim: str, evidence: Sequence[str], about: Sequence[str] = ()) -> list[str]:
    """The numbers, names and quoted words of a claim that its evidence does not hold, in this order.

    A name is a capitalised word other than the claim's first; it is covered by a word that shares its beginning, so
    that endings may differ. `evidence` are the quotes; `about`, what is known of their articles, covers names alone.
    """
    plain = claim.translate(PLAIN)
    ground = " ".join(evidence).translate(PLAIN)
    numbers = {_digits(number) for number in NUMBER.findall(ground)}
    words = {word.lower() for word in re.findall(r"\w+", " ".join([ground, *about]))}
    missing = [number for number in NUMBER.findall(plain) if _digits(number) not in numbers]
    missing += [
        name for name in NAME.findall(FIRST_WORD.sub("", plain)) if not _known(name.lower().removesuffix("'s"), words)
    ]
    missing += [said for said in QUOTED.findall(plain) if find_quote(ground, said.strip('" .,')) is None]
    return missing


def _digits(number: str) -> str:
    """A number as its value is written: 1,150 and 1 150 are one number, 12.3 and 123 are not."""
    whole = GROUPS.sub("", number).replace(",", ".")
    return whole.lstrip("0") or "0"


def _known(name: str, words: set[str]) -> bool:
    parts = [part for part in re.split(r"\W+", name) if part]
    return all(
        any(word == part or (len(part) >= MIN_STEM and word[:MIN_STEM] == part[:MIN_STEM] and _alike(word, part))
            for word in words)
        for part in parts
    )  # fmt: skip


def _alike(one: str, other: str) -> bool:
    """Whether two words differ in their ending alone (at most three letters each)."""
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    return len(one) - shared <= 3 and len(other) - shared <= 3
