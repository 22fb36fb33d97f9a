"""The chat: questions, answers, their sources beside them, and the conversations held before.

Knows Gradio's events; what is shown comes from `page.markup`. Does not know how an answer is found or kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import gradio as gr

from bot import Answer, AnswerEvent, Bot, Filters, LibraryError, QuestionError
from language import Message, verbatim
from page.conversations import Conversations, ConversationsError
from page.events import QUIET, Updates, listening
from page.i18n import Translator
from page.layout import ChatLayout, article_choices, facet_choices, question_box
from page.markup import answer_markdown, download_links, history_to_turns, notice, source_group, sources
from page.session import Session, Thumb, answered, new_group, opened, save_answer, taken_back, text_of
from page.streaming import AnswerStream
from page.top import top_html
from render.markdown import shortened

CONCURRENT_QUESTIONS = 20  # most of them wait for a model
SUGGESTED_TO = 2  # readers whose answers are in the making; where more ask, answers come first
PULSE_SECONDS = 0.9  # at most so long a reader who went away holds up the next
LEAVING_SECONDS = 10.0  # so long an answer in the making is waited for by whoever leaves it
# Gradio reads what a browser keeps once, and each tab would overwrite what another adds: all add to a place beside it.
EVERY_TABS = """(mine, ...given) => {
  const kept = JSON.parse(localStorage.getItem("viadoma-every-tab") ?? "[]");
  const every = [...new Set([...(mine ?? []), ...kept])];
  localStorage.setItem("viadoma-every-tab", JSON.stringify(every));
  return [every, ...given];
}"""
BROKEN_OFF = Message("Answer stopped.")
LONGEST = 2000  # characters of a question that stay on the page, though it was refused


@dataclass(frozen=True, slots=True, eq=False)
class ChatHandlers:
    """What the chat does on its events; each handler gives what becomes of the components of the layout."""

    bot: Bot
    conversations: Conversations
    words: Translator
    layout: ChatLayout
    readings: WeakValueDictionary[str, AnswerStream] = field(default_factory=WeakValueDictionary)  # by page

    def on_load(self, mine: list[str], request: gr.Request) -> Updates:
        """Opens the conversation that the page's address names."""
        layout, name, facets = self.layout, _named_by(request), self.bot.facets
        return self._opened(name, is_owner=name in mine) | {
            layout.listing: self._listing(mine, "", name),
            layout.publishers: gr.Dropdown(choices=facet_choices(facets.publishers)),
            layout.languages: gr.Dropdown(choices=facet_choices(facets.languages)),
            layout.articles: gr.Dropdown(choices=article_choices(self.bot.list_articles(), ())),
        }

    def on_key(self, chosen: list[str], key: gr.KeyUpData) -> Updates:
        """Offers articles by what is typed: all of a large library are too many for one list."""
        return {
            self.layout.articles: gr.Dropdown(
                choices=article_choices(self.bot.list_articles(), chosen, key.input_value)
            )
        }

    def on_submit(self, history: list[Any], question: str, request: gr.Request) -> Updates:
        """Takes a question from the box."""
        return self._put(history, question, request) | {self.layout.box: question_box(asking=True, value="")}

    def on_example(self, history: list[Any], event: gr.SelectData, request: gr.Request) -> Updates:
        """Takes an example, or what may be asked next."""
        return self._put(history, event.value["text"] if isinstance(event.value, dict) else event.value, request)

    def on_edit(self, history: list[Any], event: gr.EditData, request: gr.Request) -> Updates:
        """Takes a question in the place of an earlier one and all behind that."""
        return self._put(history[: _index(event)], event.value, request)

    def on_retry(self, history: list[Any], request: gr.Request) -> Updates:
        """Has the last question answered again."""
        return self._put(*taken_back(history), request)

    def on_undo(self, history: list[Any], request: gr.Request) -> Updates:
        """Gives the last question back to the box."""
        self._leave(request)
        before, question = taken_back(history)
        return {self.layout.chatbot: before, self.layout.box: question}

    def on_stop(self, history: list[Any], asked: int, request: gr.Request) -> Updates:
        """Stops the answer in the making."""
        self._leave(request)
        stopped: Updates = {self.layout.left: asked, self.layout.box: question_box(asking=False)}
        # before its turn came there is none who says it
        if history[-1:] and history[-1]["role"] == "user":
            stopped[self.layout.chatbot] = answered(history, self._broken_off(self._waiting()))
        return stopped

    def on_asked(
        self,
        mine: list[str],
        history: list[Any],
        asked: int,
        left: int | None,
        session: Session,
        request: gr.Request,
        *chosen: Any,
    ) -> Iterator[Updates]:
        """Answers the last question of a history as far as the answer comes; `chosen` is what the filters hold."""
        if asked == left or not history:
            return  # another conversation was opened while this waited for its turn
        layout, earlier, group, text = self.layout, history_to_turns(history[:-1]), new_group(), self._waiting()
        reading = self.readings[str(request.session_hash)] = AnswerStream()
        try:
            if session.kept is None:
                history, session = self._recovered(history, len(earlier), mine, request)
            filters = self._filters(*chosen)
            for event in reading.with_heartbeat(
                self.bot.stream(text_of(history[-1]), earlier, filters=filters), PULSE_SECONDS
            ):
                if reading.silent:
                    yield gr.skip()  # Gradio sends the last thing again, and another is shown by now
                    return
                if reading.cancelled:
                    broken_off = answered(history, self._broken_off(text))
                    yield {layout.chatbot: broken_off, layout.box: question_box(asking=False)}
                    return
                if event is None:
                    yield {layout.chatbot: answered(history, text)}
                    continue
                # quotes are picked all at once: the whole answer comes in the same moment as its first
                if event.kind == "searched" or (event.kind == "claim" and not event.answer.model):
                    continue
                whole = event.kind == "answer"
                text = answer_markdown(event.answer, group, self.words)
                if not session.name:
                    # whoever has gone away begins no conversation that nobody can find
                    yield {layout.chatbot: answered(history, text)}
                session, note = self._kept(session, event, len(earlier), asked)
                text += note
                yield self._beside(session, source_group(event.answer, group, self.words)) | {
                    layout.chatbot: answered(history, text),
                    layout.top: top_html(self.bot, self.words, "/"),
                    layout.box: question_box(asking=not whole),
                }
                if whole and (then := self._suggested(event.answer)) and not reading.cancelled:
                    # the sources as they are: one may have been opened meanwhile
                    yield {layout.chatbot: answered(history, text, options=[{"value": question} for question in then])}
        except (QuestionError, LibraryError, ConversationsError) as error:
            yield self._refused(history, error)
        finally:
            reading.end()

    def on_conversation(self, mine: list[str], session: Session, wanted: str) -> Updates:
        """Lists a conversation that was begun here."""
        layout, name = self.layout, session.name
        every = mine if name in mine or not name else [name, *mine]
        return {layout.mine: every, layout.listing: self._listing(every, wanted, name), layout.title: self._title(name)}

    def on_search(self, mine: list[str], session: Session, wanted: str) -> Updates:
        """Lists the conversations in which what is wanted stands."""
        return {self.layout.listing: self._listing(mine, wanted, session.name)}

    def on_open(self, name: str, asked: int, request: gr.Request) -> Updates:
        """Opens a conversation of the list; an empty name begins one."""
        self._leave(request, silent=True)
        return self._opened(name) | {self.layout.left: asked}

    def on_new(self, asked: int, request: gr.Request) -> Updates:
        """Begins a conversation."""
        return self.on_open("", asked, request) | {self.layout.listing: gr.Radio(value=None)}

    def on_rename(self, mine: list[str], session: Session, wanted: str, title: str) -> Updates:
        """Gives the conversation another title."""
        self.conversations.rename(session.name, title)
        return self.on_search(mine, session, wanted) | {self.layout.title: self._title(session.name)}

    def on_delete(self, mine: list[str], session: Session, wanted: str, asked: int, request: gr.Request) -> Updates:
        """Deletes the conversation, and begins another."""
        self._leave(request, silent=True)
        self.conversations.delete(session.name)
        layout, rest = self.layout, [name for name in mine if name != session.name]
        listed = {layout.mine: rest, layout.listing: self._listing(rest, wanted, "")}
        return self._opened("") | {layout.left: asked, layout.sure: gr.Group(visible=False)} | listed

    def on_feedback(self, session: Session, history: list[Any], event: gr.LikeData) -> Updates:
        """Keeps a thumb at once, until it is taken back; then asks for its reason."""
        layout, at, kept = self.layout, _index(event), session.kept or ()
        before, upto = len(history_to_turns(history[:at])), len(history_to_turns(history[: at + 1]))
        # what was refused is no turn; in somebody else's conversation, which has no name here, nothing is changed
        place = kept[before] if session.name and before < upto <= len(kept) else None
        liked = event.liked is True
        if place is not None and event.liked == "":
            self.conversations.delete_feedback(session.name, place)
        elif place is not None and self.conversations.save_feedback(session.name, place, liked=liked):
            words = self.words
            label = words("What is good about this answer?") if liked else words("What is wrong with this answer?")
            why = gr.Textbox(visible=True, label=label, value="")
            return {layout.judged: Thumb(session.name, place, liked), layout.why: why}
        else:
            gr.Info(self.words("Not saved. You can only rate answers in your own conversations."))
        return {layout.judged: None, layout.why: gr.Textbox(visible=False)}

    def on_reason(self, judged: Thumb | None, why: str) -> Updates:
        """Keeps the reason of a thumb."""
        if judged:
            self.conversations.save_feedback(judged.name, judged.place, liked=judged.liked, reason=why)
            gr.Info(self.words("Feedback saved on this machine, together with the answer."))
        return {self.layout.why: gr.Textbox(visible=False)}

    def _leave(self, request: gr.Request, *, silent: bool = False) -> None:
        """Ends the answer in the making on a page; what this page shows next comes behind it."""
        if reading := self.readings.get(str(request.session_hash)):
            reading.cancel(LEAVING_SECONDS, silent=silent)

    def _put(self, history: list[Any], question: str, request: gr.Request) -> Updates:
        """Shows a question; what `asked` becomes has it answered."""
        self._leave(request)
        layout = self.layout
        return {
            layout.chatbot: [*history, {"role": "user", "content": question}],
            layout.asked: time.time_ns(),
            layout.box: question_box(asking=True),
        }

    def _opened(self, name: str, *, is_owner: bool = True) -> Updates:
        """All that changes with the conversation that is shown."""
        layout = self.layout
        messages, session = opened(self.conversations, name, self.words, is_owner=is_owner)
        return self._beside(session) | {
            layout.chatbot: messages,
            layout.title: self._title(name),
            layout.judged: None,
            layout.why: gr.Textbox(visible=False),
            layout.box: question_box(asking=False),
        }

    def _beside(self, session: Session, group: str = "") -> Updates:
        """The session with the sources of one more answer, if it has any, and what stands beside its messages."""
        layout, groups = self.layout, (*session.groups, *filter(None, (group,)))
        return {
            layout.panel: sources(groups, self.words),
            layout.downloads: download_links(session.name or session.shared, len(session.places), self.words),
            layout.session: replace(session, groups=groups),
        }

    def _recovered(
        self, history: list[Any], answers: int, mine: list[str], request: gr.Request
    ) -> tuple[list[Any], Session]:
        """What a page shows that was opened so long ago that Gradio holds nothing of it: its address tells."""
        name = _named_by(request)
        messages, session = opened(self.conversations, name, self.words, is_owner=name in mine, first=answers)
        if len(messages) == 2 * answers:
            return [*messages, history[-1]], session
        return history, replace(session, groups=())

    def _kept(self, session: Session, event: AnswerEvent, earlier: int, asked: int) -> tuple[Session, str]:
        """Keeps an answer, as stopped as long as it isn't whole; what is to stand below it says why it can't be."""
        answer = event.answer
        if event.kind != "answer":
            answer = replace(answer, notes=(*answer.notes, BROKEN_OFF))
        try:
            return save_answer(self.conversations, session, answer, session.extended(earlier, asked)), ""
        except ConversationsError as error:
            why = self.words("This answer was not saved. {why}", why=self.words.message(error))
            return replace(session, kept=session.extended(earlier, None)), f"\n\n{notice(why, 'refused')}"

    def _refused(self, history: list[Any], error: Exception) -> Updates:
        """Why there is no answer, in its place."""
        question = history[-1]
        # the page sends all that it shows with each question
        if len(text_of(question)) > LONGEST:
            question = {**question, "content": shortened(text_of(question), LONGEST)}
        reason = notice(self.words.message(error), "refused")
        return {
            self.layout.chatbot: answered([*history[:-1], question], reason),
            self.layout.top: top_html(self.bot, self.words, "/"),
            self.layout.box: question_box(asking=False),
        }

    def _waiting(self) -> str:
        return notice(self.words("Reading the sources…"), "waiting")

    def _broken_off(self, text: str) -> str:
        """What had come of an answer, and that it was stopped, as it says where it is kept."""
        reason = notice(self.words.message(BROKEN_OFF), "refused")
        return reason if text == self._waiting() else f"{text}\n\n{reason}"

    def _filters(self, publishers: list[str], languages: list[str], articles: list[str], *days: str | None) -> Filters:
        words, dates = self.words, []
        for day in days:
            try:
                dates.append(date.fromisoformat(day) if day else None)
            except ValueError:
                reason = words("“{day}” is not a date. Write it as 2025-12-13 (see Filters).", day=day)
                raise QuestionError(verbatim(reason)) from None
        return Filters(tuple(publishers), tuple(languages), tuple(articles), *dates)

    def _suggested(self, answer: Answer) -> tuple[str, ...]:
        """What may be asked next; nothing while many ask, since finding it takes longer than an answer."""
        return self.bot.suggest(answer) if len(self.readings) <= SUGGESTED_TO else ()

    def _listing(self, mine: list[str], wanted: str, name: str) -> Any:
        found = self.conversations.listed(mine, wanted)
        chosen = name if name in {conversation.id for conversation in found} else None
        return gr.Radio(choices=[(conversation.title, conversation.id) for conversation in found], value=chosen)

    def _title(self, name: str) -> str:
        return next((conversation.title for conversation in self.conversations.listed([name])), "")


def _named_by(request: gr.Request) -> str:
    """The name of the conversation in a page's address; empty for none."""
    return str(request.query_params.get("c", ""))


def _index(event: gr.EditData | gr.LikeData) -> int:
    """The place of a message in its history."""
    return event.index if isinstance(event.index, int) else event.index[0]


def chat(page: gr.Blocks, bot: Bot, conversations: Conversations, words: Translator, top: gr.HTML) -> None:
    """Puts the chat on the page below its `top`, which changes with the answers; these are kept in `conversations`.

    A conversation belongs to the browsers that began it: they list it. Anybody who has its address reads it, and going
    on with it makes a conversation of their own, so that nobody changes another's.
    """
    layout = ChatLayout(words, top)
    handlers = ChatHandlers(bot, conversations, words, layout)
    _listen_to_questions(layout, handlers)
    _listen_to_conversations(page, layout, handlers)


def _listen_to_questions(layout: ChatLayout, handlers: ChatHandlers) -> None:
    on, chatbot, box = listening(handlers.words), layout.chatbot, layout.box
    put = [chatbot, layout.asked, box]
    on(box.submit, handlers.on_submit, [chatbot, box], put)
    on(partial(gr.on, [chatbot.example_select, chatbot.option_select]), handlers.on_example, chatbot, put)
    on(chatbot.edit, handlers.on_edit, chatbot, put)
    on(chatbot.retry, handlers.on_retry, chatbot, put)
    on(chatbot.undo, handlers.on_undo, chatbot, [chatbot, box])
    on(box.stop, handlers.on_stop, [chatbot, layout.asked], [chatbot, layout.left, box])
    answering = layout.asked.change(
        handlers.on_asked,
        [layout.mine, chatbot, layout.asked, layout.left, layout.session, *layout.filters],
        [chatbot, layout.panel, layout.downloads, layout.session, layout.top, box],
        concurrency_limit=CONCURRENT_QUESTIONS,
        js=EVERY_TABS,
        **QUIET,
    )
    on(answering.failure, lambda: question_box(asking=False), None, box)
    on(chatbot.like, handlers.on_feedback, [layout.session, chatbot], [layout.judged, layout.why])
    on(layout.why.submit, handlers.on_reason, [layout.judged, layout.why], layout.why)


def _listen_to_conversations(page: gr.Blocks, layout: ChatLayout, handlers: ChatHandlers) -> None:
    mine, session, wanted, listing, title = layout.mine, layout.session, layout.wanted, layout.listing, layout.title
    asked, articles, sure = layout.asked, layout.articles, layout.sure
    shown = [layout.chatbot, layout.panel, layout.downloads, session, title, layout.judged, layout.why, layout.box]
    on = listening(handlers.words)
    on_mine = partial(on, js=EVERY_TABS)  # what takes or changes the names of this browser's conversations
    offered = [listing, layout.publishers, layout.languages, articles]
    on_mine(page.load, handlers.on_load, mine, [*shown, *offered])
    # one by one: the last key must have the last word
    on(articles.key_up, handlers.on_key, articles, articles, trigger_mode="multiple", concurrency_limit=1)
    mine.change(None, mine, None, js=EVERY_TABS)
    on_mine(session.change, handlers.on_conversation, [mine, session, wanted], [mine, listing, title])
    on_mine(wanted.change, handlers.on_search, [mine, session, wanted], listing)
    on(listing.input, handlers.on_open, [listing, asked], [*shown, layout.left])
    new = partial(gr.on, [layout.new.click, layout.chatbot.clear])
    on(new, handlers.on_new, asked, [*shown, layout.left, listing])
    on_mine(title.submit, handlers.on_rename, [mine, session, wanted, title], [listing, title])
    on(layout.delete.click, lambda session: gr.Group(visible=bool(session.name)), session, sure)
    on(layout.no.click, lambda: gr.Group(visible=False), None, sure)
    deleted = [*shown, layout.left, mine, listing, sure]
    on_mine(layout.yes.click, handlers.on_delete, [mine, session, wanted, asked], deleted)
