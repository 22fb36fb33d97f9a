"""Files of many articles -> documents: JSON Lines, tables, archives, web archives.

Knows zip and tar, and which room reads what else. Does not know what the documents in them say, writes nothing to disk,
and holds no more of a file in memory than one document.
"""

from __future__ import annotations

import io
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from ingest.document import MAX_BYTES, TOO_LARGE, Document, Failure, UnreadableError
from ingest.finding.tables import json_lines, table
from ingest.finding.webarchive import web_archive
from ingest.formats.detection import KINDS, LINK_LISTS, ContainerKind, detect_kind
from ingest.unpacking import BOMB, BOMB_BYTES, BOMB_RATIO, BoundedReader, DecompressedStream, read_limited
from language import Message, message_of

MAX_UNPACKED_BYTES = 2_000_000_000  # of one compressed archive
MAX_NAME = 1_000  # characters of a member's name
UNNAMED_LINK_LIST = Message(
    "a feed, sitemap or list of URLs: name it as a source of its own to have its articles fetched"
)


def documents(kind: ContainerKind, file: BinaryIO, source: str, charset: str = "") -> Iterator[Document | Failure]:
    """What is in a file of many articles, in its order.

    `source` names the file for the user: its documents are "SOURCE#LINE" of lines and tables and "SOURCE!MEMBER" of
    archives, those of web archives have their own addresses. What can't be read comes as a failure, and what can be
    after it still comes.
    """
    try:
        match kind:
            case "lines":
                yield from json_lines(file, source, charset)
            case "csv":
                yield from table(file, source, charset)
            case "zip":
                yield from _zip(file, source)
            case "tar":
                yield from _tar(file, source)
            case "warc":
                yield from web_archive(file, source)
    except UnreadableError as error:
        yield Failure(source, message_of(error))
    except Exception as error:  # noqa: BLE001 - strangers' bytes trip these parsers in more ways than they name
        yield Failure(source, Message("damaged: {why}", why=message_of(error)))


def _zip(file: BinaryIO, source: str) -> Iterator[Document | Failure]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    with zipfile.ZipFile(cast(IO[bytes], BoundedReader(file))) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        packed = min(size, sum(member.compress_size for member in members))
        if unpacked > MAX_UNPACKED_BYTES or (unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * packed):
            raise UnreadableError(BOMB)
        empty = True
        # of members of one name the last is what unpacks
        for member in {member.filename: member for member in members}.values():
            name = _zip_name(member)
            if member.is_dir() or _hidden(name) or stat.S_ISLNK(member.external_attr >> 16):
                continue
            empty = False
            place = f"{source}!{_shown(name)}"
            try:
                raw = _zip_member(archive, member)
            except UnreadableError as error:
                yield Failure(place, message_of(error))
            except Exception as error:  # noqa: BLE001 - see `documents`
                yield Failure(place, Message("damaged: {why}", why=message_of(error)))
            else:
                yield from _member(place, raw)
    if empty:
        raise UnreadableError(Message("the archive holds no files"))


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.flag_bits & 1:
        raise UnreadableError(Message("protected by a password"))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # the decompressors of the others give all at once, however much that is
        raise UnreadableError(Message("packed in an unusual way: make an ordinary zip of it"))
    if member.file_size > MAX_BYTES:
        raise UnreadableError(TOO_LARGE)
    with archive.open(member) as stream:
        return read_limited(stream)


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the mark for UTF-8 it may be in the code page of any Windows or DOS."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    try:
        raw = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for page in ("utf-8", "cp866", "cp1251"):
        try:
            name = raw.decode(page)
        except UnicodeDecodeError:
            continue
        if page == "utf-8" or _is_sense(name):
            return name
    return member.filename


def _is_sense(name: str) -> bool:
    """Whether a name is Cyrillic, not German or French in a wrong code page: no word mixes the two."""
    foreign = [letter for letter in name if not letter.isascii()]
    words = re.findall(r"[^\W\d_]+", name)
    return all(letter.isalpha() or letter in "№«»–—" for letter in foreign) and all(
        word.isascii() or not re.search("[A-Za-z]", word) for word in words
    )


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while member := archive.next():
        archive.members.clear()  # type: ignore[attr-defined] # it keeps them all else
        yield member


def _tar(file: BinaryIO, source: str) -> Iterator[Document | Failure]:
    with tarfile.open(fileobj=DecompressedStream(file, MAX_UNPACKED_BYTES), mode="r:") as archive:
        last = {member.name: member.offset for member in _members(archive)}
    file.seek(0)
    stream = DecompressedStream(file, MAX_UNPACKED_BYTES)
    empty = True
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in _members(archive):
            # of members of one name the last is what unpacks
            if not member.isfile() or _hidden(member.name) or member.offset != last[member.name]:
                continue
            empty = False
            place = f"{source}!{_shown(member.name)}"
            if member.size > MAX_BYTES:
                yield Failure(place, TOO_LARGE)
            elif member.issparse():
                yield Failure(place, Message("a file with holes: pack it in an ordinary way"))
            elif content := archive.extractfile(member):
                with content:
                    raw = read_limited(content)
                yield from _member(place, raw)
    # the module takes a damaged header for the end, which is a block of zeros
    if not stream.last or stream.last.strip(b"\0"):
        raise UnreadableError(Message("damaged or cut short: there may have been more in it"))
    if empty:
        raise UnreadableError(Message("the archive holds no files"))


def _member(source: str, raw: bytes) -> Iterator[Document | Failure]:
    """What one member of an archive holds. No archives, and no lists of addresses: nobody named those."""
    try:
        kind = detect_kind(io.BytesIO(raw), source)
    except UnreadableError as error:
        yield Failure(source, message_of(error))
        return
    if kind in KINDS:
        yield Document(source, raw, kind)
    elif kind == "lines" or kind == "csv":
        yield from documents(kind, io.BytesIO(raw), source)
    elif kind in LINK_LISTS:
        yield Failure(source, UNNAMED_LINK_LIST)
    else:
        yield Failure(source, Message("an archive in an archive: unpack it first"))


def _hidden(name: str) -> bool:
    parts = [part for part in re.split(r"[/\\]", name) if part not in (".", "..")]
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _shown(name: str) -> str:
    """A member's name as it can be stored and printed: it is only a name here, never a path."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)[:MAX_NAME]
