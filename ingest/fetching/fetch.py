"""Fetches one address over HTTP, and lets nobody use that to look around in the network it runs in.

Knows HTTP (through httpcore), which addresses are on the public internet, and when to give up. Does not know what the
bytes are, or what becomes of them; what a site asks of programs is in `robots`.

The name of a host is resolved, every address it has is checked, and the connection goes to a checked address itself:
there is no second look-up that could answer differently. Proxies, cookies and log-ins of the environment are not used.

Errors:
    UnreadableError (in `document`)
      └─ FetchError (in `guard`): nothing was fetched; the message is the reason, one line, for the user
           ├─ GoneError: the server says that there is no such page (404, 410)
           └─ BlockedError (in `guard`): refused here, no connection was made to what was refused
"""

from __future__ import annotations

import http
import re
import ssl
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

import httpcore
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from ingest.document import MAX_BYTES, Visit
from ingest.fetching.connections import Backend, Clock, Resolve, TransientError, system_resolve
from ingest.fetching.guard import PORTS, BlockedError, FetchError, Guard, Hop, hop_of
from ingest.fetching.robots import Robots, Rules, Turns

USER_AGENT = "Viadoma/0.1"
ACCEPT = "text/html, application/xhtml+xml, text/*;q=0.9, application/xml;q=0.9, application/pdf;q=0.9, */*;q=0.5"
MAX_REDIRECTS = 5
MAX_RETRIES = 2  # of one fetch, over all its requests
MAX_PAUSE_SECONDS = 10.0  # a server that asks for a longer one is not asked again
MAX_ROBOTS_BYTES = 1_000_000  # RFC 9309 wants at least 500 KiB to be read
MAX_VALIDATOR = 1_000  # characters of an ETag that are worth keeping
# Pages shrink to a third or a tenth, nothing but a bomb to less than a hundredth (zeros: a thousandth). This stops one
# at 10 MB of memory, however much a document may have.
BOMB_BYTES, BOMB_RATIO = 10_000_000, 100
STEP = 1 << 18  # bytes decompressed at once

_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
_TRANSIENT = {429, 502, 503, 504}
_MEANINGS = {
    401: "it asks for a password",
    403: "it does not let this program in",
    404: "there is no such page",
    407: "the proxy asks for a password",
    410: "the page was taken away",
    429: "it was asked too often",
    451: "it may not show this, for legal reasons",
    500: "it failed",
    502: "a server behind it failed",
    503: "not available now",
    504: "a server behind it is silent",
}
_TYPES = re.compile(
    r"|text/.+|(application|binary)/octet-stream|message/rfc822|multipart/related|application/(.+\+(xml|json)|xml|json"
    r"|jsonl|x-ndjson|pdf|x-pdf|rtf|x-rtf|epub\+zip|zip|x-zip-compressed|gzip|x-gzip|warc|x-mimearchive"
    r"|vnd\.openxmlformats-officedocument\.wordprocessingml\.document|vnd\.oasis\.opendocument\.text)"
)


class GoneError(FetchError):
    """The server says that there is no such page (404) or no more (410)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server gave: `raw`, with its compression undone.

    `content_type` is lower case and without parameters, `charset` as in the same header; both are empty if it does not
    say. `unchanged`: the server said that it is as it was (304), and `raw` is empty. `moved`: there was a redirect, and
    all were permanent (301, 308), so `visit.final` is the address to remember.
    """

    visit: Visit
    raw: bytes
    content_type: str
    charset: str
    unchanged: bool
    moved: bool


# ---- answers


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case; values of one name joined by commas
    raw: bytes = b""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _content_type(header: str) -> tuple[str, str]:
    """Type and charset as a Content-Type header says them; empty what it does not say."""
    kind, _, parameters = header.partition(";")
    charset = re.search(r"(?:^|;)\s*charset\s*=\s*[\"']?([\w.:+-]{1,40})", parameters, re.I | re.A)
    kind = kind.partition(",")[0].strip().lower()
    return kind if "/" in kind else "", charset[1] if charset else ""


def _decoder(encoding: str) -> Callable[[int], zlib._Decompress] | None:
    """Makes a decompressor, given the first byte; None if there is nothing to decompress."""
    named = [name for name in re.split(r"[\s,]+", encoding.lower()) if name not in ("", "identity")]
    match named:
        case []:
            return None
        case ["gzip" | "x-gzip"]:
            return lambda _: zlib.decompressobj(31)
        case ["deflate"]:  # meant is zlib's format, which begins with an 8; some servers send the bare one
            return lambda first: zlib.decompressobj(15 if first & 15 == 8 else -15)
    raise FetchError(f"the server compresses in a way that was not asked for: {encoding[:100]}")


def _read(chunks: Iterable[bytes], encoding: str, limit: int) -> bytes:
    """The whole body, decompressed step by step; raises FetchError as soon as it goes beyond the limit (bytes)."""
    make, decoder = _decoder(encoding), None
    too_large = FetchError(f"it is larger than {limit:,} bytes")
    body, received = bytearray(), 0
    for chunk in chunks:
        received += len(chunk)
        if received > limit:
            raise too_large
        if make is None:
            body += chunk
            continue
        if decoder is None:
            decoder = make(chunk[0])
        rest, step = chunk, b""
        while rest or len(step) == STEP:
            try:
                step = decoder.decompress(rest, STEP)
            except zlib.error as error:
                raise FetchError(f"its compression is broken: {error}") from error
            body += step
            rest = decoder.unconsumed_tail
            if decoder.unused_data:
                raise FetchError("its compression is broken: data after its end")
            if len(body) > limit:
                raise too_large
            if len(body) > max(BOMB_BYTES, BOMB_RATIO * received):
                raise FetchError(f"it grows more than {BOMB_RATIO} times when decompressed")
    if decoder is not None and not decoder.eof:
        raise FetchError("its compression is broken: it ends too early")
    return bytes(body)


def _asked_pause(header: str) -> float | None:
    """Seconds that a Retry-After header asks for; None if it does not say."""
    if re.fullmatch(r"[0-9]+", header):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def _refusal(status: int) -> str:
    known = {entry.value: entry.phrase for entry in http.HTTPStatus}
    return f"the server answers {status}: {_MEANINGS.get(status) or known.get(status) or 'unknown'}"


# ---- the fetcher


@dataclass(slots=True)
class _Call:
    """What one fetch has at hand."""

    clock: Clock
    backend: Backend
    pool: httpcore.ConnectionPool
    headers: list[tuple[str, str]]
    retries: int = MAX_RETRIES

    def retried_enough(self, _: RetryCallState) -> bool:
        self.retries -= 1
        return self.retries < 0

    def pause_seconds(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.pause_seconds if isinstance(error, TransientError) else None
        return 0.5 * 2 ** (state.attempt_number - 1) if asked is None else asked


class Fetcher:
    """Fetches addresses. Several threads may use one; each host is asked by one of them at a time.

    `allow` opens what is not public: a host name, an IP address or a network such as 10.0.0.0/8, on ports 80 and 443;
    "host:port" opens that port of that host and no other. Malformed entries raise ValueError. Cloud metadata addresses
    stay shut.

    `timeout_seconds` is what the servers have for one fetch in all: looking up names, redirects, robots.txt, and the
    last byte of the body. The pauses made here do not count (between requests to one host: `delay_seconds`, or its
    Crawl-delay up to 10 s; before another try: up to 10 s). `max_bytes` holds for a body before and after
    decompression. `robots`: whether to ask for robots.txt and do as it says.

    `proxy` ("http://host:port", a user and password may precede the host) is used for everything; proxies named in the
    environment are not. A host is then looked up here and checked, but the proxy looks it up again, and could find
    something else; where it can't be looked up here, only its name is checked. So let the proxy itself refuse what is
    private.

    `resolve` gives a host's addresses. `trust` holds the certificate authorities; None: the system's and Mozilla's.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        proxy: str = "",
        timeout_seconds: float = 20.0,
        max_bytes: int = MAX_BYTES,
        delay_seconds: float = 1.0,
        robots: bool = True,
        resolve: Resolve = system_resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = Guard(allow)
        self._proxy = _proxy(proxy) if proxy else None
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._delay_seconds = delay_seconds
        self._robots = Robots() if robots else None
        self._resolve = resolve
        self._trust = httpcore.default_ssl_context() if trust is None else trust
        self._turns = Turns()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends its use. No connection outlives its fetch, so there is nothing to wait for."""
        self._closed = True

    def fetch(self, address: str, *, etag: str = "", last_modified: str = "") -> Fetched:
        """Fetches an address; `etag` and `last_modified` are those of the last visit, empty if there was none.

        Raises FetchError, GoneError or BlockedError; see the module's docstring.
        """
        if self._closed:
            raise RuntimeError("This fetcher is closed; make another one.")
        call = self._call(etag, last_modified)
        with call.pool:
            answer, final, moved = self._follow(call, hop_of(address), page=True)
        unchanged = answer.status == 304 and bool(etag or last_modified)
        if answer.status in (404, 410):
            raise GoneError(_refusal(answer.status))
        if answer.status != 200 and not unchanged:
            raise FetchError(_refusal(answer.status))
        visit = Visit(
            address=address,
            final=final.address,
            fetched=datetime.now(UTC).isoformat(timespec="seconds"),
            etag=_validator(answer.header("etag")) or (etag if unchanged else ""),
            last_modified=_validator(answer.header("last-modified")) or (last_modified if unchanged else ""),
        )
        content_type, charset = _content_type(answer.header("content-type"))
        return Fetched(visit, answer.raw, content_type, charset, unchanged, moved)

    def _call(self, etag: str, last_modified: str) -> _Call:
        clock = Clock(self._timeout_seconds)
        proxy = self._proxy
        backend = Backend(self._guard, self._resolve, clock, (proxy.host, proxy.port) if proxy else None)
        # no connection is kept for a second request: each is made, and checked, anew
        pool = (
            httpcore.HTTPProxy(
                httpcore.URL(scheme="http", host=proxy.host, port=proxy.port, target="/"),
                proxy_auth=proxy.login,
                ssl_context=self._trust,
                max_keepalive_connections=0,
                network_backend=backend,
            )
            if proxy
            else httpcore.ConnectionPool(ssl_context=self._trust, max_keepalive_connections=0, network_backend=backend)
        )
        conditions = (("If-None-Match", etag), ("If-Modified-Since", last_modified))
        return _Call(clock, backend, pool, [(name, value) for name, value in conditions if value])

    def _follow(self, call: _Call, hop: Hop, *, page: bool) -> tuple[_Answer, Hop, bool]:
        """Asks, and follows redirects. Gives the last answer, where it is from, and whether that is for good."""
        permanent: list[bool] = []
        for _ in range(MAX_REDIRECTS + 1):
            try:
                self._guard.look(hop.host, hop.port)
                delay = self._permission(call, hop) if page and self._robots else self._delay_seconds
                answer = self._retrying(call)(self._ask, call, hop, delay, page)
                if answer.status not in _REDIRECTS:
                    return answer, hop, bool(permanent) and all(permanent)
                permanent.append(answer.status in _PERMANENT)
                hop = _next(hop, answer.header("location"))
            except BlockedError as error:
                if not permanent:
                    raise
                raise BlockedError(f"it is redirected, and {error}") from error
        raise FetchError(f"it was redirected more than {MAX_REDIRECTS} times")

    def _retrying(self, call: _Call) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=call.retried_enough,
            wait=call.pause_seconds,
            sleep=call.clock.pause,
            reraise=True,
        )

    def _permission(self, call: _Call, hop: Hop) -> float:
        """The pause (seconds) that the site wants between requests; raises FetchError if it wants none at all."""
        assert self._robots
        rules = self._robots.rules(hop.origin, lambda: self._rules(call, hop))
        if rules.failure:
            raise FetchError(f"robots.txt can't be read, so nothing is fetched from {hop.host} now: {rules.failure}")
        if not rules.allow(hop.address):
            raise FetchError("the site's robots.txt does not allow it to be fetched")
        return max(self._delay_seconds, rules.delay_seconds())

    def _rules(self, call: _Call, hop: Hop) -> Rules:
        try:
            answer, _, _ = self._follow(call, replace(hop, target="/robots.txt"), page=False)
        except BlockedError:
            raise
        except FetchError as error:
            return Rules.unreadable(str(error))
        if answer.status == 200:
            return Rules.parse(answer.raw.decode("utf-8-sig", "replace"))
        return Rules.parse("") if 400 <= answer.status < 500 else Rules.unreadable(_refusal(answer.status))

    def _ask(self, call: _Call, hop: Hop, delay_seconds: float, page: bool) -> _Answer:
        """One request, when it is its turn; raises TransientError for what may go better at once."""
        headers = [
            ("Host", hop.authority),
            ("User-Agent", USER_AGENT),
            ("Accept", ACCEPT if page else "text/plain, */*;q=0.5"),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
            *(call.headers if page else []),
        ]
        raw_headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
        port = None if hop.port == PORTS[hop.scheme] else hop.port
        url = httpcore.URL(scheme=hop.scheme, host=hop.host, port=port, target=hop.target)
        with self._turns.turn(hop.host, delay_seconds) as waited:
            call.clock.leave_out(waited)
            if self._proxy:
                call.backend.check_proxied(hop.host, hop.port)
            try:
                with call.pool.stream("GET", url, headers=raw_headers) as response:
                    return self._answer(response, page)
            except httpcore.ProxyError as error:
                raise FetchError(f"the proxy can't reach it: {error}") from error
            except httpcore.ProtocolError as error:
                raise FetchError(f"the server does not keep to HTTP: {error}") from error
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                raise FetchError(f"the connection to {hop.host} failed: {error}") from error

    def _answer(self, response: httpcore.Response, page: bool) -> _Answer:
        headers = _headers(response.headers)
        if response.status in _TRANSIENT:
            pause = _asked_pause(headers.get("retry-after", ""))
            if pause is not None and pause > MAX_PAUSE_SECONDS:
                raise FetchError(f"{_refusal(response.status)}; it asks to be left alone for {pause:.0f} s")
            raise TransientError(_refusal(response.status), pause)
        if response.status != 200:
            return _Answer(response.status, headers)
        kind, _ = _content_type(headers.get("content-type", ""))
        if page and not _TYPES.fullmatch(kind):
            raise FetchError(f"the server sends {kind[:100]}, which is not a kind of article")
        limit = self._max_bytes if page else MAX_ROBOTS_BYTES
        declared = headers.get("content-length", "0")
        if len(declared) > 15 or int(declared) > limit:
            raise FetchError(f"it is larger than {limit:,} bytes")
        return _Answer(200, headers, _read(response.iter_stream(), headers.get("content-encoding", ""), limit))


@dataclass(frozen=True, slots=True)
class _Proxy:
    host: str
    port: int
    login: tuple[str, str] | None


def _proxy(address: str) -> _Proxy:
    try:
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("no such form")
        login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return _Proxy(parts.hostname, parts.port or 80, login)
    except ValueError as error:
        # the address itself may hold a password, and messages get about
        raise ValueError(f"the proxy's address can't be used ({error}): write http://host:port") from error


def _next(hop: Hop, location: str) -> Hop:
    """Where a redirect leads."""
    if not location:
        raise FetchError("it is redirected to nowhere")
    with suppress(UnicodeError):  # sent as UTF-8 by some servers, though a header is none
        location = location.encode("latin-1").decode("utf-8")
    try:
        address = urljoin(hop.address, location)
    except ValueError as error:
        raise BlockedError(f"this is not a web address: {error}") from error
    after = hop_of(address)
    if hop.scheme == "https" and after.scheme == "http":
        raise BlockedError("that is from https to http, where anyone on the way could change it")
    return after


def _validator(header: str) -> str:
    return header if len(header) <= MAX_VALIDATOR else ""
