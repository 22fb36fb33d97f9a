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

from ingest.document import Document, DocumentKind, Extract, UnreadableError
from language import Message, message_of

__all__ = ["READER_VERSION", "extract", "silenced"]

READER_VERSION: int = 2  # raise it when a reader changes what it gives: documents are then read anew

# what reads a document of a kind, and what the kind is called
READERS: dict[DocumentKind, tuple[str, str]] = {
    "text": ("plaintext.read_text", Message("text")),
    "markdown": ("plaintext.read_markdown", "Markdown"),
    "record": ("plaintext.read_record", "JSON"),
    "html": ("web.read", Message("a web page")),
    "pdf": ("pdf.read", "PDF"),
    "docx": ("office.read_docx", Message("a Word file")),
    "odt": ("office.read_odt", Message("an OpenDocument text")),
    "epub": ("office.read_epub", "EPUB"),
    "rtf": ("office.read_rtf", "RTF"),
    "mail": ("mail.read", Message("mail")),
}
TALKATIVE = ("charset_normalizer", "htmldate", "pypdf", "trafilatura")  # they log what a reason says better


def extract(document: Document) -> Extract:
    """What a document says. UnreadableError, with the reason, if it can't be read; no other error leaves here."""
    try:
        with silenced(*TALKATIVE):
            return _reader(document.kind)(document)
    except UnreadableError:
        raise
    except MemoryError as error:
        raise UnreadableError(
            _reason(document.kind, Message("it needs more memory than a document may take"))
        ) from error
    except RecursionError as error:
        raise UnreadableError(_reason(document.kind, Message("its parts are nested too deep"))) from error
    except Exception as error:  # parsers of foreign bytes raise what they like
        raise UnreadableError(_reason(document.kind, message_of(error))) from error


def _reader(kind: DocumentKind) -> Callable[[Document], Extract]:
    module, _, function = READERS[kind][0].partition(".")
    return cast(Callable[[Document], Extract], getattr(import_module(f"{__name__}.{module}"), function))


def _reason(kind: DocumentKind, why: Message) -> Message:
    return Message("can't be read as {kind}: {why}", kind=READERS[kind][1], why=why)


@contextmanager
def silenced(*names: str) -> Iterator[None]:
    """What the loggers of these libraries complain of is not written into the user's terminal."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
