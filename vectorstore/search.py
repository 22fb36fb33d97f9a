"""Hybrid search: dense vectors, BM25, names and times in one score, behind LangChain's `BaseRetriever`.

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
from vectorstore.library import Found
from vectorstore.names import Names
from vectorstore.store import Store
from vectorstore.terms import terms

CANDIDATES = 50  # of each ranker
MAX_TERMS = 64  # of a query: more only slows the search
# Measured: benchmarks/LOG.md, "Search".
WORDS_WEIGHT = 0.2
NAMES_WEIGHT = 0.03
TIMELY, UNTIMELY = 0.02, -0.04
CONTEXT_WEIGHT = 0.5
BM25_SATURATION = 2.2  # k1 + 1: what a term's weight is multiplied by at most


def search(store: Store, query: str, limit: int, *, names: Names, as_of: date | None = None) -> list[Hit]:
    """The passages that fit the query best, best first; empty if the library is.

    A query is a question; lines before it are earlier questions that it leans on, and count CONTEXT_WEIGHT as much.
    Articles published after `as_of` are left out; those without a date stay.

    Score: cosine of passage and query, plus WORDS_WEIGHT x its BM25 as a share of the most it could be (so that words
    count little where question and article share no language), plus NAMES_WEIGHT x the share of the people and
    organisations asked about that it names in any spelling, plus TIMELY or UNTIMELY where the query names a time and
    the passage or its date of publication tells. Candidates: the CANDIDATES best of vectors, words and names each.
    """
    *context, question = query.split("\n")
    vector = store.embed_query(question) + sum((CONTEXT_WEIGHT * store.embed_query(line) for line in context), 0.0)
    vector /= np.linalg.norm(vector)
    dense = store.nearest(vector, CANDIDATES)
    asked = periods(question) or periods(query)
    named = _named(question, names) or _named(query, names)
    wanted = list(dict.fromkeys(terms(query)))[:MAX_TERMS]
    library = store.library
    with library.snapshot():
        owners = library.passages_of([name for name, _ in dense])
        ids = {passage for name, _ in dense for passage in owners.get(name, ())}
        for some in (wanted, *named):
            ids |= {passage for passage, _ in library.match(some, CANDIDATES)}
        vectors = library.passage_vectors(sorted(ids))
        candidates = list(vectors)
        words = dict(library.match(wanted, len(candidates), among=candidates))
        most = BM25_SATURATION * sum(library.rarity(wanted).values()) or 1.0
        holders = [
            {passage for passage, _ in library.match(spellings, len(candidates), among=candidates)}
            for spellings in named
        ]
        cosines = {passage: float(own @ vector) for passage, own in vectors.items()}
        scores = {
            passage: cosines[passage]
            + WORDS_WEIGHT * words.get(passage, 0.0) / most
            + NAMES_WEIGHT * sum(passage in held for held in holders) / max(1, len(holders))
            for passage in candidates
        }
        if asked or as_of:
            _steer(library.found(candidates), scores, asked, as_of)
        best = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
        found = library.found(best)
        sentences = library.sentences(best, vector)
    return [
        Hit(
            one.article,
            one.span,
            scores[one.id],
            cosines[one.id],
            tuple(_told(one.article, sentence, asked, names) for sentence in sentences[one.id]),
        )
        for one in found
    ]


def _named(query: str, names: Names) -> list[list[str]]:
    """For each person and organisation in a query, the terms of the last words of all its spellings."""
    return [
        list(dict.fromkeys(term for spelling in names.spellings(name) for term in terms(spelling)[-1:]))
        for name in dict.fromkeys(one.name for one in names.mentions(query) if one.kind != "places")
    ]


def _steer(found: Sequence[Found], scores: dict[int, float], asked: Sequence[Period], as_of: date | None) -> None:
    """Moves passages up or down by the time they speak of; leaves out those of articles that are too new."""
    dates = sorted({one.article.published for one in found if one.article.published})
    newest_first = any(period.kind in ("latest", "until") for period in asked)
    for one in found:
        article = one.article
        if as_of and article.published and span(article.published)[0] > as_of:
            del scores[one.id]
            continue
        fits = timely(asked, article.text[one.span.start : one.span.end], article.published)
        if fits is not None:
            scores[one.id] += TIMELY if fits else UNTIMELY
        if article.published and newest_first:
            # up to TIMELY for the newest of the candidates
            scores[one.id] += TIMELY * dates.index(article.published) / max(1, len(dates) - 1)


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
