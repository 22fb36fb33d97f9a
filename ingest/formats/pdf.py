"""A PDF -> its text in paragraphs, and what its metadata says.

Knows PDF (through pypdf) and how printed lines become paragraphs. Does not see pictures: what was scanned has to be
recognised by another program first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from statistics import median
from typing import TYPE_CHECKING, Any

from ingest.document import Document, Extract, UnreadableError
from ingest.formats.dates import found_day
from ingest.formats.decoding import plain
from ingest.formats.properties import author_of, title_of
from language import Message, message_of

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES = 5_000
MAX_CHARACTERS = 20_000_000
TAIL_BYTES = 65_536  # the end of a file is marked within these, whatever a server has added
EDGE_LINES = 2  # so many lines at the head and the foot of a page may be the same on most pages
LETTERS_A_PAGE = 12  # a scan may still bear a page number or a stamp

LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
SENTENCE_END = re.compile(r"[.!?…:;]['\"»”’)\]]*$")
LIST_ITEM = re.compile(r"\s*(?:[-*•–—▪]|\d{1,3}[.)])\s")
NO_LETTER = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]|\\(cid:\\d+\\)|/g\\d+|/[cC]\\d+")
# programs that print what a screen shows: their date is the day of printing, not of the article
PRINTERS = re.compile(r"skia|chrom|firefox|mozilla|quartz|print to pdf|wkhtmltopdf|cairo|webkit|pdfcreator|scan", re.I)


def read(document: Document) -> Extract:
    """The text of all pages. UnreadableError if there is none, or it is locked, damaged or endless."""
    import pypdf
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = _open(document.raw)
        pages = _pages(reader)
        text = _paragraphs(pages)
        properties = _properties(reader)
    except DependencyError as error:
        raise UnreadableError(Message("encrypted in a way that is not read here")) from error
    except (PyPdfError, RecursionError, KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(Message("a damaged PDF: {why}", why=message_of(error))) from error
    if len(re.findall(r"[^\W\d_]", text)) < LETTERS_A_PAGE * min(len(pages), 20):
        raise UnreadableError(Message("no text layer: it seems to be scanned; run OCR first"))
    if len("".join(NO_LETTER.findall(text))) * 5 > len(text):
        raise UnreadableError(Message("its fonts do not say which letters they show; run OCR first"))
    return Extract(text=text, extractor=f"pypdf {pypdf.__version__}", **properties)


def _open(raw: bytes) -> PdfReader:
    from pypdf import PdfReader

    if b"%%EOF" not in raw[-TAIL_BYTES:].rstrip(b"\0"):
        raise UnreadableError(Message("a damaged PDF: its end is missing"))
    reader = PdfReader(BytesIO(raw), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableError(Message("protected by a password"))
    return reader


def _pages(reader: PdfReader) -> list[list[str]]:
    """The lines of each page, without what stands at the head or foot of most of them."""
    if len(reader.pages) > MAX_PAGES:
        raise UnreadableError(Message("more than {count} pages", count=MAX_PAGES))
    pages: list[list[str]] = []
    characters = 0
    for page in reader.pages:
        text = plain(page.extract_text()).replace("\xad\n", "-\n").replace("\xad", "").translate(LIGATURES)
        characters += len(text)
        if characters > MAX_CHARACTERS:
            raise UnreadableError(Message("more than {count} million characters", count=MAX_CHARACTERS // 1_000_000))
        pages.append([line.strip() for line in text.split("\n")])
    if not pages:
        raise UnreadableError(Message("a damaged PDF: it has no pages"))
    return _without_running_lines(pages)


def _without_running_lines(pages: list[list[str]]) -> list[list[str]]:
    if len(pages) < 3:
        return pages
    seen: Counter[str] = Counter()
    for lines in pages:
        seen.update({_shape(lines[at]) for at in _edges(lines)})
    running = {shape for shape, count in seen.items() if count * 2 > len(pages)}
    kept = []
    for lines in pages:
        drop = {at for at in _edges(lines) if _shape(lines[at]) in running}
        kept.append([line for at, line in enumerate(lines) if at not in drop])
    return kept


def _edges(lines: Sequence[str]) -> list[int]:
    """The places of the first and last lines that are not blank."""
    full = [at for at, line in enumerate(lines) if line]
    return [*full[:EDGE_LINES], *full[EDGE_LINES:][-EDGE_LINES:]]


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line)


def _paragraphs(pages: Sequence[Sequence[str]]) -> str:
    """Lines -> paragraphs a blank line apart. A line well short of the others that ends a sentence ends a paragraph."""
    lengths = [len(line) for lines in pages for line in lines if len(line) > 20]
    full = median(lengths) if lengths else 0
    blocks: list[str] = []
    open_block = ""
    for lines in pages:
        before = ""
        for line in "\n".join(lines).strip("\n").split("\n"):  # a page's own end is no paragraph's
            ends = SENTENCE_END.search(open_block[-10:])
            if not line:
                if before and (ends or len(before) < 0.6 * full):
                    blocks.append(open_block)
                    open_block = ""
            elif open_block and ((ends and len(before) < 0.8 * full) or LIST_ITEM.match(line)):
                blocks.append(open_block)
                open_block = line
            else:
                open_block = _joined(open_block, line)
            before = line or before
    return "\n\n".join(block for block in [*blocks, open_block] if block.strip())


def _joined(block: str, line: str) -> str:
    """A word that is parted at the end of a line is put together, if it goes on in small letters."""
    if not block:
        return line
    if len(block) > 1 and block[-1] in "-‐" and block[-2].isalpha() and line[0].islower():
        return block[:-1] + line
    return f"{block} {line}"


def _properties(reader: PdfReader) -> dict[str, Any]:
    information = reader.metadata
    if not information:
        return {}
    values = {str(name): str(value) for name, value in information.items() if isinstance(value, str)}
    printed = PRINTERS.search(values.get("/Producer", "") + " " + values.get("/Creator", ""))
    made_on = "" if printed else _date(values.get("/CreationDate", ""))
    modified = "" if printed else _date(values.get("/ModDate", ""))
    return {
        "title": title_of(values.get("/Title", "")),
        "author": author_of(values.get("/Author", "")),
        "made": made_on,
        "modified": modified if modified != made_on else "",
    }


def _date(text: str) -> str:
    return found_day(text.removeprefix("D:")[:8])
