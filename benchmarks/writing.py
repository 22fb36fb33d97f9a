"""Writing with a real, small model: what it makes of the passages, and how much of it is caught.

llama.cpp serves SmolLM2-135M on loopback (`make model` installs both). The model is far too small for the task on
purpose: most of what it writes is copied from the prompt or made up. Counted are its claims as they come, those that
the program's checks refuse, and those that a reader sees.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from benchmarks.answers import questions
from benchmarks.results import report
from bot.chat_model import ChatModel, ChatModelConfig, ModelError
from bot.evidence import Checker
from bot.generation import AnswerGenerator, GenerationNote
from bot.reading import calibration, read
from encoder import Reader
from ingest import update
from tests.support.small_model import small_model
from vectorstore import Hit, HybridRetriever, NameTable, Store, load_settings

QUESTIONS = 16
PASSAGES = 4


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Asks questions of the starter collection, and counts what becomes of the model's claims."""
    asked = [one["question"] for one in questions(shared / "belarus" / "digest_questions.jsonl") if not one["turns"]]
    names = NameTable.open(None)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    taken: list[float] = []
    with TemporaryDirectory() as folder, small_model() as address:
        update([Path("samples")], data=folder)
        store = Store.open(load_settings(Path(folder)), create=False)
        retriever = HybridRetriever(store=store, names=names, limit=PASSAGES)
        reader = Reader(load_settings(None).cache_dir, os.cpu_count() or 1)
        writer = AnswerGenerator(ChatModel(ChatModelConfig("smollm2", address, "none")))
        for question in tqdm(asked[:QUESTIONS], unit=" questions"):
            hits: list[Hit] = [document.metadata["hit"] for document in retriever.invoke(question)]
            start = time.perf_counter()
            checker = Checker(read(reader, question, (), hits), reader, calibration(), names)
            try:
                for written in writer.write(question, hits, checker):
                    if isinstance(written, GenerationNote):
                        continue
                    counts[written.support] += 1
                    reasons.update(_kind(why) for why in written.issues[:1])
                    if written.support != "unverified":
                        assert all(hit.article.text[span.start : span.end] for hit, span in written.quotes)
                        tqdm.write(f"[{written.support}] {question} -> {written.text}")
            except ModelError as error:
                counts["no usable answer"] += 1
                reasons[str(error)] += 1
            taken.append(time.perf_counter() - start)
        writer.close()
        store.close()
    claims = counts["verified"] + counts["partly"] + counts["unverified"]
    rows: list[list[object]] = [
        ["questions", min(QUESTIONS, len(asked))],
        ["of them without a usable answer (the reader gets quotes)", counts["no usable answer"]],
        ["claims written", claims],
        ["refused by the checks", counts["unverified"]],
        ["shown, with exact quotes", counts["verified"] + counts["partly"]],
        ["share refused", counts["unverified"] / max(1, claims)],
        *([f"reason: {reason}", number] for reason, number in reasons.most_common(8)),
        ["seconds an answer, median", statistics.median(taken)],
    ]
    report(
        "writing",
        "a model of 135 million parameters, and what is caught of what it makes up",
        ["", "number"],
        rows,
        "SmolLM2-135M-Instruct (Q4_1) through llama.cpp on two cores, four passages a question.",
    )


def _kind(reason: str) -> str:
    """A reason without what it is about."""
    for start in ("the number", "the name", "the date", "the words", "the year", "the day"):
        if reason.startswith(start):
            return f"{start} … is not in its quote"
    return reason
