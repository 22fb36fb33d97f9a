"""Fetching: connections that hostile addresses bring about, against httpx in the same run.

Nothing leaves the machine: a hook sees every connection before it is made, counts it, and stops all but those to
loopback. Names are looked up in a table.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from benchmarks.results import report
from ingest.document import UnreadableError
from ingest.fetching import Fetcher
from tests.support.addresses import HOSTILE, PLANTED

REBINDINGS = 50
REBINDING = "rebinding.example"

Fetch = Callable[[str], object]


class _World:
    """What programs meet: a table of names, a server that redirects, and a count of the connections they make."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []
        self.counting = False
        self.turn = 0
        self._really = socket.getaddrinfo
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.counting or event != "socket.connect" or not isinstance(arguments[1], tuple):
            return
        host, port = arguments[1][:2]
        self.made.append((host, port))
        if not ipaddress.ip_address(host).is_loopback:
            raise ConnectionRefusedError("counted, and stopped")

    def look_up(self, host: str | bytes | None, port: Any, *arguments: Any, **options: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host or ""
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return self._really(name, port, *arguments, **options)
        if name == REBINDING:  # a harmless answer, then the other, and so on
            self.turn += 1
            return self._really("127.0.0.1" if self.turn % 2 else "127.0.0.2", port, *arguments, **options)
        if name.rstrip(".").lower() == "localhost":
            return self._really("127.0.0.1", port, *arguments, **options)
        if name not in PLANTED and not name.replace(".", "").isalnum():
            raise socket.gaierror(f"no such host: {name}")
        if name in PLANTED:
            return [found for one in PLANTED[name] for found in self._really(one, port, *arguments, **options)]
        with contextlib.suppress(OSError):  # the short, octal and hexadecimal forms, which the system reads
            return self._really(socket.inet_ntoa(socket.inet_aton(name)), port, *arguments, **options)
        raise socket.gaierror(f"no such host: {name}")

    def count(self, fetch: Fetch, addresses: Sequence[str], expected: Sequence[tuple[str, int]] = ()) -> int:
        """Fetches all; gives how many connections were made to anywhere but the expected places."""
        self.made, self.turn, self.counting = [], 0, True
        try:
            with patch("socket.getaddrinfo", self.look_up):
                for address in addresses:
                    with contextlib.suppress(UnreadableError, httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
                        fetch(address)
        finally:
            self.counting = False
        return len([one for one in self.made if one not in expected])


@contextmanager
def _redirector() -> Iterator[int]:
    """A server whose page /N redirects to the Nth hostile address; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = HOSTILE[int(self.path[1:])] if self.path[1:].isdecimal() else ""
            self.send_response(302 if place else 200)
            if place:
                self.send_header("Location", place.translate({9: None, 10: None}).encode().decode("latin-1"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given them
    """Has both programs fetch every hostile address, be redirected to each, and meet a name that changes."""
    world = _World()
    with _redirector() as port, httpx.Client(follow_redirects=True, timeout=0.3, trust_env=False) as client:
        here = ("127.0.0.1", port)
        allow = [f"127.0.0.1:{port}"]
        steps = [f"http://127.0.0.1:{port}/{number}" for number in range(len(HOSTILE))]
        changing = [f"http://{REBINDING}:{port}/"] * REBINDINGS

        def checked(address: str) -> None:
            """What is often done instead: look the name up, check it, and hand it on."""
            if world.look_up(REBINDING, port)[0][4][0] == "127.0.0.1":
                client.get(address)

        with Fetcher(allow=allow, delay_seconds=0, timeout_seconds=2, robots=False) as fetcher:
            rows: list[Sequence[object]] = [
                [
                    "hostile addresses",
                    len(HOSTILE),
                    world.count(fetcher.fetch, HOSTILE),
                    world.count(client.get, HOSTILE),
                ],
                [
                    "redirects to them",
                    len(steps),
                    world.count(fetcher.fetch, steps, [here]),
                    world.count(client.get, steps, [here]),
                ],
                [
                    "a name that changes between two look-ups",
                    REBINDINGS,
                    world.count(fetcher.fetch, changing, [here]),
                    world.count(checked, changing, [here]),
                ],
            ]
    report(
        "fetching",
        "connections that should not be made",
        ["", "addresses", "Viadoma", "httpx"],
        rows,
        "Counted by an audit hook on `socket.connect`; only loopback was really connected to. The changing name "
        "belongs to an allowed address at every other look-up, and to another at the rest; there httpx is used behind "
        "a check of the name, as is common. Names that only exist within a cloud's network are not known here, so "
        "httpx made no connection for those.",
    )
