"""Answers with a chat model: what it writes becomes claims, each tied to exact quotes, or is not shown.

The only file that talks to a model. Knows any endpoint that LangChain's `init_chat_model` reaches. Does not know how
passages are found; what proves a claim it asks `bot.evidence`.

Errors: ModelError (RuntimeError): the model gave no usable answer; the message is for the reader and holds no key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answer import Turn
from bot.evidence import NUMBER, uncovered
from prompts import Prompt, load
from vectorstore import Hit, Span
from vectorstore.terms import terms

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

DEFAULT_MODEL = "gpt-5-mini"
TIMEOUT_SECONDS = 30.0
REFUSAL = "NOT IN THE PASSAGES"  # the prompt asks for it, `Writer.write` knows it again
QUOTES_PER_MARKER = 3
MARKER = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")
MARKERS = re.compile(rf"(?:{MARKER.pattern})+\s*[.!?…]*")
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”»']?\s+(?=[\"“«(]?[^\W\da-zа-яёіў_])")
STRAY = re.compile(r"^[\s\-*•>#.,;:]+")
FENCE = "=" * 5


class ModelError(RuntimeError):
    """The model could not be reached, or what it wrote can't be used."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A chat model and where it runs; `base_url` and `api_key` are empty where the provider needs none."""

    model: str
    base_url: str
    api_key: str

    def __repr__(self) -> str:
        """Without the key: it must not reach a log."""
        return f"Endpoint({self.model!r}, {self.base_url!r})"


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence a model wrote, and the quotes found for it: (hit, span), at least one."""

    text: str
    quotes: tuple[tuple[Hit, Span], ...]
    verified: bool


class Writer:
    """Writes with one chat model."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.model
        self._model = _open(endpoint)
        self._answer = load("answer")
        self._standalone = load("standalone")

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names and digests of the prompts in use, kept with each answer."""
        return tuple(f"{prompt.name}:{prompt.digest}" for prompt in (self._answer, self._standalone))

    def standalone(self, question: str, history: Sequence[Turn]) -> str:
        """The question rewritten to stand without the history; ModelError if the model fails."""
        turns = "\n".join(f"Question: {turn.question}\nAnswer: {turn.answer_text[:600]}" for turn in history)
        said = "".join(self._stream(self._standalone, history=_fenced(turns), question=question))
        line = next((line.strip() for line in said.splitlines() if line.strip()), "")
        if not line or len(line) > 4 * len(question) + 400:
            raise ModelError("The model did not rewrite the question.")
        return line

    def write(self, question: str, hits: Sequence[Hit]) -> Iterator[Written]:
        """The model's sentences, one after the other as they are written, each with what proves it.

        None at all if the model says that the passages do not answer. A sentence that names no passage, or one that
        is not there, or states a number that its passages do not hold, is left out. ModelError if the model fails.
        """
        text = ""
        passages = "\n\n".join(_passage(number, hit) for number, hit in enumerate(hits, 1))
        for piece in self._stream(self._answer, passages=passages, question=question, refusal=REFUSAL):
            text += piece
            # a marker may still grow ("[1" ... "2]") while nothing stands behind it
            while (found := MARKERS.search(text)) and found.end() < len(text):
                yield from _proved(text[: found.end()], hits)
                text = text[found.end() :]
        yield from _proved(text, hits)

    def _stream(self, prompt: Prompt, **values: str) -> Iterator[str]:
        """The model's words as they come; ModelError whatever goes wrong."""
        finished = False
        try:
            for chunk in self._model.stream(prompt.fill(**values)):
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                yield str(chunk.text)
        except Exception as error:
            raise ModelError(_reason(error)) from error
        if not finished:
            raise ModelError("The model's answer was cut off.")


def _open(endpoint: Endpoint) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    provider, _, name = endpoint.model.partition(":")
    # "qwen3:8b" at an endpoint of one's own is a model with its size, not a provider
    if name and provider != "openai" and not endpoint.base_url:
        try:
            return init_chat_model(endpoint.model)
        except ImportError as error:
            raise ValueError(f"The model {endpoint.model} needs a package that is not installed: {error}") from error
    return init_chat_model(
        endpoint.model.removeprefix("openai:"),
        model_provider="openai",
        api_key=endpoint.api_key or "none",
        base_url=endpoint.base_url or None,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
        use_responses_api=False,  # chat completions are what other servers speak too
    )


def _reason(error: Exception) -> str:
    """What happened, in a sentence for the reader; never the provider's own words, which may hold the key."""
    import openai

    kinds: list[tuple[type[Exception], str]] = [
        (openai.AuthenticationError, "The model's server refused the key: check OPENAI_API_KEY."),
        (openai.PermissionDeniedError, "The model's server refused the key: check OPENAI_API_KEY."),
        (openai.NotFoundError, "The model's server does not know this model: check VIADOMA_MODEL."),
        (openai.RateLimitError, "The model's server is out of quota or busy."),
        (openai.APITimeoutError, f"The model did not answer within {TIMEOUT_SECONDS:.0f} seconds."),
        (openai.APIConnectionError, "The model's server could not be reached: check OPENAI_BASE_URL."),
        (openai.InternalServerError, "The model's server had an error of its own."),
    ]
    return next((text for kind, text in kinds if isinstance(error, kind)), "The model gave no usable answer.")


def _fenced(text: str) -> str:
    """Between lines that the text itself can't hold."""
    return f"{FENCE}\n{text.replace(FENCE, '=')}\n{FENCE}"


def _passage(number: int, hit: Hit) -> str:
    article = hit.article
    about = ", ".join(part for part in (article.title, article.publisher, article.published) if part)
    return f"Passage [{number}]{f' ({about})' if about else ''}:\n{_fenced(hit.text)}"


def _proved(text: str, hits: Sequence[Hit]) -> Iterator[Written]:
    """What is left of a marked stretch of a model's text: its last sentence, which the markers belong to."""
    found = MARKERS.search(text)
    if not found:
        return
    words = MARKER.sub("", STRAY.sub("", text[: found.start()])).strip()
    sentence = _last_sentence(words)
    if REFUSAL in sentence or not terms(sentence):
        return
    numbers = dict.fromkeys(int(n) for group in MARKER.findall(found.group()) for n in re.findall(r"\d+", group))
    cited = [hits[number - 1] for number in numbers if 0 < number <= len(hits)]
    quotes = tuple(quote for hit in cited for quote in _quotes(sentence, hit))
    if not quotes:
        return
    evidence = [hit.article.text[span.start : span.end] for hit, span in quotes]
    about = [f"{hit.article.title} {hit.article.publisher}" for hit, _ in quotes]
    missing = uncovered(sentence, evidence, about)
    if any(NUMBER.fullmatch(part) for part in missing):
        return
    end = "" if sentence[-1] in '.!?…"”»' else "."
    yield Written(sentence + end, quotes, verified=not missing)


def _last_sentence(text: str) -> str:
    """Sentences before the last have no marker of their own; short pieces are abbreviations, not sentences."""
    start = 0
    for end in SENTENCE_END.finditer(text):
        if len(text[start : end.start()].split()) > 3:
            start = end.end()
    return text[start:].strip()


def _quotes(sentence: str, hit: Hit) -> list[tuple[Hit, Span]]:
    """The sentences of the passage that hold most of the claim's words, until its numbers and names are covered."""
    wanted = set(terms(sentence))

    def text(span: Span) -> str:
        return hit.article.text[span.start : span.end]

    ranked = sorted(hit.sentences, key=lambda one: (-len(wanted & set(terms(text(one.span)))), -one.cosine))
    chosen: list[Span] = []
    for one in ranked[:QUOTES_PER_MARKER]:
        before = uncovered(sentence, [text(span) for span in chosen])
        if chosen and len(uncovered(sentence, [text(span) for span in (*chosen, one.span)])) >= len(before):
            continue
        chosen.append(one.span)
    return [(hit, span) for span in sorted(chosen, key=lambda span: span.start)]
