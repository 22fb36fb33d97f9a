"""One writer at a time: the lock on a data folder, and who holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vectorstore.database import BusyError, unwritable

LOCK_SECONDS = 2.0


@contextmanager
def locked(folder: Path, wait_seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Holds a data folder for this process's writes; BusyError names the holder if another has it for so long."""
    holder = folder / "writer.txt"
    lock = FileLock(folder / "writer.lock", is_singleton=True)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        who = holder.read_text("utf-8").strip() if holder.exists() else "another process"
        raise BusyError(f"{who} is writing to {folder}. Wait until it has finished, then try again.") from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        try:
            holder.write_text(f"Process {os.getpid()}", "utf-8")
        except OSError as error:
            raise unwritable(folder, error) from error
        yield
    finally:
        lock.release()
