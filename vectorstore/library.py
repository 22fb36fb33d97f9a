"""The truth: one SQLite file with every version of every article, its passages, their vectors and the full text.

Knows storage and transactions. Does not know Chroma, embedding models or ranking. Every search index beside it can be
made again from what stands here.

Errors: LibraryError (ValueError) for a data folder that can't be used, NoLibraryError below it for one that holds none;
the message names the folder and the remedy.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectorstore.article import Article, Coverage, Passage, Sentence, Span
from vectorstore.terms import terms

Vector = NDArray[np.float32]

FILE = "library.db"
FORMAT = 1
BUSY_SECONDS = 5.0
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE version (
    id INTEGER PRIMARY KEY, article TEXT NOT NULL, number INTEGER NOT NULL, live INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, source TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL, publisher TEXT NOT NULL,
    published TEXT NOT NULL, lang TEXT NOT NULL, note TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL,
    added TEXT NOT NULL, UNIQUE (article, number));
CREATE UNIQUE INDEX version_live ON version (article) WHERE live;
CREATE TABLE passage (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL REFERENCES version,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, vector TEXT NOT NULL REFERENCES vector);
CREATE INDEX passage_version ON passage (version);
CREATE INDEX passage_vector ON passage (vector);
CREATE TABLE sentence (
    passage INTEGER NOT NULL REFERENCES passage, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    vector TEXT NOT NULL REFERENCES vector, PRIMARY KEY (passage, start)) WITHOUT ROWID;
CREATE INDEX sentence_vector ON sentence (vector);
CREATE TABLE vector (id TEXT PRIMARY KEY, value BLOB NOT NULL, indexed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX vector_indexed ON vector (id) WHERE indexed;
CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = "unicode61 remove_diacritics 0");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row);
"""
ARTICLE = "article, number, source, title, url, publisher, published, lang, note, text, sha256, added"


class LibraryError(ValueError):
    """A data folder that is missing, unreadable, or made by another version or embedding model."""


class NoLibraryError(LibraryError):
    """A data folder that holds no library yet."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A passage with the names of its vectors: its own and one a sentence, in order."""

    passage: Passage
    vector: str
    sentence_vectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A stored passage: its id, its article, and where it stands in that."""

    id: int
    article: Article
    span: Span


def exists(folder: Path) -> bool:
    """Whether the folder holds a library; a file that was never written to is none."""
    path = folder / FILE
    return path.exists() and (path.stat().st_size > 0 or path.with_name(f"{FILE}-wal").exists())


def require(folder: Path) -> None:
    """NoLibraryError if the folder holds no library."""
    if not exists(folder):
        raise NoLibraryError(
            f"There is no library in {folder}. Fill it with: python -m ingest SOURCE... --data {folder}"
        )


def unwritable(folder: Path, error: Exception) -> LibraryError:
    """What to raise when the folder refuses to be written."""
    return LibraryError(
        f"The data folder {folder} can't be written ({error}). "
        "Make it writable, or name another with --data or VIADOMA_DATA."
    )


class Library:
    """One data folder's `library.db`. Reading is safe from any thread and never waits for a writer."""

    def __init__(self, folder: Path, embedding: str, *, create: bool) -> None:
        """Opens the library; with `create` a missing one is made, to hold vectors of the model named `embedding`."""
        self.folder = folder
        self.embedding = embedding
        self._path = folder / FILE
        self._threads = threading.local()
        self._open: dict[threading.Thread, sqlite3.Connection] = {}
        self._open_lock = threading.Lock()
        if not create:
            require(folder)
        elif not exists(folder):
            self._create()
        self._check()

    def _create(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            connection = self._reader()
        except (OSError, sqlite3.Error) as error:
            raise unwritable(self.folder, error) from error
        with self._transaction(connection):
            # a second process may have come first: the schema is made once, whole or not at all
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                for statement in SCHEMA.strip().removesuffix(";").split(";\n"):
                    connection.execute(statement)
                connection.executemany(
                    "INSERT INTO meta VALUES (?, ?)",
                    [("format", str(FORMAT)), ("embedding", self.embedding), ("generation", "0")],
                )

    def _check(self) -> None:
        try:
            meta = dict(self._reader().execute("SELECT name, value FROM meta").fetchall())
        except sqlite3.Error as error:
            raise LibraryError(
                f"{self._path} can't be read as a library ({error}). Restore it from a copy, or move it away and "
                f"fill a new one with: python -m ingest SOURCE... --data {self.folder}"
            ) from error
        if meta.get("format") != str(FORMAT):
            raise LibraryError(
                f"The library in {self.folder} has format {meta.get('format')}; this version of Viadoma reads "
                f"format {FORMAT}. Use the version that made it, or ingest the articles into another folder."
            )
        if meta["embedding"] != self.embedding:
            raise LibraryError(
                f"The library in {self.folder} was made with the embedding model {meta['embedding']}; the one in use "
                f"is {self.embedding}. Use the first again, or ingest the articles into another folder."
            )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        with self._open_lock:
            for thread in [thread for thread in self._open if not thread.is_alive()]:
                self._open.pop(thread).close()
            self._open[threading.current_thread()] = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA mmap_size = 1073741824")
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = self._connect()
        return connection

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        connection.execute(f"BEGIN {kind}")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What this thread reads inside it belongs to one moment, whatever is published meanwhile."""
        connection = self._reader()
        if connection.in_transaction:
            yield
        else:
            with self._transaction(connection, "DEFERRED"):
                yield

    def close(self) -> None:
        """Closes every connection; the library can't be used afterwards."""
        with self._open_lock:
            while self._open:
                self._open.popitem()[1].close()

    # what is read

    def generation(self) -> int:
        """Grows with every change that readers can see."""
        row = self._reader().execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return int(row[0])

    def coverage(self, as_of: date | None = None) -> Coverage:
        """How many articles are live, and how old and new they are; with `as_of`, those not published later."""
        total, dated, oldest, newest = (
            self._reader()
            .execute(
                "SELECT count(*), count(nullif(published, '')), min(nullif(published, '')), max(nullif(published, ''))"
                " FROM version WHERE live"
                " AND (? IS NULL OR substr(published || '-01-01', 1, 10) <= ? OR published = '')",
                (as_of and as_of.isoformat(), as_of and as_of.isoformat()),
            )
            .fetchone()
        )
        return Coverage(total, oldest or "", newest or "", total - dated)

    def article(self, article_id: str, version: int | None = None) -> Article | None:
        """One version of an article, the live one unless `version` says which; None if there is none."""
        which = "live" if version is None else "number = ?"
        row = (
            self._reader()
            .execute(
                f"SELECT {ARTICLE} FROM version WHERE article = ? AND {which}",
                (article_id,) if version is None else (article_id, version),
            )
            .fetchone()
        )
        return Article(*row) if row else None

    def articles(self) -> Iterator[Article]:
        """The live articles, newest first, those without a date last."""
        for row in self._reader().execute(f"SELECT {ARTICLE} FROM version WHERE live ORDER BY published DESC, title"):
            yield Article(*row)

    def fingerprint(self, article_id: str) -> str:
        """The live version's fingerprint; empty if there is no such article."""
        row = (
            self._reader()
            .execute("SELECT fingerprint FROM version WHERE article = ? AND live", (article_id,))
            .fetchone()
        )
        return row[0] if row else ""

    def match(self, wanted: Sequence[str], limit: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Full-text search: (passage id, BM25 score, higher is better), best first.

        Any of the terms may match; only the passages `among` are looked at, if given. BM25 as in SQLite's FTS5 (k1 =
        1.2, b = 0.75). Empty if there is no term.
        """
        if not wanted:
            return []
        expression = " OR ".join(f'"{term}"' for term in wanted)
        inside = "" if among is None else f" AND rowid IN ({_marks(among)})"
        rows = self._reader().execute(
            f"SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?{inside} ORDER BY rank LIMIT ?",
            (expression, *(among or ()), limit),
        )
        return [(row[0], row[1]) for row in rows]

    def rarity(self, wanted: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of terms among the passages: ln(1 + (N - n + .5) / (n + .5)).

        As in BM25 (Robertson and Zaragoza 2009), with 1 added so that it is never negative; highest for terms that are
        nowhere.
        """
        total = int(self._reader().execute("SELECT count(*) FROM words").fetchone()[0])
        rows = self._reader().execute(
            f"SELECT term, doc FROM vocabulary WHERE term IN ({_marks(wanted)})",
            list(wanted),
        )
        held = dict(rows.fetchall())
        return {term: math.log(1 + (total - held.get(term, 0) + 0.5) / (held.get(term, 0) + 0.5)) for term in wanted}

    def passages_of(self, vectors: Sequence[str]) -> dict[str, list[int]]:
        """The live passages each vector stands for, by the vector's name; those of none are left out."""
        owners: dict[str, list[int]] = {}
        rows = self._reader().execute(
            "SELECT passage.vector, passage.id FROM passage JOIN version ON version.id = passage.version"
            f" WHERE live AND passage.vector IN ({_marks(vectors)}) ORDER BY passage.id",
            list(vectors),
        )
        for vector, passage in rows:
            owners.setdefault(vector, []).append(passage)
        return owners

    def found(self, passages: Sequence[int]) -> list[Found]:
        """The passages with their articles, in the order asked for; those not live are left out."""
        columns = ", ".join(f"version.{column}" for column in ARTICLE.split(", "))
        rows = self._reader().execute(
            f'SELECT passage.id, passage.start, passage."end", {columns}'
            " FROM passage JOIN version ON version.id = passage.version"
            f" WHERE live AND passage.id IN ({_marks(passages)})",
            list(passages),
        )
        by_id = {row[0]: Found(row[0], Article(*row[3:]), Span(row[1], row[2])) for row in rows}
        return [by_id[passage] for passage in passages if passage in by_id]

    def sentences(self, passages: Sequence[int], query: Vector) -> dict[int, tuple[Sentence, ...]]:
        """The passages' sentences in reading order, each with its cosine to `query`, by passage."""
        rows = (
            self._reader()
            .execute(
                'SELECT passage, start, "end", value FROM sentence JOIN vector ON vector.id = sentence.vector'
                f" WHERE passage IN ({_marks(passages)}) ORDER BY passage, start",
                list(passages),
            )
            .fetchall()
        )
        cosines = _stack(row[3] for row in rows) @ query if rows else ()
        grouped: dict[int, list[Sentence]] = {}
        for (passage, start, end, _), cosine in zip(rows, cosines, strict=True):
            grouped.setdefault(passage, []).append(Sentence(Span(start, end), float(cosine)))
        return {passage: tuple(members) for passage, members in grouped.items()}

    def passage_vectors(self, passages: Sequence[int]) -> dict[int, Vector]:
        """The passages' own vectors, by passage; those not live are left out."""
        rows = self._reader().execute(
            "SELECT passage.id, value FROM passage JOIN version ON version.id = passage.version"
            f" JOIN vector ON vector.id = passage.vector WHERE live AND passage.id IN ({_marks(passages)})",
            list(passages),
        )
        return {passage: np.frombuffer(value, "<f2").astype(np.float32) for passage, value in rows}

    def vectors(self, names: Sequence[str]) -> dict[str, Vector]:
        """Stored vectors by name; names not stored are left out."""
        rows = self._reader().execute(
            f"SELECT id, value FROM vector WHERE id IN ({_marks(names)})",
            list(names),
        )
        return {name: np.frombuffer(value, "<f2").astype(np.float32) for name, value in rows}

    def indexed(self) -> int:
        """How many vectors the index beside the library must hold at least."""
        return int(self._reader().execute("SELECT count(*) FROM vector WHERE indexed").fetchone()[0])

    def indexed_vectors(self, batch: int) -> Iterator[tuple[list[str], Vector]]:
        """All vectors the index must hold, `batch` at a time: (names, matrix), in no particular order."""
        rows = self._reader().execute("SELECT id, value FROM vector WHERE indexed")
        while some := rows.fetchmany(batch):
            yield [row[0] for row in some], _stack(row[1] for row in some)

    # what is written; the caller holds the folder's writer lock

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of the named vectors that are not stored yet."""
        wanted = list(dict.fromkeys(names))
        known: set[str] = set()
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            rows = self._reader().execute(
                f"SELECT id FROM vector WHERE id IN ({_marks(some)})",
                some,
            )
            known.update(row[0] for row in rows)
        return set(wanted) - known

    def store(self, vectors: Mapping[str, Vector]) -> None:
        """Stores vectors, to be published later; names already stored keep theirs."""
        with self._transaction(self._reader()) as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO vector (id, value) VALUES (?, ?)",
                ((name, value.astype("<f2").tobytes()) for name, value in vectors.items()),
            )

    def publish(self, articles: Sequence[tuple[Article, str, Sequence[Placed]]]) -> None:
        """Makes versions live, all in one commit: (article, fingerprint, passages); each replaces its predecessor.

        Their vectors must be stored, and the passages' must be in the index beside the library.
        """
        with self._transaction(self._reader()) as connection:
            for article, fingerprint, placed in articles:
                self._retire(connection, article.id)
                self._insert(connection, article, fingerprint, placed)
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")

    def retire(self, article_ids: Sequence[str]) -> None:
        """Takes articles out of what is searched; their versions stay stored."""
        with self._transaction(self._reader()) as connection:
            for article_id in article_ids:
                self._retire(connection, article_id)
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")

    def locate(self, article_id: str, source: str) -> None:
        """Notes where an unchanged article lies now; nothing that readers see changes."""
        connection = self._reader()
        row = connection.execute(
            "SELECT id FROM version WHERE article = ? AND live AND source <> ?", (article_id, source)
        ).fetchone()
        if row:
            with self._transaction(connection):
                connection.execute("UPDATE version SET source = ? WHERE id = ?", (source, row[0]))

    def next_version(self, article_id: str) -> int:
        """The number the article's next version gets, from 1."""
        row = self._reader().execute("SELECT max(number) FROM version WHERE article = ?", (article_id,)).fetchone()
        return int(row[0] or 0) + 1

    def unused_vectors(self) -> list[str]:
        """Vectors no live passage needs, and no version's sentence or passage either: leftovers of broken-off runs."""
        rows = self._reader().execute(
            "SELECT id FROM vector WHERE NOT EXISTS (SELECT 1 FROM passage WHERE passage.vector = vector.id)"
            " AND NOT EXISTS (SELECT 1 FROM sentence WHERE sentence.vector = vector.id)"
        )
        return [row[0] for row in rows]

    def retired_vectors(self) -> list[str]:
        """Vectors in the index that no live passage needs any more."""
        rows = self._reader().execute(
            "SELECT vector.id FROM vector WHERE indexed AND NOT EXISTS ("
            "SELECT 1 FROM passage JOIN version ON version.id = passage.version"
            " WHERE passage.vector = vector.id AND live)"
        )
        return [row[0] for row in rows]

    def unindex(self, names: Sequence[str]) -> None:
        """Notes that the index need not hold these vectors."""
        with self._transaction(self._reader()) as connection:
            connection.executemany("UPDATE vector SET indexed = 0 WHERE id = ?", ((name,) for name in names))

    def forget(self, names: Sequence[str]) -> None:
        """Deletes vectors that nothing uses."""
        with self._transaction(self._reader()) as connection:
            connection.executemany("DELETE FROM vector WHERE id = ?", ((name,) for name in names))

    @staticmethod
    def _retire(connection: sqlite3.Connection, article_id: str) -> None:
        row = connection.execute("SELECT id FROM version WHERE article = ? AND live", (article_id,)).fetchone()
        if row:
            connection.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM passage WHERE version = ?)", row)
            connection.execute("UPDATE version SET live = 0 WHERE id = ?", row)

    @staticmethod
    def _insert(connection: sqlite3.Connection, article: Article, fingerprint: str, placed: Sequence[Placed]) -> None:
        version = connection.execute(
            f"INSERT INTO version (live, fingerprint, {ARTICLE}) VALUES (1, ?{', ?' * 12})",
            (
                fingerprint,
                article.id,
                article.version,
                article.source,
                article.title,
                article.url,
                article.publisher,
                article.published,
                article.lang,
                article.note,
                article.text,
                article.sha256,
                article.added,
            ),
        ).lastrowid
        for one in placed:
            span = one.passage.span
            passage = connection.execute(
                'INSERT INTO passage (version, start, "end", vector) VALUES (?, ?, ?, ?)',
                (version, span.start, span.end, one.vector),
            ).lastrowid
            connection.executemany(
                "INSERT INTO sentence VALUES (?, ?, ?, ?)",
                (
                    (passage, sentence.start, sentence.end, vector)
                    for sentence, vector in zip(one.passage.sentences, one.sentence_vectors, strict=True)
                ),
            )
            connection.execute(
                "INSERT INTO words (rowid, terms) VALUES (?, ?)",
                (passage, " ".join(terms(f"{article.title}\n{article.text[span.start : span.end]}"))),
            )
            connection.execute("UPDATE vector SET indexed = 1 WHERE id = ? AND NOT indexed", (one.vector,))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _stack(blobs: Iterable[bytes]) -> Vector:
    return np.stack([np.frombuffer(blob, "<f2") for blob in blobs]).astype(np.float32)
