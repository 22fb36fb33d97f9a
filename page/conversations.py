"""The answers of the conversations going on, so that they can be downloaded.

Knows them by names that can't be guessed, which only their own page is told; keeps them in memory alone. Does not know
the formats they are written in.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

from bot import Answer

MAX_ANSWERS = 500  # of all conversations together: some 100 MB if each cites ten long articles


class Conversations:
    """Answers by conversation and place. Safe to use from several threads.

    Beyond `max_answers` the conversation that was quiet for the longest is forgotten whole, never the latest one.
    """

    def __init__(self, max_answers: int = MAX_ANSWERS) -> None:
        self._max_answers = max_answers
        self._kept: OrderedDict[str, dict[int, Answer]] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def new_name() -> str:
        """A name for a conversation, of 192 random bits."""
        return secrets.token_urlsafe(24)

    def keep(self, name: str, place: int, answer: Answer) -> None:
        """Keeps the answer to a conversation's question number `place`, from 0; what stood there or later goes."""
        with self._lock:
            earlier = {at: one for at, one in self._kept.pop(name, {}).items() if at < place}
            self._kept[name] = {**earlier, place: answer}
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._max_answers:
                self._kept.popitem(last=False)

    def answers(self, name: str) -> tuple[Answer, ...]:
        """The answers of a conversation, oldest first; empty if there is none, or none any more."""
        with self._lock:
            return tuple(self._kept.get(name, {}).values())
