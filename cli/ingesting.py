"""`ingest` and `watch`: articles into the library, once or again whenever their sources change."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from threading import Event
from typing import TYPE_CHECKING

from cli.command import JSON, STOPPED, Command, counting

if TYPE_CHECKING:
    from ingest import Failure, Parallelism, Report

INTERVAL_MINUTES = 15.0
MINUTES_A_YEAR = 60 * 24 * 365
LISTED = 20  # sources of an outcome; failures are all listed


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0
    if not 1 <= minutes <= MINUTES_A_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes, at least 1")
    return minutes


def _sources() -> argparse.ArgumentParser:
    """What both commands understand."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a file, a folder, an archive, a URL, a feed, a sitemap, or a list of URLs",
    )
    parser.add_argument("--prune", action="store_true", help="remove articles that no longer exist in the sources")
    parallel = parser.add_mutually_exclusive_group()
    parallel.add_argument("--workers", type=_count, default=1, metavar="N", help="read and embed in N processes")
    parallel.add_argument("--dask", default="", metavar="ADDRESS", help="read and embed on a Dask cluster")
    return parser


SOURCES = _sources()


def _declare_ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")


def _declare_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--interval",
        type=_minutes,
        default=INTERVAL_MINUTES,
        metavar="MINUTES",
        help=f"how often URLs and feeds are asked (else {INTERVAL_MINUTES:g})",
    )


@contextmanager
def _stopping() -> Iterator[Event]:
    """The first Ctrl-C sets the event, for an end after the current article; the second ends at once."""
    stop = Event()

    def ask(_signal: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        print("Stopping after the current article. Press Ctrl-C again to stop now.", file=sys.stderr)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _parallelism(options: argparse.Namespace) -> Parallelism:
    from ingest import Parallelism

    return Parallelism(options.workers, options.dask)


def _ingest(options: argparse.Namespace) -> int:
    from ingest import ReportBuilder, update

    builder = ReportBuilder()
    began = time.monotonic()

    def sum_up(first: str) -> None:
        if options.format == "json":
            print(json.dumps(asdict(builder.report()), ensure_ascii=False, indent=2))
        else:
            _sum_up(builder.report(), first)

    try:
        with _stopping() as stop, counting("Reading", "B", unit_scale=True) as show:
            update(
                options.sources,
                data=options.data,
                prune=options.prune,
                dry_run=options.dry_run,
                parallelism=_parallelism(options),
                on_progress=lambda progress: show(progress.done, progress.total),
                builder=builder,
                stop=stop.is_set,
            )
    except BaseException:
        # whatever happened: what was saved is said
        sum_up("Interrupted. These articles were saved; run the same command to continue:")
        raise
    if stop.is_set():
        sum_up("Stopped. These articles were saved; run the same command to continue:")
        return STOPPED
    done = "Nothing was written. It would be:" if options.dry_run else f"Done in {time.monotonic() - began:.1f} s:"
    sum_up(done)
    return 1 if builder.failed else 0


def _watch(options: argparse.Namespace) -> int:
    from ingest import watch

    with _stopping() as stop:
        reports = watch(
            options.sources,
            stop,
            data=options.data,
            prune=options.prune,
            interval_seconds=60 * options.interval,
            parallelism=_parallelism(options),
        )
        known_failures: set[Failure] = set()
        for report in reports:
            news = {*report.failed} - known_failures
            known_failures = {*report.failed}
            if report.added or report.changed or report.removed or news:
                _sum_up(report, time.strftime("%H:%M:%S"))
    return 0


def _sum_up(report: Report, first: str) -> None:
    counts = {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
    }
    if report.still_removed:
        counts["still removed"] = report.still_removed
    print(first, ", ".join(f"{len(members)} {word}" for word, members in counts.items()) + ".")
    for word, sources in (
        ("changed", report.changed),
        ("removed", report.removed),
        ("still removed", report.still_removed),
    ):
        for source in sources[:LISTED]:
            print(f"  {word}: {source}")
        if len(sources) > LISTED:
            print(f"  {word}: {len(sources) - LISTED} more")
    for failure in report.failed:
        print(f"  failed: {failure.source}: {failure.reason}", file=sys.stderr)


INGEST = Command("Ingest articles; of known sources only what changed", _ingest, _declare_ingest, (SOURCES, JSON))
WATCH = Command("Ingest articles, and keep running: again as sources change", _watch, _declare_watch, (SOURCES,))
