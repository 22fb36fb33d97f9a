"""Who may come in: one name with its password, which the browser asks for (HTTP Basic, RFC 7617).

Knows how often somebody gave a wrong one. Does not know what is behind the door.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

LEAST_PASSWORD = 8  # characters
FREE_FAILURES = 5  # wrong ones that cost nothing: people mistype
LONGEST_WAIT = 300.0  # seconds
CLIENTS = 10_000  # of which failures are remembered, the last ones


class BasicAuth:
    """Lets in who knows the account, and makes those wait who guess at it. Not for use from several threads."""

    def __init__(self, credentials: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`credentials` is "name:password". ValueError for one that is none, or whose password is too short."""
        name, _, password = credentials.partition(":")
        if not name or len(password) < LEAST_PASSWORD:
            raise ValueError(
                f"VIADOMA_AUTH is no account: set it to name:password, the password of {LEAST_PASSWORD} characters or "
                "more."
            )
        self._credentials = credentials.encode()
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, and when the next may be tried

    def wait(self, client: str, authorization: str) -> float | None:
        """Whether a client with this header may come in: None if so, else the seconds to wait before the next try.

        The wait doubles with every wrong try after the first FREE_FAILURES; a right one within it does not count, or
        guessing would go on meanwhile.
        """
        if not authorization:
            return 0.0
        now = self._clock()
        failures, until = self._failures.get(client, (0, 0.0))
        if now < until:
            return until - now
        if hmac.compare_digest(_credentials_in(authorization), self._credentials):
            self._failures.pop(client, None)
            return None
        failures += 1
        seconds = min(2.0 ** (failures - FREE_FAILURES), LONGEST_WAIT) if failures > FREE_FAILURES else 0.0
        self._failures[client] = failures, now + seconds
        self._failures.move_to_end(client)
        if len(self._failures) > CLIENTS:
            self._failures.popitem(last=False)
        return seconds


def _credentials_in(authorization: str) -> bytes:
    """The name and password of a header; empty if it holds none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""
