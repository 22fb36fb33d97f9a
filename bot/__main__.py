"""`python -m bot "question" [--json] [--data DIR] [--model NAME]`: asks once, prints the answer and its quotes.

Exit codes: 0 answered or honestly not found, 2 wrong usage or unusable data folder.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from dataclasses import asdict

from bot import Answer, Bot, Citation, LibraryError, QuestionError, searched


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Ask a question about the articles.")
    parser.add_argument("question")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument("--data", metavar="DIR", help="the data folder (else VIADOMA_DATA, else ./data)")
    parser.add_argument("--model", metavar="NAME", help='the chat model that writes (else VIADOMA_MODEL); "" to quote')
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows pipe has an encoding of few letters
    try:
        with Bot.open(data=options.data, model=options.model) as bot:
            answer = bot.ask(options.question)
    except (LibraryError, QuestionError, OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        if options.json:
            print(json.dumps(asdict(answer) | {"text": answer.text}, ensure_ascii=False, indent=2))
        else:
            _show(answer)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _show(answer: Answer) -> None:
    print(answer.text)
    for note in answer.notes:
        print(f"({note})")
    shown = answer.citations or answer.closest
    if shown:
        print("\nSources:" if answer.citations else "\nClosest passages:")
    for citation in shown:
        print(f"[{citation.number}] {_source(citation)}\n    “{' '.join(citation.quote.split())}”")
    if answer.status != "not_found":
        print(f"\n{searched(answer.coverage)}")


def _source(citation: Citation) -> str:
    article = citation.article
    return ", ".join(part for part in (article.name, article.publisher, article.published, article.url) if part)


if __name__ == "__main__":
    sys.exit(main())
