"""What a reader sees of a web page: without what its styles, its attributes or its tags hide.

Knows how pages hide text, by CSS within the page. Does not know which part of a page is the article.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

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


@dataclass(frozen=True, slots=True)
class _Rule:
    """A selector without relations, its classes and id with their marks, and whether it hides what it selects."""

    tag: str
    classes: frozenset[str]
    id: str
    hides: bool


# by their id ("#name"), or by one of their classes (".name"); the same rule is kept once
_Rules = dict[str, dict[_Rule, None]]


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
        sides = len(NO_SIZE.findall(style))  # where both are nothing, there is no room to overflow into sight
        if HIDES.search(style) or (sides and OVERFLOW.search(style)) or sides > 1:
            return True
        if SHOWS.search(style):
            return False
    return _ruled_out(element, rules)


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
    rules: _Rules = {}
    left = MAX_RULES
    for style in tree.iter("style"):
        css = re.sub(r"/\*.*?(?:\*/|\Z)", "", style.text or "", flags=re.S)
        for selectors, body in RULE.findall(_outside_blocks(css)):
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
    parts = re.findall(r"[.#][\w-]+", found[2])
    classes, ids = [part for part in parts if part[0] == "."], [part for part in parts if part[0] == "#"]
    if len(ids) <= 1:
        rule = _Rule((found[1] or "").lower(), frozenset(classes), "".join(ids), hides)
        rules.setdefault((ids or classes)[0], {})[rule] = None


def _ruled_out(element: HtmlElement, rules: _Rules) -> bool:
    classes = {f".{name}" for name in (element.get("class") or "").split()}
    own_id = f"#{element.get('id') or ''}"
    holding = [
        rule
        for rule in chain.from_iterable(rules.get(name, ()) for name in (own_id, *classes))
        if rule.classes <= classes and rule.tag in ("", element.tag) and rule.id in ("", own_id)
    ]
    # of those that say the most, one that shows is enough: which came last is not known any more
    weight = max(((bool(rule.id), len(rule.classes), bool(rule.tag)) for rule in holding), default=None)
    strongest = [rule for rule in holding if (bool(rule.id), len(rule.classes), bool(rule.tag)) == weight]
    return bool(strongest) and all(rule.hides for rule in strongest)
