"""Answers with a chat model: what it writes becomes claims, each proved by exact quotes, or is told apart.

Knows what the model is asked, and how its claims are read. Does not know how passages are found; what proves a claim it
asks `bot.evidence`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bot.answer import Support, Turn
from bot.chat_model import ChatModel, ContextTooLongError, ModelError, OutputTruncatedError
from bot.evidence import Checker, Quote, expand_to_sentences
from language import Message, message_of
from prompts import load
from vectorstore import Hit, Span
from vectorstore.terms import terms

MAX_CLAIMS = 12
FENCE = "=" * 5
STRAY = re.compile(r"^[\s\-*•>#.,;:]+")
MARKER = re.compile(r"\s*\[\s*\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*\]")
THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.S)  # of models that think aloud
VERDICT = re.compile(r"\b(not|partly|partially|supported)\b", re.I)
# What a model is asked to return, where its endpoint can hold it to a schema.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["claims"],
    "properties": {
        "claims": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["text", "evidence"],
                "properties": {
                    "text": {"type": "string"},
                    "evidence": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["passage", "quote"],
                            "properties": {"passage": {"type": "integer"}, "quote": {"type": "string"}},
                        },
                    },
                },
            },
        }
    },
}


@dataclass(frozen=True, slots=True)
class GeneratedClaim:
    """A sentence a model wrote, the quotes found for it as (hit, span), what they come to, and why not, if they don't.

    Only an "unverified" one may have no quote; `probability` is None then, else as in `ClaimCheck`.
    """

    text: str
    quotes: tuple[Quote, ...]
    support: Support
    issues: tuple[Message, ...] = ()
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class GenerationNote:
    """Something the reader must know of how an answer was written."""

    text: Message


@dataclass(frozen=True, slots=True)
class _Draft:
    """A claim as the model gave it: its text, and its quotes as (number of the passage, words)."""

    text: str
    evidence: tuple[tuple[int, str], ...]


class AnswerGenerator:
    """Writes with one chat model. Safe to use from several threads."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._answer = load("answer")
        self._revise = load("revise_claims")
        self._judge = load("judge")
        self._rewrite = load("rewrite_question")

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names and digests of the prompts in use, kept with each answer."""
        used = (self._answer, self._revise, self._judge, self._rewrite)
        return tuple(f"{prompt.name}:{prompt.digest}" for prompt in used)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def host(self) -> str:
        """The host that it runs at; empty for a provider's own."""
        return self._model.host

    def close(self) -> None:
        """Lets go of its connections."""
        self._model.close()

    def contextualize(self, question: str, history: Sequence[Turn]) -> str:
        """The question rewritten to stand without the history; ModelError if the model fails.

        Empty if what it wrote is no question: the question itself is searched then, behind those before it.
        """

        def asked(turns: Sequence[Turn]) -> str:
            conversation = "\n".join(f"Question: {turn.question}\nAnswer: {turn.answer_text[:600]}" for turn in turns)
            return "".join(self._model.stream(self._rewrite.fill(history=_fenced(conversation), question=question)))

        try:
            written = asked(history)
        except ContextTooLongError:
            written = asked(history[-1:])
        lines = [line.strip() for line in THOUGHT.sub("", written).splitlines() if line.strip()]
        # behind a "Sure, here it is:"
        line = next((line for line in lines if line.endswith("?")), lines[0] if lines else "")
        if not line or len(line) > 4 * len(question) + 400:
            return ""
        return line

    def write(self, question: str, hits: Sequence[Hit], checker: Checker) -> Iterator[GeneratedClaim | GenerationNote]:
        """The model's claims, each as soon as it is written and checked.

        None at all if the model says that the passages do not answer. A claim that its quotes do not prove is given
        back to the model once, to be revised; what fails again comes last, as "unverified". ModelError if the model
        fails, or writes what is no answer.
        """
        try:
            yield from self._claims(question, hits, checker)
        except ContextTooLongError:
            if len(hits) < 2:
                raise
            yield from self._claims(question, hits[: len(hits) // 2], checker)

    def _claims(
        self, question: str, hits: Sequence[Hit], checker: Checker
    ) -> Iterator[GeneratedClaim | GenerationNote]:
        passages = "\n\n".join(_passage(number, hit) for number, hit in enumerate(hits, 1))
        judge = _SelfCheck(self, question)

        def judged(draft: _Draft) -> GeneratedClaim:
            return judge.check(_checked(draft, hits, checker))

        failed: list[GeneratedClaim] = []
        seen: set[tuple[str, ...]] = set()  # a model that is asked once more often says all of it again
        cut: Message | None = None

        def fresh(written: GeneratedClaim) -> bool:
            words = tuple(terms(written.text))
            new = words not in seen
            seen.add(words)
            return new

        try:
            pieces = self._model.stream(self._answer.fill(passages=passages, question=question), SCHEMA)
            for draft in _drafts(pieces):
                written = judged(draft)
                if written.support == "unverified":
                    failed.append(written)
                elif fresh(written):
                    yield written
        except OutputTruncatedError as error:
            cut = message_of(error)
        if failed and not cut:
            failed, revised = self._revised(question, passages, failed, judged)
            yield from filter(fresh, revised)
        yield from failed
        yield from map(GenerationNote, filter(None, (cut, judge.error)))

    def _revised(
        self, question: str, passages: str, failed: list[GeneratedClaim], judged: Callable[[_Draft], GeneratedClaim]
    ) -> tuple[list[GeneratedClaim], list[GeneratedClaim]]:
        """The claims that failed, and those that came out right when the model was asked for them once more."""
        asked = "\n".join(f"- {claim.text} ({'; '.join(claim.issues)})" for claim in failed)
        try:
            pieces = self._model.stream(
                self._revise.fill(passages=passages, question=question, claims=_fenced(asked)), SCHEMA
            )
            again = [judged(draft) for draft in _drafts(pieces)]
        except ModelError:
            return failed, []
        revised = [claim for claim in again if claim.support != "unverified"]
        # a claim that was revised is no longer one that failed
        left = [claim for claim in failed if not any(_same(claim.text, other.text) for other in revised)]
        return left, revised

    def judge(self, question: str, written: GeneratedClaim) -> Support:
        """What a second, short call makes of a claim; ModelError if it fails or says nothing that can be read."""
        quotes = "\n".join(hit.article.text[span.start : span.end] for hit, span in written.quotes)
        sources = "; ".join(dict.fromkeys(_about(hit) for hit, _ in written.quotes))
        verdict = "".join(
            self._model.stream(
                self._judge.fill(
                    question=question, claim=_fenced(written.text), quotes=_fenced(quotes), sources=sources
                )
            )
        )
        if not (found := VERDICT.search(verdict)):
            raise ModelError(Message("The model did not judge."))
        word = found[0].lower()
        return "unverified" if word == "not" else "verified" if word == "supported" else "partly"


class _SelfCheck:
    """The second check: its verdict can only lower a claim. One failure, and it is not asked again."""

    def __init__(self, generator: AnswerGenerator, question: str) -> None:
        self._generator = generator
        self._question = question
        self.error: Message | None = None

    def check(self, written: GeneratedClaim) -> GeneratedClaim:
        if written.support != "verified" or self.error:
            return written
        try:
            support = self._generator.judge(self._question, written)
        except ModelError:
            self.error = Message("The model's self-check failed: only the automatic checks were applied.")
            return written
        why = {
            "partly": (Message("the self-check found only a part of it in the quote"),),
            "unverified": (Message("the self-check did not find it in the quote"),),
        }
        return replace(written, support=support, issues=why.get(support, ()))


def _fenced(text: str) -> str:
    """Between lines that the text itself can't hold."""
    return f"{FENCE}\n{text.replace(FENCE, '=')}\n{FENCE}"


def _about(hit: Hit) -> str:
    article = hit.article
    return ", ".join(part for part in (article.title, article.publisher, article.published) if part)


def _passage(number: int, hit: Hit) -> str:
    about = _about(hit).replace(FENCE, "=")
    return f"Passage [{number}]{f' ({about})' if about else ''}:\n{_fenced(hit.text)}"


def _drafts(pieces: Iterable[str]) -> Iterator[_Draft]:
    """The claims in a model's JSON, each as soon as its object is whole; ModelError if there is no JSON in it.

    Takes them from an object or a list, in a code fence or between words, whole or a line each.
    """
    decoder = json.JSONDecoder(strict=False)
    text, place, count, empty = "", 0, 0, False
    for piece in pieces:
        text += piece
        start = text.find("{", place)
        while start >= 0:
            try:
                found, end = decoder.raw_decode(text, start)
            except ValueError:
                start = text.find("{", start + 1)
                continue
            claims = found.get("claims") if isinstance(found, dict) else None
            empty = empty or claims == []
            drafts = [_draft(part) for part in (claims if isinstance(claims, list) else [found])]
            if any(drafts) or claims is not None:
                for draft in filter(None, drafts):
                    if count < MAX_CLAIMS:
                        yield draft
                    count += 1
                place = end
                start = text.find("{", place)
            else:  # an object within a claim that is not whole yet
                start = text.find("{", start + 1)
    if not count and not empty:
        raise ModelError(Message("The model returned an unexpected format."))


def _draft(found: object) -> _Draft | None:
    """A claim, whatever the model calls its parts; None if it is none."""
    if not isinstance(found, dict):
        return None
    text = found.get("text") or found.get("claim")
    if not isinstance(text, str) or not terms(text):
        return None
    evidence = found.get("evidence", found.get("citations", [found]))
    quotes = []
    for piece in evidence if isinstance(evidence, list) else [evidence]:
        if isinstance(piece, dict) and isinstance(piece.get("quote"), str):
            number = re.search(r"\d+", str(piece.get("passage", "")))
            quotes.append((int(number[0]) if number and len(number[0]) < 4 else 0, piece["quote"]))
    plain = STRAY.sub("", MARKER.sub("", text)).strip()
    return _Draft(" ".join(plain.split()), tuple(quotes))


def _checked(draft: _Draft, hits: Sequence[Hit], checker: Checker) -> GeneratedClaim:
    """The claim with the sentences its quotes stand in, and whether those prove it."""
    found: dict[tuple[str, Span], tuple[Hit, Span]] = {}
    why: list[Message] = []
    for number, quote in draft.evidence:
        hit = hits[number - 1] if 0 < number <= len(hits) else None
        quoted = [(hit, span) for span in expand_to_sentences(hit, quote)] if hit else []
        found |= {(hit.article.id, span): (hit, span) for hit, span in quoted}
        if not quoted:
            why.append(Message("its quote is not in the passage it names"))
    quotes = tuple(found.values())
    if not quotes:
        return GeneratedClaim(draft.text, (), "unverified", (why[0] if why else Message("it names no quote"),))
    checked = checker.check(draft.text, quotes)
    support: Support = "unverified" if checked.issues else "verified"
    return GeneratedClaim(draft.text, quotes, support, checked.issues, checked.probability)


def _same(first: str, second: str) -> bool:
    """Whether two claims say the same by most of their words."""
    left, right = set(terms(first)), set(terms(second))
    return 2 * len(left & right) > len(left | right)
