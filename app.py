"""`python app.py`: environment -> bot -> page -> launch."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from bot import Bot, LibraryError, NoLibraryError
from ingest import update

SAMPLES = Path(__file__).parent / "samples"
PORT = 7860


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns the exit code: 0 stopped, 2 unusable data folder or port."""
    parser = argparse.ArgumentParser(prog="python app.py", description="Open the chat page.")
    parser.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")
    parser.add_argument("--port", type=int, default=PORT, help=f"the port on 127.0.0.1 (else {PORT})")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    options = parser.parse_args(arguments)
    try:
        try:
            bot = Bot.open(options.data)
        except NoLibraryError:
            print("Taking in the starter collection (once, some ten seconds) ...", flush=True)
            update([SAMPLES], data=options.data)
            bot = Bot.open(options.data)
        graphical = sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY"))
        with bot:
            # the index opens meanwhile, so that the first question does not wait for it
            threading.Thread(target=bot.warm_up, daemon=True).start()
            from page import launch

            launch(bot, options.port, in_browser=graphical and not options.no_browser)
    except (LibraryError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
