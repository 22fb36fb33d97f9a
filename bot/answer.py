"""What an answer is made of.

Knows the shapes, and how an answer reads as text. Does not know how one is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from language import Message
from vectorstore import EVERYTHING, Article, Coverage, Filters, Hit, Span, Time, context

Support = Literal["quoted", "verified", "partly", "unverified"]
Status = Literal["answered", "partial", "not_found"]
Verdict = Literal["yes", "no"]
Kind = Literal["state media", "news agency", "media", "rights group", "government", "opposition", "anonymous", "other"]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation and the answer it got."""

    question: str
    answer_text: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Who says what a quote tells, as the article has it: a speaker by the words of the text, and what kind of source.

    `direct` says that the quote holds the speaker's own words between quotation marks. A quote without a voice is told
    by the article itself.
    """

    speaker: str
    kind: Kind
    direct: bool

    def __str__(self) -> str:
        """The voice in words, for people."""
        kind = "" if self.kind == "other" else f" ({self.kind})"
        speaker = f"the {self.speaker[4:]}" if self.speaker.startswith("The ") else self.speaker
        return f"{'in the words of' if self.direct else 'according to'} {speaker}{kind}"


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact quote: `article.text[start:end] == quote`, always. `number` is what `[n]` in a text points to.

    `times` are the times the quote names. `copies` are other articles that print the article's text again: they are no
    further sources. `voices` are those who say what it tells, the one nearest to the matter first; `publisher_kind` is
    what kind of source printed it. `corrected` is the day (ISO 8601) on which the article's text last changed since it
    was first taken in; empty if it never did. `context` are the stretches of the article that a reader of the
    quote must see with it: the headings over it, the heads of its table's columns, the question that it answers.
    """

    number: int
    quote: str
    start: int
    end: int
    article: Article
    times: tuple[Time, ...] = ()
    copies: tuple[Article, ...] = ()
    voices: tuple[Voice, ...] = ()
    publisher_kind: Kind = "other"
    corrected: str = ""
    context: tuple[Span, ...] = ()

    @property
    def told_before(self) -> tuple[str, ...]:
        """The words of the context, a stretch each."""
        return tuple(" ".join(self.article.text[one.start : one.end].split()) for one in self.context)

    @property
    def link(self) -> str:
        """The citation's own address on the page: it shows this very text, whatever the article says later."""
        return f"/source/{self.article.id}/{self.article.version}#{self.start}-{self.end}"

    @property
    def paragraph(self) -> tuple[str, str]:
        """What stands before and behind the quote in its paragraph."""
        text = self.article.text
        begin = text.rfind("\n", 0, self.start) + 1
        finish = text.find("\n", self.end)
        return text[begin : self.start], text[self.end : finish if finish >= 0 else len(text)]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A known name that is spelt in several ways: as asked, as the table has it, as the sources quoted spell it.

    `also` are its other spellings in the question itself.
    """

    asked: str
    name: str
    quoted: tuple[str, ...]
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The same in sentences, for people."""
        return " ".join(part for part in (self.same, self.elsewhere) if part)

    @property
    def same(self) -> str:
        """That the question's spellings are of one name, in a sentence; empty if it has but one."""
        spellings = " and ".join((self.asked, *self.also))
        return f"{spellings} are spellings of the same name, {self.name}." if self.also else ""

    @property
    def elsewhere(self) -> str:
        """How the sources spell it, in a sentence; empty if no other way."""
        return f"{self.asked} is spelt {', '.join(self.quoted)} in the sources." if self.quoted else ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer, without its markers; `citations` are the numbers of the quotes that prove it.

    `support`: "quoted", the sentence is the quote; "verified", a model wrote it, and its quotes were found, cover its
    numbers, dates, names and quoted words, and prove it in the reader's eyes; "partly", the same, but the second check
    found only a part of it in them; "unverified", they do not prove it: it is shown only if that is asked for, and
    `doubts` say why. `likely` is the reader's probability, 0 to 1: of a quote that it answers, of what a model wrote
    that its quotes prove it; None where nothing was read.
    """

    text: str
    support: Support
    citations: tuple[int, ...]
    doubts: tuple[Message, ...] = ()
    likely: float | None = None

    @property
    def marked(self) -> str:
        """The sentence with its markers."""
        return f"{self.text} {''.join(f'[{number}]' for number in self.citations)}".rstrip()


@dataclass(frozen=True, slots=True)
class Account:
    """One of several accounts of the same thing: the value that differs, as quoted, and its citations, oldest first.

    `corrects`: its article is of a later day, and says that it puts an earlier report right.
    """

    value: str
    citations: tuple[int, ...]
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A thing of which the sources give different accounts, at least two; `about` says in which: "number" or "date"."""

    about: Literal["number", "date"]
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class Short:
    """The short answer: `text` is characters `start` to `end` of the quote of the citation with that number, always."""

    text: str
    citation: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole or in the making.

    `status`: "answered"; "partial", the articles tell of it, but not all that was asked; "not_found". `missing` says
    what they do not tell. `disagreements` are what the sources differ in.

    `query` is what was searched: the question, made to stand alone. `claims` are in reading order, `citations` in the
    order of their numbers, from 1. `closest` are the passages nearest to a question that was not answered, nearest
    first, numbered from 1 on their own: they are offered, they are not the answer. `notes` tell the reader what went
    otherwise than asked for, such as a model that could not be reached. `mode` is "quoting" or "writing with MODEL".
    `spellings` are the names that the sources write otherwise than the question. `filters` and `as_of` are what the
    search was restricted to. `embedding` names the model that made the vectors, `made` is the time of the answer (ISO
    8601, UTC). `short` is the short answer, None where there is none or where sources differ; `verdict` is that of a
    yes-or-no question, None for others and where the articles do not settle it. Neither is a part of `text`. `corrects`
    says that the question takes something wrong for granted, and that the first quote puts it right. `read` is how many
    passages were read, `reader` names the model that read them, `likely` is its probability, 0 to 1, that any of them
    answers; None where nothing was read.
    """

    question: str
    query: str
    status: Status
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    closest: tuple[Citation, ...]
    coverage: Coverage
    notes: tuple[Message, ...]
    mode: str
    prompts: tuple[str, ...]
    spellings: tuple[Spelling, ...] = ()
    filters: Filters = EVERYTHING
    as_of: date | None = None
    missing: tuple[Message, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    embedding: str = ""
    made: str = ""
    short: Short | None = None
    verdict: Verdict | None = None
    corrects: bool = False
    read: int = 0
    reader: str = ""
    likely: float | None = None

    @property
    def text(self) -> str:
        """The answer as plain text, with [n] where a citation belongs."""
        if self.status == "not_found":
            return " ".join([NOT_ANSWERED, *self.remarks, self.searched])
        claims = [f"{claim.marked}{f' ({said})' if (said := self.said_by(claim)) else ''}" for claim in self.claims]
        return " ".join([*claims, *self.remarks])

    def said_by(self, claim: Claim) -> str:
        """Who says a quoted claim and when, in words: "according to Coale (government), 2025-12-13"; see `tellers`."""
        voices, dates = self.tellers(claim)
        return ", ".join([*map(str, voices), *(day or "no date" for day in dates)])

    def tellers(self, claim: Claim) -> tuple[list[Voice], list[str]]:
        """Who says what a quoted claim tells, where its words do not name them, and its dates, where dates differ.

        Nothing where the quote says all; a date that is not known is empty.
        """
        cited = [one for one in self.citations if claim.support == "quoted" and one.number in claim.citations]
        said = [voice for one in cited for voice in one.voices if voice.speaker not in one.quote]
        months = {one.article.published[:MONTH] for one in self.citations}
        return said, list(dict.fromkeys(one.article.published for one in cited)) if len(months) > 1 else []

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is said beside the quotes: where they differ, what they leave open, which names are the same."""
        same = (one.same for one in self.spellings if one.also)
        return (*map(self.told, self.disagreements), *self.missing, *same)

    def told(self, disagreement: Disagreement) -> str:
        """A disagreement in a sentence, for people."""
        dates = {one.number: one.article.published for one in self.citations}
        sides = [
            f"{account.value} {''.join(f'[{number}]' for number in account.citations)}"
            f"{f' ({day})' if (day := max((dates[number] for number in account.citations), default='')) else ''}"
            f"{', which says that it corrects an earlier report' if account.corrects else ''}"
            for account in disagreement.accounts
        ]
        return f"The sources differ in the {disagreement.about}: {', '.join(sides[:-1])} and {sides[-1]}."

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


MONTH = len("2025-12")
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
            context=context(hit.article, span.start),
        )
        for number, (hit, span) in enumerate(quotes, 1)
    )
