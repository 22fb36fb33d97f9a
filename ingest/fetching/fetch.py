"""Fetches one address over HTTP, and lets nobody use that to look around in the network it runs in.

Knows requests, redirects, proxies, and when to give up. Does not know what the bytes are, or what becomes of them. What
is on the public internet is in `guard`, what a site asks of programs in `robots`, what servers answer in `responses`.

The name of a host is resolved, every address it has is checked, and the connection goes to a checked address itself:
there is no second look-up that could answer differently. Proxies, cookies and log-ins of the environment are not used.

Errors:
    UnreadableError (in `document`)
      └─ FetchError (in `guard`): nothing was fetched; the message is the reason, one line, for the user
           └─ BlockedError (in `guard`): refused here, no connection was made to what was refused
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

import httpcore
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from ingest.document import MAX_BYTES, FetchInfo
from ingest.fetching.connections import Backend, Deadline, Resolve, TransientError, system_resolve
from ingest.fetching.guard import PORTS, AddressPolicy, BlockedError, FetchError, NormalizedUrl, normalize_url
from ingest.fetching.responses import Response, content_type, read_response, status_text
from ingest.fetching.robots import HostThrottle, Robots, RobotsRules
from language import Message, message_of
from vectorstore.timestamps import utc_now

USER_AGENT = "Viadoma/0.1"
ACCEPT = "text/html, application/xhtml+xml, text/*;q=0.9, application/xml;q=0.9, application/pdf;q=0.9, */*;q=0.5"
MAX_REDIRECTS = 5
MAX_RETRIES = 2  # of one fetch, over all its requests
MAX_ROBOTS_BYTES = 1_000_000  # RFC 9309 wants at least 500 KiB to be read
MAX_VALIDATOR = 1_000  # characters of an ETag that are worth keeping

_REDIRECTS = {301, 302, 303, 307, 308}
_PAGE_TYPES = re.compile(
    r"|text/.+|(application|binary)/octet-stream|message/rfc822|multipart/related|application/(.+\+(xml|json)|xml|json"
    r"|jsonl|x-ndjson|pdf|x-pdf|rtf|x-rtf|epub\+zip|zip|x-zip-compressed|gzip|x-gzip|warc|x-mimearchive"
    r"|vnd\.openxmlformats-officedocument\.wordprocessingml\.document|vnd\.oasis\.opendocument\.text)"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server gave: `raw`, with its compression undone.

    `content_type` is lower case and without parameters, `charset` as in the same header; both are empty if it does not
    say. `unchanged`: the server said that it is as it was (304), and `raw` is empty.
    """

    info: FetchInfo
    raw: bytes
    content_type: str
    charset: str
    unchanged: bool


@dataclass(slots=True)
class _Call:
    """What one fetch works with."""

    deadline: Deadline
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
        self._guard = AddressPolicy(allow)
        self._proxy = _proxy(proxy) if proxy else None
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._delay_seconds = delay_seconds
        self._robots = Robots() if robots else None
        self._resolve = resolve
        self._trust = httpcore.default_ssl_context() if trust is None else trust
        self._throttle = HostThrottle()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends its use. No connection outlives its fetch, so there is nothing to wait for."""
        self._closed = True

    def fetch(self, url: str, *, etag: str = "", last_modified: str = "") -> Fetched:
        """Fetches a URL; `etag` and `last_modified` are those of the last time, empty if there was none.

        Raises FetchError or BlockedError; see the module's docstring.
        """
        if self._closed:
            raise RuntimeError("This fetcher is closed; make another one.")
        call = self._call(etag, last_modified)
        with call.pool:
            response, final_url = self._follow(call, normalize_url(url), page=True)
        unchanged = response.status == 304 and bool(etag or last_modified)
        if response.status != 200 and not unchanged:
            raise FetchError(status_text(response.status))
        headers = response.headers
        info = FetchInfo(
            url=url,
            final_url=str(final_url),
            fetched_at=utc_now(),
            etag=_validator(headers.get("etag", "")) or (etag if unchanged else ""),
            last_modified=_validator(headers.get("last-modified", "")) or (last_modified if unchanged else ""),
        )
        media_type, charset = content_type(headers.get("content-type", ""))
        return Fetched(info, response.raw, media_type, charset, unchanged)

    def _call(self, etag: str, last_modified: str) -> _Call:
        deadline = Deadline(self._timeout_seconds)
        proxy = self._proxy
        backend = Backend(self._guard, self._resolve, deadline, (proxy.host, proxy.port) if proxy else None)
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
        return _Call(deadline, backend, pool, [(name, value) for name, value in conditions if value])

    def _follow(self, call: _Call, url: NormalizedUrl, *, page: bool) -> tuple[Response, NormalizedUrl]:
        """Asks, and follows redirects. Gives the last response, and where it is from."""
        redirected = False
        for _ in range(MAX_REDIRECTS + 1):
            try:
                self._guard.look(url.host, url.port)
                delay = self._permission(call, url) if page and self._robots else self._delay_seconds
                response = self._retrying(call)(self._ask, call, url, delay, page)
                if response.status not in _REDIRECTS:
                    return response, url
                redirected = True
                url = _target(url, response.headers.get("location", ""))
            except BlockedError as error:
                if not redirected:
                    raise
                raise BlockedError(Message("it is redirected, and {why}", why=message_of(error))) from error
        raise FetchError(Message("it was redirected more than {count} times", count=MAX_REDIRECTS))

    def _retrying(self, call: _Call) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=call.retried_enough,
            wait=call.pause_seconds,
            sleep=call.deadline.pause,
            reraise=True,
        )

    def _permission(self, call: _Call, url: NormalizedUrl) -> float:
        """The pause (seconds) that the site wants between requests; raises FetchError if it wants none at all."""
        assert self._robots
        rules = self._robots.rules(url.origin, lambda: self._rules(call, url))
        if rules.failure:
            raise FetchError(
                Message(
                    "robots.txt can't be read, so nothing is fetched from {host} now: {why}",
                    host=url.host,
                    why=rules.failure,
                )
            )
        if not rules.allow(str(url)):
            raise FetchError(Message("the site's robots.txt does not allow it to be fetched"))
        return max(self._delay_seconds, rules.delay_seconds())

    def _rules(self, call: _Call, url: NormalizedUrl) -> RobotsRules:
        try:
            response, _ = self._follow(call, replace(url, target="/robots.txt"), page=False)
        except BlockedError:
            raise
        except FetchError as error:
            return RobotsRules.unreadable(message_of(error))
        if response.status == 200:
            return RobotsRules.parse(response.raw.decode("utf-8-sig", "replace"))
        return (
            RobotsRules.parse("")
            if 400 <= response.status < 500
            else RobotsRules.unreadable(status_text(response.status))
        )

    def _ask(self, call: _Call, url: NormalizedUrl, delay_seconds: float, page: bool) -> Response:
        """One request, when its host may be asked; raises TransientError for what may go better at once."""
        headers = [
            ("Host", url.authority),
            ("User-Agent", USER_AGENT),
            ("Accept", ACCEPT if page else "text/plain, */*;q=0.5"),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
            *(call.headers if page else []),
        ]
        raw_headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
        port = None if url.port == PORTS[url.scheme] else url.port
        target = httpcore.URL(scheme=url.scheme, host=url.host, port=port, target=url.target)
        limit, accepted = (self._max_bytes, _PAGE_TYPES) if page else (MAX_ROBOTS_BYTES, None)
        with self._throttle.slot(url.host, delay_seconds) as waited:
            call.deadline.extend(waited)
            if self._proxy:
                call.backend.check_proxied(url.host, url.port)
            try:
                with call.pool.stream("GET", target, headers=raw_headers) as response:
                    return read_response(response, limit, accepted)
            except httpcore.ProxyError as error:
                raise FetchError(Message("the proxy can't reach it: {why}", why=message_of(error))) from error
            except httpcore.ProtocolError as error:
                raise FetchError(Message("the server does not keep to HTTP: {why}", why=message_of(error))) from error
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failed = Message("the connection to {host} failed: {why}", host=url.host, why=message_of(error))
                raise FetchError(failed) from error


@dataclass(frozen=True, slots=True)
class _Proxy:
    host: str
    port: int
    login: tuple[str, str] | None


def _proxy(address: str) -> _Proxy:
    try:
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(Message("no such form"))
        login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return _Proxy(parts.hostname, parts.port or 80, login)
    except ValueError as error:
        # the address itself may hold a password, and messages get about
        unusable = Message("the proxy's URL can't be used ({why}): write http://host:port", why=message_of(error))
        raise ValueError(unusable) from error


def _target(url: NormalizedUrl, location: str) -> NormalizedUrl:
    """Where a redirect leads."""
    if not location:
        raise FetchError(Message("it is redirected to nowhere"))
    with suppress(UnicodeError):  # sent as UTF-8 by some servers, though a header is none
        location = location.encode("latin-1").decode("utf-8")
    try:
        joined = urljoin(str(url), location)
    except ValueError as error:
        raise BlockedError(Message("this is not a URL: {why}", why=message_of(error))) from error
    target = normalize_url(joined)
    if url.scheme == "https" and target.scheme == "http":
        raise BlockedError(Message("that is from https to http, where anyone on the way could change it"))
    return target


def _validator(header: str) -> str:
    return header if len(header) <= MAX_VALIDATOR else ""
