"""The blocks of a page -> those that are its article.

Knows how to tell an article from what stands around and in it: by what extractors find, by what the page itself says
its text is, and by where blocks stand. Does not know HTML's blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ingest.formats.page_blocks import Seen
from language import alternation, word_list

if TYPE_CHECKING:
    from lxml.html import HtmlElement

RUN = 4  # words that stand together in a block and in what an extractor found
FOUND = 0.6  # least share of a block's runs
MOSTLY = 0.6  # share of a block's letters that are linked, of one that leads elsewhere
LEAD_WORDS = 5  # words beside a link that say what it is: "Read also:"
ENOUGH = 250  # characters; where an extractor gives less, another is asked
AROUND = re.compile(
    r"(?:^|[\s_-])(?:related|share|sharing|social|promo|newsletter|subscri\w*|cookies?|consent|comments?|sidebar|breadcrumbs?|"
    r"advert\w*|ads?|banner|recommend\w*|popular|readalso|read-also|read-more|more-news|teaser|tags|footer|menu|navbar|nav|widget|"
    r"outbrain|taboola|gdpr|copyright|byline|meta)(?:$|[\s_-])",
    re.I,
)
AROUND_TAGS = {"nav", "footer", "aside", "form", "header", "button"}
WORD = re.compile(r"\w+")
CALLS = re.compile(rf"\W*(?:{alternation(word_list('page_calls', 'words'))})(?!\w)", re.I)
CALL_WORDS = 20  # more of them are no call but a sentence of the article

Words = list[str]


def chosen(seen: Sequence[Seen], texts: Iterable[Callable[[], str]]) -> list[Seen]:
    """The blocks of the article, in the page's order; empty if there is none.

    `texts` give what extractors find in the page, or the page says its text is, the best first; a later one is asked
    where the earlier ones give little.
    """
    words = [words_of(block.text) for block in seen]
    picked: set[int] = set()
    for text in texts:
        picked |= _matching(words, text())
        if sum(len(seen[at].text) for at in picked) >= ENOUGH:
            break
    picked = _filled(seen, picked)
    return [seen[at] for at in sorted(picked) if not leads_elsewhere(seen[at])]


def words_of(text: str) -> Words:
    """The words of a text in small letters."""
    return WORD.findall(text.lower())


def leads_elsewhere(block: Seen) -> bool:
    """Whether a block is a link to something else with no more than a word for it, or calls on its reader to do something."""
    count = len(words_of(block.text))
    if block.kind != "heading" and block.linked >= MOSTLY and count * (1 - block.linked) <= LEAD_WORDS:
        return True
    return count <= CALL_WORDS and bool(CALLS.match(block.text))


def _matching(blocks: Sequence[Words], text: str) -> set[int]:
    """The blocks that a text holds: by their runs of words, short ones by whole lines of it."""
    words = words_of(text)
    runs = set(_runs(words))
    lines = {" ".join(words_of(line)) for line in text.split("\n")}
    picked = {
        at
        for at, block in enumerate(blocks)
        if len(block) >= RUN and sum(run in runs for run in _runs(block)) >= FOUND * len(_runs(block))
    }
    if not picked:
        return picked
    first, last = min(picked), max(picked)
    return picked | {
        at
        for at in range(max(0, first - 1), min(len(blocks), last + 2))
        if 0 < len(blocks[at]) < RUN and " ".join(blocks[at]) in lines
    }


def _runs(words: Words) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]


def _filled(seen: Sequence[Seen], picked: set[int]) -> set[int]:
    """With what stands between the blocks that were picked, in an element that holds one of them."""
    if not picked:
        return picked
    holders = {id(_container(seen[at].holder)) for at in picked}
    more = {
        at
        for at in range(min(picked), max(picked))
        if at not in picked
        and seen[at].linked < MOSTLY
        and id(_container(seen[at].holder)) in holders
        and not _stands_around(seen[at].holder)
    }
    return picked | more


def _container(holder: HtmlElement) -> HtmlElement:
    """What holds a paragraph and its neighbours."""
    while holder.tag in ("p", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "dd", "dt"):
        parent = holder.getparent()
        if parent is None:
            break
        holder = parent
    return holder


def _stands_around(holder: HtmlElement) -> bool:
    """Whether an element, by its own name, is no part of an article's text."""
    names = f"{holder.get('class') or ''} {holder.get('id') or ''}"
    return holder.tag in AROUND_TAGS or bool(AROUND.search(names))
