"""All commands, how one is chosen and run, and how errors end it.

A command's module imports what it needs when it is used: `viadoma ask` loads neither Gradio nor what ingest needs.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli.articles import DELETE, REINSTATE, REMOVE, SET
from cli.asking import ASK, VERIFY
from cli.command import STOPPED, UNUSABLE, Command
from cli.ingesting import INGEST, WATCH
from cli.maintenance import BACKUP, CHECK, REBUILD, RESTORE
from cli.serving import FEEDBACK, SERVE

COMMANDS = {
    "serve": SERVE,
    "ask": ASK,
    "verify": VERIFY,
    "ingest": INGEST,
    "watch": WATCH,
    "remove": REMOVE,
    "reinstate": REINSTATE,
    "set": SET,
    "delete": DELETE,
    "check": CHECK,
    "rebuild": REBUILD,
    "backup": BACKUP,
    "restore": RESTORE,
    "feedback": FEEDBACK,
}


def overview() -> argparse.ArgumentParser:
    """The parser of the command's name alone."""
    parser = argparse.ArgumentParser(
        prog="viadoma",
        description="Questions about news articles, answered with exact quotes.",
        epilog="viadoma COMMAND --help lists the options of a command. Exit codes: 0 done; 1 some sources failed, or"
        " faults or differences were found; 2 wrong usage, or something that can't be used, such as the data folder;"
        " 130 stopped by Ctrl-C.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.summary)
    return parser


def run(name: str = "") -> NoReturn:
    """Runs what the command line says and ends the process; `name` is a command that it does not name itself.

    Where a command ends at once, all that it opened is closed by then. A question that was given up may still be in
    native code, which must not see the interpreter go: that crashes, or never ends.
    """
    command, options = _parsed([*filter(None, [name]), *sys.argv[1:]])
    code = _performed(command, options)
    if command.ends_at_once:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Runs a command, named by the first argument; returns its exit code. SystemExit after wrong usage or --help."""
    return _performed(*_parsed(arguments))


def _parsed(arguments: Sequence[str]) -> tuple[Command, argparse.Namespace]:
    name = overview().parse_args(arguments[:1]).command
    return COMMANDS[name], COMMANDS[name].parser(name).parse_args(arguments[1:])


def _performed(command: Command, options: argparse.Namespace) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows pipe has an encoding of few letters
    try:
        return command.perform(options)
    except KeyboardInterrupt:
        return STOPPED
    except (ValueError, OSError, OverflowError, ImportError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
