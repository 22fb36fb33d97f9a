"""Messages: an English text that keeps its template and values, wherever it goes."""

from __future__ import annotations

import copy
import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from language import Message, message_of, verbatim

INNER = Message("a file larger than {size} MB", size=1_500)
NESTED = Message("can't be read: {why} ({place}, {share})", why=INNER, place=Path("a"), share=0.5)
MANY = Message.many("{count} page of {file}", "{count} pages of {file}", count=2_000, file="{count}.pdf")


@dataclass(frozen=True, slots=True)
class Held:
    """Something that holds a message."""

    message: Message
    number: int = 0


def parts(message: Message) -> tuple[object, ...]:
    """All that a message is, with the messages in it."""
    values = {name: parts(value) if isinstance(value, Message) else value for name, value in message.values.items()}
    return str(message), message.template, message.more, values


def test_a_message_is_its_english_text() -> None:
    assert NESTED == "can't be read: a file larger than 1,500 MB (a, 0.5)"
    assert MANY == "2,000 pages of {count}.pdf"
    assert Message.many("{count} page", "{count} pages", count=1) == "1 page"
    assert f"{Message('It is empty.')} {verbatim('Or {so}.')}" == "It is empty. Or {so}."
    assert type(str(NESTED)) is str
    with pytest.raises(ValueError, match=r"no value for \{year\}"):
        Message("the year {year}", day=1)


@pytest.mark.parametrize("message", [NESTED, MANY, verbatim("as {it} is"), Message("It is empty.")])
def test_a_message_keeps_its_template_and_values(message: Message) -> None:
    ways = [
        *(pickle.loads(pickle.dumps(message, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)),
        copy.copy(message),
        copy.deepcopy(message),
        replace(Held(message), number=1).message,
        asdict(Held(message))["message"],
        Message.from_json(json.loads(json.dumps(message.to_json()))),
        Message.restored(message.stored()),
    ]
    assert [parts(way) for way in ways] == [parts(message)] * len(ways)


def test_a_message_comes_back_from_another_process() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        assert parts(executor.submit(copy.copy, NESTED).result()) == parts(NESTED)


@pytest.mark.parametrize("text", ["its author asked for it", '{"template": "x", "values": {}}', "{", "", '"quoted"'])
def test_a_text_that_somebody_wrote_is_kept_as_it_is(text: str) -> None:
    assert parts(Message.restored(verbatim(text).stored())) == parts(verbatim(text))


@pytest.mark.parametrize("text", ['{"template": "{gone}", "values": {}}', "{" * 100_000, '{"template": 1}', '{"a": '])
def test_a_column_that_holds_no_message_is_read_as_text(text: str) -> None:
    assert parts(Message.restored(text)) == parts(verbatim(text))


@pytest.mark.parametrize("value", [None, [], {"template": "{0.x}"}])
def test_json_that_is_no_message_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"message|text"):
        Message.from_json({"template": "{a}", "values": {"a": value}})
    assert Message.from_json({"template": "{a.b:>9} {a}", "values": {"a": 1}}) == "{a.b:>9} 1"


def test_an_error_says_its_own_message_and_another_programs_words_in_quotation_marks() -> None:
    assert parts(message_of(ValueError(NESTED))) == parts(NESTED)
    assert message_of(OSError(13, "Permission denied", "/a")) == "“Permission denied”"
    assert message_of(RuntimeError("on\ntwo  lines")) == "“on two lines”"
    assert message_of(KeyError()) == "“KeyError”"
