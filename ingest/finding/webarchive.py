"""Web archives (WARC) -> the pages and documents in them, each with the address it had and the time it was fetched.

Knows what crawlers write. Does not know what the documents say.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from datetime import UTC
from typing import IO, Any, BinaryIO, cast
from urllib.parse import urlsplit

from ingest.document import MAX_BYTES, TOO_LARGE, Document, Failure, FetchInfo, UnreadableError
from ingest.formats import silenced
from ingest.formats.detection import claimed_charset, detect_kind
from ingest.unpacking import PIECE, DecompressedStream, read_limited
from ingest.urls import is_web_url
from language import Message, message_of
from vectorstore.timestamps import moment

_TEXTS = ("text/plain", "text/markdown", "")
_WANTED = ("text/html", "application/xhtml+xml", "application/pdf", "application/octet-stream", *_TEXTS)


def web_archive(file: BinaryIO, source: str) -> Iterator[Document | Failure]:
    """The web pages, PDF and text files that were fetched well; all other records are passed over."""
    from warcio.recordloader import ArcWarcRecordLoader

    # warcio's iterator over records prints to the terminal, and refuses a file packed in one piece; its loader does not
    stream = DecompressedStream(file)
    loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)
    while True:
        line = stream.readline()
        while line and not line.strip():
            line = stream.readline()
        if not line:
            return
        with silenced("warcio.recordloader"):  # it warns of odd addresses
            record = loader.parse_record_stream(stream, statusline=line, known_format="warc")
        if record.length is None:
            raise UnreadableError(Message("damaged: a record that does not say how long it is"))
        found = list(_recorded(record, source))
        while record.raw_stream.read(PIECE):
            pass
        if getattr(record.raw_stream, "limit", 0):
            raise UnreadableError(Message("cut short: there may have been more in it"))
        yield from found


def _recorded(record: Any, source: str) -> Iterator[Document | Failure]:
    """The page or document of a record, if it is one; a crawler keeps much else, which nobody misses."""
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    path = urlsplit(url).path
    http = record.http_headers
    header = (http.get_header("Content-Type") if http else record.rec_headers.get_header("Content-Type")) or ""
    content_type = header.partition(";")[0].strip().lower()
    if (
        record.rec_type not in ("response", "resource")
        or not is_web_url(url)
        or (record.rec_type == "response" and (http is None or http.get_statuscode() != "200"))
        or content_type not in _WANTED
        or path == "/robots.txt"
    ):
        return
    try:
        if record.length > MAX_BYTES:
            raise UnreadableError(TOO_LARGE)
        raw = read_limited(record.content_stream() if http is None else _dechunked(record))
        raw = _decompressed(raw, (http.get_header("Content-Encoding") or "") if http else "")
    except UnreadableError as error:
        yield Failure(url, Message("{reason} (in {source})", reason=message_of(error), source=source))
        return
    try:
        kind = detect_kind(io.BytesIO(raw), path, header)
    except UnreadableError:
        return
    if kind in ("html", "pdf") or (kind in ("text", "markdown") and content_type in _TEXTS):
        time = moment(record.rec_headers.get_header("WARC-Date") or "")
        fetched_at = time.astimezone(UTC).isoformat(timespec="seconds") if time else ""
        yield Document(url, raw, kind, claimed_charset(header), FetchInfo(url, url, fetched_at))


def _dechunked(record: Any) -> IO[bytes]:
    """The body without the marks of its transfer."""
    from warcio.bufferedreaders import ChunkedDataReader

    chunked = (record.http_headers.get_header("Transfer-Encoding") or "").lower() == "chunked"
    return cast(IO[bytes], ChunkedDataReader(record.raw_stream) if chunked else record.raw_stream)


def _decompressed(raw: bytes, encoding: str) -> bytes:
    """The body as it was before the server compressed it; some crawlers undo that and leave the header."""
    encoding = encoding.strip().lower()
    if encoding in ("br", "zstd"):
        raise UnreadableError(Message("compressed with {encoding}, which is not read here", encoding=encoding))
    for window in {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(encoding, ()):
        try:
            unpacked = zlib.decompressobj(window).decompress(raw, MAX_BYTES + 1)
        except zlib.error:
            continue
        if len(unpacked) > MAX_BYTES:
            raise UnreadableError(TOO_LARGE)
        return unpacked
    return raw
