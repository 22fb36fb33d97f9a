"""`python -m ingest SOURCE... [--data DIR]`: takes articles in, follows sources, looks after the data folder.

Exit codes: 0 all is in or sound, 1 some sources failed or faults were found (named on standard error, the rest is in),
2 wrong usage or unusable data folder, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from tqdm import tqdm

from ingest import (
    Failure,
    LibraryError,
    Parallelism,
    Report,
    ReportBuilder,
    amend,
    backup,
    bring_back,
    check,
    delete,
    rebuild,
    remove,
    restore,
    update,
    watch,
)

MEGABYTE = 1_000_000
OTHERS = ("watch", "remove", "bring_back", "amend", "delete", "check", "rebuild", "backup", "restore")  # than taking in
INTERVAL_MINUTES = 15.0
NAMED = 20  # of a kind; failures are all named


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows pipe has an encoding of few letters
    parser = command_line()
    options = parser.parse_args(arguments)
    upkeep = options.check or options.rebuild or options.backup or options.restore
    if bool(upkeep) == bool(options.sources):
        parser.error("name sources, or one of --check, --rebuild, --backup, --restore")
    _forbid_what_does_nothing(parser, options)
    if options.workers > 1 and options.cluster:
        parser.error("--workers and --cluster exclude each other")
    if options.workers < 1 or (options.interval or 1) < 1:
        parser.error("--workers and --interval are at least 1")
    stop = Event()
    try:
        with _stopping(stop):
            return _done(options, stop)
    except KeyboardInterrupt:
        return 130
    except (LibraryError, OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2


def command_line() -> argparse.ArgumentParser:
    """What the program understands."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest",
        description="Take news articles into the library, follow their sources, and look after the data folder.",
    )
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a file, folder or archive, an address, a feed, a sitemap or a list of addresses; with --remove,"
        " --bring-back, --amend and --delete an article's id, file or address",
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")
    parser.add_argument("--prune", action="store_true", help="take out articles that vanished from the given sources")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="read and embed in N processes")
    parser.add_argument("--cluster", default="", metavar="ADDRESS", help="read and embed on a Dask cluster")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--watch", action="store_true", help="go on: follow folders, ask addresses and feeds again")
    other.add_argument("--remove", metavar="REASON", help="take articles out of what is searched; they stay out")
    other.add_argument("--bring-back", action="store_true", help="undo --remove")
    other.add_argument(
        "--amend",
        action="append",
        metavar="FIELD=VALUE",
        help="mend an article's title, publisher or published (2025-12-13); no VALUE gives back what its source says",
    )
    other.add_argument("--delete", action="store_true", help="delete articles for good, with all that is kept of them")
    other.add_argument("--check", action="store_true", help="check that library, full text, vectors and index agree")
    other.add_argument("--rebuild", action="store_true", help="make the index again, and vectors that need it")
    other.add_argument("--backup", metavar="FILE", help="write one archive of the library, also while it is in use")
    other.add_argument("--restore", metavar="FILE", help="bring a backup back into an empty data folder")
    parser.add_argument(
        "--interval", type=float, metavar="MINUTES", help="with --watch, how often addresses are asked (15)"
    )
    return parser


def _forbid_what_does_nothing(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Options that would be passed over are refused: who writes --delete --dry-run must not lose anything."""
    other = next((name for name in OTHERS if getattr(options, name) not in (None, False)), "")
    shown = f"--{other.replace('_', '-')}"
    if options.dry_run and other:
        parser.error(f"--dry-run does not go with {shown}")
    if other and other != "watch":
        for name, given in (
            ("--prune", options.prune),
            ("--workers", options.workers > 1),
            ("--cluster", options.cluster),
        ):
            if given:
                parser.error(f"{name} does not go with {shown}")
    if options.interval is not None and other != "watch":
        parser.error("--interval goes with --watch")


@contextmanager
def _stopping(stop: Event) -> Iterator[None]:
    """The first Ctrl-C asks for an end behind the article at hand, the second ends at once: what is in is in."""

    def ask(_signal: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        print("Stopping behind the article at hand; Ctrl-C again stops at once.", file=sys.stderr)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _done(options: argparse.Namespace, stop: Event) -> int:
    if options.check:
        return _check(options.data)
    if options.rebuild:
        with _counting("Rebuilding") as show:
            rebuilt = rebuild(data=options.data, on_progress=show)
        print(f"{rebuilt.vectors} vectors are in use; {rebuilt.embedded} were made again.")
    elif options.backup:
        print(f"Wrote {options.backup}, {backup(options.backup, data=options.data) / MEGABYTE:.1f} MB.")
    elif options.restore:
        print(f"Restored the library of {restore(options.restore, data=options.data)}.")
    elif options.remove is not None:
        articles = remove(options.sources, options.remove, data=options.data)
        print(f"{len(articles)} articles are searched no more, and stay out: {', '.join(articles)}.")
    elif options.bring_back:
        articles = bring_back(options.sources, data=options.data)
        print(f"{len(articles)} articles are searched again: {', '.join(articles)}.")
    elif options.amend:
        articles = amend(options.sources, **_fields(options.amend), data=options.data)
        print(
            f"{len(articles)} articles have a new version: {', '.join(articles)}." if articles else "Nothing to change."
        )
    elif options.delete:
        done = delete(options.sources, data=options.data)
        print(
            f"Deleted for good: {done.articles} articles in {done.versions} versions, {done.passages} passages with"
            f" their vectors, and {done.raw_bytes} bytes of kept documents. Backups made earlier still hold them."
        )
    elif options.watch:
        return _watch(options, stop)
    else:
        return _update(options, stop)
    return 0


def _fields(given: Sequence[str]) -> dict[str, str]:
    """The values that --amend gives, by field."""
    fields = {}
    for amendment in given:
        field, mark, value = amendment.partition("=")
        if not mark or field not in ("title", "publisher", "published"):
            raise ValueError(f"--amend {amendment}: write it as title=..., publisher=... or published=2025-12-13.")
        fields[field] = value
    return fields


def _update(options: argparse.Namespace, stop: Event) -> int:
    builder = ReportBuilder()
    began = time.monotonic()
    try:
        with _counting("Reading", "B", unit_scale=True) as show:
            update(
                options.sources,
                data=options.data,
                prune=options.prune,
                dry_run=options.dry_run,
                parallelism=Parallelism(options.workers, options.cluster),
                on_progress=lambda progress: show(progress.done, progress.total),
                builder=builder,
                stop=stop.is_set,
            )
    except BaseException:
        # whatever happened: what is in is said
        _sum_up(builder.report(), "Broken off. What is named here is in; run the same again to go on:")
        raise
    if stop.is_set():
        _sum_up(builder.report(), "Stopped. What is named here is in; run the same again to go on:")
        return 130
    done = "Nothing was written. It would be:" if options.dry_run else f"Done in {time.monotonic() - began:.1f} s:"
    _sum_up(builder.report(), done)
    return 1 if builder.failed else 0


def _watch(options: argparse.Namespace, stop: Event) -> int:
    reports = watch(
        options.sources,
        stop,
        data=options.data,
        prune=options.prune,
        interval_seconds=60 * (options.interval or INTERVAL_MINUTES),
        parallelism=Parallelism(options.workers, options.cluster),
    )
    known_failures: set[Failure] = set()
    for report in reports:
        news = {*report.failed} - known_failures
        known_failures = {*report.failed}
        if report.added or report.changed or report.removed or news:
            _sum_up(report, time.strftime("%H:%M:%S"))
    return 0


def _check(data: str | None) -> int:
    with _counting("Checking") as show:
        faults = check(data=data, on_progress=show)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"{len(faults)} faults. Vectors and index are made again with --rebuild; the rest needs a backup.")
        return 1
    print("Library, full text, vectors and index agree.")
    return 0


@contextmanager
def _counting(what: str, unit: str = " versions", *, unit_scale: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; it is shown how much is done, and how much there is in all."""
    with tqdm(unit=unit, unit_scale=unit_scale, desc=what, leave=False, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def _sum_up(report: Report, first: str) -> None:
    counts = {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
    }
    if report.withheld:
        counts["withheld"] = report.withheld
    print(first, ", ".join(f"{len(members)} {word}" for word, members in counts.items()) + ".")
    for word, sources in (("changed", report.changed), ("removed", report.removed), ("withheld", report.withheld)):
        for source in sources[:NAMED]:
            print(f"  {word}: {source}")
        if len(sources) > NAMED:
            print(f"  {word}: {len(sources) - NAMED} more")
    for failure in report.failed:
        print(f"  failed: {failure.source}: {failure.reason}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
