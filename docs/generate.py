"""Writes the pages that the code knows by itself: settings.md and cli.md. Run: python -m docs.generate."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from cli.program import COMMANDS, overview
from vectorstore.settings import described

HERE = Path(__file__).parent
DOORS = """`python -m cli` is the same command; `python app.py` is `viadoma serve`, `python -m bot` is `viadoma ask`,
`python -m ingest` is `viadoma ingest`.
"""


def settings_page() -> str:
    """The variables of the environment."""
    rows = "\n".join(f"| `{variable}` | {what} | {default} |" for variable, what, default in described())
    head = "# Settings\n\nVariables of the environment; an empty one counts as not set.\n\n"
    return f"{head}| variable | what | default |\n|---|---|---|\n{rows}\n"


def cli_page() -> str:
    """What each command says with --help."""
    parts = [f"# Command line\n\n{_help(overview())}\n{DOORS}"]
    parts += [f"## {name}\n\n{_help(command.parser(name))}" for name, command in COMMANDS.items()]
    return "\n".join(parts)


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = partial(argparse.HelpFormatter, width=100)
    return f"```text\n{parser.format_help()}```\n"


PAGES = {"settings.md": settings_page, "cli.md": cli_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), "utf-8")
