"""The bot without a model: answers are quotes, and quotes are exact."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.runnables import Runnable

from bot import Answer, Bot, Event, LibraryError, QuestionError, Turn
from bot.followup import leans_on_history, standalone
from ingest import update
from tests.conftest import OpenStore
from tests.program import finished


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(data=sample_data, model="") as opened:
        yield opened


@pytest.fixture(scope="module")
def seed_data(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seed")
    update([shared / "seeds"], data=folder)
    return folder


def assert_exact(answer: Answer) -> None:
    for citation in (*answer.citations, *answer.closest):
        assert citation.article.text[citation.start : citation.end] == citation.quote
    numbers = [citation.number for citation in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(set(claim.citations) <= set(numbers) for claim in answer.claims)


def test_an_answer_is_made_of_exact_quotes_each_with_its_citation(bot: Bot) -> None:
    answer = bot.ask("What does Belarus General License 13 allow?")
    assert answer.status == "answered"
    assert answer.mode == "quoting"
    assert 1 <= len(answer.claims) <= 3
    assert "Agrorozkvit" in answer.text
    assert all(claim.support == "quoted" for claim in answer.claims)
    assert [claim.text for claim in answer.claims] == [citation.quote for citation in answer.citations]
    assert_exact(answer)


@pytest.mark.parametrize(
    ("question", "tells"),
    [
        ("Who was freed in December 2025?", "freed"),
        ("Who was released in December 2025?", "Babaryka was also released"),
        ("Who was pardoned in December 2025?", "pardon 123 citizens"),
        ("Who was freed on 13 December 2025?", "123 prisoners"),
        ("How many prisoners were freed in December 2025?", "123 prisoners"),
        ("Which sanctions were lifted in December 2025?", "potash sanctions in mid-December"),
        ("Кого освободили в декабре 2025 года?", "Освобождены Мария Колесникова"),
        ("Колькі вязняў вызвалілі ў снежні 2025 года?", "Алеся Бяляцкага і сем"),
    ],
)
def test_what_happened_in_a_month_is_told_by_what_speaks_of_that_month(bot: Bot, question: str, tells: str) -> None:
    answer = bot.ask(question)
    assert answer.status == "answered"
    assert tells in answer.text
    assert not [one.quote for one in answer.citations if "September" in one.quote or "General License" in one.quote]


@pytest.mark.parametrize(
    "question",
    [
        "Who was freed in March 2019?",
        "Кого освободили в марте 2019 года?",
        "Каго вызвалілі ў сакавіку 2019 года?",
        "Which film was released in December 2025?",
        "Who was released from Guantanamo in December 2025?",
    ],
)
def test_a_month_that_nothing_tells_of_is_not_answered_by_another(bot: Bot, question: str) -> None:
    assert bot.ask(question).status == "not_found"


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("Сколько дней провела в заключении Мария Колесникова?", "1808"),
        ("Ці пісаў Бяляцкі прашэнне аб памілаванні?", "не пісаў"),
        ("How many people has Viasna counted as pardoned since 2020?", "605"),
        ("Kiedy zwolniono Siarhieja Cichanouskiego?", "21 czerwca"),
    ],
)
def test_questions_are_answered_in_many_languages(bot: Bot, question: str, holds: str) -> None:
    answer = bot.ask(question)
    assert holds in answer.text
    assert_exact(answer)


@pytest.mark.parametrize(
    "question", ["What is the capital of France?", "How do I bake sourdough bread?", "Какая столица Японии?"]
)
def test_what_the_articles_do_not_answer_is_not_answered(bot: Bot, question: str) -> None:
    answer = bot.ask(question)
    assert (answer.status, answer.claims, answer.citations) == ("not_found", (), ())
    assert "69 articles were searched, dated 2015-08-22 to 2026-03-02" in answer.text
    assert 1 <= len(answer.closest) <= 3
    assert_exact(answer)


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    update([tmp_path / "void"], data=tmp_path / "data")
    with Bot.open(data=tmp_path / "data") as opened:
        answer = opened.ask("Is there anything?")
    assert answer.status == "not_found"
    assert "no articles" in answer.text


def test_a_follow_up_finds_its_passages_through_the_earlier_turns(bot: Bot) -> None:
    first = bot.ask("What happened to Mikola Statkevich after his stroke?")
    answer = bot.ask("And who is his wife?", [Turn(first.question, first.text)])
    assert "Statkevich" in answer.query
    assert "Adamovi" in answer.text
    assert_exact(answer)


def test_a_question_that_stands_alone_is_searched_alone(bot: Bot) -> None:
    question = "What does Belarus General License 13 allow?"
    assert bot.ask(question, [Turn("Who is Ales Bialiatski?", "A laureate.")]).query == question


@pytest.mark.parametrize(
    "question",
    [
        "And who confirmed it?",
        "Who confirmed it?",
        "What about her husband?",
        "And in September?",
        "Why?",
        "А сколько их осталось?",
        "Хто гэта пацвердзіў?",
        "When was that?",
        "How many?",
        "How long?",
        "In September?",
        "Babaryka?",
        "Бабарико?",
        "Why not Poczobut?",
        "What happened next?",
        "Tell me more.",
        "Сколько?",
        "За что?",
        "Что дальше?",
        "Каго?",
        "Што пра гэтым казалі?",
        "Who said that to him?",
    ],
)
def test_questions_that_lean_on_history_are_known(question: str) -> None:
    assert leans_on_history(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who is Ales Bialiatski?",
        "How many prisoners were freed in December 2025?",
        "Сколько человек помиловал Лукашенко?",
        "How many prisoners are there in Belarus?",
        "Who said that Lukashenko is ill?",
        "Is it true that Minsk freed Statkevich?",
        "А правда, что Статкевич свободен?",
        "What did those who were freed say?",
        "Where is Statkevich?",
        "Кто такой Статкевич?",
        "What happened in December?",
        "Was potash sanctioned?",
    ],
)
def test_questions_that_stand_alone_are_known(question: str) -> None:
    assert not leans_on_history(question)


@pytest.mark.parametrize("question", ["🙂🙂🙂", "?!", '"*" : ^', "what is the of", "что это и кто"])
def test_a_question_without_a_word_to_search_for_is_told_so(bot: Bot, question: str) -> None:
    answer = bot.ask(question)
    assert answer.status == "not_found"
    assert answer.missing == ("The question has no word that says what it is about.",)


def test_a_follow_up_to_a_follow_up_reaches_the_first_question() -> None:
    history = [Turn("Who is Statkevich?", ""), Turn("When was he freed?", "")]
    assert standalone("And why?", history, lambda _one, _other: 0.0).leans_on == (
        "Who is Statkevich?",
        "When was he freed?",
    )


@pytest.mark.parametrize(
    ("before", "question", "asked"),
    [
        ("How many were freed in December 2025?", "And in September?", "How many were freed in September 2025?"),
        ("Who was freed by June 2025?", "And since July 2024?", "Who was freed since July 2024?"),
        ("Сколько вышло в декабре 2025 года?", "А в сентябре?", "Сколько вышло в сентябре 2025 года?"),
        ("Каго вызвалілі ў снежні 2025?", "А ў 2024?", "Каго вызвалілі ў 2024?"),
        ("What was lifted last month?", "And in June 2024?", "What was lifted in June 2024?"),
        # of whom it speaks, or what is compared, is told by the time
        ("Who was freed in December 2025?", "Were they home by January 2026?", "Who was freed in December 2025?"),
        ("More in May 2024 or in June 2024?", "And in July?", "More in May 2024 or in June 2024?"),
        ("Who was freed?", "And in May?", "Who was freed?"),
    ],
)
def test_a_time_takes_the_place_of_the_one_asked_about_before(before: str, question: str, asked: str) -> None:
    made = standalone(question, [Turn(before, "")], lambda _one, _other: 0.0)
    assert made.query == f"{asked} {question}"
    assert made.exchanges[-1].question == asked


def test_a_change_of_topic_leaves_what_was_said_before_behind(sample_data: Path, open_store: OpenStore) -> None:
    likeness = open_store(sample_data).likeness
    history = [Turn("Who is Maria Kalesnikava?", "She is a flautist [1].")]
    same = standalone("Is Kalesnikava a musician?", history, likeness)
    other = standalone("How much is a litre of milk?", history, likeness)
    assert [exchange.answer for exchange in same.exchanges] == ["She is a flautist."]
    assert other.exchanges == ()


@pytest.mark.parametrize("question", ["", "  \n", "\x00\x07\u200b"])
def test_an_empty_question_is_asked_for(bot: Bot, question: str) -> None:
    with pytest.raises(QuestionError, match="ask a question"):
        bot.ask(question)


def test_a_question_of_ten_thousand_characters_is_told_the_limit(bot: Bot) -> None:
    with pytest.raises(QuestionError, match="10,000 characters; please ask in at most 2,000"):
        bot.ask("x" * 10_000)


@pytest.mark.parametrize(
    "question", ["Who\x00 is\x1b[31m Bialiatski\u202e?", "谁被释放了？", "מי שוחרר?", "{}$$[1]<b>*", "a" * 2000]
)
def test_no_question_raises_from_below(bot: Bot, question: str) -> None:
    assert_exact(bot.ask(question))


def test_a_stream_grows_claim_by_claim_into_the_same_answer(bot: Bot) -> None:
    question = "Which journalists were among the 52 freed in September 2025?"
    events = list(bot.stream(question))
    assert (events[0].kind, events[-1].kind) == ("searched", "answer")
    counts = [len(event.answer.claims) for event in events if event.kind == "claim"]
    assert counts == list(range(1, len(counts) + 1))
    again = bot.ask(question)
    assert replace(events[-1].answer, made=again.made) == again


def test_the_chain_is_a_langchain_runnable(bot: Bot) -> None:
    assert isinstance(bot.chain, Runnable)
    events = bot.chain.invoke({"question": "What does General License 13 allow?", "history": (), "as_of": None})
    assert all(isinstance(event, Event) for event in events)


def test_a_folder_without_a_library_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"There is no library in .*nothing.*python -m ingest"):
        Bot.open(data=tmp_path / "nothing")


def ask(*arguments: str | Path, key: str = "") -> subprocess.CompletedProcess[str]:
    return finished("bot.__main__", *arguments, environment=os.environ | ({"OPENAI_API_KEY": key} if key else {}))


def test_the_program_prints_the_fields_of_the_answer_as_json(sample_data: Path) -> None:
    done = ask("What does General License 13 allow?", "--data", sample_data, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == "answered"
    assert "Belaruskali" in said["text"]
    assert said["claims"][0]["support"] == "quoted"
    assert said["coverage"]["articles"] == 69
    for citation in said["citations"]:
        assert citation["article"]["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["", "--data", "SAMPLES"], "ask a question"),
        (["x" * 10_000, "--data", "SAMPLES"], "at most 2,000"),
        (["Who?", "--data", "nowhere"], "nowhere. Fill it with: python -m ingest"),
        ([], "usage"),
    ],
)
def test_wrong_use_ends_with_two_and_a_message(sample_data: Path, arguments: list[str], said: str) -> None:
    done = ask(*(str(sample_data) if argument == "SAMPLES" else argument for argument in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_that_cannot_be_one_is_refused_and_not_shown(sample_data: Path) -> None:
    done = ask("Who?", "--data", sample_data, key="ключ-секрет")
    assert done.returncode == 2
    assert "OPENAI_API_KEY" in done.stderr
    assert "секрет" not in done.stderr


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("How many prisoners did Lukashenko pardon?", "123"),
        ("Who confirmed the releases to the AP?", "Sapelka"),
        ("How many political prisoners have been freed since July 2024?", "430"),
        ("What did Coale say about baby steps?", "baby steps"),
    ],
)
def test_the_seed_article_answers(seed_data: Path, shared: Path, question: str, holds: str) -> None:
    with Bot.open(data=seed_data, model="") as opened:
        answer = opened.ask(question)
    text = next((shared / "seeds").glob("*.txt")).read_text("utf-8")
    assert answer.status == "answered"
    assert holds in answer.text
    assert all(citation.quote in text for citation in answer.citations)


def test_the_seed_questions_have_a_gold_quote_cited_in_four_of_five(seed_data: Path, shared: Path) -> None:
    from benchmarks.answers import is_gold, questions

    asked = [
        one
        for one in questions(shared / "belarus" / "seed_questions.jsonl")
        if not one["must_abstain"] and one["gold_quotes"]
    ]
    with Bot.open(data=seed_data, model="") as opened:
        answered = [opened.ask(one["question"], [Turn(turn, "") for turn in one["turns"]]) for one in asked]
    cited = [[citation.quote for citation in answer.citations] for answer in answered]
    assert sum(map(is_gold, asked, cited)) / len(asked) >= 0.8
    for answer in answered:
        assert_exact(answer)
