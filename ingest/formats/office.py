"""Word files, OpenDocument texts, e-books and RTF -> their text and what their properties say.

Knows these formats and the archives they are packed in. Does not know mail, PDF or pages of the web.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ingest.document import BlockPlace, Document, Extract, UnreadableError
from ingest.formats.blocks import Piece, joined, questions_and_updates
from ingest.formats.dates import found_day
from ingest.formats.decoding import plain
from ingest.formats.office_blocks import OFFICE, odt_blocks, odt_left_out, word_blocks, word_left_out
from ingest.formats.properties import author_of, language_of, title_of
from language import Message, message_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


MAX_UNPACKED = 200_000_000  # bytes of all that an office file holds
MAX_RATIO, RATIO_BYTES = 200, 20_000_000  # what shrinks so much and is so large is a bomb; text shrinks to a tenth
MAX_MEMBERS = 20_000
MAX_CHARACTERS = 20_000_000

META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
OPF = "{http://www.idpf.org/2007/opf}"
MANIFEST = "META-INF/manifest.xml"

TEMPLATE_DATE = "2013-12-23"  # of the empty file that python-docx and others begin with


def read_docx(document: Document) -> Extract:
    """A Word file: paragraphs and tables in their order, without what was deleted, hidden or commented."""
    import docx
    from docx.opc.exceptions import OpcError

    with _opened(document.raw) as archive:
        _refuse_entities(archive, "word/document.xml", "docProps/core.xml")
        stated = "docProps/core.xml" in archive.namelist()
    try:
        opened = docx.Document(BytesIO(document.raw))
    except (OpcError, KeyError) as error:
        raise UnreadableError(Message("a damaged Word file: {why}", why=message_of(error))) from error
    except ValueError as error:  # its main part has another type
        raise UnreadableError(Message("a Word template, or a file with macros: save it as .docx")) from error
    styles = {str(style.style_id): str(style.name) for style in opened.styles}
    blocks = [*word_blocks(opened.element.body, styles)]
    properties = opened.core_properties
    title = title_of(properties.title)
    if not title and blocks and blocks[0].is_title:
        title = blocks.pop(0).words
    title = title or next((block.words for block in blocks if block.is_title), "")
    text, parts = _text(block.piece for block in blocks)
    # without the part that holds them the library makes some of its own
    made_on = found_day(properties.created.isoformat()) if stated and properties.created else ""
    modified = found_day(properties.modified.isoformat()) if stated and properties.modified else ""
    return Extract(
        text=text,
        blocks=parts,
        title=" ".join(title.split()),
        author=author_of(properties.author),
        made=made_on if made_on != TEMPLATE_DATE else "",
        modified=modified if modified not in (made_on, TEMPLATE_DATE) else "",
        left_out=word_left_out(opened.element.body),
        lang=language_of(properties.language),
        extractor=f"python-docx {version('python-docx')}",
    )


def read_odt(document: Document) -> Extract:
    """An OpenDocument text: headings, paragraphs, lists and tables in their order."""
    with _opened(document.raw) as archive:
        names = archive.namelist()
        if MANIFEST in names and b"encryption-data" in archive.read(MANIFEST):
            raise UnreadableError(Message("protected by a password"))
        body = _xml(archive, "content.xml").find(f".//{OFFICE}text")
        if body is None:
            raise UnreadableError(Message("a damaged OpenDocument text: it has no text part"))
        about = _xml(archive, "meta.xml").find(f".//{OFFICE}meta") if "meta.xml" in names else None
    blocks = [*odt_blocks(body)]
    title = title_of(_property(about, DUBLIN_CORE + "title"))
    if not title and blocks and blocks[0].is_title:
        title = " ".join(blocks.pop(0).words.split())
    text, parts = _text(block.piece for block in blocks)
    made_on = found_day(_property(about, META + "creation-date"))
    modified = found_day(_property(about, DUBLIN_CORE + "date"))
    return Extract(
        text=text,
        blocks=parts,
        title=title,
        author=author_of(_property(about, META + "initial-creator") or _property(about, DUBLIN_CORE + "creator")),
        made=made_on,
        modified=modified if modified != made_on else "",
        left_out=odt_left_out(body),
        lang=language_of(_property(about, DUBLIN_CORE + "language")),
        extractor="viadoma odt 1",
    )


def read_epub(document: Document) -> Extract:
    """An e-book: its chapters in the order in which they are read."""
    from ingest.formats import web

    with _opened(document.raw) as archive:
        names = set(archive.namelist())
        package = _package(archive)
        book = _xml(archive, package)
        locked = _locked(archive) if "META-INF/encryption.xml" in names else set()
        items = {item.get("id"): item for item in book.iter(OPF + "item")}
        chapters: list[Piece] = []
        for reference in book.iter(OPF + "itemref"):
            item = items.get(reference.get("idref"))
            if item is None or item.get("media-type") not in ("application/xhtml+xml", "text/html"):
                continue
            place = posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(item.get("href") or "")))
            if place in locked:
                raise UnreadableError(Message("protected against copying (DRM)"))
            if place not in names:
                raise UnreadableError(Message("a damaged e-book: {name} is missing", name=place[:80]))
            raw = archive.read(place)
            if raw.strip() and "nav" not in (item.get("properties") or "").split():
                chapters += web.visible_pieces(_as_html(web.page_text(raw)), ".//head")
    about = book.find(f"{OPF}metadata")
    modified = "".join(
        part.text or "" for part in book.iter(OPF + "meta") if part.get("property") == "dcterms:modified"
    )
    text, parts = _text(chapters)
    return Extract(
        text=text,
        blocks=parts,
        title=title_of(_property(about, DUBLIN_CORE + "title")),
        publisher=_property(about, DUBLIN_CORE + "publisher"),
        author=author_of(_property(about, DUBLIN_CORE + "creator")),
        published=found_day(_property(about, DUBLIN_CORE + "date")),
        modified=found_day(modified),
        lang=language_of(_property(about, DUBLIN_CORE + "language")),
        licence=_property(about, DUBLIN_CORE + "rights"),
        extractor="viadoma epub 1",
    )


def read_rtf(document: Document) -> Extract:
    """Rich Text Format: its text, whatever the code pages of its fonts."""
    found = re.search(rb"\\ansicpg(\d{3,5})", document.raw[:4096])
    page = f"cp{found[1].decode()}" if found and found[1] != b"65001" else "cp1252"
    try:
        source = document.raw.decode(page, "replace")
    except LookupError:
        source = document.raw.decode("cp1252", "replace")
    # the library looks for links in a way that can take for ever on one long line; without them it reads the same text
    text = _rtf_words(source.replace("HYPERLINK", "hyperlink "), page)
    text = re.sub(r"[ \t\xa0]+\n", "\n", plain(text).replace("\xad", "").replace("\0", ""))
    if text.count("\ufffd") * 100 > len(text):
        raise UnreadableError(Message("its code pages do not fit its letters: save it as .docx"))
    text, parts = _text(("paragraph", line) for line in text.split("\n"))
    return Extract(
        text=text,
        blocks=parts,
        title=title_of(_rtf_property(source, "title", page)),
        author=author_of(_rtf_property(source, "author", page)),
        made=_rtf_date(source, "creatim"),
        modified=_rtf_date(source, "revtim"),
        extractor=f"striprtf {version('striprtf')}",
    )


@contextmanager
def _opened(raw: bytes) -> Iterator[zipfile.ZipFile]:
    """An office file's archive, once its directory has shown that it is no bomb."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            _refuse_bomb(archive)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise UnreadableError(Message("a damaged file: {why}", why=message_of(error))) from error
    except RuntimeError as error:  # zipfile's word for a member with a password
        raise UnreadableError(Message("protected by a password")) from error


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    """UnreadableError if an archive, by its directory, would become too large; nothing is unpacked for that."""
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > MAX_UNPACKED or len(members) > MAX_MEMBERS:
        raise UnreadableError(Message("unpacked it would be larger than {size} MB", size=MAX_UNPACKED // 1_000_000))
    if unpacked > RATIO_BYTES and unpacked > MAX_RATIO * max(packed, 1):
        raise UnreadableError(
            Message("it unpacks to more than {count} times its size: made to do harm", count=MAX_RATIO)
        )


def _refuse_entities(archive: zipfile.ZipFile, *names: str) -> None:
    present = set(archive.namelist())
    for name in names:
        if name in present and b"<!ENTITY" in archive.read(name).replace(b"\0", b""):  # in UTF-16 too
            raise UnreadableError(Message("its XML defines entities of its own, which no such file needs"))


def _xml(archive: zipfile.ZipFile, name: str) -> Element:
    """The tree of a part; entities and the network are off, and so is nesting deeper than 256."""
    from lxml import etree

    _refuse_entities(archive, name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        return etree.fromstring(archive.read(name), parser)
    except etree.XMLSyntaxError as error:
        if str(error).startswith(("unknown error", "Memory allocation")):  # no room left even for the complaint
            raise MemoryError from error
        damage = Message("damaged: {name} is not XML ({why})", name=posixpath.basename(name), why=message_of(error))
        raise UnreadableError(damage) from error


def _text(pieces: Iterable[Piece]) -> tuple[str, tuple[BlockPlace, ...]]:
    text, blocks = joined(questions_and_updates([*pieces]))
    if len(text) > MAX_CHARACTERS:
        raise UnreadableError(Message("more than {count} million characters", count=MAX_CHARACTERS // 1_000_000))
    if not text:
        raise UnreadableError(Message("no text in it"))
    return text, blocks


def _package(archive: zipfile.ZipFile) -> str:
    for place in _xml(archive, "META-INF/container.xml").iter("{*}rootfile"):
        if path := place.get("full-path"):
            return str(path)
    raise UnreadableError(Message("a damaged e-book: it does not say where its contents are"))


def _locked(archive: zipfile.ZipFile) -> set[str]:
    tree = _xml(archive, "META-INF/encryption.xml")
    return {unquote(part.get("URI") or "") for part in tree.iter("{*}CipherReference")}


def _as_html(source: str) -> str:
    """A chapter as a page: whatever it is declared to be, it is read as HTML, which defines no entities of its own."""
    return re.sub(
        r"^\s*(<\?xml[^>]*>)?\s*(<!DOCTYPE[^>\[]*(\[[^\]]*\]\s*)?>)?", "<!doctype html>", source, count=1, flags=re.I
    )


def _property(about: Element | None, name: str) -> str:
    found = about.find(name) if about is not None else None
    return " ".join(plain("".join(found.itertext())).split())[:500] if found is not None else ""


def _rtf_words(source: str, page: str) -> str:
    from striprtf import striprtf

    convert: Callable[..., str] = striprtf.rtf_to_text
    return convert(source, encoding=page, errors="replace")


def _rtf_property(source: str, name: str, page: str) -> str:
    head = source[:100_000]
    found = re.search(r"\{\\info\b", head)
    pattern = re.compile(rf"\{{\\{name}\b ?((?:[^{{}}\\]|\\[^{{}}]|\\[{{}}])*)\}}")
    value = pattern.search(head, found.end()) if found else None
    # striprtf leaves properties out: read alone, the value is text
    return _rtf_words(f"{{\\rtf1 {value[1]}}}", page).strip() if value else ""


def _rtf_date(source: str, name: str) -> str:
    found = re.search(rf"\\{name}\\yr(\d{{4}})\\mo(\d{{1,2}})\\dy(\d{{1,2}})", source[:100_000])
    return found_day(f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}") if found else ""
