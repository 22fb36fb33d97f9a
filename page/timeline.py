"""The timeline: what the articles tell in order of time, whom they name, and the numbers they give.

Knows Gradio's events. Does not know which sentence speaks of what: it shows what `Bot.timeline` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import altair as alt
import gradio as gr

from bot import TOPICS, ArticleSummary, Bot, Citation, EntitySummary, ReportedCount, TimelineEvent, Topic
from page.events import Updates, listening, user_error
from page.i18n import Translator
from page.markup import escape_html, safe_html
from render.blocks import speakers_text
from render.markdown import shortened

ARTICLES = "articles"  # beside the topics: the articles themselves
SHOWN = 300  # events and articles, the newest
NUMBERS = 40  # the newest
TIP = 90  # characters
ROW_HEIGHT = 34  # of the plot, in pixels
READ_AS: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json"
}  # what Gradio's own Vega-Lite reads
# Text and lines of an SVG take the page's colours, light or dark.
EMBEDDED = {"actions": False, "renderer": "svg", "loader": {"target": "_blank"}}


def topic_labels(words: Translator) -> dict[Topic | None, str]:
    """The topics in words; None is any other."""
    named: dict[Topic | None, str] = {
        "releases": words("Releases"),
        "arrests": words("Arrests and sentences"),
        "sanctions": words("Sanctions"),
        "easing": words("Sanctions eased"),
    }
    return {topic: named[topic] for topic in TOPICS} | {None: words("Other")}


def placed(entry: ArticleSummary) -> bool:
    """Whether an article's date is known to the month at least."""
    return len(entry.published) >= len("2025-12")


def events_chart(
    shown: Sequence[TimelineEvent | ArticleSummary], topics: Sequence[str], words: Translator
) -> alt.Chart | None:
    """A point for each of the topics, else of all, that a event speaks of, at its first day; it opens the passage.

    An article is a square at its date of publication, and opens its text. None for nothing.
    """
    named = topic_labels(words)
    points = []
    for item in shown:
        if isinstance(item, ArticleSummary):
            about, shape, text, link = [words("Articles")], "square", item.name, _link(item)
        else:
            spoken = (topic for topic in item.topics or (None,) if not topics or topic in topics)
            about, shape = [named[topic] for topic in spoken], "circle"
            text, link = item.citation.quote, item.citation.link
        point = {"day": _day(item), "text": shortened(text, TIP), "publisher": _publisher(item), "link": link}
        points += [{**point, "about": line, "shape": shape} for line in about]
    if not points:
        return None
    lines = [line for line in (*named.values(), words("Articles")) if any(point["about"] == line for point in points)]
    # days have no time zone: a browser's own would move them
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%Y-%m"))
    y = alt.Y("about:N", title=None, sort=lines, axis=alt.Axis(labelLimit=180))
    columns = {"day": words("Day"), "text": words("Statement"), "publisher": words("Publisher")}
    tip = [alt.Tooltip(f"{column}:N", title=title) for column, title in columns.items()]
    color = alt.Color("about:N", sort=lines, legend=None)
    shape_of = alt.Shape("shape:N", scale=None)
    chart = _chart(points).mark_point(filled=True, size=90, opacity=0.6, cursor="pointer")
    return _drawn(chart.encode(x=x, y=y, tooltip=tip, href="link:N", color=color, shape=shape_of), len(lines))


def counts_chart(counts: Sequence[ReportedCount], words: Translator) -> alt.Chart | None:
    """A bar for each number told of a day, as long as it has articles; it opens the first passage. None for none."""
    bars = [
        {
            "number": f"{count.day}: {shortened(count.value, TIP)}",
            "articles": len(count.citations),
            "publishers": shortened(", ".join(map(_publisher, count.citations)), 2 * TIP),
            "link": count.citations[0].link,
        }
        for count in counts
    ]
    if not bars:
        return None
    most = max(len(count.citations) for count in counts)
    x = alt.X("articles:Q", title=words("Articles"), axis=alt.Axis(values=list(range(most + 1)), format="d"))
    y = alt.Y("number:N", title=None, sort=None, axis=alt.Axis(labelLimit=220))
    columns = {"number": words("Number"), "publishers": words("Source")}
    tip = [alt.Tooltip(f"{column}:N", title=title) for column, title in columns.items()]
    return _drawn(_chart(bars).mark_bar(cursor="pointer").encode(x=x, y=y, tooltip=tip, href="link:N"), len(bars))


def _chart(values: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=values), usermeta={"embedOptions": EMBEDDED}, **READ_AS)


def _drawn(chart: alt.Chart, lines: int) -> alt.Chart:
    """The chart as wide as its place, with so many lines."""
    sized = chart.properties(
        height=ROW_HEIGHT * lines,
        width="container",
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        background="transparent",
    )
    plain: alt.Chart = sized.configure_view(stroke=None).configure_axis(labelFontSize=12)
    return plain


def events_table(found: Sequence[TimelineEvent | ArticleSummary], picked: str, words: Translator) -> str:
    """The newest of what is found as a table, each with the way to it; `picked` says in words what it is."""
    if not found:
        return (
            f"<p>{words('The articles hold no dated statement about this: {picked}.', picked=escape_html(picked))}</p>"
        )
    rows = "".join(_row(item, words) for item in found[-SHOWN:])
    printed = sum(isinstance(item, ArticleSummary) for item in found)
    counts = [
        words.many("{count} sentence", "{count} sentences", len(found) - printed) if printed < len(found) else "",
        words.many("{count} article", "{count} articles", printed) if printed else "",
    ]
    caption = [
        words("{found}, in order of time: {picked}.", found=", ".join(filter(None, counts)), picked=escape_html(picked))
    ]
    if len(found) > SHOWN:
        caption.append(words("The newest {shown} are shown: choose less to see others.", shown=SHOWN))
    caption.append(words("What a sentence says is its article's word, not ours."))
    heads = "".join(f'<th scope="col">{head}</th>' for head in (words("When"), words("Statement")))
    return (
        f'<table class="told"><caption>{" ".join(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def counts_table(counts: Sequence[ReportedCount], words: Translator) -> str:
    """The newest numbers told of each day as a table."""
    if not counts:
        return f"<p>{words('No day’s releases are counted by more than one article.')}</p>"
    rows = "".join(
        f'<tr><td class="day"><time>{count.day}</time></td><td>{escape_html(count.value)}</td>'
        f"<td>{'<br>'.join(_quoted(cited, words) for cited in count.citations)}</td></tr>"
        for count in counts[-NUMBERS:]
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in (words("Day"), words("Number"), words("Source")))
    caption = words(
        "Numbers in sentences about releases on one day, where several articles tell of it. They may count different "
        "people."
    )
    if len(counts) > NUMBERS:
        caption += " " + words("The newest {shown} are shown.", shown=NUMBERS)
    return (
        f'<table class="told"><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def name_summary(entity: EntitySummary | None, words: Translator) -> str:
    """How the articles spell a name; empty for none."""
    if entity is None:
        return ""
    spellings = words.many(
        "{count} sentence names them, as {spellings}.",
        "{count} sentences name them, as {spellings}.",
        entity.sentences,
        spellings=", ".join(map(escape_html, entity.aliases)),
    )
    return f'<p class="spelt" dir="auto"><strong>{escape_html(entity.name)}</strong>: {spellings}</p>'


class TimelineLayout:
    """The timeline's components, put on the page as they are made; `kinds` are what can be picked, in words."""

    def __init__(self, words: Translator) -> None:
        names = topic_labels(words)
        self.kinds = {**{str(topic): names[topic] for topic in TOPICS}, ARTICLES: words("Articles")}
        gr.Markdown(f"## {words('Timeline')}", elem_id="timeline-title")
        with gr.Row(elem_id="picking"):
            self.picked = gr.CheckboxGroup(
                label=words("What to show"),
                choices=[(label, kind) for kind, label in self.kinds.items()],
                value=[],
                scale=2,
                min_width=320,
            )
            everybody = [(words("Any"), "")]
            self.name = gr.Dropdown(
                label=words("Person or organisation"), choices=everybody, value="", filterable=True, min_width=240
            )
            self.since = gr.Textbox(label=words("From"), placeholder="2025-09-01", max_lines=1, min_width=120)
            self.until = gr.Textbox(label=words("To"), placeholder="2025-12-31", max_lines=1, min_width=120)
        with gr.Column(elem_id="plot"):  # whose styles all plots take
            self.plot = gr.Plot(label=words("A point opens its passage, a square its article"), buttons=[])
            self.spellings = gr.HTML("", elem_id="spellings")
            self.table = gr.HTML("", elem_id="events")
            with gr.Accordion(words("Reported counts by day"), open=False):
                label = words("How many articles give a number; a bar opens the first passage")
                self.bars = gr.Plot(label=label, buttons=[])
                self.counts = gr.HTML("", elem_id="counts")


@dataclass(frozen=True, slots=True, eq=False)
class TimelineHandlers:
    """What the timeline does on its events; each handler gives what becomes of the components of the layout."""

    bot: Bot
    words: Translator
    layout: TimelineLayout

    def on_load(self, picked: list[str], name: str, since: str, until: str) -> Updates:
        """Shows all, and offers the names."""
        layout, words, timeline = self.layout, self.words, self.bot.timeline
        names = [(f"{known.name} ({known.sentences:,})", known.name) for known in timeline.entities()]
        counts = timeline.reported_counts()
        return self.on_choice(picked, name, since, until) | {
            layout.name: gr.Dropdown(choices=[(words("Any"), ""), *names]),
            layout.bars: counts_chart(counts[-NUMBERS:], words),
            layout.counts: counts_table(counts, words),
        }

    def on_choice(self, picked: list[str], name: str, since: str, until: str) -> Updates:
        """Shows what is picked; all for nothing, everybody for no name."""
        layout, words, timeline = self.layout, self.words, self.bot.timeline
        try:
            first, last = (date.fromisoformat(day) if day else None for day in (since, until))
        except ValueError:
            raise user_error(words("Write dates as 2025-12-13."), words) from None
        topics = [topic for topic in TOPICS if topic in picked]
        found: list[TimelineEvent | ArticleSummary] = []
        if topics or not picked:
            found += timeline.events(topics, name, first, last)
        if ARTICLES in picked or not picked:
            found += self._articles(timeline.events(topics, name) if topics or name else None, first, last)
        found.sort(key=_day)
        kinds = [layout.kinds[kind] for kind in picked or (() if name else layout.kinds)]
        choice = ", ".join([*filter(None, (name,)), *kinds])
        choice += words("; from {day}", day=first) if first else ""
        choice += words("; to {day}", day=last) if last else ""
        known = next((known for known in timeline.entities() if known.name == name), None)
        return {
            layout.plot: events_chart(found[-SHOWN:], topics, words),
            layout.spellings: name_summary(known, words),
            layout.table: events_table(found, choice, words),
        }

    def _articles(
        self, events: Sequence[TimelineEvent] | None, first: date | None, last: date | None
    ) -> list[ArticleSummary]:
        """The articles themselves: those of the events, or all."""
        articles = {event.citation.article.id for event in events or ()}
        return [
            entry
            for entry in self.bot.list_articles()
            if placed(entry)
            and (events is None or entry.id in articles)
            and (not first or entry.published >= f"{first}"[: len(entry.published)])
            and (not last or entry.published <= f"{last}"[: len(entry.published)])
        ]


def timeline(page: gr.Blocks, bot: Bot, words: Translator) -> None:
    """Puts the timeline on the page."""
    layout, on = TimelineLayout(words), listening(words)
    handlers = TimelineHandlers(bot, words, layout)
    shown = [layout.plot, layout.spellings, layout.table]
    choice = [layout.picked, layout.name, layout.since, layout.until]
    on(page.load, handlers.on_load, choice, [*shown, layout.name, layout.bars, layout.counts])
    chosen = [layout.picked.input, layout.name.input]
    chosen += [event for day in (layout.since, layout.until) for event in (day.submit, day.blur)]
    on(partial(gr.on, chosen), handlers.on_choice, choice, shown, trigger_mode="always_last")


def _row(item: TimelineEvent | ArticleSummary, words: Translator) -> str:
    if isinstance(item, ArticleSummary):
        day, how = f"<time>{item.published}</time>", words("an article")
        opened = f'<a href="{_link(item)}" target="_blank" rel="noopener">{words("view text and versions")}</a>'
        by = " · ".join([*filter(None, [safe_html(item.publisher)]), opened])
        text = f'<strong dir="auto">{escape_html(item.name)}</strong><span class="by" dir="auto">{by}</span>'
    else:
        day, how, text = _days(item, words), _how(item, words), _quoted(item.citation, words)
    return f'<tr><td class="day">{day}<span class="how">{how}</span></td><td>{text}</td></tr>'


def _day(item: TimelineEvent | ArticleSummary) -> str:
    """Its first day."""
    return f"{item.published}-01"[: len("2025-12-13")] if isinstance(item, ArticleSummary) else f"{item.start_date}"


def _link(entry: ArticleSummary) -> str:
    return escape_html(f"/source/{entry.id}/{entry.version}")


def _publisher(item: TimelineEvent | ArticleSummary | Citation) -> str:
    if isinstance(item, ArticleSummary):
        return item.publisher
    article = item.article if isinstance(item, Citation) else item.citation.article
    return article.publisher or article.name


def _days(event: TimelineEvent, words: Translator) -> str:
    first, last = f"<time>{event.start_date}</time>", f"<time>{event.end_date}</time>"
    return first if event.start_date == event.end_date else words("{first} to {last}", first=first, last=last)


def _how(event: TimelineEvent, words: Translator) -> str:
    if event.date_basis == "publication":
        return words("published then")
    text = event.citation.article.text
    spans = [
        text[time.span.start : time.span.end] for time in event.citation.times if time.start_date == event.start_date
    ]
    return f"“{escape_html(spans[0])}”" if spans and event.date_basis == "inferred" else ""


def _quoted(citation: Citation, words: Translator) -> str:
    """A sentence, who says it, who printed it, and the way to it."""
    article = citation.article
    others = len(citation.reprints)
    by = [words.message(speakers_text(citation.speakers[:1])), _publisher(citation)]
    by += [article.published or words("no date"), words("and {count} more", count=others) if others else ""]
    opened = words("view passage")
    link = f'<a href="{escape_html(citation.link)}" target="_blank" rel="noopener">{opened}</a>'
    return (
        f'<q lang="{escape_html(article.lang)}" dir="auto">{escape_html(citation.quote)}</q>'
        f'<span class="by" dir="auto">{" · ".join(map(safe_html, filter(None, by)))} · {link}</span>'
    )
