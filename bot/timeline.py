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
from bot.attribution import with_speakers
from bot.disagreement import extract_number
from language import all_words, alternation, words_by_key
from vectorstore import NEVER_QUOTED, Article, NameTable, Span, Store, TimeReference, published_span

Topic = Literal["releases", "arrests", "sanctions", "easing"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
LONGEST_DAYS = 31  # a time that is named less exactly than to the month places nothing
MIN_ARTICLES = 2  # articles, for a day's numbers to be set side by side
ONE_PERSON = 2.0  # below it a number singles somebody out: "one of those freed"
COUNT_QUESTION = "How many people were released?"
DURATION = rf"\s+(?:{alternation(all_words('time_units'))})\b"
WORD = {
    name: re.compile(rf"(?<!press )\b(?:{alternation(listed)})(?!\w)", re.I)
    for name, listed in words_by_key("topics").items()
}


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """A sentence and the time it tells of, `start_date` to `end_date`, both in it.

    `date_basis`: "stated", its words name the time; "inferred", they do, counted from the date of publication ("on
    Saturday"); "publication", they name none to the month, and the time is that of publication. `topics` are what it
    speaks of, `names` the known names in it, by the table. The citation's `copies` are articles with the same sentence.
    """

    start_date: date
    end_date: date
    date_basis: Literal["stated", "inferred", "publication"]
    topics: tuple[Topic, ...]
    names: frozenset[str]
    citation: Citation


@dataclass(frozen=True, slots=True)
class EntitySummary:
    """Somebody or something that the articles name: the table's name, "people", "organisations" or "places".

    `aliases` are those of the articles, the most frequent first; `sentences` is how many name it.
    """

    name: str
    kind: str
    aliases: tuple[str, ...]
    sentences: int


@dataclass(frozen=True, slots=True)
class ReportedCount:
    """A number of people that sentences about releases on one day give: as the first has it, and all that give it."""

    day: date
    value: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _VersionEvents:
    """What one version of an article tells: its events, how many sentences have no time, and the names it spells."""

    events: tuple[TimelineEvent, ...]
    mentions: tuple[tuple[str, str, str], ...]  # name, kind, spelling; a sentence names each once


class Timeline:
    """The events of the articles that are searched. Safe to use from several threads.

    Each version is read once; the first look at a large library takes its time.
    """

    def __init__(self, store: Store, names: NameTable) -> None:
        self._store = store
        self._names = names
        self._lock = threading.Lock()
        self._read: dict[tuple[str, int], _VersionEvents] = {}

    def events(
        self,
        topics: Collection[Topic] = (),
        name: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> list[TimelineEvent]:
        """The sentences that speak of one of the topics, else of any, in order of time.

        With a `name` of the table all that name it, whatever they speak of, unless topics are given. Those that name no
        time are left out where their article's date is not known to the day, but for those with the `name`. `since`
        and `until` are days, both in the range.
        """
        found = []
        for event in self._distinct_events():
            about = set(topics) & set(event.topics) if topics else event.topics or name
            placed = (
                name in event.names if name else event.date_basis != "publication" or event.start_date == event.end_date
            )
            within = (not since or event.end_date >= since) and (not until or event.start_date <= until)
            if about and placed and within:
                found.append(event)
        return found

    def entities(self) -> list[EntitySummary]:
        """Whom the articles name, but for places: the most often named first."""
        aliases: dict[tuple[str, str], Counter[str]] = {}
        for read in self._versions():
            for name, kind, alias in read.mentions:
                aliases.setdefault((name, kind), Counter())[alias] += 1
        entities = [
            EntitySummary(name, kind, tuple(alias for alias, _ in counted.most_common()), counted.total())
            for (name, kind), counted in aliases.items()
            if kind != "places"
        ]
        return sorted(entities, key=lambda entity: (-entity.sentences, entity.name))

    def reported_counts(self) -> list[ReportedCount]:
        """The numbers of people in sentences about releases on one day, in order of days and then of articles.

        Only of days that several articles tell of; numbers that are equal are one.
        """
        days: dict[date, dict[float, list[tuple[str, Citation]]]] = {}
        about: list[Topic] = ["releases"]
        for event in self.events(about):
            text = event.citation.quote
            near = [match[0] for match in WORD["release"].finditer(text)]
            found = extract_number(text, near, COUNT_QUESTION)
            if not found or found[1] < ONE_PERSON or re.search(re.escape(found[0]) + DURATION, text):
                continue
            if event.start_date == event.end_date:
                days.setdefault(event.start_date, {}).setdefault(found[1], []).append((found[0], event.citation))
        counts = []
        for day, values in sorted(days.items()):
            articles = {citation.article.id for reports in values.values() for _, citation in reports}
            if len(articles) >= MIN_ARTICLES:
                counts += [
                    ReportedCount(day, reports[0][0], tuple(citation for _, citation in reports))
                    for reports in sorted(values.values(), key=lambda reports: -len(reports))
                ]
        return counts

    def _distinct_events(self) -> list[TimelineEvent]:
        """All events in order of time; of sentences that are the same, the one published first."""
        first: dict[str, TimelineEvent] = {}
        every = [event for read in self._versions() for event in read.events]
        for event in sorted(
            every, key=lambda event: (event.citation.article.published or "9999", event.citation.article.id)
        ):
            quote = " ".join(event.citation.quote.split())
            if (before := first.get(quote)) is None:
                first[quote] = event
            elif before.citation.article.id != event.citation.article.id:
                citation = before.citation
                reprints = (*citation.reprints, event.citation.article)
                first[quote] = replace(before, citation=replace(citation, reprints=reprints))
        return sorted(
            first.values(), key=lambda event: (event.start_date, event.end_date, event.citation.article.published)
        )

    def _versions(self) -> list[_VersionEvents]:
        """What is read of each article that is searched."""
        with self._lock:
            live: dict[tuple[str, int], _VersionEvents] = {}
            with self._store.library.snapshot():
                for article in self._store.library.articles():
                    key = (article.id, article.version)
                    live[key] = self._read.get(key) or self._read_version(article)
            self._read = live
            return list(live.values())

    def _read_version(self, article: Article) -> _VersionEvents:
        events: list[TimelineEvent] = []
        names: list[tuple[str, str, str]] = []
        for embedded in self._store.library.passages.embedded(article.id, article.version):
            for span in embedded.passage.sentences:
                block = article.block(span.start)
                if block and block.kind in NEVER_QUOTED:
                    continue
                times = [time for time in embedded.passage.times if span.start <= time.span.start < span.end]
                mentions = self._names.mentions(article.text[span.start : span.end])
                by_name = {mention.name: mention for mention in reversed(mentions)}
                names += [(mention.name, mention.kind, mention.text) for mention in by_name.values()]
                topics = tuple(_topics(article.text[span.start : span.end]))
                if (topics or by_name) and (when := _time_of(times, article)):
                    events.append(TimelineEvent(*when, topics, frozenset(by_name), self._cited(article, span, times)))
        return _VersionEvents(tuple(events), tuple(names))

    def _cited(self, article: Article, span: Span, times: Sequence[TimeReference]) -> Citation:
        quote = article.text[span.start : span.end]
        return with_speakers(Citation(1, quote, span.start, span.end, article, tuple(times)), self._names)


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


def _time_of(
    times: Iterable[TimeReference], article: Article
) -> tuple[date, date, Literal["stated", "inferred", "publication"]] | None:
    """The first time that is named to the month at least, else that of publication; None if neither is known."""
    for time in times:
        if (time.end_date - time.start_date).days < LONGEST_DAYS:
            return time.start_date, time.end_date, "inferred" if time.inferred else "stated"
    return (*published_span(article.published), "publication") if article.published else None
