"""The page put together from its views, one for each language, and served."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from bot import Bot
from page.chat import CONCURRENT_QUESTIONS, chat
from page.conversations import Conversations
from page.i18n import ENGLISH, LANGUAGES, Translator, translator
from page.ingest_job import IngestJob
from page.library import library
from page.server import ADDRESS, HERE, Server, address_of, auth_for, bind_socket, create_app
from page.timeline import timeline
from page.top import page_header

WAITING_QUESTIONS = 256
PLACE_SECONDS = 10.0  # so often those who wait are told their place; Gradio would tell all of them at every answer
# Of each language, the last used: more than may ask and wait. Gradio holds a quarter of a megabyte for each.
REMEMBERED_PAGES = 288
DELETE_UPLOADS = (3600, 86400)  # seconds: looks that often for files that Gradio has held that long
# Gradio's own words follow the browser's language; here they follow the page's.
HEAD = """
<script>Object.defineProperty(navigator, "language", {{ get: () => "{language}" }});</script>
<style>{frame}</style>
"""
MAX_UPLOAD = "200mb"
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]


def gradio_translations(words: Translator) -> gr.I18n:
    """Gradio's own words where it lacks the language: those take the place of its English ones."""
    # a key with dots is found before the entry that it is the path of
    phrases = {
        "upload_text.drop_file": words("Drop File Here"),
        "upload_text.click_to_upload": words("Click to Upload"),
        "common.or": words("or"),
        "common.clear": words("Clear"),
        "common.error": words("Error"),
        "dataframe.sort_ascending": words("Sort ascending"),
        "dataframe.sort_descending": words("Sort descending"),
        "dataframe.clear_sort": words("Clear sort"),
        "dataframe.filter": words("Filter"),
        "dataframe.clear_filter": words("Clear filters"),
        "chatbot.edit": words("Edit"),
        "chatbot.retry": words("Retry"),
        "chatbot.undo": words("Undo"),
        "chatbot.submit": words("Submit"),
        "chatbot.cancel": words("Cancel"),
        "chatbot.like": words("Like"),
        "chatbot.dislike": words("Dislike"),
        "chatbot.clear": words("Clear"),
        "chatbot.copy_message": words("Copy message"),
        "chatbot.copied_message": words("Copied message"),
    }
    return gr.I18n(en=phrases)


def build_page(bot: Bot, data: Path, conversations: Conversations, job: IngestJob, words: Translator) -> gr.Blocks:
    """The views in one language.

    What is answered is kept in `conversations`, what is ingested goes through `job` into `data`.
    """
    with gr.Blocks(
        title="Viadoma", analytics_enabled=False, fill_height=True, fill_width=True, delete_cache=DELETE_UPLOADS
    ) as page:
        chat(page, bot, conversations, words, page_header(page, bot, words, "/"))
    with page.route(words("Library"), "/library"):
        library(page, bot, data, job, words, page_header(page, bot, words, "/library"))
    with page.route(words("Timeline"), "/timeline"):
        page_header(page, bot, words, "/timeline")
        timeline(page, bot, words)
    return page  # type: ignore[no-any-return] # Gradio types its context as Any


def launch(
    bot: Bot, data: Path, port: int, *, host: str = ADDRESS, credentials: str = "", ready: Callable[[str], None]
) -> None:
    """Serves the page until it is stopped; calls `ready` with its address once it answers.

    On this machine alone, or at the address `host`, which needs an `credentials` ("name:password") that is then asked
    for. The conversations are kept in the folder `data`. ValueError for an account that is none or is missing; OSError
    or OverflowError if the conversations or the port can't be used; the message says what to do. KeyboardInterrupt is
    what stops it.
    """
    door = auth_for(host, credentials)
    with (
        bind_socket(host, port) as taken,
        closing(Conversations(data, bot.article)) as conversations,
        closing(IngestJob(data)) as job,
    ):
        app = create_app(bot, conversations, host, door)
        # the root, which holds the paths of the others, comes last
        for language in sorted(LANGUAGES, key=lambda language: language == ENGLISH):
            words = translator(language)
            _mount(app, build_page(bot, data, conversations, job, words), words, host, port)
        mounted: list[Any] = [route.app for route in app.routes if isinstance(route, Mount)]

        def ending() -> None:
            for view in mounted:
                view.stop_event.set()

        address = address_of(host, taken)
        # Gradio holds a connection to every open page
        server = Server(app, ready=lambda: ready(address), ending=ending)
        server.run_until_interrupted(taken)


def _mount(app: FastAPI, page: gr.Blocks, words: Translator, host: str, port: int) -> None:
    """Has the app answer with the page at its language's path."""
    page.state_session_capacity = REMEMBERED_PAGES
    page.queue(
        status_update_rate=PLACE_SECONDS, default_concurrency_limit=CONCURRENT_QUESTIONS, max_size=WAITING_QUESTIONS
    )
    with warnings.catch_warnings():
        # of something that is not asked for
        warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)
        gr.mount_gradio_app(
            app,
            page,
            path=words.address("/").rstrip("/") or "/",
            server_name=host,
            server_port=port,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            show_error=False,
            max_file_size=MAX_UPLOAD,
            theme=_theme(),
            i18n=gradio_translations(words),
            head=HEAD.format(language=words.language, frame=(HERE / "frame.css").read_text("utf-8")),
            css_paths=HERE / "page.css",
            js=(HERE / "page.js").read_text("utf-8"),
        )


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue="teal", neutral_hue="stone", radius_size="sm", font=FONT, font_mono=["ui-monospace", "monospace"]
    )
    return theme.set(
        # what is written on these keeps 4.5:1
        input_background_fill_dark="*neutral_900",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
    )
