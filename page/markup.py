"""Answers and sources as the Markdown and HTML of the page.

Knows how to show words so that none of them is taken for markup. Does not know Gradio's components or events.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bot import Answer, Turn
from page.i18n import IN_ENGLISH, Translator
from render import EXPORT_FORMATS
from render.blocks import Sentence, Source, Sources, capital, describe
from render.markdown import MarkdownWriter

UNSHOWN = ("answered", "fact")
SMALL = '<small class="{}">{}</small>'
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


def safe_html(text: str) -> str:
    """Text as HTML that turns nothing beside it around, whichever direction of writing its characters ask for."""
    return f"<bdi>{escape_html(text)}</bdi>" if DIRECTION.search(text) else escape_html(text)


def safe_markdown(text: str) -> str:
    """What `escape_markdown` was given, but for line breaks."""
    return re.sub(r"\\([^\w\s])", r"\1", text)


class ChatWriter(MarkdownWriter):
    """Markdown for the chat, whose markers point to the sources of a group.

    `turns` leaves out what is no part of the answer's words: small print, and the line of the short answer.
    """

    frames: ClassVar[Mapping[str, str]] = {
        **MarkdownWriter.frames,
        "short": '<bdi class="short">{}{}</bdi>',
        **{kind: SMALL.format(kind, "{}") for kind in ("corrects", "note", "coverage")},
    }
    small = f" {SMALL}"

    def __init__(self, group: str, words: Translator) -> None:
        super().__init__(words.message)
        self.group = group

    def quoted(self, before: str, short: str, behind: str) -> str:
        """Text that turns nothing beside it around."""
        shown = super().quoted(before, short, behind)
        return f"<bdi>{shown}</bdi>" if DIRECTION.search(shown) else shown

    def markers(self, numbers: Sequence[int]) -> str:
        """Links to the sources of the group."""
        links = "".join(f"[\\[{number}\\]](#{self.group}-{number})" for number in numbers)
        return f"\N{NO-BREAK SPACE}{links}" if links else ""


def answer_markdown(answer: Answer, group: str, words: Translator = IN_ENGLISH) -> str:
    """An answer as Markdown for the chat; its markers point to the sources of the same group."""
    blocks = (block for block in describe(answer) if not (isinstance(block, Sentence) and block.kind in UNSHOWN))
    return "\n\n".join(ChatWriter(group, words).paragraphs(blocks))


def notice(text: str, kind: str) -> str:
    """What stands in an answer's place and is none: `turns` leaves it out."""
    return SMALL.format(kind, ChatWriter("", IN_ENGLISH).text(text))


def source_group(answer: Answer, group: str, words: Translator = IN_ENGLISH) -> str:
    """The numbered sources of an answer as HTML."""
    listed = ""
    for block in describe(answer):
        if isinstance(block, Sources):
            cards = "".join(_source_card(source, group, words) for source in block.sources)
            listed += f"<h2>{words.message(block.heading)}</h2><ol>{cards}</ol>"
    return f'<section class="group" id="{group}">{listed}</section>' if listed else ""


def _source_card(source: Source, group: str, words: Translator) -> str:
    """One source: title, publisher, date, links, the quote lit up in its paragraph, and what is to be known of it."""
    citation, article = source.citation, source.citation.article
    before, behind = map(escape_html, citation.paragraph)
    quoted, answering, further = map(escape_html, source.pieces)
    answering = f"<strong>{answering}</strong>" if answering else ""
    about = " · ".join(safe_html(words.message(part)) for part in source.about)
    links = _link("permanent", citation.link, words("Link to this passage"))
    if source.url:
        links = f"{_link('open', source.url, words('Open page'), 'noopener noreferrer')} {links}"
    remarks = {"speakers": "", "note": ""}
    for kind, remark in source.remarks:
        remark_html = escape_html(capital(words.message(remark)))
        if kind == "corrected":
            remark_html += " " + _link(kind, f"/source/{article.id}/{article.version}/changes", words("what changed"))
        place = "speakers" if kind == "speakers" else "note"
        remarks[place] += f'<p class="{place}" dir="auto">{remark_html}</p>'
    context = "".join(f'<p class="context" dir="auto">{escape_html(words)}</p>' for words in citation.context_texts)
    return (
        f'<li class="card" id="{group}-{citation.number}" tabindex="-1">'
        f'<h3><span class="number">{citation.number}</span> '
        f'<span dir="auto">{escape_html(article.name)}</span></h3><p class="about">{about}</p>'
        f'<p class="links">{links}</p>{remarks["speakers"]}{context}'
        f'<blockquote lang="{escape_html(article.lang)}" dir="auto">'
        f"{before}<mark>{quoted}{answering}{further}</mark>{behind}</blockquote>{remarks['note']}</li>"
    )


def _link(kind: str, url: str, label: str, relation: str = "noopener") -> str:
    return f'<a class="{kind}" href="{escape_html(url)}" target="_blank" rel="{relation}">{label}</a>'


def history_to_turns(history: Sequence[Any]) -> list[Turn]:
    """The turns of a chat as Gradio keeps it, without questions that got no answer.

    Messages that are neither a user's nor an assistant's are left out.
    """
    turns: list[Turn] = []
    question = ""
    for entry in history:
        content = entry["content"]
        text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
        if entry["role"] == "user":
            question = text
        elif entry["role"] == "assistant" and question:
            if answer_text := safe_markdown(MARKDOWN.sub(r"\1", text)).strip():
                turns.append(Turn(question, answer_text))
            question = ""
    return turns


def sources(groups: Sequence[str], words: Translator = IN_ENGLISH) -> str:
    """The panel beside the chat: the newest answer's sources, or those of the one whose marker was clicked."""
    close = f'<button type="button" class="close" aria-label="{words("Close the sources")}">×</button>'
    hint = words("The sources of an answer appear here, each with its quote in its paragraph.")
    shown = "".join(groups) or f'<p class="empty">{hint}</p>'
    return f'<aside class="sources" aria-label="{words("Sources")}">{close}{shown}</aside>'


def download_links(conversation: str, answers: int, words: Translator = IN_ENGLISH) -> str:
    """The downloads of a conversation by its name, for as many answers as it has; none while there are none."""
    if not answers:
        return '<span data-conversation=""></span>'
    named = {
        "markdown": "Markdown",
        "html": words("HTML (printable)"),
        "bundle": words("Evidence bundle (JSON)"),
        "bibtex": "BibLaTeX",
        "csl-json": "CSL-JSON",
    }
    every = words.many("The {count} answer", "All {count} answers", answers)
    which = [("last", words("The last answer")), ("all", every)][: min(answers, 2)]
    rows = "".join(
        f"<dt>{label}</dt><dd>"
        + "".join(
            f'<a href="/answers/{escape_html(conversation)}/{part}/{name}?language={words.language}" download>'
            f"{named.get(name, name)}</a>"
            for name in EXPORT_FORMATS
        )
        + "</dd>"
        for part, label in which
    )
    about = f'class="saving" data-conversation="{escape_html(conversation)}"'
    return f"<details {about}><summary>{words('Export')}</summary><dl>{rows}</dl></details>"
