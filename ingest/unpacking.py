"""Reads compressed files once from their start to their end, in bounded memory, and sees when one is a trap.

Knows gzip, bzip2 and xz. Does not know what is packed in them.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import IO, BinaryIO, Literal

from ingest.document import MAX_BYTES, TOO_LARGE, UnreadableError
from language import Message

# Text shrinks to a fifth, a table of contents or a log to a fiftieth, nothing but a bomb to less than this.
BOMB_BYTES, BOMB_RATIO = 100_000_000, 200
BOMB = Message("unpacked it is out of all proportion to its size: an archive made to fill up memory or disk")
PIECE = 1 << 20  # bytes read at once
HEAD_BYTES = 512  # unpacked, to see what is in a file
MAX_CONTENTS_BYTES = 20_000_000  # a zip's own list of its members, some 200,000

Packing = Literal["gzip", "bzip2", "xz"]
MARKS: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}


def packing_of(head: bytes) -> Packing | None:
    """What a file is packed with, by its first bytes; None if it is not."""
    return next((MARKS[mark] for mark in MARKS if head.startswith(mark)), None)


def unpacked_head(raw: bytes, packing: Packing) -> bytes:
    """The first HEAD_BYTES of what was packed, whatever it would become; empty if it is damaged."""
    try:
        if packing == "gzip":
            return zlib.decompressobj(31).decompress(raw, HEAD_BYTES)
        if packing == "bzip2":
            return bz2.BZ2Decompressor().decompress(raw, HEAD_BYTES)
        return lzma.LZMADecompressor(memlimit=BOMB_BYTES).decompress(raw, HEAD_BYTES)
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        return b""


def read_limited(stream: IO[bytes]) -> bytes:
    """All there is to read. UnreadableError if that is more than a document may be."""
    parts, size = [], 0
    while part := stream.read(PIECE):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise UnreadableError(TOO_LARGE)
    return b"".join(parts)


class BoundedReader(io.RawIOBase):
    """A file of which only so much is read at once: a zip's own list of its members might fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place, as in any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The current place."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """The next bytes. UnreadableError if they are more than such a list may have."""
        data = self._file.read(MAX_CONTENTS_BYTES + 1 if size < 0 else min(size, MAX_CONTENTS_BYTES + 1))
        if len(data) > MAX_CONTENTS_BYTES:
            raise UnreadableError(Message("an archive of too many files: unpack it first"))
        return data


class _Xz(io.RawIOBase):
    """An xz file unpacked with bounded memory: the module's own reader takes what the file asks for, up to 4 GB."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = self._new()

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=BOMB_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while True:
            fed = b""
            if self._decoder.eof:
                fed = self._decoder.unused_data.lstrip(b"\0") or self._file.read(PIECE).lstrip(b"\0")
                if not fed:
                    return 0
                self._decoder = self._new()
            elif self._decoder.needs_input:
                fed = self._file.read(1 << 16)
                if not fed:
                    raise EOFError(Message("cut short"))
            data = self._decoder.decompress(fed, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)


class DecompressedStream(io.RawIOBase):
    """A file read once from its start to its end, unpacked if it is packed, and never led into a bomb."""

    def __init__(self, file: BinaryIO, limit: float = float("inf")) -> None:
        head = file.read(6)
        file.seek(0)
        self._packed = file
        self._limit = limit
        self._stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File | io.BufferedReader = file
        match packing_of(head):
            case "gzip":
                self._stream = gzip.GzipFile(fileobj=file)
            case "bzip2":
                self._stream = bz2.BZ2File(file)
            case "xz":
                self._stream = io.BufferedReader(_Xz(file), PIECE)
        self._position = 0
        self.last = b""  # what was read last

    def tell(self) -> int:
        """Bytes unpacked so far."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """The next bytes, fewer only at the end."""
        if not 0 <= size <= MAX_BYTES:
            raise UnreadableError(Message("damaged: it names a part of itself that is too large"))
        return self._counted(self._stream.read(size))

    def readline(self, size: int | None = -1) -> bytes:
        """The next line with its end; it may not be longer than PIECE."""
        line = self._counted(self._stream.readline(PIECE if size is None or size < 0 else min(size, PIECE)))
        if len(line) == PIECE:
            raise UnreadableError(Message("damaged: a line of its headers has no end"))
        return line

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes on to a place, by reading up to it; gives where that led."""
        if whence != io.SEEK_SET or offset < self._position:
            raise UnreadableError(Message("damaged: it leads back into itself"))
        while self._position < offset and self.read(min(PIECE, offset - self._position)):
            pass
        return self._position

    def _counted(self, data: bytes) -> bytes:
        self._position += len(data)
        self.last = data
        if self._stream is not self._packed and (
            self._position > self._limit
            or (self._position > BOMB_BYTES and self._position > BOMB_RATIO * self._packed.tell())
        ):
            raise UnreadableError(BOMB)
        return data
