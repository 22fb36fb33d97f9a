"""A web page -> the article in it, as a reader sees it, and what the page says of itself.

Knows HTML (through lxml and trafilatura), what hides text from a reader, and what a page shows in place of an article.
Does not know how pages are fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ingest.document import Document, Extract, UnreadableError
from ingest.formats.dates import found_day
from ingest.formats.decoding import decode_as, own_charset, plain

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_TAGS = 500_000  # with more of them reading takes minutes, and the memory of many pages
# pictures that a saved page carries within itself: no text, but most of its bytes
DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=%]{64,}+")
MAX_JSON = 1_000_000  # characters of one block of JSON-LD
STUB_CHARACTERS = 600  # what is shown in place of an article is shorter, and an article hardly ever
# What pages say in place of an article, in English, German, Polish, Russian and Belarusian.
STUBS = (
    (
        "the page asks for JavaScript",
        r"(enable|activate|turn on|allow|requires?|need(s|ed)?)\W+(\w+\W+){0,3}javascript|javascript\W+(\w+\W+){0,3}"
        r"(disabled|required|deaktiviert|wyłączon|отключ|выключ|адключан)|javascript\W+(\w+\W+){0,4}aktivieren"
        r"|aktivieren sie\W+(\w+\W+){0,3}javascript|(włącz|włączyć|wymaga)\W+(\w+\W+){0,3}javascript"
        r"|(включите|включить|требуется|уключыце|уключыць)\W+(\w+\W+){0,3}javascript",
    ),
    (
        "a check for robots, not the article: open the page in a browser and save it",
        r"checking (if the site connection is secure|your browser)|(verify|confirm)(ing)? (that )?you are (a )?human"
        r"|are you a (human|robot)|you are not a (robot|bot)|unusual traffic from|sie kein roboter sind"
        r"|nie jesteś robotem|что вы не (робот|бот)|проверка (вашего )?браузера|што вы не робат|just a moment\.\.\.",
    ),
    (
        "only a cookie notice, not the article",
        r"\b(we|this (web)?site|our (web)?site)\b.{0,60}\bus(e|es|ing)\b.{0,40}\bcookies\b|before you continue to\b"
        r"|accept all cookies|cookies\b.{0,40}\b(akzeptieren|zustimmen)|(verwenden|nutzen|setzen)\b.{0,40}\bcookies"
        r"|bevor sie (zu .{0,40})?(weitergehen|fortfahren)|(używa|wykorzystuj|stosuj)\w*\b.{0,60}\b(cookies?|ciastecz)"
        r"|zgod[aęy] na (pliki )?cookies?|(использу|применя)\w*\b.{0,60}(\bcookies?|куки)"
        r"|(выкарыстоўва|ужыва)\w*\b.{0,60}(\bcookies?|кукі)",
    ),
    (
        "only the start of the article, the rest is behind a paywall",
        r"subscribe (now )?to (continue|keep|read)|to (continue|keep) reading|continue reading (with|for|by)"
        r"|(article|story|content) is (only |exclusively )?(for|available to|reserved for) .{0,20}subscribers"
        r"|already a subscriber|subscribers? only|(nur|exklusiv) für abonnent|jetzt (abonnieren|weiterlesen)"
        r"|weiterlesen mit|(artikel|inhalt) (ist )?(kostenpflichtig|für abonnent)|pozostało \d+ ?% (tekstu|artykułu)"
        r"|(dostęp|tylko|treść|artykuł) dla (naszych )?(prenumerator|subskrybent)|wykup (dostęp|prenumerat|subskrypcj)"
        r"|(оформите|купите) подписку|(только|доступ\w*) (для |по )?подпис|чтобы (до|про)?читать.{0,40}подпи"
        r"|(аформіце|купіце) падпіску|(толькі|даступн\w*) (для |па )?падпіс",
    ),
    (
        "only a log-in page, not the article",
        r"(log|sign) in to (continue|read|view|see|your account)|please (log|sign) in\b|you must be logged in"
        r"|melden sie sich (bitte )?an\b|bitte (melden sie sich|einloggen|anmelden)|zaloguj się,? (aby|by|żeby)"
        r"|(войдите|авторизуйтесь|зарегистрируйтесь),? (чтобы|для)|(увайдзіце|аўтарызуйцеся),? (каб|для)",
    ),
)
STUB = [(reason, re.compile(pattern, re.I | re.S)) for reason, pattern in STUBS]
PAYWALL = "only the start of the article, the rest is behind a paywall"

UNSEEN_TAGS = {"script", "style", "template"}
# not hidden by what is meant for screen readers alone: sites set it on a page behind a notice
NEVER_ARIA = {"html", "body", "main", "article"}
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
SIMPLE = re.compile(r"([a-z][a-z0-9]*)?((?:[.#][\w-]+)*)", re.I)
MAX_RULES = 20_000
ZERO = r"0*(?:\.0+)?(?:px|em|rem|pt|%|vh|vw)?\s*(?:!important)?\s*(?:;|$)"
HIDES = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?%?\s*(?:!|;|$)"
    r"|(?:left|top|text-indent|margin-left)\s*:\s*-\d{4,})",
    re.I,
)
SHOWS = re.compile(r"(?:^|;)\s*(?:display\s*:\s*(?!none)\w|visibility\s*:\s*visible)", re.I)
NO_SIZE = re.compile(rf"(?:^|;)\s*(?:max-)?(?:width|height)\s*:\s*(?=[0.]){ZERO}", re.I)
OVERFLOW = re.compile(r"(?:^|;)\s*overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.I)
FONT = re.compile(r"(?:^|;)\s*font(?:-size)?\s*:\s*([^;]+)", re.I)
NO_FONT = re.compile(rf"(?=[0.]){ZERO}", re.I)


@dataclass(slots=True)
class _Said:
    """What a page says of itself in machine-readable form; empty where it does not."""

    published: str = ""
    modified: str = ""
    publisher: str = ""
    licence: str = ""
    free: bool = True


@dataclass(frozen=True, slots=True)
class _Rule:
    """A selector without relations, and whether it hides what it selects."""

    tag: str
    classes: frozenset[str]
    id: str
    hides: bool


@dataclass(slots=True)
class _Rules:
    """Rules by one of their classes, or by their id; the same rule is kept once."""

    by_class: dict[str, dict[_Rule, None]] = field(default_factory=dict)
    by_id: dict[str, dict[_Rule, None]] = field(default_factory=dict)


def read(document: Document) -> Extract:
    """The article in a page. UnreadableError if there is none, or something else in its place."""
    address = document.visit.final if document.visit else ""
    return read_page(page_text(document.raw, document.charset), address)


def page_text(raw: bytes, charset: str = "") -> str:
    """The source of a page, in the encoding it really has: its own claims may be wrong."""
    return plain(decode_as(raw, (charset, own_charset(raw))))


def read_page(source: str, address: str = "") -> Extract:
    """As `read`, from the source of a page; `address`, if it is known, is where it was found."""
    import trafilatura
    from trafilatura.metadata import extract_metadata
    from trafilatura.settings import Document as Page

    tree = parsed(source)
    said = _said(tree)
    # nothing is searched for in the text itself: any date could stand there
    known = extract_metadata(tree, date_config={"original_date": True, "extensive_search": False})
    url = _address(tree, address) or str(known.url or "")
    asks = any("javascript" in part.text_content().lower() for part in tree.iter("noscript"))
    strip_unseen(tree)
    visible = " ".join(tree.text_content().split())
    page = trafilatura.bare_extraction(tree, include_comments=False, include_tables=True)
    text = page.text or "" if isinstance(page, Page) else ""
    _refuse_stub(text, visible, said, asks)
    if not re.search(r"[^\W\d_]", text):
        raise UnreadableError("no article text found in the page")
    return Extract(
        text=plain(text),
        title=plain(str(known.title or "")),
        url=url if urlsplit(url).scheme in ("http", "https") else "",
        publisher=plain(said.publisher or str(known.sitename or "")),
        author=plain(str(known.author or "")),
        published=said.published or found_day(str(known.date or "")),
        modified=said.modified,
        lang=_language(tree) or str(known.language or ""),
        licence=plain(said.licence or str(known.license or "")),
        extractor=f"trafilatura {version('trafilatura')}",
    )


def parsed(source: str) -> HtmlElement:
    """The tree of a page, without comments. UnreadableError if it has none, or is nested too deep."""
    from lxml.html import HTMLParser, fromstring
    from trafilatura.utils import HTML_PARSER, load_html

    source = DATA.sub("data:,", source)
    if source.count("<") > MAX_TAGS:
        raise UnreadableError(f"more than {MAX_TAGS:,} tags")
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
            raise UnreadableError("its tags are nested more than 2,000 deep")
    if tree is None:
        raise UnreadableError("no article text found in the page")
    return tree


def strip_unseen(tree: HtmlElement) -> None:
    """Takes out of a page what its reader does not see."""
    rules = _rules(tree)
    unseen = [element for element in tree.iter() if isinstance(element.tag, str) and _unseen(element, rules)]
    for element in unseen:
        if element.getparent() is not None:
            element.drop_tree()
    for element in [*tree.iter()]:
        if _font_size(element) is False and element.getparent() is not None:
            _strip_small(element)


def _unseen(element: HtmlElement, rules: _Rules) -> bool:
    tag = element.tag
    if tag in UNSEEN_TAGS:
        return True
    if tag in ("html", "body"):
        return False
    attributes = element.attrib
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    if attributes.get("aria-hidden", "").strip().lower() == "true":
        if not (tag in NEVER_ARIA or any(element.find(f".//{part}") is not None for part in ("main", "article"))):
            return True
        del attributes["aria-hidden"]  # trafilatura would leave it out
    if tag == "dialog" and "open" not in attributes:
        return True
    style = attributes.get("style", "")
    if style:
        if HIDES.search(style) or (NO_SIZE.search(style) and OVERFLOW.search(style)) or _point(style):
            return True
        if SHOWS.search(style):
            return False
    return _ruled_out(element, rules)


def _point(style: str) -> bool:
    """Whether both sides are nothing, so that there is no room to overflow into sight."""
    return len(NO_SIZE.findall(style)) > 1


def _font_size(element: HtmlElement) -> bool | None:
    """Whether an element sets a size that can be read; None if it sets none."""
    style = element.get("style") if isinstance(element.tag, str) else None
    found = FONT.search(style) if style else None
    return None if not found else not NO_FONT.match(found[1].strip())


def _strip_small(top: HtmlElement) -> None:
    """Takes away letters without size, but not those of parts that set a size of their own (as in newsletters)."""
    stack = [top]
    while stack:
        element = stack.pop()
        element.text = None
        for child in element:
            child.tail = None
            if not _font_size(child):
                stack.append(child)


def _rules(tree: HtmlElement) -> _Rules:
    rules = _Rules()
    left = MAX_RULES
    for style in tree.iter("style"):
        for selectors, body in RULE.findall(
            _outside_blocks(re.sub(r"/\*.*?(?:\*/|\Z)", "", style.text or "", flags=re.S))
        ):
            left -= 1
            if left < 0:
                return rules
            hides = bool(HIDES.search(body))
            if hides or SHOWS.search(body):
                for selector in selectors.split(","):
                    _add_rule(rules, selector.strip(), hides)
    return rules


def _outside_blocks(css: str) -> str:
    """The rules that always hold: those for print, for small screens and the like stand in blocks."""
    kept: list[str] = []
    depth = start = 0
    block = False
    for found in re.finditer(r"[{};]", css):
        if found[0] == "{":
            if depth == 0:
                block = css[start : found.start()].lstrip().startswith("@")
            depth += 1
        elif found[0] == "}":
            depth = max(0, depth - 1)
        if depth == 0:
            if not block and found[0] == "}":
                kept.append(css[start : found.end()])
            start = found.end()
    return "".join(kept)


def _add_rule(rules: _Rules, selector: str, hides: bool) -> None:
    found = SIMPLE.fullmatch(selector)
    if not found or not found[2]:
        return
    parts = re.findall(r"([.#])([\w-]+)", found[2])
    classes = [name for mark, name in parts if mark == "."]
    ids = [name for mark, name in parts if mark == "#"]
    if len(ids) > 1:
        return
    rule = _Rule((found[1] or "").lower(), frozenset(classes), ids[0] if ids else "", hides)
    if ids:
        rules.by_id.setdefault(ids[0], {})[rule] = None
    else:
        rules.by_class.setdefault(classes[0], {})[rule] = None


def _ruled_out(element: HtmlElement, rules: _Rules) -> bool:
    classes = set((element.get("class") or "").split())
    name = element.get("id") or ""
    if not classes and not name:
        return False
    holding = [
        rule
        for rule in [*rules.by_id.get(name, ()), *(rule for one in classes for rule in rules.by_class.get(one, ()))]
        if rule.classes <= classes and rule.tag in ("", element.tag) and rule.id in ("", name)
    ]
    # of those that say the most, one that shows is enough: which came last is not known any more
    weight = max(((bool(rule.id), len(rule.classes), bool(rule.tag)) for rule in holding), default=None)
    strongest = [rule for rule in holding if (bool(rule.id), len(rule.classes), bool(rule.tag)) == weight]
    return bool(strongest) and all(rule.hides for rule in strongest)


def _refuse_stub(text: str, visible: str, said: _Said, asks: bool) -> None:
    shown = text or visible
    if len(shown) >= STUB_CHARACTERS:
        return
    if not said.free and text:
        raise UnreadableError(PAYWALL)
    for reason, pattern in STUB:
        if pattern.search(shown):
            raise UnreadableError(reason)
    if not text and asks:
        raise UnreadableError("the page asks for JavaScript")


def _said(tree: HtmlElement) -> _Said:
    meta = _meta(tree)
    said = _Said(
        published=_first_day(
            meta, "article:published_time", "og:article:published_time", "datepublished", "dc.date.issued", "dc.date"
        ),
        modified=_first_day(meta, "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified"),
        publisher=meta.get("og:site_name", ""),
        licence=meta.get("dcterms.license", "") or meta.get("license", ""),
    )
    for link in tree.xpath(".//*[self::a or self::link][@rel='license' or @rel='licence'][@href]")[:1]:
        said.licence = said.licence or str(link.get("href")).strip()
    for element in tree.xpath(".//*[@itemprop='datePublished' or @itemprop='dateModified']")[:20]:
        day = found_day(element.get("datetime") or element.get("content") or "")
        if element.get("itemprop") == "datePublished":
            said.published = said.published or day
        else:
            said.modified = said.modified or day
    for item in _linked_data(tree):
        said.published = said.published or found_day(_text(item.get("datePublished")))
        said.modified = said.modified or found_day(_text(item.get("dateModified")))
        said.licence = said.licence or _text(item.get("license"))
        if "datePublished" in item or "headline" in item:
            said.publisher = said.publisher or _text(item.get("publisher"))
        if str(item.get("isAccessibleForFree")).lower() == "false":
            said.free = False
    return said


def _meta(tree: HtmlElement) -> dict[str, str]:
    values: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        content = (element.get("content") or "").strip()
        if name and content:
            values.setdefault(name.strip().lower(), content)
    return values


def _first_day(meta: Mapping[str, str], *names: str) -> str:
    return next((day for name in names if (day := found_day(meta.get(name, "")))), "")


def _linked_data(tree: HtmlElement) -> Iterator[Mapping[str, Any]]:
    """The objects of JSON-LD, those within @graph too, in the page's order."""
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and len(script.text or "") <= MAX_JSON:
            try:
                yield from _objects(json.loads(script.text or "", strict=False))
            except (ValueError, RecursionError):
                continue


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    stack = [value]
    while stack:
        one = stack.pop(0)
        if isinstance(one, list):
            stack[:0] = one[:100]
        elif isinstance(one, dict):
            yield one
            stack[:0] = [part for part in (one.get("@graph"), one.get("mainEntity")) if part]


def _text(value: object) -> str:
    """What a value of JSON-LD says in words: itself, or the name of the thing it is."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("url") or value.get("@id") or ""
    return " ".join(value.split())[:500] if isinstance(value, str) else ""


def _address(tree: HtmlElement, address: str) -> str:
    """The page's own address for itself: absolute, or made so by where it was found."""
    canonical = tree.xpath(".//link[@rel='canonical' or @rel='Canonical']/@href")
    for said in [*map(str, canonical[:1]), _meta(tree).get("og:url", "")]:
        try:
            url = urljoin(address, said.strip()) if said.strip() else ""
            if urlsplit(url).scheme in ("http", "https") and urlsplit(url).netloc:
                return url
        except ValueError:
            continue
    return ""


def _language(tree: HtmlElement) -> str:
    top = tree if tree.tag == "html" else tree.find(".//html")
    said = (top.get("lang") or top.get("{http://www.w3.org/XML/1998/namespace}lang") or "") if top is not None else ""
    return said.strip().lower()[:2] if re.match(r"\s*[a-zA-Z]{2}(?:[-_]|\s*$)", said) else ""


def visible_paragraphs(tree: HtmlElement) -> str:
    """All that a reader sees, with paragraphs a blank line apart, for pages that are no articles of a site."""
    blocks: list[str] = []
    line: list[str] = []

    def close() -> None:
        words = " ".join("".join(line).split())
        if words:
            blocks.append(words)
        line.clear()

    for event, element in _walk(tree):
        tag = element.tag if isinstance(element.tag, str) else ""
        block = tag in BLOCKS
        if event == "start":
            if block:
                close()
            elif tag in ("td", "th", "br"):
                line.append(" ")
            if tag:
                line.append(element.text or "")
        else:
            if block:
                close()
            line.append(element.tail or "")
    close()
    return "\n\n".join(blocks)


def _walk(tree: HtmlElement) -> Iterator[tuple[str, HtmlElement]]:
    from lxml.etree import iterwalk

    yield from iterwalk(tree, events=("start", "end"))


BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "dd", "div", "dl", "dt", "figcaption", "figure"),
    *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p"),
    *("pre", "section", "table", "tbody", "thead", "tr", "ul", "title", "head"),
}
