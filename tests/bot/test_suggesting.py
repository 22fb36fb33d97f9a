"""Questions that may come next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot import Answer, Bot, Filters
from bot.answer import numbered_citations
from bot.bot import SUGGESTING_HITS
from bot.suggestions import suggest_questions
from tests.support.readings import answering_from, hit
from vectorstore import Coverage, NameTable

LATIN, RUSSIAN, BELARUSIAN = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "абвгдеёжзійклмнопрстуўфхцчшыьэюя’",
)


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(sample_data, model="") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out for want of time, and a question asked again reads as much as was read to try it."""
    monkeypatch.setattr("bot.bot.SUGGESTING_SECONDS", 200.0)
    monkeypatch.setattr("bot.bot.PASSAGES_BY_LOAD", ((1000, SUGGESTING_HITS),))


def quoting(question: str, *quotes: str) -> Answer:
    """An answer of these quotes."""
    hits = [hit(quote, name=quote) for quote in quotes]
    return Answer(
        question=question,
        query=question,
        status="answered",
        claims=(),
        citations=numbered_citations([(one, one.span) for one in hits]),
        closest_passages=(),
        coverage=Coverage(1, 0, "2025-12-13", "2025-12-13", 0),
        notes=(),
        model="",
        prompts=(),
    )


@pytest.mark.parametrize(
    "question",
    [
        "What does General License 13 allow?",
        "How many people were taken to Ukraine?",
        "Кого освободили 13 декабря 2025 года?",
        "Каго вызвалілі 13 снежня 2025 года?",
    ],
)
def test_each_is_answered_with_a_new_quote(bot: Bot, question: str) -> None:
    answer = bot.ask(question)
    suggested = bot.suggest(answer)
    assert len(suggested) <= 3
    assert len(set(suggested)) == len(suggested)
    assert question not in suggested
    cited = {(one.article.id, one.start) for one in answer.citations}
    for one in suggested:
        again = bot.ask(one)
        assert (again.status, again.disagreements) == ("answered", ())
        assert {(one.article.id, one.start) for one in again.citations} - cited


@pytest.mark.parametrize(
    ("question", "letters"),
    [
        ("How many people were taken to Ukraine?", LATIN),
        ("Кого освободили 13 декабря 2025 года?", RUSSIAN),
        ("Што сказаў Бяляцкі пасля вызвалення?", BELARUSIAN),
    ],
)
def test_they_are_in_the_language_of_the_question(bot: Bot, question: str, letters: str) -> None:
    with answering_from(0):
        suggested = bot.suggest(bot.ask(question))
    assert suggested
    for one in suggested:
        assert set(filter(str.isalpha, one.lower())) <= set(letters)


def test_a_question_that_nothing_answers_leads_to_some_that_something_does(bot: Bot) -> None:
    with answering_from(2):
        answer = bot.ask("Who is Ales Bialiatski?")
        assert answer.status == "not_found"
        assert bot.suggest(answer) == ()
    with answering_from(0):
        assert bot.suggest(answer)


def test_belarusian_is_known_by_its_words_too() -> None:
    # none of the question's letters is Belarusian alone
    answer = quoting("Як спячы хлеб на заквасцы?", "Алесь Бяляцкі прыехаў у Вільню 13 снежня 2025 года.")
    suggested = [asked for asked, _ in suggest_questions(answer, NameTable.open(None))]
    assert any("Бяляцкі" in one for one in suggested)
    assert any("13 снежня 2025" in one for one in suggested)
    assert not any("и" in one or "щ" in one for one in suggested)


def test_what_the_filters_leave_out_is_not_suggested(bot: Bot) -> None:
    with answering_from(0):
        asked = "Что Лукашенко сказал о Колесниковой?"
        answer = bot.ask(asked, filters=Filters(languages=("ru",)), as_of=date(2025, 12, 31))
        suggested = bot.suggest(answer)
        assert suggested
        for one in suggested:
            again = bot.ask(one, filters=answer.filters, as_of=answer.as_of)
            assert {cited.article.lang for cited in again.citations} == {"ru"}


def test_there_are_none_without_quotes_and_none_of_a_name_that_the_language_does_not_spell(bot: Bot) -> None:
    answer = quoting("Кого освободили?", "Maria Kolesnikova and Ales Byalyatski were freed.")
    latin = NameTable(["[people]", "Maria Kalesnikava: Maria Kolesnikova", "Ales Bialiatski: Ales Byalyatski"])
    assert [name for _, name in suggest_questions(replace(answer, question="Who?"), latin)]
    assert not list(suggest_questions(answer, latin))
    nothing = bot.ask("???")
    assert bot.suggest(nothing) == ()
