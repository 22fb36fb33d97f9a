"""A page's tree -> its blocks as a reader sees them, in their order.

Knows which tags part a page into blocks, and what they say a block is. Does not know which blocks are the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.formats.blocks import ASKS, Part, Piece

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from vectorstore import BlockKind

BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html"),
    *("li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead"),
    *("title", "tr", "ul"),
}
NOT_READ = {
    "head",
    "title",
    "button",
    "datalist",
    "iframe",
    "noscript",
    "object",
    "select",
    "svg",
    "textarea",
    "video",
    "audio",
}
BOLD = {"b", "strong"}
KINDS: dict[str, BlockKind] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"), "heading"),
    **dict.fromkeys(("figcaption", "caption"), "caption"),
    "li": "list item",
    "blockquote": "quotation",
    "address": "signature",
}
BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
SENTENCE_END = re.compile(r"[.!?…]['\"»”’)\]]*$")
LONGEST_HEADING = 150  # characters of a paragraph in bold that is one
LONG_CELL = 200  # characters; where most of a table's words stand in longer ones it is there for the layout
SHOWN = {"figure", "picture", "img", "iframe", "video", "audio"}  # what stands beside paragraphs and has no words
PARTS: dict[str, Part] = {"img": "picture", "iframe": "frame", "video": "video", "audio": "recording"}
DASH = re.compile(r"[-–—―]\s")


@dataclass(frozen=True, slots=True)
class Seen:
    """A block of a page: what it is and says, how much of it (0 to 1) is links, and the element that holds it."""

    kind: BlockKind
    text: str
    linked: float
    holder: HtmlElement

    @property
    def piece(self) -> Piece:
        """Its kind and words."""
        return self.kind, self.text


@dataclass(slots=True)
class _Line:
    """Words up to the next line break, and how many of their characters are linked, or bold."""

    words: str = ""
    linked: int = 0
    bold: int = 0

    def add(self, words: str, *, linked: bool, bold: bool) -> None:
        letters = len("".join(words.split()))
        self.words += words
        self.linked += letters * linked
        self.bold += letters * bold

    def goes_on_with(self, other: _Line) -> bool:
        """Whether the line behind it is the same paragraph: it begins in small letters."""
        return bool(self.words.strip()) and other.words.lstrip()[:1].islower()

    def join(self, other: _Line) -> None:
        self.words += f" {other.words}"
        self.linked += other.linked
        self.bold += other.bold


def seen_blocks(tree: HtmlElement) -> list[Seen]:
    """All blocks of a page from which what is not seen was removed; line breaks part blocks too."""
    from lxml.etree import iterwalk

    walk = iterwalk(tree, events=("start", "end"))
    found: list[Seen] = []
    holders = [tree]
    lines, inside = [_Line()], {"a": 0, "bold": 0, "pre": 0}

    def close() -> None:
        found.extend(_closed(lines, holders[-1]))
        lines[:] = [_Line()]

    def add(words: str | None) -> None:
        if words:
            parts = BLANK_LINE.split(words) if inside["pre"] else [words]
            for place, part in enumerate(parts):
                if place:
                    lines.append(_Line())
                lines[-1].add(re.sub(r"\s+", " ", part), linked=inside["a"] > 0, bold=inside["bold"] > 0)

    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        name = "a" if tag == "a" else "bold" if tag in BOLD else "pre" if tag == "pre" else ""
        if event == "start":
            if tag in BLOCKS:
                close()
                holders.append(element)
            if name:
                inside[name] += 1
            if tag == "table" and _holds_data(element):
                found += _rows(element)
                walk.skip_subtree()
            elif tag in NOT_READ or not tag:
                walk.skip_subtree()
            elif tag == "br":
                lines.append(_Line())
            else:
                add(element.text)
        else:
            if tag in BLOCKS:
                close()
                holders.pop()
            if name:
                inside[name] -= 1
            add(element.tail)
    close()
    return found


def _closed(lines: Sequence[_Line], holder: HtmlElement) -> Iterator[Seen]:
    kind = _kind(holder)
    whole: list[_Line] = []
    for line in lines:
        if whole and (whole[-1].goes_on_with(line) or kind == "heading"):
            whole[-1].join(line)
        else:
            whole.append(line)
    for line in whole:
        words = " ".join(line.words.split())
        if letters := len("".join(words.split())):
            yield Seen(
                _shown_kind(kind, words, bold=line.bold * 10 >= letters * 9), words, line.linked / letters, holder
            )


def _kind(holder: HtmlElement) -> BlockKind:
    for element in (holder, *holder.iterancestors()):
        if element.tag in KINDS:
            return KINDS[element.tag]
        if element.tag in ("article", "section", "td", "main", "body"):
            break
    return "paragraph"


def _shown_kind(kind: BlockKind, words: str, *, bold: bool) -> BlockKind:
    """A paragraph in bold is a question or a heading, if it reads like one; so is one of two who talk in turns."""
    if kind == "paragraph" and ASKS.search(words) and (bold or DASH.match(words)):
        return "question"
    if kind == "paragraph" and bold and len(words) <= LONGEST_HEADING and not SENTENCE_END.search(words):
        return "heading"
    return kind


def unread_parts(blocks: Sequence[Seen]) -> dict[Part, int]:
    """How many pictures, frames and the like stand among these blocks, in an element that holds one of them."""
    holders = {id(block.holder): block.holder for block in blocks}
    around = {id(parent): parent for holder in holders.values() if (parent := holder.getparent()) is not None}
    inside = [
        element
        for parent in around.values()
        for child in parent
        if child.tag in SHOWN or id(child) in holders
        for element in child.iter("img", "iframe", "video", "audio")
    ]
    kinds = [PARTS[part.tag] for part in {id(part): part for part in inside}.values()]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _holds_data(table: HtmlElement) -> bool:
    """Whether a table shows data in rows and columns, and is not there for the layout of the page."""
    if table.find(".//table") is not None or table.get("role") == "presentation":
        return False
    rows = [row.xpath("./td|./th") for row in table.iter("tr")]
    if sum(len(cells) > 1 for cells in rows) < 2:
        return False
    if any(cell.find(".//h1") is not None or len(cell.findall(".//p")) > 1 for cells in rows for cell in cells):
        return False
    lengths = [len(" ".join(cell.text_content().split())) for cells in rows for cell in cells]
    return sum(length for length in lengths if length > LONG_CELL) * 2 <= sum(lengths)


def _rows(table: HtmlElement) -> Iterator[Seen]:
    for caption in table.iter("caption"):
        if words := " ".join(caption.text_content().split()):
            yield Seen("caption", words, 0.0, table)
    rows = [[" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")] for row in table.iter("tr")]
    heads = [bool(row.xpath("./th")) and not row.xpath("./td") for row in table.iter("tr")]
    for place, cells in enumerate(rows):
        is_head = heads[place] or (place == 0 and names_columns(rows))
        if any(cells):
            yield Seen("heading" if is_head else "table row", row_words(cells), 0.0, table)


def names_columns(rows: list[list[str]]) -> bool:
    """Whether the first row of a table says what its columns hold: it has no number, and a later one has."""
    return (
        len(rows) > 1
        and not re.search(r"\d", "".join(rows[0]))
        and any(re.search(r"\d", "".join(row)) for row in rows[1:])
    )


def row_words(cells: list[str]) -> str:
    """A row as one line."""
    return " | ".join(words for cell in cells if (words := " ".join(cell.split())))
