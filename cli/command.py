"""What a command is, and what several of them share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STOPPED = 130  # by Ctrl-C, as shells have it
UNUSABLE = 2


def _parent() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(add_help=False)


DATA = _parent()
DATA.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")

JSON = _parent()
JSON.add_argument("--json", action="store_const", dest="format", const="json", default="text", help="print JSON")

ARTICLES = _parent()
ARTICLES.add_argument(
    "names", nargs="+", metavar="ARTICLE", help="an article's id, file or URL; a folder names all articles in it"
)


def _no_options(parser: argparse.ArgumentParser) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    `perform` gives the exit code. `declare` adds the command's own options to its parser; `parents` hold those it
    shares, besides `--data`. With `ends_at_once` the process does not wait for threads that are still at work.
    """

    summary: str
    perform: Callable[[argparse.Namespace], int]
    declare: Callable[[argparse.ArgumentParser], None] = _no_options
    parents: tuple[argparse.ArgumentParser, ...] = ()
    ends_at_once: bool = False

    def parser(self, name: str) -> argparse.ArgumentParser:
        """What the command understands; its options may need imports that take seconds."""
        parser = argparse.ArgumentParser(
            prog=f"viadoma {name}", description=f"{self.summary}.", parents=[*self.parents, DATA]
        )
        self.declare(parser)
        return parser


@contextmanager
def until_unread() -> Iterator[None]:
    """Printing inside it may end early: what reads it, such as `head`, has seen enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def counting(what: str, unit: str = " versions", *, unit_scale: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; it is shown how much is done, and how much there is in all."""
    from tqdm import tqdm

    with tqdm(unit=unit, unit_scale=unit_scale, desc=what, leave=False, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
