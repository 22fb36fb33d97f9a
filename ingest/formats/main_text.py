"""The blocks of a page -> those that are its article.

Knows how to tell an article from what stands around and in it: by what extractors find, by what the page itself says
its text is, and by where blocks stand. Does not know HTML's blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ingest.formats.blocks import CLOCK
from ingest.formats.page_blocks import SENTENCE_END, Seen
from language import alternation, word_list

if TYPE_CHECKING:
    from lxml.html import HtmlElement

RUN = 4  # words that stand together in a block and in what an extractor found
FOUND = 0.6  # least share of a block's runs
MOSTLY = 0.6  # share of a block's letters that are linked, of one that leads elsewhere
LEAD_WORDS = 5  # words beside a link that say what it is: "Read also:"
MUCH = 0.3  # of the letters of an article
MOST_BETWEEN = 8  # blocks that no extractor found, one after the other
MOST_HEADINGS = 3  # one under the other
LOOK_BACK = 400  # blocks
REPEATS = 20  # of the same words in a text
ENOUGH = 250  # characters; where an extractor gives less, another is asked
STEM = 5  # letters of a word that is compared
MIN_WORDS_OF_SENTENCE = 4  # words of a title or description that tells what an article is about
WORD_OF_SENTENCE = 0.2  # of these words, that its text has at least
SHARED = 0.1  # of the runs of words of the text that a page states
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


def chosen(seen: Sequence[Seen], texts: Iterable[Callable[[], str]]) -> list[int]:
    """The places of the article's blocks, in the page's order; empty if there is none.

    `texts` give what extractors find in the page, or the page says its text is, the best first; a later one is asked
    where the earlier ones give little.
    """
    words = [words_of(block.text) for block in seen]
    picked: set[int] = set()
    for text in texts:
        picked |= _matching(words, text())
        if sum(len(seen[at].text) for at in picked) >= ENOUGH:
            break
    picked = _within(seen, _filled(seen, picked))
    return _without_teasers(seen, [at for at in sorted(picked) if not leads_elsewhere(seen[at])])


def words_of(text: str) -> Words:
    """The words of a text in small letters."""
    return WORD.findall(text.lower())


def is_another(text: str, title: str, about: str, body: str) -> bool:
    """Whether a text is none of what the page says of itself: it has hardly a word of its title and its description.

    Where the page holds the article's whole text, only that counts. What has too few words tells nothing.
    """
    stems = {word[:STEM] for word in words_of(text)}
    if len(whole := _runs(words_of(body))) >= MIN_WORDS_OF_SENTENCE:
        runs = set(_runs(words_of(text)))
        return sum(run in runs for run in whole) < SHARED * len(whole) and not _shares(stems, title)
    if len(_stems(title)) < MIN_WORDS_OF_SENTENCE or len(_stems(about)) < MIN_WORDS_OF_SENTENCE:
        return False
    return not _shares(stems, title) and not _shares(stems, about)


def _stems(text: str) -> set[str]:
    """The beginnings of the longer words of a text, which stay the same in most of their forms."""
    return {word[:STEM] for word in words_of(text) if len(word) >= STEM - 1}


def _shares(words: set[str], text: str) -> bool:
    stems = _stems(text)
    return len(stems & words) > WORD_OF_SENTENCE * len(stems)


def leads_elsewhere(block: Seen) -> bool:
    """Whether a block is a link to something else, with no more than a word for it, or calls on its reader."""
    count = len(words_of(block.text))
    if block.kind != "heading" and block.linked >= MOSTLY and count * (1 - block.linked) <= LEAD_WORDS:
        return True
    return count <= CALL_WORDS and (bool(CALLS.match(block.text)) or block.text.startswith("©"))


def _matching(blocks: Sequence[Words], text: str) -> set[int]:
    """The blocks that a text holds, in its order: by their runs of words, short ones by whole lines of it.

    Of two blocks with the same words, such as a title that a list repeats, one is meant: that in the best order.
    """
    places: dict[tuple[str, ...], list[int]] = {}
    for place, run in enumerate(_runs(words_of(text))):
        places.setdefault(run, []).append(place)
    found: list[tuple[int, int, int]] = []  # block, where in the text it begins, its words
    for at, block in enumerate(blocks):
        known = [run for run in _runs(block) if run in places]
        if len(block) >= RUN and len(known) >= FOUND * (len(block) - RUN + 1):
            found += ((at, place, len(block)) for place in places[known[0]][:REPEATS])
    picked = _in_order(found)
    if not picked:
        return picked
    lines = {" ".join(words_of(line)) for line in text.split("\n")}
    short = {at for at, block in enumerate(blocks) if 0 < len(block) < RUN and " ".join(block) in lines}
    first, last = min(picked), max(picked)
    while first - 1 in short:
        first -= 1
    while last + 1 in short:
        last += 1
    return picked | {at for at in short if first <= at <= last}


def _runs(words: Words) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]


def _in_order(found: Sequence[tuple[int, int, int]]) -> set[int]:
    """The blocks with the most words in all that stand in the page in the order in which the text has them."""
    best: list[tuple[int, int]] = []  # the most words of an order that ends here, and the one before
    for row, (block, place, count) in enumerate(found):
        before = max(
            (
                (best[at][0], at)
                for at in range(max(0, row - LOOK_BACK), row)
                if found[at][0] < block and found[at][1] < place
            ),
            default=(0, -1),
        )
        best.append((before[0] + count, before[1]))
    at = max(range(len(best)), key=lambda row: best[row][0], default=-1)
    picked: set[int] = set()
    while at >= 0:
        picked.add(found[at][0])
        at = best[at][1]
    return picked


def _filled(seen: Sequence[Seen], picked: set[int]) -> set[int]:
    """With the sentences between two picked blocks, where they stand in the element that holds one of them."""
    more: set[int] = set()
    for first, last in pairwise(sorted(picked)):
        holders = {id(_container(seen[at].holder)) for at in (first, last)}
        between = [
            at
            for at in range(first + 1, last)
            if seen[at].linked < MOSTLY
            and _says_something(seen, at, picked)
            and id(_container(seen[at].holder)) in holders
            and not _stands_around(seen[at].holder)
        ]
        if len(between) <= MOST_BETWEEN:
            more.update(between)
    return picked | more


def _within(seen: Sequence[Seen], picked: set[int]) -> set[int]:
    """Without what stands in elements that by their names are no part of an article, unless it is much of the text."""
    around = {at for at in picked if _stands_around(seen[at].holder) or _stands_around(_container(seen[at].holder))}
    size = sum(len(seen[at].text) for at in picked)
    return picked - around if sum(len(seen[at].text) for at in around) < MUCH * size else picked


def _says_something(seen: Sequence[Seen], at: int, picked: set[int]) -> bool:
    """Whether a block reads like a part of an article rather than of what a page puts into it."""
    if seen[at].kind in ("heading", "question") or CLOCK.fullmatch(seen[at].text):
        return at + 1 in picked
    return bool(SENTENCE_END.search(seen[at].text)) or seen[at].kind in ("table row", "list item", "quotation")


def _without_teasers(seen: Sequence[Seen], picked: Sequence[int]) -> list[int]:
    """Without headings that nothing stands under: those at the end, and of many together all but MOST_HEADINGS."""
    kept: list[int] = []
    under = 0  # headings above the last block that is none
    for at in reversed(picked):
        if seen[at].kind != "heading":
            under = MOST_HEADINGS
        elif under == 0:
            continue
        else:
            under -= 1
        kept.append(at)
    return kept[::-1]


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
