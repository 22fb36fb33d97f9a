"""Hybrid search: BM25 and dense vectors, fused, behind LangChain's `BaseRetriever`.

Knows how passages are ranked. Does not know how a question was made or what is answered from the hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from vectorstore.article import Article, Hit, Sentence
from vectorstore.dates import Period, periods, span, timely
from vectorstore.names import Names
from vectorstore.store import Store
from vectorstore.terms import terms

CANDIDATES = 50  # of each ranker, before fusion
MAX_TERMS = 96  # of a query with all spellings of its names: more only slows the search
TIMELY, UNTIMELY = 1.5, 0.5  # what the score is multiplied by
CONTEXT_WEIGHT = 0.5  # measured: benchmarks/LOG.md, "Follow-ups"
RRF_K = 60  # Cormack, Clarke and Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet"


def search(store: Store, query: str, limit: int, *, names: Names, as_of: date | None = None) -> list[Hit]:
    """The passages that fit the query best, best first; empty if the library is.

    A query is a question; lines before it are earlier questions that it leans on, and count CONTEXT_WEIGHT as much.
    Known names are searched in all their spellings, and rank the passages a third time by themselves. Articles
    published after `as_of` are left out; those without a date stay.

    Score: reciprocal rank fusion, the sum over the rankings of 1 / (RRF_K + rank), rank from 1; times TIMELY or
    UNTIMELY where the query names a time and the passage or its date of publication tells.
    """
    *context, question = query.split("\n")
    vector = store.embed_query(question) + sum((CONTEXT_WEIGHT * store.embed_query(line) for line in context), 0.0)
    vector /= np.linalg.norm(vector)
    dense = store.nearest(vector, CANDIDATES)
    asked = periods(question) or periods(query)
    named = _name_terms(question, names) or _name_terms(query, names)
    with store.library.snapshot():
        owners = store.library.passages_of([name for name, _ in dense])
        rankings = [
            [passage for name, _ in dense for passage in owners.get(name, ())],
            [passage for passage, _ in store.library.match([*terms(query), *named][:MAX_TERMS], CANDIDATES)],
            [passage for passage, _ in store.library.match(named[:MAX_TERMS], CANDIDATES)],
        ]
        scores: dict[int, float] = {}
        for ranking in rankings:
            for rank, passage in enumerate(ranking, 1):
                scores[passage] = scores.get(passage, 0.0) + 1 / (RRF_K + rank)
        if asked or as_of:
            _steer(store, scores, asked, as_of)
        best = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
        found = store.library.found(best)
        sentences = store.library.sentences(best, vector)
        vectors = store.library.vectors([one.vector for one in found])
    return [
        Hit(
            one.article,
            one.span,
            scores[one.id],
            float(vectors[one.vector] @ vector),
            tuple(_told(one.article, sentence, asked, names) for sentence in sentences[one.id]),
        )
        for one in found
    ]


def _name_terms(query: str, names: Names) -> list[str]:
    """The terms of the last words of all spellings of the people and organisations in a query."""
    return list(
        dict.fromkeys(
            term
            for mention in names.mentions(query)
            if mention.kind != "places"  # everything here is about Belarus and Minsk
            for spelling in names.spellings(mention.name)
            for term in terms(spelling)[-1:]
        )
    )


def _steer(store: Store, scores: dict[int, float], asked: Sequence[Period], as_of: date | None) -> None:
    """Moves passages up or down by the time they speak of; leaves out those of articles that are too new."""
    found = store.library.found(list(scores))
    dates = sorted({one.article.published for one in found if one.article.published})
    for one in found:
        article = one.article
        if as_of and article.published and span(article.published)[0] > as_of:
            del scores[one.id]
            continue
        fits = timely(asked, one.article.text[one.span.start : one.span.end], article.published)
        if fits is not None:
            scores[one.id] *= TIMELY if fits else UNTIMELY
        if article.published and any(period.kind in ("latest", "until") for period in asked):
            # newest first: up to TIMELY for the newest of the candidates
            scores[one.id] *= 1 + (TIMELY - 1) * dates.index(article.published) / max(1, len(dates) - 1)


def _told(article: Article, sentence: Sentence, asked: Sequence[Period], names: Names) -> Sentence:
    """The sentence with the names in it, and whether it can speak of the time asked about."""
    text = article.text[sentence.span.start : sentence.span.end]
    return replace(
        sentence,
        names=frozenset(mention.name for mention in names.mentions(text)),
        timely=timely(asked, text, article.published),
    )


class HybridRetriever(BaseRetriever):
    """LangChain's face of `search`, which says what a query is.

    Each document's `page_content` is a passage word for word; its metadata name the article (`article_id`, `version`,
    `title`, `url`, `publisher`, `published`, `lang`) and where the passage stands in it (`start`, `end`), and hold the
    `Hit` itself under `hit`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    store: Store
    names: Names
    limit: int = 10

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - the interface's
        as_of: date | None = None,
    ) -> list[Document]:
        return [_document(hit) for hit in search(self.store, query, self.limit, names=self.names, as_of=as_of)]


def _document(hit: Hit) -> Document:
    article = hit.article
    return Document(
        hit.text,
        metadata={
            "article_id": article.id,
            "version": article.version,
            "title": article.title,
            "url": article.url,
            "publisher": article.publisher,
            "published": article.published,
            "lang": article.lang,
            "start": hit.span.start,
            "end": hit.span.end,
            "score": hit.score,
            "hit": hit,
        },
    )
