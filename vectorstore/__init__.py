"""What is known, and how to find it: articles, library, dense index, hybrid search."""

from encoder import ORIGINAL, TRAINED
from vectorstore.article import (
    NEVER_QUOTED,
    NO_FILTERS,
    Article,
    Block,
    BlockKind,
    Coverage,
    Facet,
    Facets,
    Filters,
    Hit,
    Passage,
    Provenance,
    Sentence,
    Span,
    TimeReference,
    block_at,
)
from vectorstore.blocks import context, text_blocks
from vectorstore.catalogue import ArticleSummary
from vectorstore.database import BusyError, LibraryError, NoLibraryError, exists, stored_embedding
from vectorstore.dates import span as published_span
from vectorstore.dates import strip_times, times
from vectorstore.embeddings import BUILT_IN, embed_texts, open_embeddings
from vectorstore.library import DeleteResult, NewVersion, VersionDetails
from vectorstore.library_index import IndexState
from vectorstore.maintenance import RebuildResult, backup, check, rebuild, restore
from vectorstore.names import Mention, NameTable, phonetic_key, transliterate
from vectorstore.near_duplicates import is_near_duplicate
from vectorstore.search import HybridRetriever, Query
from vectorstore.settings import Settings, load_settings
from vectorstore.source_registry import MetadataOverride, SourceState, Stale, Tombstone
from vectorstore.store import Store
from vectorstore.word_diff import DiffSegment, diff_words

__all__ = [
    "BUILT_IN",
    "NEVER_QUOTED",
    "NO_FILTERS",
    "ORIGINAL",
    "TRAINED",
    "Article",
    "ArticleSummary",
    "Block",
    "BlockKind",
    "BusyError",
    "Coverage",
    "DeleteResult",
    "DiffSegment",
    "Facet",
    "Facets",
    "Filters",
    "Hit",
    "HybridRetriever",
    "IndexState",
    "LibraryError",
    "Mention",
    "MetadataOverride",
    "NameTable",
    "NewVersion",
    "NoLibraryError",
    "Passage",
    "Provenance",
    "Query",
    "RebuildResult",
    "Sentence",
    "Settings",
    "SourceState",
    "Span",
    "Stale",
    "Store",
    "TimeReference",
    "Tombstone",
    "VersionDetails",
    "backup",
    "block_at",
    "check",
    "context",
    "diff_words",
    "embed_texts",
    "exists",
    "is_near_duplicate",
    "load_settings",
    "open_embeddings",
    "phonetic_key",
    "published_span",
    "rebuild",
    "restore",
    "stored_embedding",
    "strip_times",
    "text_blocks",
    "times",
    "transliterate",
]
