"""Proof: finds a quote in an article, and says whether quotes cover what a claim states.

Knows text and hits. Does not know models, search or how an answer is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vectorstore import Hit, Span
from vectorstore.terms import terms

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
MIN_QUOTE = 3  # words; fewer stand anywhere
LINK = re.compile(r"https?:|www\.|\]\(|<[a-z/!]", re.I)
TO_THE_POINT = 0.80  # cosine of a sentence to the question; measured: benchmarks/LOG.md, "Injection"


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


def covering(hit: Hit, quote: str) -> Span | None:
    """The whole sentences of the passage that a quote stands in, as a span of the article; None if it is not there.

    A part of a sentence proves nothing: what denies it may stand in the rest.
    """
    found = find_quote(hit.text, quote) if len(quote.split()) >= MIN_QUOTE else None
    if not found:
        return None
    start, end = hit.span.start + found.start, hit.span.start + found.end
    touched = [one.span for one in hit.sentences if one.span.start < end and start < one.span.end]
    return Span(min(start, touched[0].start), max(end, touched[-1].end)) if touched else Span(start, end)


def doubts(claim: str, question: str, quotes: Sequence[tuple[Hit, Span]]) -> list[str]:
    """Why the quotes do not prove the claim, in words for people; empty if nothing speaks against it."""
    evidence = [hit.article.text[span.start : span.end] for hit, span in quotes]
    about = [" ".join((hit.article.title, hit.article.publisher, hit.article.published)) for hit, _ in quotes]
    why = [f"its quote does not hold “{part}”" for part in uncovered(claim, evidence, about)]
    if LINK.search(claim):
        why.append("it holds an address")
    if not _to_the_point(question, quotes):
        why.append("its quote has nothing to do with the question")
    return why


def _to_the_point(question: str, quotes: Sequence[tuple[Hit, Span]]) -> bool:
    """Whether a quote shares a word with the question or is near to it in meaning."""
    asked = set(terms(question))
    for hit, span in quotes:
        if asked & set(terms(hit.article.text[span.start : span.end])):
            return True
        inside = [one.cosine for one in hit.sentences if one.span.start >= span.start and one.span.end <= span.end]
        if max(inside, default=0.0) >= TO_THE_POINT:
            return True
    return False


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
