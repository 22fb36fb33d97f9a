"""Writes the pages that the code knows by itself: settings.md and cli.md. Run: python -m docs.generate."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import app
import bot.__main__
import ingest.__main__
from vectorstore.settings import described

HERE = Path(__file__).parent
COMMANDS = (
    ("The page", app.command_line),
    ("Asking, and verifying a bundle", bot.__main__.command_line),
    ("Ingest and maintenance", ingest.__main__.command_line),
)


def settings_page() -> str:
    """The variables of the environment."""
    rows = "\n".join(f"| `{variable}` | {what} | {default} |" for variable, what, default in described())
    head = "# Settings\n\nVariables of the environment; an empty one counts as not set.\n\n"
    return f"{head}| variable | what | default |\n|---|---|---|\n{rows}\n"


def cli_page() -> str:
    """What each command says with --help."""
    parts = []
    for title, command in COMMANDS:
        parser = command()
        parser.formatter_class = partial(argparse.HelpFormatter, width=100)
        parts.append(f"## {title}\n\n```text\n{parser.format_help()}```\n")
    return "\n".join(["# Command line\n", *parts])


PAGES = {"settings.md": settings_page, "cli.md": cli_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), "utf-8")
