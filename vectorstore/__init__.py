"""What is known, and how to find it: articles, library, dense index, hybrid search."""

from encoder import ORIGINAL, TRAINED
from vectorstore.article import (
    EVERYTHING,
    NEVER_QUOTED,
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
    Time,
    block_at,
)
from vectorstore.blocks import context, text_blocks
from vectorstore.catalogue import Entry
from vectorstore.changes import Change, changes
from vectorstore.copies import copied
from vectorstore.database import BusyError, LibraryError, NoLibraryError, exists, stored_embedding
from vectorstore.dates import span as published_span
from vectorstore.dates import times, without_times
from vectorstore.embeddings import BUILT_IN, embed_texts, open_embeddings
from vectorstore.library import Deleted, NewVersion, Record
from vectorstore.library_index import IndexState
from vectorstore.names import Mention, Names, fold_key, folded
from vectorstore.origins import Amendment, Origin, Removed, Stale
from vectorstore.search import HybridRetriever, Query
from vectorstore.settings import Settings, settings
from vectorstore.store import Store
from vectorstore.upkeep import Rebuilt, backup, check, rebuild, restore

__all__ = [
    "BUILT_IN",
    "EVERYTHING",
    "NEVER_QUOTED",
    "ORIGINAL",
    "TRAINED",
    "Amendment",
    "Article",
    "Block",
    "BlockKind",
    "BusyError",
    "Change",
    "Coverage",
    "Deleted",
    "Entry",
    "Facet",
    "Facets",
    "Filters",
    "Hit",
    "HybridRetriever",
    "IndexState",
    "LibraryError",
    "Mention",
    "Names",
    "NewVersion",
    "NoLibraryError",
    "Origin",
    "Passage",
    "Provenance",
    "Query",
    "Rebuilt",
    "Record",
    "Removed",
    "Sentence",
    "Settings",
    "Span",
    "Stale",
    "Store",
    "Time",
    "backup",
    "block_at",
    "changes",
    "check",
    "context",
    "copied",
    "embed_texts",
    "exists",
    "fold_key",
    "folded",
    "open_embeddings",
    "published_span",
    "rebuild",
    "restore",
    "settings",
    "stored_embedding",
    "text_blocks",
    "times",
    "without_times",
]
