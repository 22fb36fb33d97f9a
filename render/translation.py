"""The language in which an answer is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from language import Message


class Translation(Protocol):
    """A language: its code (ISO 639-1), and what a message is in it."""

    @property
    def language(self) -> str:
        """The code, as HTML wants it."""

    def message(self, said: Message, /) -> str:
        """The message in this language."""


@dataclass(frozen=True, slots=True)
class English:
    """English, in which messages are."""

    language: str = "en"

    def message(self, said: Message, /) -> str:
        """The message as it is."""
        return str(said)


ENGLISH = English()
