"""Follows sources: folders and files as they change, addresses and feeds from time to time.

Knows when to look. Does not know what is done then: an update as any other, which locks the folder only while it runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from threading import Event

from watchfiles import watch

from ingest.urls import is_web_url

LOOK_SECONDS = 1.0  # how long Ctrl-C may go unheard
SETTLE_MILLISECONDS = 800  # a file that is being written has changed again by then


def changed_sources(sources: Sequence[str], interval_seconds: float, stop: Event) -> Iterator[list[str]]:
    """The sources to look at, each time some are due: all at once first, then what changed, and addresses by the clock.

    An empty list each LOOK_SECONDS in which nothing is. Ends when `stop` is set.
    """
    urls = [source for source in sources if is_web_url(source)]
    files = [source for source in sources if not is_web_url(source)]
    watched = _changes(files, stop)
    first = next(watched, set()) if files else set[str]()  # it watches from here on, also during the first run
    yield list(sources)
    next_round = time.monotonic() + interval_seconds
    for changed in chain([first], watched):
        touched = [source for source in files if any(_lies_in(path, source) for path in changed)]
        if urls and time.monotonic() >= next_round:
            touched += urls
            next_round = time.monotonic() + interval_seconds
        yield touched


def _changes(files: Sequence[str], stop: Event) -> Iterator[set[str]]:
    """The paths that changed, an empty set each LOOK_SECONDS in which none did."""
    # a file is watched by its folder: editors write a new one in its place
    folders = {str(path if path.is_dir() else path.parent) for path in (Path(file).resolve() for file in files)}
    if not folders:
        while not stop.wait(LOOK_SECONDS):
            yield set()
        return
    for changes in watch(
        *sorted(folders),
        stop_event=stop,
        debounce=SETTLE_MILLISECONDS,
        rust_timeout=int(LOOK_SECONDS * 1000),
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        yield {path for _, path in changes}


def _lies_in(path: str, source: str) -> bool:
    place = Path(source).resolve()
    return Path(path) == place or place in Path(path).parents
