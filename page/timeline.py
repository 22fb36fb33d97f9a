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
from page.markup import escape_html, in_line, shortened, voices
from page.words import Words

SHOWN = 300  # rows
TIP = 90  # characters
ROW_HEIGHT = 34  # of the plot, in pixels
READ_AS: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json"
}  # what Gradio's own Vega-Lite reads
# Text and lines of an SVG take the page's colours, light or dark.
EMBEDDED = {"actions": False, "renderer": "svg", "loader": {"target": "_blank"}}


def called(words: Words) -> dict[Topic | None, str]:
    """The topics in words; None is any other."""
    named: dict[Topic | None, str] = {
        "releases": words("Releases"),
        "arrests": words("Arrests and sentences"),
        "sanctions": words("Sanctions"),
        "easing": words("Sanctions eased"),
    }
    return {topic: named[topic] for topic in TOPICS} | {None: words("Other")}


def plotted(moments: Sequence[Moment], topics: Sequence[Topic], words: Words) -> alt.Chart | None:
    """A point for each of the topics, else of all, that a moment speaks of, at its first day; it opens the passage.

    None for no moments.
    """
    named = called(words)
    points = [
        {
            "day": f"{one.first}",
            "about": named[topic],
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
    lines = [line for line in named.values() if any(point["about"] == line for point in points)]
    # days have no time zone: a browser's own would move them
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%Y-%m"))
    y = alt.Y("about:N", title=None, sort=lines, axis=alt.Axis(labelLimit=180))
    columns = {"day": words("Day"), "sentence": words("Sentence"), "publisher": words("Publisher")}
    tip = [alt.Tooltip(f"{column}:N", title=title) for column, title in columns.items()]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=points), usermeta={"embedOptions": EMBEDDED}, **READ_AS)
        .mark_point(filled=True, size=90, opacity=0.6, cursor="pointer")
        .encode(x=x, y=y, tooltip=tip, href="link:N", color=alt.Color("about:N", sort=lines, legend=None))
        .properties(
            height=ROW_HEIGHT * len(lines),
            width="container",
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
            background="transparent",
        )
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12)
    )
    return chart


def told(moments: Sequence[Moment], picked: str, words: Words) -> str:
    """The moments as a table, each with the way to its passage; `picked` says in words which they are."""
    if not moments:
        return f"<p>{words('The articles tell nothing of this with a date: {picked}.', picked=escape_html(picked))}</p>"
    rows = "".join(
        f'<tr><td class="day">{_days(one, words)}<span class="how">{_how(one, words)}</span></td>'
        f"<td>{_quoted(one.citation, words)}</td></tr>"
        for one in moments[:SHOWN]
    )
    caption = [
        words.many(
            "{count} sentence, in order of time: {picked}.",
            "{count} sentences, in order of time: {picked}.",
            len(moments),
            picked=escape_html(picked),
        )
    ]
    if len(moments) > SHOWN:
        caption.append(words("The first {shown} are shown: choose less to see others.", shown=SHOWN))
    caption.append(words("What a sentence says is its article's word, not ours."))
    heads = "".join(f'<th scope="col">{head}</th>' for head in (words("When"), words("What is told")))
    return (
        f'<table class="told"><caption>{" ".join(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def numbers(counts: Sequence[Count], words: Words) -> str:
    """The numbers told of each day as a table."""
    if not counts:
        return f"<p>{words('No day’s releases are counted by more than one article.')}</p>"
    rows = "".join(
        f'<tr><td class="day">{one.day}</td><td>{escape_html(one.value)}</td>'
        f"<td>{'<br>'.join(_quoted(cited, words) for cited in one.citations)}</td></tr>"
        for one in counts
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in (words("Day"), words("Number"), words("Told by")))
    said = words(
        "Numbers in sentences about releases on one day, where several articles tell of it. They may count different "
        "people."
    )
    return f'<table class="told"><caption>{said}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def spelt(known: Known | None, words: Words) -> str:
    """How the articles spell a name; empty for none."""
    if known is None:
        return ""
    said = words.many(
        "{count} sentence names them, as {spellings}.",
        "{count} sentences name them, as {spellings}.",
        known.sentences,
        spellings=", ".join(map(escape_html, known.spellings)),
    )
    return f'<p class="spelt" dir="auto"><strong>{escape_html(known.name)}</strong>: {said}</p>'


def timeline(page: gr.Blocks, bot: Bot, words: Words) -> None:
    """Puts the timeline on the page."""
    chronicle, topic_names = bot.chronicle, called(words)

    def look(topics: list[Topic], name: str, since: str, until: str) -> tuple[Any, ...]:
        try:
            first, last = (date.fromisoformat(day) if day else None for day in (since, until))
        except ValueError:
            raise gr.Error(
                words("A day is written as 2025-12-13."), title=words("Error"), print_exception=False
            ) from None
        moments = chronicle.moments(topics, name, first, last)
        about = [*([name] if name else ()), *(topic_names[topic] for topic in topics or (() if name else TOPICS))]
        picked = ", ".join(about)
        picked += words("; from {day}", day=first) if first else ""
        picked += words("; to {day}", day=last) if last else ""
        known = next((one for one in chronicle.known() if one.name == name), None)
        return plotted(moments, topics, words), spelt(known, words), told(moments, picked, words)

    def begun(topics: list[Topic], name: str, since: str, until: str) -> tuple[Any, ...]:
        every = [(f"{one.name} ({one.sentences:,})", one.name) for one in chronicle.known()]
        names = gr.Dropdown(choices=[(words("Everybody"), ""), *every])
        return *look(topics, name, since, until), names, numbers(chronicle.counts(), words)

    gr.Markdown(f"## {words('Timeline')}", elem_id="timeline-title")
    with gr.Row(elem_id="picking"):
        topics = gr.CheckboxGroup(
            label=words("Sentences that speak of"),
            choices=[(topic_names[topic], topic) for topic in TOPICS],
            value=[],
            scale=2,
            min_width=320,
        )
        name = gr.Dropdown(
            label=words("Who is named"), choices=[(words("Everybody"), "")], value="", filterable=True, min_width=240
        )
        since = gr.Textbox(label=words("Told from"), placeholder="2025-09-01", max_lines=1, min_width=120)
        until = gr.Textbox(label=words("Told to"), placeholder="2025-12-31", max_lines=1, min_width=120)
    plot = gr.Plot(label=words("A point opens its passage"), elem_id="plot", buttons=[])
    spellings = gr.HTML("", elem_id="spellings")
    table = gr.HTML("", elem_id="moments")
    with gr.Accordion(words("Numbers told of the same day"), open=False):
        counts = gr.HTML("", elem_id="counts")

    quiet: Any = {"api_visibility": "private", "show_progress": "hidden"}
    shown = [plot, spellings, table]
    chosen = [topics, name, since, until]
    page.load(begun, chosen, [*shown, name, counts], **quiet)
    gr.on([topics.input, name.input, since.submit, since.blur, until.submit, until.blur], look, chosen, shown, **quiet)


def _teller(citation: Citation) -> str:
    return citation.article.publisher or citation.article.name


def _days(moment: Moment, words: Words) -> str:
    if moment.first == moment.last:
        return f"{moment.first}"
    return words("{first} to {last}", first=moment.first, last=moment.last)


def _how(moment: Moment, words: Words) -> str:
    if moment.dated == "published":
        return words("published then")
    text = moment.citation.article.text
    spans = [text[one.span.start : one.span.end] for one in moment.citation.times if one.first == moment.first]
    return f"“{escape_html(spans[0])}”" if spans and moment.dated == "reckoned" else ""


def _quoted(citation: Citation, words: Words) -> str:
    """A sentence, who says it, who printed it, and the way to it."""
    article = citation.article
    others = len(citation.copies)
    by = [voices(citation.voices[:1], words), _teller(citation)]
    by += [article.published or words("no date"), words("and {count} more", count=others) if others else ""]
    opened = words("open the passage")
    link = f'<a href="{escape_html(citation.link)}" target="_blank" rel="noopener">{opened}</a>'
    return (
        f'<q lang="{escape_html(article.lang)}" dir="auto">{escape_html(citation.quote)}</q>'
        f'<span class="by" dir="auto">{" · ".join(map(in_line, filter(None, by)))} · {link}</span>'
    )
