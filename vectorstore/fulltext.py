"""The full text of the live passages: which words stand where, and how rare they are.

Knows FTS5 and the counts of terms. Does not know how words become terms (`vectorstore.terms`). What it writes, it
writes within a transaction of the library's.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from vectorstore.catalogue import LIVE, VersionFilter
from vectorstore.database import placeholders
from vectorstore.terms import terms

POSTINGS = 3000  # a full-text search looks at no more: 3 ms; what it costs in hits: benchmarks/LOG.md, "Growth"


def passage_terms(title: str, passage: str) -> list[str]:
    """What is found of a passage: the terms of its article's title and its own, in their order."""
    return terms(f"{title}\n{passage}")


class FullText:
    """The part of `library.db` that holds terms; `connection` gives this thread's connection to it."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection

    def match(
        self, wanted: Sequence[str], limit: int, which: VersionFilter = LIVE, postings: int = POSTINGS
    ) -> list[tuple[int, float]]:
        """Full-text search: (passage id, BM25 score, higher is better), best first; empty if there is no term.

        Any of the terms may match, but only the rarest are looked up: as many as stand in at most `postings` passages
        together, and one in any case. BM25 as in SQLite's FTS5 (k1 = 1.2, b = 0.75).
        """
        frequencies = self.frequencies(wanted)
        rare: list[str] = []
        for term in sorted(frequencies, key=lambda term: frequencies[term]):
            postings -= frequencies[term]
            if rare and postings < 0:
                break
            rare.append(term)
        if not rare:
            return []
        # CROSS JOIN: full text first, or SQLite would look every chosen passage up in it
        restricted = "" if which == LIVE else (
            " CROSS JOIN passage ON passage.id = words.rowid CROSS JOIN version ON version.id = passage.version"
            f" AND {which.condition}")  # fmt: skip
        rows = self._connection().execute(
            f"SELECT words.rowid, -bm25(words) FROM words{restricted} WHERE words MATCH ? ORDER BY bm25(words) LIMIT ?",
            (*(which.parameters if restricted else ()), " OR ".join(f'"{term}"' for term in rare), limit),
        )
        return [(row[0], row[1]) for row in rows]

    def frequencies(self, wanted: Sequence[str]) -> dict[str, int]:
        """In how many live passages each of the terms stands; those that stand in none are left out."""
        rows = self._connection().execute(
            f"SELECT term, passages FROM term WHERE term IN ({placeholders(wanted)}) AND passages > 0", list(wanted)
        )
        return dict(rows.fetchall())

    def totals(self) -> tuple[int, int]:
        """How many live passages there are, and how many terms are in them."""
        rows = self._connection().execute("SELECT name, value FROM meta WHERE name IN ('passages', 'terms')")
        counters = dict(rows.fetchall())
        return int(counters["passages"]), int(counters["terms"])

    def add(self, title: str, passages: Mapping[int, str]) -> None:
        """Puts the passages of an article that goes live in, by their ids."""
        lines = {passage: passage_terms(title, text) for passage, text in passages.items()}
        self._connection().executemany(
            "INSERT INTO words (rowid, terms) VALUES (?, ?)",
            ((passage, " ".join(line)) for passage, line in lines.items()),
        )
        self._count(list(lines.values()), 1)

    def remove(self, version: int) -> None:
        """Takes the passages of a version out that is live no more."""
        condition = "rowid IN (SELECT id FROM passage WHERE version = ?)"
        lines = self._connection().execute(f"SELECT terms FROM words WHERE {condition}", (version,)).fetchall()
        self._count([line.split(" ") for (line,) in lines], -1)
        self._connection().execute(f"DELETE FROM words WHERE {condition}", (version,))

    def compact(self) -> None:
        """Takes out what only removed passages held: terms, and what is left of them in the index's segments."""
        self._connection().execute("DELETE FROM term WHERE passages <= 0")
        self._connection().execute("INSERT INTO words (words) VALUES ('optimize')")

    def _count(self, lines: Sequence[Sequence[str]], sign: int) -> None:
        """Counts terms that came (sign 1) or went (sign -1), a line of them for each passage."""
        frequencies = Counter(term for line in lines for term in set(line))
        self._connection().executemany(
            "INSERT INTO term VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET passages = passages + excluded.passages",
            ((term, sign * number) for term, number in frequencies.items()),
        )
        self._connection().executemany(
            "UPDATE meta SET value = value + ? WHERE name = ?",
            [(sign * len(lines), "passages"), (sign * sum(map(len, lines)), "terms")],
        )
