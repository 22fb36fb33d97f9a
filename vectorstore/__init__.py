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
    Sentence,
    Span,
    Time,
)
from vectorstore.dates import span as published_span
from vectorstore.dates import times, without_times
from vectorstore.embeddings import BUILT_IN
from vectorstore.library import LibraryError, NoLibraryError, exists
from vectorstore.names import Mention, Names, fold_key, folded
from vectorstore.search import Exchange, HybridRetriever
from vectorstore.settings import Settings, settings
from vectorstore.store import Prepared, Store

__all__ = [
    "BUILT_IN",
    "EVERYTHING",
    "Article",
    "Coverage",
    "Exchange",
    "Facet",
    "Facets",
    "Filters",
    "Hit",
    "HybridRetriever",
    "LibraryError",
    "Mention",
    "Names",
    "NoLibraryError",
    "Passage",
    "Prepared",
    "Sentence",
    "Settings",
    "Span",
    "Store",
    "Time",
    "exists",
    "fold_key",
    "folded",
    "published_span",
    "settings",
    "times",
    "without_times",
]
