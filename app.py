"""`python app.py`: environment -> bot -> page -> launch."""

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

from bot import Bot, LibraryError, NoLibraryError
from ingest import update
from vectorstore import settings

SAMPLES = Path(__file__).parent / "samples"
HOST = "127.0.0.1"
PORT = 7860


def fill(data: Path) -> None:
    """Makes the data folder with the starter collection, whole or not at all: a start may be stopped half-way."""
    print("Taking in the starter collection (once, some ten seconds) ...", flush=True)
    making = data.with_name(f"{data.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    update([SAMPLES], data=making)
    data.mkdir(parents=True, exist_ok=True)
    # the library last: without it the folder is not filled yet
    for path in sorted(making.iterdir(), key=lambda path: path.name.startswith("library.db")):
        shutil.rmtree(data / path.name, ignore_errors=True)
        path.replace(data / path.name)
    making.rmdir()


def show(address: str, *, in_browser: bool) -> None:
    """Says where the page is, and opens it."""
    print(f"Viadoma answers at {address} (Ctrl-C stops it)", flush=True)
    if in_browser:
        # a browser in the terminal would hold up the page it is to show
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def tell_feedback(bot: Bot, data: Path) -> int:
    """Prints the judgements kept in the data folder, a JSON object a line, each with the evidence of its answer."""
    from page.conversations import Conversations

    with closing(Conversations(data, bot.article)) as conversations:
        for one in conversations.judgements():
            told = {"liked": one.liked, "reason": one.reason, "made": one.made, "evidence": json.loads(one.bundle)}
            print(json.dumps(told, ensure_ascii=False))
    return 0


def command_line() -> argparse.ArgumentParser:
    """What the program understands."""
    parser = argparse.ArgumentParser(prog="python app.py", description="Open the chat page.")
    parser.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port (else {PORT})")
    parser.add_argument("--host", default=HOST, help=f"the address (else {HOST}); others need VIADOMA_AUTH")
    parser.add_argument("--feedback", action="store_true", help="print what readers thought of answers, and end")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns the exit code: 0 stopped, 2 unusable data folder or port."""
    options = command_line().parse_args(arguments)
    # stopped by another program is stopped as by Ctrl-C: what is open is closed
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        where = settings(options.data and Path(options.data))
        data = where.data
        try:
            bot = Bot.open(options.data)
        except NoLibraryError:
            fill(data)
            bot = Bot.open(options.data)
        graphical = sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY"))
        if options.feedback:
            with bot:
                return tell_feedback(bot, data)
        with bot:
            # the index opens meanwhile, so that the first question does not wait for it
            warming = threading.Thread(target=bot.warm_up, daemon=True)
            warming.start()
            try:
                from page import launch

                in_browser = graphical and not options.no_browser
                launch(
                    bot,
                    data,
                    options.port,
                    host=options.host,
                    account=where.auth,
                    ready=lambda address: show(address, in_browser=in_browser),
                )
            finally:
                warming.join()  # it must not find the folder closed
    except KeyboardInterrupt:
        return 0
    except (LibraryError, ValueError, OSError, OverflowError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def run() -> None:
    """Runs the program and ends the process.

    All is closed by then. A question that was given up may still be in native code, which must not see the interpreter
    go: that crashes, or never ends.
    """
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
