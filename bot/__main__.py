"""`python -m bot "question"`: asks once, prints the answer and its quotes; `--help` names the options.

`python -m bot --verify bundle.json` rechecks what `--format bundle` wrote. Exit codes: 0 answered or honestly not
found, or all of the bundle holds; 1 something in the bundle differs; 2 wrong usage, unusable data folder, or no bundle.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

from bot import FORMATS, Answer, Bot, BundleError, Citation, Filters, LibraryError, QuestionError, verify
from bot.export import CORRECTS, lead, passages_read


def command_line() -> argparse.ArgumentParser:
    """What the program understands."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Ask a question about the articles.")
    parser.add_argument("question", nargs="?")
    parser.add_argument("--verify", metavar="FILE", help="recheck a bundle against the articles instead of asking")
    parser.add_argument("--format", choices=["text", "json", *FORMATS], default="text", help="how to print the answer")
    parser.add_argument("--json", action="store_const", dest="format", const="json", help="the same as --format json")
    parser.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")
    parser.add_argument("--model", metavar="NAME", help='the chat model that writes (else VIADOMA_MODEL); "" to quote')
    chosen = parser.add_argument_group("which articles are searched (options may be repeated)")
    chosen.add_argument("--publisher", metavar="NAME", action="append", default=[])
    chosen.add_argument("--lang", metavar="CODE", action="append", default=[], help="such as en, ru, be")
    chosen.add_argument("--article", metavar="ID", action="append", default=[], help="as in the JSON of an answer")
    chosen.add_argument("--from", metavar="DAY", type=_day, dest="since", help="published on 2025-12-13 or later")
    chosen.add_argument("--to", metavar="DAY", type=_day, dest="until", help="published that day or earlier")
    chosen.add_argument("--as-of", metavar="DAY", type=_day, help="answer as on that day, without what came later")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns the exit code."""
    parser = command_line()
    options = parser.parse_args(arguments)
    if (options.question is None) == (options.verify is None):
        parser.error("name either a question or --verify FILE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows pipe has an encoding of few letters
    if options.verify is not None:
        return _verify(options.verify, options.data)
    try:
        with Bot.open(data=options.data, model=options.model) as bot:
            filters = Filters(
                tuple(options.publisher),
                tuple(options.lang),
                tuple(options.article),
                options.since,
                options.until,
            )
            answer = bot.ask(options.question, as_of=options.as_of, filters=filters)
    except (LibraryError, QuestionError, OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    with _unread():
        if options.format == "json":
            print(json.dumps(asdict(answer) | {"text": answer.text}, ensure_ascii=False, indent=2, default=str))
        elif options.format == "text":
            show(answer)
        else:
            print(FORMATS[options.format].write([answer]), end="")
    return 0


def _verify(file: str, data: str | None) -> int:
    try:
        with Bot.open(data=data, model="") as bot:
            findings = verify(Path(file).read_text("utf-8-sig"), bot.article, bot.names)
    except UnicodeDecodeError:
        print(f"{file} is not UTF-8 text: name a file as --format bundle made it.", file=sys.stderr)
        return 2
    except BundleError as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 2
    except (LibraryError, OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    wrong = sum(not finding.holds for finding in findings)
    with _unread():
        for finding in findings:
            print(finding)
        print(f"{wrong:,} of {len(findings):,} differ." if wrong else "Everything holds.")
    return 1 if wrong else 0


@contextmanager
def _unread() -> Iterator[None]:
    """Printing inside it may end early: the reader, such as `head`, has seen enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(answer: Answer) -> None:
    """Prints an answer: the short one first, then its quotes, their sources, and what was searched and read."""
    read = passages_read(answer)
    if first := lead(answer):
        print(f"{first}\n")
    if answer.corrects:
        print(CORRECTS)
    # the text of a refusal ends with what was searched
    print(f"{answer.text} {read}".rstrip() if answer.status == "not_found" else answer.text)
    for note in answer.notes:
        print(f"({note})")
    shown = answer.citations or answer.closest
    if shown:
        print("\nSources:" if answer.citations else "\nClosest passages:")
    for citation in shown:
        print(f"[{citation.number}] {_source(citation)}")
        for told in citation.told_before:
            print(f"    {told}")
        print(f"    “{' '.join(citation.quote.split())}”")
        for voice in citation.voices:
            print(f"    {voice}")
        print(f"    {citation.link}")
    if answer.status != "not_found":
        print(f"\n{answer.searched} {read}".rstrip())
    for spelling in answer.spellings:
        if spelling.elsewhere:
            print(spelling.elsewhere)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day such as 2025-12-13") from None


def _source(citation: Citation) -> str:
    article = citation.article
    copies = f"printed again by {len(citation.copies):,} more" if citation.copies else ""
    return ", ".join(part for part in (article.name, article.publisher, article.published, article.url, copies) if part)


if __name__ == "__main__":
    sys.exit(main())
