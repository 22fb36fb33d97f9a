"""Messages for people: a sentence in English that keeps the template and the values it was made of.

A message is its English text wherever a text is wanted. Whoever speaks another language translates the template, and
the values that are messages themselves. Does not know languages, or where messages are shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self, TypeAlias

Value: TypeAlias = "Message | str | int | float"

PLACE = re.compile(r"\{(\w+)\}")
VERBATIM = "{text}"
LONGEST = 200  # characters of what another program says


class Message(str):
    """A sentence, or a part of one, for people: the template with its values put in, as English has it.

    `template` is a literal with {names}; `more` is the one for any other `count` than 1, and empty if there is no such
    difference. `values` are messages, texts and numbers; numbers are written as a language writes them, so a year or a
    port is given as text. Anything else becomes text. What another program says stands between “ ” in the template.
    """

    __slots__ = ("more", "template", "values")
    template: str
    more: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """The message of a template that stands for any number; ValueError if a value is missing."""
        return cls._of(template, "", values)

    @classmethod
    def many(cls, singular: str, plural: str, /, *, count: int, **values: object) -> Self:
        """The message for so many; `count` is one of its values."""
        return cls._of(singular, plural, {"count": count, **values})

    @classmethod
    def joined(cls, parts: Iterable[Value], separator: str = "") -> Self:
        """Texts and messages one behind the other, each in its own language; those that are empty are left out."""
        values = {f"part{place}": part for place, part in enumerate(filter(None, parts), 1)}
        return cls._of(separator.join(f"{{{name}}}" for name in values), "", values)

    @classmethod
    def _of(cls, template: str, more: str, values: Mapping[str, object]) -> Self:
        kept = {name: value if isinstance(value, str | int | float) else str(value) for name, value in values.items()}
        english = more if more and kept.get("count") != 1 else template
        message = super().__new__(cls, filled(english, {name: _in_english(value) for name, value in kept.items()}))
        message.template, message.more, message.values = template, more, MappingProxyType(kept)
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickling and copying."""
        return type(self)._of, (self.template, self.more, dict(self.values))

    def to_json(self) -> str | dict[str, Any]:
        """As JSON keeps it: template and values; of a verbatim message the text."""
        if self.template == VERBATIM:
            return str(self.values["text"])
        values = {name: value.to_json() if isinstance(value, Message) else value for name, value in self.values.items()}
        return {"template": self.template, **({"more": self.more} if self.more else {}), "values": values}

    @classmethod
    def from_json(cls, kept: object) -> Message:
        """What `to_json` gave; a text is what was kept before there were messages. ValueError for all else."""
        match kept:
            case str():
                return verbatim(kept)
            case {"template": str(template), "values": dict(values), **rest} if rest.keys() <= {"more"}:
                return cls._of(template, str(rest.get("more", "")), {name: _value(v) for name, v in values.items()})
        raise ValueError("neither a text nor a template with its values")

    def stored(self) -> str:
        """The message as a column of text keeps it."""
        kept = self.to_json()
        if isinstance(kept, str) and kept.startswith("{"):  # it is not to be taken for JSON
            kept = {"template": VERBATIM, "values": {"text": kept}}
        return kept if isinstance(kept, str) else json.dumps(kept, ensure_ascii=False)

    @classmethod
    def restored(cls, column: str) -> Message:
        """The message that a column of text keeps; any other text as it is."""
        try:
            return cls.from_json(json.loads(column)) if column.startswith("{") else verbatim(column)
        except (ValueError, RecursionError):
            return verbatim(column)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> Any:
        """Pydantic reads and writes it as JSON keeps it."""
        from pydantic_core import core_schema

        written = core_schema.plain_serializer_function_ser_schema(cls.to_json)
        return core_schema.no_info_plain_validator_function(cls.from_json, serialization=written)


def verbatim(text: str) -> Message:
    """A text that somebody wrote, as a message that is never translated; a message as it is."""
    return text if isinstance(text, Message) else Message(VERBATIM, text=text)


def message_of(error: BaseException) -> Message:
    """What an error says: its own message, or one line of what another program says, in quotation marks."""
    if error.args and isinstance(error.args[0], Message):
        return error.args[0]
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Message("“{error}”", error=one_line(text) or type(error).__name__)


def one_line(text: str, limit: int = LONGEST) -> str:
    """Anybody's words for a terminal and a page: one line, no control characters, not endless."""
    flat = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return flat if len(flat) <= limit else f"{flat[:limit]}…"


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; what stands in braces in a value stays. ValueError if one is missing."""

    def value(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise ValueError(f"no value for {place[0]}")
        return values[place[1]]

    return PLACE.sub(value, template)


def _in_english(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _value(kept: object) -> Value:
    if isinstance(kept, dict):
        return Message.from_json(kept)
    if isinstance(kept, str | int | float):
        return kept
    raise ValueError("a value is a text, a number or a message")


EMPTY = verbatim("")
