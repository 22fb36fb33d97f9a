"""The events of an answer with a pulse between them.

A reader who stops an answer or goes away is noticed between two things that come, and a model may say nothing for half
a minute. Does not know what the events are, nor who reads them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    """That no more comes, and the error that it ended in."""

    error: Exception | None = None


class AnswerStream:
    """Somebody's reading of events, which somebody else can end."""

    def __init__(self) -> None:
        """One that has begun."""
        self.cancelled = self.silent = False
        self._came: SimpleQueue[Any] = SimpleQueue()
        self._over = threading.Event()

    def cancel(self, seconds: float, *, silent: bool) -> None:
        """Has it end, and waits for that, but not longer; a silent one says nothing more."""
        self.cancelled, self.silent = True, silent
        self._came.put(None)
        self._over.wait(seconds)

    def end(self) -> None:
        """Says that it has ended."""
        self._over.set()

    def with_heartbeat(self, events: Iterator[T], seconds: float) -> Iterator[T | None]:
        """The events as they come, and None whenever none has come for so long.

        None comes at once when the reader is to leave. The events are made in a thread of their own. When this
        generator is closed, they end behind the one in the making.
        """
        came = self._came
        gone = threading.Event()

        def make() -> None:
            end = _End()
            try:
                for event in events:
                    came.put(event)
                    if gone.is_set():
                        break
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                end = _End(error)
            came.put(end)

        threading.Thread(target=make, daemon=True).start()
        try:
            while True:
                try:
                    event = came.get(timeout=seconds)
                except Empty:
                    event = None
                if not isinstance(event, _End):
                    yield event
                elif event.error:
                    raise event.error
                else:
                    return
        finally:
            gone.set()
