"""The conversations held on the page, kept in a file beside the library.

Knows them by names that can't be guessed, which only their own page is told. An answer is kept as a bundle of evidence,
without the articles' texts. Does not know how an answer is shown, nor who asks.

Errors: ConversationsError (OSError) if the file can't be read or written; the message says what to do next.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot import Answer, Article, dump_bundle, load_answers
from language import Message, message_of
from vectorstore.timestamps import utc_now

FILE = "conversations.db"
FORMAT = 2  # 1 had no judgements
TITLE = 80  # characters
WAIT_SECONDS = 5.0
SCHEMA = """
CREATE TABLE conversation (name TEXT PRIMARY KEY, title TEXT NOT NULL, changed TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE answer (conversation TEXT NOT NULL REFERENCES conversation ON DELETE CASCADE, place INTEGER NOT NULL,
    question TEXT NOT NULL, text TEXT NOT NULL, bundle BLOB NOT NULL, PRIMARY KEY (conversation, place)) WITHOUT ROWID;
"""
FEEDBACK_SCHEMA = """
CREATE TABLE judgement (conversation TEXT NOT NULL REFERENCES conversation ON DELETE CASCADE, place INTEGER NOT NULL,
    liked INTEGER NOT NULL, reason TEXT NOT NULL, made TEXT NOT NULL, bundle BLOB NOT NULL,
    PRIMARY KEY (conversation, place)) WITHOUT ROWID;
"""


class ConversationsError(OSError):
    """The file of the conversations can't be used."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One in a list: its name, its title, and when an answer was last kept in it (ISO 8601, UTC)."""

    id: str
    title: str
    changed: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thought of an answer: a thumb, the reason given or "", when (ISO 8601, UTC), and its evidence."""

    liked: bool
    reason: str
    created_at: str
    bundle: str


class Conversations:
    """Answers by conversation and place, a number that only grows. Safe to use from several threads and processes."""

    def __init__(self, folder: Path, article_of: Callable[[str, int], Article | None]) -> None:
        """Opens the file in a data folder, or makes it. `article_of` finds cited articles by id and version."""
        self._path = folder / FILE
        self._article_of = article_of
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(self._path, timeout=WAIT_SECONDS, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._unusable(message_of(error)) from error
        with self._using() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if not 0 <= found <= FORMAT:
                raise self._unusable(
                    Message("it has format {found}, this version of Viadoma reads {format}", found=found, format=FORMAT)
                )
            if found < FORMAT:
                lacking = FEEDBACK_SCHEMA if found else SCHEMA + FEEDBACK_SCHEMA
                connection.executescript(f"BEGIN IMMEDIATE; {lacking} PRAGMA user_version = {FORMAT}; COMMIT;")

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()

    @staticmethod
    def new_id() -> str:
        """A name for a conversation, of 192 random bits."""
        return secrets.token_urlsafe(24)

    def save_answer(self, name: str, answer: Answer, before: Sequence[int], now: Sequence[int]) -> bool:
        """Keeps an answer at the last of the places `now`, which grow from answer to answer; others than `now` go.

        False, and nothing is kept, where others than `before` stand there: they were asked, or deleted, elsewhere. A
        conversation that is not there yet begins, under its first question.
        """
        kept = zlib.compress(dump_bundle([answer]).encode("utf-8", "surrogatepass"))
        changed = utc_now()
        with self._using() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")  # another process may keep between the look and the change
            if _places(connection, name) != tuple(before):
                return False
            connection.execute(
                "INSERT INTO conversation VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET changed = excluded.changed",
                (name, _title(answer.question), changed),
            )
            gone = [(name, place) for place in before if place not in now[:-1]]
            connection.executemany("DELETE FROM answer WHERE conversation = ? AND place = ?", gone)
            connection.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?)", (name, now[-1], answer.question, answer.text, kept)
            )
        return True

    def answers(self, name: str) -> tuple[Answer, ...]:
        """The answers of a conversation, oldest first; empty if there is none."""
        with self._using() as connection:
            rows = connection.execute(
                "SELECT bundle FROM answer WHERE conversation = ? ORDER BY place", (name,)
            ).fetchall()
        texts = [zlib.decompress(row[0]).decode("utf-8", "surrogatepass") for row in rows]
        return tuple(answer for text in texts for answer in load_answers(text, self._article_of))

    def places(self, name: str) -> tuple[int, ...]:
        """The places at which a conversation's answers stand, oldest first."""
        with self._using() as connection:
            return _places(connection, name)

    def copy(self, name: str, other: str, places: Collection[int]) -> tuple[int, ...]:
        """Begins the conversation `other` with the title of `name` and its answers at the places that are still there.

        Gives these places. Where there are none, nothing begins.
        """
        with self._using() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            there = tuple(place for place in _places(connection, name) if place in places)
            if there:
                connection.execute(
                    "INSERT INTO conversation SELECT ?, title, changed FROM conversation WHERE name = ?", (other, name)
                )
            connection.executemany(
                "INSERT INTO answer SELECT ?, place, question, text, bundle FROM answer"
                " WHERE conversation = ? AND place = ?",
                [(other, name, place) for place in there],
            )
        return there

    def listed(self, names: Sequence[str], words: str = "") -> list[Conversation]:
        """Those of the named conversations that are there, the last changed first.

        With `words`, those whose title, questions or answers hold each of them.
        """
        wanted = words.casefold().split()
        with self._using() as connection:
            rows = connection.execute(
                "SELECT name, title, changed FROM conversation WHERE name IN"
                f" ({', '.join('?' * len(names))}) ORDER BY changed DESC, title",
                list(names),
            ).fetchall()
            found = [Conversation(*row) for row in rows]
            if wanted:
                found = [
                    conversation for conversation in found if _holds(self._texts(connection, conversation), wanted)
                ]
        return found

    def rename(self, name: str, title: str) -> None:
        """Gives a conversation another title; an empty one gives it back its first question."""
        with self._using() as connection, connection:
            first = connection.execute(
                "SELECT question FROM answer WHERE conversation = ? ORDER BY place LIMIT 1", (name,)
            ).fetchone()
            connection.execute(
                "UPDATE conversation SET title = ? WHERE name = ?",
                (_title(title) or _title(first[0] if first else ""), name),
            )

    def delete(self, name: str) -> None:
        """Deletes a conversation with its answers."""
        with self._using() as connection, connection:
            connection.execute("DELETE FROM conversation WHERE name = ?", (name,))

    def save_feedback(self, name: str, place: int, *, liked: bool, reason: str = "") -> bool:
        """Keeps what a reader thinks of the answer at a place, with its evidence; a later judgement takes its place.

        The evidence stays as judged, though the answer is generated again. False if there is no such answer.
        """
        now = datetime.now(UTC).isoformat()
        with self._using() as connection, connection:
            kept = connection.execute(
                "INSERT OR REPLACE INTO judgement SELECT conversation, place, ?, ?, ?, bundle FROM answer"
                " WHERE conversation = ? AND place = ?",
                (liked, reason.strip(), now, name, place),
            )
        return kept.rowcount > 0

    def delete_feedback(self, name: str, place: int) -> None:
        """Forgets what a reader thought of the answer at a place."""
        with self._using() as connection, connection:
            connection.execute("DELETE FROM judgement WHERE conversation = ? AND place = ?", (name, place))

    def all_feedback(self) -> Iterator[Feedback]:
        """All that readers thought of answers, oldest first."""
        with self._using() as connection:
            rows = connection.execute("SELECT liked, reason, made, bundle FROM judgement ORDER BY made").fetchall()
        for liked, reason, created_at, kept in rows:
            yield Feedback(bool(liked), reason, created_at, zlib.decompress(kept).decode("utf-8", "surrogatepass"))

    @staticmethod
    def _texts(connection: sqlite3.Connection, conversation: Conversation) -> str:
        rows = connection.execute("SELECT question, text FROM answer WHERE conversation = ?", (conversation.id,))
        return "\n".join([conversation.title, *(text for row in rows for text in row)]).casefold()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise self._unusable(message_of(error)) from error

    def _unusable(self, why: Message) -> ConversationsError:
        return ConversationsError(
            Message(
                "The conversations in {path} can't be used ({why}). Make the folder writable, or move the file away to "
                "begin with none.",
                path=self._path,
                why=why,
            )
        )


def _places(connection: sqlite3.Connection, name: str) -> tuple[int, ...]:
    rows = connection.execute("SELECT place FROM answer WHERE conversation = ? ORDER BY place", (name,))
    return tuple(row[0] for row in rows)


def _title(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= TITLE else flat[:TITLE].rsplit(" ", 1)[0] + " …"


def _holds(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)
