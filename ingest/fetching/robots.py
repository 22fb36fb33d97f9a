"""What sites ask of programs: their robots.txt, and not to be asked too much at once.

Knows robots.txt (RFC 9309, through protego) and when a host may be asked next. Does not know how anything is fetched:
it is given a way to read a robots.txt.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from protego import Protego

from language import Message

PRODUCT = "viadoma"  # the name that a robots.txt can speak to
MAX_CRAWL_DELAY_SECONDS = 10.0
KEPT_SECONDS = 24 * 3600.0  # RFC 9309, 2.4
FAILURE_KEPT_SECONDS = 60.0  # so that a hundred pages of a site that is down do not ask a hundred times


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """What one robots.txt says; `failure` is why it can't be read, None if it could."""

    parser: Protego
    failure: Message | None = None

    @classmethod
    def parse(cls, text: str) -> RobotsRules:
        """The rules in a text; an empty one allows everything."""
        return cls(Protego.parse(text))

    @classmethod
    def unreadable(cls, reason: Message) -> RobotsRules:
        """The rules of a site that can't say them now."""
        return cls(Protego.parse("User-agent: *\nDisallow: /"), reason)

    def allow(self, url: str) -> bool:
        """Whether this program may fetch the URL."""
        return self.parser.can_fetch(url, PRODUCT)

    def delay_seconds(self) -> float:
        """The pause between two requests that is asked for, cut at MAX_CRAWL_DELAY_SECONDS; 0 if none is."""
        return min(self.parser.crawl_delay(PRODUCT) or 0.0, MAX_CRAWL_DELAY_SECONDS)


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    rules: RobotsRules | None = None
    until: float = 0.0  # on the monotonic clock


class Robots:
    """The rules of every origin met so far; several threads may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origins: dict[str, _Kept] = {}

    def rules(self, origin: str, read: Callable[[], RobotsRules]) -> RobotsRules:
        """The rules of an origin ("https://host"), read the first time they are asked for and kept for a day.

        Those that could not be read are kept for a minute. What `read` raises is passed on, and nothing is kept.
        """
        with self._lock:
            kept = self._origins.setdefault(origin, _Kept())
        with kept.lock:
            if kept.rules is None or time.monotonic() >= kept.until:
                kept.rules = read()
                seconds = FAILURE_KEPT_SECONDS if kept.rules.failure else KEPT_SECONDS
                kept.until = time.monotonic() + seconds
            return kept.rules


@dataclass(slots=True)
class _Host:
    lock: threading.Lock = field(default_factory=threading.Lock)
    last: float = -math.inf  # when the last request to it ended, on the monotonic clock


class HostThrottle:
    """One request at a time per host, and a pause between two; several threads may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def slot(self, host: str, delay_seconds: float) -> Iterator[float]:
        """Waits until nobody else asks the host and its last request is `delay_seconds` ago; gives the seconds waited.

        The slot ends with the block.
        """
        began = time.monotonic()
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
        with state.lock:
            time.sleep(max(0.0, state.last + delay_seconds - time.monotonic()))
            try:
                yield time.monotonic() - began
            finally:
                state.last = time.monotonic()
