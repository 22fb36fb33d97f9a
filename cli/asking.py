"""`ask` and `verify`: a question and its answer, and whether an evidence bundle still holds."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from cli.command import JSON, Command, until_unread


def _declare_ask(parser: argparse.ArgumentParser) -> None:
    from render import EXPORT_FORMATS

    parser.add_argument("question", metavar="QUESTION")
    formats = ["text", "json", *EXPORT_FORMATS]
    parser.add_argument("--format", choices=formats, default="text", help="how to print the answer")
    parser.add_argument("--model", metavar="NAME", help='the chat model that writes (else VIADOMA_MODEL); "" to quote')
    parser.add_argument("--as-of", metavar="DAY", type=_day, help="answer as on that day, without what came later")
    filters = parser.add_argument_group("which articles are searched (the first three may be repeated)")
    filters.add_argument("--publisher", metavar="NAME", action="append", default=[])
    filters.add_argument("--lang", metavar="CODE", action="append", default=[], help="such as en, ru, be")
    filters.add_argument("--article", metavar="ID", action="append", default=[], help="as in the JSON of an answer")
    filters.add_argument("--published-from", metavar="DAY", type=_day, help="published on 2025-12-13 or later")
    filters.add_argument("--published-to", metavar="DAY", type=_day, help="published that day or earlier")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write it as 2025-12-13") from None


def _ask(options: argparse.Namespace) -> int:
    from bot import Bot, Filters
    from render import EXPORT_FORMATS, text

    filters = Filters(
        tuple(options.publisher),
        tuple(options.lang),
        tuple(options.article),
        options.published_from,
        options.published_to,
    )
    with Bot.open(data=options.data, model=options.model) as bot:
        answer = bot.ask(options.question, as_of=options.as_of, filters=filters)
    with until_unread():
        if options.format == "json":
            print(json.dumps(asdict(answer) | {"text": answer.text}, ensure_ascii=False, indent=2, default=str))
        elif options.format == "text":
            print(text(answer), end="")
        else:
            print(EXPORT_FORMATS[options.format].render([answer], str, "en"), end="")
    return 0


def _declare_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="as viadoma ask QUESTION --format bundle prints it")


def _verify(options: argparse.Namespace) -> int:
    from bot import Bot, BundleError, verify

    with Bot.open(data=options.data, model="") as bot:
        try:
            findings = verify(Path(options.file).read_text("utf-8-sig"), bot.article, bot.names)
        except UnicodeDecodeError:
            raise ValueError(
                f"{options.file} is not UTF-8 text: name a file as viadoma ask QUESTION --format bundle prints it."
            ) from None
        except BundleError as error:
            raise ValueError(f"{options.file}: {error}") from error
    failed = sum(not finding.ok for finding in findings)
    with until_unread():
        for finding in findings:
            print(finding)
        print(f"{failed:,} of {len(findings):,} checks failed." if failed else "All checks passed.")
    return 1 if failed else 0


ASK = Command("Ask a question about the articles", _ask, _declare_ask, (JSON,))
VERIFY = Command("Recheck an evidence bundle against the articles", _verify, _declare_verify)
