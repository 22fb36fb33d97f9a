"""An article on its way into the store: its metadata as overridden by hand, its passages, its fingerprint.

Knows what makes two versions differ. Does not know where articles come from or how they are stored.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from ingest.articles import EXTRACTION_VERSION
from ingest.passages import passages
from ingest.urls import url_key
from vectorstore import Article, MetadataOverride, NewVersion, Passage, Provenance, SourceState, text_blocks, times


def apply_overrides(
    article: Article, overrides: Sequence[MetadataOverride]
) -> tuple[Article, tuple[MetadataOverride, ...]]:
    """An article as its source has it, with what was overridden in it; and the overrides beside what it says itself."""
    current = tuple(
        dataclasses.replace(override, source_value=getattr(article, override.field)) for override in overrides
    )
    values: dict[str, Any] = {override.field: override.value for override in current}
    return dataclasses.replace(article, **values), current


def fingerprint(article: Article, provenance: Provenance) -> str:
    """Changes when what is stored or searched of the article does, not with where it lies or what read it."""
    fields = {
        "title": article.title,
        "url": url_key(article.url, fragment=True) or article.url,
        "publisher": article.publisher,
        "published": article.published,
        "lang": article.lang,
        "note": article.note,
        "text": article.text,
        "blocks": [] if article.blocks == text_blocks(article.text) else [*map(astuple, article.blocks)],
        "author": provenance.author,
        "modified": provenance.modified,
        "licence": provenance.licence,
        "made": provenance.made,
        "left out": provenance.left_out,
    }
    return digest(json.dumps([EXTRACTION_VERSION, fields], sort_keys=True))


def prepare(
    article: Article,
    provenance: Provenance,
    overrides: tuple[MetadataOverride, ...],
    *,
    raw: bytes | None = None,
    keys: tuple[str, ...] = (),
    source_state: SourceState | None = None,
    moved_from: str = "",
) -> NewVersion:
    """The article cut into passages, with the times they name; for the other arguments see `NewVersion`."""
    return NewVersion(
        article,
        fingerprint(article, provenance),
        tuple(_with_times(article, passage) for passage in passages(article.text, article.lang, article.blocks)),
        provenance,
        raw,
        keys,
        source_state,
        moved_from,
        overrides,
    )


def digest(content: str | bytes) -> str:
    """The SHA-256 of text in UTF-8, or of bytes, in hexadecimal digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _with_times(article: Article, passage: Passage) -> Passage:
    """The passage with the times it names."""
    start, end = passage.span.start, passage.span.end
    return dataclasses.replace(passage, times=tuple(times(article.text[start:end], start, article.published)))
