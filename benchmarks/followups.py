"""Follow-up questions: the passages that answer a turn of a conversation, found with the user's earlier questions.

MTRAG (IBM), the clapnq conversations: 208 questions over 8,108 passages of 2,135 pages. Each page is stored as one
article with the benchmark's own passages. Recall@5 and nDCG@5, binary, means over questions. In the same run: the bare
last turn and the published rewrite through the same search, vectors alone and full text alone (BM25), and the published
runs of BM25, BGE-base and ELSER, which searched the whole corpus.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.results import report
from benchmarks.retrieval import lines
from ingest.passages import sentences
from vectorstore import Article, NameTable, NewVersion, Passage, Span, Store, load_settings
from vectorstore.search import RERANK_K, Query, search
from vectorstore.terms import terms

DEPTH = 5
BATCH_PAGES = 40
Ranking = Callable[[dict[str, Any]], list[str]]


def pages(corpus: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The passages of each page, in their order."""
    by_page = defaultdict(list)
    for passage in corpus:
        page, place = passage["id"].split("_")
        by_page[page].append((int(place.split("-")[0]), passage))
    return {page: [passage for _, passage in sorted(own, key=lambda one: one[0])] for page, own in by_page.items()}


def words(passage: dict[str, Any]) -> str:
    """A passage without the title that stands in its first line."""
    return str(passage["text"]).removeprefix(passage["title"]).strip()


def scored(rank: Ranking, asked: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Recall@5 and nDCG@5 over the questions."""
    recall = gain = 0.0
    for one in asked:
        gold, found = set(one["gold"]), rank(one)[:DEPTH]
        recall += len(gold & set(found)) / len(gold)
        best = sum(1 / math.log2(place + 2) for place in range(min(DEPTH, len(gold))))
        gain += sum(1 / math.log2(place + 2) for place, passage in enumerate(found) if passage in gold) / best
    return recall / len(asked), gain / len(asked)


def stored(by_page: dict[str, list[dict[str, Any]]], data: Path) -> Store:
    """A store of the pages; one that holds them already is left as it is, and a run that was stopped goes on."""
    store = Store.open(load_settings(data), create=True)
    pages = [page for page in by_page if store.library.fingerprint(page) != page]
    with store.writing():
        for start in tqdm(range(0, len(pages), BATCH_PAGES), unit=f" x {BATCH_PAGES} pages", desc="mtrag"):
            store.publish([_prepared(page, by_page[page]) for page in pages[start : start + BATCH_PAGES]])
    return store


def _prepared(page: str, own: list[dict[str, Any]]) -> NewVersion:
    text, cut = "", []
    for passage in own:
        start = len(text)
        text += words(passage) + "\n\n"
        end = start + len(words(passage))
        spans = [Span(start + one.start, start + one.end) for one in sentences(text[start:end], "en")]
        cut.append(Passage(Span(start, end), tuple(spans)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    article = Article(page, 1, page, own[0]["title"], "", "", "", "en", "", text, digest, "2026-01-01T00:00:00+00:00")
    return NewVersion(article, page, tuple(cut))


def run(shared: Path, cache: Path) -> None:
    """Fills a store with the pages, asks every question in every way."""
    folder = shared / "bench" / "mtrag"
    by_page = pages(lines(folder / "corpus.jsonl"))
    asked = lines(folder / "queries.jsonl")
    histories = {task["task_id"]: task["history"] for task in lines(folder / "tasks.jsonl")}
    store, names = stored(by_page, cache / "mtrag-pages"), NameTable.open(None)
    starts = {}
    for page, own_passages in by_page.items():
        made = _prepared(page, own_passages)
        for passage, cut in zip(own_passages, made.passages, strict=True):
            starts[page, cut.span.start] = passage["id"]

    def hits(query: Query) -> list[str]:
        # by score: that no five hits are of one article is for readers, and these gold passages often are
        found = sorted(search(store, query, RERANK_K, names=names), key=lambda hit: -hit.score)
        return [starts[hit.article.id, hit.span.start] for hit in found]

    def told(one: dict[str, Any]) -> Query:
        """The last turn, with the user's questions before it."""
        history = histories[one["qid"]]
        return Query(one["lastturn"], tuple(entry["text"] for entry in history if entry["role"] == "user"))

    def passages(found: Sequence[tuple[int, float]]) -> list[str]:
        known = store.library.passages.by_id([passage for passage, _ in found])
        return [starts[one.article.id, one.span.start] for one in known]

    def vectors(query: Query) -> list[str]:
        return passages(store.nearest(store.embed_query(query.text), 4 * DEPTH))

    def bm25(query: Query) -> list[str]:
        return passages(store.library.fulltext.match(terms(query.text), 4 * DEPTH, postings=sys.maxsize))

    def last(one: dict[str, Any]) -> Query:
        return Query(one["lastturn"])

    ways: dict[str, Ranking] = {
        "the project: last turn and earlier questions": lambda one: hits(told(one)),
        "the project: last turn alone": lambda one: hits(last(one)),
        "the project: published rewrite alone": lambda one: hits(Query(one["rewrite"])),
        "vectors alone: last turn and earlier questions": lambda one: vectors(told(one)),
        "vectors alone: last turn": lambda one: vectors(last(one)),
        "BM25 alone: last turn and earlier questions": lambda one: bm25(told(one)),
        "BM25 alone: last turn": lambda one: bm25(last(one)),
    }
    later = [one for one in asked if one["turn"] > 1]
    rows: list[list[object]] = [[name, *scored(rank, asked), *scored(rank, later)] for name, rank in ways.items()]
    published: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for one in lines(folder / "reference_runs.jsonl"):
        published[f"published: {one['system']}, {one['query_form']}"][one["qid"]] = one["top10"]
    for name, ranked in sorted(published.items()):
        of: Ranking = lambda one, ranked=ranked: ranked.get(one["qid"], [])  # type: ignore[misc] # noqa: E731
        rows.append([name, *scored(of, asked), *scored(of, later)])
    store.close()
    report(
        "followups",
        f"MTRAG clapnq, {len(asked)} questions, {len(later)} of them after the first turn",
        ["", "Recall@5", "nDCG@5", "later turns: Recall@5", "nDCG@5"],
        rows,
        "The best five by score. The published runs searched the whole corpus, of which the pool here holds what they "
        "found: it favours a new system, whose own distractors are missing.",
    )
