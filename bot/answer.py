"""What an answer is made of.

Knows the shapes, and how an answer reads as text. Does not know how one is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from vectorstore import EVERYTHING, Article, Coverage, Filters, Hit, Span, Time

Support = Literal["quoted", "verified", "unverified"]
Status = Literal["answered", "partial", "not_found"]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation and the answer it got."""

    question: str
    answer_text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact quote: `article.text[start:end] == quote`, always. `number` is what `[n]` in a text points to.

    `times` are the times the quote names. `copies` are other articles that print the article's text again: they are no
    further sources.
    """

    number: int
    quote: str
    start: int
    end: int
    article: Article
    times: tuple[Time, ...] = ()
    copies: tuple[Article, ...] = ()

    @property
    def paragraph(self) -> tuple[str, str]:
        """What stands before and behind the quote in its paragraph."""
        text = self.article.text
        begin = text.rfind("\n", 0, self.start) + 1
        finish = text.find("\n", self.end)
        return text[begin : self.start], text[self.end : finish if finish >= 0 else len(text)]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A known name of the question that the sources spell in other ways: as asked, as the table has it, as quoted."""

    asked: str
    name: str
    quoted: tuple[str, ...]

    def __str__(self) -> str:
        """The same in a sentence, for people."""
        return f"{self.asked} is spelt {', '.join(self.quoted)} in the sources."


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer, without its markers; `citations` are the numbers of the quotes that prove it.

    `support`: "quoted", the sentence is the quote; "verified", a model wrote it and its quote was found and covers its
    numbers and names; "unverified", its quote was found but does not cover them.
    """

    text: str
    support: Support
    citations: tuple[int, ...]

    @property
    def marked(self) -> str:
        """The sentence with its markers."""
        return f"{self.text} {''.join(f'[{number}]' for number in self.citations)}".rstrip()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole or in the making.

    `query` is what was searched: the question, made to stand alone. `claims` are in reading order, `citations` in the
    order of their numbers, from 1. `closest` are the passages nearest to a question that was not answered, nearest
    first, numbered from 1 on their own: they are offered, they are not the answer. `notes` tell the reader what went
    otherwise than asked for, such as a model that could not be reached. `mode` is "quoting" or "writing with MODEL".
    `spellings` are the names that the sources write otherwise than the question. `filters` and `as_of` are what the
    search was restricted to.
    """

    question: str
    query: str
    status: Status
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    closest: tuple[Citation, ...]
    coverage: Coverage
    notes: tuple[str, ...]
    mode: str
    prompts: tuple[str, ...]
    spellings: tuple[Spelling, ...] = ()
    filters: Filters = EVERYTHING
    as_of: date | None = None

    @property
    def text(self) -> str:
        """The answer as plain text, with [n] where a citation belongs."""
        if self.status == "not_found":
            return f"{NOT_ANSWERED} {self.searched}"
        return " ".join(claim.marked for claim in self.claims)

    @property
    def searched(self) -> str:
        """What was searched, in a sentence."""
        return searched(self.coverage, self.filters, self.as_of)


@dataclass(frozen=True, slots=True)
class Event:
    """A step of an answer: "searched" (nothing said yet), "claim" (one more claim stands), "answer" (it is whole).

    `answer` is what there is so far; nothing in it is taken back later, except when a model fails in mid-answer: then
    the quoted answer takes its place, with a note.
    """

    kind: Literal["searched", "claim", "answer"]
    answer: Answer


NOT_ANSWERED = "The collection does not answer this."


def searched(coverage: Coverage, filters: Filters, as_of: date | None) -> str:
    """What was searched, in a sentence."""
    chosen = ", ".join(part for part in (str(filters), f"as of {as_of}" if as_of else "") if part)
    if not coverage.articles:
        return f"No article fits the filter ({chosen})." if chosen else "There are no articles in it yet."
    many = "1 article was" if coverage.articles == 1 else f"{coverage.articles:,} articles were"
    copies = f", {coverage.copies:,} of them reprints of another" if coverage.copies else ""
    chosen = f" ({chosen})" if chosen else ""
    if not coverage.oldest:
        return f"{many} searched{chosen}{copies}, without a date."
    span = f"dated {coverage.oldest}" if coverage.oldest == coverage.newest else (
        f"dated {coverage.oldest} to {coverage.newest}")  # fmt: skip
    undated = f" ({coverage.undated:,} without a date)" if coverage.undated else ""
    return f"{many} searched{chosen}{copies}, {span}{undated}."


def numbered(quotes: Sequence[tuple[Hit, Span]]) -> tuple[Citation, ...]:
    """Citations for stretches of hits, numbered from 1 in the order given."""
    return tuple(
        Citation(
            number,
            hit.article.text[span.start : span.end],
            span.start,
            span.end,
            hit.article,
            tuple(
                time
                for sentence in hit.sentences
                for time in sentence.times
                if span.start <= time.span.start and time.span.end <= span.end
            ),
            hit.copies,
        )
        for number, (hit, span) in enumerate(quotes, 1)
    )
