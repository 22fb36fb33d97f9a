"""Retrieval: whether the text a question was written for is found first.

XQuAD: 120 paragraphs and 632 questions, the same in English and Russian, in and across languages. realtimeqa: 149 quiz
questions over 4,378 news articles, each with the article that the quiz linked. Beside the project's search, in the same
run and over the same store: its full text alone (BM25) and its vectors alone; over the news also a plain LangChain
chain (`make baseline` first).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.baseline import plain_chain
from benchmarks.results import report
from ingest import Progress, update
from vectorstore import NameTable, Store, load_settings
from vectorstore.search import Query, search
from vectorstore.terms import terms

DEPTH = 10
PAIRS = [("en", "en"), ("ru", "ru"), ("ru", "en"), ("en", "ru")]
Ranking = Callable[[Query], list[str]]


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def rankings(store: Store) -> dict[str, Ranking]:
    """The ways to rank the articles of a store for a question: names of their ids in the benchmark, best first."""
    names = NameTable.open(None)

    def sources(passages: Sequence[int]) -> list[str]:
        return list(dict.fromkeys(one.article.url for one in store.library.passages.by_id(passages)))

    def bm25(query: Query) -> list[str]:
        found = store.library.fulltext.match(terms(query.question), 5 * DEPTH, postings=sys.maxsize)
        return sources([passage for passage, _ in found])

    def vectors(query: Query) -> list[str]:
        return sources([passage for passage, _ in store.nearest(store.embed_query(query.question), 5 * DEPTH)])

    def hybrid(query: Query) -> list[str]:
        return list(dict.fromkeys(hit.article.url for hit in search(store, query, 3 * DEPTH, names=names)))

    return {"the project": hybrid, "BM25 alone": bm25, "vectors alone": vectors}


@dataclass(frozen=True, slots=True)
class Measured:
    """hit@1, hit@5, hit@10 and MRR@10, means over the questions."""

    first: float
    five: float
    ten: float
    reciprocal: float


def scored(rank: Ranking, questions: Sequence[tuple[Query, set[str]]]) -> Measured:
    """The figures over (question, gold)."""
    places = []
    for query, gold in questions:
        found = rank(query)[:DEPTH]
        places.append(next((place for place, name in enumerate(found) if name in gold), DEPTH))
    total = len(places)
    return Measured(
        sum(place < 1 for place in places) / total,
        sum(place < 5 for place in places) / total,
        sum(place < DEPTH for place in places) / total,
        sum(1 / (place + 1) for place in places if place < DEPTH) / total,
    )


def filled(folder: Path, articles: Iterable[Mapping[str, object]]) -> Store:
    """A store of these articles, kept in the folder: a second run over the same ones embeds nothing.

    A run that was stopped goes on where it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "articles.jsonl"
    with source.open("w", encoding="utf-8") as target:
        for article in articles:
            target.write(json.dumps(article, ensure_ascii=False) + "\n")
    with tqdm(unit="B", unit_scale=True, desc=folder.name) as bar:

        def advance(progress: Progress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        failed = update([source], data=folder / "data", on_progress=advance).failed
    assert not failed, failed[:3]
    return Store.open(load_settings(folder / "data"), create=False)


def paragraphs(shared: Path, lang: str) -> Iterator[dict[str, str]]:
    """XQuAD's paragraphs in a language, as articles without a title.

    It would give the paragraph's subject away to full text and vectors alike.
    """
    for one in lines(shared / "bench" / "xquad" / f"passages_{lang}.jsonl"):
        yield {"url": one["id"], "text": one["text"], "lang": lang}


def xquad(shared: Path, cache: Path) -> None:
    """Asks in both languages of both."""
    folder = shared / "bench" / "xquad"
    asked = {
        lang: [(one["question"], one["gold"]) for one in lines(folder / f"queries_{lang}.jsonl")]
        for lang in ("en", "ru")
    }
    stores = {lang: filled(cache / f"xquad-{lang}", paragraphs(shared, lang)) for lang in asked}
    rows: list[list[object]] = []
    for question_lang, text_lang in PAIRS:
        questions = [(Query(question), {gold}) for question, gold in asked[question_lang]]
        for name, rank in rankings(stores[text_lang]).items():
            measured = scored(rank, questions)
            rows.append([f"{question_lang}-{text_lang}", name, measured.first, measured.reciprocal])
    for store in stores.values():
        store.close()
    report("retrieval", "XQuAD, 120 paragraphs", ["question-text", "", "hit@1", "MRR@10"], rows, "")


def realtimeqa(shared: Path, cache: Path) -> None:
    """Asks the quiz questions whose article is known, as on no day and as on the day of the quiz."""
    folder = shared / "bench" / "realtimeqa"
    corpus = lines(folder / "corpus.jsonl")
    store = filled(
        cache / "realtimeqa",
        (
            {
                "url": one["url"],
                "id": one["id"],
                "title": one["title"],
                "published": one["publish_date"].replace("/", "-"),
                "text": one["text"],
                "lang": "en",
            }
            for one in corpus
        ),
    )
    address = {one["id"]: one["url"] for one in corpus}
    asked = [one for one in lines(folder / "queries.jsonl") if one["gold_doc_ids"]]
    ways = rankings(store)
    rows: list[list[object]] = []

    def measure(name: str, rank: Ranking, day: Callable[[Mapping[str, Any]], date | None]) -> None:
        questions = [
            (Query(one["question"], as_of=day(one)), {address[gold] for gold in one["gold_doc_ids"]}) for one in asked
        ]
        measured = scored(rank, questions)
        rows.append([name, measured.first, measured.five, measured.ten, measured.reciprocal])

    measure("the project, asked on the day of the quiz", ways["the project"], lambda one: _day(one["date"]))
    # a day after all of them: nothing is left out, and "this week" steers nowhere
    measure("the project, asked later", ways["the project"], lambda _: date(2026, 1, 1))
    for name in ("BM25 alone", "vectors alone"):
        measure(name, ways[name], lambda _: None)
    store.close()
    chroma = plain_chain(cache / "realtimeqa-plain", corpus)

    def plain(query: Query) -> list[str]:
        pieces = chroma.similarity_search(query.question, 5 * DEPTH)
        return list(dict.fromkeys(piece.metadata["url"] for piece in pieces))

    measure("LangChain, Chroma, recursive splitter, all-MiniLM-L6-v2", plain, lambda _: None)
    report(
        "retrieval-news",
        f"realtimeqa, {len(corpus):,} articles, {len(asked)} questions",
        ["", "hit@1", "hit@5", "hit@10", "MRR@10"],
        rows,
        'A gold article is the one the quiz linked. Most questions say "this week": the day they were asked is part of '
        "them (`as_of`), and articles of a later day are left out.",
    )


def _day(text: str) -> date:
    return date.fromisoformat(text.replace("/", "-"))


def run(shared: Path, cache: Path) -> None:
    """Runs both."""
    xquad(shared, cache)
    realtimeqa(shared, cache)
