"""The chat's components: where they stand, and what they are called in the code.

Knows Gradio's components. Does not know what happens on their events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components.chatbot import TextMessage

from bot import ArticleSummary, Facet
from page.i18n import Translator
from page.markup import safe_markdown, sources
from page.session import Session
from render.markdown import escape_markdown

MINE = "viadoma-conversations"  # where a browser keeps the names of its conversations
OFFERED = 100  # articles, the newest of which what is typed is a part
EXAMPLES = {
    "en": (
        "How many people were taken to Ukraine?",
        "Does General License 13 unblock frozen property?",
        "Why did Andrzej Poczobut stay in prison?",
        "How many people and companies are on the EU's Belarus sanctions lists?",
        "How many political prisoners has Viasna recognised since 2020?",
    ),
    "ru": (
        "Сколько дней провела в заключении Мария Колесникова?",
        "Сколько человек вывезли на Украину?",
        "Разблокирует ли лицензия на калий замороженное имущество?",
        "Почему Лукашенко помиловал 123 человек?",
        "К скольким годам приговорили Марину Золотову?",
    ),
    "be": (
        "Ці пісаў Бяляцкі прашэнне аб памілаванні?",
        "Колькі палітвязняў выйшла па памілаванні з ліпеня 2024 года?",
        "Колькі палітвязняў з цяжкімі хваробамі заставалася за кратамі?",
        "Што забараняюць памілаваным пасля вызвалення?",
        "Што дазваляе генеральная ліцэнзія 13?",
    ),
}


def question_box(*, asking: bool, **more: Any) -> Any:
    """The box for questions, which is shut while one is answered, with a button to stop that."""
    return gr.Textbox(interactive=not asking, submit_btn=not asking, stop_btn=asking, **more)


def facet_choices(facets: Sequence[Facet]) -> list[tuple[str, str]]:
    """Publishers or languages to choose from, each with its number of articles."""
    return [
        (f"{facet.name} ({facet.articles:,})" if facet.articles > 1 else facet.name, facet.value) for facet in facets
    ]


def article_choices(entries: Sequence[ArticleSummary], chosen: Sequence[str], typed: str = "") -> list[tuple[str, str]]:
    """Articles to choose from: those that are chosen, and the newest whose label has what is typed.

    Equal names are told apart by publisher and date.
    """
    often = Counter(entry.name for entry in entries)
    labels = {
        entry.id: " · ".join(filter(None, (entry.name, entry.publisher, entry.published)))
        if often[entry.name] > 1
        else entry.name
        for entry in entries
    }
    fitting = [id_ for id_, label in labels.items() if id_ not in chosen and typed.casefold() in label.casefold()]
    return [(labels[id_], id_) for id_ in (*chosen, *fitting[:OFFERED]) if id_ in labels]


class ChatLayout:
    """The chat's components below the `top` of the page, put on it as they are made.

    Whoever writes a state writes all of it, over what others wrote meanwhile. So `asked`, `left` and `judged` are
    states of their own: each may be written while an answer writes the session, or while another of them is.
    """

    def __init__(self, words: Translator, top: gr.HTML) -> None:
        self.top = top
        self.mine = gr.BrowserState([], storage_key=MINE, secret=MINE)  # the names of this browser's conversations
        self.session = gr.State(Session())
        self.asked = gr.State(0)  # when the last question was put, in ns: the place of its answer
        self.left = gr.State(None)  # the question that was stopped or left for another conversation, by its place
        self.judged = gr.State(None)  # the Thumb whose reason is asked for
        self._add_sidebar(words)
        with gr.Row(elem_id="desk"):
            with gr.Column(scale=3, min_width=320, elem_id="talk"):
                self._add_filters(words)
                self.downloads = gr.HTML("", elem_id="saving")
                self.why = gr.Textbox(visible=False, max_lines=3, submit_btn=words("Save feedback"), elem_id="why")
                self._add_chatbot(words)
            with gr.Column(scale=2, min_width=320, elem_id="side"):
                self.panel = gr.HTML(sources([], words), elem_id="sources")
        for choice in (self.listing, self.publishers, self.languages, self.articles):
            _accept_any(choice)

    def _add_sidebar(self, words: Translator) -> None:
        with gr.Sidebar(open=False, label=words("Conversations"), elem_id="conversations", width=300):
            gr.Markdown(f"## {words('Conversations')}")
            self.new = gr.Button(words("New conversation"), size="sm", variant="primary")
            self.wanted = gr.Textbox(label=words("Search your conversations"), max_lines=1)
            self.listing = gr.Radio(label=words("Your conversations"), choices=[], elem_id="listing")
            self.title = gr.Textbox(label=words("Conversation title"), max_lines=1, info=words("Press Enter to rename"))
            self.delete = gr.Button(words("Delete this conversation"), size="sm")
            with gr.Group(visible=False) as self.sure:
                gr.Markdown(words("Delete this conversation permanently?"))
                with gr.Row():
                    self.yes = gr.Button(words("Delete"), size="sm", variant="stop")
                    self.no = gr.Button(words("Cancel"), size="sm")

    def _add_filters(self, words: Translator) -> None:
        with gr.Accordion(words("Filters"), open=False, elem_id="filters"), gr.Row():
            self.publishers = gr.Dropdown(label=words("Publishers"), multiselect=True)
            self.languages = gr.Dropdown(label=words("Languages"), multiselect=True)
            self.articles = gr.Dropdown(label=words("Articles"), multiselect=True)
            self.since = gr.Textbox(label=words("Published from"), placeholder="2025-12-13", max_lines=1)
            self.until = gr.Textbox(label=words("Published to"), placeholder="2025-12-31", max_lines=1)
        self.filters = [self.publishers, self.languages, self.articles, self.since, self.until]

    def _add_chatbot(self, words: Translator) -> None:
        promise = words(
            "Ask about the prisoner releases and sanctions in Belarus. Every sentence is an exact quote from a named "
            "article."
        )
        self.chatbot = gr.Chatbot(
            label=words("Conversation"),
            show_label=False,
            container=False,
            elem_id="chat",
            scale=1,
            height="100%",
            min_height=320,
            buttons=["copy"],
            latex_delimiters=[],
            allow_tags=False,
            layout="panel",
            autoscroll=False,  # page.js brings the question to the top instead
            editable="user",
            feedback_options=("Like", "Dislike"),
            placeholder=f"## {promise}\n\n{words('Ask a question in English, Russian or Belarusian.')}",
            examples=[{"text": example} for example in EXAMPLES[words.language]],
        )
        _show_as_written(self.chatbot)
        self.box = gr.Textbox(
            placeholder=words("Ask about the articles"),
            label=words("Question"),
            show_label=False,
            container=False,
            max_lines=6,
            autofocus=True,
            submit_btn=True,
            elem_id="box",
        )


def _show_as_written(chatbot: gr.Chatbot) -> None:
    """Has the chatbot show questions as they were written, which it takes for Markdown and HTML.

    An address leads others to a conversation, so that a question is no more to be trusted than an article.
    """
    to_browser, from_browser = chatbot.postprocess, chatbot.preprocess

    def shown(value: Any) -> Any:
        messages = to_browser(value)
        for message in messages.root:
            for part in message.content if message.role == "user" else ():
                if isinstance(part, TextMessage):
                    # a question that was edited comes back as the browser has it
                    part.text = escape_markdown(safe_markdown(part.text))
        return messages

    def read(payload: Any) -> Any:
        messages: Any = from_browser(payload)
        for message in messages:
            for part in message["content"] if message["role"] == "user" else ():
                if "text" in part:
                    part["text"] = safe_markdown(part["text"])
        return messages

    # in a class of ours Gradio would write a file beside this one
    chatbot.postprocess, chatbot.preprocess = shown, read  # type: ignore[method-assign]


def _accept_any(choice: gr.Radio | gr.Dropdown) -> None:
    """Takes what was chosen on a page of whose choices Gradio holds nothing any more."""
    choice.preprocess = lambda payload: payload  # type: ignore[method-assign]
