"""What stands at the top of every view: its name, how the collection is, and the other languages.

Does not know what stands below.
"""

from __future__ import annotations

import json
from html import escape

import gradio as gr

from bot import Bot, LibraryError
from language import Message
from page.events import QUIET
from page.i18n import LANGUAGES, Translator, translator
from page.markup import escape_html
from page.server import BODY_TOO_LARGE
from vectorstore import ORIGINAL


def page_header(page: gr.Blocks, bot: Bot, words: Translator, view: str) -> gr.HTML:
    """Puts the top on the view which is at the path `view`; it is rebuilt whenever the view is opened."""
    gr.components.Navbar(main_page_name=words("Ask"))
    top = gr.HTML(top_html(bot, words, view), elem_id="head")
    page.load(lambda: top_html(bot, words, view), None, top, **QUIET)
    return top


def top_html(bot: Bot, words: Translator, view: str) -> str:
    """The top of a view as it is by now, as HTML; on it stands too what `page.js` says in this language."""
    others = "".join(
        f'<a href="{translator(language).address(view)}" lang="{language}" hreflang="{language}"><b>{name}</b></a>'
        if language != words.language
        else f'<span lang="{language}" aria-current="true"><b>{name}</b></span>'
        for language, name in LANGUAGES.items()
    )
    data = (
        f'data-search="{words("Search the table")}" '
        f'data-toasts="{escape(json.dumps(toast_translations(words), ensure_ascii=False))}"'
    )
    return (
        f'<header lang="{words.language}" {data}><h1>Viadoma</h1>{status_line(bot, words)}'
        f'<nav class="languages" aria-label="{words("Language")}">{others}'
        f'<button type="button" class="theme" aria-label="{words("Toggle dark mode")}">◐</button></nav></header>'
    )


def toast_translations(words: Translator) -> dict[str, str]:
    """What Gradio says in a corner of the page, in English whatever its language; `page.js` puts ours there."""
    return {
        "Info": words("Note"),
        "Error": words("Error"),
        "Close": words("Close"),
        "Connection to the server was lost. Attempting reconnection...": words(
            "Connection lost. Reconnecting… Your answers are saved."
        ),
        "Connection errored out.": words("The connection was interrupted. Ask again; your answers are saved."),
        BODY_TOO_LARGE: words("This is more than a page of this program sends: begin a new conversation."),
        "This application is currently busy. Please try again.": words("The server is busy. Try again in a minute."),
    }


def status_line(bot: Bot, words: Translator) -> str:
    """Size, age, index and model of the collection, who writes, and why the model did not, if it did not.

    Where the collection can't be read, why.
    """
    try:
        coverage = bot.coverage
    except LibraryError as error:
        return f'<p class="status">{_error_html(error, words)}</p>'
    parts = [words.many("{count} article", "{count} articles", coverage.articles)]
    if coverage.newest:
        parts[0] += words(", newest {day}", day=coverage.newest)
    if bot.index_state != "not_loaded":
        parts.append(words("index OK") if bot.index_state == "ready" else words("rebuilding index…"))
    if bot.embedding_model == ORIGINAL:
        parts.append(words("vectors of an older model: viadoma rebuild"))
    if not bot.model:
        parts.append(words("quotes only (no model)"))
    elif bot.model_host:
        parts.append(words("writing with {model} at {host}", model=bot.model, host=bot.model_host))
    else:
        parts.append(words("writing with {model}", model=bot.model))
    return f'<p class="status">{escape_html(" · ".join(parts))}{_error_html(bot.model_error, words)}</p>'


def _error_html(reason: Message | Exception | None, words: Translator) -> str:
    return f'<span class="trouble" role="status">{escape_html(words.message(reason))}</span>' if reason else ""
