"""The truth: one SQLite file with every version of every article, its passages, their vectors and the full text.

Knows storage and transactions. Does not know Chroma, embedding models or ranking. Every search index beside it can be
made again from what stands here.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
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
    Provenance,
    Span,
    Time,
)
from vectorstore.copies import bands, copied, likeness
from vectorstore.database import Database
from vectorstore.origins import Amendment, Origin, Removed, Stale
from vectorstore.terms import terms

Vector = NDArray[np.float32]

FACETS = 500
COUNTS = 64  # of what is counted over all articles, kept in memory
AT_ONCE = 500  # names in one query: SQLite takes 32,766 at most
POSTINGS = 3000  # a full-text search looks at no more: 3 ms; what it costs in hits: benchmarks/LOG.md, "Growth"
# what must not be: what to call it, and the query that counts it
FAULTS = {
    "articles under a tombstone are live": "SELECT count(*) FROM removed JOIN version USING (article) WHERE live",
    "live passages have a vector that is not marked for the index": (
        "SELECT count(*) FROM passage JOIN version ON version.id = passage.version"
        " JOIN vector ON vector.id = passage.vector WHERE live AND NOT indexed"
    ),
    "lines of full text belong to no live passage": (
        "SELECT count(*) FROM words WHERE rowid NOT IN (SELECT passage.id FROM passage"
        " JOIN version ON version.id = passage.version WHERE live)"
    ),
    "versions have no passage": "SELECT count(*) FROM version WHERE id NOT IN (SELECT version FROM passage)",
    "sources belong to no article": "SELECT count(*) FROM origin WHERE article NOT IN (SELECT article FROM version)",
    "live articles hold the same text from the same source": (
        "SELECT count(*) FROM (SELECT 1 FROM version WHERE live GROUP BY source, sha256 HAVING count(*) > 1)"
    ),
}
# the first and the last day a date of any exactness can mean
FIRST_DAY = "substr(published || '-01-01', 1, 10)"
LAST_DAY = "published || CASE length(published) WHEN 4 THEN '-12-31' WHEN 7 THEN '-31' ELSE '' END"
NEWEST_FIRST = "published DESC, title, publisher, article"  # those without a date last, and always alike
ARTICLE = "article, number, source, title, url, publisher, published, lang, note, text, sha256, added"


@dataclass(frozen=True, slots=True)
class Placed:
    """A passage with the names of its vectors: its own and one a sentence, in order."""

    passage: Passage
    vector: str
    sentence_vectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A version ready to go live: its passages with their vectors, and where it comes from.

    `fingerprint` changes when anything that is stored or indexed of it does. `raw` are the bytes it was read from, None
    if they are not to be kept; `keys` what the article is known by, `origin` the state of its source, None if neither
    is to be noted. `left` is the source that it moved away from, empty if it did not. `amendments` are all that was
    mended by hand in the article's data.
    """

    article: Article
    fingerprint: str
    placed: Sequence[Placed]
    provenance: Provenance
    raw: bytes | None
    keys: Sequence[str]
    origin: Origin | None
    left: str
    amendments: Sequence[Amendment]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What deleting articles for good took out: how many articles, versions, passages, and bytes of raw documents."""

    articles: int
    versions: int
    passages: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class Record:
    """All that is known of one version of an article; `versions` are all of it, the oldest first.

    `passages` are the spans of its text that are searched, or were until it was replaced, in reading order.
    `stale` says why its source could not be read again, `removed` why it is searched no more; None if neither is so.
    `amendments` say what of the newest version's data was mended by hand; empty for the versions before.
    """

    article: Article
    provenance: Provenance
    versions: tuple[Article, ...]
    stale: Stale | None
    removed: Removed | None
    amendments: tuple[Amendment, ...]
    passages: tuple[Span, ...]

    @property
    def before(self) -> Article | None:
        """The version before; None for the first."""
        return next((one for one in reversed(self.versions) if one.version < self.article.version), None)

    @property
    def newest(self) -> Article:
        """The last version."""
        return self.versions[-1]

    @property
    def corrected(self) -> str:
        """The day (ISO 8601) on which the text last changed up to this version, as it was taken in; empty if never."""
        until = [one for one in self.versions if one.version <= self.article.version]
        days = [new.added[:10] for old, new in pairwise(until) if old.text != new.text]
        return days[-1] if days else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in a list: its live version's number and data, and how many passages and other copies it has.

    `stale` says why its source could not be read again; empty if it could.
    """

    article: str
    version: int
    name: str
    publisher: str
    published: str
    lang: str
    passages: int
    copies: int
    stale: str


@dataclass(frozen=True, slots=True)
class Found:
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


class Library(Database):
    """One data folder's `library.db`. Reading is safe from any thread and never waits for a writer."""

    def __init__(self, folder: Path, embedding: str | None, *, create: bool) -> None:
        """See `Database`."""
        super().__init__(folder, embedding, create=create)
        # counted over all articles, once a generation
        self._coverages = lru_cache(COUNTS)(lambda _generation, which: self._coverage(which))
        self._counts = lru_cache(COUNTS)(lambda _generation, which: self._count_of(which))
        self._spoken = lru_cache(COUNTS)(lambda _generation, which: self._languages(which))

    # what is read

    def generation(self) -> int:
        """Grows with every change that readers can see."""
        row = self._reader().execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return int(row[0])

    def coverage(self, filters: Filters = EVERYTHING, as_of: date | None = None) -> Coverage:
        """How many articles the filters leave, how many of them are copies, and how old and new they are."""
        return self._coverages(self.generation(), chosen(filters, as_of))

    def _coverage(self, which: Chosen) -> Coverage:
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
            f" ORDER BY {NEWEST_FIRST} LIMIT ?",
            (FACETS,),
        )
        return Facets(publishers, languages, tuple(Facet(*row) for row in articles))

    def languages(self, which: Chosen = ALL) -> frozenset[str]:
        """The languages of the chosen articles; "" among them if one's is not known."""
        return self._spoken(self.generation(), which)

    def _languages(self, which: Chosen) -> frozenset[str]:
        query = f"SELECT DISTINCT lang FROM version WHERE {which.condition}"
        return frozenset(row[0] for row in self._reader().execute(query, which.parameters))

    def catalogue(self) -> list[Entry]:
        """The live articles with what there is of each, newest first, those without a date last."""
        rows = self._reader().execute(
            "SELECT article, number, CASE title WHEN '' THEN source ELSE title END, publisher, published, lang,"
            " (SELECT count(*) FROM passage WHERE passage.version = version.id),"
            " (SELECT count(*) FROM version AS other WHERE other.live AND other.cluster = version.cluster) - 1,"
            " coalesce(reason, '') FROM version LEFT JOIN stale USING (article) WHERE live"
            f" ORDER BY {NEWEST_FIRST}"
        )
        return [Entry(*row) for row in rows]

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
        for row in self._reader().execute(f"SELECT {ARTICLE} FROM version WHERE live ORDER BY {NEWEST_FIRST}"):
            yield Article(*row)

    def versions(self, article_id: str) -> list[Article]:
        """All versions of an article, the oldest first; empty if there is no such article."""
        rows = self._reader().execute(f"SELECT {ARTICLE} FROM version WHERE article = ? ORDER BY number", (article_id,))
        return [Article(*row) for row in rows]

    def record(self, article_id: str, version: int) -> Record | None:
        """What is known of a version; None if there is none."""
        with self.snapshot():
            versions = tuple(self.versions(article_id))
            article = next((one for one in versions if one.version == version), None)
            if article is None:
                return None
            origins = self.origins
            provenance = origins.provenance(article_id, version)
            return Record(
                article,
                provenance,
                versions,
                origins.stale(article_id),
                origins.removed(article_id),
                origins.amendments(article_id) if article is versions[-1] else (),
                tuple(Span(start, end) for _, start, end, _ in self._passages(article_id, version)),
            )

    def named(self, name: str) -> list[str]:
        """The ids of the articles that a name may mean: an id, a source, an address, or all in a folder or file.

        Removed ones too, in order of their sources; where an article lay or was called earlier does not count. Empty if
        the name means none.
        """
        newest = "SELECT article, max(number), source, url FROM version GROUP BY article"
        found = f"SELECT article FROM ({newest}) WHERE article = ? OR source = ? OR url = ?"
        parameters: list[object] = [name] * 3
        if not name.lower().startswith(("http://", "https://")):  # the pages below an address are others
            marks = "/\\" if os.path.isdir(name) else "/\\#!"
            for mark in marks:
                found += " OR substr(source, 1, ?) = ?"
                parameters += [len(name) + 1, name + mark]
        found += " UNION SELECT article FROM origin WHERE source = ?"
        rows = self._reader().execute(
            f"SELECT DISTINCT article FROM ({newest}) WHERE article IN ({found}) ORDER BY source", (*parameters, name)
        )
        return [row[0] for row in rows]

    def index_folder(self) -> str:
        """The name of the folder that holds the index in use."""
        return str(self._reader().execute("SELECT value FROM meta WHERE name = 'index'").fetchone()[0])

    def purge_is_due(self) -> bool:
        """Whether the index may still hold vectors of articles that were deleted for good."""
        return self._reader().execute("SELECT 1 FROM meta WHERE name = 'purge'").fetchone() is not None

    def stored_embedding(self) -> str:
        """The name of the model whose vectors are in use, as the file has it now."""
        return str(self._reader().execute("SELECT value FROM meta WHERE name = 'embedding'").fetchone()[0])

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
        return self._counts(self.generation(), which)

    def _count_of(self, which: Chosen) -> int:
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

    def candidates(self, passages: Sequence[int]) -> dict[int, Candidate]:
        """What ranking needs of the passages, by passage; those not live are left out."""
        rows = (
            self._reader()
            .execute(
                "SELECT passage.id, article, published, lang, cluster, terms, value FROM passage"
                " JOIN version ON version.id = passage.version JOIN vector ON vector.id = passage.vector"
                f" JOIN words ON words.rowid = passage.id WHERE live AND passage.id IN ({_marks(passages)})",
                list(passages),
            )
            .fetchall()
        )
        if not rows:
            return {}
        vectors = _stack(row[6] for row in rows)
        return {
            passage: Candidate(article, published, lang, cluster, terms.split(" "), vector)
            for (passage, article, published, lang, cluster, terms, _), vector in zip(rows, vectors, strict=True)
        }

    def copied(self, clusters: Sequence[str], which: Chosen = ALL) -> list[str]:
        """Those of the clusters that hold more than one of the chosen articles."""
        rows = self._reader().execute(
            f"SELECT cluster FROM version WHERE {which.condition} AND cluster IN ({_marks(clusters)})"
            " GROUP BY cluster HAVING count(*) > 1",
            [*which.parameters, *clusters],
        )
        return [row[0] for row in rows]

    def members(self, cluster: str, which: Chosen = ALL) -> list[Article]:
        """The chosen articles that are copies of one another: the original first, which is the oldest known.

        Those without a date stand last, in the order in which they were added.
        """
        rows = self._reader().execute(
            f"SELECT {ARTICLE} FROM version WHERE {which.condition} AND cluster = ?"
            f" ORDER BY published = '', {FIRST_DAY}, id",
            (*which.parameters, cluster),
        )
        return [Article(*row) for row in rows]

    def passages_in(self, article: str) -> list[int]:
        """The passages of an article's live version, in reading order; empty if it has none."""
        rows = self._reader().execute(
            "SELECT passage.id FROM version JOIN passage ON passage.version = version.id"
            " WHERE live AND article = ? ORDER BY passage.start",
            (article,),
        )
        return [row[0] for row in rows]

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

    def vectors(self, names: Sequence[str]) -> dict[str, Vector]:
        """Stored vectors by name; names not stored are left out."""
        found: dict[str, Vector] = {}
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            rows = self._reader().execute(f"SELECT id, value FROM vector WHERE id IN ({_marks(some)})", list(some))
            found |= {name: np.frombuffer(value, "<f2").astype(np.float32) for name, value in rows}
        return found

    def indexed(self) -> int:
        """How many vectors the index beside the library must hold at least."""
        return int(self._reader().execute("SELECT count(*) FROM vector WHERE indexed").fetchone()[0])

    def indexed_vectors(self, batch: int) -> Iterator[tuple[list[str], Vector]]:
        """All vectors the index must hold, `batch` at a time: (names, matrix), in no particular order."""
        rows = self._reader().execute("SELECT id, value FROM vector WHERE indexed")
        while some := rows.fetchmany(batch):
            yield [row[0] for row in some], _stack(row[1] for row in some)

    def placed(self, article_id: str, version: int) -> list[Placed]:
        """The passages of a version with their sentences, times and the names of their vectors, in reading order."""
        reader = self._reader()
        rows = self._passages(article_id, version)
        times = self.times([row[0] for row in rows])
        made = []
        for passage, start, end, vector in rows:
            sentences = reader.execute(
                'SELECT start, "end", vector FROM sentence WHERE passage = ? ORDER BY start', (passage,)
            ).fetchall()
            spans = tuple(Span(one, other) for one, other, _ in sentences)
            whole = Passage(Span(start, end), spans, tuple(times.get(passage, ())))
            made.append(Placed(whole, vector, tuple(name for _, _, name in sentences)))
        return made

    def _passages(self, article_id: str, version: int) -> list[tuple[int, int, int, str]]:
        """(number, start, end, name of the vector) of each passage of a version, in reading order."""
        rows = self._reader().execute(
            'SELECT passage.id, start, "end", vector FROM passage JOIN version ON version.id = passage.version'
            " WHERE article = ? AND number = ? ORDER BY start",
            (article_id, version),
        )
        return rows.fetchall()

    def every_version(self) -> Iterator[Article]:
        """All versions of all articles, live or not, in the order in which they were added."""
        for row in self._reader().execute(f"SELECT {ARTICLE} FROM version ORDER BY id"):
            yield Article(*row)

    def faults(self) -> Iterator[str]:
        """What is wrong within the file itself, a line each: damage, dangling rows, counts that do not agree."""
        reader = self._reader()
        for (line,) in reader.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"SQLite finds damage: {line}"
        for table, row, parent, _ in reader.execute("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} belongs to nothing in {parent}"
        for what, query in FAULTS.items():
            if number := reader.execute(query).fetchone()[0]:
                yield f"{number} {what}"
        counted: Counter[str] = Counter()
        passages = words = 0
        # sliced here: SQLite would go through an article's text from its start for each of its passages
        for version, title, text in reader.execute("SELECT id, title, text FROM version WHERE live"):
            for passage, start, end, line in reader.execute(
                'SELECT id, start, "end", terms FROM passage LEFT JOIN words ON words.rowid = id WHERE version = ?',
                (version,),
            ):
                own = terms(f"{title}\n{text[start:end]}")
                counted.update(set(own))
                passages, words = passages + 1, words + len(own)
                if line != " ".join(own):
                    yield f"the full text of passage {passage} is not that of its article"
        if self.totals() != (passages, words):
            yield f"{self.totals()} passages and terms are counted, there are {(passages, words)}"
        stored = dict(reader.execute("SELECT term, passages FROM term WHERE passages <> 0").fetchall())
        if stored != counted:
            yield f"the counts of {len({*stored.items()} ^ {*counted.items()})} terms are wrong"
        for sha256, value in reader.execute("SELECT sha256, value FROM raw"):
            try:
                sound = hashlib.sha256(zlib.decompress(value)).hexdigest() == sha256
            except zlib.error:
                sound = False
            if not sound:
                yield f"the kept bytes {sha256} are damaged"

    def copy(self, target: Path) -> None:
        """Writes the library as it is at one moment to a new file, while others read and write."""
        with closing(sqlite3.connect(target)) as connection:
            self._reader().backup(connection)

    # what is written; the caller holds the folder's writer lock

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of the named vectors that are not stored yet."""
        wanted = list(dict.fromkeys(names))
        known: set[str] = set()
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            rows = self._reader().execute(
                f"SELECT id FROM vector WHERE id IN ({_marks(some)})",
                some,
            )
            known.update(row[0] for row in rows)
        return set(wanted) - known

    def store(self, vectors: Mapping[str, Vector]) -> None:
        """Stores vectors, to be published later; names already stored get the new ones."""
        with self._transaction(self._reader()) as connection:
            connection.executemany(
                "INSERT INTO vector (id, value) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
                ((name, value.astype("<f2").tobytes()) for name, value in vectors.items()),
            )

    def publish(self, versions: Sequence[Stored]) -> None:
        """Makes versions live, all in one commit; each replaces its predecessor.

        Their vectors must be stored, and the passages' must be in the index beside the library.
        """
        with self._changing() as connection:
            for one in versions:
                self._retire(connection, one.article.id)
                version = self._insert(connection, one.article, one.fingerprint, one.placed)
                if one.left:
                    self.origins.leave(one.left, one.article.id)
                self.origins.insert(version, one.provenance, one.raw, one.keys, one.origin)
                self.origins.amend(one.article.id, one.amendments)

    def retire(self, article_ids: Sequence[str], reason: str, *, barred: bool = False) -> None:
        """Takes articles out of what is searched, under a tombstone; their versions stay stored.

        A `barred` one does not come back when its source is taken in again.
        """
        with self._changing() as connection:
            for article_id in article_ids:
                self._retire(connection, article_id)
                self.origins.bury(article_id, reason, barred=barred)

    def revive(self, article_ids: Sequence[str]) -> None:
        """Takes the last versions of articles into what is searched again, and their tombstones away.

        Their passages' vectors must be in the index beside the library.
        """
        with self._changing() as connection:
            for article_id in article_ids:
                article = self.versions(article_id)[-1]
                (version,) = connection.execute(
                    "SELECT id FROM version WHERE article = ? AND number = ?", (article_id, article.version)
                ).fetchone()
                connection.execute(
                    "UPDATE version SET live = 1, cluster = ? WHERE id = ?",
                    (f"{article.id}.{article.version}", version),
                )
                passages = connection.execute(
                    'SELECT id, start, "end", vector FROM passage WHERE version = ? ORDER BY start', (version,)
                ).fetchall()
                self._enter(connection, version, article, passages)
                self.origins.unbury(article_id)

    def delete(self, article_ids: Sequence[str]) -> Deleted:
        """Deletes articles for good, with all versions and raw bytes; freed pages of the file are overwritten.

        Their vectors are leftovers then, for `forget` and for the index to be made again: until `switch`,
        `purge_is_due`.
        """
        before = self._sizes()
        connection = self._reader()
        connection.execute("PRAGMA secure_delete = ON")
        with self._changing() as connection:
            for article_id in article_ids:
                self._retire(connection, article_id)
                self.origins.forget(article_id)
                own = "(SELECT id FROM version WHERE article = ?)"
                for table in ("sentence", "time"):
                    connection.execute(
                        f"DELETE FROM {table} WHERE passage IN (SELECT id FROM passage WHERE version IN {own})",
                        (article_id,),
                    )
                connection.execute(f"DELETE FROM passage WHERE version IN {own}", (article_id,))
                connection.execute("DELETE FROM version WHERE article = ?", (article_id,))
            connection.execute("DELETE FROM term WHERE passages <= 0")
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")  # or old terms stay in its segments
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('purge', '1')")
        return Deleted(*(old - new for old, new in zip(before, self._sizes(), strict=True)))

    def empty_log(self) -> None:
        """Writes what the log holds into the file and empties it, as far as no reader needs it."""
        self._reader().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def note(self, origin: Origin, keys: Sequence[str] = (), left: str = "") -> None:
        """Notes where an unchanged article lies now, if anything of that is new; nothing readers see changes.

        `left` is the source that it lay at before; what comes to lie there is another article.
        """
        origins, connection = self.origins, self._reader()
        version = connection.execute(
            "SELECT version.id FROM version JOIN provenance ON provenance.version = version.id"
            " WHERE article = ? AND live AND source <> ? AND raw_sha256 = ?",
            (origin.article, origin.source, origin.sha256),
        ).fetchone()
        if (
            version
            or left
            or origins.of(origin.source) != origin
            or any(origins.known(key) != origin.article for key in keys)
            or origins.stale(origin.article)
        ):
            with self._transaction(connection):
                if left:
                    origins.leave(left, origin.article)
                origins.note(origin, keys)
                if version:
                    connection.execute("UPDATE version SET source = ? WHERE id = ?", (origin.source, version[0]))

    def doubt(self, article_id: str, reason: str) -> None:
        """Notes that an article's source could not be read again; the article stays as it is."""
        known = self.origins.stale(article_id)
        if known is None or known.reason != reason:
            with self._transaction(self._reader()):
                self.origins.doubt(article_id, reason)

    def switch(self, embedding: str, index: str, renamed: Iterable[tuple[str, str]]) -> None:
        """Takes other vectors, of the model `embedding`, into use, and the folder `index` that holds them.

        `renamed` gives the new name for each passage's and sentence's vector; both must be stored.
        """
        with self._changing() as connection:
            connection.execute("CREATE TEMP TABLE renamed (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID")
            try:
                connection.executemany("INSERT OR IGNORE INTO renamed VALUES (?, ?)", renamed)
                for table in ("passage", "sentence"):
                    connection.execute(
                        f"UPDATE {table} SET vector = (SELECT new FROM renamed WHERE old = vector)"
                        " WHERE vector IN (SELECT old FROM renamed WHERE old <> new)"
                    )
                connection.execute("UPDATE vector SET indexed = 0 WHERE indexed")
                connection.execute(
                    "UPDATE vector SET indexed = 1 WHERE id IN (SELECT passage.vector FROM passage"
                    " JOIN version ON version.id = passage.version WHERE live)"
                )
                connection.execute("DELETE FROM meta WHERE name = 'purge'")
                for name, value in (("embedding", embedding), ("index", index)):
                    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
            finally:
                connection.execute("DROP TABLE renamed")
        self.embedding = embedding

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

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose changes readers see."""
        with self._transaction(self._reader()) as connection:
            yield connection
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")

    def _sizes(self) -> tuple[int, int, int, int]:
        row = (
            self._reader()
            .execute(
                "SELECT (SELECT count(DISTINCT article) FROM version), (SELECT count(*) FROM version),"
                " (SELECT count(*) FROM passage), (SELECT coalesce(sum(length(value)), 0) FROM raw)"
            )
            .fetchone()
        )
        return int(row[0]), int(row[1]), int(row[2]), int(row[3])

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
    ) -> int:
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
        passages = []
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
            assert passage is not None
            passages.append((passage, span.start, span.end, one.vector))
        cls._enter(connection, version, article, passages)
        return version

    @classmethod
    def _enter(
        cls,
        connection: sqlite3.Connection,
        version: int,
        article: Article,
        passages: Sequence[tuple[int, int, int, str]],
    ) -> None:
        """Puts a live version's passages (id, start, end, vector) into full text, counts, index and cluster."""
        words = []
        for passage, start, end, vector in passages:
            words.append(terms(f"{article.title}\n{article.text[start:end]}"))
            connection.execute("INSERT INTO words (rowid, terms) VALUES (?, ?)", (passage, " ".join(words[-1])))
            connection.execute("UPDATE vector SET indexed = 1 WHERE id = ? AND NOT indexed", (vector,))
        cls._count(connection, words, 1)
        cls._cluster(connection, version, article)

    @staticmethod
    def _cluster(connection: sqlite3.Connection, version: int, article: Article) -> None:
        """Puts an article into the cluster whose first text is most like it; other clusters of that text join it.

        Two clusters whose first texts are no copies of each other stay apart: who prints two stories joins them not.
        """
        keys = bands(article.text)
        alike = connection.execute(
            "SELECT DISTINCT version.cluster, version.text FROM band JOIN version ON version.id = band.version"
            f" WHERE live AND key IN ({_marks(keys)})",
            keys,
        ).fetchall()
        copies = {cluster for cluster, text in alike if copied(text, article.text)}
        first = "SELECT text FROM version WHERE live AND cluster = ? ORDER BY id LIMIT 1"
        firsts = {cluster: str(connection.execute(first, (cluster,)).fetchone()[0]) for cluster in copies}
        nearest = max(firsts, key=lambda cluster: likeness(firsts[cluster], article.text), default="")
        joined = {cluster for cluster in firsts if cluster == nearest or copied(firsts[cluster], firsts[nearest])}
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
    """A matrix of the stored vectors, a row each; there must be one."""
    some = list(blobs)
    return np.frombuffer(b"".join(some), "<f2").reshape(len(some), -1).astype(np.float32)
