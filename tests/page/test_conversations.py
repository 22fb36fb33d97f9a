"""Conversations outlive the program, and are their owners' to change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot import Answer, Bot, Turn, load_answers
from bot.answer import Disagreement, ReportedValue
from page.conversations import FILE, Conversations, ConversationsError
from tests.support.readings import answering_from


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(sample_data, model="") as opened:
        yield opened


@pytest.fixture(scope="module")
def answers(bot: Bot) -> list[Answer]:
    """Answered, not found, and one whose sources differ."""
    first = bot.ask("What does General License 13 allow?")
    assert first.status == "answered"
    with answering_from(2):
        refused = bot.ask("When did the EU lift its potash sanctions?", [Turn(first.question, first.text)])
    differing = (Disagreement("number", (ReportedValue("114", (1,)), ReportedValue("104", (1,), corrects=True))),)
    return [first, refused, replace(first, question="How many people were freed?", disagreements=differing)]


def test_answers_come_back_as_they_were_after_a_restart(tmp_path: Path, bot: Bot, answers: list[Answer]) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        for place, answer in enumerate(answers):
            assert kept.save_answer("a", answer, range(place), range(place + 1))
    with closing(Conversations(tmp_path, bot.article)) as kept:
        assert list(kept.answers("a")) == answers
        assert kept.places("a") == (0, 1, 2)
        assert kept.answers("b") == ()


def test_another_answer_to_a_question_replaces_it_and_what_followed(
    tmp_path: Path, bot: Bot, answers: list[Answer]
) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        for place in range(3):
            kept.save_answer("a", answers[0], range(place), range(place + 1))
        assert kept.save_answer("a", answers[1], range(3), [0, 5])
        assert kept.save_answer("a", answers[2], [0, 5], [0, 5])  # the same one, further told
        assert list(kept.answers("a")) == [answers[0], answers[2]]
        assert kept.places("a") == (0, 5)


def test_nothing_is_kept_over_what_was_asked_or_deleted_elsewhere(
    tmp_path: Path, bot: Bot, answers: list[Answer]
) -> None:
    with closing(Conversations(tmp_path, bot.article)) as one, closing(Conversations(tmp_path, bot.article)) as other:
        one.save_answer("a", answers[0], [], [0])
        assert other.save_answer("a", answers[1], [0], [0, 1])
        assert not one.save_answer("a", answers[2], [0], [0, 2])
        assert list(one.answers("a")) == answers[:2]
        other.delete("a")
        assert not one.save_answer("a", answers[2], [0, 1], [0, 1, 2])
        assert one.listed("a") == []


def test_a_quote_outlives_the_deletion_of_its_article(tmp_path: Path, answers: list[Answer]) -> None:
    with closing(Conversations(tmp_path, lambda _id, _version: None)) as kept:
        kept.save_answer("a", answers[0], [], [0])
        (answer,) = kept.answers("a")
    assert answer.text == answers[0].text
    assert [one.quote for one in answer.citations] == [one.quote for one in answers[0].citations]
    assert answer.citations[0].article.title == answers[0].citations[0].article.title
    assert answer.citations[0].article.text == ""


def test_a_copy_is_a_conversation_of_its_own(tmp_path: Path, bot: Bot, answers: list[Answer]) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        kept.save_answer("a", answers[0], [], [0])
        kept.save_answer("a", answers[2], [0], [0, 3])
        assert kept.copy("a", "b", [0, 2]) == (0,)
        kept.save_answer("b", answers[1], [0], [0, 1])
        kept.delete("a")
        assert kept.answers("a") == ()
        assert list(kept.answers("b")) == answers[:2]
        assert kept.copy("nowhere", "c", [0]) == ()
        assert kept.listed(["c"]) == []


def test_the_list_is_searched_by_title_question_and_answer_and_shows_no_others(
    tmp_path: Path, bot: Bot, answers: list[Answer]
) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        for name, answer in zip("abc", answers, strict=True):
            kept.save_answer(name, answer, [], [0])
        kept.rename("c", "  Поезд   в Украину ")
        word = max(answers[0].claims[0].text.split(), key=len).strip("“”.,:;()").lower()
        assert {one.title for one in kept.listed("ab")} == {answers[0].question, answers[1].question}
        assert [one.id for one in kept.listed("abc", "поезд")] == ["c"]
        assert [one.id for one in kept.listed("abc", f"{word} WHAT DOES")] == ["a"]
        assert kept.listed("ab", "поезд") == []
        kept.rename("c", "")
        assert [one.title for one in kept.listed("c")] == [answers[2].question]


def test_a_long_title_is_cut_between_words(tmp_path: Path, bot: Bot, answers: list[Answer]) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        kept.save_answer("a", replace(answers[0], question="word " * 100), [], [0])
        (one,) = kept.listed("a")
        assert one.title.endswith("word …")
        assert len(one.title) <= 82


def test_many_threads_keep_at_once(tmp_path: Path, bot: Bot, answers: list[Answer]) -> None:
    with closing(Conversations(tmp_path, bot.article)) as one, closing(Conversations(tmp_path, bot.article)) as two:
        threads = [
            threading.Thread(target=kept.save_answer, args=(f"{place}", answers[0], [], [0]))
            for place in range(12)
            for kept in (one, two)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [two.places(f"{place}") for place in range(12)] == [(0,)] * 12


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at", b"SQLite format 3\x00cut"])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, bot: Bot, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConversationsError, match=r"conversations[.]db can't be used .* move the file away"):
        Conversations(tmp_path, bot.article)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_judgement_keeps_the_answer_as_it_was_judged(tmp_path: Path, bot: Bot, answers: list[Answer]) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        kept.save_answer("a", answers[0], [], [0])
        kept.save_answer("a", answers[1], [0], [0, 1])
        assert kept.save_feedback("a", 0, liked=False)
        assert kept.save_feedback("a", 0, liked=False, reason=" wrong day ")
        assert kept.save_feedback("a", 1, liked=True)
        assert not kept.save_feedback("a", 2, liked=True)
        assert not kept.save_feedback("b", 0, liked=True)
        kept.save_answer("a", answers[2], [0, 1], [2])  # made again, and what followed goes
    with closing(Conversations(tmp_path, bot.article)) as kept:
        first, second = sorted(kept.all_feedback(), key=lambda one: one.liked)
        assert (first.liked, first.reason, second.liked, second.reason) == (False, "wrong day", True, "")
        assert list(load_answers(first.bundle, bot.article)) == [answers[0]]
        kept.delete("a")
        assert list(kept.all_feedback()) == []


def test_a_file_of_the_format_before_gets_its_place_for_judgements(
    tmp_path: Path, bot: Bot, answers: list[Answer]
) -> None:
    with closing(Conversations(tmp_path, bot.article)) as kept:
        kept.save_answer("a", answers[0], [], [0])
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.executescript("DROP TABLE judgement; PRAGMA user_version = 1;")
    with closing(Conversations(tmp_path, bot.article)) as kept:
        assert list(kept.answers("a")) == [answers[0]]
        assert kept.save_feedback("a", 0, liked=True)
