"""Questions that may come next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot import Bot, Filters
from bot.suggesting import next_questions
from vectorstore import Names


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(sample_data, model="") as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "letters"),
    [
        ("How many people were taken to Ukraine?", "abcdefghijklmnopqrstuvwxyz"),
        ("Кого освободили 13 декабря 2025 года?", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
        ("Каго вызвалілі 13 снежня 2025 года?", "абвгдеёжзійклмнопрстуўфхцчшыьэюя’"),
    ],
)
def test_each_is_answered_with_a_new_quote_and_in_the_language_of_the_question(
    bot: Bot, question: str, letters: str
) -> None:
    answer = bot.ask(question)
    suggested = bot.suggest(answer)
    assert 1 <= len(suggested) <= 3
    assert len(set(suggested)) == len(suggested)
    assert question not in suggested
    cited = {one.quote for one in answer.citations}
    for one in suggested:
        assert set(filter(str.isalpha, one.lower())) <= set(letters)
        again = bot.ask(one)
        assert again.status == "answered"
        assert {cited.quote for cited in again.citations} - cited


def test_a_question_that_nothing_answers_leads_to_some_that_something_does(bot: Bot) -> None:
    answer = bot.ask("What is the capital of France?")
    assert answer.status == "not_found"
    assert bot.suggest(answer)


def test_belarusian_is_known_by_its_words_too(bot: Bot) -> None:
    suggested = bot.suggest(bot.ask("Як спячы хлеб на заквасцы?"))  # none of its letters is Belarusian alone
    assert suggested
    assert not any("и" in one or "щ" in one for one in suggested)


def test_what_the_filters_leave_out_is_not_suggested(bot: Bot) -> None:
    answer = bot.ask("Кого освободили?", filters=Filters(languages=("ru",)), as_of=date(2025, 12, 31))
    for one in bot.suggest(answer):
        again = bot.ask(one, filters=answer.filters, as_of=answer.as_of)
        assert again.citations
        assert {cited.article.lang for cited in again.citations} == {"ru"}


def test_there_are_none_without_quotes_and_none_of_a_name_that_the_language_does_not_spell(bot: Bot) -> None:
    answer = bot.ask("Кто такая Мария Колесникова?")
    latin = Names(["[people]", "Maria Kalesnikava: Maria Kolesnikova", "Ales Bialiatski: Ales Byalyatski"])
    assert not any("Kal" in asked for asked, _ in next_questions(answer, latin))
    nothing = bot.ask("???")
    assert bot.suggest(nothing) == ()
