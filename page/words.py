"""The page's own words in English, Russian and Belarusian.

Knows the catalogues in `locales`, whose keys are the English words. Does not translate what articles say, nor what
`bot` says of an answer.
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

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = {"en": "English", "ru": "Русский", "be": "Беларуская"}
ENGLISH = "en"


class Words:
    """The words of one language. A phrase that the catalogue lacks stays English.

    `words("{day} is no day", day=...)` is the phrase with its values in it; `words.many` chooses by a number.
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
        said = self._catalogue.gettext(phrase)
        return said.format(**values) if values else said

    def many(self, one: str, more: str, count: int, **values: object) -> str:
        """The phrase for so many; `{count}` in it is the number, written as this language does."""
        said = self._catalogue.ngettext(one, more, count)
        return said.format(count=self.number(count), **values)

    def number(self, count: int) -> str:
        """A whole number, with its thousands set apart."""
        return str(format_decimal(count, locale=self.language))

    def address(self, path: str) -> str:
        """Where a view of the page is in this language: English at the root, the others below their own name."""
        return path if self.language == ENGLISH else f"/{self.language}{path}"


words_of: Callable[[str], Words] = cache(Words)
IN_ENGLISH = words_of(ENGLISH)


def kinds(words: Words) -> dict[str, str]:
    """What kinds of sources there are, as `Citation.publisher_kind` names them, in words; "other" is left out."""
    return {
        "state media": words("state media"),
        "news agency": words("news agency"),
        "media": words("media"),
        "rights group": words("rights group"),
        "government": words("government"),
        "opposition": words("opposition"),
        "anonymous": words("anonymous"),
    }
