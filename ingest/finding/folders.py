"""Files and folders that the user names -> the files to read, without opening them.

Knows links, hidden files, and what is no file at all. Does not know what is in a file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from ingest.document import Failure, UnreadableError
from language import Message, message_of

DATA_FOLDER = "library.db"  # a folder that holds it is a data folder
NOTHING_THERE = Message("there is no such file or folder")
NO_FILE = Message("not an ordinary file")


@dataclass(frozen=True, slots=True)
class File:
    """A file to be read; `named`: by the user, not met in a folder. `real` is its path without links."""

    path: str
    real: str
    size: int
    named: bool
    link: bool = False


def files(source: str) -> Iterator[File | Failure]:
    """The files of a source: itself, or all below it if it is a folder, in order of their names.

    Hidden ones are passed over, and so is a folder that holds a library; what can't be read comes as a failure.
    """
    try:
        status = os.stat(source)
    except (OSError, ValueError) as error:
        reason = NOTHING_THERE
        if re.match(r"[a-z][a-z0-9+.-]+:", source, re.I):
            reason = Message("no file or folder, and no URL that begins with http:// or https://")
        elif isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            reason = _refused(error)
        yield Failure(_readable(source), reason)
        return
    path = os.path.realpath(source)  # one name for a file, whichever way leads to it
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(source, path)
    else:
        yield _checked(File(path, os.path.realpath(path), status.st_size, named=True), status)


def _walk(source: str, top: str) -> Iterator[File | Failure]:
    """The files of a folder; hidden ones are passed over, and what is a library's own."""
    real_top = os.path.realpath(top)
    failed: list[OSError] = []
    empty = True
    for folder, folders, files in os.walk(top, onerror=failed.append):
        if DATA_FOLDER in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if os.path.islink(path := os.path.join(folder, name)):
                empty = False
                yield Failure(_readable(path), Message("a link to a folder: give the folder itself"))
        real_folder = os.path.join(real_top, os.path.relpath(folder, top))
        for name in sorted(name for name in files if not name.startswith(".")):
            empty = False
            yield _met(os.path.join(folder, name), os.path.normpath(os.path.join(real_folder, name)), real_top)
    for error in failed:
        yield Failure(_readable(str(error.filename or source)), _refused(error))
    if empty and not failed:
        yield Failure(_readable(source), Message("the folder holds no files"))


def _met(path: str, place: str, top: str) -> File | Failure:
    """A file in a folder; `place` is its path, and `top` that of the folder the user named, without links."""
    try:
        status = os.lstat(path)
        if not stat.S_ISLNK(status.st_mode):
            return _checked(File(path, place, status.st_size, named=False), status)
        status, real = os.stat(path), os.path.realpath(path)
    except OSError as error:
        loops_or_leads_nowhere = os.path.islink(path)
        return Failure(_readable(path), NO_FILE if loops_or_leads_nowhere else _refused(error))
    if not real.startswith(os.path.join(top, "")):
        return Failure(_readable(path), Message("a link that leads out of the folder"))
    return _checked(File(path, real, status.st_size, named=False, link=True), status)


def _checked(file: File, status: os.stat_result) -> File | Failure:
    if not stat.S_ISREG(status.st_mode):
        return Failure(_readable(file.path), NO_FILE)
    if file.path != _readable(file.path):
        return Failure(_readable(file.path), Message("its name is not UTF-8: rename it"))
    return file


def _refused(error: OSError) -> Message:
    return Message("can't be read: {why}", why=message_of(error))


def merged(known: File | str | None, found: File) -> File:
    """One file of two that are the same: with its own path rather than a link's, and named if either is."""
    if not isinstance(known, File):
        return found
    return replace(found if known.link else known, named=known.named or found.named)


def _readable(path: str) -> str:
    """A path that can be stored and printed, whatever bytes are in it."""
    return re.sub("[\ud800-\udfff]", "\ufffd", path)


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A file to read. UnreadableError if something else is there by now."""
    # without waiting, for that may be a pipe
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise UnreadableError(NO_FILE)
        yield stream
