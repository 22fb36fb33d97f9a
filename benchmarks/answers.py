"""Quoted answers: whether a gold quote is among the cited sentences, and the text holds what it must.

The seed questions are asked of the seed article alone, the digest questions of all digests. Beside the bot, in the same
run: the one and the three sentences of the library nearest to the bare question (the embedding model alone).
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.figures import share
from benchmarks.results import report
from bot import Answer, Bot, Turn
from ingest import update
from ingest.passages import sentences
from vectorstore import Store, load_settings

SPEED_QUESTIONS = 100
Question = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question's: a gold quote was cited, in the first citation, the text holds what it must, how many, refused."""

    gold: bool
    first: bool
    contains: bool
    cited: int
    refused: bool


def questions(path: Path) -> list[Question]:
    """The questions of a file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def digests(shared: Path, target: Path) -> Path:
    """All digests as JSON Lines that `ingest` takes."""
    with target.open("w", encoding="utf-8") as lines:
        for digest in questions(shared / "belarus" / "digests.jsonl"):
            fields = {name: digest[name] for name in ("id", "url", "title", "lang", "text")}
            lines.write(json.dumps(fields | {"published": digest["date"].rstrip("?")}, ensure_ascii=False) + "\n")
    return target


def material(shared: Path, folder: Path) -> dict[str, tuple[Path, Path]]:
    """The articles and the file of questions of each set: the seed article alone, and all digests."""
    return {
        "seed": (shared / "seeds", shared / "belarus" / "seed_questions.jsonl"),
        "digests": (digests(shared, folder / "digests.jsonl"), shared / "belarus" / "digest_questions.jsonl"),
    }


def is_gold(question: Question, cited: Sequence[str]) -> bool:
    """Whether a cited sentence holds a gold quote, or is a whole part of one."""
    return any(gold in text or (len(text) > 15 and text in gold) for gold in question["gold_quotes"] for text in cited)


def contains(question: Question, text: str) -> bool:
    """Whether the text holds one alternative of everything it must hold."""
    lower = text.lower()
    return all(any(option.lower() in lower for option in options) for options in question["must_contain"])


def ask(bot: Bot, question: Question) -> Answer:
    """The answer to a question after its earlier turns."""
    history: list[Turn] = []
    for turn in question["turns"]:
        history.append(Turn(turn, bot.ask(turn, history).text))
    return bot.ask(question["question"], history)


def _answered(bot: Bot, question: Question) -> Outcome:
    answer = ask(bot, question)
    cited = [citation.quote for citation in answer.citations]
    return Outcome(
        is_gold(question, cited),
        is_gold(question, cited[:1]),
        contains(question, answer.text),
        len(cited),
        answer.status != "answered",
    )


def _nearest(store: Store, spans: list[str], matrix: Any, question: Question, count: int) -> Outcome:
    vector = store.embed_query(question["question"])
    best = [spans[row] for row in np.argsort(-(matrix @ vector))[:count]]
    return Outcome(
        is_gold(question, best), is_gold(question, best[:1]), contains(question, " ".join(best)), count, refused=False
    )


def _row(name: str, outcomes: Sequence[Outcome]) -> list[object]:
    return [
        name,
        len(outcomes),
        share(one.gold for one in outcomes),
        share(one.first for one in outcomes),
        share(one.contains for one in outcomes),
        statistics.median(one.cited for one in outcomes),
        share(one.refused for one in outcomes),
    ]


def _speed(shared: Path, cache: Path) -> None:
    """Milliseconds of whole answers beside those of embedding the question, in turn; medians."""
    asked = questions(shared / "bench" / "realtimeqa" / "queries.jsonl")[:SPEED_QUESTIONS]
    with Bot.open(data=cache / "realtimeqa" / "data", model="") as bot:
        store = Store.open(load_settings(cache / "realtimeqa" / "data"), create=False)
        bot.warm_up()
        taken: list[tuple[float, float]] = []
        for one in asked:
            start = time.perf_counter()
            store.embeddings.embed_query(one["question"])
            embedded = time.perf_counter()
            bot.ask(one["question"])
            taken.append((embedded - start, time.perf_counter() - embedded))
        articles = bot.coverage.articles
        store.close()
    embedding, whole = (1000 * statistics.median(some) for some in zip(*taken, strict=True))
    report(
        "answers-time",
        "quoting, from the question to the whole answer",
        ["articles", "embedding a question, ms", "whole answer, ms", "whole / embedding"],
        [[f"{articles:,}", embedding, whole, whole / embedding]],
        "Medians over news questions, each embedded and answered in turn.",
    )


def run(shared: Path, cache: Path) -> None:
    """The time an answer takes, where `retrieval` was run before; then all questions, by type."""
    os.environ.pop("OPENAI_API_KEY", None)
    if (cache / "realtimeqa" / "data").exists():
        _speed(shared, cache)
    rows: list[list[object]] = []
    with TemporaryDirectory() as folder:
        for name, (articles, asked) in material(shared, Path(folder)).items():
            data = Path(folder) / name
            update([articles], data=data)
            every = questions(asked)
            answerable = [one for one in every if not one["must_abstain"] and one["gold_quotes"]]
            with Bot.open(data=data, model="") as bot:
                outcomes = {one["id"]: _answered(bot, one) for one in every}
            store = Store.open(load_settings(data), create=False)
            spans = [
                article.text[span.start : span.end]
                for article in store.library.articles()
                for span in sentences(article.text, article.lang)
            ]
            matrix = np.array(store.embeddings.embed_documents(spans))
            rows.append(_row(f"{name}, answerable", [outcomes[one["id"]] for one in answerable]))
            for count in (1, 3):
                nearest = [_nearest(store, spans, matrix, one, count) for one in answerable]
                rows.append(_row(f"{name}, the nearest {count} by vectors", nearest))
            store.close()
            rows.append(_row(f"{name}, to be refused", [outcomes[o["id"]] for o in every if o["must_abstain"]]))
            types = defaultdict(list)
            for one in answerable:
                types[one["type"]].append(outcomes[one["id"]])
            rows += [_row(f"{name}: {kind}", members) for kind, members in sorted(types.items())]
    report(
        "answers",
        "quoting, by type of question",
        [
            "questions",
            "number",
            "a gold quote cited",
            "in the first citation",
            "must_contain met",
            "quotes, median",
            "refused",
        ],
        rows,
        "Answerable: not `must_abstain`, with a gold quote. Refused: not answered, or in part. A quoted answer's text "
        'can\'t meet a `must_contain` that asks for a word of judgement ("yes"): its verdict is no part of it.',
    )
