"""The timeline: what the articles tell in order of time, whom they name, and the numbers they give.

Knows Gradio's events. Does not know which sentence speaks of what: it shows what `Bot.chronicle` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt
import gradio as gr

from bot import TOPICS, Bot, Citation, Count, Known, Moment, Topic
from page.markup import escape_html, shortened

CALLED: dict[Topic, str] = {
    "releases": "Releases",
    "arrests": "Arrests and sentences",
    "sanctions": "Sanctions",
    "easing": "Sanctions eased",
}
OTHER = "Other"
SHOWN = 300  # rows
TIP = 90  # characters
ROW_HEIGHT = 34  # of the plot, in pixels
# Text and lines of an SVG take the page's colours, light or dark.
EMBEDDED = {"actions": False, "renderer": "svg", "loader": {"target": "_blank"}}


def plotted(moments: Sequence[Moment], topics: Sequence[Topic]) -> alt.Chart | None:
    """A point for each of the topics, else of all, that a moment speaks of, at its first day; it opens the passage.

    None for no moments.
    """
    points = [
        {
            "day": f"{one.first}",
            "about": CALLED[topic] if topic else OTHER,
            "sentence": shortened(one.citation.quote, TIP),
            "publisher": _teller(one.citation),
            "link": one.citation.link,
        }
        for one in moments
        for topic in (one.topics or (None,))
        if not topics or topic in topics
    ]
    if not points:
        return None
    lines = [called for called in (*CALLED.values(), OTHER) if any(point["about"] == called for point in points)]
    # days have no time zone: a browser's own would move them
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%Y-%m"))
    y = alt.Y("about:N", title=None, sort=lines, axis=alt.Axis(labelLimit=150))
    tip = [alt.Tooltip(f"{name}:N") for name in ("day", "sentence", "publisher")]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points), usermeta={"embedOptions": EMBEDDED})
        .mark_point(filled=True, size=90, opacity=0.6, cursor="pointer")
        .encode(x=x, y=y, tooltip=tip, href="link:N", color=alt.Color("about:N", sort=lines, legend=None))
        .properties(
            height=ROW_HEIGHT * len(lines),
            width="container",
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
            background="transparent",
        )
    )
    return chart


def told(moments: Sequence[Moment], picked: str) -> str:
    """The moments as a table, each with the way to its passage; `picked` says in words which they are."""
    if not moments:
        return f"<p>The articles tell nothing of {escape_html(picked)} with a date.</p>"
    rows = "".join(
        f'<tr><td class="day">{_days(one)}<span class="how">{_how(one)}</span></td>'
        f"<td>{_quoted(one.citation)}</td></tr>"
        for one in moments[:SHOWN]
    )
    more = f" The first {SHOWN} are shown: choose less to see others." if len(moments) > SHOWN else ""
    many = "1 sentence" if len(moments) == 1 else f"{len(moments):,} sentences"
    return (
        f'<table class="told"><caption>{many} about {escape_html(picked)}, in order of time.{more} What a sentence '
        "says is its article's word, not ours.</caption>"
        '<thead><tr><th scope="col">When</th><th scope="col">What is told</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def numbers(counts: Sequence[Count]) -> str:
    """The numbers told of each day as a table."""
    if not counts:
        return "<p>No day's releases are counted by more than one article.</p>"
    rows = "".join(
        f'<tr><td class="day">{one.day}</td><td>{escape_html(one.value)}</td>'
        f"<td>{'<br>'.join(map(_quoted, one.citations))}</td></tr>"
        for one in counts
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Day", "Number", "Told by"))
    return (
        '<table class="told"><caption>Numbers in sentences about releases on one day, where several articles tell of'
        " it. They may count different people.</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def spelt(known: Known | None) -> str:
    """How the articles spell a name; empty for none."""
    if known is None:
        return ""
    many = "1 sentence names" if known.sentences == 1 else f"{known.sentences:,} sentences name"
    spellings = ", ".join(map(escape_html, known.spellings))
    return f'<p class="spelt" dir="auto"><strong>{escape_html(known.name)}</strong>: {many} them, as {spellings}.</p>'


def timeline(page: gr.Blocks, bot: Bot) -> None:
    """Puts the timeline on the page."""
    chronicle = bot.chronicle

    def look(topics: list[Topic], name: str, since: str, until: str) -> tuple[Any, ...]:
        try:
            first, last = (date.fromisoformat(day) if day else None for day in (since, until))
        except ValueError:
            raise gr.Error("A day is written as 2025-12-13.", print_exception=False) from None
        moments = chronicle.moments(topics, name, first, last)
        picked = name or " or ".join(CALLED[topic].lower() for topic in topics or TOPICS)
        picked += "".join(f", {word} {day}" for word, day in (("from", first), ("to", last)) if day)
        known = next((one for one in chronicle.known() if one.name == name), None)
        return plotted(moments, topics), spelt(known), told(moments, picked)

    def begun(topics: list[Topic], name: str, since: str, until: str) -> tuple[Any, ...]:
        every = [(f"{one.name} ({one.sentences:,})", one.name) for one in chronicle.known()]
        names = gr.Dropdown(choices=[("Everybody", ""), *every])
        return *look(topics, name, since, until), names, numbers(chronicle.counts())

    gr.Markdown("## Timeline", elem_id="timeline-title")
    with gr.Row(elem_id="picking"):
        topics = gr.CheckboxGroup(
            label="Sentences that speak of",
            choices=[(CALLED[topic], topic) for topic in TOPICS],
            value=[],
            scale=2,
            min_width=320,
        )
        name = gr.Dropdown(label="Who is named", choices=[("Everybody", "")], value="", filterable=True, min_width=320)
        since = gr.Textbox(label="Told from", placeholder="2025-09-01", max_lines=1, min_width=120)
        until = gr.Textbox(label="Told to", placeholder="2025-12-31", max_lines=1, min_width=120)
    plot = gr.Plot(label="A point opens its passage", elem_id="plot", buttons=[])
    spellings = gr.HTML("", elem_id="spellings")
    table = gr.HTML("", elem_id="moments")
    with gr.Accordion("Numbers told of the same day", open=False):
        counts = gr.HTML("", elem_id="counts")

    quiet: Any = {"api_visibility": "private", "show_progress": "hidden"}
    shown = [plot, spellings, table]
    chosen = [topics, name, since, until]
    page.load(begun, chosen, [*shown, name, counts], **quiet)
    gr.on([topics.input, name.input, since.submit, since.blur, until.submit, until.blur], look, chosen, shown, **quiet)


def _teller(citation: Citation) -> str:
    return citation.article.publisher or citation.article.name


def _days(moment: Moment) -> str:
    return f"{moment.first}" if moment.first == moment.last else f"{moment.first} to {moment.last}"


def _how(moment: Moment) -> str:
    if moment.dated == "published":
        return "published then"
    text = moment.citation.article.text
    words = [text[one.span.start : one.span.end] for one in moment.citation.times if one.first == moment.first]
    return f"“{escape_html(words[0])}”" if words and moment.dated == "reckoned" else ""


def _quoted(citation: Citation) -> str:
    """A sentence, who says it, who printed it, and the way to it."""
    article = citation.article
    others = len(citation.copies)
    by = [*map(str, citation.voices[:1]), _teller(citation), article.published or "no date"]
    by += [f"and {others} more" if others else ""]
    link = f'<a href="{escape_html(citation.link)}" target="_blank" rel="noopener">open the passage</a>'
    return (
        f'<q lang="{escape_html(article.lang)}" dir="auto">{escape_html(citation.quote)}</q>'
        f'<span class="by" dir="auto">{escape_html(" · ".join(filter(None, by)))} · {link}</span>'
    )
