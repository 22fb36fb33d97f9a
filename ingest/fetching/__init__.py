"""Getting an address over HTTP: politely, within limits, and from the public internet only."""

from ingest.fetching.fetch import Fetched, Fetcher
from ingest.fetching.guard import BlockedError, FetchError

__all__ = ["BlockedError", "FetchError", "Fetched", "Fetcher"]
