"""What the articles tell in order of time, whom they name, and the numbers they give.

Knows by its words which topic a sentence speaks of, and the day that it tells of. Does not know whether a thing
happened: "was not released" speaks of a release too, and what a sentence says stands in its words.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from bot.answer import Citation
from bot.attribution import attributed
from bot.disagreement import figure
from language import all_words, alternation, words_by_key
from vectorstore import NEVER_QUOTED, Article, Names, Span, Store, Time, published_span

Topic = Literal["releases", "arrests", "sanctions", "easing"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
LONGEST_DAYS = 31  # a time that is named less exactly than to the month places nothing
FEWEST_TELLERS = 2  # articles, for a day's numbers to be set side by side
ONE = 2.0  # below it a number singles somebody out: "one of those freed"
COUNT_QUESTION = "How many people were released?"
DURATION = rf"\s+(?:{alternation(all_words('time_units'))})\b"
WORD = {
    name: re.compile(rf"(?<!press )\b(?:{alternation(listed)})(?!\w)", re.I)
    for name, listed in words_by_key("topics").items()
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A sentence and the time it tells of, `first` to `last`, both in it.

    `dated`: "named", its words name the time; "reckoned", they do, counted from the date of publication ("on
    Saturday"); "published", they name none to the month, and the time is that of publication. `topics` are what it
    speaks of, `names` the known names in it, by the table. The citation's `copies` are articles with the same sentence.
    """

    first: date
    last: date
    dated: Literal["named", "reckoned", "published"]
    topics: tuple[Topic, ...]
    names: frozenset[str]
    citation: Citation


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody or something that the articles name: the table's name, "people", "organisations" or "places".

    `spellings` are those of the articles, the most frequent first; `sentences` is how many name it.
    """

    name: str
    kind: str
    spellings: tuple[str, ...]
    sentences: int


@dataclass(frozen=True, slots=True)
class Count:
    """A number of people that sentences about releases on one day give: as the first has it, and all that give it."""

    day: date
    value: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What one version of an article tells: its moments, how many sentences have no time, and the names it spells."""

    moments: tuple[Moment, ...]
    spelt: tuple[tuple[str, str, str], ...]  # name, kind, spelling; a sentence names each once


class Chronicle:
    """The moments of the articles that are searched. Safe to use from several threads.

    Each version is read once; the first look at a large library takes its time.
    """

    def __init__(self, store: Store, names: Names) -> None:
        self._store = store
        self._names = names
        self._lock = threading.Lock()
        self._read: dict[tuple[str, int], _Read] = {}

    def moments(
        self,
        topics: Collection[Topic] = (),
        name: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> list[Moment]:
        """The sentences that speak of one of the topics, else of any, in order of time.

        With a `name` of the table all that name it, whatever they speak of, unless topics are given. Those that name no
        time are left out where their article's date is not known to the day, but for those with the `name`. `since`
        and `until` are days, both in the range.
        """
        found = []
        for moment in self._told_once():
            about = set(topics) & set(moment.topics) if topics else moment.topics or name
            placed = name in moment.names if name else moment.dated != "published" or moment.first == moment.last
            within = (not since or moment.last >= since) and (not until or moment.first <= until)
            if about and placed and within:
                found.append(moment)
        return found

    def known(self) -> list[Known]:
        """Whom the articles name, but for places: the most often named first."""
        spellings: dict[tuple[str, str], Counter[str]] = {}
        for read in self._versions():
            for name, kind, spelling in read.spelt:
                spellings.setdefault((name, kind), Counter())[spelling] += 1
        made = [
            Known(name, kind, tuple(one for one, _ in counted.most_common()), counted.total())
            for (name, kind), counted in spellings.items()
            if kind != "places"
        ]
        return sorted(made, key=lambda one: (-one.sentences, one.name))

    def counts(self) -> list[Count]:
        """The numbers of people in sentences about releases on one day, in order of days and then of tellers.

        Only of days that several articles tell of; numbers that are equal are one.
        """
        days: dict[date, dict[float, list[tuple[str, Citation]]]] = {}
        about: list[Topic] = ["releases"]
        for moment in self.moments(about):
            text = moment.citation.quote
            near = [match[0] for match in WORD["release"].finditer(text)]
            found = figure(text, near, COUNT_QUESTION)
            if not found or found[1] < ONE or re.search(re.escape(found[0]) + DURATION, text):
                continue
            if moment.first == moment.last:
                days.setdefault(moment.first, {}).setdefault(found[1], []).append((found[0], moment.citation))
        made = []
        for day, values in sorted(days.items()):
            tellers = {citation.article.id for told in values.values() for _, citation in told}
            if len(tellers) >= FEWEST_TELLERS:
                made += [
                    Count(day, told[0][0], tuple(citation for _, citation in told))
                    for told in sorted(values.values(), key=lambda told: -len(told))
                ]
        return made

    def _told_once(self) -> list[Moment]:
        """All moments in order of time; of sentences that are the same, the one published first."""
        first: dict[str, Moment] = {}
        every = [moment for read in self._versions() for moment in read.moments]
        for moment in sorted(
            every, key=lambda one: (one.citation.article.published or "9999", one.citation.article.id)
        ):
            quote = " ".join(moment.citation.quote.split())
            if (before := first.get(quote)) is None:
                first[quote] = moment
            elif before.citation.article.id != moment.citation.article.id:
                citation = before.citation
                copies = (*citation.copies, moment.citation.article)
                first[quote] = replace(before, citation=replace(citation, copies=copies))
        return sorted(first.values(), key=lambda one: (one.first, one.last, one.citation.article.published))

    def _versions(self) -> list[_Read]:
        """What is read of each article that is searched."""
        with self._lock:
            live: dict[tuple[str, int], _Read] = {}
            with self._store.library.snapshot():
                for article in self._store.library.articles():
                    key = (article.id, article.version)
                    live[key] = self._read.get(key) or self._reading(article)
            self._read = live
            return list(live.values())

    def _reading(self, article: Article) -> _Read:
        moments: list[Moment] = []
        spelt: list[tuple[str, str, str]] = []
        for embedded in self._store.library.passages.embedded(article.id, article.version):
            for span in embedded.passage.sentences:
                block = article.block(span.start)
                if block and block.kind in NEVER_QUOTED:
                    continue
                times = [one for one in embedded.passage.times if span.start <= one.span.start < span.end]
                mentions = self._names.mentions(article.text[span.start : span.end])
                by_name = {one.name: one for one in reversed(mentions)}
                spelt += [(one.name, one.kind, one.spelling) for one in by_name.values()]
                topics = tuple(_topics(article.text[span.start : span.end]))
                if (topics or by_name) and (when := _when(times, article)):
                    moments.append(Moment(*when, topics, frozenset(by_name), self._cited(article, span, times)))
        return _Read(tuple(moments), tuple(spelt))

    def _cited(self, article: Article, span: Span, times: Sequence[Time]) -> Citation:
        quote = article.text[span.start : span.end]
        return attributed(Citation(1, quote, span.start, span.end, article, tuple(times)), self._names)


def _topics(text: str) -> Iterator[Topic]:
    if WORD["release"].search(text):
        yield "releases"
    if WORD["arrest"].search(text):
        yield "arrests"
    if WORD["sanction"].search(text):
        eased = WORD["ease"].search(text)
        if WORD["impose"].search(text) or not eased:
            yield "sanctions"
        if eased:
            yield "easing"


def _when(
    times: Iterable[Time], article: Article
) -> tuple[date, date, Literal["named", "reckoned", "published"]] | None:
    """The first time that is named to the month at least, else that of publication; None if neither is known."""
    for time in times:
        if (time.last - time.first).days < LONGEST_DAYS:
            return time.first, time.last, "reckoned" if time.reckoned else "named"
    return (*published_span(article.published), "published") if article.published else None
