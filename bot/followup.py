"""History -> a question that stands alone.

Knows which questions lean on earlier ones. Does not know articles, search or any model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.answer import Turn

HISTORY_TURNS = 6  # more than that back, a conversation is about something else
# Words that point at something said before, in English, Russian and Belarusian.
POINTING = frozenset(
    word
    for line in (
        "he him his she her hers it its they them their theirs this that these those there then one ones same such",
        "former latter other others another else also too both either neither sure",
        "он его ему им нём него она ее её ей ней нее неё они их ними них это этот эта эти этого этой этих тот та те",
        "того там тогда тоже также оба обе другой другая другие ещё еще",
        "ён яго яму ім яна яе ёй яны іх імі гэта гэты гэтая гэтыя той тая тыя тады таксама абодва іншы іншая",
        "іншыя яшчэ",
    )
    for word in line.split()
)
OPENING = re.compile(
    r"(?:and|but|so|or|then|what about|how about|why|why not|when|where|who|since when|until when|how so|really|"
    r"а|и|но|или|почему|зачем|когда|где|кто|і|ды|але|ці|чаму|калі|дзе|хто)\b",
    re.I,
)
JOINING = re.compile(r"(?:and|but|so|or|then|also|what about|how about|а|и|но|или|і|ды|але)\b[\s,]*", re.I)
WORD = re.compile(r"[^\W_]+")
# A name, a number or a word of its own kind: what a question needs to be about something.
NAME = re.compile(r"(?<!^)(?<![.?!]\s)\b(?:[^\W\d_a-zа-яёіў][^\W_]+|\d+)")


def leans_on_history(question: str) -> bool:
    """Whether the question can't be understood without the ones before it."""
    words = [word.lower() for word in WORD.findall(question)]
    if JOINING.match(question.strip()):
        return True
    pointing = [word for word in words if word in POINTING]
    named = NAME.search(question.strip())
    if pointing and not (named and len(words) > 8):
        return True
    return len(words) <= 3 and not named and bool(OPENING.match(question.strip()))


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the earlier ones it leans on (oldest first; empty if it stands alone)."""

    text: str
    context: tuple[str, ...]

    @property
    def query(self) -> str:
        """What is searched: a line each, the question itself last (see `HybridRetriever`)."""
        return "\n".join([*self.context, self.text])


def standalone(question: str, history: Sequence[Turn]) -> Question:
    """The question with what it leans on: the latest earlier question, and those which that one leans on."""
    needed: list[str] = []
    if leans_on_history(question):
        for turn in reversed(history[-HISTORY_TURNS:]):
            needed.insert(0, " ".join(turn.question.split()))
            if not leans_on_history(turn.question):
                break
    return Question(question, tuple(needed))
