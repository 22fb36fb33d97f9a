"""The stored vectors, by name: those of passages and of sentences, and which of them the dense index must hold.

Knows their form in `library.db` and who still needs them. Does not know how they are made, or the index itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np

from vectorstore.article import Vector
from vectorstore.catalogue import VersionFilter
from vectorstore.database import placeholders

AT_ONCE = 500  # names in one query: SQLite takes 32,766 at most


class VectorTable:
    """The part of `library.db` that holds vectors.

    `connection` gives this thread's connection to it, `transaction` one that commits what is written inside it.
    """

    def __init__(
        self,
        connection: Callable[[], sqlite3.Connection],
        transaction: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._connection, self._transaction = connection, transaction

    # what is read

    def by_name(self, names: Sequence[str]) -> dict[str, Vector]:
        """Stored vectors by name; names not stored are left out."""
        vectors: dict[str, Vector] = {}
        for some in _parts(names):
            rows = self._connection().execute(f"SELECT id, value FROM vector WHERE id IN ({placeholders(some)})", some)
            vectors |= {name: np.frombuffer(value, "<f2").astype(np.float32) for name, value in rows}
        return vectors

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of the named vectors that are not stored yet."""
        wanted = list(dict.fromkeys(names))
        known: set[str] = set()
        for some in _parts(wanted):
            rows = self._connection().execute(f"SELECT id FROM vector WHERE id IN ({placeholders(some)})", some)
            known.update(row[0] for row in rows)
        return set(wanted) - known

    def indexed_count(self) -> int:
        """How many vectors the index beside the library must hold at least."""
        return int(self._connection().execute("SELECT count(*) FROM vector WHERE indexed").fetchone()[0])

    def indexed(self, batch: int) -> Iterator[tuple[list[str], Vector]]:
        """All vectors the index must hold, `batch` at a time: (names, matrix), in no particular order."""
        rows = self._connection().execute("SELECT id, value FROM vector WHERE indexed")
        while some := rows.fetchmany(batch):
            yield [row[0] for row in some], stacked(row[1] for row in some)

    def chosen(self, which: VersionFilter, batch: int) -> Iterator[tuple[list[int], Vector]]:
        """The vectors of the chosen passages, `batch` at a time: (passages, matrix), in the order they were added."""
        rows = self._connection().execute(
            "SELECT passage.id, value FROM version JOIN passage ON passage.version = version.id"
            f" JOIN vector ON vector.id = passage.vector WHERE {which.condition} ORDER BY passage.id",
            which.parameters,
        )
        while some := rows.fetchmany(batch):
            yield [row[0] for row in some], stacked(row[1] for row in some)

    def unused(self) -> list[str]:
        """Vectors no live passage needs, and no version's sentence or passage either: leftovers of broken-off runs."""
        rows = self._connection().execute(
            "SELECT id FROM vector WHERE NOT EXISTS (SELECT 1 FROM passage WHERE passage.vector = vector.id)"
            " AND NOT EXISTS (SELECT 1 FROM sentence WHERE sentence.vector = vector.id)"
        )
        return [row[0] for row in rows]

    def retired(self) -> list[str]:
        """Vectors in the index that no live passage needs any more."""
        rows = self._connection().execute(
            "SELECT vector.id FROM vector WHERE indexed AND NOT EXISTS ("
            "SELECT 1 FROM passage JOIN version ON version.id = passage.version"
            " WHERE passage.vector = vector.id AND live)"
        )
        return [row[0] for row in rows]

    # what is written, each in a transaction of its own

    def store(self, vectors: Mapping[str, Vector]) -> None:
        """Stores vectors, to be published later; names already stored get the new ones."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO vector (id, value) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value",
                ((name, value.astype("<f2").tobytes()) for name, value in vectors.items()),
            )

    def unindex(self, names: Sequence[str]) -> None:
        """Notes that the index need not hold these vectors."""
        with self._transaction() as connection:
            connection.executemany("UPDATE vector SET indexed = 0 WHERE id = ?", ((name,) for name in names))

    def delete(self, names: Sequence[str]) -> None:
        """Deletes vectors that nothing uses."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM vector WHERE id = ?", ((name,) for name in names))

    # what is written within a transaction of the library's

    def mark_indexed(self, names: Iterable[str]) -> None:
        """Notes that the index must hold these vectors."""
        self._connection().executemany(
            "UPDATE vector SET indexed = 1 WHERE id = ? AND NOT indexed", ((name,) for name in names)
        )

    def rename(self, renamed: Iterable[tuple[str, str]]) -> None:
        """Gives passages and sentences other vectors, (old name, new name) each; the index must hold the live ones."""
        connection = self._connection()
        connection.execute("CREATE TEMP TABLE renamed (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID")
        try:
            connection.executemany("INSERT OR IGNORE INTO renamed VALUES (?, ?)", renamed)
            for table in ("passage", "sentence"):
                connection.execute(
                    f"UPDATE {table} SET vector = (SELECT new FROM renamed WHERE old = vector)"
                    " WHERE vector IN (SELECT old FROM renamed WHERE old <> new)"
                )
        finally:
            connection.execute("DROP TABLE renamed")
        connection.execute("UPDATE vector SET indexed = 0 WHERE indexed")
        connection.execute(
            "UPDATE vector SET indexed = 1 WHERE id IN (SELECT passage.vector FROM passage"
            " JOIN version ON version.id = passage.version WHERE live)"
        )


def stacked(values: Iterable[bytes]) -> Vector:
    """A matrix of vectors as they are stored, a row each; there must be one."""
    rows = list(values)
    return np.frombuffer(b"".join(rows), "<f2").reshape(len(rows), -1).astype(np.float32)


def _parts(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), AT_ONCE):
        yield list(names[start : start + AT_ONCE])
