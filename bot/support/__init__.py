"""Support without a model: what speaks against a claim in the quotes that shall prove it.

Knows numbers, dates, names, negations, opposites and who does what to whom, in English, Russian and Belarusian. A claim
and a quote of different languages are compared by numbers, dates and names alone. It is strict on these facts and
silent on wording: no reason does not mean that the quotes prove the claim. What it finds and what it misses:
`python -m benchmarks support`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.support.dates import date_reasons, days
from bot.support.names import name_reasons
from bot.support.numbers import number_reasons
from bot.support.polarity import negation_reasons, opposite_reasons
from bot.support.roles import role_reasons
from bot.support.words import CYRILLIC_LANGUAGES, PLAIN, TAUGHT, copied, language, sentences, tokens
from vectorstore.terms import CYRILLIC

__all__ = ["PLAIN", "uncovered"]

QUOTED = re.compile(r'(?<![\w.,;:!?)])"(?=\w)([^"]{12,}?)"(?!\w)')


def uncovered(
    claim: str, evidence: Sequence[str], about: Sequence[str] = (), published: Sequence[str] = ()
) -> list[str]:
    """Why a claim is not what its quotes say, in words for people, a reason each; empty if nothing speaks against it.

    `evidence` are exact quotes. `about` is what is known of their articles (title, publisher) and covers names alone.
    `published` are the dates of their articles, one a quote, "" if not known: "on Saturday" is then a date.
    """
    claim, quotes = claim.translate(PLAIN), [quote.translate(PLAIN) for quote in evidence]
    if not any(map(str.strip, quotes)):
        return ["there is no quote"]
    tongue, tongues = language(claim), [language(quote) for quote in quotes]
    if not tongue and len({*tongues}) == 1 and bool(CYRILLIC.search(claim)) == bool(CYRILLIC.search(quotes[0])):
        tongue = tongues[0]  # too short to tell
    same = not tongue or all(other in (tongue, "") for other in tongues)
    spoken = {tongue, *tongues} - {""}
    reasons = number_reasons(
        claim, quotes, [day.place for day in days(claim)], same=same, taught=spoken <= {*TAUGHT}
    )  # fmt: skip
    reasons += date_reasons(claim, quotes, published)
    ground = [*quotes, *(text.translate(PLAIN) for text in about)]
    reasons += name_reasons(claim, ground, same=same, near=same or spoken <= CYRILLIC_LANGUAGES - {"uk"})
    if same:
        reasons += _quoted_reasons(claim, quotes)
        if tongue in TAUGHT:
            reasons += _worded_reasons(claim, quotes)
    return list(dict.fromkeys(reasons))


def _quoted_reasons(claim: str, quotes: Sequence[str]) -> list[str]:
    held = " ".join(" ".join(quotes).lower().split())
    return [
        f"the words “{said}” are not in its quote"
        for said in QUOTED.findall(claim)
        if " ".join(said.lower().split()).strip(" .,!?") not in held
    ]


def _worded_reasons(claim: str, quotes: Sequence[str]) -> list[str]:
    """What the words say otherwise, in the sentences of the claim that are not copied."""
    ground = [tokens(sentence) for quote in quotes for sentence in sentences(quote)]
    reasons = []
    for sentence in sentences(claim):
        words = tokens(sentence)
        if not any(copied(words, other) for other in ground):
            reasons += negation_reasons(words, ground) + opposite_reasons(words, ground)
            reasons += role_reasons(sentence, quotes)
    return reasons
