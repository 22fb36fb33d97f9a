"""Readers who ask over HTTP, as the page itself asks, without a browser."""

from __future__ import annotations

import http.client
import json
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE_SECONDS = 100
EMPTY: dict[str, Any] = {"state": None, "browserstate": [], "chatbot": [], "dropdown": [], "textbox": ""}


@dataclass(frozen=True, slots=True)
class Desk:
    """A function of a page that is asked over HTTP: the page's host, the function's number, what it takes if not told.

    Readers are known by names, their sessions; what a session came to know stays with it.
    """

    host: str
    function: int
    taken: tuple[Any, ...]

    @classmethod
    def at(cls, address: str, name: str = "on_asked") -> Self:
        """The function of a name on the page at an address; without one, that which answers questions."""
        host = urlsplit(address).netloc
        with closing(http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)) as connection:
            connection.request("GET", "/config")
            config = json.loads(connection.getresponse().read())
        asked = next(one for one in config["dependencies"] if one["api_name"] == name)
        kinds = {one["id"]: one["type"] for one in config["components"]}
        return cls(host, asked["id"], tuple(EMPTY[kinds[one]] for one in asked["inputs"]))

    def join(self, reader: str, question: str = "", *, query: str = "") -> int:
        """Puts a question into the queue: 200, or the HTTP status of why not. `query` ends the page's address."""
        asked = {"role": "user", "content": [{"type": "text", "text": question}]}
        data = [self.taken[0], [asked], *self.taken[2:]] if question else self.taken
        body = json.dumps({"data": data, "fn_index": self.function, "session_hash": reader})
        with closing(http.client.HTTPConnection(self.host, timeout=PATIENCE_SECONDS)) as connection:
            connection.request("POST", f"/gradio_api/queue/join{query}", body, {"Content-Type": "application/json"})
            return connection.getresponse().status

    def events(self, reader: str) -> Generator[dict[str, Any], None, None]:
        """What comes for a reader; closing it, they go away."""
        with closing(http.client.HTTPConnection(self.host, timeout=PATIENCE_SECONDS)) as connection:
            connection.request("GET", f"/gradio_api/queue/data?session_hash={reader}")
            for line in connection.getresponse():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def ask(self, reader: str, question: str = "", *, query: str = "") -> str:
        """Asks and waits; all that came, as text, or "" if it is no whole answer."""
        if self.join(reader, question, query=query) != 200:
            return ""
        came = list(self.events(reader))
        whole = any(one["msg"] == "process_completed" and one["success"] for one in came)
        return json.dumps(came) if whole else ""

    @contextmanager
    def open(self, reader: str) -> Iterator[None]:
        """The connection that a browser holds as long as the page is open."""
        with closing(http.client.HTTPConnection(self.host, timeout=PATIENCE_SECONDS)) as connection:
            connection.request("GET", f"/gradio_api/heartbeat/{reader}")
            with closing(connection.getresponse()):
                yield
