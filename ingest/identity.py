"""Which article a document is: known again by its address, its id, its file or its bytes, or new.

Knows what the library has of articles and their sources, and what was met in this run. Stores nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from ingest.articles import ArticleDraft
from ingest.document import Document, FetchInfo
from ingest.urls import is_web_url, url_key
from ingest.versions import digest
from vectorstore import Store, is_near_duplicate


@dataclass(frozen=True, slots=True)
class Identity:
    """Which article a document is: its id, and the source that it left, empty if it stayed where it was."""

    article: str
    moved_from: str = ""


@dataclass(frozen=True, slots=True)
class SeenSource:
    """A source that gave an article in this run, without its bytes; `extracted` says whether it was read."""

    source: str
    fetch_info: FetchInfo | None = None
    extracted: bool = False


class Identities:
    """The articles of one run: `seen` has the source that gave each, by its id.

    `duplicates` are articles whose source turned out to be another article's, of the same text, in the order found.
    """

    def __init__(self, store: Store) -> None:
        self._library = store.library
        self._origins = store.library.sources
        self.seen: dict[str, SeenSource] = {}
        self.duplicates: dict[str, None] = {}
        self._claimed: dict[str, str] = {}  # key -> the article that has it in this run
        self._left: set[str] = set()  # where articles lay before they moved

    def drop_foreign_canonical(self, draft: ArticleDraft, document: Document) -> ArticleDraft:
        """The draft without an address of its own that another page gives itself too."""
        if document.fetch_info is None:
            return draft
        final = document.fetch_info.final_url
        found_at = {final, document.fetch_info.url}
        found_at |= set(map(url_key, found_at))
        claims = [key for key in draft.identity_keys if key not in found_at]
        known = next(filter(None, map(self._holder, claims)), "")
        before = self._origins.get(document.source)
        if not known or (before and before.article == known) or self._was_at(known, set(claims)):
            return draft
        if self._has_text(known, draft.extract.text):
            return draft
        keys = dict.fromkeys((final, *(key for key in draft.identity_keys if key in found_at)))
        return replace(draft, identity_keys=tuple(keys), extract=replace(draft.extract, url=final))

    def identify(self, draft: ArticleDraft, document: Document) -> Identity:
        """The article that a document is; its keys are that article's from here on."""
        identity = self._identity(draft, document)
        self._claimed |= dict.fromkeys(draft.identity_keys, identity.article)
        return identity

    def _identity(self, draft: ArticleDraft, document: Document) -> Identity:
        for key in draft.identity_keys:
            known = self._holder(key)
            if known and (self._is_kept(known) or known in self.seen):
                self._look_for_duplicate(known, draft, document)
                return Identity(known)
        before = self._origins.get(document.source)
        # a file or row whose address came, went or was changed
        for known in [before.article if before else "", *map(self._origins.article_for_key, draft.weak_identity_keys)]:
            if known and known not in self.seen and self._is_the_same(known, draft, document):
                return Identity(known)
        if not draft.extract.url and (moved := self._moved(document)):
            return moved
        for key in draft.identity_keys:
            if known := self._origins.article_for_key(key):
                return Identity(known)  # it was taken out, and comes back
        return Identity(self._new_id(draft))

    def _holder(self, key: str) -> str:
        """The article that has a key, in this run or in the library; empty if none does."""
        return self._claimed.get(key) or self._origins.article_for_key(key)

    def _was_at(self, article_id: str, keys: set[str]) -> bool:
        """Whether the article was found at one of these addresses itself."""
        sources = [*self._origins.of_article(article_id)]
        if (met := self.seen.get(article_id)) is not None:
            sources.append(met.source)
        origins = filter(None, map(self._origins.get, sources))
        found = {url_key(url) for url in (*sources, *(origin.final for origin in origins))}
        # what came from a file has no page of its own
        return bool(found & keys) or not any(map(is_web_url, sources))

    def _is_kept(self, article_id: str) -> bool:
        """Whether it is searched, or was removed by hand; what vanished gives way to what is there."""
        removed = self._origins.tombstone(article_id)
        return bool(self._library.fingerprint(article_id)) or bool(removed and removed.by_user)

    def _has_text(self, article_id: str, text: str) -> bool:
        """Whether the article's last version has this text."""
        return any(version.text == text for version in self._library.versions(article_id)[-1:])

    def _is_the_same(self, article_id: str, draft: ArticleDraft, document: Document) -> bool:
        """Whether what lies where the article lay is still that article, though its address is another."""
        versions = self._library.versions(article_id)
        if not versions or not self._is_kept(article_id):
            return False
        if document.kind != "record" and not versions[-1].url:
            return True
        return versions[-1].text == draft.extract.text or is_near_duplicate(versions[-1].text, draft.extract.text)

    def _look_for_duplicate(self, article_id: str, draft: ArticleDraft, document: Document) -> None:
        """Notes an article of the same text that only this source gave, which is another article's now."""
        before = self._origins.get(document.source)
        if (
            before
            and before.article not in (article_id, *self.seen)
            and self._origins.of_article(before.article) == [document.source]
            and self._has_text(before.article, draft.extract.text)
        ):
            self.duplicates[before.article] = None

    def _moved(self, document: Document) -> Identity | None:
        """The article of these bytes whose file is gone: best one of the same name, and one that is searched."""
        gone = [
            origin
            for origin in self._origins.with_bytes(digest(document.raw))
            if not is_web_url(origin.source)
            and origin.source not in self._left
            and origin.article not in self.seen
            and not os.path.exists(file_of(origin.source))
        ]
        if not gone:
            return None
        name = os.path.basename(document.source)
        best = min(
            gone, key=lambda origin: (not self._is_kept(origin.article), os.path.basename(origin.source) != name)
        )
        self._left.add(best.source)
        return Identity(best.article, best.source)

    def _new_id(self, draft: ArticleDraft) -> str:
        """A new article's id: the digest of what it is known by, unless one that moved away has it."""
        article_id = digest(draft.identity_keys[0])[:12]
        number = 1
        while article_id in self.seen or (
            self._library.next_version(article_id) > 1 and self._origins.of_article(article_id)
        ):
            number += 1
            article_id = digest(f"{draft.identity_keys[0]} {number}")[:12]
        return article_id


def file_of(source: str) -> str:
    """The file that a source is, or is a part of, if that is still there; else the source."""
    for place, mark in enumerate(source):
        if mark in "#!" and os.path.isfile(source[:place]) and not os.path.exists(source):
            return source[:place]
    return source


def part_marks(place: str) -> tuple[str, ...]:
    """What stands behind the name of a folder or file in the sources that lie in it, or are parts of it."""
    return ("/", "\\") if os.path.isdir(place) else ("/", "\\", "#", "!")
