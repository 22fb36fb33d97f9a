"""Support without a model: what speaks against a claim in the quotes that shall prove it.

Knows numbers, dates, names and quoted words. It is strict on these facts and silent on wording: whether the rest of a
claim follows from its quotes is the reader's matter. What it finds and what it misses: `python -m benchmarks support`
and `claims`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from bot.claim_check.dates import date_reasons, days
from bot.claim_check.names import name_reasons
from bot.claim_check.numbers import number_reasons
from bot.claim_check.words import CYRILLIC_LANGUAGES, LEXICON_LANGUAGES, PLAIN, language
from language import Message
from vectorstore import NameTable
from vectorstore.terms import CYRILLIC

__all__ = ["PLAIN", "find_issues"]

QUOTED = re.compile(r'(?<![\w.,;:!?)])"(?=\w)([^"]{12,}?)"(?!\w)')


def find_issues(
    claim: str,
    evidence: Sequence[str],
    context: Sequence[Sequence[str]] = (),
    published: Sequence[str] = (),
    names: NameTable | None = None,
) -> list[Message]:
    """Why a claim is not what its quotes say, in words for people, a reason each; empty if nothing speaks against it.

    `evidence` are exact quotes. `published` are the dates of their articles, one a quote, "" if not known: "on
    Saturday" is then a date. `context` is what a reader of each quote knows besides (title, publisher, the sentence
    before): a number, date or name in it is covered too, quoted words are not. The day of publication covers a date.
    `names` is the table of spellings, the project's own if None.
    """
    claim, quotes = claim.translate(PLAIN), [quote.translate(PLAIN) for quote in evidence]
    if not any(map(str.strip, quotes)):
        return [Message("there is no quote")]
    names = names or _own_names()
    facts = _Facts(claim, quotes, names)
    days_of = published or [""] * len(quotes)
    reasons = facts.missing(quotes, days_of)
    if reasons:
        # what a reader of the quotes knows besides may hold the fact
        known = [
            (text.translate(PLAIN), day) for some, day in zip(context, days_of, strict=False) for text in some if text
        ]
        wider = facts.missing([*quotes, *(text for text, _ in known)], [*days_of, *(day for _, day in known)])
        still = {fact for fact, _ in wider}
        reasons = [(fact, reason) for fact, reason in reasons if fact in still]
    issues = [reason for _, reason in reasons]
    if facts.same:
        issues += _quoted_reasons(claim, quotes)
    return list(dict.fromkeys(issues))


@cache
def _own_names() -> NameTable:
    return NameTable.open(None)


class _Facts:
    """The facts of a claim, compared as the languages of the claim and of its quotes allow.

    `same`: they share their language, as far as it can be told.
    """

    def __init__(self, claim: str, quotes: Sequence[str], names: NameTable) -> None:
        claim_language, languages = language(claim), [language(quote) for quote in quotes]
        if (
            not claim_language
            and len({*languages}) == 1
            and bool(CYRILLIC.search(claim)) == bool(CYRILLIC.search(quotes[0]))
        ):
            claim_language = languages[0]  # too short to tell
        spoken = {claim_language, *languages} - {""}
        self._claim, self._names = claim, names
        self.same = not claim_language or all(other in (claim_language, "") for other in languages)
        self._near = self.same or spoken <= CYRILLIC_LANGUAGES - {"uk"}
        self._in_lexicon = spoken <= {*LEXICON_LANGUAGES}

    def missing(self, texts: Sequence[str], published: Sequence[str]) -> list[tuple[str, Message]]:
        """(fact, why it is not that of the texts), by numbers, dates and names."""
        dates = [day.place for day in days(self._claim)]
        return [
            *number_reasons(self._claim, texts, dates, same=self.same, in_lexicon=self._in_lexicon),
            *date_reasons(self._claim, texts, published),
            *name_reasons(self._claim, texts, self._names, same=self.same, near=self._near),
        ]


def _quoted_reasons(claim: str, quotes: Sequence[str]) -> list[Message]:
    quoted = " ".join(" ".join(quotes).lower().split())
    return [
        Message("the words “{words}” are not in its quote", words=words)
        for words in QUOTED.findall(claim)
        if " ".join(words.lower().split()).strip(" .,!?") not in quoted
    ]
