"""The page's words in English, Russian and Belarusian: its own, and what `bot` and `ingest` say to people.

Knows the catalogues in `locales`, whose keys are the English words. Does not translate what articles say.
"""

from __future__ import annotations

import gettext
import io
import re
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


# What `bot` says to people, and the chat in an answer, with the places of its values; a value may be such a sentence
# itself.
REMARKS = (
    "None of the passages read ({count}) answers the question.",
    "There is nothing to read.",
    "What was found tells of this, but may not answer it.",
    "Please ask a question.",
    "The question has {count} characters; please ask in at most {most}.",
    "{trouble} The answer is quoted instead.",
    "This answer was broken off.",
    "The conversations in {path} can't be used ({why}). Make the folder writable, or move the file away to begin with "
    "none.",
    "1 sentence of the model was left out: the articles do not prove it.",
    "{count} sentences of the model were left out: the articles do not prove it.",
    "Nothing that the model wrote is proved by the articles.",
    "The model stopped at its limit of length: the answer may be incomplete.",
    "The model's provider filtered its answer.",
    "The model was not done after {seconds} seconds.",
    "The model's answer was cut off.",
    "The model's second look at its sentences failed: they were checked by the program alone.",
    "The passages are too long for the model.",
    "The model's server refused the key: check OPENAI_API_KEY.",
    "The model's server does not know this model: check VIADOMA_MODEL.",
    "The model's server is out of quota or busy.",
    "The model said nothing for {seconds} seconds.",
    "The model's server could not be reached: check OPENAI_BASE_URL.",
    "The model's server had an error of its own.",
    "The model gave no usable answer.",
    "The model did not keep to the form it was asked for.",
)
# What `ingest` says of a source that people meet on the page; what its libraries say stands in it as it is.
REASONS = (
    "removed on the page",
    "no longer in the folder or file it came from",
    "its source is another article's, of the same text",
    "empty",
    "no text in it",
    "a picture ({kind}), not text",
    "a recording ({kind}), not text",
    "a film ({kind}), not text",
    "binary, not text",
    "binary, not text: {name}",
    "binary, or text in mixed encodings or one that can't be told: save it as UTF-8",
    "larger than {size} MB",
    "damaged: {why}",
    "damaged or cut short: there may have been more in it",
    "damaged {encoding} text at byte {place}",
    "can't be read: {why}",
    "can't be read as {kind}: {why}",
    "protected by a password",
    "a damaged PDF: {why}",
    "no text layer: it seems to be scanned; run OCR first",
    "a damaged Word file: {why}",
    "an old Office file: save it as .docx or .pdf",
    "a damaged ZIP archive or office file: {why}",
    "the archive holds no files",
    "an archive in an archive: unpack it first",
    "the folder holds no files",
    "there is no such file or folder",
    "not an ordinary file",
    "no article text found in the page",
    "only the start of the article, the rest is behind a paywall",
    "the page asks for JavaScript",
    "it leads to the front page of its site: the article seems to be gone",
    "not JSON: {why}",
    "not a JSON object with a field text",
    "a table without a column text, content or body; its columns are: {names}",
    "its front matter is not YAML: {why}",
    "its date is {date}: write it as 2025-12-13, 2025-12 or 2025",
    "a feed that can't be read: it is neither RSS nor Atom, or damaged",
    "the server answers {status}",
    "the site's robots.txt does not allow it to be fetched",
    "robots.txt can't be read, so nothing is fetched from {host} now: {why}",
    "the connection to {host} failed: {why}",
    "the connection was reset",
    "the server sends {kind}, which is not a kind of article",
    "{host} is at {address}, which is not on the public internet",
    "{host} is a name within a network, not on the public internet",
    "The date is {date}: write it as 2025-12-13, 2025-12 or 2025.",
    "{who} is writing to {folder}. Wait until it has finished, then try again.",
    "Process {number}",
    "another process",
    "Another program holds {path} locked. Wait until it has finished, or end it.",
    "{path} can't be written ({why}): is the disk full? What was reported is in; make room, then run the same again.",
    "{path} can't be read as a library ({why}). Restore it from a copy, or move it away and fill a new one with: "
    "python -m ingest SOURCE... --data {folder}",
    "The data folder {folder} can't be written ({why}). Make it writable, or name another with --data or VIADOMA_DATA.",
    "{name} is no article's id, file or address in {folder}.",
    "Of {names} nothing is searched: bring it back first.",
    "Nothing of {names} was removed from {folder}.",
)
# Why `bot` doubts a sentence of a model, and what it calls the units in it.
DOUBTS = (
    "it holds an address",
    "its quote asks or orders, it reports nothing",
    "its quote is a heading, a caption or a question",
    "its quote has nothing to do with the question",
    "its quote does not say so, as far as the reader can tell",
    "its quote is not in the passage it names",
    "it names no quote",
    "there is no quote",
    "a second look found only a part of it in the quote",
    "a second look did not find it in the quote",
    "the words “{words}” are not in its quote",
    "the year {year} is not in its quote",
    "the date {day} is not in its quote",
    "the day {day} is not in its quote",
    "the name {name} is not in its quote",
    "the number {number} is not in its quote",
    "“{number}” is not in its quote",
    "it says more than {number}, its quote does not",
    "it says less than {number}, its quote more",
    "its quote's {number} counts {unit}s, not {other}s",
    "{number} is not its quote's number of “{noun}”: {other}",
    "percent",
    "year",
    "month",
    "week",
    "day",
    "hour",
    "minute",
    "dollar",
    "euro",
    "pound",
    "rouble",
    "km",
    "mile",
)
PLACE = re.compile(r"\\\{(\w+)\\\}")
SAID = [(one, re.compile(PLACE.sub(r"(?P<\1>.+)", re.escape(one)), re.S)) for one in (*REMARKS, *REASONS, *DOUBTS)]


def remark(said: str, words: Words) -> str:
    """What `bot` or `ingest` says, in this language; as it is where it is none of REMARKS, REASONS and DOUBTS."""
    if words.language == ENGLISH:
        return said
    for phrase, pattern in SAID:
        if match := pattern.fullmatch(said):
            return words(phrase, **{name: remark(value, words) for name, value in match.groupdict().items()})
    return said


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
