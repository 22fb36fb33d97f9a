"""The passages of every version: where they and their sentences stand, the times they name, what is embedded of them.

Knows what ranking and reading need of a passage, and what its vectors are called: a name is the digest of the model's
name and the text, so that what is stored already is not embedded again. Does not know how passages are found or ranked.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from datetime import date

from vectorstore.article import Article, Passage, Span, TimeReference, Vector
from vectorstore.blocks import ARTICLE, article_in
from vectorstore.catalogue import LIVE, VersionFilter
from vectorstore.database import placeholders
from vectorstore.vector_table import stacked


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage with the names of its vectors: its own and one a sentence, in order."""

    passage: Passage
    vector: str
    sentence_vectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A stored passage: its id, its article, and where it stands in that."""

    id: int
    article: Article
    span: Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live passage as far as ranking needs it.

    `article`, `published`, `lang` and `cluster` are its article's id, date of publication, language and cluster of
    copies. `words` are its terms and those of its article's title, in their order, `vector` is its own unit vector.
    """

    article: str
    published: str
    lang: str
    cluster: str
    words: list[str]
    vector: Vector


def embedded_passage(embedding: str, article: Article, passage: Passage) -> EmbeddedPassage:
    """The passage with the names of its vectors of the model `embedding`."""

    def name(text: str) -> str:
        return hashlib.sha256(f"{embedding}\n{text}".encode()).hexdigest()[:32]

    sentences = tuple(name(article.text[span.start : span.end]) for span in passage.sentences)
    return EmbeddedPassage(passage, name(passage_text(article, passage.span)), sentences)


def embedded_texts(article: Article, embedded: EmbeddedPassage) -> dict[str, str]:
    """What is embedded of a passage and of its sentences, by the names of their vectors."""
    spans = zip(embedded.sentence_vectors, embedded.passage.sentences, strict=True)
    return {embedded.vector: passage_text(article, embedded.passage.span)} | {
        name: article.text[span.start : span.end] for name, span in spans
    }


def passage_text(article: Article, span: Span) -> str:
    """What is embedded of a passage: the article's title, then its words."""
    words = article.text[span.start : span.end]
    return f"{article.title}\n{words}" if article.title else words


class PassageTable:
    """The part of `library.db` that holds passages; `connection` gives this thread's connection to it."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection

    # what is read

    def by_id(self, passages: Sequence[int]) -> list[StoredPassage]:
        """The passages with their articles, in the order asked for; those not live are left out."""
        columns = ", ".join(f"version.{column}" for column in ARTICLE.split(", "))
        rows = self._connection().execute(
            f'SELECT passage.id, passage.start, passage."end", {columns}'
            " FROM passage JOIN version ON version.id = passage.version"
            f" WHERE live AND passage.id IN ({placeholders(passages)})",
            list(passages),
        )
        by_id = {row[0]: StoredPassage(row[0], article_in(row[3:]), Span(row[1], row[2])) for row in rows}
        return [by_id[passage] for passage in passages if passage in by_id]

    def by_vector(self, vectors: Sequence[str], which: VersionFilter = LIVE) -> dict[str, list[int]]:
        """The chosen passages each vector stands for, by the vector's name; those of none are left out."""
        owners: dict[str, list[int]] = {}
        rows = self._connection().execute(
            "SELECT passage.vector, passage.id FROM passage JOIN version ON version.id = passage.version"
            f" WHERE passage.vector IN ({placeholders(vectors)}) AND {which.condition} ORDER BY passage.id",
            [*vectors, *which.parameters],
        )
        for vector, passage in rows:
            owners.setdefault(vector, []).append(passage)
        return owners

    def candidates(self, passages: Sequence[int]) -> dict[int, Candidate]:
        """What ranking needs of the passages, by passage; those not live are left out."""
        query = (
            "SELECT passage.id, article, published, lang, cluster, terms, value FROM passage"
            " JOIN version ON version.id = passage.version JOIN vector ON vector.id = passage.vector"
            f" JOIN words ON words.rowid = passage.id WHERE live AND passage.id IN ({placeholders(passages)})"
        )
        rows = self._connection().execute(query, list(passages)).fetchall()
        if not rows:
            return {}
        vectors = stacked(row[6] for row in rows)
        return {
            passage: Candidate(article, published, lang, cluster, terms.split(" "), vector)
            for (passage, article, published, lang, cluster, terms, _), vector in zip(rows, vectors, strict=True)
        }

    def in_article(self, article_id: str) -> list[int]:
        """The passages of an article's live version, in reading order; empty if it has none."""
        rows = self._connection().execute(
            "SELECT passage.id FROM version JOIN passage ON passage.version = version.id"
            " WHERE live AND article = ? ORDER BY passage.start",
            (article_id,),
        )
        return [row[0] for row in rows]

    def times(self, passages: Sequence[int]) -> dict[int, list[TimeReference]]:
        """The times the passages name, in reading order, by passage; those that name none are left out."""
        named: dict[int, list[TimeReference]] = {}
        rows = self._connection().execute(
            'SELECT passage, start, "end", first, last, reckoned FROM time'
            f" WHERE passage IN ({placeholders(passages)}) ORDER BY passage, start",
            list(passages),
        )
        for passage, start, end, first, last, inferred in rows:
            time = TimeReference(Span(start, end), date.fromisoformat(first), date.fromisoformat(last), bool(inferred))
            named.setdefault(passage, []).append(time)
        return named

    def sentences(self, passages: Sequence[int]) -> dict[int, list[Span]]:
        """Where the passages' sentences stand, in reading order, by passage."""
        spans: dict[int, list[Span]] = {}
        rows = self._connection().execute(
            f'SELECT passage, start, "end" FROM sentence WHERE passage IN ({placeholders(passages)})'
            " ORDER BY passage, start",
            list(passages),
        )
        for passage, start, end in rows:
            spans.setdefault(passage, []).append(Span(start, end))
        return spans

    def sentence_cosines(self, passages: Sequence[int], queries: Vector) -> dict[int, Vector]:
        """The cosines of the passages' sentences, in reading order, to each query: (sentences, queries), by passage."""
        query = (
            "SELECT passage, value FROM sentence JOIN vector ON vector.id = sentence.vector"
            f" WHERE passage IN ({placeholders(passages)}) ORDER BY passage, start"
        )
        rows = self._connection().execute(query, list(passages)).fetchall()
        if not rows:
            return {}
        cosines = stacked(row[1] for row in rows) @ queries.T
        places: dict[int, list[int]] = {}
        for place, (passage, _) in enumerate(rows):
            places.setdefault(passage, []).append(place)
        return {passage: cosines[rows_of] for passage, rows_of in places.items()}

    def of_version(self, article_id: str, version: int) -> list[tuple[int, Span, str]]:
        """(id, place, name of the vector) of each passage of a version, in reading order; empty if there is none."""
        rows = self._connection().execute(
            'SELECT passage.id, start, "end", vector FROM passage JOIN version ON version.id = passage.version'
            " WHERE article = ? AND number = ? ORDER BY start",
            (article_id, version),
        )
        return [(passage, Span(start, end), vector) for passage, start, end, vector in rows]

    def embedded(self, article_id: str, version: int) -> list[EmbeddedPassage]:
        """The passages of a version with their sentences, times and the names of their vectors, in reading order."""
        rows = self.of_version(article_id, version)
        times = self.times([passage for passage, _, _ in rows])
        embedded = []
        for passage, span, vector in rows:
            query = 'SELECT start, "end", vector FROM sentence WHERE passage = ? ORDER BY start'
            sentences = self._connection().execute(query, (passage,)).fetchall()
            spans = tuple(Span(start, end) for start, end, _ in sentences)
            whole = Passage(span, spans, tuple(times.get(passage, ())))
            embedded.append(EmbeddedPassage(whole, vector, tuple(name for _, _, name in sentences)))
        return embedded

    # what is written, within a transaction of the library's

    def insert(self, version: int, passages: Sequence[EmbeddedPassage]) -> None:
        """Stores the passages of a new version; their vectors must be stored."""
        connection = self._connection()
        for embedded in passages:
            passage, names = embedded.passage, embedded.sentence_vectors
            key = connection.execute(
                'INSERT INTO passage (version, start, "end", vector) VALUES (?, ?, ?, ?)',
                (version, *astuple(passage.span), embedded.vector),
            ).lastrowid
            connection.executemany(
                "INSERT INTO sentence VALUES (?, ?, ?, ?)",
                [(key, *astuple(span), name) for span, name in zip(passage.sentences, names, strict=True)],
            )
            connection.executemany(
                "INSERT INTO time VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (key, *astuple(time.span), str(time.start_date), str(time.end_date), time.inferred)
                    for time in passage.times
                ],
            )

    def delete_article(self, article_id: str) -> None:
        """Deletes the passages of all versions of an article; the versions themselves must go next."""
        condition = "version IN (SELECT id FROM version WHERE article = ?)"
        for table in ("sentence", "time"):
            self._connection().execute(
                f"DELETE FROM {table} WHERE passage IN (SELECT id FROM passage WHERE {condition})", (article_id,)
            )
        self._connection().execute(f"DELETE FROM passage WHERE {condition}", (article_id,))
