"""A web page -> the article in it, as a reader sees it, and what the page says of itself.

Knows HTML (through lxml and trafilatura). Does not know how pages are fetched, what hides text from a reader, or what a
page shows in place of an article.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from ingest.document import Document, Extract, UnreadableError
from ingest.formats.blocks import Piece, counted, joined, questions_and_updates, repeats
from ingest.formats.decoding import decode_as, own_charset, plain
from ingest.formats.main_text import chosen, is_another
from ingest.formats.page_blocks import Seen, seen_blocks, unread_parts
from ingest.formats.page_metadata import canonical_url, page_language, page_metadata
from ingest.formats.shown_dates import address_day, head_day, is_date_line, nearest
from ingest.formats.stubs import refuse_stub
from ingest.formats.visibility import strip_unseen
from ingest.urls import is_web_url
from language import Message

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_TAGS = 500_000  # with more of them reading takes minutes, and the memory of many pages
# pictures that a saved page carries within itself: no text, but most of its bytes
DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=%]{64,}+")


def read(document: Document) -> Extract:
    """The article in a page. UnreadableError if there is none, or something else in its place."""
    url = document.fetch_info.final_url if document.fetch_info else ""
    return read_page(page_text(document.raw, document.charset), url)


def page_text(raw: bytes, charset: str = "") -> str:
    """The source of a page, in the encoding it really has: its own claims may be wrong."""
    return plain(decode_as(raw, (charset, own_charset(raw))))


def read_page(source: str, address: str = "") -> Extract:
    """As `read`, from the source of a page; `address`, if it is known, is where it was found."""
    import trafilatura
    from trafilatura.metadata import extract_metadata
    from trafilatura.settings import Document as Page

    tree = _parsed(source)
    stated = page_metadata(tree)
    # nothing is searched for in the text itself: any date could stand there
    found = extract_metadata(tree, date_config={"original_date": True, "extensive_search": False})
    url = canonical_url(tree, address) or str(found.url or "")
    asks_for_javascript = any("javascript" in part.text_content().lower() for part in tree.iter("noscript"))
    strip_unseen(tree)
    visible = " ".join(tree.text_content().split())
    title = plain(str(found.title or ""))

    def asked(*, recall: bool) -> str:
        page = trafilatura.bare_extraction(tree, include_comments=False, include_tables=True, favor_recall=recall)
        return page.text or "" if isinstance(page, Page) else ""

    shown = asked(recall=False)
    seen = seen_blocks(tree)
    found_at = chosen(seen, (lambda: shown, lambda: stated.body, lambda: asked(recall=True)))
    picked = _under_head(seen, found_at, title)
    pieces = [seen[at] for at in picked]
    text, blocks = joined(questions_and_updates([block.piece for block in pieces]))
    refuse_stub(shown, visible, is_free=stated.is_free, asks_for_javascript=asks_for_javascript)
    if not re.search(r"[^\W\d_]", text):
        raise UnreadableError(Message("no article text found in the page"))
    if is_another(text, title, stated.about, stated.body):
        raise UnreadableError(
            Message(
                "the text found in the page is not the article that its title and description tell of: open the page "
                "in a browser and save the article's text"
            )
        )
    return Extract(
        text=text,
        blocks=blocks,
        left_out=counted(unread_parts(pieces)),
        title=title,
        url=url if is_web_url(url) else "",
        publisher=plain(stated.publisher or str(found.sitename or "")),
        author=plain(str(found.author or "")),
        published=nearest(stated.published, head_day(seen, title, picked[0])) or address_day(url or address),
        modified=stated.modified,
        lang=page_language(tree) or str(found.language or ""),
        licence=plain(stated.licence or str(found.license or "")),
        extractor=f"trafilatura {version('trafilatura')}",
    )


def _under_head(seen: Sequence[Seen], picked: Sequence[int], title: str) -> list[int]:
    """The blocks that were picked, but for those at their head that only repeat the title or tell the date."""
    first = next(
        (
            place
            for place, at in enumerate(picked)
            if not repeats(title, seen[at].text) and not is_date_line(seen[at].text)
        ),
        0,
    )
    return list(picked[first:])


def visible_pieces(source: str, left_out: str) -> list[Piece]:
    """All blocks that a reader sees, of a page that is no article of a site.

    `left_out` (XPath) are the parts that are not its text. UnreadableError as for any page.
    """
    tree = _parsed(source)
    for part in tree.xpath(left_out):
        part.drop_tree()
    strip_unseen(tree)
    return questions_and_updates([block.piece for block in seen_blocks(tree)])


def _parsed(source: str) -> HtmlElement:
    """The tree of a page, without comments. UnreadableError if it has none, or is nested too deep."""
    from lxml.html import HTMLParser, fromstring
    from trafilatura.utils import HTML_PARSER, load_html

    source = DATA.sub("data:,", source)
    if source.count("<") > MAX_TAGS:
        raise UnreadableError(Message("more than {count} tags", count=MAX_TAGS))
    tree = load_html(source)
    if any(entry.type_name == "ERR_NO_MEMORY" for entry in HTML_PARSER.error_log):
        raise MemoryError
    if tree is not None and any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in HTML_PARSER.error_log):
        # lxml stops at 256 levels, and then the rest of the page is missing; on demand it goes to 2048
        parser = HTMLParser(
            collect_ids=False,
            default_doctype=False,
            encoding="utf-8",
            remove_comments=True,
            remove_pis=True,
            huge_tree=True,
        )
        tree = fromstring(source.encode("utf-8", "replace"), parser=parser)
        if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
            raise UnreadableError(Message("its tags are nested more than {count} deep", count=2_000))
    if tree is None:
        raise UnreadableError(Message("no article text found in the page"))
    return tree
