"""Pieces of a document, each with its kind -> one text, and the blocks in it.

Knows how blocks are set apart, and which of them ask and which answer. Does not know file formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Literal, TypeAlias

from ingest.document import BlockPlace
from ingest.formats.decoding import plain
from language import EMPTY, Message

if TYPE_CHECKING:
    from vectorstore import BlockKind

Piece: TypeAlias = "tuple[BlockKind, str]"
Part = Literal["picture", "frame", "video", "recording", "attachment", "comment", "note"]  # what is not text
ASKS = re.compile(r"\?[\"'»”’)\]]*$")
# a clock time, with its day before or behind it or none: what stands over an update
CLOCK = re.compile(
    r"(?:[^\d:]{0,20}\d{1,2}\.? ?[^\W\d_]{3,12}\.?(?: \d{4})?,? ?)?\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\.?)?\b", re.I
)
FEWEST_UPDATES = 2
COUNTED: dict[Part, Callable[[int], Message]] = {
    "picture": lambda count: Message.many("{count} picture", "{count} pictures", count=count),
    "frame": lambda count: Message.many("{count} frame", "{count} frames", count=count),
    "video": lambda count: Message.many("{count} video", "{count} videos", count=count),
    "recording": lambda count: Message.many("{count} recording", "{count} recordings", count=count),
    "attachment": lambda count: Message.many("{count} attachment", "{count} attachments", count=count),
    "comment": lambda count: Message.many("{count} comment", "{count} comments", count=count),
    "note": lambda count: Message.many("{count} note", "{count} notes", count=count),
}


def joined(pieces: Iterable[Piece]) -> tuple[str, tuple[BlockPlace, ...]]:
    """The text, its blocks a blank line apart, and where they are in it; blank pieces are left out."""
    kept: list[str] = []
    blocks: list[BlockPlace] = []
    start = 0
    for kind, words in pieces:
        words = plain(words).strip()
        if words:
            blocks.append((kind, start, start + len(words)))
            kept.append(words)
            start += len(words) + 2
    return "\n\n".join(kept), tuple(blocks)


def counted(parts: Mapping[Part, int]) -> Message:
    """What a document holds and its text does not, in words: "2 pictures, 1 comment"; empty if there is none of it."""
    counts = [COUNTED[part](count) for part, count in parts.items() if count]
    return reduce(lambda first, more: Message("{first}, {more}", first=first, more=more), counts or [EMPTY])


def repeats(title: str, words: str) -> bool:
    """Whether words say no more than a title, or a part of it."""
    title_words, shown = (re.findall(r"\w+", text.casefold()) for text in (title, words))
    return any(title_words[place : place + len(shown)] == shown for place in range(len(title_words)))


def questions_and_updates(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, with those that ask and answer, and those of a live blog, named so."""
    return _updates(_answers(pieces))


def _answers(pieces: Sequence[Piece]) -> list[Piece]:
    """What stands under a question up to the next heading answers it."""
    apart: list[Piece] = []
    asked = False
    for kind, words in pieces:
        if kind == "heading" and ASKS.search(words):
            kind = "question"
        if kind in ("question", "heading"):
            asked = kind == "question"
        elif asked and kind in ("paragraph", "list item"):
            kind = "answer"
        apart.append((kind, words))
    return apart


def _updates(pieces: Sequence[Piece]) -> list[Piece]:
    """Where clock times stand over paragraphs again and again, each is a heading, and what follows its update."""
    clocks = [at for at, (kind, words) in enumerate(pieces) if CLOCK.fullmatch(words) and kind != "table row"]
    if sum(at + 1 not in clocks for at in clocks) < FEWEST_UPDATES:
        return list(pieces)
    apart: list[Piece] = []
    for at, (kind, words) in enumerate(pieces):
        if at in clocks:
            kind = "heading"
        elif at > clocks[0] and kind in ("paragraph", "answer"):
            kind = "update"
        apart.append((kind, words))
    return apart
