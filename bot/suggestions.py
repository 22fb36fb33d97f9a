"""An answer -> questions that may come next.

Knows what can be asked about the names and days of its quotes. Does not know whether the articles answer it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain, zip_longest

from babel.dates import format_date

from bot.answer import Answer
from language import pattern, word_list
from vectorstore import NameTable
from vectorstore.terms import CYRILLIC

# Names stand in the nominative and verbs in the present tense: it fits every gender.
QUESTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "people": ("What did {} say?", "Where is {} now?", "Who is {}?"),
        "organisations": ("What did {} say?", "What is {}?"),
        "day": ("Who was released on {}?", "What happened on {}?"),
    },
    "ru": {
        "people": ("Что говорит {}?", "Где сейчас {}?", "Кто это — {}?"),
        "organisations": ("Что говорит {}?",),
        "day": ("Кого освободили {}?", "Что произошло {}?"),
    },
    "be": {
        "people": ("Што кажа {}?", "Дзе цяпер {}?", "Хто гэта — {}?"),
        "organisations": ("Што кажа {}?",),
        "day": ("Каго вызвалілі {}?", "Што адбылося {}?"),
    },
}
# Letters that the other of the two languages does not have.
NOT_IN = {"ru": re.compile(r"[іїєўґ]", re.I), "be": re.compile(r"[ищъїє]", re.I)}
ASKED_IN_BELARUSIAN = pattern(word_list("common_words", "asking"))


def suggest_questions(answer: Answer, names: NameTable) -> Iterator[tuple[str, str]]:
    """Questions about the names and days of the quotes, and the name each asks about, empty for a day's.

    In the question's language, the likeliest first; none for a name that has no spelling in it.
    """
    language = _detect_language(answer.question)
    quotes = answer.citations or answer.closest_passages
    asked = {mention.name for mention in names.mentions(answer.question)}
    found = {
        mention.name: mention.kind
        for cited in quotes
        for mention in names.mentions(cited.quote)
        if mention.name not in asked
    }
    # who was asked about comes last: the question said what its reader wants to know of them
    found |= {
        mention.name: mention.kind
        for cited in quotes
        for mention in names.mentions(cited.quote)
        if mention.name in asked
    }
    days = {time.start_date for cited in quotes for time in cited.times if time.start_date == time.end_date}
    rows: list[list[tuple[str, str]]] = [
        [(form.format(_day(day, language)), "") for form in QUESTIONS[language]["day"]]
        for day in sorted(days, reverse=True)
    ]
    for name, kind in found.items():
        if spelt := _alias_in(name, names.aliases(name), language):
            forms = QUESTIONS[language].get(kind, ())
            # not the same of everybody
            turned = forms[len(rows) % len(forms) :] + forms[: len(rows) % len(forms)] if forms else ()
            rows.append([(form.format(spelt), name) for form in turned])
    return (
        question for question in chain.from_iterable(zip_longest(*rows)) if question and question[0] != answer.question
    )


def _detect_language(question: str) -> str:
    if not CYRILLIC.search(question):
        return "en"
    return "be" if NOT_IN["ru"].search(question) or ASKED_IN_BELARUSIAN.search(question) else "ru"


def _day(day: date, language: str) -> str:
    return str(format_date(day, "d MMMM yyyy", locale=language))


def _alias_in(name: str, aliases: tuple[str, ...], language: str) -> str:
    if language == "en":
        return name
    return next((alias for alias in aliases if CYRILLIC.search(alias) and not NOT_IN[language].search(alias)), "")
