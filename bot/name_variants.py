"""Names that an answer meets in several spellings.

Knows the table of names, and that a Cyrillic name changes with its case. Does not know articles.
"""

from __future__ import annotations

from bot.answer import Answer, NameVariants
from vectorstore import NameTable
from vectorstore.terms import CYRILLIC

CASE_ENDING = 3  # letters of a Cyrillic name that may change with its case


def find_name_variants(answer: Answer, names: NameTable) -> tuple[NameVariants, ...]:
    """The names of the question that it, or the quotes, spell in several ways."""
    quoted: dict[str, list[str]] = {}
    for citation in answer.citations or answer.closest_passages:
        for mention in names.mentions(citation.quote):
            quoted.setdefault(mention.name, []).append(mention.text)
    asked: dict[str, list[str]] = {}
    for mention in names.mentions(answer.question):
        if mention.kind == "places":
            continue  # everybody knows Kyiv and Kiev for one city
        spellings = asked.setdefault(mention.name, [])
        if not any(_same_word(mention.text, other) for other in spellings):
            spellings.append(mention.text)
    others = {
        name: tuple(
            dict.fromkeys(
                other for other in quoted.get(name, ()) if not any(_within(other, spelling) for spelling in spellings)
            )
        )
        for name, spellings in asked.items()
    }
    return tuple(
        NameVariants(spellings[0], name, others[name], tuple(spellings[1:]))
        for name, spellings in asked.items()
        if others[name] or len(spellings) > 1
    )


def _same_word(first: str, second: str) -> bool:
    """Whether two spellings are forms of one word: a part of the other, or alike but for a Cyrillic ending."""
    stem = min(len(first), len(second)) - CASE_ENDING
    return _within(first, second) or (bool(CYRILLIC.search(first)) and first[:stem].lower() == second[:stem].lower())


def _within(first: str, second: str) -> bool:
    """Whether one of two spellings is a part of the other."""
    first, second = first.lower(), second.lower()
    return first in second or second in first
