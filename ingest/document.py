"""What passes between the rooms of ingest: a document as it was found, and what can be read in it.

Knows shapes only. Does not know where documents come from, how they are read or what becomes of them.

Errors: UnreadableError (ValueError): this source, file or line gives no article; its message is the reason, one line,
for the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a document is, by its own bytes; "mail" is an e-mail or a page saved as MHTML, "record" one JSON object.
Kind = Literal["text", "markdown", "html", "pdf", "docx", "odt", "epub", "rtf", "mail", "record"]

MAX_BYTES = 50_000_000  # of one document


class UnreadableError(ValueError):
    """A source, file or line that holds no article; the message says why."""


@dataclass(frozen=True, slots=True)
class Visit:
    """How a document was fetched.

    `address` is what was asked for, `final` where the redirects ended, `fetched` the time (ISO 8601, UTC). `etag` and
    `last_modified` are the headers of that name, as the server gave them; empty if it gave none.
    """

    address: str
    final: str
    fetched: str
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of one article and where they are from.

    `source` names them for the user: a file, "FILE#LINE" of a table, "FILE!MEMBER" of an archive, or an address.
    `charset` is the encoding that the server or the archive claims; empty if none does. `visit` is None for what was
    not fetched.
    """

    source: str
    raw: bytes
    kind: Kind
    charset: str = ""
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """What a document says: its text, with paragraphs a blank line apart, and what it says of itself.

    Everything but `text` is empty where the document does not say it; nothing is guessed. `published` and `modified`
    are as written there. `id` is the document's own name for itself within its file. `licence` is what it states.
    `extractor` names the program that read it, with its version ("trafilatura 2.1.0").
    """

    text: str
    title: str = ""
    url: str = ""
    publisher: str = ""
    author: str = ""
    published: str = ""
    modified: str = ""
    lang: str = ""
    note: str = ""
    licence: str = ""
    id: str = ""
    extractor: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """A source that gave no article, and why; `gone` says that it is no longer where it was."""

    source: str
    reason: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Same:
    """A source known to be as it was when it was last read, without reading it again."""

    source: str
