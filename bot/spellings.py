"""Names that an answer meets in several spellings.

Knows the table of names, and that a Cyrillic name changes with its case. Does not know articles.
"""

from __future__ import annotations

from bot.answer import Answer, Spelling
from vectorstore import Names
from vectorstore.terms import CYRILLIC

CASE_ENDING = 3  # letters of a Cyrillic name that may change with its case


def spellings(answer: Answer, names: Names) -> tuple[Spelling, ...]:
    """The names of the question that it, or the quotes, spell in several ways."""
    quoted: dict[str, list[str]] = {}
    for citation in answer.citations or answer.closest:
        for mention in names.mentions(citation.quote):
            quoted.setdefault(mention.name, []).append(mention.spelling)
    asked: dict[str, list[str]] = {}
    for mention in names.mentions(answer.question):
        if mention.kind == "places":
            continue  # everybody knows Kyiv and Kiev for one city
        own = asked.setdefault(mention.name, [])
        if not any(_same_word(mention.spelling, other) for other in own):
            own.append(mention.spelling)
    others = {
        name: tuple(
            dict.fromkeys(other for other in quoted.get(name, ()) if not any(_within(other, one) for one in own))
        )
        for name, own in asked.items()
    }
    return tuple(
        Spelling(own[0], name, others[name], tuple(own[1:]))
        for name, own in asked.items()
        if others[name] or len(own) > 1
    )


def _same_word(one: str, other: str) -> bool:
    """Whether two spellings are forms of one word: a part of the other, or alike but for a Cyrillic ending."""
    stem = min(len(one), len(other)) - CASE_ENDING
    return _within(one, other) or (bool(CYRILLIC.search(one)) and one[:stem].lower() == other[:stem].lower())


def _within(one: str, other: str) -> bool:
    """Whether one of two spellings is a part of the other."""
    one, other = one.lower(), other.lower()
    return one in other or other in one
