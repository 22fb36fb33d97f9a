"""Answers and sources as the Markdown and HTML of the page.

Knows how to show words so that none of them is taken for markup. Does not know Gradio's components or events.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from bot import (
    FORMATS,
    Answer,
    Article,
    Citation,
    Claim,
    Short,
    Spelling,
    Time,
    Turn,
    Voice,
    beside_short,
    bold_within,
    short_in_claim,
    short_in_quote,
)
from page.i18n import ENGLISH, IN_ENGLISH, Translator, kinds

# Characters that change the direction of writing until it is changed back
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
# What an answer's Markdown has beside its words; the line of the short answer is no part of them
MARKDOWN = re.compile(
    r"""<bdi class="short">[^\n]*|\[(\\\[\d+\\\])\]\(#[^)]*\)|<small[^>]*>.*?</small>|</?bdi>|(?<!\\)\*\*""", re.S
)


def escape_html(text: str) -> str:
    """Text that neither HTML nor the templates of Gradio's HTML component take for anything but text."""
    safe = html.escape(text)
    for character in "$`{}\\":
        safe = safe.replace(character, f"&#{ord(character)};")
    return safe


def in_line(text: str) -> str:
    """Text as HTML that turns nothing beside it around, whichever direction of writing its characters ask for."""
    return f"<bdi>{escape_html(text)}</bdi>" if DIRECTION.search(text) else escape_html(text)


def as_written(text: str) -> str:
    """What `escape_markdown` was given, but for line breaks."""
    return re.sub(r"\\([^\w\s])", r"\1", text)


def as_text(text: str) -> str:
    """Text that Markdown shows as it is, on one line, and that turns nothing beside it around."""
    return as_quoted(text, "", "")


def as_quoted(before: str, inside: str, behind: str) -> str:
    """The same of three pieces of a text, the middle one bold; an empty one leaves nothing bold."""
    shown = bold_within(before, inside, behind)
    return f"<bdi>{shown}</bdi>" if DIRECTION.search(f"{before}{inside}{behind}") else shown


def message(answer: Answer, group: str, words: Translator = IN_ENGLISH) -> str:
    """An answer as Markdown for the chat; its markers point to the sources of the same group."""
    lines = [first] if (first := lead(answer, group, words)) else []
    if answer.status == "partial":
        lines.append(f"**{words('The articles answer this in part.')}**")
    if answer.corrects:
        said = words("The question takes something for granted that the articles put right:")
        lines.append(aside(said, "corrects"))
    doubted = {
        "partly": words("only partly supported by its source"),
        "unverified": words("not supported by the sources"),
    }
    for claim in answer.claims:
        label = ""
        if claim.support in doubted:
            doubts = "; ".join((doubted[claim.support], *(words.message(one) for one in claim.doubts)))
            label = f' <small class="doubt">{as_text(doubts)}</small>'
        elif claim.support == "verified":
            label = f' <small class="verified">{words("verified")}</small>'
        said = f' <small class="voice">{as_text(by)}</small>' if (by := said_by(answer, claim, words)) else ""
        quoted = as_quoted(*short_in_claim(answer, claim))
        lines.append(f"{quoted}\N{NO-BREAK SPACE}{markers(claim.citations, group)}{said}{label}")
    if answer.status == "not_found":
        lines.append(f"**{words('The collection does not answer this.')}**")
    lines += accounts(answer, group, words)
    lines += [as_text(words.message(one)) for one in answer.missing]
    if answer.status == "not_found" and answer.closest:
        near = "\n".join(f"- {as_text(shortened(one.quote))} {markers((one.number,), group)}" for one in answer.closest)
        lines.append(f"{words('Closest passages, which are not an answer:')}\n\n{near}")
    notes = (*(words.message(one) for one in answer.notes), *(spelt(one, words) for one in answer.spellings))
    lines += [f"<small>{as_text(note)}</small>" for note in notes]
    lines.append(f'<small class="coverage">{as_text(coverage_line(answer, words))}</small>')
    return "\n\n".join(lines)


def lead(answer: Answer, group: str, words: Translator = IN_ENGLISH) -> str:
    """The verdict and the short answer with its marker, its day where it was reckoned, who says it, and when.

    One line, which `turns` leaves out; empty if there is neither.
    """
    short = answer.short
    verdict = {"yes": words("Yes"), "no": words("No")}.get(answer.verdict or "", "")
    said = " — ".join(filter(None, (verdict, short.text if short else "")))
    if not said:
        return ""
    marker = f"\N{NO-BREAK SPACE}{markers((short.citation,), group)}" if short else ""
    times, heard, dates = beside_short(answer)
    reckoned = ", ".join(days(time, words) for time in times)
    tellers = ", ".join([*(voices([one], words) for one in heard), *(day or words("no date") for day in dates)])
    counted = words("{days}, counted from the date of publication", days=reckoned) if reckoned else ""
    beside = "; ".join(filter(None, (counted, tellers)))
    behind = f" {aside(beside, 'beside')}" if beside else ""
    return f'<bdi class="short">{as_text(said)}{marker}</bdi>{behind}'


def said_by(answer: Answer, claim: Claim, words: Translator) -> str:
    """Who says a quoted claim and when, where the quote alone does not tell."""
    said, dates = answer.tellers(claim)
    return ", ".join([*(voices([one], words) for one in said), *(day or words("no date") for day in dates)])


def aside(said: str, kind: str) -> str:
    """What stands in an answer's place and is none: `turns` leaves it out."""
    return f'<small class="{kind}">{as_text(said)}</small>'


def markers(numbers: Iterable[int], group: str) -> str:
    """Links to the sources of a group, as they stand behind a sentence."""
    return "".join(f"[\\[{number}\\]](#{group}-{number})" for number in numbers)


def spelt(spelling: Spelling, words: Translator) -> str:
    """How the sources, and the question itself, spell a name of the question."""
    said = []
    if spelling.also:
        names = {"asked": spelling.asked, "others": f" {words('and')} ".join(spelling.also), "name": spelling.name}
        said.append(words("{asked} and {others} are spellings of the same name, {name}.", **names))
    if spelling.quoted:
        others = ", ".join(spelling.quoted)
        said.append(words("{asked} is spelt {others} in the sources.", asked=spelling.asked, others=others))
    return " ".join(said)


def accounts(answer: Answer, group: str, words: Translator = IN_ENGLISH) -> list[str]:
    """What the sources differ in: a heading and a table each, a column for each value, with who gives it when."""
    cited = {one.number: one.article for one in answer.citations}
    differing = {
        "number": words("The sources differ in the number"),
        "date": words("The sources differ in the date"),
    }
    lines = []
    for disagreement in answer.disagreements:
        sides = []
        for account in disagreement.accounts:
            tellers = "; ".join(
                f"{as_text(_told_by(cited[number], words))} {markers((number,), group)}"
                for number in account.citations
                if number in cited
            )
            corrects = words(", which says that it corrects an earlier report") if account.corrects else ""
            sides.append(f"{tellers}{corrects}")
        rows = ([as_text(one.value) for one in disagreement.accounts], ["---"] * len(sides), sides)
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        lines += [f"**{differing[disagreement.about]}**", table]
    return lines


def _told_by(article: Article, words: Translator) -> str:
    return f"{article.publisher or article.name}, {article.published or words('no date')}"


def coverage_line(answer: Answer, words: Translator = IN_ENGLISH) -> str:
    """What was searched and how, for the line under an answer."""
    parts = [searched(answer, words)]
    if answer.read:
        parts.append(words.many("{count} passage was read.", "{count} passages were read.", answer.read))
    if answer.claims and answer.mode == "quoting":
        parts.append(words("Quoted word for word."))
    elif answer.claims:
        parts.append(words("Written by {model}.", model=answer.mode.removeprefix("writing with ")))
    if answer.query != answer.question:
        parts.append(words("Searched for: {query}", query=answer.query))
    return " ".join(parts)


def searched(answer: Answer, words: Translator) -> str:
    """What was searched, in a sentence."""
    coverage, chosen = answer.coverage, restricted(answer, words)
    if not coverage.articles:
        none = words("There are no articles in it yet.")
        return words("No article fits the filter ({filter}).", filter=chosen) if chosen else none
    said = words.many("{count} article was searched", "{count} articles were searched", coverage.articles)
    said += f" ({chosen})" if chosen else ""
    if coverage.copies:
        said += words.many(
            ", {count} of them a reprint of another", ", {count} of them reprints of another", coverage.copies
        )
    if not coverage.oldest:
        return f"{said}{words(', without a date')}."
    if coverage.oldest == coverage.newest:
        said += words(", dated {day}", day=coverage.oldest)
    else:
        said += words(", dated {oldest} to {newest}", oldest=coverage.oldest, newest=coverage.newest)
    undated = words(" ({count} without a date)", count=words.number(coverage.undated)) if coverage.undated else ""
    return f"{said}{undated}."


def restricted(answer: Answer, words: Translator) -> str:
    """What the search was restricted to; empty if to nothing."""
    filters, either = answer.filters, f" {words('or')} "
    parts = [
        words("publisher {names}", names=either.join(filters.publishers)) if filters.publishers else "",
        words("language {names}", names=either.join(filters.languages)) if filters.languages else "",
        words("article {names}", names=either.join(filters.articles)) if filters.articles else "",
        words("published from {day}", day=filters.published_from) if filters.published_from else "",
        words("published to {day}", day=filters.published_to) if filters.published_to else "",
        words("as of {day}", day=answer.as_of) if answer.as_of else "",
    ]
    return ", ".join(filter(None, parts))


def shortened(text: str, limit: int = 220) -> str:
    """At most `limit` characters, cut between words."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[:limit].rsplit(" ", 1)[0] + " …"


def source_group(answer: Answer, group: str, words: Translator = IN_ENGLISH) -> str:
    """The numbered sources of an answer as HTML."""
    shown = answer.citations or answer.closest
    heading = words("Sources") if answer.citations else words("Closest passages")
    short = answer.short if answer.citations else None
    cards = "".join(card(citation, group, words, short) for citation in shown)
    return f'<section class="group" id="{group}"><h2>{heading}</h2><ol>{cards}</ol></section>' if shown else ""


def card(citation: Citation, group: str, words: Translator = IN_ENGLISH, short: Short | None = None) -> str:
    """One source: title, publisher, date, links, who says it, and the quote lit up in its paragraph.

    In the quote the short answer is bold, if it is of this one.
    """
    article = citation.article
    quoted, answering, further = map(escape_html, short_in_quote(citation, short))
    answering = f"<strong>{answering}</strong>" if answering else ""
    before, behind = citation.paragraph
    kind = kinds(words).get(citation.publisher_kind, "")
    publisher = f"{article.publisher}{f' ({kind})' if kind else ''}".strip()
    about = " · ".join(in_line(part) for part in (publisher, article.published or words("no date")) if part)
    links = (
        f'<a class="permanent" href="{escape_html(citation.link)}" target="_blank" rel="noopener">'
        f"{words('Link to this passage')}</a>"
    )
    if address := original(article):
        opened = f'<a class="open" href="{address}" target="_blank" rel="noopener noreferrer">{words("Open page")}</a>'
        links = f"{opened} {links}"
    said = voices(citation.voices, words)
    said = f'<p class="voices" dir="auto">{escape_html(said[0].upper() + said[1:])}</p>' if said else ""
    times = [
        words(
            "“{words}” is {days}, counted from the date of publication.",
            words=article.text[time.span.start : time.span.end],
            days=days(time, words),
        )
        for time in citation.times
        if time.reckoned
    ]
    notes = [article.note, *times, copies(citation, words)]
    note = "".join(f'<p class="note" dir="auto">{escape_html(line)}</p>' for line in notes if line)
    if citation.corrected:
        changes = escape_html(f"/source/{article.id}/{article.version}/changes")
        note += (
            f'<p class="note">{words("Corrected on {day}:", day=escape_html(citation.corrected))} '
            f'<a href="{changes}" target="_blank" rel="noopener">{words("what changed")}</a></p>'
        )
    told = "".join(f'<p class="context" dir="auto">{escape_html(one)}</p>' for one in citation.told_before)
    return (
        f'<li class="card" id="{group}-{citation.number}" tabindex="-1">'
        f'<h3><span class="number">{citation.number}</span> '
        f'<span dir="auto">{escape_html(article.name)}</span></h3><p class="about">{about}</p>'
        f'<p class="links">{links}</p>{said}{told}'
        f'<blockquote lang="{escape_html(article.lang)}" dir="auto">{escape_html(before)}'
        f"<mark>{quoted}{answering}{further}</mark>{escape_html(behind)}</blockquote>{note}</li>"
    )


def voices(heard: Sequence[Voice], words: Translator) -> str:
    """Who says what a quote tells, in words; empty where the article itself does."""
    if words.language == ENGLISH:
        return "; ".join(map(str, heard))
    named = kinds(words)
    said = []
    for voice in heard:
        speaker = f"{voice.speaker} ({named[voice.kind]})" if voice.kind in named else voice.speaker
        said.append(
            words("in the words of: {speaker}", speaker=speaker)
            if voice.direct
            else words("according to: {speaker}", speaker=speaker)
        )
    return "; ".join(said)


def original(article: Article) -> str:
    """The article's address for an attribute or for reading, if it is one to follow; else empty."""
    return escape_html(article.url) if re.fullmatch(r"https?://[^\s\"'<>]+", article.url) else ""


def days(time: Time, words: Translator = IN_ENGLISH) -> str:
    """The days of a time: one, or from and to."""
    return f"{time.first}" if time.first == time.last else words("{first} to {last}", first=time.first, last=time.last)


def copies(citation: Citation, words: Translator = IN_ENGLISH) -> str:
    """Who else prints the article's text; empty if nobody does."""
    others = [" ".join(filter(None, (one.publisher or one.name, one.published))) for one in citation.copies]
    return words("Printed again by {others}: one source.", others="; ".join(others)) if others else ""


def turns(history: Sequence[Any]) -> list[Turn]:
    """The turns of a chat as Gradio keeps it, without questions that got no answer.

    Messages that are neither a user's nor an assistant's are left out.
    """
    made: list[Turn] = []
    question = ""
    for entry in history:
        content = entry["content"]
        text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
        if entry["role"] == "user":
            question = text
        elif entry["role"] == "assistant" and question:
            if said := as_written(MARKDOWN.sub(r"\1", text)).strip():
                made.append(Turn(question, said))
            question = ""
    return made


def sources(groups: Sequence[str], words: Translator = IN_ENGLISH) -> str:
    """The panel beside the chat: the newest answer's sources, or those of the one whose marker was clicked."""
    close = f'<button type="button" class="close" aria-label="{words("Close the sources")}">×</button>'
    said = words("The sources of an answer appear here, each with its quote in its paragraph.")
    shown = "".join(groups) or f'<p class="empty">{said}</p>'
    return f'<aside class="sources" aria-label="{words("Sources")}">{close}{shown}</aside>'


def saving(conversation: str, answers: int, words: Translator = IN_ENGLISH) -> str:
    """The downloads of a conversation by its name, for as many answers as it has; none while there are none."""
    if not answers:
        return '<span data-conversation=""></span>'
    named = {
        "markdown": "Markdown",
        "html": words("HTML, for print"),
        "bundle": words("Evidence, to recheck"),
        "bibtex": "BibLaTeX",
        "csl-json": "CSL-JSON",
    }
    every = words.many("The {count} answer", "All {count} answers", answers)
    which = [("last", words("The last answer")), ("all", every)][: min(answers, 2)]
    rows = "".join(
        f"<dt>{label}</dt><dd>"
        + "".join(
            f'<a href="/answers/{escape_html(conversation)}/{part}/{name}" download>{named.get(name, name)}</a>'
            for name in FORMATS
        )
        + "</dd>"
        for part, label in which
    )
    about = f'class="saving" data-conversation="{escape_html(conversation)}"'
    return f"<details {about}><summary>{words('Save the answers')}</summary><dl>{rows}</dl></details>"
