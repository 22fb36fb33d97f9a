"""The truth: one SQLite file with every version of every article, its passages, their vectors and the full text.

Knows storage and transactions. Does not know Chroma, embedding models or ranking. Every search index beside it can be
made again from what stands here.

Errors: LibraryError (ValueError) for a data folder that can't be used, NoLibraryError below it for one that holds none;
the message names the folder and the remedy.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectorstore.article import (
    EVERYTHING,
    Article,
    Coverage,
    Facet,
    Facets,
    Filters,
    Passage,
    Span,
    Time,
)
from vectorstore.copies import bands, copied
from vectorstore.terms import terms

Vector = NDArray[np.float32]

FILE = "library.db"
FORMAT = 2
BUSY_SECONDS = 5.0
FACETS = 500
POSTINGS = 3000  # a full-text search looks at no more: 3 ms; what it costs in hits: benchmarks/LOG.md, "Growth"
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE version (
    id INTEGER PRIMARY KEY, article TEXT NOT NULL, number INTEGER NOT NULL, live INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, source TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL, publisher TEXT NOT NULL,
    published TEXT NOT NULL, lang TEXT NOT NULL, note TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL,
    added TEXT NOT NULL, cluster TEXT NOT NULL, UNIQUE (article, number));
CREATE UNIQUE INDEX version_live ON version (article) WHERE live;
CREATE INDEX version_cluster ON version (cluster) WHERE live;
CREATE TABLE band (key BLOB, version INTEGER REFERENCES version, PRIMARY KEY (key, version)) WITHOUT ROWID;
CREATE INDEX band_version ON band (version);
CREATE TABLE passage (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL REFERENCES version,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, vector TEXT NOT NULL REFERENCES vector);
CREATE INDEX passage_version ON passage (version);
CREATE INDEX passage_vector ON passage (vector);
CREATE TABLE sentence (
    passage INTEGER NOT NULL REFERENCES passage, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    vector TEXT NOT NULL REFERENCES vector, PRIMARY KEY (passage, start)) WITHOUT ROWID;
CREATE INDEX sentence_vector ON sentence (vector);
CREATE TABLE time (
    passage INTEGER NOT NULL REFERENCES passage, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    first TEXT NOT NULL, last TEXT NOT NULL, reckoned INTEGER NOT NULL, PRIMARY KEY (passage, start)) WITHOUT ROWID;
CREATE TABLE vector (id TEXT PRIMARY KEY, value BLOB NOT NULL, indexed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX vector_indexed ON vector (id) WHERE indexed;
CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = "unicode61 remove_diacritics 0");
CREATE TABLE term (term TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
"""
# the first and the last day a date of any exactness can mean
FIRST_DAY = "substr(published || '-01-01', 1, 10)"
LAST_DAY = "published || CASE length(published) WHEN 4 THEN '-12-31' WHEN 7 THEN '-31' ELSE '' END"
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


@dataclass(frozen=True, slots=True)
class Home:
    """A passage's article, as far as ranking needs it: id, date of publication, and cluster, empty without copies."""

    article: str
    published: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which live versions are searched, as a condition in SQL and its parameters."""

    condition: str
    parameters: tuple[str, ...]


ALL = Chosen("live", ())


def chosen(filters: Filters, as_of: date | None) -> Chosen:
    """What the filters leave; with `as_of`, nothing published later, and what has no date stays."""
    conditions, parameters = ["live"], list[str]()
    for column, values in (
        ("publisher", filters.publishers),
        ("lang", filters.languages),
        ("article", filters.articles),
    ):
        if values:
            conditions.append(f"{column} IN ({_marks(values)})")
            parameters += values
    for condition, day in (
        (f"published <> '' AND {LAST_DAY} >= ?", filters.published_from),
        (f"published <> '' AND {FIRST_DAY} <= ?", filters.published_to),
        (f"(published = '' OR {FIRST_DAY} <= ?)", as_of),
    ):
        if day:
            conditions.append(condition)
            parameters.append(day.isoformat())
    return Chosen(" AND ".join(conditions), tuple(parameters))


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
                    [
                        ("format", str(FORMAT)),
                        ("embedding", self.embedding),
                        *((counter, "0") for counter in ("generation", "passages", "terms")),
                    ],
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

    def coverage(self, filters: Filters = EVERYTHING, as_of: date | None = None) -> Coverage:
        """How many articles the filters leave, how many of them are copies, and how old and new they are."""
        which = chosen(filters, as_of)
        total, clusters, dated, oldest, newest = (
            self._reader()
            .execute(
                "SELECT count(*), count(DISTINCT cluster), count(nullif(published, '')), min(nullif(published, '')),"
                f" max(nullif(published, '')) FROM version WHERE {which.condition}",
                which.parameters,
            )
            .fetchone()
        )
        return Coverage(total, total - clusters, oldest or "", newest or "", total - dated)

    def facets(self) -> Facets:
        """What the live articles can be filtered by; of the articles themselves the FACETS newest."""
        reader = self._reader()
        publishers, languages = (
            tuple(
                Facet(*row)
                for row in reader.execute(
                    f"SELECT {column}, {column}, count(*) FROM version WHERE live AND {column} <> '' GROUP BY {column}"
                    f" ORDER BY count(*) DESC, {column}"
                )
            )
            for column in ("publisher", "lang")
        )
        articles = reader.execute(
            "SELECT article, CASE title WHEN '' THEN source ELSE title END, 1 FROM version WHERE live"
            " ORDER BY published DESC, title LIMIT ?",
            (FACETS,),
        )
        return Facets(publishers, languages, tuple(Facet(*row) for row in articles))

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

    def match(
        self, wanted: Sequence[str], limit: int, which: Chosen = ALL, postings: int = POSTINGS
    ) -> list[tuple[int, float]]:
        """Full-text search: (passage id, BM25 score, higher is better), best first; empty if there is no term.

        Any of the terms may match, but only the rarest are looked up: as many as stand in at most `postings` passages
        together, and one in any case. BM25 as in SQLite's FTS5 (k1 = 1.2, b = 0.75).
        """
        held = self.frequencies(wanted)
        rare: list[str] = []
        for term in sorted(held, key=lambda term: held[term]):
            postings -= held[term]
            if rare and postings < 0:
                break
            rare.append(term)
        if not rare:
            return []
        # CROSS JOIN: full text first, or SQLite would look every chosen passage up in it
        restricted = "" if which == ALL else (
            " CROSS JOIN passage ON passage.id = words.rowid CROSS JOIN version ON version.id = passage.version"
            f" AND {which.condition}")  # fmt: skip
        rows = self._reader().execute(
            f"SELECT words.rowid, -bm25(words) FROM words{restricted} WHERE words MATCH ? ORDER BY bm25(words) LIMIT ?",
            (*(which.parameters if restricted else ()), " OR ".join(f'"{term}"' for term in rare), limit),
        )
        return [(row[0], row[1]) for row in rows]

    def frequencies(self, wanted: Sequence[str]) -> dict[str, int]:
        """In how many live passages each of the terms stands; those that stand in none are left out."""
        rows = self._reader().execute(
            f"SELECT term, passages FROM term WHERE term IN ({_marks(wanted)}) AND passages > 0", list(wanted)
        )
        return dict(rows.fetchall())

    def totals(self) -> tuple[int, int]:
        """How many live passages there are, and how many terms are in them."""
        rows = self._reader().execute("SELECT name, value FROM meta WHERE name IN ('passages', 'terms')")
        counters = dict(rows.fetchall())
        return int(counters["passages"]), int(counters["terms"])

    def terms_of(self, passages: Sequence[int]) -> dict[int, list[str]]:
        """The terms of live passages and of their article's title, in their order, by passage."""
        rows = self._reader().execute(f"SELECT rowid, terms FROM words WHERE rowid IN ({_marks(passages)})", passages)
        return {row[0]: row[1].split(" ") for row in rows}

    def passages_of(self, vectors: Sequence[str], which: Chosen = ALL) -> dict[str, list[int]]:
        """The chosen passages each vector stands for, by the vector's name; those of none are left out."""
        owners: dict[str, list[int]] = {}
        rows = self._reader().execute(
            "SELECT passage.vector, passage.id FROM passage JOIN version ON version.id = passage.version"
            f" WHERE passage.vector IN ({_marks(vectors)}) AND {which.condition} ORDER BY passage.id",
            [*vectors, *which.parameters],
        )
        for vector, passage in rows:
            owners.setdefault(vector, []).append(passage)
        return owners

    def chosen_vectors(self, which: Chosen, batch: int) -> Iterator[tuple[list[int], Vector]]:
        """The vectors of the chosen passages, `batch` at a time: (passages, matrix), in the order they were added."""
        rows = self._reader().execute(
            "SELECT passage.id, value FROM version JOIN passage ON passage.version = version.id"
            f" JOIN vector ON vector.id = passage.vector WHERE {which.condition} ORDER BY passage.id",
            which.parameters,
        )
        while some := rows.fetchmany(batch):
            yield [row[0] for row in some], _stack(row[1] for row in some)

    def count(self, which: Chosen) -> int:
        """How many passages are chosen."""
        query = f"SELECT count(*) FROM version JOIN passage ON passage.version = version.id WHERE {which.condition}"
        return int(self._reader().execute(query, which.parameters).fetchone()[0])

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

    def homes(self, passages: Sequence[int]) -> dict[int, Home]:
        """What the passages' articles are, without their texts, by passage."""
        rows = self._reader().execute(
            "SELECT passage.id, article, published, CASE WHEN (SELECT count(*) FROM version AS other"
            " WHERE other.live AND other.cluster = version.cluster) > 1 THEN cluster ELSE '' END"
            " FROM passage JOIN version ON version.id = passage.version"
            f" WHERE passage.id IN ({_marks(passages)})",
            list(passages),
        )
        return {passage: Home(*rest) for passage, *rest in rows}

    def members(self, cluster: str) -> list[Article]:
        """The live articles that are copies of one another: the original first, which is the oldest known.

        Those without a date stand last, in the order in which they were added.
        """
        rows = self._reader().execute(
            f"SELECT {ARTICLE} FROM version WHERE live AND cluster = ? ORDER BY published = '', {FIRST_DAY}, id",
            (cluster,),
        )
        return [Article(*row) for row in rows]

    def times(self, passages: Sequence[int]) -> dict[int, list[Time]]:
        """The times the passages name, in reading order, by passage; those that name none are left out."""
        named: dict[int, list[Time]] = {}
        rows = self._reader().execute(
            f'SELECT passage, start, "end", first, last, reckoned FROM time WHERE passage IN ({_marks(passages)})'
            " ORDER BY passage, start",
            list(passages),
        )
        for passage, start, end, first, last, reckoned in rows:
            time = Time(Span(start, end), date.fromisoformat(first), date.fromisoformat(last), bool(reckoned))
            named.setdefault(passage, []).append(time)
        return named

    def sentences(self, passages: Sequence[int]) -> dict[int, list[Span]]:
        """Where the passages' sentences stand, in reading order, by passage."""
        spans: dict[int, list[Span]] = {}
        rows = self._reader().execute(
            f'SELECT passage, start, "end" FROM sentence WHERE passage IN ({_marks(passages)}) ORDER BY passage, start',
            list(passages),
        )
        for passage, start, end in rows:
            spans.setdefault(passage, []).append(Span(start, end))
        return spans

    def sentence_cosines(self, passages: Sequence[int], queries: Vector) -> dict[int, Vector]:
        """The cosines of the passages' sentences, in reading order, to each query: (sentences, queries), by passage."""
        rows = (
            self._reader()
            .execute(
                "SELECT passage, value FROM sentence JOIN vector ON vector.id = sentence.vector"
                f" WHERE passage IN ({_marks(passages)}) ORDER BY passage, start",
                list(passages),
            )
            .fetchall()
        )
        if not rows:
            return {}
        cosines = _stack(row[1] for row in rows) @ queries.T
        places: dict[int, list[int]] = {}
        for place, (passage, _) in enumerate(rows):
            places.setdefault(passage, []).append(place)
        return {passage: cosines[own] for passage, own in places.items()}

    def passage_vectors(self, passages: Sequence[int]) -> dict[int, Vector]:
        """The passages' own vectors, by passage; those not live are left out."""
        rows = self._reader().execute(
            "SELECT passage.id, value FROM passage JOIN version ON version.id = passage.version"
            f" JOIN vector ON vector.id = passage.vector WHERE live AND passage.id IN ({_marks(passages)})",
            list(passages),
        )
        return {passage: np.frombuffer(value, "<f2").astype(np.float32) for passage, value in rows}

    def centroids(self, passages: Sequence[int]) -> dict[int, Vector]:
        """The unit mean of the vectors of each passage's whole article, by passage."""
        rows = self._reader().execute(
            "SELECT here.id, value FROM passage AS here JOIN passage ON passage.version = here.version"
            f" JOIN vector ON vector.id = passage.vector WHERE here.id IN ({_marks(passages)})",
            list(passages),
        )
        sums: dict[int, Vector] = {}
        for passage, value in rows:
            vector = np.frombuffer(value, "<f2").astype(np.float32)
            sums[passage] = sums[passage] + vector if passage in sums else vector
        return {passage: total / np.linalg.norm(total) for passage, total in sums.items()}

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

    @classmethod
    def _retire(cls, connection: sqlite3.Connection, article_id: str) -> None:
        row = connection.execute("SELECT id FROM version WHERE article = ? AND live", (article_id,)).fetchone()
        if row:
            words = connection.execute(
                "SELECT terms FROM words WHERE rowid IN (SELECT id FROM passage WHERE version = ?)", row
            ).fetchall()
            cls._count(connection, [line.split(" ") for (line,) in words], -1)
            connection.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM passage WHERE version = ?)", row)
            connection.execute("DELETE FROM band WHERE version = ?", row)
            connection.execute("UPDATE version SET live = 0 WHERE id = ?", row)

    @staticmethod
    def _count(connection: sqlite3.Connection, passages: Sequence[Sequence[str]], sign: int) -> None:
        """Notes terms that came (sign 1) or went (sign -1), passage by passage."""
        frequencies = Counter(term for words in passages for term in set(words))
        connection.executemany(
            "INSERT INTO term VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET passages = passages + excluded.passages",
            ((term, sign * number) for term, number in frequencies.items()),
        )
        connection.executemany(
            "UPDATE meta SET value = value + ? WHERE name = ?",
            [(sign * len(passages), "passages"), (sign * sum(map(len, passages)), "terms")],
        )

    @classmethod
    def _insert(
        cls, connection: sqlite3.Connection, article: Article, fingerprint: str, placed: Sequence[Placed]
    ) -> None:
        version = connection.execute(
            f"INSERT INTO version (live, fingerprint, cluster, {ARTICLE}) VALUES (1, ?, ?{', ?' * 12})",
            (
                fingerprint,
                f"{article.id}.{article.version}",  # a new version is no copy of what the old one was
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
        assert version is not None
        words = []
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
            connection.executemany(
                "INSERT INTO time VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (passage, time.span.start, time.span.end, str(time.first), str(time.last), time.reckoned)
                    for time in one.passage.times
                ),
            )
            words.append(terms(f"{article.title}\n{article.text[span.start : span.end]}"))
            connection.execute("INSERT INTO words (rowid, terms) VALUES (?, ?)", (passage, " ".join(words[-1])))
            connection.execute("UPDATE vector SET indexed = 1 WHERE id = ? AND NOT indexed", (one.vector,))
        cls._count(connection, words, 1)
        cls._cluster(connection, version, article)

    @staticmethod
    def _cluster(connection: sqlite3.Connection, version: int, article: Article) -> None:
        """Puts an article into one cluster with its copies, and theirs into one."""
        keys = bands(article.text)
        alike = connection.execute(
            "SELECT DISTINCT version.cluster, version.text FROM band JOIN version ON version.id = band.version"
            f" WHERE live AND key IN ({_marks(keys)})",
            keys,
        ).fetchall()
        joined = {cluster for cluster, text in alike if copied(text, article.text)}
        connection.executemany("INSERT INTO band VALUES (?, ?)", ((key, version) for key in keys))
        if joined:
            name = min(joined)
            connection.execute("UPDATE version SET cluster = ? WHERE id = ?", (name, version))
            connection.execute(
                f"UPDATE version SET cluster = ? WHERE live AND cluster IN ({_marks(list(joined))})", (name, *joined)
            )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _stack(blobs: Iterable[bytes]) -> Vector:
    return np.stack([np.frombuffer(blob, "<f2") for blob in blobs]).astype(np.float32)
