"""What an answer is made of.

Knows the shapes, and how an answer reads as text. Does not know how one is found, nor how it is shown: see `render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Literal

from language import Message, verbatim
from vectorstore import NO_FILTERS, Article, Coverage, Filters, Hit, Span, TimeReference, context

Support = Literal["quoted", "verified", "partly", "unverified"]
Status = Literal["answered", "partial", "not_found"]
Verdict = Literal["yes", "no"]
SourceKind = Literal[
    "state media", "news agency", "media", "rights group", "government", "opposition", "anonymous", "other"
]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation and the answer it got."""

    question: str
    answer_text: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says what a quote tells, as the article has it: a speaker by the words of the text, and what kind of source.

    `is_direct_quote` says that the quote holds the speaker's own words between quotation marks. A quote without a
    speaker is told by the article itself.
    """

    speaker: str
    kind: SourceKind
    is_direct_quote: bool


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact quote: `article.text[start:end] == quote`, always. `number` is what `[n]` in a text points to.

    `times` are the times the quote names. `reprints` are other articles that print the article's text again: they are
    no further sources. `speakers` are those who say what it tells, the one nearest to the matter first;
    `publisher_kind` is what kind of source printed it. `corrected_on` is the day (ISO 8601) on which the article's text
    last changed since it was first ingested; empty if it never did. `context` are the stretches of the article that a
    reader of the quote must see with it: the headings over it, the heads of its table's columns, the question that it
    answers.
    """

    number: int
    quote: str
    start: int
    end: int
    article: Article
    times: tuple[TimeReference, ...] = ()
    reprints: tuple[Article, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    publisher_kind: SourceKind = "other"
    corrected_on: str = ""
    context: tuple[Span, ...] = ()

    @property
    def context_texts(self) -> tuple[str, ...]:
        """The words of the context, a stretch each."""
        return tuple(" ".join(self.article.text[span.start : span.end].split()) for span in self.context)

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
class NameVariants:
    """A known name that is spelt in several ways: as asked, as the table has it, as the sources quoted spell it.

    `also_asked` are its other spellings in the question itself.
    """

    asked: str
    name: str
    in_sources: tuple[str, ...]
    also_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer, without its markers; `citations` are the numbers of the quotes that prove it.

    `support`: "quoted", the sentence is the quote; "verified", a model wrote it, and its quotes were found, cover its
    numbers, dates, names and quoted words, and prove it in the reader's eyes; "partly", the same, but the second check
    found only a part of it in them; "unverified", they do not prove it: it is shown only if that is asked for, and
    `issues` say why. `probability` is the reader's probability, 0 to 1: of a quote that it answers, of what a model
    wrote that its quotes prove it; None where nothing was read.
    """

    text: str
    support: Support
    citations: tuple[int, ...]
    issues: tuple[Message, ...] = ()
    probability: float | None = None

    @property
    def text_with_markers(self) -> str:
        """The sentence with its markers."""
        return f"{self.text} {''.join(f'[{number}]' for number in self.citations)}".rstrip()


@dataclass(frozen=True, slots=True)
class ReportedValue:
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
    values: tuple[ReportedValue, ...]


@dataclass(frozen=True, slots=True)
class ShortAnswer:
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
    order of their numbers, from 1. `closest_passages` are the passages nearest to a question that was not answered,
    nearest first, numbered from 1 on their own: they are offered, they are not the answer. `notes` tell the reader what
    went otherwise than asked for, such as a model that could not be reached. `model` is the chat model that wrote it,
    empty where it quotes. `name_variants` are the names that the sources write otherwise than the question. `filters`
    and `as_of` are what the search was restricted to. `embedding_model` names the model that made the vectors,
    `created_at` is the time of the answer (ISO 8601, UTC). `short` is the short answer, None where there is none or
    where sources differ; `verdict` is that of a yes-or-no question, None for others and where the articles do not
    settle it. Neither is a part of `text`. `corrects` says that the question takes something wrong for granted, and
    that the first quote puts it right. `passages_read` is how many passages were read, `reader` names the model that
    read them, `probability` is its probability, 0 to 1, that any of them answers; None where nothing was read.
    """

    question: str
    query: str
    status: Status
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    closest_passages: tuple[Citation, ...]
    coverage: Coverage
    notes: tuple[Message, ...]
    model: str
    prompts: tuple[str, ...]
    name_variants: tuple[NameVariants, ...] = ()
    filters: Filters = NO_FILTERS
    as_of: date | None = None
    missing: tuple[Message, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    embedding_model: str = ""
    created_at: str = ""
    short: ShortAnswer | None = None
    verdict: Verdict | None = None
    corrects: bool = False
    passages_read: int = 0
    reader: str = ""
    probability: float | None = None

    @property
    def text(self) -> str:
        """The answer as plain text, with [n] where a citation belongs; bundles are verified by its very words."""
        refused = self.status == "not_found"
        attributed = [
            (claim.text_with_markers, attribution_text(*attribution(claim, self.citations)))
            for claim in self.claims
            if not refused
        ]
        parts = [f"{marked} ({report})" if report else marked for marked, report in attributed]
        parts += [_disagreement_text(disagreement, self.citations) for disagreement in self.disagreements]
        parts += [*self.missing, *filter(None, map(name_variants_text, self.name_variants))]
        return " ".join([NOT_ANSWERED, *parts, coverage_text(self)] if refused else parts)


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """A step of an answer: "searched" (nothing said yet), "claim" (one more claim stands), "answer" (it is whole).

    `answer` is what there is so far; nothing in it is taken back later, except when a model fails in mid-answer: then
    the quoted answer takes its place, with a note.
    """

    kind: Literal["searched", "claim", "answer"]
    answer: Answer


MONTH = len("2025-12")

# What is said of an answer, in its text and wherever else it is shown

KINDS: Mapping[SourceKind, Message] = {
    "state media": Message("state media"),
    "news agency": Message("news agency"),
    "media": Message("media"),
    "rights group": Message("rights group"),
    "government": Message("government"),
    "opposition": Message("opposition"),
    "anonymous": Message("anonymous"),
}
NOT_ANSWERED = Message("The collection does not answer this.")
NO_DATE = Message("no date")
DISAGREEMENTS: Mapping[str, Message] = {
    "number": Message("The sources differ in the number"),
    "date": Message("The sources differ in the date"),
}
CORRECTION = Message(", which says that it corrects an earlier report")


def with_kind(name: str, kind: SourceKind) -> Message:
    """A speaker or a publisher with what kind of source it is: "Coale (government)"."""
    return Message.joined((name, " (", KINDS[kind], ")")) if kind in KINDS else verbatim(name)


def speaker_text(speaker: Speaker) -> Message:
    """Who says something: "according to Coale (government)"."""
    name = f"the {speaker.speaker[4:]}" if speaker.speaker.startswith("The ") else speaker.speaker
    shown = with_kind(name, speaker.kind)
    return (
        Message("in the words of {speaker}", speaker=shown)
        if speaker.is_direct_quote
        else Message("according to {speaker}", speaker=shown)
    )


def attribution(claim: Claim, citations: Sequence[Citation]) -> tuple[list[Speaker], list[str]]:
    """Who says what a quoted claim tells, where its words do not name them, and its dates, where dates differ.

    Nothing where the quote says all; a date that is not known is empty.
    """
    cited = [citation for citation in citations if claim.support == "quoted" and citation.number in claim.citations]
    speakers = [speaker for citation in cited for speaker in citation.speakers if speaker.speaker not in citation.quote]
    months = {citation.article.published[:MONTH] for citation in citations}
    days = dict.fromkeys(citation.article.published for citation in cited) if len(months) > 1 else ()
    return speakers, list(days)


def attribution_text(speakers: Sequence[Speaker], days: Sequence[str]) -> Message:
    """Who says something and when: "according to Coale (government), 2025-12-13"; empty if neither is to be said."""
    return Message.joined([*map(speaker_text, speakers), *(day or NO_DATE for day in days)], ", ")


def name_variants_text(variants: NameVariants) -> Message:
    """That the question's spellings are of one name; empty if it has but one."""
    if not variants.also_asked:
        return Message("")
    return Message(
        "{asked} and {others} are spellings of the same name, {name}.",
        asked=variants.asked,
        others=reduce(lambda some, other: Message("{some} and {other}", some=some, other=other), variants.also_asked),
        name=variants.name,
    )


def _disagreement_text(disagreement: Disagreement, citations: Sequence[Citation]) -> str:
    published = {citation.number: citation.article.published for citation in citations}
    sides = [
        f"{account.value} {''.join(f'[{number}]' for number in account.citations)}"
        f"{f' ({day})' if (day := max((published[number] for number in account.citations), default='')) else ''}"
        f"{CORRECTION if account.corrects else ''}"
        for account in disagreement.values
    ]
    return f"{DISAGREEMENTS[disagreement.about]}: {', '.join(sides[:-1])} and {sides[-1]}."


def coverage_text(answer: Answer) -> Message:
    """What was searched, in a sentence."""
    coverage, chosen = answer.coverage, _restrictions(answer.filters, answer.as_of)
    if not coverage.articles:
        none = Message("There are no articles in it yet.")
        return Message("No article fits the filter ({filter}).", filter=chosen) if chosen else none
    dated = Message(", dated {oldest} to {newest}", oldest=coverage.oldest, newest=coverage.newest)
    if coverage.oldest == coverage.newest:
        dated = Message(", dated {day}", day=coverage.oldest) if coverage.oldest else Message(", without a date")
    some_undated = coverage.oldest and coverage.undated
    parts = [
        Message.many("{count} article was searched", "{count} articles were searched", count=coverage.articles),
        Message.joined((" (", chosen, ")")) if chosen else "",
        # one or many: the text of an answer has always said so
        Message.many(
            ", {count} of them reprints of another", ", {count} of them reprints of another", count=coverage.reprints
        )
        if coverage.reprints
        else "",
        dated,
        Message(" ({count} without a date)", count=coverage.undated) if some_undated else "",
        ".",
    ]
    return Message.joined(parts)


def _restrictions(filters: Filters, as_of: date | None) -> Message:
    parts = [
        Message("publisher {names}", names=_either(filters.publishers)) if filters.publishers else "",
        Message("language {names}", names=_either(filters.languages)) if filters.languages else "",
        Message("article {names}", names=_either(filters.articles)) if filters.articles else "",
        Message("published from {day}", day=filters.published_from) if filters.published_from else "",
        Message("published to {day}", day=filters.published_to) if filters.published_to else "",
        Message("as of {day}", day=as_of) if as_of else "",
    ]
    return Message.joined(parts, ", ")


def _either(names: Sequence[str]) -> str:
    return reduce(lambda some, other: Message("{some} or {other}", some=some, other=other), names)


def numbered_citations(quotes: Sequence[tuple[Hit, Span]]) -> tuple[Citation, ...]:
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
            hit.reprints,
            context=context(hit.article, span.start),
        )
        for number, (hit, span) in enumerate(quotes, 1)
    )
