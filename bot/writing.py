"""Answers with a chat model: what it writes becomes claims, each proved by exact quotes, or is told apart.

The only file that talks to a model. Knows any endpoint that LangChain's `init_chat_model` reaches. Does not know how
passages are found; what proves a claim it asks `bot.evidence`.

Errors: ModelError (RuntimeError): the model gave no usable answer; the message is for the reader and holds no key.
CutShortError (ModelError): it stopped at its limit of length. TooLongError (ModelError): it was given too much text.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from bot.answer import Support, Turn
from bot.evidence import Checker, Quote, covering
from prompts import Prompt, load
from vectorstore import Hit, Span
from vectorstore.terms import terms

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

DEFAULT_MODEL = "gpt-5-mini"
SILENCE_SECONDS = 30.0  # between two pieces of an answer, and before the first
WHOLE_SECONDS = 120.0  # for all of an answer
ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 10.0  # a server that asks for a longer one is not asked again
MAX_CLAIMS = 12
CUT_SHORT = "The model stopped at its limit of length: the answer may be incomplete."
FILTERED = "The model's provider filtered its answer."
FENCE = "=" * 5
STRAY = re.compile(r"^[\s\-*•>#.,;:]+")
MARKER = re.compile(r"\s*\[\s*\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*\]")
THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.S)  # of models that think aloud
VERDICT = re.compile(r"\b(not|partly|partially|supported)\b", re.I)
TOO_LONG = re.compile(
    r"context.{0,12}(?:length|window|size)|too many tokens|maximum.{0,20}tokens|prompt is too long", re.I
)
FORMAT = re.compile(r"response_format|json_schema|structured|grammar", re.I)
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
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}


class ModelError(RuntimeError):
    """The model could not be reached, or what it wrote can't be used."""


class CutShortError(ModelError):
    """The model reached its limit of length in mid-answer."""


class TooLongError(ModelError):
    """The model was given more text than it takes."""


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
    """A sentence a model wrote, the quotes found for it as (hit, span), what they come to, and why not, if they don't.

    Only an "unverified" one may have no quote; `likely` is None then, else as in `Checked`.
    """

    text: str
    quotes: tuple[Quote, ...]
    support: Support
    doubts: tuple[str, ...] = ()
    likely: float | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the reader must know of how an answer was written."""

    text: str


@dataclass(frozen=True, slots=True)
class _Draft:
    """A claim as the model gave it: its text, and its quotes as (number of the passage, words)."""

    text: str
    evidence: tuple[tuple[int, str], ...]


class Writer:
    """Writes with one chat model. Safe to use from several threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.model
        self.host = urlsplit(endpoint.base_url).netloc.rpartition("@")[2]
        self._model, self._close = _open(endpoint)
        self._structured = type(self._model).__name__ == "ChatOpenAI"  # until the endpoint says that it can't
        self._answer = load("answer")
        self._mend = load("mend")
        self._judge = load("judge")
        self._standalone = load("standalone")

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names and digests of the prompts in use, kept with each answer."""
        used = (self._answer, self._mend, self._judge, self._standalone)
        return tuple(f"{prompt.name}:{prompt.digest}" for prompt in used)

    def close(self) -> None:
        """Lets go of its connections."""
        self._close()

    def standalone(self, question: str, history: Sequence[Turn]) -> str:
        """The question rewritten to stand without the history; ModelError if the model fails.

        Empty if what it wrote is no question: the question itself is searched then, behind those before it.
        """

        def asked(turns: Sequence[Turn]) -> str:
            told = "\n".join(f"Question: {turn.question}\nAnswer: {turn.answer_text[:600]}" for turn in turns)
            return "".join(self._stream(self._standalone, history=_fenced(told), question=question))

        try:
            said = asked(history)
        except TooLongError:
            said = asked(history[-1:])
        lines = [line.strip() for line in THOUGHT.sub("", said).splitlines() if line.strip()]
        # behind a "Sure, here it is:"
        line = next((line for line in lines if line.endswith("?")), lines[0] if lines else "")
        if not line or len(line) > 4 * len(question) + 400:
            return ""
        return line

    def write(self, question: str, hits: Sequence[Hit], checker: Checker) -> Iterator[Written | Remark]:
        """The model's claims, each as soon as it is written and checked.

        None at all if the model says that the passages do not answer. A claim that its quotes do not prove is given
        back to the model once, to be mended; what fails again comes last, as "unverified". ModelError if the model
        fails, or writes what is no answer.
        """
        try:
            yield from self._written(question, hits, checker)
        except TooLongError:
            if len(hits) < 2:
                raise
            yield from self._written(question, hits[: len(hits) // 2], checker)

    def _written(self, question: str, hits: Sequence[Hit], checker: Checker) -> Iterator[Written | Remark]:
        passages = "\n\n".join(_passage(number, hit) for number, hit in enumerate(hits, 1))
        judge = _Judge(self, question)

        def judged(draft: _Draft) -> Written:
            return judge.judged(_checked(draft, hits, checker))

        failed: list[Written] = []
        said: set[tuple[str, ...]] = set()  # a model that is asked once more often says all of it again
        cut = ""

        def fresh(written: Written) -> bool:
            words = tuple(terms(written.text))
            new = words not in said
            said.add(words)
            return new

        try:
            pieces = self._stream(self._answer, structured=True, passages=passages, question=question)
            for draft in _drafts(pieces):
                written = judged(draft)
                if written.support == "unverified":
                    failed.append(written)
                elif fresh(written):
                    yield written
        except CutShortError as error:
            cut = str(error)
        if failed and not cut:
            failed, mended = self._mended(question, passages, failed, judged)
            yield from filter(fresh, mended)
        yield from failed
        yield from map(Remark, filter(None, (cut, judge.trouble)))

    def _mended(
        self, question: str, passages: str, failed: list[Written], judged: Callable[[_Draft], Written]
    ) -> tuple[list[Written], list[Written]]:
        """The claims that failed, and those that came out right when the model was asked for them once more."""
        asked = "\n".join(f"- {one.text} ({'; '.join(one.doubts)})" for one in failed)
        try:
            pieces = self._stream(
                self._mend, structured=True, passages=passages, question=question, claims=_fenced(asked)
            )
            again = [judged(draft) for draft in _drafts(pieces)]
        except ModelError:
            return failed, []
        mended = [one for one in again if one.support != "unverified"]
        # a claim that was mended is no longer one that failed
        left = [one for one in failed if not any(_same(one.text, other.text) for other in mended)]
        return left, mended

    def judge(self, question: str, written: Written) -> Support:
        """What a second, short call makes of a claim; ModelError if it fails or says nothing that can be read."""
        quotes = "\n".join(hit.article.text[span.start : span.end] for hit, span in written.quotes)
        sources = "; ".join(dict.fromkeys(_about(hit) for hit, _ in written.quotes))
        said = "".join(
            self._stream(self._judge, question=question, claim=_fenced(written.text), quotes=_fenced(quotes),
                         sources=sources)
        )  # fmt: skip
        if not (found := VERDICT.search(said)):
            raise ModelError("The model did not judge.")
        word = found[0].lower()
        return "unverified" if word == "not" else "verified" if word == "supported" else "partly"

    def _stream(self, prompt: Prompt, *, structured: bool = False, **values: str) -> Iterator[str]:
        """The model's words as they come; ModelError whatever goes wrong. Asks again only while nothing came."""
        until = time.monotonic() + WHOLE_SECONDS
        finish = ""
        try:
            for chunk in self._chunks(prompt.fill(**values), structured=structured):
                finish = str(chunk.response_metadata.get("finish_reason") or finish)
                if time.monotonic() > until:
                    raise ModelError(f"The model was not done after {WHOLE_SECONDS:.0f} seconds.")
                yield str(chunk.text)
        except ModelError:
            raise
        except Exception as error:
            raise _told(error) from error
        if finish == "length":
            raise CutShortError(CUT_SHORT)
        if finish == "content_filter":
            raise ModelError(FILTERED)
        if not finish:
            raise ModelError("The model's answer was cut off.")

    def _chunks(self, text: str, *, structured: bool) -> Iterator[AIMessageChunk]:
        again = Retrying(
            stop=stop_after_attempt(ATTEMPTS), retry=retry_if_exception(_worth_another), wait=_pause, reraise=True
        )
        for attempt in again:
            with attempt:
                chunks, first = self._begun(text, structured=structured)
        yield from first
        yield from chunks

    def _begun(self, text: str, *, structured: bool) -> tuple[Iterator[AIMessageChunk], list[AIMessageChunk]]:
        """A stream of which the first piece has come, and that piece."""
        import openai

        options: dict[str, Any] = {"response_format": RESPONSE_FORMAT} if structured and self._structured else {}
        try:
            chunks = self._model.stream(text, **options)
            return chunks, [chunk for chunk in [next(chunks, None)] if chunk is not None]
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not options or not FORMAT.search(str(error)):
                raise
            self._structured = False  # such a server holds a model to no schema; the prompt describes it too
            return self._begun(text, structured=False)


class _Judge:
    """The second check: its verdict can only lower a claim. One failure, and it is not asked again."""

    def __init__(self, writer: Writer, question: str) -> None:
        self._writer = writer
        self._question = question
        self.trouble = ""

    def judged(self, written: Written) -> Written:
        if written.support != "verified" or self.trouble:
            return written
        try:
            support = self._writer.judge(self._question, written)
        except ModelError:
            self.trouble = "The model's second look at its sentences failed: they were checked by the program alone."
            return written
        why = {
            "partly": ("a second look found only a part of it in the quote",),
            "unverified": ("a second look did not find it in the quote",),
        }
        return replace(written, support=support, doubts=why.get(support, ()))


def _open(endpoint: Endpoint) -> tuple[BaseChatModel, Callable[[], None]]:
    """The model, and what closes its connections."""
    from langchain.chat_models import init_chat_model

    provider, _, name = endpoint.model.partition(":")
    # "qwen3:8b" at an endpoint of one's own is a model with its size, not a provider
    if name and provider != "openai" and not endpoint.base_url:
        try:
            return init_chat_model(endpoint.model), lambda: None
        except ImportError as error:
            raise ValueError(f"The model {endpoint.model} needs a package that is not installed: {error}") from error
    import openai

    client = openai.DefaultHttpxClient(follow_redirects=False)  # the key goes where it was meant to
    model = init_chat_model(
        endpoint.model.removeprefix("openai:"),
        model_provider="openai",
        api_key=endpoint.api_key or "none",
        base_url=endpoint.base_url or None,
        timeout=SILENCE_SECONDS,
        max_retries=0,  # `_chunks` retries, and knows what for
        use_responses_api=False,  # chat completions are what other servers speak too
        http_client=client,
    )
    return model, client.close


def _told(error: Exception) -> ModelError:
    """What happened, in a sentence for the reader; never the provider's own words, which may hold the key."""
    import openai

    # the SDK raises these where it was given a schema, and the last piece of the stream says it where it was not
    if isinstance(error, openai.LengthFinishReasonError):
        return CutShortError(CUT_SHORT)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return ModelError(FILTERED)
    code = str(getattr(error, "code", "") or "")
    if isinstance(error, openai.BadRequestError):
        if "context" in code or TOO_LONG.search(str(error)):
            return TooLongError("The passages are too long for the model.")
        if "content_filter" in code or "content_filter" in str(error):
            return ModelError(FILTERED)
    kinds: list[tuple[type[Exception], str]] = [
        (openai.AuthenticationError, "The model's server refused the key: check OPENAI_API_KEY."),
        (openai.PermissionDeniedError, "The model's server refused the key: check OPENAI_API_KEY."),
        (openai.NotFoundError, "The model's server does not know this model: check VIADOMA_MODEL."),
        (openai.RateLimitError, "The model's server is out of quota or busy."),
        (openai.APITimeoutError, f"The model said nothing for {SILENCE_SECONDS:.0f} seconds."),
        (openai.APIConnectionError, "The model's server could not be reached: check OPENAI_BASE_URL."),
        (openai.InternalServerError, "The model's server had an error of its own."),
    ]
    return ModelError(
        next((text for kind, text in kinds if isinstance(error, kind)), "The model gave no usable answer.")
    )


def _worth_another(error: BaseException) -> bool:
    """Whether the same request may go well a moment later: a busy server or one with an error, not one out of quota."""
    import openai

    if isinstance(error, openai.RateLimitError):
        return error.code != "insufficient_quota" and _asked_pause(error) <= LONGEST_PAUSE_SECONDS
    return isinstance(error, openai.InternalServerError) and _asked_pause(error) <= LONGEST_PAUSE_SECONDS


def _pause(state: RetryCallState) -> float:
    """The seconds the server asks for, else half a second, then one."""
    error = state.outcome.exception() if state.outcome else None
    return _asked_pause(error) or 0.5 * state.attempt_number


def _asked_pause(error: BaseException | None) -> float:
    response = getattr(error, "response", None)
    value = response.headers.get("retry-after", "") if response is not None else ""
    return float(value) if re.fullmatch(r"\d+(?:\.\d+)?", value) else 0.0


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
            drafts = [_draft(one) for one in (claims if isinstance(claims, list) else [found])]
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
        raise ModelError("The model did not keep to the form it was asked for.")


def _draft(found: object) -> _Draft | None:
    """A claim, whatever the model calls its parts; None if it is none."""
    if not isinstance(found, dict):
        return None
    text = found.get("text") or found.get("claim")
    if not isinstance(text, str) or not terms(text):
        return None
    evidence = found.get("evidence", found.get("citations", [found]))
    quotes = []
    for one in evidence if isinstance(evidence, list) else [evidence]:
        if isinstance(one, dict) and isinstance(one.get("quote"), str):
            number = re.search(r"\d+", str(one.get("passage", "")))
            quotes.append((int(number[0]) if number and len(number[0]) < 4 else 0, one["quote"]))
    plain = STRAY.sub("", MARKER.sub("", text)).strip()
    return _Draft(" ".join(plain.split()), tuple(quotes))


def _checked(draft: _Draft, hits: Sequence[Hit], checker: Checker) -> Written:
    """The claim with the sentences its quotes stand in, and whether those prove it."""
    found: dict[tuple[str, Span], tuple[Hit, Span]] = {}
    why: list[str] = []
    for number, quote in draft.evidence:
        hit = hits[number - 1] if 0 < number <= len(hits) else None
        span = covering(hit, quote) if hit else None
        if hit and span:
            found.setdefault((hit.article.id, span), (hit, span))
        else:
            why.append("its quote is not in the passage it names")
    quotes = tuple(found.values())
    if not quotes:
        return Written(draft.text, (), "unverified", (why[0] if why else "it names no quote",))
    checked = checker.check(draft.text, quotes)
    support: Support = "unverified" if checked.doubts else "verified"
    return Written(draft.text, quotes, support, checked.doubts, checked.likely)


def _same(one: str, other: str) -> bool:
    """Whether two claims say the same by most of their words."""
    left, right = set(terms(one)), set(terms(other))
    return 2 * len(left & right) > len(left | right)
