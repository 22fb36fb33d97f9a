"""The blocks of an article: those that blank lines make, those that are stored, and those that tell of another.

Knows how blocks stand to each other, and how an article with its blocks is a row. Does not know file formats, or how a
block is cut into sentences.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

from vectorstore.article import Article, Block, Span

BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
# the columns of `version` that hold the fields of an `Article`, in their order
ARTICLE = "article, number, source, title, url, publisher, published, lang, note, text, sha256, added, blocks"


def text_blocks(text: str) -> tuple[Block, ...]:
    """The paragraphs of plain text, which blank lines part; empty if it is blank."""
    blocks = []
    start = 0
    for end, after in [*(found.span() for found in BLANK_LINE.finditer(text)), (len(text), len(text))]:
        words = text[start:end]
        if words.strip():
            begin = start + len(words) - len(words.lstrip())
            blocks.append(Block("paragraph", begin, begin + len(words.strip())))
        start = after
    return tuple(blocks)


def article_in(row: Sequence[Any]) -> Article:
    """The article in the columns that `ARTICLE` names."""
    *fields, kept = row
    article = Article(*fields)
    return replace(article, blocks=restored(article.text, kept))


def article_row(article: Article) -> tuple[Any, ...]:
    """An article's values for the columns that `ARTICLE` names."""
    *fields, _ = astuple(article)
    return (*fields, stored(article))


def stored(article: Article) -> str:
    """An article's blocks as the library keeps them: empty where blank lines make the same."""
    if not article.blocks or article.blocks == text_blocks(article.text):
        return ""
    return json.dumps([astuple(block) for block in article.blocks], separators=(",", ":"))


def restored(text: str, kept: str) -> tuple[Block, ...]:
    """The blocks of a text from what `stored` gave."""
    return tuple(Block(*block) for block in json.loads(kept)) if kept else text_blocks(text)


def context(article: Article, start: int) -> tuple[Span, ...]:
    """What must be known to understand what stands at a place, in reading order: spans of other blocks, before it.

    The headings next above it, of a table the row that names the columns, in an interview the question. Empty if there
    is none; a heading that is the article's title is none.
    """
    blocks = article.blocks
    place = next((at for at, block in enumerate(blocks) if block.start <= start < block.end), -1)
    if place < 0 or blocks[place].kind in ("heading", "caption"):
        return ()
    around: list[Block] = []
    if blocks[place].kind == "answer":
        asked = _last(blocks, place, "question")
        around = _run(blocks, asked)
    around = [*_run(blocks, _last(blocks, place, "heading")), *around]
    return tuple(
        Span(block.start, block.end) for block in around if _words(article, block) != article.title.casefold().split()
    )


def _last(blocks: Sequence[Block], place: int, kind: str) -> int:
    return next((at for at in range(place - 1, -1, -1) if blocks[at].kind == kind), -1)


def _run(blocks: Sequence[Block], last: int) -> list[Block]:
    """The blocks of one kind that stand together and end at a place; none for -1."""
    first = last
    while first > 0 and blocks[first - 1].kind == blocks[last].kind:
        first -= 1
    return list(blocks[first : last + 1]) if last >= 0 else []


def _words(article: Article, block: Block) -> list[str]:
    return article.text[block.start : block.end].casefold().split()
