"""The page's own words: every phrase is there in every language, with its values."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from bot import Bot
from page.layout import EXAMPLES
from page.top import status_line
from page.words import DOUBTS, LANGUAGES, LOCALES, REASONS, REMARKS, remark, words_of
from tests.support.articles import Letters
from tests.support.program import ROOT
from vectorstore import ORIGINAL, TRAINED, Store

OTHERS = [language for language in LANGUAGES if language != "en"]
VALUE = re.compile(r"\{\w+\}")


def phrases() -> set[str | tuple[str, str]]:
    """What the page's code asks to be translated; `pybabel extract` does not look into f-strings before Python 3.12."""
    found: set[str | tuple[str, str]] = set()
    for path in (ROOT / "page").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called == "words" and texts:
                found.add(texts[0])
            elif called == "many":
                found.add((texts[0], texts[1]))
    return found | set(REMARKS) | set(REASONS) | set(DOUBTS)


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
            assert re.search("[а-яёіў]", one, re.I), key


def test_a_number_chooses_its_form_and_is_written_as_the_language_does() -> None:
    def said(language: str, count: int) -> str:
        return words_of(language).many("{count} article", "{count} articles", count)

    assert [said("en", count) for count in (1, 2, 4378)] == ["1 article", "2 articles", "4,378 articles"]
    assert [said("ru", count) for count in (1, 22, 11)] == ["1 статья", "22 статьи", "11 статей"]
    assert [said("be", count) for count in (21, 3, 5)] == ["21 артыкул", "3 артыкулы", "5 артыкулаў"]
    assert said("ru", 4378) == "4\N{NO-BREAK SPACE}378 статей"


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (["bot/*.py", "page/chat.py", "page/conversations.py"], REMARKS),
        (["ingest/**/*.py", "vectorstore/*.py", "page/library.py"], REASONS),
        (["bot/**/*.py", "language/lists/measures.txt"], DOUBTS),
    ],
)
def test_every_remark_is_one_that_is_made(places: list[str], said: tuple[str, ...]) -> None:
    sources = " ".join(path.read_text("utf-8") for place in places for path in ROOT.glob(place))
    sources = re.sub(r'"\n +f?"', "", sources)  # one text, over several lines
    for phrase in said:
        for part in VALUE.split(phrase):
            assert part.strip(" ()") in sources, phrase


@pytest.mark.parametrize(
    ("said", "in_russian"),
    [
        ("There is nothing to read.", "Читать нечего."),
        (
            "None of the passages read (10) answers the question.",
            "Прочитано фрагментов: 10; ни один не отвечает на вопрос.",
        ),
        (
            "The model said nothing for 30 seconds. The answer is quoted instead.",
            "Модель молчала 30 секунд. Вместо неё ответ цитируется.",
        ),
        ("larger than 50 MB", "больше 50 МБ"),
        (
            "robots.txt can't be read, so nothing is fetched from a.by now: the connection was reset",
            "robots.txt не читается, поэтому сейчас с a.by ничего не загружается: соединение оборвано",
        ),
        (
            "Process 4711 is writing to /data. Wait until it has finished, then try again.",
            "Процесс 4711 пишет в /data. Подождите, пока закончит, и попробуйте снова.",
        ),
        ("Something else.", "Something else."),
    ],
)
def test_what_is_said_is_translated_with_its_values(said: str, in_russian: str) -> None:
    assert remark(said, words_of("ru")) == in_russian
    assert remark(said, words_of("en")) == said


@pytest.mark.parametrize(("model", "older"), [(ORIGINAL, True), (TRAINED, False)])
def test_vectors_of_an_older_model_are_told_of_at_the_top(tmp_path: Path, model: str, older: bool) -> None:
    Store(tmp_path, name=model, embeddings=Letters(), create=True).close()
    with Bot.open(tmp_path, model="") as bot:
        said = {language: status_line(bot, words_of(language)) for language in LANGUAGES}
    assert all(("viadoma rebuild" in one) == older for one in said.values())
    assert ("векторы прежней модели" in said["ru"], "вектары ранейшай мадэлі" in said["be"]) == (older, older)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_five_examples_of_its_own(language: str) -> None:
    assert len(set(EXAMPLES[language])) == 5
    assert all(bool(re.search("[а-яёіў]", one, re.I)) == (language != "en") for one in EXAMPLES[language])
    assert not any(set(EXAMPLES[language]) & set(EXAMPLES[other]) for other in LANGUAGES if other != language)


def test_each_language_has_its_own_path() -> None:
    assert [words_of(language).address("/library") for language in LANGUAGES] == [
        "/library",
        "/ru/library",
        "/be/library",
    ]
