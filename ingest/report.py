"""What came of the sources of an update, and how far it is.

Knows outcomes by source. Does not know how they come about.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from ingest.document import Failure


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did: the sources (files, parts of files, addresses) by outcome, in the order they were met.

    `removed` are sources of articles that were removed, `still_removed` those of articles that somebody took out by
    hand and that therefore stay out.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    still_removed: tuple[str, ...]
    failed: tuple[Failure, ...]


@dataclass(slots=True)
class ReportBuilder:
    """A report in the making; it holds good at any moment, also when the work is interrupted."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    still_removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    def report(self) -> Report:
        """The report as it stands."""
        return Report(*(tuple(getattr(self, outcome.name)) for outcome in dataclasses.fields(self)))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update is: bytes done and in all, as far as known, and the current source."""

    done: int
    total: int
    source: str
