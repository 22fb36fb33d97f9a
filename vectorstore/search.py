"""Hybrid search: dense vectors, BM25, names and times in one score, behind LangChain's `BaseRetriever`.

Knows how passages are ranked. Does not know what is answered from the hits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from vectorstore.article import NO_FILTERS, Article, Filters, Hit, Sentence, Span, TimeReference, Vector
from vectorstore.catalogue import VersionFilter, version_filter
from vectorstore.dates import matches_period, periods, strip_times
from vectorstore.fulltext import FullText
from vectorstore.names import NameTable
from vectorstore.passage_table import Candidate
from vectorstore.store import Store
from vectorstore.terms import terms

CANDIDATES = 50  # of each ranker
WIDEN_FACTOR = 4  # times as many, where reprints crowd others out, up to MOST
CROSS_LANGUAGE_CANDIDATES = 20  # more, of the vectors in each other language
MAX_CANDIDATES = 800
RERANK_K = 40  # of the candidates: those whose sentences are looked at
MAX_TERMS = 64  # of a query: more only slows the search
# In units of the spread of the candidates' cosines; measured: benchmarks/LOG.md, "Search with trained vectors".
SENTENCE_WEIGHT = 1.0
WORDS_WEIGHT = 2.0
NAMES_WEIGHT = 1.0
TIME_BONUS, TIME_PENALTY = 1.0, -1.5
BM25_K1, BM25_B = 1.2, 0.75  # BM25's k1 and b
MAX_HITS_PER_ARTICLE = 4  # passages of one article among the hits, if there are others
SAME_WORDS = 0.8  # least share of the shorter passage's words, of copies of one article, that says the same
LEAST_SPREAD = 1e-6
EARLIER = 2  # questions of a conversation that are searched together with the newest
WITHOUT_TIMES_WEIGHT = 0.5  # of a question without its times, beside it: LOG.md, "A month asked about"


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for.

    `earlier` are the user's earlier questions in the conversation, oldest first; `rewritten` is the question in words
    that stand alone, empty if nobody wrote them. `as_of` leaves out what was published later, and is the day from which
    "last month" counts; without it, that is today.
    """

    question: str
    earlier: tuple[str, ...] = ()
    rewritten: str = ""
    filters: Filters = NO_FILTERS
    as_of: date | None = None

    @property
    def text(self) -> str:
        """What is looked for: the question in words of its own, or behind the EARLIER questions before it."""
        return self.rewritten or " ".join((*self.earlier[-EARLIER:], self.question))


def search(store: Store, query: Query, limit: int, *, names: NameTable) -> list[Hit]:
    """The passages that fit the query best, best first; empty if nothing is chosen by its filters.

    Score: the cosine of passage and question, plus SENTENCE_WEIGHT x the cosine of its best sentence, each less the
    candidates' mean and over their spread, so that the weights hold for any model; plus WORDS_WEIGHT x its BM25 as a
    share of the most it could be (so that words count little where question and article share no language), plus
    NAMES_WEIGHT x the share of the people and organisations asked about that it names in any spelling, plus TIMELY or
    UNTIMELY where the question names a time and the passage or its date of publication tells.
    Where the candidates are in several languages, what each cosine owes to the language alone is taken off.
    Candidates: the CANDIDATES best of vectors, words and names each, and the ELSEWHERE best of the vector moved into
    each other language of what is chosen, whose texts those in the question's would crowd out.

    In a conversation the question is searched together with those before it: the vectors are trained with both.

    No more than A_FEW hits are of one article while others are left; of passages that say the same in copies of one
    article, only the original's is given.
    """
    if not terms(query.question):
        return []
    which = version_filter(query.filters, query.as_of)
    with store.library.snapshot():
        return _Search(store, query, which, names).hits(limit)


class _Search:
    """One search under way; what it reads of candidates it keeps."""

    def __init__(self, store: Store, query: Query, which: VersionFilter, names: NameTable) -> None:
        self._store, self._library, self._query, self._which, self._names = store, store.library, query, which, names
        today, earlier = query.as_of or date.today(), "\n".join(query.earlier[-EARLIER:])
        self._asked = periods(query.question, today, earlier) or periods(earlier, today)
        self._question = _unit(np.sum([weight * store.embed_query(text) for text, weight in self._parts()], axis=0))
        self._words = _words(query.text)
        self._name_terms = _name_terms(query.question, names) or _name_terms(earlier, names)
        self._candidates: dict[int, Candidate] = {}
        self._times: dict[int, list[TimeReference]] = {}
        self._cosines: dict[int, Vector] = {}  # of the sentences to the question

    def _parts(self) -> list[tuple[str, float]]:
        """What is looked for, and it without the times it names: what may speak of them is known of each passage."""
        text = self._query.text
        bare = strip_times(text) if self._asked else text
        return [(text, 1.0), *([(bare, WITHOUT_TIMES_WEIGHT)] if bare != text and terms(bare) else ())]

    def _collect_candidates(self) -> None:
        """Adds candidates: the nearest passages in each language, those with the words, those with each name.

        Where most of them are reprints, more are asked for: a story that fifty papers print is one source.
        """
        elsewhere = self._store.cross_language_queries(self._question, self._question, self._which)
        limit = CANDIDATES
        while self._query_rankers(elsewhere, limit) and limit < MAX_CANDIDATES:
            limit *= WIDEN_FACTOR

    def _query_rankers(self, elsewhere: Sequence[Vector], limit: int) -> bool:
        """Adds `limit` candidates of each ranker; whether a ranker gave so many, and most are reprints."""
        near = self._store.start_nearest(
            [(self._question, limit), *((vector, CROSS_LANGUAGE_CANDIDATES) for vector in elsewhere)], self._which
        )
        matching = [
            {passage for passage, _ in self._library.fulltext.match(wanted, limit, self._which)}
            for wanted in (list(self._words), *map(sorted, self._name_terms))
        ]
        self._read(set().union(*matching))  # while the index is asked
        nearest = near()
        self._read({passage for matches in nearest for passage, _ in matches})
        ranked = (*matching, {passage for passage, _ in nearest[0]})
        return any(len(passages) >= limit and self._crowded(passages) for passages in ranked)

    def _crowded(self, passages: Set[int]) -> bool:
        known = [self._candidates[passage] for passage in passages if passage in self._candidates]
        return len({candidate.article for candidate in known}) > 2 * len({candidate.cluster for candidate in known})

    def _read(self, passages: Set[int]) -> None:
        fresh = sorted(passages - self._candidates.keys())
        self._candidates |= self._library.passages.candidates(fresh)
        if self._asked:
            self._times |= self._library.passages.times(fresh)

    def _scores(self) -> dict[int, float]:
        """The scores of the SHORTLIST best candidates."""
        self._collect_candidates()
        ids = sorted(self._candidates)
        if not ids:
            return {}
        candidates = [self._candidates[passage] for passage in ids]
        biases = self._biases(ids)
        scores = _standard(np.stack([candidate.vector for candidate in candidates]) @ self._question - biases)
        scores = scores + WORDS_WEIGHT * _bm25(self._library.fulltext, self._words, candidates)
        for spellings in self._name_terms:
            weight = NAMES_WEIGHT / len(self._name_terms)
            scores = scores + np.array([weight * (not spellings.isdisjoint(known.words)) for known in candidates])
        if self._asked:
            scores = scores + np.array([self._time_score(passage) for passage in ids]) + self._newness_scores(ids)
        bias = dict(zip(ids, biases.tolist(), strict=True))
        order = [ids[place] for place in np.argsort(-scores, kind="stable").tolist()]
        scored = dict(zip(ids, scores.tolist(), strict=True))
        short = self._without_reprints(order)[:RERANK_K]
        self._read_sentences(short)
        nearest = _standard(np.array([float(self._cosines[passage].max()) - bias[passage] for passage in short]))
        return {
            passage: scored[passage] + SENTENCE_WEIGHT * cosine
            for passage, cosine in zip(short, nearest.tolist(), strict=True)
        }

    def _without_reprints(self, passages: Sequence[int]) -> list[int]:
        """The passages without those that say the same as an earlier one in a copy of its article."""
        kept: list[int] = []
        by_cluster: dict[str, list[int]] = {}
        for passage in passages:
            candidate = self._candidates[passage]
            earlier = by_cluster.setdefault(candidate.cluster, [])
            others = (other for other in earlier if self._candidates[other].article != candidate.article)
            if not any(self._same(other, passage) for other in others):
                earlier.append(passage)
                kept.append(passage)
        return kept

    def _same(self, passage: int, other: int) -> bool:
        """Whether two passages have the same words; copies break their paragraphs in other places."""
        first, second = set(self._candidates[passage].words), set(self._candidates[other].words)
        return len(first & second) >= SAME_WORDS * min(len(first), len(second))

    def _biases(self, passages: Sequence[int]) -> Vector:
        """What the likeness of each passage to the question owes to its language alone; 0 where all are of one."""
        langs = [self._candidates[passage].lang for passage in passages]
        if len(set(langs)) == 1:
            return np.zeros(len(langs), np.float32)
        biases = {lang: float(self._store.language_mean(lang) @ self._question) for lang in sorted(set(langs))}
        return np.array([biases[lang] for lang in langs], np.float32)

    def _read_sentences(self, passages: Sequence[int]) -> None:
        fresh = [passage for passage in passages if passage not in self._cosines]
        self._cosines |= self._library.passages.sentence_cosines(fresh, self._question[None])

    def _time_score(self, passage: int) -> float:
        fits = matches_period(self._asked, self._times.get(passage, ()), self._candidates[passage].published)
        return {True: TIME_BONUS, False: TIME_PENALTY, None: 0.0}[fits]

    def _newness_scores(self, ids: Sequence[int]) -> Vector:
        """Up to TIMELY for the newest of the candidates, where the question asks for the latest."""
        dates = sorted({self._candidates[passage].published for passage in ids} - {""})
        if not any(period.kind in ("latest", "until") for period in self._asked) or not dates:
            return np.zeros(len(ids), np.float32)
        rank = {published: TIME_BONUS * place / max(1, len(dates) - 1) for place, published in enumerate(dates)}
        return np.array([rank.get(self._candidates[passage].published, 0.0) for passage in ids], np.float32)

    def hits(self, limit: int) -> list[Hit]:
        """The best of the shortlist, best first."""
        scores = self._scores()
        ranked = sorted(scores, key=lambda passage: (-scores[passage], passage))
        clusters = sorted({self._candidates[passage].cluster for passage in ranked})
        copied = self._library.clusters.with_reprints(clusters, self._which)
        members = {cluster: self._library.clusters.members(cluster, self._which) for cluster in copied}
        originals = {passage: self._original(passage, members) for passage in ranked}
        scores = {original: scores[passage] for passage, original in reversed(originals.items())}
        self._read_sentences(list(scores))
        ranked = list(dict.fromkeys(originals.values()))
        taken: list[int] = []
        later: list[int] = []
        articles: dict[str, int] = {}
        for passage in ranked:
            article = self._candidates[passage].article
            articles[article] = articles.get(article, 0) + 1
            (taken if articles[article] <= MAX_HITS_PER_ARTICLE else later).append(passage)
        best = (taken + later)[:limit]
        spans = self._library.passages.sentences(best)
        times = self._times | self._library.passages.times([passage for passage in best if passage not in self._times])
        copies = {article.id: texts for texts in members.values() for article in texts}
        return [
            Hit(
                found.article,
                found.span,
                scores[found.id],
                float(self._candidates[found.id].vector @ self._question),
                tuple(
                    self._sentence(found.article, span, cosine, times.get(found.id, ()))
                    for span, cosine in zip(spans[found.id], self._cosines[found.id][:, 0].tolist(), strict=True)
                ),
                tuple(copy for copy in copies.get(found.article.id, ()) if copy.id != found.article.id),
            )
            for found in self._library.passages.by_id(best)
        ]

    def _original(self, passage: int, members: Mapping[str, Sequence[Article]]) -> int:
        """The passage that says the same in the oldest of the articles that print it; often it itself."""
        candidate = self._candidates[passage]
        for article in members.get(candidate.cluster, ()):
            if article.id == candidate.article:
                break
            others = self._library.passages.in_article(article.id)
            self._read(set(others))
            same = [other for other in others if self._same(other, passage)]
            if same:
                return max(same, key=lambda other: float(self._candidates[other].vector @ candidate.vector))
        return passage

    def _sentence(self, article: Article, span: Span, cosine: float, times: Sequence[TimeReference]) -> Sentence:
        """A sentence with the names and times in it."""
        times_here = tuple(time for time in times if span.start <= time.span.start < span.end)
        names = frozenset(mention.name for mention in self._names.mentions(article.text[span.start : span.end]))
        block = article.block(span.start)
        return Sentence(span, cosine, times_here, names, block.kind if block else "paragraph")


def _words(text: str) -> dict[str, float]:
    """The terms of a text, each of the full weight."""
    return dict.fromkeys(terms(text)[:MAX_TERMS], 1.0)


def _standard(values: Vector) -> Vector:
    """Values less their mean, over their spread; 0 where all are the same."""
    standard: Vector = (values - values.mean()) / (values.std() + LEAST_SPREAD)
    return standard


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _bm25(fulltext: FullText, weights: Mapping[str, float], candidates: Sequence[Candidate]) -> Vector:
    """Each passage's BM25 for weighted terms, as a share of the most it could be (Robertson and Zaragoza 2009).

    The inverse document frequency is ln(1 + (N - n + .5) / (n + .5)), which is never negative.
    """
    passages, length = fulltext.totals()
    frequencies = fulltext.frequencies(list(weights))
    with_term = np.array([frequencies.get(term, 0) for term in weights])
    rarity = np.fromiter(weights.values(), np.float32) * np.log(1 + (passages - with_term + 0.5) / (with_term + 0.5))
    most = (BM25_K1 + 1) * float(rarity.sum())
    if not most:
        return np.zeros(len(candidates), np.float32)
    width, column = len(weights), {term: place for place, term in enumerate(weights)}
    words = [candidate.words for candidate in candidates]
    cells = [
        row * width + column[word]
        for row, passage_words in enumerate(words)
        for word in passage_words
        if word in column
    ]
    counts = np.bincount(cells, minlength=len(candidates) * width).reshape(-1, width)
    lengths = np.array([[len(passage_words)] for passage_words in words])
    dampening = BM25_K1 * (1 - BM25_B + BM25_B * lengths * passages / length)
    scores: Vector = (counts * (BM25_K1 + 1) / (counts + dampening) @ rarity / most).astype(np.float32)
    return scores


def _name_terms(question: str, names: NameTable) -> list[set[str]]:
    """For each person and organisation in a question, the terms of the last words of all its spellings."""
    return [
        {term for spelling in names.aliases(name) for term in terms(spelling)[-1:]}
        for name in dict.fromkeys(mention.name for mention in names.mentions(question) if mention.kind != "places")
    ]


class HybridRetriever(BaseRetriever):
    """LangChain's face of `search`; `invoke` takes the fields of `Query` beside the question.

    Each document's `page_content` is a passage word for word; its metadata name the article (`article_id`, `version`,
    `title`, `url`, `publisher`, `published`, `lang`) and where the passage stands in it (`start`, `end`), and hold the
    `Hit` itself under `hit`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    store: Store
    names: NameTable
    limit: int = 10

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - the interface's
        earlier: tuple[str, ...] = (),
        rewritten: str = "",
        filters: Filters = NO_FILTERS,
        as_of: date | None = None,
    ) -> list[Document]:
        asked = Query(query, earlier, rewritten, filters, as_of)
        return [_document(hit) for hit in search(self.store, asked, self.limit, names=self.names)]


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
