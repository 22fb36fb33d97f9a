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
        "он его ему им нём него она ее её ей ней нее неё они их ними них это этот эта эту эти этого этому этим этом",
        "этой этих этими тот та ту те тем тому том теми того там тогда тоже также оба обе другой другая другие ещё еще",
        "ён яго яму ім яна яе ёй яны іх імі гэта гэты гэтая гэтую гэтыя гэтага гэтаму гэтым гэтай гэтых гэтымі той тая",
        "тую тыя тым таму тых тады таксама абодва іншы іншая",
        "іншыя яшчэ",
    )
    for word in line.split()
)
OPENING = re.compile(
    r"(?:and|but|so|or|then|what about|how about|why|why not|when|where|who|since when|until when|how so|really|"
    r"а|и|но|или|почему|зачем|когда|где|кто|і|ды|але|ці|чаму|калі|дзе|хто)\b",
    re.I,
)
# The same words where they point at nothing: "are there any", "who said that he", "those who".
IDLE = re.compile(
    r"\b(?:is|are|was|were)\s+there(?=\s+\w)|\bthere\s+(?:is|are|was|were|has|have)\b"
    r"|\b(?:is|was)\s+it\s+(?:true|known|possible|likely|right|clear)\b(?:\s+that\b)?"
    r"|\b(?:sa(?:y|ys|id|ying)|true|claim\w*|believ\w+|thinks?|thought|report\w*|announc\w+|knows?|knew|confirm\w*"
    r"|den(?:y|ies|ied)|agreed?|promised?|demand\w*|hop(?:es?|ed)|fear\w*|warn\w*|told\s+\w+|means?)\s+that\b"
    r"|\b(?:those|these)\s+(?:who|which|that|whose)\b|\bone\s+of\b|\b(?:one\s+another|each\s+other|such\s+as)\b"
    r"|\b(?:те|тех|тем|тот|того|та|то),?\s+(?:кто|кого|кому|что|чей)\b|\b(?:тыя|тых|той|таго|тое),?\s+(?:хто|каго|што)\b"
    r"|\bэто\s+правда\b|\bгэта\s+праўда\b|\b(?:друг|один)\s+друг\w*\b",
    re.I,
)
TRUE = re.compile(r"(?:а|і|и|and|but|но)\s+(?:правда|праўда|is\s+it\s+true)\b", re.I)
# What a question may be made of that says nothing by itself, beside names and times.
SLIGHT = frozenset(
    word
    for line in (
        "how many much long often soon what which who whom whose when where why not since until by in on at from to",
        "for of about with the a tell me more go on continue details please exactly again after before",
        "сколько что кто кого кому кем чем какой какие какая где куда откуда когда почему зачем как долго за из в во",
        "на с со к до о об от для не расскажи расскажите подробнее продолжай больше именно после",
        "колькі што хто каго каму кім чым які якія якая дзе куды адкуль калі чаму навошта як доўга за з у ў на да аб",
        "пра ад для не раскажы раскажыце падрабязней працягвай больш менавіта пасля",
    )
    for word in line.split()
)
FEW = 4  # words
NEXT = re.compile(r"\b(?:next|afterwards?|дальше|потом|далей|потым)\W*$", re.I)  # "What happened next?"
JOINING = re.compile(r"(?:and|but|so|or|then|also|what about|how about|а|и|но|или|і|ды|але)\b[\s,]*", re.I)
WORD = re.compile(r"[^\W_]+")
# A name, a number or a word of its own kind: what a question needs to be about something.
NAME = re.compile(r"(?<!^)(?<![.?!]\s)\b(?:[^\W\d_a-zа-яёіў][^\W_]+|\d+)")


def leans_on_history(question: str) -> bool:
    """Whether the question can't be understood without the ones before it."""
    words = WORD.findall(question)
    if JOINING.match(question.strip()) and not TRUE.match(question.strip()):
        return True
    named = NAME.search(question.strip())
    if NEXT.search(question) or (_pointing(question) and not (named and len(words) > 8)):
        return True
    if len(words) <= 3 and not named and OPENING.match(question.strip()):
        return True
    # "How many?", "In September?", "Babaryka?"
    rest = [word for word in words if word.lower() not in SLIGHT]
    return len(words) == 1 or (len(words) <= FEW and all(NAME.search(f"- {word}") for word in rest))


def _pointing(question: str) -> bool:
    return any(word.lower() in POINTING for word in WORD.findall(IDLE.sub(" ", question)))


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
