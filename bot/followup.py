"""History -> the part of it that a question belongs to.

Knows which questions lean on earlier ones, and when the topic changes. Does not know articles, search or any model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.answer import NOT_ANSWERED, Turn
from vectorstore import Exchange, retimed

HISTORY_TURNS = 10  # more than that back, a conversation is about something else
SAME_TOPIC = 0.80  # measured: benchmarks/LOG.md, "Follow-ups"
MARKER = re.compile(r"\s*\[\d+\]")
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
    words = WORD.findall(question)
    if JOINING.match(question.strip()):
        return True
    named = NAME.search(question.strip())
    if _pointing(question) and not (named and len(words) > 8):
        return True
    return len(words) <= 3 and not named and bool(OPENING.match(question.strip()))


def _pointing(question: str) -> bool:
    return any(word.lower() in POINTING for word in WORD.findall(question))


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the conversation it belongs to.

    `exchanges` are the earlier turns on its topic, oldest first; `leans_on` are those of their questions without which
    it can't be understood. Both are empty if it stands alone.
    """

    text: str
    leans_on: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    @property
    def query(self) -> str:
        """The question in words that stand alone: what it leans on, then itself."""
        return " ".join([*self.leans_on, self.text])


def standalone(question: str, history: Sequence[Turn], likeness: Callable[[str, str], float]) -> Question:
    """The question with the earlier turns on its topic, and with those it leans on.

    A turn that leans on nothing and is less like every earlier question and the last answer than SAME_TOPIC
    (`likeness`: the cosine of two texts) changes the topic: what was said before it is dropped. It leans on the latest
    earlier question, and on those which that one leans on. A time that it names takes the place of theirs.
    """
    topic: list[Exchange] = []
    for turn in history[-HISTORY_TURNS:]:
        if not _on_topic(turn.question, topic, likeness):
            topic = []
        said = "" if NOT_ANSWERED in turn.answer_text else MARKER.sub("", turn.answer_text)
        topic.append(Exchange(" ".join(turn.question.split()), " ".join(said.split())))
    if not _on_topic(question, topic, likeness):
        topic = []
    needed: list[str] = []
    if leans_on_history(question):
        # "And in September?" asks no longer about December; "Were they home by September?" does
        if not _pointing(question):
            topic = [replace(exchange, question=retimed(exchange.question, question)) for exchange in topic]
        for exchange in reversed(topic):
            needed.insert(0, exchange.question)
            if not leans_on_history(exchange.question):
                break
    return Question(question, tuple(needed), tuple(topic))


def _on_topic(question: str, topic: Sequence[Exchange], likeness: Callable[[str, str], float]) -> bool:
    if not topic or leans_on_history(question):
        return True
    earlier = [exchange.question for exchange in topic]
    if topic[-1].answer:
        earlier.append(topic[-1].answer)
    return any(likeness(question, text) >= SAME_TOPIC for text in earlier)
