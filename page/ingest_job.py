"""Ingesting from the page: one piece of work at a time, which goes on though its page is closed.

Knows how far it is, for any page that looks. Does not know how articles are read, or what is shown of it.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import LibraryError, Progress, Report, ReportBuilder, update
from language import Message, message_of

# in the data folder: what was dropped on the page, to be read again later, and what is still to be read
UPLOADS = "uploads"
PENDING = "unread.json"


@dataclass(frozen=True, slots=True)
class JobState:
    """How far the work is: `report` is what came of it so far, `error` what broke it off; None if nothing did.

    `stopped` says that it was asked to end, and, once it did, that it ended for that.
    """

    running: bool
    progress: Progress
    report: Report
    error: Message | None
    stopped: bool


class IngestJob:
    """The work that takes articles into a data folder. Safe to use from several threads.

    What was asked for is kept on disk until it was read to its end, whatever ends the program before.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._builder = ReportBuilder()
        self._progress = Progress(0, 0, "")
        self._error: Message | None = None
        self._stopped = False
        try:
            self._pending: list[str] = json.loads((data / PENDING).read_bytes())
        except (OSError, ValueError):
            self._pending = []

    @property
    def pending(self) -> tuple[str, ...]:
        """The files and addresses that were asked for and not all read, now or before the program was started."""
        return tuple(self._pending)

    @property
    def state(self) -> JobState | None:
        """How far it is, or how it ended; None if there was none yet."""
        with self._lock:
            if self._thread is None:
                return None
            running = self._thread.is_alive()
            stopped = self._stop.is_set() if running else self._stopped
            return JobState(running, self._progress, self._builder.report(), self._error, stopped)

    def start(self, files: Sequence[Path], sources: Sequence[str]) -> bool:
        """Starts to ingest files, of which copies are kept, and sources; False if other work is still going on."""
        with self._lock:
            if self._thread and self._thread.is_alive():
                return False
            self._stop.clear()
            self._builder, self._progress, self._error = ReportBuilder(), Progress(0, 0, ""), None
            self._stopped = False
            self._thread = threading.Thread(target=self._run, args=(files, sources), daemon=True)
            self._thread.start()
            return True

    def stop(self) -> None:
        """Asks for an end after the current article."""
        self._stop.set()

    def close(self) -> None:
        """Stops, and waits for it."""
        self.stop()
        if self._thread:
            self._thread.join()

    def _run(self, files: Sequence[Path], sources: Sequence[str]) -> None:
        try:
            asked = dict.fromkeys([*(str(self._kept(file)) for file in files), *sources])
            self._note([*dict.fromkeys([*self._pending, *asked])])
            update([*asked], data=self._data, on_progress=self._advance, builder=self._builder, stop=self._stops)
            if not self._stopped:
                self._note([source for source in self._pending if source not in asked])
        except (LibraryError, OSError, ValueError) as error:
            self._error = message_of(error)
        except BaseException as error:
            self._error = Message("“{error}”", error=f"{type(error).__name__}: {error}")
            raise  # a fault of the program: the terminal shows where

    def _note(self, pending: list[str]) -> None:
        """Keeps what is still to be read."""
        new = self._data / f"{PENDING}.new"
        new.write_text(json.dumps(pending), "utf-8")
        os.replace(new, self._data / PENDING)
        self._pending = pending

    def _stops(self) -> bool:
        self._stopped = self._stop.is_set()
        return self._stopped

    def _advance(self, progress: Progress) -> None:
        self._progress = progress

    def _kept(self, file: Path) -> Path:
        """A copy in the data folder. Other bytes of the same name are another file, the same bytes the same."""
        folder = (self._data / UPLOADS).absolute()  # the program may be started elsewhere next time
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
