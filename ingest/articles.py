"""Files -> articles: finds them, decodes them, and reads title, address, publisher, date, language and text.

Knows file formats and encodings. Does not know how an article is cut, embedded or stored.

Errors: UnreadableError (ValueError): this file or line holds no article; its message is the reason, for the user.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

DATA_FOLDER = "library.db"  # a folder that holds it is a data folder
MAX_BYTES = 50_000_000  # of one article's file
ENCODINGS = ["cp1251", "koi8_r", "cp866", "cp1252", "cp1250", "cp1257"]  # of Belarus and its neighbours
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
# the languages this is told apart among, when an article does not say: fewer candidates, fewer mistakes
LANGUAGES = ["be", "bg", "cs", "de", "en", "es", "et", "fi", "fr", "it", "lt", "lv", "nl", "pl", "pt", "ro", "ru", "sk"]
LANGUAGES += ["sv", "uk"]
# field -> the names it goes by in front matter and JSON Lines, the first is ours
FIELDS = {
    "title": ("title", "headline"),
    "url": ("url", "link"),
    "publisher": ("publisher", "site", "source"),
    "published": ("published", "date"),
    "lang": ("lang", "language"),
    "note": ("note",),
    "text": ("text", "content", "body"),
}


class UnreadableError(ValueError):
    """A file or line that holds no article; the message says why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as read, not yet stored. `key` names it over all its versions; the rest is as in `Article`."""

    key: str
    source: str
    title: str
    url: str
    publisher: str
    published: str
    lang: str
    note: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One article or one failure, from `source`; `size` is the bytes of the file it used up."""

    source: str
    size: int
    draft: Draft | None
    reason: str = ""


def find(source: str) -> Iterator[Path | Item]:
    """The files of a source, in order of their names: itself if it is a file, all files below it if a folder.

    Hidden files and folders are passed over; a folder that can't be read comes as an item with the reason, and so does
    a link to a folder, which is not followed. UnreadableError if there is nothing of that name, or the folder is empty.
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", source, re.I):
        raise UnreadableError("addresses are not fetched by this version: save the page and give its file")
    try:
        path = Path(source).absolute()
        if path.is_file():
            yield path
            return
        if not path.is_dir():
            raise UnreadableError("there is no such file or folder")
        failed: list[Item] = []
        empty = True
        for folder, folders, files in os.walk(path, onerror=lambda error: failed.append(_unread(error))):
            if DATA_FOLDER in files:
                folders[:] = []  # the library's own folder holds no articles
                continue
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in folders:
                if (linked := Path(folder) / name).is_symlink():
                    failed.append(Item(str(linked), 0, None, "a link to a folder: give the folder itself"))
            for name in sorted(name for name in files if not name.startswith(".")):
                empty = False
                yield Path(folder) / name
        yield from failed
        if empty and not failed:
            raise UnreadableError("the folder holds no files")
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error


def _unread(error: OSError) -> Item:
    return Item(str(error.filename), 0, None, error.strerror or str(error))


def read(path: Path) -> Iterator[Item]:
    """The articles of a file: one, or one a line in JSON Lines. What can't be read comes as an item with its reason."""
    source = str(path)
    try:
        source.encode()
    except UnicodeEncodeError:
        readable = os.fsencode(path).decode("utf-8", "replace")
        yield Item(readable, 0, None, "its name is not UTF-8: rename it")
        return
    try:
        if not path.is_file():
            raise UnreadableError("not an ordinary file")
        size = path.stat().st_size
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            kinds = ", ".join(sorted({*READERS, *LINES}))
            if path.suffix.lower() in LINES:
                yield from _read_lines(path, size)
                return
            raise UnreadableError(f"not a kind of file that is read here ({kinds})")
        if size > MAX_BYTES:
            raise UnreadableError(f"larger than {MAX_BYTES // 1_000_000} MB")
        raw = path.read_bytes()
        yield Item(source, size, _draft(source, reader(raw)))
    except UnreadableError as error:
        yield Item(source, 0, None, str(error))
    except OSError as error:
        yield Item(source, 0, None, error.strerror or str(error))


def _draft(source: str, fields: Mapping[str, Any]) -> Draft:
    values = {name: _value(name, fields) for name in FIELDS}
    text = _plain(values.pop("text"))
    if not text.strip():
        raise UnreadableError("no text in it")
    values["lang"] = values["lang"].lower()[:2] or _language(text)
    own = _plain(str(fields.get("id") or "")).strip()
    # an id is only its file's: two collections may both count from 1
    key = values["url"] or (f"{source.rpartition('#')[0] or source}#id={own}" if own else source)
    return Draft(key=key, source=source, text=text, **{name: " ".join(values[name].split()) for name in values})


def _value(name: str, fields: Mapping[str, Any]) -> str:
    value = next((fields[alias] for alias in FIELDS[name] if fields.get(alias) not in (None, "")), "")
    if name == "text" and not isinstance(value, str):
        raise UnreadableError("its text is not a string")
    if name == "lang" and value is False:
        return "no"  # what YAML takes for a denial is Norwegian
    text = _plain(str(value.isoformat() if hasattr(value, "isoformat") else value))
    return _day(text) if name == "published" and text else text


def _day(text: str) -> str:
    """A date as exact as it is given, without its time of day."""
    day = text[:10]
    try:
        if not DATE.fullmatch(day):
            raise ValueError
        date.fromisoformat((day + "-01-01")[:10])
    except ValueError as error:
        raise UnreadableError(f"its date is {text[:40]!r}: write it as 2025-12-13, 2025-12 or 2025") from error
    return day


def _plain(text: str) -> str:
    """One kind of line end, and no halves of characters that can't be stored."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _language(text: str) -> str:
    return str(_identifier().classify(text[:5000])[0])


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid import langid

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages(LANGUAGES)
    return identifier


def decode(raw: bytes) -> str:
    """Bytes -> text, see `_encoding`. UnreadableError if it is empty, binary, or of no encoding that can be told."""
    if not raw.strip():
        raise UnreadableError("empty")
    encoding = _encoding(raw)
    try:
        return _no_binary(raw.decode(encoding))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"damaged {encoding} text at byte {error.start}") from error


def _encoding(raw: bytes) -> str:
    """By byte-order mark, as UTF-16 by its pattern of zeros, as UTF-8, else by likeness to ENCODINGS."""
    marked = next((MARKS[mark] for mark in MARKS if raw.startswith(mark)), None) or _utf16(raw)
    if marked:
        return marked
    try:
        raw.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        # the last bytes of a piece may be half a letter
        if error.start >= len(raw) - 3 and error.start > 0:
            return "utf-8"
    if b"\0" in raw:
        raise UnreadableError("binary, not text")
    from charset_normalizer import from_bytes

    best = from_bytes(raw, cp_isolation=ENCODINGS, threshold=0.2).best()
    if best is None:
        raise UnreadableError("binary, or text in an encoding that can't be told: save it as UTF-8")
    return best.encoding


def _utf16(raw: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of spaces, digits and Latin letters is zero."""
    head = raw[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 < len(head) or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _no_binary(text: str) -> str:
    if len(CONTROL.findall(text[:100_000])) > len(text[:100_000]) / 200 or "\0" in text:
        raise UnreadableError("binary, not text")
    return text


def _read_text(raw: bytes) -> dict[str, Any]:
    text = decode(raw)
    return _read_html(raw) if HTML.match(text) else _front_matter(text)


def _read_markdown(raw: bytes) -> dict[str, Any]:
    text = decode(raw)
    if HTML.match(text):
        return _read_html(raw)
    fields = _front_matter(text)
    title, fields["text"] = _markdown_text(fields["text"])
    return {"title": title} | {name: value for name, value in fields.items() if value}


def _front_matter(text: str) -> dict[str, Any]:
    import frontmatter
    import yaml

    try:
        fields, body = frontmatter.parse(text)
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableError(f"its front matter is not YAML: {' '.join(str(error).split())[:120]}") from error
    if not fields and body.strip() != text.strip():
        return {"text": text}  # between the dashes stands no mapping but text
    return {**fields, "text": body}


def _markdown_text(markdown: str) -> tuple[str, str]:
    """Title (a first heading of the first rank, else empty) and plain text, with paragraphs a blank line apart."""
    from markdown_it import MarkdownIt

    title = ""
    blocks: list[str] = []
    tokens = MarkdownIt("commonmark").parse(markdown)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline":
            words = "".join(
                "\n" if part.type in ("softbreak", "hardbreak") else part.content if part.type != "html_inline" else ""
                for part in token.children or ()
                if part.type != "image"
            ).strip()
            if before and before.type == "heading_open" and before.tag == "h1" and not title and not blocks:
                title = words
            elif words:
                blocks.append(words)
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content.strip("\n"))
    return title, "\n\n".join(blocks)


def _read_html(raw: bytes) -> dict[str, Any]:
    import trafilatura
    from trafilatura.settings import Document

    if not raw.strip():
        raise UnreadableError("empty")
    page = trafilatura.bare_extraction(raw, with_metadata=True, include_comments=False, include_tables=True)
    if not isinstance(page, Document) or not page.text:
        raise UnreadableError("no article text found in the page")
    return {
        "title": page.title,
        "url": page.url,
        "publisher": page.sitename,
        "published": page.date,
        "lang": page.language,
        "text": page.text,
    }


def _read_lines(path: Path, size: int) -> Iterator[Item]:
    """JSON Lines, a line at a time, so that a file may be larger than the memory."""
    with path.open("rb") as probe:
        encoding = _encoding(probe.read(1_000_000))
    try:
        with path.open(encoding=encoding, newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _line(f"{path}#{number}", line)
    except UnicodeDecodeError as error:
        yield Item(str(path), 0, None, f"damaged {encoding} text behind the lines above: {error.reason}")
    if size == 0:
        yield Item(str(path), 0, None, "empty")


def _line(source: str, line: str) -> Item:
    try:
        if len(line) > MAX_BYTES:
            raise UnreadableError(f"a line larger than {MAX_BYTES // 1_000_000} MB")
        try:
            fields = json.loads(line)
        except json.JSONDecodeError as error:
            raise UnreadableError(f"not JSON: {error.msg} at character {error.pos}") from error
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"not JSON that can be read: {' '.join(str(error).split())[:120]}") from error
        if not isinstance(fields, dict):
            raise UnreadableError("not a JSON object with a field text")
        return Item(source, len(line), _draft(source, fields))
    except UnreadableError as error:
        return Item(source, len(line), None, str(error))


READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".txt": _read_text,
    ".text": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
    ".xhtml": _read_html,
}
LINES = {".jsonl", ".ndjson"}
