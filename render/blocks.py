"""What there is to show of an answer, block by block, in reading order.

Phrases are messages, which a writer translates; the words of articles are plain text. Does not know how a block is
written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from bot.answer import (
    CORRECTING,
    DIFFERING,
    NO_DATE,
    NOT_ANSWERED,
    Answer,
    Citation,
    Claim,
    Disagreement,
    Short,
    Spelling,
    Status,
    Support,
    Voice,
    by_whom,
    of_kind,
    same_name,
    searched,
    told_by,
    voice_in_words,
)
from language import Message, verbatim
from render.bibliography import url_of
from vectorstore import Article, Time

Pieces: TypeAlias = tuple[
    str, str, str
]  # a text before, in and behind the short answer, of which the last two may be empty

SHOWN_DIGITS = 12  # of an article's hash, for people; the bundle holds it whole
STATUS: dict[Status, Message] = {
    "answered": Message("Answered."),
    "partial": Message("Partial answer."),
    "not_found": NOT_ANSWERED,
}
SUPPORT: dict[Support, Message] = {
    "quoted": Message(""),
    "verified": Message("verified"),
    "partly": Message("only partly supported by its source"),
    "unverified": Message("not supported by the sources"),
}
VERDICT = {None: Message(""), "yes": Message("Yes"), "no": Message("No")}


@dataclass(frozen=True, slots=True)
class Lead:
    """The verdict and the short answer, the number of its citation or 0, and what stands beside it, or empty."""

    text: Message
    citation: int
    beside: Message


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence on the answer; `kind` says of what: "missing" is what the articles lack, "coverage" what was searched."""

    kind: Literal[Status, "corrects", "missing", "note", "coverage"]
    text: Message


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim with its citations; `teller` says who tells it and when, `label` how it is proved; either may be empty."""

    pieces: Pieces
    citations: tuple[int, ...]
    teller: Message
    support: Support
    label: Message


@dataclass(frozen=True, slots=True)
class Side:
    """One of the values in which sources differ, with who gives it when and the number of the citation."""

    value: str
    tellers: tuple[tuple[Message, int], ...]
    correcting: Message


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the sources differ in, at least two sides of it."""

    heading: Message
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A cited quote: `about` is publisher and date, `speakers` who says it, or empty.

    `url` is the article's, if it is one to follow; `remarks` is what to know of the text, `corrected` when it changed
    since, or empty.
    """

    citation: Citation
    pieces: Pieces
    about: tuple[Message, ...]
    url: str
    speakers: Message
    remarks: tuple[Message, ...]
    corrected: Message

    @property
    def sentences(self) -> tuple[Message, ...]:
        """All that is to be known of the quote beside its article."""
        speakers = Message.joined((self.speakers, ".")) if self.speakers else Message("")
        return tuple(filter(None, (speakers, *self.remarks, self.corrected)))

    @property
    def proof(self) -> tuple[tuple[Message, str], ...]:
        """What the quote can be checked with, as names and values."""
        digest = self.citation.article.sha256[:SHOWN_DIGITS]
        return (Message("Permanent link"), self.citation.link), (Message("SHA-256 of the text"), digest)


@dataclass(frozen=True, slots=True)
class Sources:
    """The quotes that prove an answer, or those that are merely close to the question."""

    heading: Message
    sources: tuple[Source, ...]
    proving: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """How the answer came about, as names and values."""

    facts: tuple[tuple[Message, str], ...]


Block: TypeAlias = Lead | Remark | Statement | Conflict | Sources | Facts


def describe(answer: Answer, numbered: int = 0) -> tuple[Block, ...]:
    """The blocks of an answer; its citations are numbered on from so many, those of close passages behind them."""
    return tuple(_blocks(answer, numbered))


def conversation(answers: Sequence[Answer]) -> list[tuple[Block, ...]]:
    """The blocks of each answer, with citations that are numbered on from one to the next."""
    described, numbered = [], 0
    for answer in answers:
        described.append(describe(answer, numbered))
        numbered += len(answer.citations) + len(answer.closest)
    return described


def title(answers: Sequence[Answer]) -> Message:
    """What to call them: the question, or how many there are."""
    if len(answers) == 1:
        return verbatim(answers[0].question)
    return Message.many("{count} question", "{count} questions", count=len(answers))


def _blocks(answer: Answer, numbered: int) -> Iterator[Block]:
    short = answer.short
    if lead := Message.joined((VERDICT[answer.verdict], " ".join(short.text.split()) if short else ""), " — "):
        yield Lead(lead, short.citation + numbered if short else 0, _beside_short(answer))
    yield Remark(answer.status, STATUS[answer.status])
    if answer.corrects:
        yield Remark("corrects", Message("The question takes something for granted that the articles put right:"))
    yield from (_statement(answer, claim, numbered) for claim in answer.claims)
    yield from (_conflict(answer, disagreement, numbered) for disagreement in answer.disagreements)
    yield from (Remark("missing", sentence) for sentence in answer.missing)
    if answer.closest:
        behind = numbered + len(answer.citations)
        close = tuple(_source(citation, None, behind) for citation in answer.closest)
        yield Sources(Message("Closest passages, which are not an answer"), close, proving=False)
    yield from (Remark("note", note) for note in (*answer.notes, *map(_variants, answer.spellings)))
    yield Remark("coverage", _coverage(answer))
    yield Facts(tuple((name, value) for name, value in _facts(answer) if value))
    if answer.citations:
        proving = tuple(_source(citation, short, numbered) for citation in answer.citations)
        yield Sources(Message("Sources"), proving, proving=True)


def _statement(answer: Answer, claim: Claim, numbered: int) -> Statement:
    quotes = (one for one in answer.citations if claim.support == "quoted" and one.number in claim.citations)
    around = (_around(one, answer.short) for one in quotes if one.quote.split() == claim.text.split())
    pieces = next((found for found in around if found[1]), (claim.text, "", ""))
    doubts = claim.doubts if claim.support in ("partly", "unverified") else ()
    label = Message.joined((SUPPORT[claim.support], *doubts), "; ")
    numbers = tuple(number + numbered for number in claim.citations)
    return Statement(pieces, numbers, by_whom(*told_by(claim, answer.citations)), claim.support, label)


def _around(citation: Citation, short: Short | None) -> Pieces:
    quote = citation.quote
    if short is None or short.citation != citation.number or quote[short.start : short.end] != short.text:
        return quote, "", ""
    return quote[: short.start], short.text, quote[short.end :]


def _beside_short(answer: Answer) -> Message:
    """The days in the short answer that were reckoned, those who say it and whom it does not name, and when."""
    short = answer.short
    cited = next((one for one in answer.citations if short and one.number == short.citation), None)
    if short is None or cited is None:
        return Message("")
    start, end = cited.start + short.start, cited.start + short.end
    times = [time for time in cited.times if time.reckoned and start <= time.span.start and time.span.end <= end]
    reckoned = Message.joined(map(days, times), ", ")
    voices = [voice for voice in cited.voices if voice.speaker not in short.text]
    _, published = told_by(Claim(short.text, "quoted", (short.citation,)), answer.citations)
    inferred = Message("{days}, inferred from the publication date", days=reckoned) if reckoned else ""
    return Message.joined((inferred, by_whom(voices, published)), "; ")


def _conflict(answer: Answer, disagreement: Disagreement, numbered: int) -> Conflict:
    cited = {citation.number: citation.article for citation in answer.citations}
    sides = [
        Side(
            account.value,
            tuple((_teller(cited[number]), number + numbered) for number in account.citations if number in cited),
            CORRECTING if account.corrects else Message(""),
        )
        for account in disagreement.accounts
    ]
    return Conflict(DIFFERING[disagreement.about], tuple(sides))


def _teller(article: Article) -> Message:
    return Message.joined((article.publisher or article.name, article.published or NO_DATE), ", ")


def _variants(spelling: Spelling) -> Message:
    quoted = ", ".join(spelling.quoted)
    others = Message("{asked} is spelt {others} in the sources.", asked=spelling.asked, others=quoted) if quoted else ""
    return Message.joined((same_name(spelling) or "", others), " ")


def _coverage(answer: Answer) -> Message:
    """What was searched and read, who wrote, and what was searched for, where it is not the question."""
    parts: list[Message | str] = [searched(answer)]
    if answer.read:
        parts.append(Message.many("{count} passage was read.", "{count} passages were read.", count=answer.read))
    if answer.claims and answer.mode == "quoting":
        parts.append(Message("Quoted word for word."))
    elif answer.claims:
        parts.append(Message("Written by {model}.", model=answer.mode.removeprefix("writing with ")))
    if answer.query != answer.question:
        parts.append(Message("Searched for: {query}", query=answer.query))
    return Message.joined(parts, " ")


def _facts(answer: Answer) -> list[tuple[Message, str]]:
    return [
        (Message("Reader"), answer.reader),
        (Message("Prompts"), ", ".join(answer.prompts)),
        (Message("Vectors"), answer.embedding),
        (Message("Time"), answer.made),
    ]


def _source(citation: Citation, short: Short | None, numbered: int) -> Source:
    article = citation.article
    publisher = of_kind(article.publisher, citation.publisher_kind) if article.publisher else Message("")
    about = (publisher, verbatim(article.published) if article.published else NO_DATE)
    remarks = [Message("Note: {note}.", note=article.note.rstrip("."))] if article.note else []
    remarks += [
        Message(
            "“{words}” = {days}, inferred from the publication date.",
            words=article.text[time.span.start : time.span.end],
            days=days(time),
        )
        for time in citation.times
        if time.reckoned
    ]
    others = "; ".join(" ".join(filter(None, (one.publisher or one.name, one.published))) for one in citation.copies)
    if others:
        remarks.append(Message("Also published by {others} (counted as one source).", others=others))
    return Source(
        replace(citation, number=citation.number + numbered),
        _around(citation, short),
        tuple(filter(None, about)),
        url_of(article),
        speakers(citation.voices),
        tuple(remarks),
        Message("Corrected on {day}.", day=citation.corrected) if citation.corrected else Message(""),
    )


def speakers(voices: Sequence[Voice]) -> Message:
    """Who says what a quote tells; empty where the article itself does."""
    return Message.joined(map(voice_in_words, voices), "; ")


def days(time: Time) -> Message:
    """The days of a time: one, or from and to."""
    if time.first == time.last:
        return verbatim(f"{time.first}")
    return Message("{first} to {last}", first=time.first, last=time.last)


def capital(sentence: str) -> str:
    """A sentence that begins with a capital letter."""
    return f"{sentence[:1].upper()}{sentence[1:]}"
