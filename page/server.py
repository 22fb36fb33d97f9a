"""The page over HTTP: whom it answers, what every response carries, and the routes beside the chat.

Knows the texts behind permanent links and the downloads. Does not know Gradio: the chat is mounted beside these routes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import Bot, LibraryError
from page.auth import BasicAuth
from page.conversations import Conversations, ConversationsError
from page.i18n import ENGLISH, LANGUAGES, translator
from page.source import changes_page, missing_page, source_page
from render import EXPORT_FORMATS

HERE = Path(__file__).parent
ADDRESS = "127.0.0.1"
HOSTS = ["127.0.0.1", "localhost", "[::1]"]
# Gradio's ways to files and to other hosts, in every language: nothing on this page needs them
CLOSED = re.compile(rf"(?:/(?:{'|'.join(LANGUAGES)}))?/+gradio_api/+(?:file|proxy)")
UPLOAD = "/gradio_api/upload"  # Gradio limits it itself
STREAM = "/gradio_api/queue/data"  # what Gradio's functions give, as it comes
MAX_BODY = 2_000_000  # bytes: the longest of conversations
BODY_TOO_LARGE = "This is more than a page of this program sends: begin a new conversation."
LANGUAGE_COOKIE = "viadoma-language"  # set in the browser, by a click on a language
VARY_LANGUAGE = "Accept-Language, Cookie"  # the headers that say which language a reader speaks
STOP_SECONDS = 3.0  # for answers in the making, once the program is told to stop
VERSION = re.compile(r"[1-9][0-9]{0,8}")
# The chat: nothing it shows may be fetched from elsewhere, whoever wrote it. Gradio builds its page with inline scripts
# and styles, and its HTML component with `new Function`.
CHAT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# An article's text: two files of our own and the empty icon in the page itself.
SOURCE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
DOWNLOAD_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
# fetch() sends its Origin under "same-origin", which the guard needs; a source's text sends nothing at all
CHAT_HEADERS = {
    "Content-Security-Policy": CHAT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class SecurityMiddleware:
    """Refuses what comes from other sites, what nothing needs, and whom the door, if there is one, does not let in.

    Gives every response its headers.
    """

    def __init__(self, app: ASGIApp, door: BasicAuth | None) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. The page has no web sockets: one is closed."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in CHAT_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        app = _refusal(scope) or self._stopped(scope) or _language_redirect(scope) or self._app
        # a tab that is closed in mid-upload is nobody's fault
        with suppress(ClientDisconnect):
            try:
                await app(scope, receive, guarded)
            except (KeyError, RuntimeError) as error:
                # Gradio tells a page that its session is gone, and then raises that too; where the page is gone itself,
                # it misses the session
                known = isinstance(error, KeyError) or isinstance(error.__cause__, HTTPException)
                if not (known and scope["path"].endswith(STREAM)):
                    raise
                await send({"type": "http.response.body", "body": b""})

    def _stopped(self, scope: Scope) -> ASGIApp | None:
        if self._door is None:
            return None
        client = scope["client"][0] if scope["client"] else ""
        seconds = self._door.wait(client, Headers(scope=scope).get("authorization", ""))
        if seconds is None:
            return None
        if seconds:
            wait = math.ceil(seconds)
            refusal = f"Too many wrong passwords: try again in {wait} seconds."
            return PlainTextResponse(refusal, 429, {"Retry-After": str(wait)})
        asked = {"WWW-Authenticate": 'Basic realm="Viadoma", charset="UTF-8"'}
        return PlainTextResponse("This page asks for a name and a password.", 401, asked)


def _refusal(scope: Scope) -> ASGIApp | None:
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    # the host is one of ours by now, so that equal is our own; another port of this machine is another site
    if origin is not None and origin.lower() != f"{scope['scheme']}://{headers['host']}".lower():
        return PlainTextResponse("This page takes requests from itself alone.", status_code=403)
    if not scope["path"].endswith(UPLOAD) and _size(headers, scope["method"]) > MAX_BODY:
        return JSONResponse({"detail": BODY_TOO_LARGE}, 413)  # as Gradio's page reads it
    if CLOSED.match(scope["path"]):
        return PlainTextResponse("This page gives no files.", status_code=403)
    return None


def _size(headers: Headers, method: str) -> float:
    """Bytes that a request says it sends; without end where it does not say."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit():
        return int(length)
    return 0 if method in ("GET", "HEAD") else math.inf


def _language_redirect(scope: Scope) -> ASGIApp | None:
    """The root in the reader's own language, unless that is English."""
    if scope["path"] != "/" or scope["method"] != "GET":
        return None
    request = Request(scope)
    spoken = _spoken(request)
    if spoken == ENGLISH:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{translator(spoken).address('/')}{query}", 302, {"Vary": VARY_LANGUAGE})


def _spoken(request: Request) -> str:
    """The language that a reader chose, else the first that their browser asks for, if the page speaks it."""
    accepted = request.headers.get("accept-language", "")
    first = accepted.partition(",")[0].partition(";")[0].strip().lower().partition("-")[0]
    wanted = request.cookies.get(LANGUAGE_COOKIE) or first
    return wanted if wanted in LANGUAGES else ENGLISH


def create_app(bot: Bot, conversations: Conversations, host: str, auth: BasicAuth | None) -> FastAPI:
    """The app with all but the chat: the sources' texts and the downloads, behind the guard.

    It is called by the names of this machine's own address and by `host`; where that means any address, by any name,
    since there a foreign page that is led here lacks the password.
    """

    def unavailable(request: Request, error: Exception) -> Response:
        return PlainTextResponse(translator(_spoken(request)).message(error), 503, CHAT_HEADERS)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for fault in (LibraryError, ConversationsError):
        app.add_exception_handler(fault, unavailable)
    # the last one added is asked first
    app.add_middleware(SecurityMiddleware, door=auth)
    hosts = ["*"] if auth and _is_any(host) else [*HOSTS, f"[{host}]" if ":" in host else host]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)

    def source(request: Request) -> Response:
        article_id, version = request.path_params["article"], request.path_params["version"]
        # a number that SQLite can't hold is no version
        record = bot.version_details(article_id, int(version)) if VERSION.fullmatch(version) else None
        headers = CHAT_HEADERS | {
            "Content-Security-Policy": SOURCE_POLICY,
            "Referrer-Policy": "no-referrer",
            "Vary": VARY_LANGUAGE,
        }
        words = translator(_spoken(request))
        if record is None:
            return Response(missing_page(article_id, version, words), 404, headers, "text/html")
        page = changes_page if request.url.path.endswith("/changes") else source_page
        shown = page(record, words)
        return Response(shown, headers=headers, media_type="text/html")

    def download(request: Request) -> Response:
        answers = conversations.answers(request.path_params["name"])
        chosen = EXPORT_FORMATS.get(request.path_params["format"])
        if chosen is None or not answers:
            return PlainTextResponse("These answers are no longer kept: ask again, and save them then.", 404)
        last = request.path_params["which"] == "last"
        name = f"viadoma-{'answer' if last else 'conversation'}{chosen.extension}"
        headers = CHAT_HEADERS | {
            "Content-Security-Policy": DOWNLOAD_POLICY,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        wanted = request.query_params.get("language", "")
        words = translator(wanted if wanted in LANGUAGES else _spoken(request))
        written = chosen.render(answers[-1:] if last else answers, words.message, words.language)
        return Response(written, headers=headers, media_type=chosen.media_type)

    def asset(request: Request) -> Response:
        return FileResponse(HERE / request.url.path[1:])

    app.add_route("/source/{article}/{version}", source)
    app.add_route("/source/{article}/{version}/changes", source)
    app.add_route("/answers/{name}/{which:str}/{format}", download)
    app.add_route("/source.css", asset)
    app.add_route("/source.js", asset)
    return app


def auth_for(host: str, credentials: str) -> BasicAuth | None:
    """The door of an account, None for an empty one; ValueError if there is none at an address others can reach."""
    if credentials:
        return BasicAuth(credentials)
    if host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback):
        return None
    raise ValueError(
        f"At {host} others can reach the page, so it must ask for a password: set VIADOMA_AUTH=name:password, or leave "
        "--host out."
    )


def address_of(host: str, taken: socket.socket) -> str:
    """Where a browser on this machine opens the page."""
    shown = {"0.0.0.0": ADDRESS, "::": "::1"}.get(host, host)  # noqa: S104 - not bound to, but replaced
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{taken.getsockname()[1]}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_any(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def bind_socket(host: str, port: int) -> socket.socket:
    """The port, taken before anything else is done. OSError or OverflowError with what to do if it can't be used."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if sys.platform != "win32":  # where it would let two programs share a port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except socket.gaierror as error:
        taken.close()
        raise OSError(f"{host} is no address of this machine: name another with --host.") from error
    except OSError as error:
        taken.close()
        what = "" if host == ADDRESS else f" at {host}"
        raise OSError(f"Port {port}{what} can't be used ({error.strerror}): name another with --port.") from error
    except OverflowError as error:
        taken.close()
        raise OverflowError(f"{port} is no port: name one up to 65535 with --port.") from error
    return taken


class Server(uvicorn.Server):
    """A server that says when it answers, and does not wait for ever to stop."""

    def __init__(self, app: FastAPI, *, ready: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False))
        self._ready = ready
        self._ending = ending

    def run_until_interrupted(self, taken: socket.socket) -> None:
        """Serves at a port until KeyboardInterrupt, which ends here.

        In a thread of its own, since an event loop waits for its threads, however long a model takes; by the time it
        has been given up here, its owner can cut the model off.
        """
        ended = threading.Event()

        def serve() -> None:
            try:
                self.run(sockets=[taken])
            finally:
                ended.set()

        threading.Thread(target=serve, daemon=True).start()
        try:
            # no join: Python 3.11 takes a thread for ended whose join was interrupted
            while not ended.wait(0.5):
                pass
        except KeyboardInterrupt:
            self.should_exit = True
            if not ended.wait(2 * STOP_SECONDS):
                # what it is still at finds all closed, which Gradio would print as a failure of the page
                sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to answer."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops to answer, after at most STOP_SECONDS."""
        self._ending()
        asyncio.get_running_loop().call_later(STOP_SECONDS, self._give_up)
        await super().shutdown(sockets)

    def _give_up(self) -> None:
        # a page whose stream breaks off says so and waits; Gradio, when it is cut off, would tell it an empty error
        for connection in list(self.server_state.connections):
            if connection.transport:
                connection.transport.abort()
        self.force_exit = True
        # what is cut off now would be reported as a failure of the app
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
