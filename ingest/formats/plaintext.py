"""Plain text, Markdown and JSON objects -> what they say, with the fields of front matter or of the object.

Knows the names that fields go by. Does not know files of many articles, or anything binary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from ingest.document import Document, Extract, UnreadableError
from ingest.formats.blocks import Piece, joined, questions_and_updates
from ingest.formats.dates import day
from ingest.formats.decoding import decode, plain
from language import Message, message_of

if TYPE_CHECKING:
    from vectorstore import BlockKind

# field -> the names it goes by in front matter, JSON and the columns of tables, the first is ours
FIELDS = {
    "text": ("text", "content", "body"),
    "title": ("title", "headline"),
    "url": ("url", "link"),
    "publisher": ("publisher", "site", "source"),
    "author": ("author", "byline", "creator"),
    "published": ("published", "date"),
    "modified": ("modified", "updated"),
    "lang": ("lang", "language"),
    "note": ("note",),
    "licence": ("licence", "license"),
    "id": ("id",),
}
HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
MAX_FRONT_MATTER = 65_536  # characters
EXTRACTOR = "viadoma text 1"
# the parts of Markdown that say what is in them
CONTAINERS: dict[str, BlockKind] = {"heading": "heading", "list_item": "list item", "blockquote": "quotation"}


def read_text(document: Document) -> Extract:
    """Plain text as it is, with front matter if it has any; what turns out to be a web page is read as one."""
    text = decode(document.raw, document.charset)
    return _as_page(document) if HTML.match(text) else extracted(_front_matter(text))


def read_markdown(document: Document) -> Extract:
    """Markdown without its marks; a first heading of the first rank is the title, unless front matter names one."""
    text = decode(document.raw, document.charset)
    if HTML.match(text):
        return _as_page(document)
    fields = _front_matter(text)
    title, pieces = _markdown_pieces(fields["text"])
    fields["text"], blocks = joined(questions_and_updates(pieces))
    extract = extracted({"title": title} | {name: value for name, value in fields.items() if value not in (None, "")})
    return replace(extract, blocks=blocks)


def read_record(document: Document) -> Extract:
    """One JSON object, by the names in FIELDS."""
    text = decode(document.raw, document.charset)
    try:
        fields = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        wrong = Message("not JSON: “{error}” at character {place}", error=error.msg, place=error.pos)
        raise UnreadableError(wrong) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(Message("not JSON that can be read: {why}", why=message_of(error))) from error
    if not isinstance(fields, dict):
        raise UnreadableError(Message("not a JSON object with a field text"))
    return extracted(fields)


def extracted(fields: Mapping[str, Any]) -> Extract:
    """What named values say. UnreadableError if one of them is no plain value, or a date is none."""
    values: dict[str, Any] = {name: _value(name, fields) for name in FIELDS}
    return Extract(**values, extractor=EXTRACTOR)


def _as_page(document: Document) -> Extract:
    from ingest.formats import web

    return web.read(document)


def _value(name: str, fields: Mapping[str, Any]) -> str:
    value = next((fields[alias] for alias in FIELDS[name] if fields.get(alias) not in (None, "")), "")
    if name == "text" and not isinstance(value, str):
        raise UnreadableError(Message("its text is not a string"))
    if name == "lang" and value is False:
        return "no"  # what YAML takes for a denial is Norwegian
    if name == "author" and isinstance(value, list) and all(isinstance(author, str) for author in value[:21]):
        value = "; ".join(value[:20])
    if not isinstance(value, str | int | float | bool | date | datetime):
        raise UnreadableError(Message("its {field} is not a plain value: write it on one line", field=name))
    text = plain(value.isoformat() if isinstance(value, date | datetime) else str(value))
    return day(text) if name in ("published", "modified") and text else text


def _front_matter(text: str) -> dict[str, Any]:
    import frontmatter
    import yaml
    from frontmatter.default_handlers import YAMLHandler

    text = plain(text).strip()
    handler = frontmatter.detect_format(text, frontmatter.handlers)
    if handler is None:
        return {"text": text}
    try:
        head, body = handler.split(text)
    except ValueError:  # no second row of dashes
        return {"text": text}
    if len(head) > MAX_FRONT_MATTER:
        raise UnreadableError(Message("its front matter is longer than {size} KB", size=MAX_FRONT_MATTER // 1024))
    try:
        fields = _yaml(head) if isinstance(handler, YAMLHandler) else handler.load(head)
    except RecursionError as error:
        raise UnreadableError(Message("its front matter is nested too deep")) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableError(Message("its front matter is not YAML: {why}", why=message_of(error))) from error
    if not isinstance(fields, dict) or not fields:
        return {"text": text}  # between the dashes stands no mapping but text
    return {**{str(name): value for name, value in fields.items()}, "text": body.strip()}


def _yaml(text: str) -> object:
    """By PyYAML in Python, for its C can run out of the stack; without merging, which can be made to take for ever."""
    import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
                raise yaml.YAMLError(Message("“<<” is not read here, write the values out"))

    loader = Loader(text)
    try:
        return cast(object, loader.get_single_data())
    finally:
        loader.dispose()


def _markdown_pieces(markdown: str) -> tuple[str, list[Piece]]:
    """Title (a first heading of the first rank, else empty) and the blocks."""
    from markdown_it import MarkdownIt

    title = ""
    pieces: list[Piece] = []
    within: list[BlockKind] = []
    tokens = MarkdownIt("commonmark").parse(markdown)
    for before, token in zip([None, *tokens], tokens, strict=False):
        kind = CONTAINERS.get(token.type.rpartition("_")[0])
        if kind and token.nesting > 0:
            within.append(kind)
        elif kind and token.nesting < 0:
            within.pop()
        elif token.type == "inline":
            words = "".join(
                "\n" if part.type in ("softbreak", "hardbreak") else part.content if part.type != "html_inline" else ""
                for part in token.children or ()
                if part.type != "image"
            ).strip()
            if before and before.type == "heading_open" and before.tag == "h1" and not title and not pieces:
                title = words
            elif words:
                pieces.append((within[-1] if within else "paragraph", words))
        elif token.type in ("fence", "code_block"):
            pieces.append(("paragraph", token.content.strip("\n")))
    return title, pieces
