"""What is known, and how to find it: articles, library, dense index, hybrid search."""

from vectorstore.article import (
    EVERYTHING,
    Article,
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
)
from vectorstore.changes import Change, changes
from vectorstore.copies import copied
from vectorstore.database import BusyError, LibraryError, NoLibraryError, exists
from vectorstore.dates import retimed, times, without_times
from vectorstore.dates import span as published_span
from vectorstore.embeddings import BUILT_IN, embed_texts, open_embeddings
from vectorstore.library import Deleted, Entry, Record
from vectorstore.names import Mention, Names, fold_key, folded
from vectorstore.origins import Amendment, Origin, Removed, Stale
from vectorstore.search import Exchange, HybridRetriever
from vectorstore.settings import Settings, settings
from vectorstore.store import IndexState, Prepared, Store
from vectorstore.upkeep import Rebuilt, backup, check, rebuild, restore

__all__ = [
    "BUILT_IN",
    "EVERYTHING",
    "Amendment",
    "Article",
    "BusyError",
    "Change",
    "Coverage",
    "Deleted",
    "Entry",
    "Exchange",
    "Facet",
    "Facets",
    "Filters",
    "Hit",
    "HybridRetriever",
    "IndexState",
    "LibraryError",
    "Mention",
    "Names",
    "NoLibraryError",
    "Origin",
    "Passage",
    "Prepared",
    "Provenance",
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
    "changes",
    "check",
    "copied",
    "embed_texts",
    "exists",
    "fold_key",
    "folded",
    "open_embeddings",
    "published_span",
    "rebuild",
    "restore",
    "retimed",
    "settings",
    "times",
    "without_times",
]
