"""What people see: the chat and, beside it, its sources. The only package that knows Gradio.

Does not know how an answer is found: it calls the public face of `bot` alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.routing import Mount

from bot import Bot
from page.chat import CONCURRENT_QUESTIONS, chat
from page.conversations import Conversations
from page.intake import Intake
from page.library import library
from page.markup import escape_html
from page.serving import ADDRESS, HERE, Server, address_of, bound, door_of, serving
from page.timeline import timeline

WAITING_QUESTIONS = 64
MAX_UPLOAD = "200mb"
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]


def status_line(bot: Bot) -> str:
    """Mode and size of the collection, for the head of the page."""
    coverage = bot.coverage
    newest = f", newest {coverage.newest}" if coverage.newest else ""
    return f"{coverage.articles:,} articles{newest} · {bot.mode}"


def head(bot: Bot) -> None:
    """What stands at the top of every view."""
    gr.components.Navbar(main_page_name="Ask")
    gr.HTML(
        "<header><h1>Viadoma</h1><p>Ask about the prisoner releases and sanctions in Belarus. Every sentence is an "
        f'exact quote from a named article.</p><p class="status">{escape_html(status_line(bot))}</p></header>',
        elem_id="head",
    )


def build(bot: Bot, data: Path, conversations: Conversations, intake: Intake) -> gr.Blocks:
    """The views; what is answered is kept in `conversations`, what is taken in goes through `intake` into `data`."""
    with gr.Blocks(title="Viadoma", analytics_enabled=False, fill_height=True, fill_width=True) as page:
        head(bot)
        chat(page, bot, conversations)
    with page.route("Library", "/library"):
        head(bot)
        library(page, bot, data, intake)
    with page.route("Timeline", "/timeline"):
        head(bot)
        timeline(page, bot)
    return page  # type: ignore[no-any-return] # Gradio types its context as Any


def launch(
    bot: Bot, data: Path, port: int, *, host: str = ADDRESS, account: str = "", ready: Callable[[str], None]
) -> None:
    """Serves the page until it is stopped; calls `ready` with its address once it answers.

    On this machine alone, or at the address `host`, which needs an `account` ("name:password") that is then asked for.
    The conversations are kept in the folder `data`. ValueError for an account that is none or is missing; OSError or
    OverflowError if the conversations or the port can't be had; the message says what to do. KeyboardInterrupt is what
    stops it.
    """
    door = door_of(host, account)
    with (
        bound(host, port) as taken,
        closing(Conversations(data, bot.article)) as conversations,
        closing(Intake(data)) as intake,
    ):
        theme = gr.themes.Base(
            primary_hue="teal",
            neutral_hue="stone",
            radius_size="sm",
            font=FONT,
            font_mono=["ui-monospace", "monospace"],
        )
        page = build(bot, data, conversations, intake)
        page.queue(default_concurrency_limit=CONCURRENT_QUESTIONS, max_size=WAITING_QUESTIONS)
        with warnings.catch_warnings():
            # of something that is not asked for
            warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)
            app = gr.mount_gradio_app(
                serving(bot, conversations, host, door),
                page,
                path="/",
                server_name=host,
                server_port=port,
                ssr_mode=False,
                run_history=False,
                enable_monitoring=False,
                footer_links=[],
                show_error=False,
                max_file_size=MAX_UPLOAD,
                theme=theme,
                css_paths=HERE / "page.css",
                js=(HERE / "page.js").read_text("utf-8"),
            )
        chat: Any = next(route.app for route in app.routes if isinstance(route, Mount))
        address = address_of(host, taken)
        # Gradio holds a connection to every open page
        server = Server(app, ready=lambda: ready(address), ending=chat.stop_event.set)
        server.run_until_interrupted(taken)
