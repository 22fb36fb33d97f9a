"""What is known: articles, their passages and sentences, and a search hit.

Knows the shapes every room speaks of. Does not know where they are stored, how they are found or what they answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from language import EMPTY, Message

Vector = NDArray[np.float32]  # or a matrix of vectors, a row each
BlockKind = Literal[
    "heading",
    "paragraph",
    "list item",
    "caption",
    "table row",
    "quotation",
    "signature",
    "update",
    "question",
    "answer",
]
NEVER_QUOTED: frozenset[BlockKind] = frozenset(("heading", "caption", "question"))  # what tells of other blocks


@dataclass(frozen=True, slots=True)
class Block:
    """Characters `start` to `end` of an article's text (end exclusive) that its author set apart, and what they are.

    A heading is also the row of a table that names its columns, and the time over an update.
    """

    kind: BlockKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One version of one article, as it was ingested; its text never changes afterwards.

    `id` stays the same over all versions; `version` counts from 1. `published` is an ISO 8601 date as exact as it is
    known ("2025-12-13", "2025-12", "2025"). An empty string in `title`, `url`, `publisher`, `published`, `lang` or
    `note` means that it is not known; nothing is guessed. `source` is the file or address the text came from, `note`
    what a reader must know of it ("digest"), `ingested_at` the time of ingest (ISO 8601, UTC), `sha256` the digest of
    `text` in UTF-8. `blocks` are the parts that its author set apart, in reading order; every character that is not
    white space is in one. Empty only for an article that is in no library.
    """

    id: str
    version: int
    source: str
    title: str
    url: str
    publisher: str
    published: str
    lang: str
    note: str
    text: str
    sha256: str
    ingested_at: str
    blocks: tuple[Block, ...] = ()

    def block(self, position: int) -> Block | None:
        """The block that a character is in; None where there is none."""
        return block_at(self.blocks, position)

    @property
    def name(self) -> str:
        """What to call the article where it has no title: its address or file."""
        return self.title or self.url or self.source.replace("\\", "/").rsplit("/", 1)[-1]


def block_at(blocks: Sequence[Block], position: int) -> Block | None:
    """The one of an article's blocks that a character is in; None where there is none."""
    place = bisect_right(blocks, position, key=lambda block: block.start) - 1
    return blocks[place] if place >= 0 and position < blocks[place].end else None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one version of an article comes from; what is not known is empty.

    `address` was asked for, `final` answered after the redirects, at the time `fetched` (ISO 8601, UTC), with the
    headers `etag` and `last_modified`; all five are empty for a file. `raw_sha256` and `raw_bytes` are digest and
    length of the document's bytes, `extractor` the program that read them, with its version. `author`, `modified`
    (ISO 8601, as exact as known) and `licence` are what the document states. `made` is the day on which the file was
    made, as it says itself, and `left_out` says which of its parts were not ingested ("2 pictures, 1 comment").
    """

    address: str = ""
    final: str = ""
    fetched: str = ""
    etag: str = ""
    last_modified: str = ""
    raw_sha256: str = ""
    raw_bytes: int = 0
    extractor: str = ""
    author: str = ""
    modified: str = ""
    licence: str = ""
    made: str = ""
    left_out: Message = EMPTY


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of an article's text (Python indices, end exclusive)."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Whether the two have a character in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class TimeReference:
    """A time that an article's text speaks of: `start_date` to `end_date` are its days, both in it.

    `span` are the words that name it ("on Saturday"). `inferred` says that they do not name it in full, so that it was
    inferred from the date of publication. It is the time of what it describes, never that of publication.
    """

    span: Span
    start_date: date
    end_date: date
    inferred: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one article, in reading order, and the times they name: what is searched."""

    span: Span
    sentences: tuple[Span, ...]
    times: tuple[TimeReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit.

    `cosine` (-1 to 1) is its likeness to the query. `times` are the times it names. `names` are the known names in it
    (see `NameTable`). `kind` is that of its block.
    """

    span: Span
    cosine: float
    times: tuple[TimeReference, ...] = ()
    names: frozenset[str] = frozenset()
    kind: BlockKind = "paragraph"

    @property
    def quotable(self) -> bool:
        """Whether it says something by itself; else it only tells of other blocks, as a heading does."""
        return self.kind not in NEVER_QUOTED


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query, best first in every list of them.

    `score` is the fused score the list is ordered by (no unit). `cosine` is the likeness of the passage's vector to
    the query's (-1 to 1). `sentences` are the passage's, in reading order. `reprints` are the other articles that print
    the article's text again, oldest first: together with it they are one source.
    """

    article: Article
    span: Span
    score: float
    cosine: float
    sentences: tuple[Sentence, ...]
    reprints: tuple[Article, ...] = ()

    @property
    def text(self) -> str:
        """The passage, word for word."""
        return self.article.text[self.span.start : self.span.end]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles to search; what is empty or None does not restrict.

    `publishers` and `languages` (ISO 639-1) hold where they are equal to one of the article's, `articles` are ids.
    `published_from` and `published_to` are days, both in the range; an article whose date is known less exactly is in
    it if it may be, one without a date is not.
    """

    publishers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    published_from: date | None = None
    published_to: date | None = None


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there was to search: the number of live articles and the dates of the oldest and newest of them.

    `reprints` of them print another's text again. The dates are ISO 8601, as exact as known, and empty when no article
    has one; `undated` counts those without.
    """

    articles: int
    reprints: int
    oldest: str
    newest: str
    undated: int


@dataclass(frozen=True, slots=True)
class Facet:
    """Something articles can be filtered by, what to call it, and how many articles have it."""

    value: str
    name: str
    articles: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What `Filters` can name: publishers and languages, the most frequent first, and the newest articles."""

    publishers: tuple[Facet, ...]
    languages: tuple[Facet, ...]
    articles: tuple[Facet, ...]
