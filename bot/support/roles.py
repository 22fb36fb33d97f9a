"""Roles: whether a claim has who does what to whom the other way round than its quotes.

Knows a verb between two names in a row, and nothing of grammar. What is told in the passive, or with more between the
names, it leaves alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from bot.support.names import capitals, countries, mentions
from bot.support.words import BREAKS, every, pattern, sentences, table, tokens
from vectorstore import Names, fold_key
from vectorstore.terms import CYRILLIC

Triple = tuple[str, str, str]
MOST_BETWEEN = 3  # content words between two names


def role_reasons(claim: str, quotes: Sequence[str], names: Names) -> list[str]:
    """At most one reason: the same verb between the same two names, in the other order.

    Russian and Belarusian tell it by endings, not by order: there one of the names must have another ending too.
    """
    mine = _triples(claim, names)
    theirs: dict[Triple, Triple] = {}
    if mine:
        for quote in quotes:
            for sentence in sentences(quote):
                theirs |= _triples(sentence, names)
    for (first, verb, second), spelt in mine.items():
        turned = theirs.get((second, verb, first))
        if not turned or (first, verb, second) in theirs:
            continue
        if not CYRILLIC.search(claim) or spelt[::2] != turned[::-2]:
            return [f"it has {' '.join(spelt)}, its quote the other way round"]
    return []


def _triples(sentence: str, names: Names) -> Mapping[Triple, Triple]:
    """A name, the stem of a word behind it, and the next name -> how the three are spelt."""
    known = mentions(sentence, names)
    taken = [range(one.start, one.end) for one in known]
    spots = [(one.start, one.end, one.name) for one in known if one.kind != "places"]
    others = [(match, name) for name, match in countries(sentence)]
    others += [(match, fold_key(match[0]) or match[0].lower()) for match in capitals(sentence)]
    for match, name in others:
        if not any(match.start() in place for place in taken):
            taken.append(range(match.start(), match.end()))
            spots.append((*match.span(), name))
    made: dict[Triple, Triple] = {}
    mutual = pattern(" ".join(table("words")["mutual"].values()))
    for (begin, end, name), (start, stop, other) in pairwise(sorted(spots)):
        between = tokens(sentence[end:start])
        words = [token for token in between if token.content and token.word not in every("names", "titles")]
        joined = any(token.word in BREAKS or token.word in every("words", "joining") for token in between)
        if name == other or joined or not 1 <= len(words) <= MOST_BETWEEN:
            continue
        for token in words:
            if not mutual.fullmatch(token.word):
                made[name, token.term, other] = sentence[begin:end], token.word, sentence[start:stop]
    return made
