"""What a file is, told by its bytes; its name only decides between kinds of text.

Knows signatures, and the names of what can't be read. Does not know how anything is read.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import BinaryIO, Literal, cast, get_args
from urllib.parse import urlsplit

from ingest.document import MAX_BYTES, TOO_LARGE, DocumentKind, UnreadableError
from ingest.formats.decoding import BinaryError, encoding_of, no_binary, own_charset
from ingest.formats.plaintext import HTML
from ingest.unpacking import BoundedReader, Packing, packing_of, unpacked_head
from ingest.urls import is_web_url
from language import Message, message_of

# What is no document itself: files of many articles, and files that name the addresses of articles.
ContainerKind = Literal["lines", "csv", "zip", "tar", "warc"]
LinkListKind = Literal["feed", "sitemap", "addresses"]
FileKind = DocumentKind | ContainerKind | LinkListKind
KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
CONTAINERS: tuple[ContainerKind, ...] = get_args(ContainerKind)
LINK_LISTS: tuple[LinkListKind, ...] = get_args(LinkListKind)

HEAD_BYTES = 262_144
PROBE_BYTES = 1_000_000  # of a packed file, to see what is in it

OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What text can begin with is looked for first: `puremagic` takes "BM" for a picture. The rest it names.
BINARY = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"OggS\0", b"ID3\x02", b"ID3\x03", b"ID3\x04"),
    *(b"fLaC\0", b"\x7fELF", b"wOFF", b"wOF2", b"\0\x01\0\0\0", b"OTTO\0", b"\x1aE\xdf\xa3"),
    *(b"7z\xbc\xaf", b"Rar!\x1a"),
    *(b"SQLite format 3\0", b"II*\0", b"MM\0*", b"\0\0\x01\0"),
)
# what an office file holds at this place -> what it is and what to do
ZIPPED = {
    "xl/workbook.xml": Message("a spreadsheet: save the sheet as .csv"),
    "xl/workbook.bin": Message("a spreadsheet: save the sheet as .csv"),
    "ppt/presentation.xml": Message("a presentation: save it as .pdf"),
    "visio/document.xml": Message("a Visio drawing: save it as .pdf"),
    "Index/Document.iwa": Message("an Apple Pages, Numbers or Keynote file: save it as .docx or .pdf"),
    "AndroidManifest.xml": Message("a program, not text"),
    "META-INF/MANIFEST.MF": Message("a program, not text"),
}
OPEN_DOCUMENT = {
    "spreadsheet": Message("a spreadsheet: save the sheet as .csv"),
    "presentation": Message("a presentation: save it as .pdf"),
    "graphics": Message("a drawing: save it as .pdf"),
    "chart": Message("a chart, not text"),
    "formula": Message("a formula, not text"),
    "database": Message("a database, not text"),
    "image": Message("a picture, not text"),
}
# streams of an old Office file, as its directory names them
STREAMS = {
    "EncryptedPackage": Message("protected by a password"),
    "WordDocument": Message("an old Word file: save it as .docx"),
    "Workbook": Message("an old Excel file: save the sheet as .csv"),
    "Book": Message("an old Excel file: save the sheet as .csv"),
    "PowerPoint Document": Message("an old presentation: save it as .pdf"),
    "__properties_version1.0": Message("an Outlook message: save it as .eml"),
}
# by the end of its name, text that is no article
NOT_ARTICLES = {
    ".css": Message("a style sheet, not an article"),
    ".js": Message("a program, not an article"),
    ".mjs": Message("a program, not an article"),
    ".map": Message("a program's map, not an article"),
}

FIRST_ELEMENT = re.compile(
    r"\s*+(?:(?:<!--(?:(?!-->).)*+-->|<\?[^>]*+>|<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\]\s*+)?>)\s*+)*+<(?:[\w.-]++:)?([\w.-]++)",
    re.I | re.S,
)
SAYS_XML = re.compile(r"\s*<\?xml\b|\s*<!DOCTYPE\s+(?!html)", re.I)
TAGS = re.compile(
    r"<(?:p|div|span|h[1-6]|article|section|table|title|meta|br|ul|ol|a|b|i|img|center)\b[^<]{0,2000}>", re.I
)
HEADER = re.compile(r"([!-9;-~]{1,76}):(?:[ \t].*)?")
MAIL_HEADERS = {
    *("from", "to", "cc", "subject", "date", "message-id", "mime-version", "received", "return-path", "reply-to"),
    *("delivered-to", "sender", "in-reply-to", "references", "content-type", "content-transfer-encoding", "x-mailer"),
    *("dkim-signature", "list-id", "snapshot-content-location"),
}
ADDRESS = re.compile(r"https?://\S+", re.I)
CONTENT_TYPES = {
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/x-ndjson": ".jsonl",
    "application/ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/json": ".json",
    "application/ld+json": ".json",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "message/rfc822": ".eml",
    "multipart/related": ".mht",
    "application/x-mimearchive": ".mht",
    "text/css": ".css",
    "text/javascript": ".js",
    "application/javascript": ".js",
}
BY_NAME: dict[str, FileKind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "lines",
    ".ndjson": "lines",
}


def detect_kind(file: BinaryIO, name: str, content_type: str = "") -> FileKind:
    """What a file is, a document, a container of several or a list of links. The file is left at its beginning.

    `name` is a file name or an address, `content_type` what a server said; both only decide where bytes do not.
    UnreadableError, with what it is, if it is nothing that is read here, is empty, or is a document over MAX_BYTES.
    """
    try:
        kind = _kind(cast(BinaryIO, BoundedReader(file)), _ending(name, content_type), content_type)
        if kind in KINDS and file.seek(0, io.SEEK_END) > MAX_BYTES:
            raise UnreadableError(TOO_LARGE)
        return kind
    finally:
        file.seek(0)


def _kind(file: BinaryIO, ending: str, content_type: str) -> FileKind:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head.strip():
        _refuse_blank(file)
    if packing := packing_of(head):
        return _packed(file, packing)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zipped(file)
    if head.startswith(OLD_OFFICE):
        raise UnreadableError(_old_office(file, head))
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith(b"WARC/"):
        return "warc"
    if head[257:262] == b"ustar":
        return "tar"
    if re.search(rb"(?:^|[\r\n\0])%PDF-\d", head[:1024]):
        return "pdf"
    if head.startswith(b"%!PS"):
        raise UnreadableError(Message("a PostScript file: save it as .pdf"))
    if head.startswith(BINARY):
        raise UnreadableError(_named(head))
    if _is_mail(head, ending):  # its parts may be in any encoding
        return "mail"
    text = _text(head, content_type)
    return _marked_up(text, ending) or _of_text(text, ending, whole=len(head) < HEAD_BYTES)


def _ending(name: str, content_type: str) -> str:
    path = urlsplit(name).path if is_web_url(name) else name
    found = re.search(r"\.[a-z0-9]{1,8}$", path.strip(), re.I)
    ending = found[0].lower() if found else ""
    declared = CONTENT_TYPES.get(content_type.partition(";")[0].strip().lower(), "")
    # ".php" and ".aspx" say nothing about what came
    return ending if ending in BY_NAME or ending in (".txt", ".json", ".html", ".htm", ".eml") else declared or ending


def _refuse_blank(file: BinaryIO) -> None:
    """Blank so far: it is empty, or the head of something too strange to be text."""
    while piece := file.read(HEAD_BYTES):
        if piece.strip():
            raise UnreadableError(Message("nothing but blanks in its first {size} KB", size=HEAD_BYTES // 1024))
    raise UnreadableError(Message("empty"))


def _packed(file: BinaryIO, packing: Packing) -> ContainerKind:
    file.seek(0)
    inside = unpacked_head(file.read(PROBE_BYTES), packing)
    if inside.startswith(b"WARC/") and packing == "gzip":
        return "warc"
    if inside[257:262] == b"ustar":
        return "tar"
    raise UnreadableError(Message("packed with {packing}: unpack it first", packing=packing))


def _zipped(file: BinaryIO) -> FileKind:
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            declared = ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        damage = Message("a damaged ZIP archive or office file: {why}", why=message_of(error))
        raise UnreadableError(damage) from error
    if "word/document.xml" in names:
        return "docx"
    if declared == "application/epub+zip" or ("META-INF/container.xml" in names and "mimetype" in names):
        return "epub"
    if declared.startswith("application/vnd.oasis.opendocument."):
        what = declared.rpartition(".")[2].removesuffix("-template").removesuffix("-master")
        if what == "text":
            return "odt"
        raise UnreadableError(OPEN_DOCUMENT.get(what, Message("an OpenDocument file that is not a text")))
    for place, reason in ZIPPED.items():
        if place in names:
            raise UnreadableError(reason)
    return "zip"


def _old_office(file: BinaryIO, head: bytes) -> Message:
    """By the names in its directory, which stands at a sector of its own (Microsoft's Compound File Binary Format)."""
    directory = b""
    shift, sector = int.from_bytes(head[30:32], "little"), int.from_bytes(head[48:52], "little")
    if shift in (9, 12):
        file.seek((sector + 1) << shift)
        directory = file.read(8192)
    for stream, reason in STREAMS.items():
        if stream.encode("utf-16-le") + b"\0\0" in directory:
            return reason
    return Message("an old Office file: save it as .docx or .pdf")


def _is_mail(head: bytes, ending: str) -> bool:
    text = head[:65_536].lstrip(b"\xef\xbb\xbf\r\n").decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    if re.match(r"From \S+@\S+ .*\n", text):
        raise UnreadableError(Message("a mailbox of many mails: save each one as .eml"))
    known: set[str] = set()
    for line in text.split("\n"):
        if not line.strip():
            break
        if line[0] in " \t" and known:
            continue
        found = HEADER.fullmatch(line)
        if not found:
            return False
        if found[1].lower() in MAIL_HEADERS:
            known.add(found[1].lower())
    return len(known) >= (1 if ending in (".eml", ".mht", ".mhtml") else 2)


def claimed_charset(content_type: str) -> str:
    """The charset that a Content-Type header names; empty if it names none."""
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type, re.I)
    return found[1] if found else ""


def _text(head: bytes, content_type: str) -> str:
    try:
        encoding = encoding_of(head, (claimed_charset(content_type), own_charset(head)))
        return no_binary(head.decode(encoding, "replace"))  # the end may be half a letter
    except BinaryError as error:
        raise UnreadableError(_named(head)) from error


def _named(head: bytes) -> Message:
    """What binary bytes are, in words."""
    import puremagic

    if head.startswith(b"MZ") and b"\0" in head[:100]:
        return Message("a Windows program, not text")
    if head[60:68] == b"BOOKMOBI":
        return Message("a Kindle book: save it as .epub")
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        found = []
    # two bytes that fit prove nothing; what has a registered type is what it is rather than some program's own data
    likely = [match for match in found if len(match.byte_match.strip(b"\0")) > 2 and match.name]
    likely.sort(key=lambda match: not match.mime_type)
    if not likely:
        return Message("binary, or text in an encoding that can't be told: save it as UTF-8")
    ending, family = likely[0].extension.lstrip(".").upper(), str(likely[0].mime_type).partition("/")[0]
    ending = "JPEG" if ending in ("JFIF", "JPE", "JPG") else ending
    match family:
        case "image" if ending:
            return Message("a picture ({kind}), not text", kind=ending)
        case "audio" if ending:
            return Message("a recording ({kind}), not text", kind=ending)
        case "video" if ending:
            return Message("a film ({kind}), not text", kind=ending)
        case "font" if ending:
            return Message("a font ({kind}), not text", kind=ending)
    return Message("binary, not text: “{name}”", name=likely[0].name.strip()[:80])


def _marked_up(text: str, ending: str) -> FileKind | None:
    text = text.lstrip("\ufeff")
    if HTML.match(text):
        return "html"
    if ending in NOT_ARTICLES:
        raise UnreadableError(NOT_ARTICLES[ending])
    element = FIRST_ELEMENT.match(text[:100_000])
    if element:
        name = element[1].lower()
        if name in ("rss", "feed") or (name == "rdf" and "purl.org/rss" in text[:5000]):
            return "feed"
        if name in ("urlset", "sitemapindex"):
            return "sitemap"
        if name == "html":
            return "html"
        if name == "svg":
            raise UnreadableError(Message("a picture (SVG), not text"))
        if SAYS_XML.match(text) or "xmlns" in text[element.start() : element.end() + 300]:
            raise UnreadableError(
                Message("XML that is not read here (it begins with <{element}>)", element=element[1][:40])
            )
    elif SAYS_XML.match(text):
        raise UnreadableError(Message("XML that is not read here"))
    if ending in (".html", ".htm", ".xhtml", ".xht", ".shtml") and TAGS.search(text):
        return "html"
    return None


def _of_text(text: str, ending: str, *, whole: bool) -> FileKind:
    if ending in BY_NAME:
        return BY_NAME[ending]
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    lines = [line for line in (lines if whole else lines[:-1]) if line]
    if ending == ".json":
        return _json(lines)
    entries = [line for line in lines if not line.startswith("#")]
    if entries and all(map(ADDRESS.fullmatch, entries)):
        return "addresses"
    return "text"


def _json(lines: Sequence[str]) -> FileKind:
    import json

    if not lines or not lines[0].startswith(("{", "[")):
        return "record"  # whose reader says what is wrong with it
    if lines[0].startswith("["):
        raise UnreadableError(Message("a list of JSON objects: write one a line, and name the file .jsonl"))
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        return "record"
    return "lines" if isinstance(first, dict) and len(lines) > 1 and lines[1].startswith("{") else "record"
