"""The question's whole path: question and history -> hits -> reading -> quotes, or a model's checked answer.

Knows the order of the steps, and what happens when one fails. Does not know how a step is done.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda

from bot.answer import Answer, AnswerEvent, Citation, Claim, Turn, numbered_citations
from bot.attribution import with_speakers
from bot.chat_model import DEFAULT_MODEL, ChatModel, ChatModelConfig, ModelError
from bot.citations import cites, disagreements, holds, short_answer
from bot.evidence import Checker, is_statement
from bot.generation import AnswerGenerator, GeneratedClaim, GenerationNote
from bot.name_variants import find_name_variants
from bot.quote_selection import QuoteSelection, select_quotes
from bot.reading import Reading, calibration, read
from bot.suggestions import suggest_questions
from bot.timeline import Timeline
from encoder import QuestionClassifier, Reader
from language import Message, message_of
from vectorstore import (
    NO_FILTERS,
    Article,
    ArticleSummary,
    Coverage,
    Facets,
    Filters,
    Hit,
    HybridRetriever,
    IndexState,
    NameTable,
    Query,
    Settings,
    Span,
    Store,
    VersionDetails,
    load_settings,
)
from vectorstore.timestamps import utc_now

MAX_QUESTION = 2000  # characters
TOP_K = 10
PASSAGES_BY_LOAD = ((3, 10), (6, 5))  # where more than so many questions wait to be read, of each so many passages are
MIN_PASSAGES = 3  # of any
MAX_SUGGESTIONS, MAX_SUGGESTION_CANDIDATES = 3, 4  # questions that may come next
SUGGESTING_HITS = 3  # passages read for each of them
SUGGESTING_SECONDS = 1.0  # for all of them together
MAX_CLOSEST_PASSAGES = 3
HISTORY_TURNS = 3  # earlier questions that the search and the reader are told
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


class QuestionError(ValueError):
    """A question that can't be asked: empty or too long. The message is for the one who asked."""


class Bot:
    """Answers questions from the articles of one data folder. Safe to use from several threads.

    `chain` is the same path as a LangChain `Runnable`: {"question": str, "history": Sequence[Turn], "as_of": date or
    None, "filters": Filters} -> list[Event], which streams an event at a time; all but the question may be missing.
    `timeline` gives what the articles say in order of time.
    """

    def __init__(
        self,
        retriever: BaseRetriever,
        store: Store,
        names: NameTable,
        reader: Reader,
        classifier: QuestionClassifier,
        generator: AnswerGenerator | None,
        *,
        show_unsupported: bool = False,
    ) -> None:
        """Takes what it works with; `Bot.open` finds it by itself.

        `retriever` takes what `HybridRetriever` does, and gives documents with a `hit` in their metadata; `reader` says
        which sentences answer, `classifier` what a question asks for; without a `generator` the bot quotes. What a
        model wrote without proof is left out, or with `show_unsupported` shown as "not supported by the sources".
        """
        self._retriever = retriever
        self._store = store
        self._names = names
        self._reader = reader
        self._classifier = classifier
        self._generator = generator
        self._show_unsupported = show_unsupported
        self._model_error: Message | None = None
        self.timeline = Timeline(store, names)
        self._close: Callable[[], None] = lambda: None
        # plain steps in one thread: `RunnablePassthrough.assign` would start a thread a question
        self.chain: Runnable[dict[str, Any], list[AnswerEvent]] = (
            RunnableLambda(self._rewritten) | RunnableLambda(self._search) | RunnableGenerator(self._answers)
        )

    @classmethod
    def open(
        cls,
        data: str | os.PathLike[str] | None = None,
        model: str | None = None,
        *,
        show_unsupported: bool | None = None,
    ) -> Self:
        """Opens a data folder: `data`, else VIADOMA_DATA, else ./data. LibraryError if it holds no usable library.

        `model` names the chat model that writes ("gpt-5-mini", "provider:model"), else VIADOMA_MODEL; an empty string
        asks for quotes alone. Without a name the default model writes if OPENAI_API_KEY is set, at OPENAI_BASE_URL if
        that is. ValueError for a key that can't be one. `show_unsupported`, else VIADOMA_UNSUPPORTED ("show" or "drop",
        which is the default), says what becomes of sentences that a model wrote without proof.
        """
        where = load_settings(None if data is None else Path(data))
        config = _chat_model(model, where)
        if show_unsupported is None:
            show_unsupported = where.unsupported_claims == "show"
        store = Store.open(where, create=False)
        generator = AnswerGenerator(ChatModel(config)) if config else None
        names = NameTable.open(where.data / "names.txt") if where.link_names else NameTable(())
        retriever = HybridRetriever(store=store, names=names, limit=TOP_K)
        threads = os.cpu_count() or 1
        reader, kinds = Reader(where.cache_dir, threads), QuestionClassifier(where.cache_dir, threads)
        bot = cls(retriever, store, names, reader, kinds, generator, show_unsupported=show_unsupported)
        bot._close = store.close
        return bot

    @property
    def model(self) -> str:
        """The chat model that writes; empty when quoting."""
        return self._generator.name if self._generator else ""

    @property
    def model_host(self) -> str:
        """The host of the model that writes; empty when quoting, and for a provider's own."""
        return self._generator.host if self._generator else ""

    @property
    def model_error(self) -> Message | None:
        """Why the model did not write the last answer that was asked of it; None if it did, or none was asked yet."""
        return self._model_error

    @property
    def index_state(self) -> IndexState:
        """How the index of the vectors is: not "ready" until the first search, "rebuilt" while it is rebuilt."""
        return self._store.index.state

    @property
    def embedding_model(self) -> str:
        """The name of the model whose vectors are searched."""
        return self._store.library.embedding

    @property
    def names(self) -> NameTable:
        """The table of names that are known in several spellings, the user's among them."""
        return self._names

    @property
    def coverage(self) -> Coverage:
        """What there is to search just now."""
        return self._coverage(NO_FILTERS, None)

    def _coverage(self, filters: Filters, as_of: date | None) -> Coverage:
        with self._store.library.snapshot():
            return self._store.library.catalogue.coverage(filters, as_of)

    @property
    def facets(self) -> Facets:
        """What `Filters` can name."""
        with self._store.library.snapshot():
            return self._store.library.catalogue.facets()

    def list_articles(self) -> list[ArticleSummary]:
        """The articles that are searched, newest first, those without a date last."""
        with self._store.library.snapshot():
            return self._store.library.catalogue.summaries()

    def article(self, article_id: str, version: int) -> Article | None:
        """A version of an article as it was ingested, even if it was replaced or withdrawn; None if there is none."""
        with self._store.library.snapshot():
            return self._store.library.article(article_id, version)

    def version_details(self, article_id: str, version: int) -> VersionDetails | None:
        """All that is known of a version: where it comes from, its other versions, why it is no longer searched."""
        return self._store.library.version_details(article_id, version)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        as_of: date | None = None,
        filters: Filters = NO_FILTERS,
    ) -> Answer:
        """The whole answer to a question, given the earlier turns of its conversation, oldest first.

        With `as_of`, articles published later are left out, those without a date stay, and words such as "last month"
        count from that day instead of today. `filters` choose the articles that are searched. QuestionError for an
        empty question or one of more than MAX_QUESTION characters.
        """
        events: list[AnswerEvent] = self.chain.invoke(_input(question, history, as_of, filters))
        return events[-1].answer

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        as_of: date | None = None,
        filters: Filters = NO_FILTERS,
    ) -> Iterator[AnswerEvent]:
        """The same answer as it comes about: "searched", a "claim" each, and last the whole "answer"."""
        step = _input(question, history, as_of, filters)
        return (event for events in self.chain.stream(step) for event in events)

    def suggest(self, answer: Answer, limit: int = MAX_SUGGESTIONS) -> tuple[str, ...]:
        """Questions that may come next, in the question's language, which the articles answer with other quotes.

        At most `limit`, and none if nothing fits. They are answered as the answer was: by its filters, as of its day.
        """
        cited = {(citation.article.id, citation.start) for citation in answer.citations}
        suggested: list[str] = []
        until = time.monotonic() + SUGGESTING_SECONDS
        for question, name in islice(suggest_questions(answer, self._names), MAX_SUGGESTION_CANDIDATES):
            if len(suggested) == limit or time.monotonic() > until or self._reader.waiting:
                break
            hits = [
                document.metadata["hit"]
                for document in self._retriever.invoke(question, filters=answer.filters, as_of=answer.as_of)
            ]
            choice = self._select(question, read(self._reader, question, (), hits[:SUGGESTING_HITS]))
            if choice.status != "answered" or choice.conflict:
                continue
            first, span = choice.quotes[0]
            about = {mention.name for mention in self._names.mentions(first.article.text[span.start : span.end])}
            new = {(hit.article.id, span.start) for hit, span in choice.quotes} - cited
            if new and (not name or name in about):
                cited |= new
                suggested.append(question)
        return tuple(suggested)

    def warm_up(self) -> None:
        """Makes ready what the first question needs, so that it waits for less."""
        # any word: a question without one is not searched
        hits = [document.metadata["hit"] for document in self._retriever.invoke("Belarus")]
        self._select("Belarus", read(self._reader, "Belarus", (), hits[:1]))

    def close(self) -> None:
        """Lets go of the data folder and of the model's connections."""
        if self._generator:
            self._generator.close()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # the steps of the chain

    def _rewritten(self, step: Mapping[str, Any]) -> dict[str, Any]:
        step = {"history": (), "as_of": None, "filters": NO_FILTERS, **step}
        question, history = step["question"], step["history"]
        rewritten: str = ""
        model_error: Message | None = None
        if history and self._generator:
            try:
                rewritten = self._generator.contextualize(question, history[-4:])
            except ModelError as error:
                model_error = message_of(error)
        earlier = tuple(" ".join(turn.question.split()) for turn in history[-HISTORY_TURNS:])
        return {**step, "earlier": earlier, "rewritten": rewritten, "model_error": model_error}

    def _search(self, step: dict[str, Any]) -> dict[str, Any]:
        documents = self._retriever.invoke(
            step["question"],
            earlier=step["earlier"],
            rewritten=step["rewritten"],
            filters=step["filters"],
            as_of=step["as_of"],
        )
        return {**step, "hits": [document.metadata["hit"] for document in documents]}

    def _answers(self, steps: Iterator[dict[str, Any]]) -> Iterator[list[AnswerEvent]]:
        (step,) = steps
        question, earlier = step["question"], step["earlier"]
        model_error: Message | None = step["model_error"]
        empty = Answer(
            question=question,
            query=Query(question, earlier, step["rewritten"]).text,
            status="not_found",
            claims=(),
            citations=(),
            closest_passages=(),
            coverage=self._coverage(step["filters"], step["as_of"]),
            notes=(),
            model="",
            prompts=(),
            filters=step["filters"],
            as_of=step["as_of"],
            embedding_model=self._store.library.embedding,
            created_at=utc_now(),
        )
        yield [AnswerEvent("searched", empty)]
        hits: list[Hit] = step["hits"][: self._passage_limit()]
        reading = read(self._reader, step["rewritten"] or question, () if step["rewritten"] else earlier, hits)
        empty = replace(
            empty,
            passages_read=reading.passages_read,
            reader=self._reader.name,
            probability=reading.answerable if hits else None,
        )
        choice = self._select(question, reading)
        if self._generator and not model_error:
            try:
                for events in self._write(self._generator, choice, reading, empty):
                    if events[-1].kind == "answer":
                        self._model_error = None
                    yield self._with_name_variants(events)
                return
            except ModelError as error:
                model_error = message_of(error)
        if model_error:
            self._model_error = model_error
            empty = replace(empty, notes=(Message("{error} Showing quotes instead.", error=model_error),))
        for events in self._quote(choice, reading, empty):
            yield self._with_name_variants(events)

    def _passage_limit(self) -> int:
        """How many passages are read: fewer where many questions wait to be."""
        return next((hits for waiting, hits in PASSAGES_BY_LOAD if self._reader.waiting <= waiting), MIN_PASSAGES)

    def _select(self, question: str, reading: Reading) -> QuoteSelection:
        return select_quotes(reading, self._classifier.question_type(question), calibration())

    def _with_name_variants(self, events: list[AnswerEvent]) -> list[AnswerEvent]:
        """The events, with the names that their quotes spell otherwise than the question."""
        return [
            replace(event, answer=replace(event.answer, name_variants=find_name_variants(event.answer, self._names)))
            for event in events
        ]

    def _cited(self, quotes: Sequence[tuple[Hit, Span]]) -> tuple[Citation, ...]:
        """Citations for stretches of hits, numbered from 1, with who says what they tell."""
        return tuple(
            with_speakers(self._with_correction_date(citation), self._names) for citation in numbered_citations(quotes)
        )

    def _with_correction_date(self, citation: Citation) -> Citation:
        article = citation.article
        if article.version == 1:
            return citation
        record = self.version_details(article.id, article.version)
        return replace(citation, corrected_on=record.corrected_on if record else "")

    def _write(
        self, generator: AnswerGenerator, choice: QuoteSelection, reading: Reading, empty: Answer
    ) -> Iterator[list[AnswerEvent]]:
        answer = replace(empty, model=self.model, prompts=generator.prompts)
        places: dict[tuple[str, Span], Citation] = {}
        checker = Checker(reading, self._reader, calibration(), self._names)
        dropped = 0
        for written in generator.write(empty.query, reading.best_hits, checker):
            if isinstance(written, GenerationNote):
                answer = replace(answer, notes=(*answer.notes, written.text))
            elif written.support == "unverified" and not self._show_unsupported:
                dropped += 1
            else:
                answer = self._with_claim(answer, written, places)
                yield [AnswerEvent("claim", answer)]
        if dropped and not any(claim.support != "unverified" for claim in answer.claims):
            raise ModelError(Message("Nothing that the model wrote is proved by the articles."))
        if dropped:
            note = Message.many(
                "{count} generated sentence was removed: the articles do not prove it.",
                "{count} generated sentences were removed: the articles do not prove them.",
                count=dropped,
            )
            answer = replace(answer, notes=(*answer.notes, note))
        if not answer.claims:
            answer = replace(answer, closest_passages=self._closest(reading))
        else:
            for value in choice.conflict.values if choice.conflict else ():
                # a model may tell one account only
                if not any(holds(cited, value) for cited in places.values()):
                    self._citation_number((value.candidate.hit, value.candidate.sentence.span), places)
            cited = tuple(places.values())
            answer = replace(
                answer,
                citations=cited,
                disagreements=disagreements(choice, cited),
                short=short_answer(choice, cited),
                verdict=choice.verdict,
                corrects=choice.corrects and cites(cited[:1], choice.quotes[0]),
            )
        yield [AnswerEvent("answer", answer)]

    def _with_claim(self, answer: Answer, written: GeneratedClaim, places: dict[tuple[str, Span], Citation]) -> Answer:
        """The answer with one more claim; `places` holds the citations so far, and gets new ones."""
        used = [self._citation_number(quote, places) for quote in written.quotes]
        claim = Claim(written.text, written.support, tuple(dict.fromkeys(used)), written.issues, written.probability)
        return replace(answer, status="answered", claims=(*answer.claims, claim), citations=tuple(places.values()))

    def _citation_number(self, quote: tuple[Hit, Span], places: dict[tuple[str, Span], Citation]) -> int:
        """The number of a quote's citation, which is made if need be."""
        hit, span = quote
        if (hit.article.id, span) not in places:
            places[hit.article.id, span] = replace(self._cited([quote])[0], number=len(places) + 1)
        return places[hit.article.id, span].number

    def _closest(self, reading: Reading) -> tuple[Citation, ...]:
        """The sentences that come nearest to an answer."""
        near = [
            (candidate.hit, candidate.sentence.span) for candidate in reading.candidates if is_statement(candidate.text)
        ]
        return self._cited(near[:MAX_CLOSEST_PASSAGES])

    def _quote(self, choice: QuoteSelection, reading: Reading, empty: Answer) -> Iterator[list[AnswerEvent]]:
        if choice.status == "not_found":
            yield [
                AnswerEvent("answer", replace(empty, closest_passages=self._closest(reading), missing=choice.missing))
            ]
            return
        citations = self._cited(choice.quotes)
        answer = replace(empty, status=choice.status, corrects=choice.corrects)
        for citation, quote in zip(citations, choice.quotes, strict=True):
            claim = Claim(citation.quote, "quoted", (citation.number,), probability=reading.probability(*quote))
            answer = replace(answer, claims=(*answer.claims, claim), citations=citations[: citation.number])
            yield [AnswerEvent("claim", answer)]
        yield [
            AnswerEvent(
                "answer",
                replace(
                    answer,
                    missing=choice.missing,
                    disagreements=disagreements(choice, citations),
                    short=short_answer(choice, citations),
                    verdict=choice.verdict,
                ),
            )
        ]


def _input(question: str, history: Sequence[Turn], as_of: date | None, filters: Filters) -> dict[str, Any]:
    plain = " ".join(CONTROL.sub(" ", question).split())
    if not plain:
        raise QuestionError(Message("Please ask a question."))
    if len(plain) > MAX_QUESTION:
        raise QuestionError(
            Message(
                "The question has {count} characters; please ask in at most {most}.",
                count=len(plain),
                most=MAX_QUESTION,
            )
        )
    return {"question": plain, "history": tuple(history), "as_of": as_of, "filters": filters}


def _chat_model(model: str | None, where: Settings) -> ChatModelConfig | None:
    """The model that writes, or None to quote."""
    name = where.model if model is None else model
    if model == "" or not (name or where.api_key):
        return None
    if not where.api_key.isascii():
        raise ValueError(Message("OPENAI_API_KEY holds characters no key has: copy it again."))
    return ChatModelConfig(name or DEFAULT_MODEL, where.base_url, where.api_key)
