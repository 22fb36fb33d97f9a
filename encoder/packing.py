"""How a question and a passage become one row of tokens for the reader; training packs with the same functions.

Knows the order of the parts and their bounds in tokens. Does not know text: everything here is token numbers.

    <s> earlier questions </s> query: question </s> source </s> sentence sentence ... </s>
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from encoder.weights import Vectors

ASK, CLAIM = "query: ", "claim: "  # what stands before a question, and before a statement to be checked
TURNS = 3  # the newest earlier questions that are read
TURNS_TOKENS = 60  # of all earlier questions together
QUESTION_TOKENS = 96
SOURCE_TOKENS = 48  # of the line that says where the passage stands
WINDOW_TOKENS = 240  # of a passage's sentences; what is longer is read in several windows


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a row: tokens `start` to `end` are tokens of sentence `sentence`, from its token `offset` on."""

    sentence: int
    start: int
    end: int
    offset: int


@dataclass(frozen=True, slots=True)
class Window:
    """One row for the reader: token numbers; the first `asked` are the question's part; the sentences' pieces."""

    tokens: tuple[int, ...]
    asked: int
    pieces: tuple[Piece, ...]


def windows(
    question: Sequence[int],
    turns: Sequence[Sequence[int]],
    source: Sequence[int],
    sentences: Sequence[Sequence[int]],
    begin: int,
    end: int,
) -> list[Window]:
    """The rows in which a passage is read, in order: one for most, none for a passage without tokens.

    `question` begins with the tokens of ASK or CLAIM; `turns` are the earlier questions, oldest first. What is over the
    bounds: of the question and the source the beginning is read, of the earlier questions the newest. `begin` and `end`
    are the model's marks. A sentence is cut only where it alone is longer than a window.
    """
    earlier: list[int] = []
    for turn in reversed(turns[-TURNS:]):
        room = TURNS_TOKENS - len(earlier)
        earlier = [*turn[:room], *earlier]
    head = [begin]
    if earlier:
        head += [*earlier, end]
    head += [*question[:QUESTION_TOKENS], end]
    if source:
        head += [*source[:SOURCE_TOKENS], end]
    return [_window(head, group, end) for group in _groups(sentences)]


def arrays(rows: Sequence[Window], longest: int) -> tuple[Vectors, Vectors]:
    """Which tokens of some rows are the passage's, and how their sentences are pooled; each row has `longest` tokens.

    (rows, tokens): 0 for the question's part, 1 for the passage's and for what only fills up; and (rows, pieces,
    tokens): the mean over each piece, 0 where a row has fewer pieces than the others.
    """
    parts = np.ones((len(rows), longest), np.float32)
    pooling = np.zeros((len(rows), max(len(row.pieces) for row in rows), longest), np.float32)
    for place, row in enumerate(rows):
        parts[place, : row.asked] = 0
        for number, piece in enumerate(row.pieces):
            pooling[place, number, piece.start : piece.end] = 1 / (piece.end - piece.start)
    return parts, pooling


def _groups(sentences: Sequence[Sequence[int]]) -> Iterator[list[tuple[int, int, Sequence[int]]]]:
    """(sentence, offset, tokens) of what is read together."""
    group: list[tuple[int, int, Sequence[int]]] = []
    size = 0
    for number, sentence in enumerate(sentences):
        for offset in range(0, len(sentence), WINDOW_TOKENS):
            part = sentence[offset : offset + WINDOW_TOKENS]
            if group and size + len(part) > WINDOW_TOKENS:
                yield group
                group, size = [], 0
            group.append((number, offset, part))
            size += len(part)
    if group:
        yield group


def _window(head: list[int], group: list[tuple[int, int, Sequence[int]]], end: int) -> Window:
    tokens = list(head)
    pieces = []
    for sentence, offset, part in group:
        pieces.append(Piece(sentence, len(tokens), len(tokens) + len(part), offset))
        tokens += part
    return Window((*tokens, end), len(head), tuple(pieces))
