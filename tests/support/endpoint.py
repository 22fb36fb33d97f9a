"""A real HTTP server on loopback that speaks OpenAI's chat completions and says what a test tells it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Script:
    """What the server does: the texts it writes, one a request (the last again and again), and how it fails.

    `statuses` come first, one a request; `raw` is sent in place of a stream, as it is.
    """

    texts: list[str] = field(default_factory=lambda: [""])
    judgement: str = "supported"
    statuses: list[int] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    finish: str | None = "stop"  # None cuts the stream
    raw: bytes = b""
    structured: bool = True  # whether it takes a response_format
    pause_seconds: float = 0.0  # between two pieces
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def reply(self, prompt: str) -> str:
        """What the server writes to a prompt."""
        return self.judgement if "Does the quote prove" in prompt else self.next_text()

    def next_text(self) -> str:
        return self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]

    def prompt(self, place: int = -1) -> str:
        return str(self.requests[place]["messages"][-1]["content"])


@contextmanager
def endpoint(script: Script) -> Iterator[str]:
    """Runs the server; gives its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.requests.append(body)
            script.keys.append(self.headers.get("Authorization", ""))
            script.times.append(time.monotonic())
            status = script.statuses.pop(0) if script.statuses else 200
            if status == 200 and body.get("response_format") and not script.structured:
                self._whole(400, {"error": {"message": "response_format is not supported here"}})
            elif status != 200:
                said = {"message": f"no, {self.headers['Authorization']}", **script.error}
                self._whole(status, {"error": said}, script.headers)
            elif script.raw:
                self._send(200, script.raw, {"Content-Type": "text/event-stream"})
            else:
                self._stream(script.reply(script.prompt()))

        def _stream(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            # pieces that break inside words and names of fields, as a real model's do
            try:
                for start in range(0, len(text), 5):
                    self._piece({"content": text[start : start + 5]}, None)
                    time.sleep(script.pause_seconds)
                if script.finish:
                    self._piece({}, script.finish)
                    self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                pass  # the reader has hung up

        def _piece(self, delta: dict[str, str], finish: str | None) -> None:
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "scripted",
                "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}],
            }
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def _whole(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json", **(headers or {})})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
