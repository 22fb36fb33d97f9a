"""JSON Lines and tables (CSV, TSV) -> records, one a line, so that a file may be larger than the memory.

Knows lines, their encodings and how tables are written. Does not know what a record says of its article.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ingest.document import MAX_BYTES, Document, Failure, UnreadableError
from ingest.formats.decoding import decode, encoding_of
from ingest.formats.plaintext import FIELDS
from ingest.unpacking import PIECE
from language import Message, message_of

SIGNS_OF_TABLE = 20_000  # bytes that are enough to tell a code page
# what a column may be called -> the field of an article it is
COLUMNS = {alias: field for field, aliases in FIELDS.items() for alias in aliases}
DELIMITERS = ",;\t|"


def json_lines(file: BinaryIO, source: str, charset: str) -> Iterator[Document | Failure]:
    """A record for each line that is not blank, "SOURCE#LINE"; what it says is not looked at.

    UnreadableError if there is nothing in the file; `charset` is what is claimed of it.
    """
    lines = _Lines(file, charset)
    while True:
        try:
            line = lines.next()
        except UnreadableError as error:
            yield Failure(f"{source}#{lines.number}", message_of(error))
            continue
        if not line:
            return
        if line := line.strip():
            yield Document(f"{source}#{lines.number}", line, "record")


def table(file: BinaryIO, source: str, charset: str) -> Iterator[Document | Failure]:
    """A record for each row, "SOURCE#LINE" after its first line, with those of its cells that COLUMNS knows.

    UnreadableError if there is no column with a text. A row that has more or fewer cells than the header fails: its
    text may be cut at a stray delimiter.
    """
    # for the whole process, as the module has it; no row is larger than this, see _Rows
    csv.field_size_limit(MAX_BYTES)
    rows = _Rows(_Lines(file, charset))
    first = next(rows, "")
    delimiter, header = _header(first)
    fields = [COLUMNS.get(name, "") for name in header]
    if "text" not in fields:
        known = ", ".join(name for name in header if name)[:300]
        raise UnreadableError(
            Message("a table without a column text, content or body; its columns are: {names}", names=known)
        )
    reader = csv.reader(rows, delimiter=delimiter, strict=True)
    while True:
        rows.begin()
        place = f"{source}#{rows.first}"
        try:
            row = next(reader, None)
        except csv.Error:
            yield Failure(place, Message("a row in which a quotation mark or a line end is out of place"))
            continue
        except UnreadableError as error:
            yield Failure(place, message_of(error))
            continue
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        while len(row) > len(header) and not row[-1]:
            row.pop()
        if len(row) != len(header):
            yield Failure(
                place, Message("a row of {cells} cells under a header of {header}", cells=len(row), header=len(header))
            )
            continue
        yield Document(place, _record(header, row), "record")


def _header(line: str) -> tuple[str, list[str]]:
    """The delimiter of a table and the names of its columns, by the delimiter that makes most of the first line.

    csv.Sniffer guesses from the texts, and takes commas in them for it.
    """
    best: tuple[int, int, str, list[str]] = (-1, -1, ",", [])
    for delimiter in DELIMITERS:
        try:
            names = [name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        best = max(best, (sum(name in COLUMNS for name in names), len(names), delimiter, names))
    return best[2], best[3]


def _record(header: Sequence[str], row: Sequence[str]) -> bytes:
    cells: dict[str, str] = {}
    by_name = dict(zip(reversed(header), reversed(row), strict=True))  # of columns of one name the first
    for alias, field in COLUMNS.items():
        if by_name.get(alias, "").strip():
            cells.setdefault(field, by_name[alias])
    return json.dumps(cells, ensure_ascii=False).encode()


class _Rows:
    """Lines for the parser of tables; no row of them may be larger than a document."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._taken = 0
        self.first = 1  # line of the current row

    def begin(self) -> None:
        """Says that what comes is a new row."""
        self._taken, self.first = 0, self._lines.number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._lines.next()
        if not line:
            raise StopIteration
        self._taken += len(line)
        if self._taken > MAX_BYTES:
            raise UnreadableError(
                Message("a row larger than {size} MB: a quotation mark is open in it", size=MAX_BYTES // 1_000_000)
            )
        return line.decode()


class _Lines:
    """The lines of a text file as UTF-8, one at a time; of a line that can't be read, an error, and the next goes on.

    A line that is not UTF-8 is read by itself, with the code page of the first megabyte in mind: files are put together
    from others, and encodings get mixed.
    """

    def __init__(self, file: BinaryIO, charset: str) -> None:
        head = file.read(PIECE)
        file.seek(0)
        if not head.strip():
            raise UnreadableError(Message("empty"))
        self._file = file
        self._wide = _wide(head)
        self._charset = charset
        self._page = "" if self._wide else _page(head, charset)
        end = "\r" if b"\r" in head and b"\n" not in head else "\n"
        self._end = end.encode(self._wide or "ascii")
        self._piece, self._at = b"", 0
        self.number = 0

    def next(self) -> bytes:
        """The next line with its end, empty behind the last one. UnreadableError for one that can't be read."""
        line, size = bytearray(), 0
        while True:
            behind = self._behind_end()
            part = self._piece[self._at : behind]
            self._at += len(part)
            size += len(part)
            if size > MAX_BYTES:
                line.clear()
            else:
                line += part
            if behind:
                break
            self._piece, self._at = self._file.read(PIECE), 0
            if not self._piece:
                break
        self.number += bool(size)
        if size > MAX_BYTES:
            raise UnreadableError(Message("a line larger than {size} MB", size=MAX_BYTES // 1_000_000))
        return self._decoded(bytes(line))

    def _behind_end(self) -> int | None:
        """The place behind the next line end of the current piece, None if there is none."""
        width = len(self._end)
        found = self._piece.find(self._end, self._at)
        while found >= 0 and found % width:
            found = self._piece.find(self._end, found + 1)
        return found + width if found >= 0 else None

    def _decoded(self, line: bytes) -> bytes:
        try:
            if self._wide:
                return line.decode(self._wide).removeprefix("\ufeff").encode()
            line = line.removeprefix(codecs.BOM_UTF8) if self.number == 1 else line
            line.decode("utf-8")
            return line
        except UnicodeDecodeError as error:
            if self._wide:
                damage = Message(
                    "damaged {encoding} text at byte {place} of the line", encoding=self._wide, place=error.start
                )
                raise UnreadableError(damage) from error
        # to tell an encoding takes milliseconds: that a line is as the others is seen faster
        if self._page and _is_russian(text := line.decode(self._page, "replace")):
            return text.encode()
        return decode(line, self._page or self._charset).encode()


def _is_russian(text: str) -> bool:
    """Whether a third of all beyond ASCII are the commonest letters: half is in Russian, little in what is misread."""
    letters = len(text.encode()) - len(text)
    return "\ufffd" not in text and sum(map(text.count, "оеаинт")) * 3 > letters


def _wide(head: bytes) -> str:
    """The encoding, if its letters are of more than one byte also in English; else empty."""
    try:
        encoding = encoding_of(head[:4096])
    except UnreadableError:
        return ""
    if encoding == "utf-32":
        raise UnreadableError(Message("text in UTF-32: save it as UTF-8"))
    if encoding == "utf-16":
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    return encoding if encoding.startswith("utf-16") else ""


def _page(head: bytes, charset: str) -> str:
    """The code page of those lines that are not UTF-8; empty if it can't be told."""
    foreign = []
    for line in head.splitlines(keepends=True)[: -1 if len(head) == PIECE else None]:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            foreign.append(line)
    try:
        return encoding_of(b"".join(foreign)[:SIGNS_OF_TABLE], (charset,)) if foreign else ""
    except UnreadableError:
        return ""
