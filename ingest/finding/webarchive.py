"""Web archives (WARC) -> the pages and documents in them, each with the address it had and the time it was fetched.

Knows what crawlers write. Does not know what the documents say.
"""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any, BinaryIO, cast
from urllib.parse import urlsplit

from ingest.document import MAX_BYTES, Document, Missed, UnreadableError, Visit
from ingest.finding.unpacking import PIECE, TOO_LARGE, Cautious, Unpacked, whole
from ingest.formats.kinds import kind_of

_TEXTS = ("text/plain", "text/markdown", "")
_WANTED = ("text/html", "application/xhtml+xml", "application/pdf", "application/octet-stream", *_TEXTS)


def web_archive(file: BinaryIO, source: str) -> Iterator[Document | Missed]:
    """The web pages, PDF and text files that were fetched well; all other records are passed over."""
    from warcio.recordloader import ArcWarcRecordLoader

    # warcio's iterator over records prints to the terminal, and refuses a file packed in one piece; its loader does not
    stream = Unpacked(file)
    loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)
    while True:
        line = stream.readline()
        while line and not line.strip():
            line = stream.readline()
        if not line:
            return
        with _silence():
            record = loader.parse_record_stream(stream, statusline=line, known_format="warc")
        if record.length is None:
            raise UnreadableError("damaged: a record that does not say how long it is")
        found = list(_recorded(record, source))
        while record.raw_stream.read(PIECE):
            pass
        if getattr(record.raw_stream, "limit", 0):
            raise UnreadableError("cut short: there may have been more in it")
        yield from found


@contextmanager
def _silence() -> Iterator[None]:
    """What warcio finds odd in an address is not written into the user's terminal."""
    logger = logging.getLogger("warcio.recordloader")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _recorded(record: Any, source: str) -> Iterator[Document | Missed]:
    """The page or document of a record, if it is one; a crawler keeps much else, which nobody misses."""
    address = record.rec_headers.get_header("WARC-Target-URI") or ""
    path = urlsplit(address).path
    http = record.http_headers
    said = (http.get_header("Content-Type") if http else record.rec_headers.get_header("Content-Type")) or ""
    content_type = said.partition(";")[0].strip().lower()
    if (
        record.rec_type not in ("response", "resource")
        or not address.lower().startswith(("http://", "https://"))
        or (record.rec_type == "response" and (http is None or http.get_statuscode() != "200"))
        or content_type not in _WANTED
        or path == "/robots.txt"
    ):
        return
    try:
        if record.length > MAX_BYTES:
            raise UnreadableError(TOO_LARGE)
        raw = whole(record.content_stream() if http is None else _dechunked(record))
        raw = _decompressed(raw, (http.get_header("Content-Encoding") or "") if http else "")
    except UnreadableError as error:
        yield Missed(address, f"{error} (in {source})")
        return
    try:
        kind = kind_of(cast(BinaryIO, Cautious(io.BytesIO(raw))), path, said)
    except UnreadableError:
        return
    if kind in ("html", "pdf") or (kind in ("text", "markdown") and content_type in _TEXTS):
        charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", said, re.I)
        visit = Visit(address, address, _time(record.rec_headers.get_header("WARC-Date") or ""))
        yield Document(address, raw, kind, charset[1] if charset else "", visit)


def _dechunked(record: Any) -> IO[bytes]:
    """The body without the marks of its transfer."""
    from warcio.bufferedreaders import ChunkedDataReader

    chunked = (record.http_headers.get_header("Transfer-Encoding") or "").lower() == "chunked"
    return cast(IO[bytes], ChunkedDataReader(record.raw_stream) if chunked else record.raw_stream)


def _decompressed(raw: bytes, encoding: str) -> bytes:
    """The body as it was before the server compressed it; some crawlers undo that and leave the header."""
    encoding = encoding.strip().lower()
    if encoding in ("br", "zstd"):
        raise UnreadableError(f"compressed with {encoding}, which is not read here")
    for window in {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(encoding, ()):
        try:
            unpacked = zlib.decompressobj(window).decompress(raw, MAX_BYTES + 1)
        except zlib.error:
            continue
        if len(unpacked) > MAX_BYTES:
            raise UnreadableError(TOO_LARGE)
        return unpacked
    return raw


def _time(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
