"""Fetches one address over HTTP, and lets nobody use that to look around in the network it runs in.

Knows HTTP (through httpcore), which addresses are on the public internet, and when to give up. Does not know what the
bytes are, or what becomes of them; what a site asks of programs is in `robots`.

The name of a host is resolved, every address it has is checked, and the connection goes to a checked address itself:
there is no second look-up that could answer differently. Proxies, cookies and log-ins of the environment are not used.

Errors:
    UnreadableError (in `document`)
      └─ FetchError: nothing was fetched; the message is the reason, one line, for the user
           ├─ GoneError: the server says that there is no such page (404, 410)
           └─ BlockedError: refused here, no connection was made to what was refused
"""

from __future__ import annotations

import http
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpcore
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from ingest.document import MAX_BYTES, UnreadableError, Visit
from ingest.robots import Robots, Rules, Turns

USER_AGENT = "Viadoma/0.1"
ACCEPT = "text/html, application/xhtml+xml, text/*;q=0.9, application/xml;q=0.9, application/pdf;q=0.9, */*;q=0.5"
MAX_REDIRECTS = 5
MAX_RETRIES = 2  # of one fetch, over all its requests
MAX_PAUSE_SECONDS = 10.0  # a server that asks for a longer one is not asked again
MAX_ADDRESS = 4_000  # characters
MAX_ROBOTS_BYTES = 1_000_000  # RFC 9309 wants at least 500 KiB to be read
MAX_VALIDATOR = 1_000  # characters of an ETag that are worth keeping
PROXIED_LOOKUP_SECONDS = 5.0
# Pages shrink to a third or a tenth, nothing but a bomb to less than a hundredth (zeros: a thousandth). This stops one
# at 10 MB of memory, however much a document may have.
BOMB_BYTES, BOMB_RATIO = 10_000_000, 100
STEP = 1 << 18  # bytes decompressed at once

_PORTS = {"http": 80, "https": 443}
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

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]

# The registries of special addresses (RFC 6890 and after). In IPv6 only 2000::/3 is handed out, which leaves out mapped
# and compatible IPv4, NAT64, unique and site-local, link-local and multicast; these are the exceptions within it.
_NOT_PUBLIC: tuple[_Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo is in the first
    )
)
_HANDED_OUT = ipaddress.IPv6Network("2000::/3")
_ISATAP = {0x00005EFE, 0x02005EFE}  # the upper half of the interface id; the lower is an IPv4 address
# Where clouds tell their machines their secrets (AWS, ECS, Google, Azure, Oracle, Alibaba): not even when allowed.
_METADATA: set[_Address] = {
    ipaddress.ip_address(text)
    for text in (
        *("169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "100.100.100.200"),
        *("fd00:ec2::254", "fd20:ce::254"),
    )
}
_LOCAL_NAMES = re.compile(
    r"[^.]*|(.*\.)?(localhost|local|internal|localdomain|home\.arpa)|metadata\.(goog|tencentyun\.com|packet\.net)"
)


class FetchError(UnreadableError):
    """An address that could not be fetched; the message says why."""


class GoneError(FetchError):
    """The server says that there is no such page (404) or no more (410)."""


class BlockedError(FetchError):
    """An address that is not fetched: nothing was connected to."""


class _TransientError(FetchError):
    """What may well go better at once; `pause_seconds` is what the server asks for."""

    def __init__(self, message: str, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


class _UnknownHostError(FetchError):
    """A name that has no address."""


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


def system_resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the system finds them, best first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


# ---- which addresses may be asked


@dataclass(frozen=True, slots=True)
class _Hop:
    """One address on the way, in the one spelling that is asked for."""

    scheme: str
    host: str
    port: int
    target: str  # path and query

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def address(self) -> str:
        return self.origin + self.target


def _hop(address: str) -> _Hop:
    """Takes an address apart; raises BlockedError for all that is not a plain web address."""
    address = address.strip()
    if len(address) > MAX_ADDRESS:
        raise BlockedError(f"the address is {len(address)} characters long, more than {MAX_ADDRESS}")
    if re.search(r"[\x00-\x1f\x7f]", address):
        raise BlockedError("the address has control characters in it")
    try:
        parts = urlsplit(address)
        port = parts.port
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~[]")
        if parts.query:
            target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~[]?")
    except ValueError as error:
        raise BlockedError(f"this is not a web address: {error}") from error
    if parts.scheme not in _PORTS:
        raise BlockedError(f"only http and https addresses are fetched, not {parts.scheme or 'one without either'}")
    if "@" in parts.netloc:
        raise BlockedError("the address has a user name or password in it; take them out")
    return _Hop(parts.scheme, _host(parts.hostname or ""), _PORTS[parts.scheme] if port is None else port, target)


def _host(host: str) -> str:
    """A host in its one spelling: a name in ASCII, or an IP address; raises BlockedError for every other way."""
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError as error:
            raise BlockedError(f"{host!r} is not an IP address") from error
        if address.scope_id:
            raise BlockedError(f"{host} is an address within the network only")
        return str(address)
    try:
        # brings full-width and circled letters, digits and dots back to plain ones too
        name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise BlockedError(f"{host!r} is not the name of a host") from error
    labels = name.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise BlockedError(f"{host} hides an IP address; write it as four decimal numbers") from error
    if len(name) > 253 or not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels):
        raise BlockedError(f"{host!r} is not the name of a host")
    return name


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _public(address: _Address) -> bool:
    if any(address in network for network in _NOT_PUBLIC):
        return False
    if address.version == 6 and (address not in _HANDED_OUT or int(address) >> 32 & 0xFFFFFFFF in _ISATAP):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class _Opening:
    """An entry of what is allowed: a name or a network, on one port or (None) on 80 and 443."""

    name: str
    network: _Network | None
    port: int | None

    @classmethod
    def parse(cls, entry: str) -> _Opening:
        try:
            if "/" in entry:
                return cls("", ipaddress.ip_network(entry.strip()), None)
            if address := _literal(entry.strip()):
                return cls("", ipaddress.ip_network(address), None)
            parts = re.fullmatch(r"(?:\[([^\]]+)\]|([^:@\[\]]+))(?::([0-9]{1,5}))?", entry.strip())
            if parts is None or (parts[3] and not 0 < int(parts[3]) < 65536):
                raise ValueError("no such form")
            host = _host(parts[1] or parts[2])
            address, port = _literal(host), int(parts[3]) if parts[3] else None
            return cls("", ipaddress.ip_network(address), port) if address else cls(host, None, port)
        except ValueError as error:
            forms = "a host, host:port, an IP address or a network such as 10.0.0.0/8"
            raise ValueError(f"{entry!r} can't be allowed ({error}): write {forms}") from error

    def opens(self, port: int) -> bool:
        return port in _PORTS.values() if self.port is None else port == self.port

    def holds(self, host: str, address: _Address) -> bool:
        return self.name == host if self.network is None else address in self.network


class _Guard:
    """Says which hosts may be connected to."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._openings = [_Opening.parse(entry) for entry in allow]

    def look(self, host: str, port: int) -> None:
        """Refuses what can be refused without asking for the host's addresses."""
        if address := _literal(host):
            self.check(host, port, [str(address)])
            return
        openings = [opening for opening in self._openings if opening.opens(port)]
        if any(opening.name == host for opening in openings):
            return
        if _LOCAL_NAMES.fullmatch(host):
            raise BlockedError(f"{host} is a name within a network, not on the public internet")
        if port not in _PORTS.values() and not any(opening.network for opening in openings):
            raise _shut(port)

    def check(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Refuses the host if any of its addresses may not be connected to."""
        for text in addresses:
            address = _literal(text)
            if address is None or address in _METADATA or getattr(address, "ipv4_mapped", None):
                raise BlockedError(f"{host} is at {text}, which is never fetched from")
            openings = [opening for opening in self._openings if opening.holds(host, address)]
            if any(opening.opens(port) for opening in openings):
                continue
            if not openings and not _public(address):
                raise BlockedError(f"{host} is at {text}, which is not on the public internet")
            if port not in _PORTS.values() or not _public(address):
                raise _shut(port)


def _shut(port: int) -> BlockedError:
    return BlockedError(f"port {port} is not fetched from; only 80 and 443 are, and what is allowed as host:port")


# ---- connections that go where they may, and end in time


class _Clock:
    """The time that servers have left in one fetch."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds, at most `most`; raises FetchError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.over()
        return left if most is None else min(left, most)

    def over(self) -> FetchError:
        return FetchError(f"the server is too slow: it was not done in {self._seconds:g} s")

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)
        self.leave_out(seconds)

    def leave_out(self, seconds: float) -> None:
        self._end += seconds

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Names what ends a connection: the time, or a reset that is worth another try."""
        try:
            yield
        except httpcore.TimeoutException as error:
            raise self.over() from error
        except (httpcore.ReadError, httpcore.ConnectError) as error:
            if isinstance(error.__cause__, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
                raise _TransientError("the connection was reset") from error
            raise


class _Stream(httpcore.NetworkStream):
    """A connection on which no operation outlasts the clock: a time-out for each alone never ends a drip."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._clock.watch():
            return self._stream.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with self._clock.watch():
            self._stream.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with self._clock.watch():
            inner = self._stream.start_tls(ssl_context, server_hostname, self._clock.left(timeout))
        return _Stream(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Makes the connections of one fetch, each to an address that was checked a moment ago."""

    def __init__(self, guard: _Guard, resolve: Resolve, clock: _Clock, proxy: tuple[str, int] | None) -> None:
        self._guard = guard
        self._resolve = resolve
        self._clock = clock
        self._proxy = proxy
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self.lookup(host, port, self._clock.left())
        if (host, port) != self._proxy:
            self._guard.check(host, port, addresses)
        for place, address in enumerate(addresses):
            left = self._clock.left(timeout) / (len(addresses) - place)  # one that is silent leaves time for the next
            try:
                with self._clock.watch():
                    stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(stream, self._clock)
            except (httpcore.ConnectError, FetchError):
                if place == len(addresses) - 1:
                    raise
        raise _UnknownHostError(f"{host} has no address")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's interface, like the next
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        raise BlockedError(f"{path} is not on the web")

    def check_proxied(self, host: str, port: int) -> None:
        """Checks a host that a proxy will connect to, as far as it can be seen from here."""
        with suppress(_UnknownHostError):
            self._guard.check(host, port, self.lookup(host, port, self._clock.left(PROXIED_LOOKUP_SECONDS)))

    def lookup(self, host: str, port: int, seconds: float) -> list[str]:
        """The addresses of a host. Looks them up in a thread, since the system's look-up can't be stopped."""
        if _literal(host):
            return [host]
        answer: Future[list[str]] = Future()

        def look_up() -> None:
            try:
                answer.set_result(self._resolve(host, port))
            except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
                answer.set_exception(error)

        threading.Thread(target=look_up, daemon=True).start()
        try:
            addresses = answer.result(seconds)
        except TimeoutError as error:
            raise _UnknownHostError(f"the address of {host} was not found in {seconds:.0f} s") from error
        except (OSError, UnicodeError) as error:
            raise _UnknownHostError(f"{host} can't be found: is the name right, and is there a network?") from error
        if not addresses:
            raise _UnknownHostError(f"{host} has no address")
        return addresses


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

    clock: _Clock
    backend: _Backend
    pool: httpcore.ConnectionPool
    headers: list[tuple[str, str]]
    retries: int = MAX_RETRIES

    def retried_enough(self, _: RetryCallState) -> bool:
        self.retries -= 1
        return self.retries < 0

    def pause_seconds(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.pause_seconds if isinstance(error, _TransientError) else None
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
        self._guard = _Guard(allow)
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
            answer, final, moved = self._follow(call, _hop(address), page=True)
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
        clock = _Clock(self._timeout_seconds)
        proxy = self._proxy
        backend = _Backend(self._guard, self._resolve, clock, (proxy.host, proxy.port) if proxy else None)
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

    def _follow(self, call: _Call, hop: _Hop, *, page: bool) -> tuple[_Answer, _Hop, bool]:
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
            retry=retry_if_exception_type(_TransientError),
            stop=call.retried_enough,
            wait=call.pause_seconds,
            sleep=call.clock.pause,
            reraise=True,
        )

    def _permission(self, call: _Call, hop: _Hop) -> float:
        """The pause (seconds) that the site wants between requests; raises FetchError if it wants none at all."""
        assert self._robots
        rules = self._robots.rules(hop.origin, lambda: self._rules(call, hop))
        if rules.failure:
            raise FetchError(f"robots.txt can't be read, so nothing is fetched from {hop.host} now: {rules.failure}")
        if not rules.allow(hop.address):
            raise FetchError("the site's robots.txt does not allow it to be fetched")
        return max(self._delay_seconds, rules.delay_seconds())

    def _rules(self, call: _Call, hop: _Hop) -> Rules:
        try:
            answer, _, _ = self._follow(call, replace(hop, target="/robots.txt"), page=False)
        except BlockedError:
            raise
        except FetchError as error:
            return Rules.unreadable(str(error))
        if answer.status == 200:
            return Rules.parse(answer.raw.decode("utf-8-sig", "replace"))
        return Rules.parse("") if 400 <= answer.status < 500 else Rules.unreadable(_refusal(answer.status))

    def _ask(self, call: _Call, hop: _Hop, delay_seconds: float, page: bool) -> _Answer:
        """One request, when it is its turn; raises _TransientError for what may go better at once."""
        headers = [
            ("Host", hop.authority),
            ("User-Agent", USER_AGENT),
            ("Accept", ACCEPT if page else "text/plain, */*;q=0.5"),
            ("Accept-Encoding", "gzip"),
            ("Connection", "close"),
            *(call.headers if page else []),
        ]
        raw_headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
        port = None if hop.port == _PORTS[hop.scheme] else hop.port
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
            raise _TransientError(_refusal(response.status), pause)
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


def _next(hop: _Hop, location: str) -> _Hop:
    """Where a redirect leads."""
    if not location:
        raise FetchError("it is redirected to nowhere")
    with suppress(UnicodeError):  # sent as UTF-8 by some servers, though a header is none
        location = location.encode("latin-1").decode("utf-8")
    try:
        address = urljoin(hop.address, location)
    except ValueError as error:
        raise BlockedError(f"this is not a web address: {error}") from error
    after = _hop(address)
    if hop.scheme == "https" and after.scheme == "http":
        raise BlockedError("that is from https to http, where anyone on the way could change it")
    return after


def _validator(header: str) -> str:
    return header if len(header) <= MAX_VALIDATOR else ""
