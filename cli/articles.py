"""`remove`, `reinstate`, `set` and `delete`: what is done to single articles of the library."""

from __future__ import annotations

import argparse

from cli.command import ARTICLES, Command


def _declare_remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, as the articles' texts will say")


def _remove(options: argparse.Namespace) -> int:
    from ingest import remove

    articles = remove(options.names, options.reason, data=options.data)
    print(f"{len(articles)} articles are searched no more, and stay out: {', '.join(articles)}.")
    return 0


def _reinstate(options: argparse.Namespace) -> int:
    from ingest import reinstate

    articles = reinstate(options.names, data=options.data)
    print(f"{len(articles)} articles are searched again: {', '.join(articles)}.")
    return 0


def _declare_set(parser: argparse.ArgumentParser) -> None:
    fields = parser.add_argument_group('at least one of these; "" gives back what the source says')
    fields.add_argument("--title", metavar="TEXT")
    fields.add_argument("--publisher", metavar="NAME")
    fields.add_argument("--published", metavar="DAY", help="2025-12-13, 2025-12 or 2025")


def _set(options: argparse.Namespace) -> int:
    from ingest import set_metadata

    fields = {field: getattr(options, field) for field in ("title", "publisher", "published")}
    if set(fields.values()) == {None}:
        raise ValueError("Nothing to set: name --title, --publisher or --published with its value.")
    articles = set_metadata(options.names, **fields, data=options.data)
    print(f"{len(articles)} articles have a new version: {', '.join(articles)}." if articles else "Nothing to change.")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from ingest import delete

    done = delete(options.names, data=options.data)
    print(
        f"Deleted for good: {done.articles} articles in {done.versions} versions, {done.passages} passages with"
        f" their vectors, and {done.raw_bytes} bytes of kept documents. Backups made earlier still hold them."
    )
    return 0


REMOVE = Command("Remove articles from the search, also for later ingests", _remove, _declare_remove, (ARTICLES,))
REINSTATE = Command("Reinstate removed articles", _reinstate, parents=(ARTICLES,))
SET = Command("Override what articles' sources say of title, publisher or date", _set, _declare_set, (ARTICLES,))
DELETE = Command("Delete articles for good, with all that is kept of them", _delete, parents=(ARTICLES,))
