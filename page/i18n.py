"""The page in English, Russian and Belarusian: its own words, and the messages of the other rooms.

Knows the catalogues in `locales`, whose keys are the English words. Does not translate what articles say.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from language import Message, message_of
from language.messages import Value, filled

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = {"en": "English", "ru": "Русский", "be": "Беларуская"}
ENGLISH = "en"


class Translator:
    """One language. A phrase that the catalogue lacks stays English.

    `words("{day} is no day", day=...)` is the phrase with its values in it; `words.many` chooses by a number;
    `words.message` is what another room says.
    """

    def __init__(self, language: str) -> None:
        """Reads the catalogue of one of LANGUAGES."""
        self.language = language
        self._catalogue = gettext.NullTranslations()
        if language != ENGLISH:
            with (LOCALES / f"{language}.po").open("rb") as source:
                read = read_po(source, language)
            compiled = io.BytesIO()
            write_mo(compiled, read)
            compiled.seek(0)
            self._catalogue = gettext.GNUTranslations(compiled)

    def __call__(self, phrase: str, **values: object) -> str:
        """The phrase in this language."""
        text = self._catalogue.gettext(phrase)
        return text.format(**values) if values else text

    def many(self, singular: str, plural: str, count: int, **values: object) -> str:
        """The phrase for so many; `{count}` in it is the number, written as this language does."""
        text = self._catalogue.ngettext(singular, plural, count)
        return text.format(count=self.number(count), **values)

    def message(self, message: Message | BaseException) -> str:
        """A message, or that of an error, in this language, its values too."""
        message = message if isinstance(message, Message) else message_of(message)
        count = message.values.get("count")
        if message.more and isinstance(count, int):
            template = self._catalogue.ngettext(message.template, message.more, count)
        else:
            # of nothing the catalogue has its own head
            template = self._catalogue.gettext(message.template) if message.template else ""
        return filled(template, {name: self._value(value) for name, value in message.values.items()})

    def number(self, count: float) -> str:
        """A number, with its thousands set apart."""
        return str(format_decimal(count, locale=self.language))

    def address(self, path: str) -> str:
        """Where a view of the page is in this language: English at the root, the others below their own name."""
        return path if self.language == ENGLISH else f"/{self.language}{path}"

    def _value(self, value: Value) -> str:
        if isinstance(value, Message):
            return self.message(value)
        return value if isinstance(value, str) else self.number(value)


translator: Callable[[str], Translator] = cache(Translator)
IN_ENGLISH = translator(ENGLISH)
