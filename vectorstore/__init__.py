"""What is known, and how to find it: articles, library, dense index, hybrid search."""

from vectorstore.article import Article, Coverage, Hit, Passage, Sentence, Span
from vectorstore.dates import without_times
from vectorstore.embeddings import BUILT_IN
from vectorstore.library import LibraryError, NoLibraryError, exists
from vectorstore.names import Names, fold_key
from vectorstore.search import HybridRetriever
from vectorstore.settings import Settings, settings
from vectorstore.store import Prepared, Store

__all__ = [
    "BUILT_IN",
    "Article",
    "Coverage",
    "Hit",
    "HybridRetriever",
    "LibraryError",
    "Names",
    "NoLibraryError",
    "Passage",
    "Prepared",
    "Sentence",
    "Settings",
    "Span",
    "Store",
    "exists",
    "fold_key",
    "settings",
    "without_times",
]
