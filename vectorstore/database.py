"""The file `library.db`: its tables, its connections, and what to say when it can't be used.

Knows SQLite, formats, transactions, the lock for writers, and the table `meta`. Does not know what the other tables are
for.

Errors: LibraryError (ValueError) for a data folder that can't be used; below it NoLibraryError for one that holds none,
BusyError for one that another process writes to. The message names the folder and the remedy.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from language import Message, message_of
from vectorstore.source_registry import OVERRIDES_SCHEMA
from vectorstore.source_registry import SCHEMA as ORIGINS

FILE = "library.db"
FORMAT = 5
MAPPED = 1 << 30  # bytes of the file that reading maps into memory
BUSY_SECONDS = 5.0
LOCK_SECONDS = 2.0
INDEX = "chroma"  # the folder of the first index
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE version ( -- short columns first, the text last: SQLite reads a row up to the last column it is asked for
    id INTEGER PRIMARY KEY, article TEXT NOT NULL, number INTEGER NOT NULL, live INTEGER NOT NULL,
    published TEXT NOT NULL, lang TEXT NOT NULL, cluster TEXT NOT NULL, fingerprint TEXT NOT NULL,
    sha256 TEXT NOT NULL, added TEXT NOT NULL, publisher TEXT NOT NULL, source TEXT NOT NULL, url TEXT NOT NULL,
    title TEXT NOT NULL, note TEXT NOT NULL, blocks TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (article, number));
CREATE UNIQUE INDEX version_live ON version (article) WHERE live;
CREATE INDEX version_cluster ON version (cluster) WHERE live;
CREATE TABLE band (key BLOB, version INTEGER REFERENCES version, PRIMARY KEY (key, version)) WITHOUT ROWID;
CREATE INDEX band_version ON band (version);
CREATE TABLE passage (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL REFERENCES version,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, vector TEXT NOT NULL REFERENCES vector);
CREATE INDEX passage_version ON passage (version);
CREATE INDEX passage_vector ON passage (vector);
CREATE TABLE sentence (
    passage INTEGER NOT NULL REFERENCES passage, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    vector TEXT NOT NULL REFERENCES vector, PRIMARY KEY (passage, start)) WITHOUT ROWID;
CREATE INDEX sentence_vector ON sentence (vector);
CREATE TABLE time (
    passage INTEGER NOT NULL REFERENCES passage, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    first TEXT NOT NULL, last TEXT NOT NULL, reckoned INTEGER NOT NULL, PRIMARY KEY (passage, start)) WITHOUT ROWID;
CREATE TABLE vector (id TEXT PRIMARY KEY, value BLOB NOT NULL, indexed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX vector_indexed ON vector (id) WHERE indexed;
CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = "unicode61 remove_diacritics 0");
CREATE TABLE term (term TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;
"""


class LibraryError(ValueError):
    """A data folder that is missing, unreadable, or made by another version or embedding model."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)


class BusyError(LibraryError):
    """Another process is writing to the data folder."""


class NoLibraryError(LibraryError):
    """A data folder that holds no library yet."""


def exists(folder: Path) -> bool:
    """Whether the folder holds a library; a file that was never written to is none."""
    path = folder / FILE
    return path.exists() and (path.stat().st_size > 0 or path.with_name(f"{FILE}-wal").exists())


def require(folder: Path) -> None:
    """NoLibraryError if the folder holds no library."""
    if not exists(folder):
        raise NoLibraryError(
            Message(
                "There is no library in {folder}. Fill it with: viadoma ingest SOURCE... --data {folder}",
                folder=folder,
            )
        )


def stored_embedding(folder: Path) -> str:
    """The name of the model whose vectors the folder's library holds; empty if there is none, or it can't be read."""
    if not exists(folder):
        return ""
    try:
        with closing(sqlite3.connect(folder / FILE, timeout=BUSY_SECONDS)) as connection:
            return str(connection.execute("SELECT value FROM meta WHERE name = 'embedding'").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return ""  # whoever opens the library says what is wrong with it


def placeholders(values: Collection[object]) -> str:
    """A question mark for each value, as `IN (...)` takes them."""
    return ", ".join("?" * len(values))


def unwritable(folder: Path, error: Exception) -> LibraryError:
    """What to raise when the folder refuses to be written."""
    return LibraryError(
        Message(
            "The data folder {folder} can't be written ({why}). Make it writable, or name another with --data or "
            "VIADOMA_DATA.",
            folder=folder,
            why=message_of(error),
        )
    )


@contextmanager
def locked(folder: Path, wait_seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Holds a data folder for this process's writes; BusyError names the holder if another has it for so long."""
    holder = folder / "writer.txt"
    lock = FileLock(folder / "writer.lock", is_singleton=True)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise BusyError(_busy(folder, holder)) from error
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


def _busy(folder: Path, holder: Path) -> Message:
    """Who writes, as far as the file `holder` tells: "Process 4711"."""
    number = holder.read_text("utf-8").split()[-1:] if holder.exists() else []
    if number:
        return Message(
            "Process {number} is writing to {folder}. Wait until it has finished, then try again.",
            number=number[0],
            folder=folder,
        )
    return Message("Another process is writing to {folder}. Wait until it has finished, then try again.", folder=folder)


class Database:
    """One data folder's `library.db`, open: a connection for each thread, and transactions."""

    def __init__(self, folder: Path, embedding: str | None, *, create: bool) -> None:
        """Opens the library; with `create` a missing one is made, to hold vectors of the model named `embedding`.

        None opens one with the vectors of any model.
        """
        self.folder = folder
        self.embedding = embedding or ""
        self._path = folder / FILE
        self._threads = threading.local()
        self._open: dict[threading.Thread, sqlite3.Connection] = {}
        self._open_lock = threading.Lock()
        if not create:
            require(folder)
        elif not exists(folder):
            self._create()
        self._check()

    def _create(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.connection()
        except (OSError, sqlite3.Error) as error:
            raise unwritable(self.folder, error) from error
        with self.transaction() as connection:
            # a second process may have come first: the schema is made once, whole or not at all
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                _run(connection, SCHEMA)
                _run(connection, ORIGINS)
                _run(connection, OVERRIDES_SCHEMA)
                connection.executemany(
                    "INSERT INTO meta VALUES (?, ?)",
                    [
                        ("format", str(FORMAT)),
                        ("embedding", self.embedding),
                        ("index", INDEX),
                        *((counter, "0") for counter in ("generation", "passages", "terms")),
                    ],
                )

    def _check(self) -> None:
        try:
            meta = dict(self.connection().execute("SELECT name, value FROM meta").fetchall())
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        if meta.get("format") in ("2", "3", "4"):
            self._upgrade()
        elif meta.get("format") != str(FORMAT):
            raise LibraryError(
                Message(
                    "The library in {folder} has format {found}; this version of Viadoma reads format {format}. Use "
                    "the version that made it, or ingest the articles into another folder.",
                    folder=self.folder,
                    found=meta.get("format"),
                    format=FORMAT,
                )
            )
        self.embedding = self.embedding or meta["embedding"]
        if meta["embedding"] != self.embedding:
            raise LibraryError(
                Message(
                    "The library in {folder} was made with the embedding model {first}; the one in use is {second}. "
                    "Use the first again, or rebuild the vectors with: viadoma rebuild --data {folder}",
                    folder=self.folder,
                    first=meta["embedding"],
                    second=self.embedding,
                )
            )

    def _upgrade(self) -> None:
        """Format 2 knew nothing of sources, 3 nothing of overrides, 4 nothing of blocks; all else is the same."""
        try:
            with self.transaction() as connection:
                # another process may have been faster
                tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
                if "origin" not in tables:
                    _run(connection, ORIGINS)
                    connection.execute("INSERT INTO meta VALUES ('index', ?)", (INDEX,))
                if "amended" not in tables:
                    _run(connection, OVERRIDES_SCHEMA)
                # no blocks are those that blank lines make
                for table, column in (("version", "blocks"), ("provenance", "made"), ("provenance", "left_out")):
                    if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
                        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
                connection.execute("UPDATE meta SET value = ? WHERE name = 'format'", (str(FORMAT),))
        except sqlite3.Error as error:
            raise unwritable(self.folder, error) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA mmap_size = {MAPPED}")
        with self._open_lock:  # from here on `close` may close it
            for thread in [thread for thread in self._open if not thread.is_alive()]:
                self._open.pop(thread).close()
            self._open[threading.current_thread()] = connection
        return connection

    def connection(self) -> sqlite3.Connection:
        """The connection of this thread, opened when it is first asked for."""
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = self._connect()
        return connection

    @contextmanager
    def unmapped(self) -> Iterator[None]:
        """Reads without mapping the file, in this thread: a long ingest would hold in memory all it went through."""
        connection = self.connection()
        connection.execute("PRAGMA mmap_size = 0")
        try:
            yield
        finally:
            connection.execute(f"PRAGMA mmap_size = {MAPPED}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits all that is written inside it, or nothing; LibraryError if the file can't be written."""
        connection = self.connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has rolled it back already
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            raise self._refused(error, reading=False) from error

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction whose changes readers see."""
        with self.transaction() as connection:
            yield connection
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")

    def _refused(self, error: sqlite3.DatabaseError, *, reading: bool) -> Exception:
        """What to raise when SQLite could not do what it was told; the error itself if that is this program's fault."""
        # what the module itself finds has no name, such as text that is none
        name = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")
        if type(error) not in (sqlite3.OperationalError, sqlite3.DatabaseError):
            return error
        if name == "SQLITE_ERROR" and not str(error).startswith("no such"):
            return error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return BusyError(
                Message("Another program holds {path} locked. Wait until it has finished, or end it.", path=self._path)
            )
        if reading or name.startswith(("SQLITE_ERROR", "SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return self._unreadable(error)
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return LibraryError(
                Message(
                    "{path} can't be written ({why}): is the disk full? What was reported is saved; make room, then "
                    "run the same again.",
                    path=self._path,
                    why=message_of(error),
                )
            )
        return unwritable(self.folder, error)

    def _unreadable(self, error: sqlite3.Error) -> LibraryError:
        return LibraryError(
            Message(
                "{path} can't be read as a library ({why}). Restore it from a copy, or move it away and fill a new one "
                "with: viadoma ingest SOURCE... --data {folder}",
                path=self._path,
                why=message_of(error),
                folder=self.folder,
            )
        )

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What this thread reads inside it belongs to one moment, whatever is published meanwhile.

        LibraryError if it can't be read.
        """
        try:
            connection = self.connection()
            if connection.in_transaction:
                yield
                return
            with self._open_lock:  # nobody closes it at this very moment
                connection.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                with self._open_lock:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            raise self._refused(error, reading=True) from error

    def generation(self) -> int:
        """Grows with every change that readers can see."""
        row = self.connection().execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        return int(row[0])

    def index_folder(self) -> str:
        """The name of the folder that holds the index in use."""
        return str(self.connection().execute("SELECT value FROM meta WHERE name = 'index'").fetchone()[0])

    def stored_embedding(self) -> str:
        """The name of the model whose vectors are in use, as the file has it now."""
        return str(self.connection().execute("SELECT value FROM meta WHERE name = 'embedding'").fetchone()[0])

    def purge_pending(self) -> bool:
        """Whether the index may still hold vectors of articles that were deleted for good."""
        return self.connection().execute("SELECT 1 FROM meta WHERE name = 'purge'").fetchone() is not None

    def checkpoint_wal(self) -> None:
        """Writes what the write-ahead log holds into the file and empties it, as far as no reader needs it."""
        self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, target: Path) -> None:
        """Writes the library as it is at one moment to a new file, while others read and write."""
        with closing(sqlite3.connect(target)) as connection:
            self.connection().backup(connection)

    def close(self) -> None:
        """Closes every connection; the library can't be used afterwards.

        One that another thread is reading with goes with that thread: closing it would crash the process.
        """
        with self._open_lock:
            while self._open:
                thread, connection = self._open.popitem()
                if thread is threading.current_thread() or not connection.in_transaction:
                    connection.close()


def _run(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.strip().removesuffix(";").split(";\n"):
        connection.execute(statement)
