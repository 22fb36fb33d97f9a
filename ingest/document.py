"""What passes between the rooms of ingest: a document as it was found, what it says, and what came of its source.

Knows shapes only. Does not know where documents come from, how they are read or what becomes of them.

Errors: UnreadableError (ValueError): this source, file or line gives no article; its message is the reason, one line,
for the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from vectorstore import BlockKind  # what reads in a child process does without the rest of it

from language import EMPTY, Message

# What a document is, by its own bytes; "mail" is an e-mail or a page saved as MHTML, "record" one JSON object.
DocumentKind = Literal["text", "markdown", "html", "pdf", "docx", "odt", "epub", "rtf", "mail", "record"]

MAX_BYTES = 50_000_000  # of one document
TOO_LARGE = Message("larger than {size} MB", size=MAX_BYTES // 1_000_000)


class UnreadableError(ValueError):
    """A source, file or line that holds no article; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)


BlockPlace: TypeAlias = "tuple[BlockKind, int, int]"  # a block of a text: its kind, start and end


@dataclass(frozen=True, slots=True)
class FetchInfo:
    """How a document was fetched.

    `url` is what was asked for, `final_url` where the redirects ended, `fetched_at` the time (ISO 8601, UTC). `etag`
    and `last_modified` are the headers of that name, as the server gave them; empty if it gave none.
    """

    url: str
    final_url: str
    fetched_at: str
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of one article and where they are from.

    `source` names them for the user: a file, "FILE#LINE" of a table, "FILE!MEMBER" of an archive, or an address.
    `charset` is the encoding that the server or the archive claims; empty if none does. `fetch_info` is None for what
    was not fetched.
    """

    source: str
    raw: bytes
    kind: DocumentKind
    charset: str = ""
    fetch_info: FetchInfo | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """What a document says: its text, with blocks a blank line apart, and what it says of itself.

    Everything but `text` is empty where the document does not say it; nothing is guessed. `published` and `modified`
    are as written there. `id` is the document's own name for itself within its file. `licence` is what it states.
    `made` is the day on which its file was made, which is no day of publication; `left_out` says which of its parts are
    not in the text ("2 pictures, 1 comment").
    `extractor` names the program that read it, with its version ("trafilatura 2.1.0"). `blocks` are all of the
    text's, in their order; without any they are the paragraphs that blank lines make.
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
    made: str = ""
    left_out: Message = EMPTY
    id: str = ""
    extractor: str = ""
    blocks: tuple[BlockPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document that was read, and what it says."""

    document: Document
    extract: Extract

    @property
    def source(self) -> str:
        """The document's source."""
        return self.document.source


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A source that gives what it gave when it was last read; it was not read again.

    `fetch_info` is how the same bytes were fetched this time, None if no bytes were.
    """

    source: str
    fetch_info: FetchInfo | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that gave no article, and why: one line, for the user."""

    source: str
    reason: Message


Item = Document | Unchanged | Failure  # what is found at a source
Outcome = Extracted | Unchanged | Failure  # what came of it
