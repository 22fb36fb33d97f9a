"""Which articles print the same text: a cluster of near duplicates is one source.

Knows the keys under which copies are found, and how clusters form. Does not know when two texts are copies
(`vectorstore.near_duplicates`). What it writes, it writes within a transaction of the library's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from vectorstore.article import Article
from vectorstore.blocks import ARTICLE, article_in
from vectorstore.catalogue import FIRST_DAY, LIVE, VersionFilter
from vectorstore.database import placeholders
from vectorstore.near_duplicates import containment, is_near_duplicate, lsh_keys


def own_cluster(article: Article) -> str:
    """The cluster of a version that is no copy: a new version is none of what the old one was."""
    return f"{article.id}.{article.version}"


class Clusters:
    """The part of `library.db` that tells of copies; `connection` gives this thread's connection to it."""

    def __init__(self, connection: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connection

    def with_reprints(self, clusters: Sequence[str], which: VersionFilter = LIVE) -> list[str]:
        """Those of the clusters that hold more than one of the chosen articles."""
        rows = self._connection().execute(
            f"SELECT cluster FROM version WHERE {which.condition} AND cluster IN ({placeholders(clusters)})"
            " GROUP BY cluster HAVING count(*) > 1",
            [*which.parameters, *clusters],
        )
        return [row[0] for row in rows]

    def members(self, cluster: str, which: VersionFilter = LIVE) -> list[Article]:
        """The chosen articles that are copies of one another: the original first, which is the oldest known.

        Those without a date stand last, in the order in which they were added.
        """
        rows = self._connection().execute(
            f"SELECT {ARTICLE} FROM version WHERE {which.condition} AND cluster = ?"
            f" ORDER BY published = '', {FIRST_DAY}, id",
            (*which.parameters, cluster),
        )
        return [article_in(row) for row in rows]

    def add(self, version: int, article: Article) -> None:
        """Puts a live version into the cluster whose first text is most like it; other clusters of that text join it.

        Two clusters whose first texts are no copies of each other stay apart: who prints two stories joins them not.
        """
        connection, keys = self._connection(), lsh_keys(article.text)
        alike = connection.execute(
            "SELECT DISTINCT version.cluster, version.text FROM band JOIN version ON version.id = band.version"
            f" WHERE live AND key IN ({placeholders(keys)})",
            keys,
        ).fetchall()
        copies = {cluster for cluster, text in alike if is_near_duplicate(text, article.text)}
        first = "SELECT text FROM version WHERE live AND cluster = ? ORDER BY id LIMIT 1"
        firsts = {cluster: str(connection.execute(first, (cluster,)).fetchone()[0]) for cluster in copies}
        nearest = max(firsts, key=lambda cluster: containment(firsts[cluster], article.text), default="")
        joined = {
            cluster for cluster in firsts if cluster == nearest or is_near_duplicate(firsts[cluster], firsts[nearest])
        }
        connection.executemany("INSERT INTO band VALUES (?, ?)", ((key, version) for key in keys))
        if joined:
            name = min(joined)
            connection.execute("UPDATE version SET cluster = ? WHERE id = ?", (name, version))
            connection.execute(
                f"UPDATE version SET cluster = ? WHERE live AND cluster IN ({placeholders(joined)})", (name, *joined)
            )

    def remove(self, version: int) -> None:
        """Takes away the keys of a version that is live no more."""
        self._connection().execute("DELETE FROM band WHERE version = ?", (version,))
