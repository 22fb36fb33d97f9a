"""What there is to show of an answer, block by block, in reading order.

Phrases are messages, which a writer translates; the words of articles are plain text. Does not know how a block is
written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from bot import answer as wording
from bot.answer import Answer, Citation, Claim, Disagreement, NameVariants, ShortAnswer, Speaker
from language import Message, verbatim
from render.bibliography import url_of
from vectorstore import TimeReference

Translate: TypeAlias = Callable[[Message], str]  # a message in some language; `str` for English
SentenceKind: TypeAlias = Literal[wording.Status, "short", "corrects", "claim", "missing", "note", "coverage", "fact"]

SHOWN_DIGITS = 12  # of an article's hash, for people; the bundle holds it whole
VERDICT = {"yes": Message("Yes"), "no": Message("No")}
STATUS = {"answered": Message("Answered."), "partial": Message("Partial answer."), "not_found": wording.NOT_ANSWERED}
SUPPORT: dict[wording.Support, Message] = {
    "quoted": Message(""),
    "verified": Message("verified"),
    "partly": Message("only partly supported by its source"),
    "unverified": Message("not supported by the sources"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer, or on it: a text before, in and behind the short answer; citations by their numbers.

    `beside` stands small behind it: each message with what it is ("speaker", "issue", "verified", "beside").
    """

    kind: SentenceKind
    before: Message
    short: str = ""
    behind: str = ""
    citations: tuple[int, ...] = ()
    beside: tuple[tuple[str, Message], ...] = ()


@dataclass(frozen=True, slots=True)
class ConflictBlock:
    """What sources differ in: each value, who gives it when in which citation, and whether it corrects."""

    heading: Message
    sides: tuple[tuple[str, tuple[tuple[Message, int], ...], Message], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A quote: before, in and behind the short answer; its publisher and date, and its URL if it is one to follow.

    Each of `remarks` has its kind: "speakers", "note" or "corrected".
    """

    citation: Citation
    pieces: tuple[str, str, str]
    about: tuple[Message, ...]
    url: str
    remarks: tuple[tuple[str, Message], ...]

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


Block: TypeAlias = Sentence | ConflictBlock | Sources


def conversation(answers: Sequence[Answer]) -> list[tuple[Block, ...]]:
    """The blocks of each answer, with citations that are numbered on from one to the next."""
    described, numbered = [], 0
    for answer in answers:
        described.append(tuple(describe(answer, numbered)))
        numbered += len(answer.citations) + len(answer.closest_passages)
    return described


def title(answers: Sequence[Answer]) -> Message:
    """What to call them: the question, or how many there are."""
    if len(answers) == 1:
        return verbatim(answers[0].question)
    return Message.many("{count} question", "{count} questions", count=len(answers))


def capital(sentence: str) -> str:
    """A sentence that begins with a capital letter."""
    return f"{sentence[:1].upper()}{sentence[1:]}"


def describe(answer: Answer, numbered: int = 0) -> Iterator[Block]:
    """The blocks of an answer; its citations are numbered on from so many, those of close passages behind them."""
    short = answer.short
    words = " ".join(short.text.split()) if short else ""
    if lead := Message.joined((VERDICT.get(answer.verdict or "", ""), words), " — "):
        cited, beside = (short.citation + numbered,) if short else (), _beside_short(answer)
        yield Sentence("short", lead, citations=cited, beside=(("beside", beside),) if beside else ())
    yield Sentence(answer.status, STATUS[answer.status])
    if answer.corrects:
        yield Sentence("corrects", Message("The question takes something for granted that the articles put right:"))
    yield from (_claim(answer, claim, numbered) for claim in answer.claims)
    yield from (_conflict(answer, disagreement, numbered) for disagreement in answer.disagreements)
    yield from (Sentence("missing", sentence) for sentence in answer.missing)
    if answer.closest_passages:
        close = tuple(_source(citation, None, numbered + len(answer.citations)) for citation in answer.closest_passages)
        yield Sources(Message("Closest passages, which are not an answer"), close, proving=False)
    yield from (Sentence("note", note) for note in (*answer.notes, *map(_variants, answer.name_variants)))
    yield Sentence("coverage", _coverage(answer))
    facts = {
        Message("Reader"): answer.reader,
        Message("Prompts"): ", ".join(answer.prompts),
        Message("Vectors"): answer.embedding_model,
        Message("Time"): answer.created_at,
    }
    if fact_line := Message.joined((Message.joined(fact, ": ") for fact in facts.items() if fact[1]), " · "):
        yield Sentence("fact", fact_line)
    if answer.citations:
        proving = tuple(_source(citation, short, numbered) for citation in answer.citations)
        yield Sources(Message("Sources"), proving, proving=True)


def _claim(answer: Answer, claim: Claim, numbered: int) -> Sentence:
    quotes = (
        citation for citation in answer.citations if claim.support == "quoted" and citation.number in claim.citations
    )
    around = (_around(citation, answer.short) for citation in quotes if citation.quote.split() == claim.text.split())
    before, short, behind = next((pieces for pieces in around if pieces[1]), (claim.text, "", ""))
    label = "issue" if claim.support in ("partly", "unverified") else "verified"
    checked = Message.joined((SUPPORT[claim.support], *(claim.issues if label == "issue" else ())), "; ")
    beside = ("speaker", wording.attribution_text(*wording.attribution(claim, answer.citations))), (label, checked)
    citations = tuple(number + numbered for number in claim.citations)
    return Sentence("claim", verbatim(before), short, behind, citations, tuple(small for small in beside if small[1]))


def _around(citation: Citation, short: ShortAnswer | None) -> tuple[str, str, str]:
    quote = citation.quote
    if short is None or short.citation != citation.number or quote[short.start : short.end] != short.text:
        return quote, "", ""
    return quote[: short.start], short.text, quote[short.end :]


def _beside_short(answer: Answer) -> Message:
    """The days in the short answer that were inferred, those who say it and whom it does not name, and when."""
    short = answer.short
    cited = next((citation for citation in answer.citations if short and citation.number == short.citation), None)
    if short is None or cited is None:
        return Message("")
    start, end = cited.start + short.start, cited.start + short.end
    times = [time for time in cited.times if time.inferred and start <= time.span.start and time.span.end <= end]
    days = Message.joined(map(_days, times), ", ")
    speakers = [speaker for speaker in cited.speakers if speaker.speaker not in short.text]
    _, published = wording.attribution(Claim(short.text, "quoted", (short.citation,)), answer.citations)
    inferred = Message("{days}, inferred from the publication date", days=days) if days else ""
    return Message.joined((inferred, wording.attribution_text(speakers, published)), "; ")


def _conflict(answer: Answer, disagreement: Disagreement, numbered: int) -> ConflictBlock:
    reports = {
        citation.number: Message.joined(
            (citation.article.publisher or citation.article.name, citation.article.published or wording.NO_DATE), ", "
        )
        for citation in answer.citations
    }
    sides = []
    for account in disagreement.values:
        cited = tuple((reports[number], number + numbered) for number in account.citations if number in reports)
        sides.append((account.value, cited, wording.CORRECTION if account.corrects else Message("")))
    return ConflictBlock(wording.DISAGREEMENTS[disagreement.about], tuple(sides))


def _variants(spelling: NameVariants) -> Message:
    others = ", ".join(spelling.in_sources)
    spelt = Message("{asked} is spelt {others} in the sources.", asked=spelling.asked, others=others) if others else ""
    return Message.joined((wording.name_variants_text(spelling), spelt), " ")


def _coverage(answer: Answer) -> Message:
    """What was searched and read, who wrote, and what was searched for, where it is not the question."""
    parts: list[Message] = [wording.coverage_text(answer)]
    if answer.passages_read:
        parts.append(
            Message.many("{count} passage was read.", "{count} passages were read.", count=answer.passages_read)
        )
    if answer.claims and not answer.model:
        parts.append(Message("Quoted word for word."))
    elif answer.claims:
        parts.append(Message("Written by {model}.", model=answer.model))
    if answer.query != answer.question:
        parts.append(Message("Searched for: {query}", query=answer.query))
    return Message.joined(parts, " ")


def _source(citation: Citation, short: ShortAnswer | None, numbered: int) -> Source:
    article = citation.article
    publisher = wording.with_kind(article.publisher, citation.publisher_kind) if article.publisher else Message("")
    about = (publisher, verbatim(article.published) if article.published else wording.NO_DATE)
    pieces, remarks = _around(citation, short), tuple(_remarks(citation))
    numbered_on = replace(citation, number=citation.number + numbered)
    return Source(numbered_on, pieces, tuple(filter(None, about)), url_of(article), remarks)


def _remarks(citation: Citation) -> Iterator[tuple[str, Message]]:
    """What is to be known of a quote: who says it, what the text is, which days it means, who else prints it."""
    article = citation.article
    if citation.speakers:
        yield "speakers", Message.joined((speakers_text(citation.speakers), "."))
    if article.note:
        yield "note", Message("Note: {note}.", note=article.note.rstrip("."))
    for time in citation.times:
        if time.inferred:
            words = {"words": article.text[time.span.start : time.span.end], "days": _days(time)}
            yield "note", Message("“{words}” = {days}, inferred from the publication date.", **words)
    others = "; ".join(
        " ".join(filter(None, (article.publisher or article.name, article.published))) for article in citation.reprints
    )
    if others:
        yield "note", Message("Also published by {others} (counted as one source).", others=others)
    if citation.corrected_on:
        yield "corrected", Message("Corrected on {day}.", day=citation.corrected_on)


def speakers_text(speakers: Sequence[Speaker]) -> Message:
    """Who says what a quote tells; empty where the article itself does."""
    return Message.joined(map(wording.speaker_text, speakers), "; ")


def _days(time: TimeReference) -> Message:
    if time.start_date == time.end_date:
        return verbatim(f"{time.start_date}")
    return Message("{first} to {last}", first=time.start_date, last=time.end_date)
