"""The truth: one SQLite file with every version of every article, its passages, their vectors and the full text.

Knows versions, and which changes belong in one commit. What is stored beside them are parts over the same connection:
origins, passages, vectors, full text, clusters and catalogue. Does not know Chroma, embedding models or ranking. Every
search index beside it can be rebuilt from what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from language import Message
from vectorstore.article import Article, Passage, Provenance, Span
from vectorstore.blocks import ARTICLE, article_in, article_row
from vectorstore.catalogue import NEWEST_FIRST, Catalogue
from vectorstore.clusters import Clusters, own_cluster
from vectorstore.database import Database
from vectorstore.fulltext import FullText
from vectorstore.passage_table import EmbeddedPassage, PassageTable
from vectorstore.source_registry import MetadataOverride, SourceRegistry, SourceState, Stale, Tombstone
from vectorstore.vector_table import VectorTable

NOWHERE = Provenance()


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version of an article, ready to be embedded and to go live, and where it comes from.

    `fingerprint` changes when anything that is stored or indexed of it does. `raw` are the bytes it was read from, None
    if they are not to be kept; `keys` what the article is known by, `source_state` the state of its source, None if
    neither is to be noted. `moved_from` is the source that it moved away from, empty if it did not. `overrides` are all
    that was set by hand in the article's metadata.
    """

    article: Article
    fingerprint: str
    passages: tuple[Passage, ...]
    provenance: Provenance = NOWHERE
    raw: bytes | None = None
    keys: tuple[str, ...] = ()
    source_state: SourceState | None = None
    moved_from: str = ""
    overrides: tuple[MetadataOverride, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """What deleting articles for good took out: how many articles, versions, passages, and bytes of raw documents."""

    articles: int
    versions: int
    passages: int
    raw_bytes: int


@dataclass(frozen=True, slots=True)
class VersionDetails:
    """All that is known of one version of an article; `versions` are all of it, the oldest first.

    `passages` are the spans of its text that are searched, or were until it was replaced, in reading order.
    `stale` says why its source could not be read again, `tombstone` why it is searched no more; None if neither is so.
    `overrides` say what of the latest version's metadata was set by hand; empty for the versions before.
    """

    article: Article
    provenance: Provenance
    versions: tuple[Article, ...]
    stale: Stale | None
    tombstone: Tombstone | None
    overrides: tuple[MetadataOverride, ...]
    passages: tuple[Span, ...]

    @property
    def previous(self) -> Article | None:
        """The version before; None for the first."""
        return next((old for old in reversed(self.versions) if old.version < self.article.version), None)

    @property
    def latest(self) -> Article:
        """The last version."""
        return self.versions[-1]

    @property
    def corrected_on(self) -> str:
        """The day (ISO 8601) on which the text last changed up to this version, as it was ingested; empty if never."""
        until = [version for version in self.versions if version.version <= self.article.version]
        days = [new.ingested_at[:10] for old, new in pairwise(until) if old.text != new.text]
        return days[-1] if days else ""


class Library(Database):
    """One data folder's `library.db`. Reading is safe from any thread and never waits for a writer."""

    def __init__(self, folder: Path, embedding: str | None, *, create: bool) -> None:
        """See `Database`."""
        super().__init__(folder, embedding, create=create)
        self.sources = SourceRegistry(self.connection)
        self.passages = PassageTable(self.connection)
        self.vectors = VectorTable(self.connection, self.transaction)
        self.fulltext = FullText(self.connection)
        self.clusters = Clusters(self.connection)
        self.catalogue = Catalogue(self.connection, self.generation)

    # what is read

    def article(self, article_id: str, version: int | None = None) -> Article | None:
        """One version of an article, the live one unless `version` says which; None if there is none."""
        query = f"SELECT {ARTICLE} FROM version WHERE article = ? AND "
        if version is None:
            row = self.connection().execute(query + "live", (article_id,)).fetchone()
        else:
            row = self.connection().execute(query + "number = ?", (article_id, version)).fetchone()
        return article_in(row) if row else None

    def articles(self) -> Iterator[Article]:
        """The live articles, newest first, those without a date last."""
        for row in self.connection().execute(f"SELECT {ARTICLE} FROM version WHERE live ORDER BY {NEWEST_FIRST}"):
            yield article_in(row)

    def every_version(self) -> Iterator[Article]:
        """All versions of all articles, live or not, in the order in which they were added."""
        for row in self.connection().execute(f"SELECT {ARTICLE} FROM version ORDER BY id"):
            yield article_in(row)

    def versions(self, article_id: str) -> list[Article]:
        """All versions of an article, the oldest first; empty if there is no such article."""
        query = f"SELECT {ARTICLE} FROM version WHERE article = ? ORDER BY number"
        return [article_in(row) for row in self.connection().execute(query, (article_id,))]

    def next_version(self, article_id: str) -> int:
        """The number the article's next version gets, from 1."""
        row = self.connection().execute("SELECT max(number) FROM version WHERE article = ?", (article_id,)).fetchone()
        return int(row[0] or 0) + 1

    def fingerprint(self, article_id: str) -> str:
        """The live version's fingerprint; empty if there is no such article."""
        query = "SELECT fingerprint FROM version WHERE article = ? AND live"
        row = self.connection().execute(query, (article_id,)).fetchone()
        return row[0] if row else ""

    def version_details(self, article_id: str, version: int) -> VersionDetails | None:
        """What is known of a version; None if there is none."""
        with self.snapshot():
            versions = tuple(self.versions(article_id))
            article = next((article for article in versions if article.version == version), None)
            if article is None:
                return None
            origins = self.sources
            return VersionDetails(
                article,
                origins.provenance(article_id, version),
                versions,
                origins.stale(article_id),
                origins.tombstone(article_id),
                origins.overrides(article_id) if article is versions[-1] else (),
                tuple(span for _, span, _ in self.passages.of_version(article_id, version)),
            )

    def resolve_articles(self, name: str, prefixes: Sequence[str] = ()) -> list[str]:
        """The ids of the articles that a name may mean: an id, a source, an address.

        Also those whose source begins in one of the ways given, which say what lies in a folder or file of that name.
        Removed ones too, in order of their sources; where an article lay or was called earlier does not count. Empty if
        the name means none.
        """
        newest = "SELECT article, max(number), source, url FROM version GROUP BY article"
        found = f"SELECT article FROM ({newest}) WHERE article = ? OR source = ? OR url = ?"
        parameters: list[object] = [name] * 3
        for beginning in prefixes:
            found += " OR substr(source, 1, ?) = ?"
            parameters += [len(beginning), beginning]
        found += " UNION SELECT article FROM origin WHERE source = ?"
        rows = self.connection().execute(
            f"SELECT DISTINCT article FROM ({newest}) WHERE article IN ({found}) ORDER BY source", (*parameters, name)
        )
        return [row[0] for row in rows]

    # what is written; the caller holds the folder's writer lock

    def publish(self, versions: Sequence[NewVersion], embedded: Sequence[Sequence[EmbeddedPassage]]) -> None:
        """Makes versions live, all in one commit; each replaces its predecessor.

        `embedded` are the passages of each with the names of their vectors. These must be stored, and the passages'
        must be in the index beside the library.
        """
        with self.changing():
            for new, passages in zip(versions, embedded, strict=True):
                self._take_out(new.article.id)
                version = self._insert(new.article, new.fingerprint)
                self.passages.insert(version, passages)
                self._make_live(version, new.article)
                if new.moved_from:
                    self.sources.forget_source(new.moved_from, new.article.id)
                self.sources.insert(version, new.provenance, new.raw, new.keys, new.source_state)
                self.sources.save_overrides(new.article.id, new.overrides)

    def remove(self, article_ids: Sequence[str], reason: Message, *, by_user: bool = False) -> None:
        """Takes articles out of what is searched, under a tombstone; their versions stay stored.

        A `by_user` one stays removed when its source is re-ingested.
        """
        with self.changing():
            for article_id in article_ids:
                self._take_out(article_id)
                self.sources.add_tombstone(article_id, reason, by_user=by_user)

    def reinstate(self, article_ids: Sequence[str]) -> None:
        """Takes the last versions of articles into what is searched again, and their tombstones away.

        Their passages' vectors must be in the index beside the library.
        """
        with self.changing() as connection:
            for article_id in article_ids:
                article = self.versions(article_id)[-1]
                (version,) = connection.execute(
                    "SELECT id FROM version WHERE article = ? AND number = ?", (article_id, article.version)
                ).fetchone()
                connection.execute(
                    "UPDATE version SET live = 1, cluster = ? WHERE id = ?", (own_cluster(article), version)
                )
                self._make_live(version, article)
                self.sources.delete_tombstone(article_id)

    def delete(self, article_ids: Sequence[str]) -> DeleteResult:
        """Deletes articles for good, with all versions and raw bytes; freed pages of the file are overwritten.

        Their vectors are leftovers then, for `VectorTable.delete` and for the index to be rebuilt: until
        `activate_index`, a purge is pending.
        """
        before = self._sizes()
        self.connection().execute("PRAGMA secure_delete = ON")
        with self.changing() as connection:
            for article_id in article_ids:
                self._take_out(article_id)
                self.sources.delete_article(article_id)
                self.passages.delete_article(article_id)
                connection.execute("DELETE FROM version WHERE article = ?", (article_id,))
            self.fulltext.compact()
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('purge', '1')")
        return DeleteResult(*(old - new for old, new in zip(before, self._sizes(), strict=True)))

    def save_source_state(self, state: SourceState, keys: Sequence[str] = (), moved_from: str = "") -> None:
        """Saves where an unchanged article lies now, if anything of that is new; nothing readers see changes.

        `moved_from` is the source that it lay at before; what comes to lie there is another article.
        """
        origins = self.sources
        moved = self.connection().execute(
            "SELECT version.id FROM version JOIN provenance ON provenance.version = version.id"
            " WHERE article = ? AND live AND source <> ? AND raw_sha256 = ?",
            (state.article, state.source, state.sha256),
        ).fetchone()  # fmt: skip
        if (
            moved
            or moved_from
            or origins.get(state.source) != state
            or any(origins.article_for_key(key) != state.article for key in keys)
            or origins.stale(state.article)
        ):
            with self.transaction() as connection:
                if moved_from:
                    origins.forget_source(moved_from, state.article)
                origins.save_source_state(state, keys)
                if moved:
                    connection.execute("UPDATE version SET source = ? WHERE id = ?", (state.source, *moved))

    def mark_stale(self, article_id: str, reason: Message) -> None:
        """Notes that an article's source could not be read again; the article stays as it is."""
        known = self.sources.stale(article_id)
        if known is None or known.reason.stored() != reason.stored():
            with self.transaction():
                self.sources.mark_stale(article_id, reason)

    def activate_index(self, embedding: str, folder: str, renamed: Iterable[tuple[str, str]]) -> None:
        """Takes other vectors, of the model `embedding`, into use, and the index in the folder of that name.

        `renamed` gives the new name for each passage's and sentence's vector; both must be stored.
        """
        with self.changing() as connection:
            self.vectors.rename(renamed)
            connection.execute("DELETE FROM meta WHERE name = 'purge'")
            for name, value in (("embedding", embedding), ("index", folder)):
                connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
        self.embedding = embedding

    def _insert(self, article: Article, fingerprint: str) -> int:
        version = self.connection().execute(
            f"INSERT INTO version (live, fingerprint, cluster, {ARTICLE}) VALUES (1, ?, ?{', ?' * 13})",
            (fingerprint, own_cluster(article), *article_row(article)),
        ).lastrowid  # fmt: skip
        assert version is not None
        return version

    def _make_live(self, version: int, article: Article) -> None:
        """Puts what is searched of a live version into full text and clusters, its vectors among the index's."""
        passages = self.passages.of_version(article.id, article.version)
        self.fulltext.add(
            article.title, {passage: article.text[span.start : span.end] for passage, span, _ in passages}
        )
        self.vectors.mark_indexed(vector for _, _, vector in passages)
        self.clusters.add(version, article)

    def _take_out(self, article_id: str) -> None:
        """Undoes `_make_live` for an article's live version, if there is one; its vectors stay in the index for now."""
        connection = self.connection()
        row = connection.execute("SELECT id FROM version WHERE article = ? AND live", (article_id,)).fetchone()
        if row:
            (version,) = row
            self.fulltext.remove(version)
            self.clusters.remove(version)
            connection.execute("UPDATE version SET live = 0 WHERE id = ?", (version,))

    def _sizes(self) -> tuple[int, int, int, int]:
        """The numbers of `DeleteResult`, of all that is stored."""
        query = (
            "SELECT (SELECT count(DISTINCT article) FROM version), (SELECT count(*) FROM version),"
            " (SELECT count(*) FROM passage), (SELECT coalesce(sum(length(value)), 0) FROM raw)"
        )
        articles, versions, passages, raw_bytes = self.connection().execute(query).fetchone()
        return articles, versions, passages, raw_bytes
