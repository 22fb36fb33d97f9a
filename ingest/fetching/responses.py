"""What a server answers: its status in words, its headers, and its body, decompressed within limits.

Knows HTTP (through httpcore). Does not know who asked, or what the bytes are.
"""

from __future__ import annotations

import http
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

from ingest.fetching.connections import TransientError
from ingest.fetching.guard import FetchError
from language import Message, message_of

MAX_PAUSE_SECONDS = 10.0  # a server that asks for a longer one is not asked again
# Pages shrink to a third or a tenth, nothing but a bomb to less than a hundredth (zeros: a thousandth). This stops one
# at 10 MB of memory, however much a document may have.
BOMB_BYTES, BOMB_RATIO = 10_000_000, 100
STEP = 1 << 18  # bytes decompressed at once

_TRANSIENT = {429, 502, 503, 504}
_MEANINGS = {
    401: Message("it asks for a password"),
    403: Message("it does not let this program in"),
    404: Message("there is no such page"),
    407: Message("the proxy asks for a password"),
    410: Message("the page was taken away"),
    429: Message("it was asked too often"),
    451: Message("it may not show this, for legal reasons"),
    500: Message("it failed"),
    502: Message("a server behind it failed"),
    503: Message("not available now"),
    504: Message("a server behind it is silent"),
}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, headers (names in lower case; values of one name joined by commas), and the body of a 200."""

    status: int
    headers: Mapping[str, str]
    raw: bytes = b""


def read_response(response: httpcore.Response, limit: int, accepted: re.Pattern[str] | None) -> Response:
    """The whole response, its body decompressed; only a 200 has its body read.

    `limit` (bytes) holds for the body before and after decompression; `accepted` fits the media types that are read,
    None any. FetchError if it can't be used, TransientError for what may go better at once.
    """
    headers = _headers(response.headers)
    if response.status in _TRANSIENT:
        pause = _asked_pause(headers.get("retry-after", ""))
        if pause is not None and pause > MAX_PAUSE_SECONDS:
            raise FetchError(
                Message(
                    "{answer}; it asks to be left alone for {seconds} s",
                    answer=status_text(response.status),
                    seconds=round(pause),
                )
            )
        raise TransientError(status_text(response.status), pause)
    if response.status != 200:
        return Response(response.status, headers)
    media_type, _ = content_type(headers.get("content-type", ""))
    if accepted and not accepted.fullmatch(media_type):
        raise FetchError(Message("the server sends {kind}, which is not a kind of article", kind=media_type[:100]))
    declared = headers.get("content-length", "0")
    if len(declared) > 15 or int(declared) > limit:
        raise FetchError(Message("it is larger than {size} bytes", size=limit))
    return Response(200, headers, _body(response.iter_stream(), headers.get("content-encoding", ""), limit))


def status_text(status: int) -> Message:
    """What a status means, for the user."""
    if status in _MEANINGS:
        return Message("the server answers {status}: {meaning}", status=str(status), meaning=_MEANINGS[status])
    if phrase := next((entry.phrase for entry in http.HTTPStatus if entry.value == status), ""):
        return Message("the server answers {status}: “{phrase}”", status=str(status), phrase=phrase)
    return Message("the server answers {status}", status=str(status))


def content_type(header: str) -> tuple[str, str]:
    """Media type, in lower case, and charset as a Content-Type header gives them; empty what it does not give."""
    media_type, _, parameters = header.partition(";")
    charset = re.search(r"(?:^|;)\s*charset\s*=\s*[\"']?([\w.:+-]{1,40})", parameters, re.I | re.A)
    media_type = media_type.partition(",")[0].strip().lower()
    return media_type if "/" in media_type else "", charset[1] if charset else ""


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _decoder(encoding: str) -> Callable[[int], zlib._Decompress] | None:
    """Makes a decompressor, given the first byte; None if there is nothing to decompress."""
    match [name for name in re.split(r"[\s,]+", encoding.lower()) if name not in ("", "identity")]:
        case []:
            return None
        case ["gzip" | "x-gzip"]:
            return lambda _: zlib.decompressobj(31)
        case ["deflate"]:  # meant is zlib's format, which begins with an 8; some servers send the bare one
            return lambda first: zlib.decompressobj(15 if first & 15 == 8 else -15)
    raise FetchError(
        Message("the server compresses in a way that was not asked for: {encoding}", encoding=encoding[:100])
    )


def _body(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """The whole body, decompressed step by step; raises FetchError as soon as it goes beyond the limit (bytes)."""
    new_decoder, decoder = _decoder(encoding), None
    too_large = FetchError(Message("it is larger than {size} bytes", size=limit))
    body, received = bytearray(), 0
    for chunk in chunks:
        received += len(chunk)
        if received > limit:
            raise too_large
        if new_decoder is None:
            body += chunk
            continue
        if decoder is None:
            decoder = new_decoder(chunk[0])
        rest, step = chunk, b""
        while rest or len(step) == STEP:
            try:
                step = decoder.decompress(rest, STEP)
            except zlib.error as error:
                raise FetchError(Message("its compression is broken: {why}", why=message_of(error))) from error
            body += step
            rest = decoder.unconsumed_tail
            if decoder.unused_data:
                raise FetchError(Message("its compression is broken: data after its end"))
            if len(body) > limit:
                raise too_large
            if len(body) > max(BOMB_BYTES, BOMB_RATIO * received):
                raise FetchError(Message("it grows more than {count} times when decompressed", count=BOMB_RATIO))
    if decoder is not None and not decoder.eof:
        raise FetchError(Message("its compression is broken: it ends too early"))
    return bytes(body)


def _asked_pause(header: str) -> float | None:
    """Seconds that a Retry-After header asks for; None if it does not say."""
    if re.fullmatch(r"[0-9]+", header):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
