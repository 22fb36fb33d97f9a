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
    """What the server does: the texts it writes, one a request (the last again and again), and how it fails."""

    texts: list[str] = field(default_factory=lambda: [""])
    status: int = 200
    cut: bool = False  # ends the stream without a finish_reason
    pause_seconds: float = 0.0  # between two pieces
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def next_text(self) -> str:
        return self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]


@contextmanager
def endpoint(script: Script) -> Iterator[str]:
    """Runs the server; gives its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.requests.append(json.loads(body))
            script.keys.append(self.headers.get("Authorization", ""))
            if script.status != 200:
                self._whole(script.status, {"error": {"message": f"no, {self.headers['Authorization']}"}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            text = script.next_text()
            # pieces that break inside words and markers, as a real model's do
            for start in range(0, len(text), 5):
                self._piece({"content": text[start : start + 5]}, None)
                time.sleep(script.pause_seconds)
            if not script.cut:
                self._piece({}, "stop")
                self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

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

        def _whole(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
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
