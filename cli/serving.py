"""`serve` and `feedback`: the chat page, and what was thought of its answers."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import webbrowser
from contextlib import closing
from pathlib import Path

from cli.command import Command, until_unread

SAMPLES = Path(__file__).parent.parent / "samples"
HOST = "127.0.0.1"
PORT = 7860


def _declare_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=PORT, help=f"the port (else {PORT})")
    parser.add_argument("--host", default=HOST, help=f"the address (else {HOST}); others need VIADOMA_AUTH")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")


def _serve(options: argparse.Namespace) -> int:
    from bot import Bot, NoLibraryError
    from vectorstore import load_settings

    # stopped by another program is stopped as by Ctrl-C: what is open is closed
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        where = load_settings(options.data and Path(options.data))
        try:
            bot = Bot.open(options.data)
        except NoLibraryError:
            _create_starter_library(where.data)
            bot = Bot.open(options.data)
        with bot:
            # the index opens meanwhile, so that the first question does not wait for it
            warming = threading.Thread(target=bot.warm_up, daemon=True)
            warming.start()
            try:
                from page.launch import launch

                launch(
                    bot,
                    where.data,
                    options.port,
                    host=options.host,
                    credentials=where.auth,
                    ready=lambda url: _announce(url, in_browser=_is_graphical() and not options.no_browser),
                )
            finally:
                warming.join()  # it must not find the folder closed
    except KeyboardInterrupt:
        pass  # that is how a server ends
    return 0


def _create_starter_library(data: Path) -> None:
    """Makes the data folder with the starter collection, whole or not at all: a start may be stopped half-way."""
    from ingest import update

    print("Loading the starter collection (first start only, some ten seconds) ...", flush=True)
    making = data.with_name(f"{data.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    update([SAMPLES], data=making)
    data.mkdir(parents=True, exist_ok=True)
    # the library last: without it the folder is not filled yet
    for path in sorted(making.iterdir(), key=lambda path: path.name.startswith("library.db")):
        shutil.rmtree(data / path.name, ignore_errors=True)
        path.replace(data / path.name)
    making.rmdir()


def _is_graphical() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY"))


def _announce(url: str, *, in_browser: bool) -> None:
    print(f"Viadoma is running at {url} (press Ctrl-C to stop)", flush=True)
    if in_browser:
        # a browser in the terminal would hold up the page it is to show
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _print_feedback(options: argparse.Namespace) -> int:
    from bot import Bot
    from page.conversations import Conversations
    from vectorstore import load_settings

    data = load_settings(options.data and Path(options.data)).data
    with (
        Bot.open(options.data, model="") as bot,
        closing(Conversations(data, bot.article)) as conversations,
        until_unread(),
    ):
        for judgement in conversations.all_feedback():
            line = {
                "liked": judgement.liked,
                "reason": judgement.reason,
                "made": judgement.created_at,
                "evidence": json.loads(judgement.bundle),
            }
            print(json.dumps(line, ensure_ascii=False))
    return 0


SERVE = Command("Open the chat page", _serve, _declare_serve, ends_at_once=True)
FEEDBACK = Command(
    "Print what users thought of answers, with their reasons and the evidence, a JSON object a line", _print_feedback
)
