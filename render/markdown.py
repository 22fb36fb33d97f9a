"""Answers as Markdown, to take away with a footnote a quote; others write theirs with the same writer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from bot import Answer
from language import Message
from render.blocks import (
    Block,
    Conflict,
    Facts,
    Lead,
    Remark,
    Source,
    Sources,
    Statement,
    capital,
    conversation,
    title,
)
from render.translation import ENGLISH, Translation

# everything that could make Markdown, HTML, a formula or a live link of an article's words
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@^=])|(?<=[wW]{3})(\.)|(:)(?=//)|^([-+:]|\d+[.)])(?=[\s-]|$)")


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""

    def escaped(found: re.Match[str]) -> str:
        return f"{found[4][:-1]}\\{found[4][-1]}" if found[4] else f"\\{found[0]}"

    return SPECIAL.sub(escaped, " ".join(text.split()))


def bold_within(before: str, inside: str, behind: str) -> str:
    """Three pieces of a text as one line of Markdown that shows them as they are, the middle one bold.

    Stars between a letter and a sign ("US$5") would stay stars, and behind a backslash pass for escaped ones wherever
    Markdown is taken off again: there the whole word is bold. An empty middle piece leaves nothing bold.
    """
    text = f"{before}{inside}{behind}"
    start = len(before) + len(inside) - len(inside.lstrip())
    end = len(before) + len(inside.rstrip())
    if start >= end:
        return escape_markdown(text)
    if not text[start].isalnum() or text[start - 1 : start] == "\\":
        while start and (text[start - 1] == "\\" or not _apart(text[start - 1])):
            start -= 1
    if not text[end - 1].isalnum():
        while text[end - 1] == "\\" or text[end - 1].isspace() or not _apart(text[end : end + 1]):
            if end == len(text):
                return escape_markdown(text)
            end += 1
    first, bold, last = (escape_markdown(piece) for piece in (text[:start], text[start:end], text[end:]))
    gaps = [" " if piece.isspace() else "" for piece in (text[:start][-1:], text[end:][:1])]
    return f"{first}{gaps[0]}**{bold}**{gaps[1]}{last}".strip()


def _apart(character: str) -> bool:
    """Whether every reader of Markdown takes a character, or an end of the text, for white space or punctuation."""
    sign = character.isascii() and character.isprintable() and not character.isalnum()
    return sign or character.isspace() or unicodedata.category(character).startswith("P")


class MarkdownWriter:
    """Writes blocks as paragraphs of Markdown; a subclass writes markers and what is no quote in its own way."""

    def __init__(self, translation: Translation = ENGLISH) -> None:
        self.say = translation.message

    def paragraphs(self, blocks: Iterable[Block]) -> Iterator[str]:
        """The paragraphs of an answer; its footnotes are no part of them."""
        for block in blocks:
            match block:
                case Lead(said, citation, beside):
                    yield f"{self.lead(said, citation)}{self.beside('beside', beside)}"
                case Remark(kind, said):
                    yield self.remark(kind, said)
                case Statement(pieces, citations, teller, support, label):
                    checked = self.beside("verified" if support == "verified" else "doubt", label)
                    yield f"{self.quoted(*pieces)}{self.markers(citations)}{self.beside('voice', teller)}{checked}"
                case Conflict():
                    yield from self._table(block)
                case Sources(heading, sources, proving=False):
                    cited = [source.citation for source in sources]
                    close = [f"- {self.close(citation.quote)}{self.markers((citation.number,))}" for citation in cited]
                    yield "\n".join((f"{self.say(heading)}:\n", *close))
                case Facts(facts):
                    yield "\n".join(f"- {self.say(name)}: {self.text(value)}" for name, value in facts)

    def text(self, said: Message | str) -> str:
        """A message in its language, or words as they are, on one line that shows them as they are."""
        return self.quoted(self.say(said) if isinstance(said, Message) else said, "", "")

    def quoted(self, before: str, inside: str, behind: str) -> str:
        """The same of three pieces of a text, the middle one bold."""
        return bold_within(before, inside, behind)

    def lead(self, said: Message, citation: int) -> str:
        """The short answer with its marker."""
        return f"**{self.text(said)}**{self.markers((citation,) if citation else ())}"

    def remark(self, kind: str, said: Message) -> str:
        """A sentence on the answer."""
        around = {"answered": "*", "partial": "**", "not_found": "**"}.get(kind, "")
        return f"{around}{self.text(said)}{around}"

    def close(self, quote: str) -> str:
        """A quote that is merely close to the question."""
        return f"“{self.text(quote)}”"

    def markers(self, numbers: Sequence[int]) -> str:
        """What leads to the citations with these numbers."""
        return "".join(f"[^{number}]" for number in numbers)

    def beside(self, kind: str, said: Message) -> str:  # noqa: ARG002 # for subclasses
        """What stands small behind a sentence; empty if there is nothing to say."""
        return f" *({self.text(said)})*" if said else ""

    def footnote(self, source: Source) -> str:
        """A quote with all that is known of its source."""
        name, url = source.citation.article.name, f"<{source.url}>" if source.url else ""
        about = [*filter(None, (*map(self.text, (name, *source.about)), url))]
        remarks = "".join(f" {self.text(capital(self.say(remark)))}" for remark in source.sentences)
        proof = ", ".join(f"{self.say(name)}: `{_code(value)}`" for name, value in source.proof)
        return f"[^{source.citation.number}]: “{self.quoted(*source.pieces)}” — {', '.join(about)}.{remarks} {proof}."

    def _table(self, conflict: Conflict) -> Iterator[str]:
        """A heading, and a table with a column for each value: who gives it, and when."""
        yield f"**{self.say(conflict.heading)}**"
        cells = []
        for side in conflict.sides:
            tellers = (f"{self.text(teller)}{self.markers((number,))}" for teller, number in side.tellers)
            cells.append(f"{'; '.join(tellers)}{self.say(side.correcting)}")
        rows = ([self.text(side.value) for side in conflict.sides], ["---"] * len(cells), cells)
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def markdown(answers: Sequence[Answer], translation: Translation = ENGLISH) -> str:
    """The answers with a footnote a quote, numbered on from answer to answer; the footnotes stand at the end."""
    writer, described = MarkdownWriter(translation), conversation(answers)
    several = len(answers) != 1
    parts = [f"# {writer.say(title(answers))}"] if several else []
    for answer, blocks in zip(answers, described, strict=True):
        parts += [f"{'##' if several else '#'} {escape_markdown(answer.question)}", *writer.paragraphs(blocks)]
    listed = [block for blocks in described for block in blocks if isinstance(block, Sources)]
    sources = sorted((source for block in listed for source in block.sources), key=lambda one: one.citation.number)
    parts += map(writer.footnote, sources)
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    """Text that can stand between backticks."""
    return "".join(text.split()).replace("`", "'")
