"""What a chat's session knows: the messages that a page shows, and the conversation in which they are kept.

Messages are as Gradio keeps them: a role and a content. Does not know Gradio's components and events.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot import Answer
from page.conversations import Conversations
from page.i18n import Translator
from page.markup import answer_markdown, source_group

Kept = tuple[int | None, ...]  # where the answers that a page shows are kept; None is one that is not


@dataclass(frozen=True, slots=True)
class Session:
    """The conversation that a page shows.

    Its name is `name` where it belongs to this browser, `shared` where it is only read here, and empty while nothing
    is kept. `kept` is None on a page of which Gradio holds nothing. `groups` are the answers' sources, as HTML.
    """

    name: str = ""
    shared: str = ""
    kept: Kept | None = None
    groups: tuple[str, ...] = ()

    def __hash__(self) -> int:
        # by its hash Gradio sees whether a state has changed: the list of conversations changes with the name alone
        return hash(self.name)

    @property
    def places(self) -> tuple[int, ...]:
        """Where those of the answers are kept that are."""
        return _places(self.kept or ())

    def extended(self, answers: int, place: int | None) -> Kept:
        """Where so many answers, those that come before another, and that one are kept."""
        return (*(*(self.kept or ()), *[None] * answers)[:answers], place)


@dataclass(frozen=True, slots=True)
class Thumb:
    """A thumb that was given to the answer at a place of the conversation `name`."""

    name: str
    place: int
    liked: bool


def opened(
    conversations: Conversations, name: str, words: Translator, *, is_owner: bool, first: int | None = None
) -> tuple[list[Any], Session]:
    """The messages of a conversation and its session, with all or its first answers; an empty name begins one."""
    # what is kept between these two is not for this page to replace
    kept, answers = (conversations.places(name)[:first], conversations.answers(name)[:first]) if name else ((), ())
    messages: list[Any] = []
    groups = []
    for answer in answers:
        group = new_group()
        messages += answered([{"role": "user", "content": answer.question}], answer_markdown(answer, group, words))
        groups.append(source_group(answer, group, words))
    session = Session(name if is_owner else "", "" if is_owner else name, kept, tuple(filter(None, groups)))
    return messages, session


def save_answer(conversations: Conversations, session: Session, answer: Answer, kept: Kept) -> Session:
    """Keeps an answer at the last of the places `kept` in the session's conversation, if nobody else changed that.

    Else in a new one, which begins with what is shown and still there. Gives what the session then knows.
    """
    if session.name and conversations.save_answer(session.name, answer, session.places, _places(kept)):
        return replace(session, kept=kept)
    name = conversations.new_id()
    there = conversations.copy(session.name or session.shared, name, _places(kept[:-1]))
    kept = (*(place if place in there else None for place in kept[:-1]), kept[-1])
    conversations.save_answer(name, answer, there, _places(kept))
    return replace(session, name=name, kept=kept)


def _places(kept: Kept) -> tuple[int, ...]:
    return tuple(place for place in kept if place is not None)


def new_group() -> str:
    """The id of an answer's sources, to which its markers lead."""
    return f"cite-{uuid.uuid4().hex[:8]}"


def answered(history: Sequence[Any], text: str, **more: Any) -> list[Any]:
    """A history with the answer to its last question, or what stands in its place."""
    return [*history, {"role": "assistant", "content": text, **more}]


def text_of(message: Any) -> str:
    """The text of a message as it comes from Gradio."""
    return "".join(part.get("text", "") for part in message["content"])


def taken_back(history: Sequence[Any]) -> tuple[list[Any], str]:
    """A history without its last question, and that."""
    last = max(at for at, message in enumerate(history) if message["role"] == "user")
    return list(history[:last]), text_of(history[last])
