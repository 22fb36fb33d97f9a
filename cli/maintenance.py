"""`check`, `rebuild`, `backup` and `restore`: looking after the data folder."""

from __future__ import annotations

import argparse
import sys

from cli.command import Command, counting

MEGABYTE = 1_000_000


def _check(options: argparse.Namespace) -> int:
    from ingest import check

    with counting("Checking") as show:
        faults = check(data=options.data, on_progress=show)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"{len(faults)} faults. viadoma rebuild repairs vectors and index; the rest needs a backup.")
        return 1
    print("Library, full text, vectors and index agree.")
    return 0


def _rebuild(options: argparse.Namespace) -> int:
    from ingest import rebuild

    with counting("Rebuilding") as show:
        rebuilt = rebuild(data=options.data, on_progress=show)
    print(f"Index rebuilt: {rebuilt.vectors} vectors, {rebuilt.embedded} of them embedded again.")
    return 0


def _declare_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the archive to write")


def _backup(options: argparse.Namespace) -> int:
    from ingest import backup

    print(f"Wrote {options.file}, {backup(options.file, data=options.data) / MEGABYTE:.1f} MB.")
    return 0


def _declare_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an archive that viadoma backup wrote")


def _restore(options: argparse.Namespace) -> int:
    from ingest import restore

    print(f"Restored the library of {restore(options.file, data=options.data)}.")
    return 0


CHECK = Command("Check that library, full text, vectors and index agree", _check)
REBUILD = Command("Rebuild the search index; embed again what is missing, damaged or of another model", _rebuild)
BACKUP = Command("Write one archive of the library, also while it is in use", _backup, _declare_backup)
RESTORE = Command("Restore a backup into an empty data folder", _restore, _declare_restore)
