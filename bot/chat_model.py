"""A chat model: its words as they come, within limits of time, asked again where that helps.

The only file that talks to a model. Knows any endpoint that LangChain's `init_chat_model` reaches. Does not know what
it is asked.

Errors: ModelError (RuntimeError): the model gave no usable answer; the message is for people and holds no key.
OutputTruncatedError (ModelError): it stopped at its limit of length.
ContextTooLongError (ModelError): it was given too much text.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from language import Message, message_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

DEFAULT_MODEL = "gpt-5-mini"
IDLE_TIMEOUT_SECONDS = 30.0  # between two pieces of an answer, and before the first
TOTAL_TIMEOUT_SECONDS = 120.0  # for all of an answer
ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 10.0  # a server that asks for a longer one is not asked again
CUT_SHORT = Message("The model stopped at its limit of length: the answer may be incomplete.")
FILTERED = Message("The model's provider filtered its answer.")
TOO_LONG = re.compile(
    r"context.{0,12}(?:length|window|size)|too many tokens|maximum.{0,20}tokens|prompt is too long", re.I
)
FORMAT = re.compile(r"response_format|json_schema|structured|grammar", re.I)


class ModelError(RuntimeError):
    """The model could not be reached, or what it wrote can't be used."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)


class OutputTruncatedError(ModelError):
    """The model reached its limit of length in mid-answer."""


class ContextTooLongError(ModelError):
    """The model was given more text than it takes."""


@dataclass(frozen=True, slots=True)
class ChatModelConfig:
    """A chat model and where it runs; `base_url` and `api_key` are empty where the provider needs none."""

    model: str
    base_url: str
    api_key: str

    def __repr__(self) -> str:
        """Without the key: it must not reach a log."""
        return f"ChatModelConfig({self.model!r}, {self.base_url!r})"


class ChatModel:
    """One model at one endpoint. Safe to use from several threads."""

    def __init__(self, config: ChatModelConfig) -> None:
        self.name = config.model
        self.host = urlsplit(config.base_url).netloc.rpartition("@")[2]
        self._model, self._close = _open(config)
        self._structured = type(self._model).__name__ == "ChatOpenAI"  # until the endpoint says that it can't

    def close(self) -> None:
        """Lets go of its connections."""
        self._close()

    def stream(self, text: str, schema: Mapping[str, Any] | None = None) -> Iterator[str]:
        """The model's words as they come; ModelError whatever goes wrong. Asks again only while nothing came.

        `schema` is what it is to return, as a JSON schema, where its endpoint can hold it to one.
        """
        until = time.monotonic() + TOTAL_TIMEOUT_SECONDS
        finish = ""
        try:
            for chunk in self._chunks(text, schema):
                finish = str(chunk.response_metadata.get("finish_reason") or finish)
                if time.monotonic() > until:
                    raise ModelError(
                        Message("The model was not done after {seconds} seconds.", seconds=round(TOTAL_TIMEOUT_SECONDS))
                    )
                yield str(chunk.text)
        except ModelError:
            raise
        except Exception as error:
            raise _as_model_error(error) from error
        if finish == "length":
            raise OutputTruncatedError(CUT_SHORT)
        if finish == "content_filter":
            raise ModelError(FILTERED)
        if not finish:
            raise ModelError(Message("The model's answer was cut off."))

    def _chunks(self, text: str, schema: Mapping[str, Any] | None) -> Iterator[AIMessageChunk]:
        again = Retrying(
            stop=stop_after_attempt(ATTEMPTS), retry=retry_if_exception(_is_retryable), wait=_pause, reraise=True
        )
        for attempt in again:
            with attempt:
                chunks, first = self._open_stream(text, schema)
        yield from first
        yield from chunks

    def _open_stream(
        self, text: str, schema: Mapping[str, Any] | None
    ) -> tuple[Iterator[AIMessageChunk], list[AIMessageChunk]]:
        """A stream of which the first piece has come, and that piece."""
        import openai

        options: dict[str, Any] = {}
        if schema and self._structured:
            named = {"name": "answer", "strict": True, "schema": schema}
            options = {"response_format": {"type": "json_schema", "json_schema": named}}
        try:
            chunks = self._model.stream(text, **options)
            return chunks, [chunk for chunk in [next(chunks, None)] if chunk is not None]
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not options or not FORMAT.search(str(error)):
                raise
            self._structured = False  # such a server holds a model to no schema; the prompt describes it too
            return self._open_stream(text, None)


def _open(config: ChatModelConfig) -> tuple[BaseChatModel, Callable[[], None]]:
    """The model, and what closes its connections."""
    from langchain.chat_models import init_chat_model

    provider, _, name = config.model.partition(":")
    # "qwen3:8b" at an endpoint of one's own is a model with its size, not a provider
    if name and provider != "openai" and not config.base_url:
        try:
            return init_chat_model(config.model), lambda: None
        except ImportError as error:
            needed = Message(
                "The model {model} needs a package that is not installed: {why}",
                model=config.model,
                why=message_of(error),
            )
            raise ValueError(needed) from error
    import openai

    client = openai.DefaultHttpxClient(follow_redirects=False)  # the key goes where it was meant to
    model = init_chat_model(
        config.model.removeprefix("openai:"),
        model_provider="openai",
        api_key=config.api_key or "none",
        base_url=config.base_url or None,
        timeout=IDLE_TIMEOUT_SECONDS,
        max_retries=0,  # `_chunks` retries, and knows what for
        use_responses_api=False,  # chat completions are what other servers speak too
        http_client=client,
    )
    return model, client.close


def _as_model_error(error: Exception) -> ModelError:
    """What happened, in a sentence for people; never the provider's own words, which may hold the key."""
    import openai

    # the SDK raises these where it was given a schema, and the last piece of the stream says it where it was not
    if isinstance(error, openai.LengthFinishReasonError):
        return OutputTruncatedError(CUT_SHORT)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return ModelError(FILTERED)
    code = str(getattr(error, "code", "") or "")
    if isinstance(error, openai.BadRequestError):
        if "context" in code or TOO_LONG.search(str(error)):
            return ContextTooLongError(Message("The passages are too long for the model."))
        if "content_filter" in code or "content_filter" in str(error):
            return ModelError(FILTERED)
    kinds: list[tuple[type[Exception], Message]] = [
        (openai.AuthenticationError, Message("The model's server refused the key: check OPENAI_API_KEY.")),
        (openai.PermissionDeniedError, Message("The model's server refused the key: check OPENAI_API_KEY.")),
        (openai.NotFoundError, Message("The model's server does not know this model: check VIADOMA_MODEL.")),
        (openai.RateLimitError, Message("The model's server is out of quota or busy.")),
        (
            openai.APITimeoutError,
            Message("The model said nothing for {seconds} seconds.", seconds=round(IDLE_TIMEOUT_SECONDS)),
        ),
        (openai.APIConnectionError, Message("The model's server could not be reached: check OPENAI_BASE_URL.")),
        (openai.InternalServerError, Message("The model's server had an error of its own.")),
    ]
    return ModelError(
        next((text for kind, text in kinds if isinstance(error, kind)), Message("The model gave no usable answer."))
    )


def _is_retryable(error: BaseException) -> bool:
    """Whether the same request may go well a moment later: a busy server or one with an error, not one out of quota."""
    import openai

    if isinstance(error, openai.RateLimitError):
        return error.code != "insufficient_quota" and _retry_after(error) <= LONGEST_PAUSE_SECONDS
    return isinstance(error, openai.InternalServerError) and _retry_after(error) <= LONGEST_PAUSE_SECONDS


def _pause(state: RetryCallState) -> float:
    """The seconds the server asks for, else half a second, then one."""
    error = state.outcome.exception() if state.outcome else None
    return _retry_after(error) or 0.5 * state.attempt_number


def _retry_after(error: BaseException | None) -> float:
    response = getattr(error, "response", None)
    value = response.headers.get("retry-after", "") if response is not None else ""
    return float(value) if re.fullmatch(r"\d+(?:\.\d+)?", value) else 0.0
