"""What the views do on their events, without a browser: what each handler gives for what it is given."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import pytest
from starlette.datastructures import QueryParams

from bot import Bot
from page.chat import ChatHandlers
from page.conversations import Conversations
from page.i18n import IN_ENGLISH
from page.ingest_job import IngestJob
from page.layout import ChatLayout
from page.library import LibraryHandlers, LibraryLayout
from page.session import Session
from page.timeline import TimelineHandlers, TimelineLayout
from tests.support.browser import ANSWER, QUESTION

T = TypeVar("T")
NO_FILTERS: tuple[Any, ...] = ([], [], [], "", "")


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(sample_data, model="") as opened:
        yield opened


def laid_out(layout: Callable[[], T]) -> T:
    """The components of a view, on a page."""

    async def on_a_page() -> T:
        with gr.Blocks(analytics_enabled=False):
            return layout()

    return asyncio.run(on_a_page())  # elsewhere Gradio makes a loop of its own, and leaves it open


@pytest.fixture
def chat(bot: Bot, tmp_path: Path) -> Iterator[ChatHandlers]:
    with closing(Conversations(tmp_path, bot.article)) as conversations:
        layout = laid_out(lambda: ChatLayout(IN_ENGLISH, gr.HTML()))
        yield ChatHandlers(bot, conversations, IN_ENGLISH, layout)


def reader(address: str = "") -> gr.Request:
    return gr.Request(session_hash="page", query_params=QueryParams(c=address))


def sent(chat: ChatHandlers, messages: list[Any]) -> Any:
    """Messages as they come back from a browser."""
    return chat.layout.chatbot.preprocess(chat.layout.chatbot.postprocess(messages))


def asked(chat: ChatHandlers, session: Session, history: Sequence[Any] = (), address: str = "") -> Any:
    """All that becomes of the components until QUESTION is answered."""
    layout, of = chat.layout, reader(address)
    now = chat.on_submit(list(history), QUESTION, of)
    shown, place = sent(chat, now[layout.chatbot]), now[layout.asked]
    for updates in chat.on_asked([], shown, place, None, session, of, *NO_FILTERS):
        now |= updates
    return now


def test_an_answer_is_kept_where_the_session_says_and_opened_by_its_address(chat: ChatHandlers) -> None:
    layout = chat.layout
    now = asked(chat, Session(kept=()))
    session = now[layout.session]
    assert (session.kept, session.shared, len(session.groups)) == ((now[layout.asked],), "", 1)
    assert chat.conversations.places(session.name) == session.places
    assert ANSWER in re.sub(r"<[^>]+>", "", now[layout.panel])  # the short answer in it is emphasised
    assert (now[layout.box].interactive, now[layout.box].stop_btn) == (True, False)
    for mine, names in (([session.name], (session.name, "")), ([], ("", session.name))):
        opened = chat.on_load(mine, reader(session.name))
        assert (opened[layout.session].name, opened[layout.session].shared) == names
        assert opened[layout.chatbot][0]["content"] == QUESTION
        assert opened[layout.title] == QUESTION
    # Gradio is told of another conversation alone, not of another answer
    assert hash(session) == hash(Session(session.name)) != hash(Session())


def test_going_on_with_what_is_anothers_or_forgotten_changes_nothing_of_it(chat: ChatHandlers) -> None:
    layout = chat.layout
    begun = asked(chat, Session(kept=()))
    name = begun[layout.session].name
    history = sent(chat, begun[layout.chatbot])
    # a page of which Gradio holds nothing
    now = asked(chat, Session(), history, name)
    session = now[layout.session]
    assert session.name not in ("", name)
    assert session.places == (begun[layout.asked], now[layout.asked])
    assert chat.conversations.places(name) == (begun[layout.asked],)
    assert len(session.groups) == 2


def test_a_question_is_edited_asked_again_or_given_back(chat: ChatHandlers) -> None:
    layout = chat.layout
    roles = [(role, f"{number}") for number in (1, 2) for role in ("user", "assistant")]
    history = sent(chat, [{"role": role, "content": text} for role, text in roles])
    edit = gr.EditData(None, {"index": 2, "value": "Another?", "previous_value": "2"})
    assert chat.on_edit(history, edit, reader())[layout.chatbot][2:] == [{"role": "user", "content": "Another?"}]
    again = chat.on_retry(history, reader())
    assert again[layout.chatbot] == [*history[:2], {"role": "user", "content": "2"}]
    assert again[layout.asked] > 0
    assert chat.on_undo(history, reader()) == {layout.chatbot: history[:2], layout.box: "2"}


def test_what_is_stopped_before_its_turn_says_so_and_is_not_answered(chat: ChatHandlers) -> None:
    layout = chat.layout
    put = chat.on_submit([], QUESTION, reader())
    history = sent(chat, put[layout.chatbot])
    stopped = chat.on_stop(history, put[layout.asked], reader())
    assert "Answer stopped." in stopped[layout.chatbot][-1]["content"]
    left = stopped[layout.left]
    assert list(chat.on_asked([], history, put[layout.asked], left, Session(), reader(), *NO_FILTERS)) == []


def test_a_day_that_is_none_is_told_in_the_place_of_an_answer(chat: ChatHandlers) -> None:
    history = sent(chat, [{"role": "user", "content": QUESTION}])
    (refusal,) = chat.on_asked([], history, 1, None, Session(kept=()), reader(), *NO_FILTERS[:3], "soon", "")
    assert "“soon” is not a date. Write it as 2025" in refusal[chat.layout.chatbot][-1]["content"].replace("\\", "")
    assert chat.layout.session not in refusal


def test_only_a_thumb_in_a_conversation_of_ones_own_is_kept_until_it_is_taken_back(chat: ChatHandlers) -> None:
    layout = chat.layout
    now = asked(chat, Session(kept=()))
    session, history = now[layout.session], sent(chat, now[layout.chatbot])

    def thumb(liked: object) -> gr.LikeData:
        return gr.LikeData(None, {"index": 1, "value": "", "liked": liked})

    given = chat.on_feedback(session, history, thumb(False))
    assert given[layout.why].visible
    chat.on_reason(given[layout.judged], "It is old.")
    assert [(judged.liked, judged.reason) for judged in chat.conversations.all_feedback()] == [(False, "It is old.")]
    assert chat.on_feedback(session, history, thumb(""))[layout.judged] is None
    assert chat.on_feedback(Session("", session.name, session.kept), history, thumb(True))[layout.judged] is None
    assert list(chat.conversations.all_feedback()) == []


def test_a_conversation_that_is_deleted_is_listed_no_more_and_another_begins(chat: ChatHandlers) -> None:
    layout = chat.layout
    now = asked(chat, Session(kept=()))
    session = now[layout.session]
    listed = chat.on_conversation([], session, "")
    assert listed[layout.mine] == [session.name]
    assert listed[layout.listing].choices == [(QUESTION, session.name)]
    deleted = chat.on_delete([session.name], session, "", now[layout.asked], reader())
    assert (deleted[layout.mine], deleted[layout.listing].choices, deleted[layout.chatbot]) == ([], [], [])
    assert (deleted[layout.session], deleted[layout.left]) == (Session(kept=()), now[layout.asked])
    assert chat.conversations.places(session.name) == ()


def test_what_cannot_be_done_in_the_library_or_on_the_timeline_is_told(bot: Bot, tmp_path: Path) -> None:
    layout = laid_out(lambda: LibraryLayout(IN_ENGLISH, gr.HTML(), ""))
    library = LibraryHandlers(bot, tmp_path, IngestJob(tmp_path), IN_ENGLISH, layout)
    timeline = TimelineHandlers(bot, IN_ENGLISH, laid_out(lambda: TimelineLayout(IN_ENGLISH)))
    for addresses, reason in ((" \n", "Add at least one file or URL"), ("ftp://a.by", "“ftp://a.by” is not a URL")):
        with pytest.raises(gr.Error, match=reason):
            library.on_add([], addresses)
    with pytest.raises(gr.Error, match="Choose an article first"):
        library.on_reingest("")
    with pytest.raises(gr.Error, match="Write dates as"):
        timeline.on_choice([], "", "soon", "")
    entry = bot.list_articles()[0]
    chosen = library.on_select(gr.SelectData(None, {"index": [0, 0], "value": "", "row_value": [entry.name, entry.id]}))
    assert (chosen[layout.article], chosen[layout.title].interactive) == (entry.id, True)
