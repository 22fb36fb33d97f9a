"""Taking articles in from the page: one piece of work at a time, which goes on though its page is closed.

Knows how far it is, for any page that looks. Does not know how articles are read, or what is shown of it.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import LibraryError, Progress, Report, Tally, update

UPLOADS = "uploads"  # in the data folder: what was dropped on the page, to be read again later


@dataclass(frozen=True, slots=True)
class State:
    """How far the work is: `report` is what came of it so far, `trouble` what broke it off; empty if nothing did."""

    running: bool
    progress: Progress
    report: Report
    trouble: str


class Intake:
    """The work that takes articles into a data folder. Safe to use from several threads."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._tally = Tally()
        self._progress = Progress(0, 0, "")
        self._trouble = ""

    @property
    def state(self) -> State | None:
        """How far it is, or how it ended; None if there was none yet."""
        with self._lock:
            if self._thread is None:
                return None
            return State(self._thread.is_alive(), self._progress, self._tally.report(), self._trouble)

    def start(self, files: Sequence[Path], sources: Sequence[str]) -> bool:
        """Begins to take in files, of which copies are kept, and sources; False if other work is still going on."""
        with self._lock:
            if self._thread and self._thread.is_alive():
                return False
            self._stop.clear()
            self._tally, self._progress, self._trouble = Tally(), Progress(0, 0, ""), ""
            self._thread = threading.Thread(target=self._run, args=(files, sources), daemon=True)
            self._thread.start()
            return True

    def stop(self) -> None:
        """Asks for an end behind the article at hand."""
        self._stop.set()

    def close(self) -> None:
        """Stops, and waits for it."""
        self.stop()
        if self._thread:
            self._thread.join()

    def _run(self, files: Sequence[Path], sources: Sequence[str]) -> None:
        try:
            kept = [str(self._kept(file)) for file in files]
            update(
                [*kept, *sources], data=self._data, on_progress=self._advance, tally=self._tally, stop=self._stop.is_set
            )
        except (LibraryError, OSError, ValueError) as error:
            self._trouble = str(error)

    def _advance(self, progress: Progress) -> None:
        self._progress = progress

    def _kept(self, file: Path) -> Path:
        """A copy in the data folder. Other bytes of the same name are another file, the same bytes the same."""
        folder = self._data / UPLOADS
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            target = folder / (file.name if number == 1 else f"{file.stem} ({number}){file.suffix}")
            if not target.exists():
                shutil.copyfile(file, target)
                return target
            if target.read_bytes() == file.read_bytes():
                return target
            number += 1
