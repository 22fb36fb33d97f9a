"""The page in its languages: every phrase and message is there in each, with its values."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from bot import Bot
from bot.chat_model import ModelError
from bot.claim_check.numbers import UNITS
from ingest import remove, update
from ingest.formats.blocks import counted
from language import Message, verbatim, words_by_key
from language.messages import PLACE
from page.conversations import Conversations
from page.i18n import LANGUAGES, LOCALES, translator
from page.ingest_job import IngestJob
from page.layout import EXAMPLES
from page.library import article_panel, job_status
from page.session import Session, opened, save_answer
from page.source import source_page
from page.top import status_line
from tests.support.articles import Letters
from tests.support.program import ROOT
from tests.support.readings import answering_from
from vectorstore import ORIGINAL, TRAINED, Store

OTHERS = [language for language in LANGUAGES if language != "en"]
VALUE = re.compile(r"\{\w+\}")


ROOMS = ("bot", "encoder", "ingest", "language", "page", "render", "vectorstore")
MESSAGES = Path("language", "messages.py")  # which makes them
# Errors that never leave the program, or say that it is used wrongly by another.
INTERNAL = {
    "This fetcher is closed; make another one.",
    "Questions are embedded before they come here.",
    "only its year is known",
    "only its month is known",
}


def calls(*rooms: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the rooms: where, the name of what is called, and the call; but for what terminals alone say."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            where = path.relative_to(ROOT)
            if where == MESSAGES or path.name in ("__main__.py", "probe.py"):
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    yield f"{where}:{node.lineno}", called, node


def literals(call: ast.Call) -> list[str]:
    """The texts that a call is given."""
    return [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def phrases() -> set[str | tuple[str, str]]:
    """All that is to be translated: the page's own words, and the templates of all messages."""
    found: set[str | tuple[str, str]] = set()
    for where, called, call in calls(*ROOMS):
        texts = literals(call)
        if called == "Message":
            assert len(texts) == len(call.args) == 1, f"{where}: a template is a literal"
            found.update(filter(None, texts))
        elif called == "words" and texts:
            found.add(texts[0])
        elif called == "many":
            assert len(texts) == 2, f"{where}: templates are literals"
            found.add((texts[0], texts[1]))
    return found


def catalogue(language: str) -> dict[Any, tuple[str, ...]]:
    """The translations of each phrase; one, or one a plural form."""
    with (LOCALES / f"{language}.po").open("rb") as source:
        read = [(message.id, message.string) for message in read_po(source, language) if message.id]
    return {key: tuple(map(str, said)) if isinstance(said, (tuple, list)) else (str(said),) for key, said in read}


@pytest.mark.parametrize("language", OTHERS)
def test_every_phrase_is_translated_and_no_other(language: str) -> None:
    asked = phrases()
    assert len(asked) > 100
    assert set(catalogue(language)) == asked


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_empty_or_loses_a_value(language: str) -> None:
    for key, said in catalogue(language).items():
        english = key[1] if isinstance(key, tuple) else key
        assert len(said) == (3 if isinstance(key, tuple) else 1)
        for one in said:
            assert one.strip(), key
            assert set(VALUE.findall(one)) == set(VALUE.findall(english)), key
            assert bool(re.search("[а-яёіў]", one, re.I)) == bool(re.search("[a-z]", VALUE.sub("", english), re.I)), key


def test_a_number_chooses_its_form_and_is_written_as_the_language_does() -> None:
    def said(language: str, count: int) -> str:
        return translator(language).many("{count} article", "{count} articles", count)

    assert [said("en", count) for count in (1, 2, 4378)] == ["1 article", "2 articles", "4,378 articles"]
    assert [said("ru", count) for count in (1, 22, 11)] == ["1 статья", "22 статьи", "11 статей"]
    assert [said("be", count) for count in (21, 3, 5)] == ["21 артыкул", "3 артыкулы", "5 артыкулаў"]
    assert said("ru", 4378) == "4\N{NO-BREAK SPACE}378 статей"


def test_a_message_is_given_the_values_that_its_template_names() -> None:
    for where, called, call in calls(*ROOMS):
        if called in ("Message", "many") and (texts := literals(call)) and all(word.arg for word in call.keywords):
            given = {word.arg for word in call.keywords}
            if called == "Message" or "count" in given:  # else it is the page's own `many`
                assert given | {"count"} == {*PLACE.findall(texts[-1]), "count"}, where


def test_what_is_raised_for_people_is_a_message() -> None:
    plain = []
    for where, called, call in calls("bot", "encoder", "ingest", "vectorstore"):
        said = call.args[0] if called.endswith("Error") and call.args else None
        if isinstance(said, ast.JoinedStr | ast.BinOp) or (
            isinstance(said, ast.Constant) and said.value not in INTERNAL
        ):
            plain.append(where)
    assert plain == []


def test_every_measure_has_a_name() -> None:
    assert UNITS.keys() == words_by_key("measures").keys()


@pytest.mark.parametrize(
    ("message", "in_russian"),
    [
        (Message("There is nothing to read."), "Читать нечего."),
        (
            Message("None of the passages read ({count}) answers the question.", count=10),
            "Прочитано фрагментов: 10; ни один не отвечает на вопрос.",
        ),
        (
            Message(
                "{error} Showing quotes instead.",
                error=Message("The model said nothing for {seconds} seconds.", seconds=30),
            ),
            "Модель молчала 30 секунд. Вместо этого показаны цитаты.",
        ),
        (Message("more than {count} tags", count=500_000), "тегов больше 500\N{NO-BREAK SPACE}000"),
        (
            Message.many(
                "{count} generated sentence was removed: the articles do not prove it.",
                "{count} generated sentences were removed: the articles do not prove them.",
                count=3,
            ),
            "Пропущено 3 предложения модели: статьи этого не доказывают.",
        ),
        (ModelError(Message("The model's answer was cut off.")), "Ответ модели оборвался."),
        (OSError(28, "No space left on device"), "«No space left on device»"),
        (counted({"picture": 2, "video": 0, "comment": 1}), "2 картинки, 1 комментарий"),
        (verbatim("Something {else}."), "Something {else}."),
        (Message(""), ""),
    ],
)
def test_a_message_is_translated_with_its_values(message: Message | Exception, in_russian: str) -> None:
    assert translator("ru").message(message) == in_russian
    if isinstance(message, Message):
        assert translator("en").message(message) == message


def test_why_a_source_failed_is_told_in_russian_now_and_when_it_is_looked_at_later(tmp_path: Path) -> None:
    file = tmp_path / "harbour.txt"
    file.write_text("On 3 May 2024 the harbour was closed by the mayor of Sandby.", "utf-8")
    data, russian = tmp_path / "data", translator("ru")
    update([file], data=data)
    file.write_bytes(b"")
    with closing(IngestJob(data)) as intake:
        assert intake.start([], [str(file), str(tmp_path / "gone")])
        while not intake.state or intake.state.running:
            time.sleep(0.01)
        report = job_status(intake, russian)
    assert "harbour.txt: пусто" in report
    assert "gone: такого файла или папки нет" in report
    with Bot.open(data, model="") as bot:
        (entry,) = bot.list_articles()
        assert "Источник недоступен: пусто" in article_panel(bot, entry.id, russian)
    for reason, shown in ((Message("removed on the page"), "убрана на странице"), ("as {asked}", "as {asked}")):
        remove([entry.id], reason, data=data)
        with Bot.open(data, model="") as bot:
            record = bot.version_details(entry.id, entry.version)
        assert record is not None
        assert record.tombstone is not None
        assert record.tombstone.reason == reason
        assert shown in re.sub("&#(\\d+);", lambda found: chr(int(found[1])), source_page(record, russian))


def test_what_an_answer_says_beside_its_quotes_is_kept_and_opened_again_in_belarusian(
    tmp_path: Path, sample_data: Path
) -> None:
    note = Message("{error} Showing quotes instead.", error=Message("The model's server is out of quota or busy."))
    with Bot.open(sample_data, model="") as bot, closing(Conversations(tmp_path, bot.article)) as conversations:
        with answering_from(2):
            answer = replace(bot.ask("Who was the first person to walk on the moon?"), notes=(note,))
        assert answer.missing
        session = save_answer(conversations, Session(kept=()), answer, (1,))
        (kept,) = conversations.answers(session.name)
        assert (kept.notes, kept.missing) == (answer.notes, answer.missing)
        messages, _ = opened(conversations, session.name, translator("be"), is_owner=True)
    shown = messages[-1]["content"].replace("\\", "")
    assert "Квота сервера мадэлі вычарпаная, ці ён заняты. Замест гэтага паказаныя цытаты." in shown
    assert "ніводзін не адказвае на пытанне." in shown


@pytest.mark.parametrize(("model", "older"), [(ORIGINAL, True), (TRAINED, False)])
def test_vectors_of_an_older_model_are_told_of_at_the_top(tmp_path: Path, model: str, older: bool) -> None:
    Store(tmp_path, name=model, embeddings=Letters(), create=True).close()
    with Bot.open(tmp_path, model="") as bot:
        said = {language: status_line(bot, translator(language)) for language in LANGUAGES}
    assert all(("viadoma rebuild" in one) == older for one in said.values())
    assert ("векторы прежней модели" in said["ru"], "вектары ранейшай мадэлі" in said["be"]) == (older, older)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_five_examples_of_its_own(language: str) -> None:
    assert len(set(EXAMPLES[language])) == 5
    assert all(bool(re.search("[а-яёіў]", one, re.I)) == (language != "en") for one in EXAMPLES[language])
    assert not any(set(EXAMPLES[language]) & set(EXAMPLES[other]) for other in LANGUAGES if other != language)


def test_each_language_has_its_own_path() -> None:
    assert [translator(language).address("/library") for language in LANGUAGES] == [
        "/library",
        "/ru/library",
        "/be/library",
    ]
