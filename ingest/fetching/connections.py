"""Connections that go to checked addresses only, and end in time.

Knows look-ups, sockets (through httpcore) and a deadline for all of one fetch. Does not know HTTP.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import httpcore

from ingest.fetching.guard import AddressPolicy, BlockedError, FetchError, literal
from language import Message

PROXIED_LOOKUP_SECONDS = 5.0

Resolve = Callable[[str, int], list[str]]


class TransientError(FetchError):
    """What may well go better at once; `pause_seconds` is what the server asks for."""

    def __init__(self, message: Message, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


class UnknownHostError(FetchError):
    """A name that has no address."""


def system_resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the system finds them, best first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Deadline:
    """The time that servers have left in one fetch."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self, most: float | None = None) -> float:
        """Seconds, at most `most`; raises FetchError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.exceeded()
        return left if most is None else min(left, most)

    def exceeded(self) -> FetchError:
        """What to raise when the time is over."""
        return FetchError(Message("the server is too slow: it was not done in {seconds} s", seconds=self._seconds))

    def pause(self, seconds: float) -> None:
        """Waits, without its counting."""
        time.sleep(seconds)
        self.extend(seconds)

    def extend(self, seconds: float) -> None:
        """Gives the server back what was not its doing."""
        self._end += seconds

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Names what ends a connection: the time, or a reset that is worth another try."""
        try:
            yield
        except httpcore.TimeoutException as error:
            raise self.exceeded() from error
        except (httpcore.ReadError, httpcore.ConnectError) as error:
            if isinstance(error.__cause__, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
                raise TransientError(Message("the connection was reset")) from error
            raise


class _Stream(httpcore.NetworkStream):
    """A connection on which no operation outlasts the deadline: a time-out for each alone never ends a drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._deadline.watch():
            return self._stream.read(max_bytes, self._deadline.remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with self._deadline.watch():
            self._stream.write(buffer, self._deadline.remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with self._deadline.watch():
            inner = self._stream.start_tls(ssl_context, server_hostname, self._deadline.remaining(timeout))
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Makes the connections of one fetch, each to an address that was checked a moment ago."""

    def __init__(
        self, guard: AddressPolicy, resolve: Resolve, deadline: Deadline, proxy: tuple[str, int] | None
    ) -> None:
        self._guard = guard
        self._resolve = resolve
        self._deadline = deadline
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
        """As httpcore wants it; looks the host up, checks it and connects to a checked address."""
        addresses = self.lookup(host, port, self._deadline.remaining())
        if (host, port) != self._proxy:
            self._guard.check(host, port, addresses)
        for place, address in enumerate(addresses):
            # one that is silent leaves time for the next
            left = self._deadline.remaining(timeout) / (len(addresses) - place)
            try:
                with self._deadline.watch():
                    stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, FetchError):
                if place == len(addresses) - 1:
                    raise
        raise UnknownHostError(Message("{host} has no address", host=host))

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's interface, like the next
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Refuses: nothing on this machine is fetched."""
        raise BlockedError(Message("{path} is not on the web", path=path))

    def check_proxied(self, host: str, port: int) -> None:
        """Checks a host that a proxy will connect to, as far as it can be seen from here."""
        with suppress(UnknownHostError):
            self._guard.check(host, port, self.lookup(host, port, self._deadline.remaining(PROXIED_LOOKUP_SECONDS)))

    def lookup(self, host: str, port: int, seconds: float) -> list[str]:
        """The addresses of a host. Looks them up in a thread, since the system's look-up can't be stopped."""
        if literal(host):
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
            late = Message("the address of {host} was not found in {seconds} s", host=host, seconds=round(seconds))
            raise UnknownHostError(late) from error
        except (OSError, UnicodeError) as error:
            unknown = Message("{host} can't be found: is the name right, and is there a network?", host=host)
            raise UnknownHostError(unknown) from error
        if not addresses:
            raise UnknownHostError(Message("{host} has no address", host=host))
        return addresses
