"""Hybrid search: BM25 and dense vectors, fused, behind LangChain's `BaseRetriever`.

Knows how passages are ranked. Does not know how a question was made or what is answered from the hits.
"""

from __future__ import annotations

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from vectorstore.article import Hit
from vectorstore.store import Store

CANDIDATES = 50  # of each ranker, before fusion
CONTEXT_WEIGHT = 0.5  # measured: benchmarks/LOG.md, "Follow-ups"
RRF_K = 60  # Cormack, Clarke and Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet"


def search(store: Store, query: str, limit: int) -> list[Hit]:
    """The passages that fit the query best, best first; empty if the library is.

    A query is a question; lines before it are earlier questions that it leans on, and count CONTEXT_WEIGHT as much.
    Score: reciprocal rank fusion, the sum over both rankers of 1 / (RRF_K + rank), rank from 1.
    """
    *context, question = query.split("\n")
    vector = store.embed_query(question) + sum((CONTEXT_WEIGHT * store.embed_query(line) for line in context), 0.0)
    vector /= np.linalg.norm(vector)
    dense = store.nearest(vector, CANDIDATES)
    with store.library.snapshot():
        owners = store.library.passages_of([name for name, _ in dense])
        rankings = [
            [passage for name, _ in dense for passage in owners.get(name, ())],
            [passage for passage, _ in store.library.match(query, CANDIDATES)],
        ]
        scores: dict[int, float] = {}
        for ranking in rankings:
            for rank, passage in enumerate(ranking, 1):
                scores[passage] = scores.get(passage, 0.0) + 1 / (RRF_K + rank)
        best = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
        found = store.library.found(best)
        sentences = store.library.sentences(best, vector)
        vectors = store.library.vectors([one.vector for one in found])
    return [
        Hit(one.article, one.span, scores[one.id], float(vectors[one.vector] @ vector), sentences[one.id])
        for one in found
    ]


class HybridRetriever(BaseRetriever):
    """LangChain's face of `search`, which says what a query is.

    Each document's `page_content` is a passage word for word; its metadata name the article (`article_id`, `version`,
    `title`, `url`, `publisher`, `published`, `lang`) and where the passage stands in it (`start`, `end`), and hold the
    `Hit` itself under `hit`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    store: Store
    limit: int = 10

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - the interface's
    ) -> list[Document]:
        return [_document(hit) for hit in search(self.store, query, self.limit)]


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
