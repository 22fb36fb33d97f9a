"""Every writer shows the same of an answer, in English and in Russian."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from bot import Answer, Bot, Filters
from ingest import update
from page.i18n import Translator, translator
from page.markup import answer_markdown, source_group
from render import EXPORT_FORMATS, text
from render.blocks import ConflictBlock, Sentence, describe
from tests.support.readings import answering_from

ARTICLES = [
    {
        "title": "Sailors of Sandby",
        "publisher": publisher,
        "published": published,
        "url": f"https://{publisher.lower()}.invalid/sailors",
        "text": "On Saturday 123 sailors were freed in Sandby, according to the AP. "
        "Fishing went on as ever in the cold of the bay, and nobody there had heard of it.",
    }
    for publisher, published in (("BelTA", "2025-12-17"), ("Copycat", "2026-01-21"))
]
Writer = Callable[[Answer, Translator], str]
WRITERS: dict[str, Writer] = {
    "text": lambda answer, words: text(answer, words.message),
    "markdown": lambda answer, words: EXPORT_FORMATS["markdown"].render([answer], words.message, words.language),
    "html": lambda answer, words: EXPORT_FORMATS["html"].render([answer], words.message, words.language),
    "page": lambda answer, words: answer_markdown(answer, "g", words) + source_group(answer, "g", words),
}
# what the page shows nowhere, and what goes without saying where a person reads it at once
EXPORTED_ALONE = ("answered", "fact")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sailors")
    (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, ARTICLES)), "utf-8")
    assert not update([folder / "articles.jsonl"], data=folder / "data").failed
    return folder / "data"


@pytest.fixture(scope="module")
def answers(library: Path, sample_data: Path) -> dict[str, Answer]:
    """One with a short answer out of a reprinted article, one whose sources differ, and a refusal."""
    chosen = Filters(languages=("en",))
    with Bot.open(library, model="") as bot:
        with answering_from(0):
            answer = bot.ask("How many sailors were freed in Sandby?", filters=chosen)
        with answering_from(2):
            refusal = bot.ask("Who built the bridge of Norholm?", filters=chosen)
    with Bot.open(sample_data, model="") as bot, answering_from(0):
        differing = bot.ask("How many people were taken to Ukraine?", filters=chosen)
    assert answer.short
    assert answer.citations[0].reprints
    assert answer.citations[0].speakers
    assert refusal.closest_passages
    assert refusal.missing
    assert differing.disagreements
    return {"answer": answer, "refusal": refusal, "differing": differing}


def words_of(written: str) -> str:
    """What is read, without markup and with every gap as one space."""
    bare = re.sub(r"<style>.*?</style>|<[a-z/!][^>]*>|\]\(#[^)]*\)", "", written, flags=re.S)
    return " ".join(re.sub(r"\\(\W)", r"\1", unescape(bare)).replace("**", "").split())


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("which", ["answer", "refusal", "differing"])
def test_every_writer_shows_the_same_of_an_answer(
    answers: dict[str, Answer], which: str, writer: str, language: str
) -> None:
    answer, words = answers[which], translator(language)
    shown = words_of(WRITERS[writer](answer, words))
    for citation in (*answer.citations, *answer.closest_passages):
        assert citation.quote in shown
        assert citation.article.name in shown
        assert citation.article.publisher in shown
        assert citation.article.published in shown
        assert citation.article.note.rstrip(".") in shown
        assert all(copy.publisher in shown for copy in citation.reprints)
        assert all(re.sub("^The ", "", voice.speaker) in shown for voice in citation.speakers)
        assert all(f"{time.start_date}" in shown for time in citation.times if time.inferred)
    for block in describe(answer):
        match block:
            case Sentence(kind, said, beside=beside) if kind not in EXPORTED_ALONE and kind != "claim":
                assert " ".join(words.message(said).split()) in shown
                assert all(words.message(small) in shown for _, small in beside)
            case Sentence("claim", beside=beside):
                assert all(words.message(small) in shown for _, small in beside)
            case ConflictBlock(heading, sides):
                assert words.message(heading) in shown
                assert all(value in shown for value, *_ in sides)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("which", ["answer", "refusal", "differing"])
def test_beside_the_words_of_articles_nothing_is_english_in_russian(
    answers: dict[str, Answer], which: str, writer: str
) -> None:
    answer = answers[which]
    shown = words_of(WRITERS[writer](answer, translator("ru")))
    own = [answer.question, answer.reader, answer.embedding_model, answer.created_at, *answer.prompts, "SHA-256", "T00"]
    for citation in (*answer.citations, *answer.closest_passages):
        for article in (citation.article, *citation.reprints):
            own += [article.title, article.publisher, article.url, article.note, article.sha256[:12]]
        own += [*citation.article.text.split("\n"), citation.quote, citation.link]
        own += [re.sub("^The ", "the ", voice.speaker) for voice in citation.speakers]
        own += [part for part in citation.paragraph if part.strip()]
        own += [citation.article.text[time.span.start : time.span.end] for time in citation.times]
    own += [account.value for one in answer.disagreements for account in one.values]
    for part in sorted(filter(None, own), key=len, reverse=True):
        shown = shown.replace(" ".join(part.split()), "")
    assert re.findall("[A-Za-z]{3,}", shown) == []
    assert "Поиск вёлся по" in shown


def test_a_page_says_in_which_language_it_is(answers: dict[str, Answer]) -> None:
    for language in ("en", "ru", "be"):
        assert f'<html lang="{language}">' in WRITERS["html"](answers["answer"], translator(language))


def test_what_is_data_is_the_same_in_every_language(answers: dict[str, Answer]) -> None:
    for name in ("bundle", "bibtex", "csl-json"):
        written = {
            EXPORT_FORMATS[name].render([answers["answer"]], translator(language).message, language)
            for language in ("en", "ru")
        }
        assert len(written) == 1
