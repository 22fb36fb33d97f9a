"""Cutting articles: whole sentences, exact offsets, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.passages import PASSAGE_CHARACTERS, SENTENCE_CHARACTERS, passages, sentences

TEXTS = [
    ("en", "Mr. Coale met him on Dec. 13. It was 9 a.m. in the U.S. Senate.\n\nNew paragraph – with 31 CFR part 548."),
    ("ru", "В 2023 г. А. Лукашенко сказал: «Да». Потом ушёл.\nДальше."),
    ("be", "У 2023 г. суд вынес прысуд. Ён выйшаў."),
    ("", "No language 🙂 given. 中文句子。第二句。"),
    ("en", "x" * 5000),
    ("en", "word " * 1000),
    ("en", "A heading\n\n- one item\n- another item\n\n1. first\n2. second"),
    ("en", "wrapped by hand at a\nnarrow width. Next\nsentence goes on"),
    ("en", "\n\n  \n"),
    ("en", ""),
]


@pytest.mark.parametrize(("lang", "text"), TEXTS)
def test_every_character_but_white_space_is_in_exactly_one_sentence_of_one_passage(lang: str, text: str) -> None:
    covered = [0] * len(text)
    for passage in passages(text, lang):
        assert passage.sentences[0].start == passage.span.start
        assert passage.sentences[-1].end == passage.span.end
        for span in passage.sentences:
            for position in range(span.start, span.end):
                covered[position] += 1
    assert all(count == 1 or character.isspace() for count, character in zip(covered, text, strict=True))
    assert all(count <= 1 for count in covered)


@pytest.mark.parametrize(("lang", "text"), TEXTS)
def test_no_sentence_or_passage_is_too_long(lang: str, text: str) -> None:
    for passage in passages(text, lang):
        assert all(span.end - span.start <= SENTENCE_CHARACTERS for span in passage.sentences)
        assert len(passage.sentences) == 1 or passage.span.end - passage.span.start <= PASSAGE_CHARACTERS


def cut(text: str, lang: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text, lang)]


def test_abbreviations_and_initials_end_no_sentence() -> None:
    assert cut(*reversed(TEXTS[0]))[:2] == ["Mr. Coale met him on Dec. 13.", "It was 9 a.m. in the U.S. Senate."]
    assert cut(*reversed(TEXTS[1])) == ["В 2023 г. А. Лукашенко сказал: «Да».", "Потом ушёл.", "Дальше."]
    assert cut(*reversed(TEXTS[2])) == ["У 2023 г. суд вынес прысуд.", "Ён выйшаў."]


def test_a_dot_within_a_word_ends_no_sentence() -> None:
    assert cut("Редактор TUT.BY Марина Золотова. Глава 3.5 вышла.", "ru") == [
        "Редактор TUT.BY Марина Золотова.",
        "Глава 3.5 вышла.",
    ]


def test_a_line_wrapped_by_hand_goes_on() -> None:
    assert cut(*reversed(TEXTS[7])) == ["wrapped by hand at a\nnarrow width.", "Next\nsentence goes on"]


def test_list_items_are_sentences_of_their_own() -> None:
    assert cut(*reversed(TEXTS[6])) == ["A heading", "- one item", "- another item", "1. first", "2. second"]


def test_a_long_line_is_cut_in_no_time() -> None:
    # quadratic work would take minutes here and run into the suite's limit
    text = "One sentence of a very long line, number 12. " * 100_000
    assert sum(len(passage.sentences) for passage in passages(text, "en")) == 100_000


def test_the_seed_article_is_cut_as_its_reader_would(shared: Path) -> None:
    text = next((shared / "seeds").glob("*.txt")).read_text("utf-8")
    made = cut(text, "en")
    assert len(made) == 24
    assert all(sentence[-1] in ".”" for sentence in made)
