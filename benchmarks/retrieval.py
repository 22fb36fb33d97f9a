"""Retrieval on XQuAD: whether the paragraph a question was written for is found first, in and across languages.

120 paragraphs and 632 questions, the same in English and Russian. Beside the project's search, in the same run and over
the same store: its full text alone (BM25) and its vectors alone (e5).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.results import report
from ingest import update
from vectorstore import Names, Store, settings
from vectorstore.search import search
from vectorstore.terms import terms

DEPTH = 10
PAIRS = [("en", "en"), ("ru", "ru"), ("ru", "en"), ("en", "ru")]
Ranking = Callable[[str], list[str]]


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def rankings(store: Store) -> dict[str, Ranking]:
    """The ways to rank the articles of a store for a question: names of their ids in the benchmark, best first."""
    names = Names.open(None)

    def sources(passages: Sequence[int]) -> list[str]:
        return list(dict.fromkeys(one.article.url for one in store.library.found(passages)))

    def bm25(question: str) -> list[str]:
        return sources([passage for passage, _ in store.library.match(terms(question), 5 * DEPTH)])

    def e5(question: str) -> list[str]:
        near = [name for name, _ in store.nearest(store.embed_query(question), 5 * DEPTH)]
        owners = store.library.passages_of(near)
        return sources([passage for name in near for passage in owners.get(name, ())])

    def hybrid(question: str) -> list[str]:
        return list(dict.fromkeys(hit.article.url for hit in search(store, question, 2 * DEPTH, names=names)))

    return {"the project": hybrid, "BM25 alone": bm25, "e5 alone": e5}


def scored(rank: Ranking, questions: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """hit@1 and MRR@10 over (question, gold)."""
    first = reciprocal = 0.0
    for question, gold in questions:
        found = rank(question)[:DEPTH]
        if gold in found:
            reciprocal += 1 / (found.index(gold) + 1)
            first += found[0] == gold
    return first / len(questions), reciprocal / len(questions)


def run(shared: Path) -> None:
    """Fills a store for each language and asks in both."""
    folder = shared / "bench" / "xquad"
    asked = {
        lang: [(one["question"], one["gold"]) for one in lines(folder / f"queries_{lang}.jsonl")]
        for lang in ("en", "ru")
    }
    rows: list[list[object]] = []
    with TemporaryDirectory() as scratch:
        stores = {}
        for lang in asked:
            articles = Path(scratch) / f"{lang}.jsonl"
            with articles.open("w", encoding="utf-8") as target:
                for one in lines(folder / f"passages_{lang}.jsonl"):
                    # no title: it would give the paragraph's subject away to full text and vectors alike
                    target.write(json.dumps({"url": one["id"], "text": one["text"], "lang": lang}) + "\n")
            update([articles], data=Path(scratch) / lang)
            stores[lang] = Store.open(settings(Path(scratch) / lang), create=False)
        for question_lang, text_lang in PAIRS:
            for name, rank in rankings(stores[text_lang]).items():
                rows.append([f"{question_lang}-{text_lang}", name, *scored(rank, asked[question_lang])])
        for store in stores.values():
            store.close()
    report("retrieval", "XQuAD, 120 paragraphs", ["question-text", "", "hit@1", "MRR@10"], rows, "")
