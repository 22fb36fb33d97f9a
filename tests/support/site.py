"""Web servers on loopback, and what they were asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Self

from ingest.fetching import Fetcher

Headers = dict[str, str]
Response = tuple[int, Headers, bytes]
Respond = Callable[[str, Headers], Response]
TRUST = ssl.create_default_context()  # making one takes 30 ms
HTML = "text/html; charset=utf-8"
TEXT = "The ferry line between Norholm and Sandby opened on Monday. Its owner said 40 people came aboard.\n"
PAGE = f"<!doctype html><html><head><title>Ferry</title></head><body><p>{TEXT}</p></body></html>"


@dataclass
class Request:
    """What a site was asked, its headers in lower case, and the status it answered with, 0 until it does."""

    path: str
    headers: Headers
    status: int = 0


class Site:
    """A running server: it answers as `respond` says, else with `responses` by path; a held path once its event is set.

    Of `responses` one with an ETag is answered with 304 where the request names it. `requests` are all that came.
    """

    def __init__(self, port: int, respond: Respond | None = None) -> None:
        self.port = port
        self.respond = respond or self._stored
        self.responses: dict[str, Response] = {}
        self.held: dict[str, Event] = {}
        self.requests: list[Request] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def root(self) -> str:
        return f"http://{self.host}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    @property
    def pages(self) -> list[Request]:
        """What was asked beside robots.txt."""
        return [request for request in self.requests if request.path != "/robots.txt"]

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.pages]

    @property
    def statuses(self) -> list[tuple[str, int]]:
        return [(request.path, request.status) for request in self.pages]

    def at(self, path: str) -> str:
        return self.root + path

    def page(self, path: str, body: str | bytes = PAGE, content_type: str = "text/html", **headers: str) -> str:
        """Puts a page at a path, and gives its address."""
        raw = body if isinstance(body, bytes) else body.encode()
        self.responses[path] = (200, {"Content-Type": content_type, **headers}, raw)
        return self.at(path)

    def article(self, path: str, text: str) -> str:
        """Puts an article of some paragraphs at a path, with an ETag, and gives its address."""
        paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
        html = (
            '<!doctype html><html lang="en"><head><title>Norholm</title></head><body><article><h1>Norholm</h1>'
            f"{paragraphs}</article></body></html>"
        )
        return self.page(path, html, HTML, ETag=f'"{hash(html)}"')

    def redirect(self, path: str, place: str, status: int = 302) -> str:
        """Leads from a path to a place, and gives the path's address."""
        self.responses[path] = (status, {"Location": place}, b"")
        return self.at(path)

    def fetcher(self, **options: object) -> Fetcher:
        """One that may ask this server, and does so without pauses and robots.txt."""
        defaults: dict[str, object] = {"allow": [self.host], "delay_seconds": 0.0, "robots": False}
        return Fetcher(**(defaults | {"trust": TRUST} | options))  # type: ignore[arg-type]

    def _stored(self, path: str, headers: Headers) -> Response:
        status, own, body = self.responses.get(path, (404, {}, b""))
        if own.get("ETag") and headers.get("if-none-match") == own["ETag"]:
            return 304, own, b""
        return status, own, body

    def take(self, path: str, headers: Headers) -> Response:
        """The answer to a request, which is noted."""
        if held := self.held.get(path):
            held.wait(60)
        request = Request(path, headers)
        self.requests.append(request)
        response = self.respond(path, headers)
        request.status = response[0]
        return response

    @classmethod
    def talking(cls, port: int) -> Self:
        """One whose answers another writes byte by byte."""
        return cls(port, lambda *_: (0, {}, b""))


@contextmanager
def site(
    respond: Respond | None = None, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Site]:
    """Runs a web server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = served.take(
                self.path, {name.lower(): value for name, value in self.headers.items()}
            )
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers and status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the reader has hung up

        do_CONNECT = do_GET  # noqa: N815 - the interface's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # hung up in the handshake

    server = Server((address, port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served = Site(server.server_port, respond)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def talker(talk: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Runs a server that reads a request and then says, byte by byte, what `talk` does."""
    listening = socket.create_server(("127.0.0.1", 0))
    served = Site.talking(listening.getsockname()[1])

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the reader hangs up
            if not tls:
                serve(connection)
                return
            with tls.wrap_socket(connection, server_side=True) as wrapped:
                serve(wrapped)

    def serve(connection: socket.socket) -> None:
        request = connection.recv(65536)
        served.take(request.decode("latin-1").partition(" ")[2].partition(" ")[0], {})
        talk(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
