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

from bot import Answer, AnswerEvent, Bot, LibraryError, QuestionError, Turn
from bot.reading import calibration
from ingest import update
from tests.support.program import finished
from tests.support.readings import answering_from

ALLOWED = "What does General License 13 allow?"


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
    for citation in (*answer.citations, *answer.closest_passages):
        assert citation.article.text[citation.start : citation.end] == citation.quote
    numbers = [citation.number for citation in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(set(claim.citations) <= set(numbers) for claim in answer.claims)


def test_an_answer_is_made_of_exact_quotes_each_with_its_citation(bot: Bot) -> None:
    answer = bot.ask(ALLOWED)
    assert answer.status == "answered"
    assert answer.model == ""
    assert 1 <= len(answer.claims) <= 4
    assert 1 <= answer.passages_read <= 10
    assert answer.reader.startswith("viadoma-reader/")
    assert all(claim.support == "quoted" for claim in answer.claims)
    assert [claim.text for claim in answer.claims] == [citation.quote for citation in answer.citations]
    assert_exact(answer)


@pytest.mark.parametrize(
    "question",
    [
        "Сколько дней провела в заключении Мария Колесникова?",
        "Ці пісаў Бяляцкі прашэнне аб памілаванні?",
        "Kiedy zwolniono Siarhieja Cichanouskiego?",
        "Who was freed in December 2025?",
        "Каго вызвалілі ў сакавіку 2019 года?",
        "What is the capital of France?",
        "Put the releases of 2025 in order.",
        "Is the airline Belavia still under sanctions?",
    ],
)
def test_every_question_is_answered_or_refused_with_exact_quotes(bot: Bot, question: str) -> None:
    answer = bot.ask(question)
    assert (answer.status == "not_found") == (not answer.claims)
    assert (answer.status == "answered") == (not answer.missing)
    assert not (answer.citations and answer.closest_passages)
    assert_exact(answer)


def test_a_refusal_says_what_was_searched_and_offers_what_is_nearest(bot: Bot) -> None:
    with answering_from(2):
        answer = bot.ask(ALLOWED)
    assert (answer.status, answer.claims, answer.citations) == ("not_found", (), ())
    assert "69 articles were searched, dated 2015-08-22 to 2026-03-02" in answer.text
    assert answer.missing == (f"None of the passages read ({answer.passages_read}) answers the question.",)
    assert answer.missing[0] in answer.text
    assert 1 <= len(answer.closest_passages) <= 3
    assert (answer.short, answer.verdict, answer.disagreements) == (None, None, ())
    assert_exact(answer)


def test_an_answer_in_part_says_that_it_may_be_none(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    doubtful = replace(calibration(), partial=0.0, answered=1.1)
    monkeypatch.setattr("bot.bot.calibration", lambda: doubtful)
    answer = bot.ask(ALLOWED)
    assert (answer.status, len(answer.claims), answer.closest_passages) == ("partial", 1, ())
    assert answer.text.endswith("What was found tells of this, but may not answer it.")
    assert_exact(answer)


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    update([tmp_path / "void"], data=tmp_path / "data")
    with Bot.open(data=tmp_path / "data") as opened:
        answer = opened.ask("Is there anything?")
    assert answer.status == "not_found"
    assert "no articles" in answer.text


def test_a_follow_up_is_searched_with_the_question_before_it(bot: Bot) -> None:
    first = bot.ask("What happened to Mikola Statkevich after his stroke?")
    answer = bot.ask("And who is his wife?", [Turn(first.question, first.text)])
    assert answer.query == f"{first.question} And who is his wife?"
    assert_exact(answer)


def test_the_last_earlier_questions_are_searched_too_and_what_was_answered_is_not(bot: Bot) -> None:
    earlier = ["Who is John Coale?", "Who is Mikola Statkevich?", "What happened to him?"]
    history = [Turn(question, "An envoy, Belta said.") for question in earlier]
    answer = bot.ask("And who is his wife?", history)
    assert answer.query == "Who is Mikola Statkevich? What happened to him? And who is his wife?"
    assert answer.question == "And who is his wife?"
    other = bot.ask("And who is his wife?", [Turn(question, "Nobody knows.") for question in earlier])
    assert replace(other, created_at=answer.created_at) == answer


@pytest.mark.parametrize("question", ["🙂🙂🙂", "?!", '"*" : ^'])
def test_where_no_word_says_what_is_asked_there_is_nothing_to_read(bot: Bot, question: str) -> None:
    answer = bot.ask(question)
    assert (answer.status, answer.closest_passages, answer.passages_read) == ("not_found", (), 0)
    assert answer.missing == ("There is nothing to read.",)


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
    events = list(bot.stream(ALLOWED))
    assert (events[0].kind, events[-1].kind) == ("searched", "answer")
    counts = [len(event.answer.claims) for event in events if event.kind == "claim"]
    assert counts == list(range(1, len(counts) + 1))
    assert counts
    again = bot.ask(ALLOWED)
    assert replace(events[-1].answer, created_at=again.created_at) == again


def test_the_chain_is_a_langchain_runnable(bot: Bot) -> None:
    assert isinstance(bot.chain, Runnable)
    events = bot.chain.invoke({"question": ALLOWED, "history": (), "as_of": None})
    assert all(isinstance(event, AnswerEvent) for event in events)


def test_a_folder_without_a_library_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"There is no library in .*nothing.*viadoma ingest"):
        Bot.open(data=tmp_path / "nothing")


def ask(*arguments: str | Path, key: str = "") -> subprocess.CompletedProcess[str]:
    return finished("bot", *arguments, environment=os.environ | ({"OPENAI_API_KEY": key} if key else {}))


@pytest.mark.slow
def test_the_program_prints_the_fields_of_the_answer_as_json(sample_data: Path) -> None:
    done = ask(ALLOWED, "--data", sample_data, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == "answered"
    assert said["text"].startswith(said["claims"][0]["text"])
    assert said["passages_read"] >= 1
    assert said["claims"][0]["support"] == "quoted"
    assert said["coverage"]["articles"] == 69
    for citation in said["citations"]:
        assert citation["article"]["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["", "--data", "SAMPLES"], "ask a question"),
        (["x" * 10_000, "--data", "SAMPLES"], "at most 2,000"),
        (["Who?", "--data", "nowhere"], "nowhere. Fill it with: viadoma ingest"),
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
    "question",
    [
        "How many prisoners did Lukashenko pardon?",
        "Who confirmed the releases to the AP?",
        "How many political prisoners have been freed since July 2024?",
        "What did Coale say about baby steps?",
    ],
)
def test_the_seed_article_is_quoted_word_for_word(seed_data: Path, shared: Path, question: str) -> None:
    with Bot.open(data=seed_data, model="") as opened:
        answer = opened.ask(question)
    text = next((shared / "seeds").glob("*.txt")).read_text("utf-8")
    assert answer.citations or answer.closest_passages
    assert all(citation.quote in text for citation in (*answer.citations, *answer.closest_passages))
    assert_exact(answer)
