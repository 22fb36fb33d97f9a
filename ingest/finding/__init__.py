"""From what the user named to documents: files, folders, archives, tables, addresses, feeds."""

from ingest.finding.sources import SourceWalker

__all__ = ["SourceWalker"]
