"""An e-mail, or a page that a browser saved as MHTML -> its text, and what its headers say.

Knows MIME. Does not read attachments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

from ingest.document import BlockPlace, Document, Extract, UnreadableError
from ingest.formats import web
from ingest.formats.blocks import counted, joined
from ingest.formats.dates import found_day
from ingest.formats.decoding import decode, plain
from ingest.urls import is_web_url
from language import Message

EXTRACTOR = "viadoma mail 1"
MAX_PARTS = 1_000
TINY = 4  # plain text that is so many times shorter than the page beside it says no more than "look at the page"


def read(document: Document) -> Extract:
    """The text of a mail, or the article in a saved page."""
    message = message_from_bytes(document.raw, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise UnreadableError(Message("no mail that can be read"))
    texts = [*_texts(message)]
    saved = _saved_page(message, texts)
    return _of_page(message, saved) if saved is not None else _of_mail(message, texts)


def _texts(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that are text and no attachment, in their order."""
    stack = [message]
    seen = 0
    while stack:
        part = stack.pop(0)
        seen += 1
        if seen > MAX_PARTS:
            raise UnreadableError(Message("more than {count} parts", count=MAX_PARTS))
        if part.is_multipart():
            if part.get_content_type() != "message/rfc822":
                stack[:0] = [inner for inner in part.get_payload() if isinstance(inner, EmailMessage)]
        elif part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            yield part


def _saved_page(message: EmailMessage, texts: list[EmailMessage]) -> EmailMessage | None:
    """The part with the page, if a browser wrote this."""
    located = [part for part in texts if part.get_content_type() == "text/html" and _header(part, "Content-Location")]
    if not located or message["To"] or message["Received"]:
        return None
    return located[0]


def _of_page(message: EmailMessage, part: EmailMessage) -> Extract:
    places = (_header(part, "Content-Location"), _header(message, "Snapshot-Content-Location"))
    address = next(filter(is_web_url, places), "")
    extract = web.read_page(web.page_text(_bytes(part), part.get_content_charset("")), address)
    return replace(extract, url=address or extract.url)


def _of_mail(message: EmailMessage, texts: list[EmailMessage]) -> Extract:
    text, blocks = _body(texts)
    sender, mailbox = parseaddr(_header(message, "From"))
    return Extract(
        text=text,
        blocks=blocks,
        title=_header(message, "Subject"),
        url=_archived(message),
        author=plain(" ".join(sender.split())) or mailbox,
        published=_date(message),
        lang=_lang(message),
        id=_header(message, "Message-ID").strip("<> "),
        extractor=EXTRACTOR,
        left_out=counted({"attachment": sum(1 for _ in message.iter_attachments())}),
    )


def _body(texts: list[EmailMessage]) -> tuple[str, tuple[BlockPlace, ...]]:
    words = next((_plain_words(part) for part in texts if part.get_content_type() == "text/plain"), "")
    page = next((part for part in texts if part.get_content_type() == "text/html"), None)
    raw = _bytes(page) if page is not None else b""
    if page is None or len(words) * 20 > len(raw) * TINY:  # marks are most of a page: so much text is no remnant
        if not words:
            raise UnreadableError(Message("no text in it"))
        return words, ()
    shown, blocks = _page_words(raw, page.get_content_charset(""))
    return (words, ()) if len(words) * TINY >= len(shown) else (shown, blocks)


def _page_words(raw: bytes, charset: str) -> tuple[str, tuple[BlockPlace, ...]]:
    """What a mail's page says: all that is visible, for mails have no menus around an article."""
    if not raw.strip():
        return "", ()
    source = f"<!doctype html><html><body>{web.page_text(raw, charset)}</body></html>"
    return joined(web.visible_pieces(source, ".//head|.//title"))


def _plain_words(part: EmailMessage) -> str:
    raw = _bytes(part)
    text = plain(decode(raw, part.get_content_charset(""))) if raw.strip() else ""
    if str(part.get_param("format", "")).lower() == "flowed":
        joined = "" if str(part.get_param("delsp", "")).lower() == "yes" else " "
        text = re.sub(r"(?m)(?<!^--) +\n(?!\n|>)", joined or "", text)
    return text.strip()


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _header(message: EmailMessage, name: str) -> str:
    """A header in plain words; empty if there is none, or if it is too damaged for the standard library."""
    try:
        value = message[name]
    except (ValueError, IndexError, AttributeError, TypeError, KeyError):
        return ""
    return " ".join(plain(str(value)).split())[:1000] if value is not None else ""


def _date(message: EmailMessage) -> str:
    try:
        return found_day(parsedate_to_datetime(_header(message, "Date")).date().isoformat())
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _archived(message: EmailMessage) -> str:
    """Where a mailing list keeps it (RFC 5064)."""
    place = _header(message, "Archived-At").strip("<> ")
    return place if is_web_url(place) else ""


def _lang(message: EmailMessage) -> str:
    tags = _header(message, "Content-Language").lower()
    return tags[:2] if re.match(r"[a-z]{2}\b", tags) else ""
