"""The body of a Word file or an OpenDocument text -> its blocks, and what of it is left out.

Knows the elements and styles of both. Does not know the archives that they are packed in, or their properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.formats.blocks import Piece, counted
from ingest.formats.page_blocks import names_columns, row_words
from language import Message

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectorstore import BlockKind

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
# what a reader does not see, or what is not the text itself
WORD_LEFT_OUT = {FALLBACK, *(WORD + name for name in ("del", "moveFrom", "commentReference", "footnoteReference"))}
ODT_LEFT_OUT = {
    *(OFFICE + name for name in ("annotation", "annotation-end", "forms")),
    *(TEXT + name for name in ("tracked-changes", "note", "bibliography-configuration", "sequence-decls")),
}
# what is said in the name of a style
STYLES: dict[str, BlockKind] = {
    **dict.fromkeys(("heading", "title"), "heading"),
    "caption": "caption",
    "quot": "quotation",
    "list": "list item",
    "signature": "signature",
}


def word_left_out(body: Element) -> Message:
    """What a Word file holds and its text does not, counted."""
    return counted(
        {
            "picture": sum(1 for _ in body.iter(WORD + "drawing", WORD + "pict")),
            "comment": sum(1 for _ in body.iter(WORD + "commentReference")),
            "note": sum(1 for _ in body.iter(WORD + "footnoteReference", WORD + "endnoteReference")),
        }
    )


def odt_left_out(body: Element) -> Message:
    """The same of an OpenDocument text."""
    return counted(
        {
            "picture": sum(1 for _ in body.iter(DRAW + "image")),
            "comment": sum(1 for _ in body.iter(OFFICE + "annotation")),
            "note": sum(1 for _ in body.iter(TEXT + "note")),
        }
    )


@dataclass(frozen=True, slots=True)
class OfficeBlock:
    """A block, and whether it is a heading of the first rank or a title."""

    kind: BlockKind
    words: str
    is_title: bool = False

    @property
    def piece(self) -> Piece:
        """Its kind and words."""
        return self.kind, self.words


def word_blocks(body: Element, styles: dict[str, str]) -> Iterator[OfficeBlock]:
    """Each paragraph, and each row of a table."""
    for part in _parts(body, {WORD + "p", WORD + "tbl"}, WORD_LEFT_OUT):
        if part.tag == WORD + "tbl":
            rows = _parts(part, {WORD + "tr"}, WORD_LEFT_OUT)
            yield from _table([[*map(_word_words, _parts(row, {WORD + "tc"}, WORD_LEFT_OUT))] for row in rows])
            continue
        found = part.find(f"{WORD}pPr/{WORD}pStyle")
        style = styles.get(found.get(WORD + "val", ""), "") if found is not None else ""
        listed = part.find(f"{WORD}pPr/{WORD}numPr") is not None
        yield OfficeBlock(
            _styled("List" if listed and not style.startswith("Heading") else style),
            _word_words(part).strip(),
            style in ("Title", "Heading 1"),
        )


def _styled(style: str) -> BlockKind:
    """What a paragraph of a style is, by the English names that such styles are stored under."""
    return next((kind for name, kind in STYLES.items() if name in style.lower()), "paragraph")


def _table(rows: list[list[str]]) -> Iterator[OfficeBlock]:
    heads = names_columns(rows)
    for place, cells in enumerate(rows):
        yield OfficeBlock("heading" if heads and place == 0 else "table row", row_words(cells))


def _parts(top: Element, tags: set[str], left_out: set[str]) -> Iterator[Element]:
    """The outermost elements of these names, in their order."""
    stack = [*reversed(top)]
    while stack:
        element = stack.pop()
        if element.tag in tags:
            yield element
        elif element.tag not in left_out:
            stack.extend(reversed(element))


def _word_words(top: Element) -> str:
    words: list[str] = []
    stack = [top]
    while stack:
        element = stack.pop()
        tag = element.tag
        if tag == WORD + "t":
            words.append(element.text or "")
        elif tag in (WORD + "tab", WORD + "ptab"):
            words.append("\t")
        elif tag in (WORD + "br", WORD + "cr"):
            words.append("\n")
        elif tag == WORD + "noBreakHyphen":
            words.append("-")
        elif tag == WORD + "r" and _hidden(element):
            continue
        elif tag not in WORD_LEFT_OUT and not (isinstance(tag, str) and tag.endswith("Pr")):
            if tag == WORD + "p" and element is not top and words and words[-1] != "\n":
                words.append("\n")
            stack.extend(reversed(element))
    return "".join(words)


def _hidden(run: Element) -> bool:
    mark = run.find(f"{WORD}rPr/{WORD}vanish")
    return mark is not None and mark.get(WORD + "val", "true") not in ("0", "false", "off")


def odt_blocks(body: Element) -> Iterator[OfficeBlock]:
    """Each heading, paragraph, item of a list and row."""
    for part in _parts(body, {TEXT + "h", TEXT + "p", TEXT + "list", TABLE + "table"}, ODT_LEFT_OUT):
        if part.tag == TABLE + "table":
            rows = _parts(part, {TABLE + "table-row"}, ODT_LEFT_OUT)
            yield from _table([[*map(_odt_cell, _parts(row, {TABLE + "table-cell"}, ODT_LEFT_OUT))] for row in rows])
        elif part.tag == TEXT + "list":
            for item in _parts(part, {TEXT + "p", TEXT + "h"}, ODT_LEFT_OUT):
                yield OfficeBlock("heading" if item.tag == TEXT + "h" else "list item", _odt_words(item).strip())
        else:
            first = part.tag == TEXT + "h" and part.get(TEXT + "outline-level", "1") == "1"
            style = part.get(TEXT + "style-name") or ""
            kind = "heading" if part.tag == TEXT + "h" else _styled(style.replace("_20_", " "))
            yield OfficeBlock(kind, _odt_words(part).strip(), first or style == "Title")


def _odt_cell(cell: Element) -> str:
    return "\n".join(map(_odt_words, _parts(cell, {TEXT + "p", TEXT + "h"}, ODT_LEFT_OUT)))


def _odt_words(top: Element) -> str:
    words: list[str] = []
    stack: list[Element | str] = [top]
    while stack:
        element = stack.pop()
        if isinstance(element, str):
            words.append(element)
            continue
        tag = element.tag
        if element is not top and element.tail:
            stack.append(_spaces(element.tail))
        if tag == TEXT + "s":
            count = element.get(TEXT + "c", "1")
            words.append(" " * min(int(count) if count.isdecimal() else 1, 100))
        elif tag == TEXT + "tab":
            words.append("\t")
        elif tag == TEXT + "line-break":
            words.append("\n")
        elif tag not in ODT_LEFT_OUT and isinstance(tag, str):
            stack.extend(reversed(element))
            if element.text:
                stack.append(_spaces(element.text))
    return "".join(words)


def _spaces(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text)
