"""The events of an answer with a pulse between them.

A reader who stops an answer or goes away is noticed between two things that come, and a model may say nothing for half
a minute. Does not know what the events are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _End:
    """That no more comes, and the error that it ended in."""

    error: Exception | None = None


def pulsed(events: Iterator[T], first: float, most: float) -> Iterator[T | None]:
    """The events as they come, and None when none has come for `first` seconds, then for twice as long, up to `most`.

    They are made in a thread of their own. When this generator is closed, they end behind the one in the making.
    """
    came: SimpleQueue[T | _End] = SimpleQueue()
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
    wait = first
    try:
        while True:
            try:
                event = came.get(timeout=wait)
            except Empty:
                wait = min(2 * wait, most)
                yield None
                continue
            if not isinstance(event, _End):
                yield event
            elif event.error:
                raise event.error
            else:
                return
    finally:
        gone.set()
