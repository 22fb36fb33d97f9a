"""Collections of articles with questions, searched as the product searches them.

A collection is a folder with `articles.jsonl` (or a folder `articles`) and `questions.jsonl`: of each question its
earlier ones, exact quotes that answer it (`gold_quotes`), and whether nothing does (`must_abstain`). Ours:
`training/data/collections`, with claims about the articles (`claims.jsonl`). Does not know what is trained or fitted on
them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bot.evidence import claim_text
from bot.reading import article_source
from encoder import source_line
from ingest import update
from training.data import CONTRADICTED, NO_RELATION, RELATIONS, SUPPORTED, UNSTATED, Example, lines
from vectorstore import Hit, NameTable, Query, Span, Store, load_settings
from vectorstore.search import search

FOUND = 14  # passages searched for each question
BESIDE = 7  # passages without an answer that are trained on, of those found first
GOOD_PART = 0.4  # of a quote of several sentences that one of them must be
UNSOURCED = 0.1  # share of rows without a source line
VERDICTS = {"yes": SUPPORTED, "no": CONTRADICTED}
Question = Mapping[str, Any]


def searched(questions: Sequence[Question], data: Path, count: int) -> Iterator[tuple[Question, list[Hit]]]:
    """Each question with what the search finds for it in a data folder."""
    store, names = Store.open(load_settings(data), create=False), NameTable.open(None)
    try:
        for question in tqdm(questions, desc=data.name):
            turns = tuple(question["turns"])[-3:]
            yield question, search(store, Query(question["question"], turns), count, names=names)
    finally:
        store.close()


def taken_in(folder: Path, scratch: Path) -> tuple[list[Question], Path]:
    """The questions of a collection, and a data folder in `scratch` with its articles."""
    update([articles_of(folder)], data=scratch / folder.name)
    return list(lines(folder / "questions.jsonl")), scratch / folder.name


def articles_of(folder: Path) -> Path:
    """Where a collection's articles are."""
    file = folder / "articles.jsonl"
    return file if file.exists() else folder / "articles"


def gold(hit: Hit, quotes: Sequence[str]) -> tuple[bool, ...]:
    """Which sentences of a hit hold one of the quotes, or are a good part of one."""
    texts = (hit.article.text[sentence.span.start : sentence.span.end] for sentence in hit.sentences)
    return tuple(any(holds(quote, text) for quote in quotes) for text in texts)


def holds(quote: str, sentence: str) -> bool:
    """Whether a text holds a quote, or is a good part of it."""
    quote, sentence = (" ".join(text.split()) for text in (quote, sentence))
    return quote in sentence or (sentence in quote and len(sentence) >= GOOD_PART * len(quote))


def overlap(gold: str, quote: str) -> bool:
    """Whether a text gives the gold one in the eyes of a benchmark.

    One is a part of the other, or they have six in ten of the shorter one's words in common.
    """
    wanted, other = (" ".join(text.lower().split()) for text in (gold, quote))
    if not (wanted and other):
        return False
    first, second = set(wanted.split()), set(other.split())
    return wanted in other or other in wanted or len(first & second) >= 0.6 * min(len(first), len(second))


def collection_examples(folder: Path, scratch: Path, drawn: random.Random) -> Iterator[Example]:
    """The passages found for each question: those that answer, and the first that do not."""
    questions, data = taken_in(folder, scratch)
    for question, hits in searched(questions, data, FOUND):
        beside = 0
        for hit in hits:
            answering = gold(hit, question["gold_quotes"])
            if not any(answering):
                if beside == BESIDE:
                    continue
                beside += 1
            yield _example(question, hit, answering, drawn)


def claim_examples(folder: Path) -> Iterator[Example]:
    """The claims about a collection's articles, each with its quotes and the sentence before them; none without a file.

    `claims.jsonl`: of each claim its article's id, exact quotes in the article's order, and a label.
    """
    file = folder / "claims.jsonl"
    articles = {line["id"]: line for line in lines(articles_of(folder))} if file.exists() else {}
    for claim in lines(file) if file.exists() else ():
        article, quotes = articles[claim["article"]], claim["quotes"]
        source = source_line(article["title"], article.get("publisher", ""), article.get("published", ""))
        starts = [article["text"].index(quote) for quote in quotes]
        spans = [Span(start, start + len(quote)) for start, quote in zip(starts, quotes, strict=True)]
        text = claim_text(source, article["text"], spans)
        quoted = frozenset(range(len(text.sentences) - len(quotes), len(text.sentences)))
        relation = RELATIONS[claim["label"]]
        yield Example(
            claim["claim"],
            text.sentences,
            quoted if relation != UNSTATED else frozenset(),
            source=source,
            claim=True,
            relation=relation,
            known="s",
            lang=claim["lang"],
            kind=claim["kind"],
            origin=f"{folder.name}/{article['id']}",
        )


def _example(question: Question, hit: Hit, answering: Sequence[bool], drawn: random.Random) -> Example:
    numbers = frozenset(number for number, is_answer in enumerate(answering) if is_answer)
    corrects = question["type"] == "false-premise"
    settles = bool(question.get("verdict")) or question["type"] == "yes-no"
    relation = (
        VERDICTS.get(question.get("verdict") or "", NO_RELATION) if numbers else UNSTATED if settles else NO_RELATION
    )
    return Example(
        question["question"],
        tuple(hit.article.text[sentence.span.start : sentence.span.end] for sentence in hit.sentences),
        frozenset() if corrects else numbers,
        numbers if corrects else frozenset(),
        question.get("span") or "" if numbers and not corrects else "",
        tuple(question["turns"]),
        "" if drawn.random() < UNSOURCED else article_source(hit.article),
        relation=relation,
        lang=question["lang"],
        kind=question["type"],
        origin=question["id"],
    )
