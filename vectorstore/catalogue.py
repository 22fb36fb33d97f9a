"""What there is: how many articles, from when, in which languages, from whom, and which of them a filter leaves.

Knows filters as conditions in SQL, and what is counted over all articles. Does not know their texts or how they are
found.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from language import Message
from vectorstore.article import NO_FILTERS, Coverage, Facet, Facets, Filters
from vectorstore.database import placeholders

FACETS = 500
COUNTS = 64  # of what is counted over all articles, kept in memory
# the first and the last day a date of any exactness can mean
FIRST_DAY = "substr(published || '-01-01', 1, 10)"
LAST_DAY = "published || CASE length(published) WHEN 4 THEN '-12-31' WHEN 7 THEN '-31' ELSE '' END"
NEWEST_FIRST = "published DESC, title, publisher, article"  # those without a date last, and always alike


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """An article in a list: its live version's number and data, and how many passages and other copies it has.

    `stale` says why its source could not be read again; None if it could.
    """

    id: str
    version: int
    name: str
    publisher: str
    published: str
    lang: str
    passages: int
    reprints: int
    stale: Message | None


@dataclass(frozen=True, slots=True)
class VersionFilter:
    """Which live versions are searched, as a condition in SQL and its parameters."""

    condition: str
    parameters: tuple[str, ...]


LIVE = VersionFilter("live", ())


def version_filter(filters: Filters, as_of: date | None) -> VersionFilter:
    """What the filters leave; with `as_of`, nothing published later, and what has no date stays."""
    conditions, parameters = ["live"], list[str]()
    for column, values in (
        ("publisher", filters.publishers),
        ("lang", filters.languages),
        ("article", filters.articles),
    ):
        if values:
            conditions.append(f"{column} IN ({placeholders(values)})")
            parameters += values
    for condition, day in (
        (f"published <> '' AND {LAST_DAY} >= ?", filters.published_from),
        (f"published <> '' AND {FIRST_DAY} <= ?", filters.published_to),
        (f"(published = '' OR {FIRST_DAY} <= ?)", as_of),
    ):
        if day:
            conditions.append(condition)
            parameters.append(day.isoformat())
    return VersionFilter(" AND ".join(conditions), tuple(parameters))


class Catalogue:
    """The part of `library.db` that is counted over all articles.

    `connection` gives this thread's connection to it, `generation` the number that grows with each change: what is
    counted is kept until the next.
    """

    def __init__(self, connection: Callable[[], sqlite3.Connection], generation: Callable[[], int]) -> None:
        self._connection, self._generation = connection, generation
        self._coverages = lru_cache(COUNTS)(lambda _generation, which: self._coverage(which))
        self._languages_of = lru_cache(COUNTS)(lambda _generation, which: self._languages(which))
        self._passage_counts = lru_cache(COUNTS)(lambda _generation, which: self._passage_count(which))

    def coverage(self, filters: Filters = NO_FILTERS, as_of: date | None = None) -> Coverage:
        """How many articles the filters leave, how many of them are copies, and how old and new they are."""
        return self._coverages(self._generation(), version_filter(filters, as_of))

    def languages(self, which: VersionFilter = LIVE) -> frozenset[str]:
        """The languages of the chosen articles; "" among them if that of one is not known."""
        return self._languages_of(self._generation(), which)

    def passage_count(self, which: VersionFilter) -> int:
        """How many passages are chosen."""
        return self._passage_counts(self._generation(), which)

    def facets(self) -> Facets:
        """What the live articles can be filtered by; of the articles themselves the FACETS newest."""
        connection = self._connection()
        publishers, languages = (
            tuple(
                Facet(*row)
                for row in connection.execute(
                    f"SELECT {column}, {column}, count(*) FROM version WHERE live AND {column} <> '' GROUP BY {column}"
                    f" ORDER BY count(*) DESC, {column}"
                )
            )
            for column in ("publisher", "lang")
        )
        articles = connection.execute(
            "SELECT article, CASE title WHEN '' THEN source ELSE title END, 1 FROM version WHERE live"
            f" ORDER BY {NEWEST_FIRST} LIMIT ?",
            (FACETS,),
        )
        return Facets(publishers, languages, tuple(Facet(*row) for row in articles))

    def summaries(self) -> list[ArticleSummary]:
        """The live articles with what there is of each, newest first, those without a date last."""
        rows = self._connection().execute(
            "SELECT article, number, CASE title WHEN '' THEN source ELSE title END, publisher, published, lang,"
            " (SELECT count(*) FROM passage WHERE passage.version = version.id),"
            " (SELECT count(*) FROM version AS other WHERE other.live AND other.cluster = version.cluster) - 1,"
            " reason FROM version LEFT JOIN stale USING (article) WHERE live"
            f" ORDER BY {NEWEST_FIRST}"
        )
        return [ArticleSummary(*(*row[:-1], Message.restored(row[-1]) if row[-1] else None)) for row in rows]

    def _coverage(self, which: VersionFilter) -> Coverage:
        query = (
            "SELECT count(*), count(DISTINCT cluster), count(nullif(published, '')), min(nullif(published, '')),"
            f" max(nullif(published, '')) FROM version WHERE {which.condition}"
        )
        total, clusters, dated, oldest, newest = self._connection().execute(query, which.parameters).fetchone()
        return Coverage(total, total - clusters, oldest or "", newest or "", total - dated)

    def _languages(self, which: VersionFilter) -> frozenset[str]:
        query = f"SELECT DISTINCT lang FROM version WHERE {which.condition}"
        return frozenset(row[0] for row in self._connection().execute(query, which.parameters))

    def _passage_count(self, which: VersionFilter) -> int:
        query = f"SELECT count(*) FROM version JOIN passage ON passage.version = version.id WHERE {which.condition}"
        return int(self._connection().execute(query, which.parameters).fetchone()[0])
