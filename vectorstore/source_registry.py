"""Where articles come from, what they are known by, and what became of their sources.

Knows provenance, keys, the state each source was last read in, tombstones and raw bytes, all of them in `library.db`.
Does not know passages or search. What it writes, it writes within a transaction of the library's.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from language import Message
from vectorstore.article import Provenance
from vectorstore.timestamps import utc_now

SCHEMA = """
CREATE TABLE provenance (
    version INTEGER PRIMARY KEY REFERENCES version, address TEXT NOT NULL, final TEXT NOT NULL, fetched TEXT NOT NULL,
    etag TEXT NOT NULL, last_modified TEXT NOT NULL, raw_sha256 TEXT NOT NULL, raw_bytes INTEGER NOT NULL,
    extractor TEXT NOT NULL, author TEXT NOT NULL, modified TEXT NOT NULL, licence TEXT NOT NULL,
    made TEXT NOT NULL DEFAULT '', left_out TEXT NOT NULL DEFAULT '');
CREATE INDEX provenance_raw ON provenance (raw_sha256);
CREATE TABLE raw (sha256 TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE known (key TEXT PRIMARY KEY, article TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX known_article ON known (article);
CREATE TABLE origin (
    source TEXT PRIMARY KEY, article TEXT NOT NULL, sha256 TEXT NOT NULL, rules TEXT NOT NULL, final TEXT NOT NULL,
    fetched TEXT NOT NULL, etag TEXT NOT NULL, last_modified TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX origin_article ON origin (article);
CREATE INDEX origin_sha256 ON origin (sha256);
CREATE TABLE removed (article TEXT PRIMARY KEY, reason TEXT NOT NULL, at TEXT NOT NULL, barred INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE stale (article TEXT PRIMARY KEY, reason TEXT NOT NULL, since TEXT NOT NULL) WITHOUT ROWID;
"""
OVERRIDES_SCHEMA = """
CREATE TABLE amended (
    article TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, own TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (article, field)) WITHOUT ROWID;
"""
PROVENANCE = ", ".join(field.name for field in fields(Provenance))


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as it was last read: which article it gave, the digest of its bytes, and the rules they were read by.

    `final`, `fetched`, `etag` and `last_modified` are as in `Provenance`, of the last visit that gave the bytes.
    """

    source: str
    article: str
    sha256: str
    rules: str
    final: str = ""
    fetched: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone: an article that is searched no more, why, and since when (ISO 8601, UTC).

    `by_user` says that somebody took it out by hand: it stays removed when its source is re-ingested.
    """

    article: str
    reason: Message
    removed_at: str
    by_user: bool


@dataclass(frozen=True, slots=True)
class Stale:
    """An article whose source could not be read again, why, and since when; the article is as it was."""

    article: str
    reason: Message
    since: str


@dataclass(frozen=True, slots=True)
class MetadataOverride:
    """A field of an article's data ("title", "publisher" or "published") as somebody set it by hand.

    `source_value` is what the source says there, empty if nothing; `changed_at` is when it was set (ISO 8601, UTC).
    """

    field: str
    value: str
    source_value: str
    changed_at: str


class SourceRegistry:
    """The part of `library.db` that tells of sources; `connection` gives this thread's connection to it."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection

    # what is read

    def get(self, source: str) -> SourceState | None:
        """The source as it was last read; None if it never was."""
        row = self._row("SELECT * FROM origin WHERE source = ?", source)
        return SourceState(*row) if row else None

    def with_bytes(self, sha256: str) -> list[SourceState]:
        """The sources that were last read with these bytes."""
        rows = self._connection().execute("SELECT * FROM origin WHERE sha256 = ? ORDER BY source", (sha256,))
        return [SourceState(*row) for row in rows]

    def of_article(self, article_id: str) -> list[str]:
        """All sources that gave the article, in order of their names."""
        rows = self._connection().execute("SELECT source FROM origin WHERE article = ? ORDER BY source", (article_id,))
        return [row[0] for row in rows]

    def article_for_key(self, key: str) -> str:
        """The id of the article known by the key; empty if there is none."""
        row = self._row("SELECT article FROM known WHERE key = ?", key)
        return str(row[0]) if row else ""

    def provenance(self, article_id: str, version: int) -> Provenance:
        """Where a version comes from; all empty for one stored before this was noted, or that is not there."""
        row = self._row(
            f"SELECT {PROVENANCE} FROM provenance JOIN version ON version.id = provenance.version"
            " WHERE article = ? AND number = ?",
            article_id,
            version,
        )
        if not row:
            return Provenance()
        *texts, left_out = row
        return replace(Provenance(*texts), left_out=Message.restored(left_out))

    def raw(self, sha256: str) -> bytes | None:
        """The bytes a version was read from; None if they were not kept."""
        row = self._row("SELECT value FROM raw WHERE sha256 = ?", sha256)
        return zlib.decompress(row[0]) if row else None

    def tombstone(self, article_id: str) -> Tombstone | None:
        """The article's tombstone; None if it has none."""
        row = self._row("SELECT * FROM removed WHERE article = ?", article_id)
        return Tombstone(row[0], Message.restored(row[1]), row[2], bool(row[3])) if row else None

    def stale(self, article_id: str) -> Stale | None:
        """Why the article's source could not be read again; None if it could."""
        row = self._row("SELECT * FROM stale WHERE article = ?", article_id)
        return Stale(row[0], Message.restored(row[1]), row[2]) if row else None

    def overrides(self, article_id: str) -> tuple[MetadataOverride, ...]:
        """What was set by hand in the article's metadata, in order of the fields' names; empty if nothing was."""
        rows = self._connection().execute(
            "SELECT field, value, own, at FROM amended WHERE article = ? ORDER BY field", (article_id,)
        )
        return tuple(MetadataOverride(*row) for row in rows)

    # what is written, within a transaction of the library's

    def save_overrides(self, article_id: str, overrides: Sequence[MetadataOverride]) -> None:
        """Notes what is set by hand in the article's metadata; what else was is given up."""
        connection = self._connection()
        connection.execute("DELETE FROM amended WHERE article = ?", (article_id,))
        connection.executemany(
            "INSERT INTO amended VALUES (?, ?, ?, ?, ?)",
            ((article_id, *astuple(override)) for override in overrides),
        )

    def insert(
        self, version: int, provenance: Provenance, raw: bytes | None, keys: Sequence[str], state: SourceState | None
    ) -> None:
        """Notes where a new version comes from; its article is no longer removed or stale."""
        connection = self._connection()
        columns = len(fields(Provenance))
        connection.execute(
            f"INSERT INTO provenance (version, {PROVENANCE}) VALUES (?{', ?' * columns})",
            (version, *astuple(provenance)[:-1], provenance.left_out.stored()),
        )
        if raw is not None and not self._row("SELECT 1 FROM raw WHERE sha256 = ?", provenance.raw_sha256):
            connection.execute("INSERT INTO raw VALUES (?, ?)", (provenance.raw_sha256, zlib.compress(raw)))
        if state:
            self.save_source_state(state, keys)

    def save_source_state(self, state: SourceState, keys: Sequence[str] = ()) -> None:
        """Saves the state a source was read in, and what its article is known by."""
        connection = self._connection()
        connection.execute(f"INSERT OR REPLACE INTO origin VALUES (?{', ?' * 7})", astuple(state))
        connection.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", ((key, state.article) for key in keys))
        connection.execute("DELETE FROM removed WHERE article = ? AND NOT barred", (state.article,))
        connection.execute("DELETE FROM stale WHERE article = ?", (state.article,))

    def forget_source(self, source: str, article_id: str) -> None:
        """Deletes a source that its article has left, and that it is known by that and by its ids there."""
        file = source.rpartition("#")[0] or source
        self._connection().execute("DELETE FROM origin WHERE source = ?", (source,))
        self._connection().execute(
            "DELETE FROM known WHERE article = ? AND (key = ? OR substr(key, 1, length(?) + 1) = ? || '#')",
            (article_id, source, file, file),
        )

    def add_tombstone(self, article_id: str, reason: Message, *, by_user: bool) -> None:
        """Sets an article's tombstone."""
        self._connection().execute(
            "INSERT OR REPLACE INTO removed VALUES (?, ?, ?, ?)", (article_id, reason.stored(), utc_now(), by_user)
        )

    def delete_tombstone(self, article_id: str) -> None:
        """Takes an article's tombstone away."""
        self._connection().execute("DELETE FROM removed WHERE article = ?", (article_id,))

    def mark_stale(self, article_id: str, reason: Message) -> None:
        """Notes that an article's source could not be read; the first time counts, the last reason."""
        self._connection().execute(
            "INSERT INTO stale VALUES (?, ?, ?) ON CONFLICT (article) DO UPDATE SET reason = excluded.reason",
            (article_id, reason.stored(), utc_now()),
        )

    def delete_article(self, article_id: str) -> None:
        """Deletes everything noted of an article and its versions; the versions themselves must go next."""
        connection = self._connection()
        versions = "(SELECT id FROM version WHERE article = ?)"
        digests = connection.execute(
            f"SELECT DISTINCT raw_sha256 FROM provenance WHERE version IN {versions}", (article_id,)
        ).fetchall()
        connection.execute(f"DELETE FROM provenance WHERE version IN {versions}", (article_id,))
        connection.executemany(
            "DELETE FROM raw WHERE sha256 = ? AND sha256 NOT IN (SELECT raw_sha256 FROM provenance)", digests
        )
        for table in ("amended", "known", "origin", "removed", "stale"):
            connection.execute(f"DELETE FROM {table} WHERE article = ?", (article_id,))

    def _row(self, query: str, *parameters: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection().execute(query, parameters).fetchone()
        return row
