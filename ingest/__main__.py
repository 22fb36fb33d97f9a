"""`python -m ingest SOURCE... [--data DIR] [--prune] [--dry-run]`: takes articles in, shows progress, sums up.

Exit codes: 0 all is in, 1 some sources failed (named on standard error, the rest is in), 2 wrong usage or unusable
data folder, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import sys
import time

from tqdm import tqdm

from ingest import LibraryError, open_store
from ingest.update import Progress, Report, Tally, run


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest",
        description="Take news articles into the library: files and folders of Markdown, text, HTML and JSON Lines.",
    )
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="a file or folder")
    parser.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")
    parser.add_argument("--prune", action="store_true", help="take out articles that vanished from the given sources")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows pipe has an encoding of few letters

    tally = Tally()
    began = time.monotonic()
    try:
        with (
            open_store(options.data, dry_run=options.dry_run) as store,
            tqdm(unit="B", unit_scale=True, desc="Reading", leave=False, disable=None) as bar,
        ):

            def show(progress: Progress) -> None:
                bar.total = progress.total
                bar.update(progress.done - bar.n)

            run(
                store,
                options.sources,
                prune=options.prune,
                dry_run=options.dry_run,
                on_progress=show,
                tally=tally,
            )
            coverage = store.library.coverage()
    except KeyboardInterrupt:
        _sum_up(tally.report(), "Stopped. What is named here is in; run the same again to go on.")
        return 130
    except (LibraryError, OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    done = "Nothing was written. It would be:" if options.dry_run else f"Done in {time.monotonic() - began:.1f} s:"
    _sum_up(tally.report(), done)
    if not options.dry_run:
        print(f"The library holds {coverage.articles} articles.")
    return 1 if tally.failed else 0


def _sum_up(report: Report, first: str) -> None:
    counts = {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
    }
    print(first, ", ".join(f"{len(members)} {word}" for word, members in counts.items()) + ".")
    for word in ("changed", "removed"):
        for source in counts[word]:
            print(f"  {word}: {source}")
    for failed in report.failed:
        print(f"  failed: {failed.source}: {failed.reason}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
