"""The bytes of one document -> what it says: its text, and title, author, dates, address as far as it names them.

Knows which reader reads what, and turns whatever a reader stumbles over into a reason of one line. Does not know where
documents come from or what becomes of them. It is imported by the child processes that read: each reader imports its
libraries when it is first used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import cast

from ingest.document import Document, Extract, Kind, UnreadableError

__all__ = ["READER_VERSION", "extract"]

READER_VERSION: int = 1  # raise it when a reader changes what it gives: documents are then read anew

READERS: dict[Kind, str] = {
    "text": "plaintext.read_text",
    "markdown": "plaintext.read_markdown",
    "record": "plaintext.read_record",
    "html": "web.read",
    "pdf": "pdf.read",
    "docx": "office.read_docx",
    "odt": "office.read_odt",
    "epub": "office.read_epub",
    "rtf": "office.read_rtf",
    "mail": "mail.read",
}
NAMES: dict[Kind, str] = {
    "text": "text",
    "markdown": "Markdown",
    "record": "JSON",
    "html": "a web page",
    "pdf": "PDF",
    "docx": "a Word file",
    "odt": "an OpenDocument text",
    "epub": "EPUB",
    "rtf": "RTF",
    "mail": "mail",
}
TALKATIVE = ("charset_normalizer", "htmldate", "pypdf", "trafilatura")  # they log what a reason says better


def extract(document: Document) -> Extract:
    """What a document says. UnreadableError, with the reason, if it can't be read; no other error leaves here."""
    try:
        with _silence():
            return _reader(document.kind)(document)
    except UnreadableError:
        raise
    except MemoryError as error:
        raise UnreadableError(_reason(document.kind, "it needs more memory than a document may take")) from error
    except RecursionError as error:
        raise UnreadableError(_reason(document.kind, "its parts are nested too deep")) from error
    except Exception as error:  # parsers of foreign bytes raise what they like
        words = " ".join(str(error).split())[:120] or type(error).__name__
        raise UnreadableError(_reason(document.kind, words)) from error


def _reader(kind: Kind) -> Callable[[Document], Extract]:
    module, _, function = READERS[kind].partition(".")
    return cast(Callable[[Document], Extract], getattr(import_module(f"{__name__}.{module}"), function))


def _reason(kind: Kind, words: str) -> str:
    return f"can't be read as {NAMES[kind]}: {words}"


@contextmanager
def _silence() -> Iterator[None]:
    """What libraries complain of is not written into the user's terminal."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
