"""Polarity: whether a claim says "not" where its quotes don't, or the opposite of what they say.

Knows negations, words that are negative in meaning, and a table of opposites, in English, Russian and Belarusian. All
of it is told for a claim that is near to a quote in its words; one in words of its own is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from bot.support.words import BREAKS, Sentence, Token, copied, only_words, pattern, share, table

# Shares of a claim's words that a quote holds, from which on it is near, and a near copy.
NEAR, NEAR_COPY = 0.45, 0.6
SCOPE = 7  # words in which a "not" finds the two that it denies
CUED = 9  # words around a denied one in which something negative may stand
DO = frozenset(("do", "does", "did"))


def negation_reasons(claim: Sentence, quotes: Sequence[Sentence]) -> list[str]:
    """At most one reason: a "not" that the claim has put in or left out."""
    near = [quote for quote in quotes if share(claim, quote) >= NEAR]
    for quote in near:
        denied = _turned(claim, quote)
        if denied and not any(_says(other, denied) for other in near):
            return ["it denies what its quote says"]
        if _turned(quote, claim) and not any(_turned(claim, other) or copied(claim, other) for other in near):
            return ["its quote denies what it says"]
    if not near:
        return []
    return _put_in(claim, near) or _left_out(claim, near, quotes)


def _put_in(claim: Sentence, near: Sequence[Sentence]) -> list[str]:
    """A word that the claim denies, and the quotes have with nothing negative around it."""
    for place, scope in _denials(claim).items():
        stems = {claim[one].term for one in scope}
        spots = [(quote, spot) for quote in near for spot, token in enumerate(quote) if token.term in stems]
        if spots and not any(_cued(quote, spot) for quote, spot in spots):
            return [f"it says {claim[place].word} “{claim[scope[0]].word}”, its quote does not"]
    return []


def _left_out(claim: Sentence, near: Sequence[Sentence], quotes: Sequence[Sentence]) -> list[str]:
    """A word of the claim that its quotes have with "not" alone."""
    if _denials(claim) or any(map(_negative, claim)):
        return []
    held = {token.term for token in claim}
    free = set()
    for sentence in quotes:
        denied = {spot for scope in _denials(sentence).values() for spot in scope}
        free |= {token.term for spot, token in enumerate(sentence) if spot not in denied}
    for quote in near:
        for place, scope in _denials(quote).items():
            if scope and (head := quote[scope[0]]).term in held - free:
                return [f"its quote says {quote[place].word} “{head.word}”, it does not"]
    return []


def opposite_reasons(claim: Sentence, quotes: Sequence[Sentence]) -> list[str]:
    """The words of a claim for which its quotes have the opposite in the same place, and not the word itself."""
    reasons = []
    ground = [token for quote in quotes for token in quote]
    stems = {token.term for token in ground}
    for mine, theirs, least in _sides():
        said = _spots(claim, mine)
        if not said or claim[said[0]].term in stems or _spots(claim, theirs):
            continue
        if _spots(ground, mine) or not _spots(ground, theirs):
            continue
        for quote in quotes:
            spots = _spots(quote, theirs) if share(claim, quote) >= least else []
            alike = any(_neighbours(claim, spot) & _neighbours(quote, twin) for spot in said for twin in spots)
            denied = any(_denied(claim, spot) for spot in said) != any(_denied(quote, twin) for twin in spots)
            if alike and not denied:
                reasons.append(f"it says “{claim[said[0]].word}”, its quote “{quote[spots[0]].word}”")
                break
    return reasons


@cache
def _sides() -> Sequence[tuple[re.Pattern[str], re.Pattern[str], float]]:
    """Each side of each pair of opposites, the other, and the least share of a claim's words in its quote."""
    pairs = ((least, *pair) for least, section in ((NEAR, "opposites"), (NEAR_COPY, "only in a near copy"))
             for pair in table("opposites")[section].items())  # fmt: skip
    return [
        (pattern(mine), pattern(theirs), least) for least, *pair in pairs for mine, theirs in (pair, reversed(pair))
    ]


def _spots(sentence: Sentence, words: re.Pattern[str]) -> list[int]:
    return [spot for spot, token in enumerate(sentence) if token.term and words.fullmatch(token.word)]


def _neighbours(sentence: Sentence, place: int, reach: int = 3) -> set[str]:
    """The content words beside a place, that many on each side."""
    left = [token.term for token in sentence[:place] if token.content][-reach:]
    return {*left, *[token.term for token in sentence[place + 1 :] if token.content][:reach]}


def _denied(sentence: Sentence, place: int) -> bool:
    return any(place in scope for scope in _denials(sentence).values()) or any(
        _is("refusing", token) for token in sentence[max(0, place - 4) : place]
    )


@cache
def _kinds() -> Mapping[str, re.Pattern[str]]:
    return {kind: pattern(words) for kind, words in table("words")["negative"].items()}


def _is(kind: str, token: Token) -> bool:
    return bool(token.term and _kinds()[kind].fullmatch(token.word))


def _negative(token: Token) -> bool:
    return _is("negative", token) or _is("refusing", token)


def _denials(sentence: Sentence) -> Mapping[int, list[int]]:
    """Where a sentence says "not", and the places of the next two content words, which are what it denies."""
    made: dict[int, list[int]] = {}
    for place, token in enumerate(sentence):
        after = next((one for one in sentence[place + 1 :] if one.term), None)
        if not token.negates or (after and _is("no denial", after)):
            continue  # "not only", "no fewer than"
        scope: list[int] = []
        for spot in range(place + 1, min(len(sentence), place + 1 + SCOPE)):
            if sentence[spot].word in BREAKS or sentence[spot].word in ("but", "and", "но", "але") or len(scope) == 2:
                break
            if sentence[spot].content:
                scope.append(spot)
        made[place] = scope
    return made


def _cued(sentence: Sentence, place: int) -> bool:
    """Whether something negative stands near a place, other than the word there."""
    around = sentence[max(0, place - CUED) : place + CUED + 1]
    return any(one.negates or (_negative(one) and one.term != sentence[place].term) for one in around)


def _turned(one: Sentence, other: Sentence) -> str:
    """A stretch that the first tells with "not" and the second, else word by word the same, without; "" if none."""
    words, plain = ([token for token in only_words(side) if token.word not in DO] for side in (one, other))
    stems = [token.term for token in plain]
    pairs, triples = set(pairwise(stems)), set(zip(stems, stems[1:], stems[2:], strict=False))
    kept = {(left, right) for left, right, _ in _negated(plain)}
    for left, right, then in _negated(words):
        if (left, right) in kept or _kinds()["no denial"].fullmatch(right):
            continue
        if left and then:
            found = (left, right, then) in triples
        elif left:
            found = (left, right) in pairs
        else:
            found = (right, then) in pairs and not any(token.negates for token in plain)
        if found:
            return f"{left} not {right} {then}".strip()
    return ""


def _negated(words: Sequence[Token]) -> Iterator[tuple[str, str, str]]:
    """The stems before each "not", and the two behind it; "" where there is none."""
    padded = ["", *(token.term for token in words), "", ""]
    for place, token in enumerate(words[:-1]):
        if token.negates:
            yield padded[place], padded[place + 2], padded[place + 3]


def _says(quote: Sentence, stretch: str) -> bool:
    """Whether a quote holds the denied stretch itself."""
    held = " ".join("not" if token.negates else token.term for token in only_words(quote))
    return f" {stretch} " in f" {held} "
