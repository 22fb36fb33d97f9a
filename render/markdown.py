"""Answers as Markdown, to take away with a footnote a quote; others write theirs with the same writer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from bot import Answer
from render.blocks import Block, ConflictBlock, Sentence, Source, Sources, Translate, capital, conversation, title

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


def shortened(text: str, limit: int = 220) -> str:
    """At most `limit` characters, cut between words."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[:limit].rsplit(" ", 1)[0] + " …"


class MarkdownWriter:
    """Writes blocks as paragraphs of Markdown; a subclass writes what is no quote in its own way.

    `frames` are what stands around sentences of a kind and their markers, `small` around small print of a kind.
    """

    frames: ClassVar[Mapping[str, str]] = {
        "short": "**{}**{}",
        "answered": "*{}*",
        "partial": "**{}**",
        "not_found": "**{}**",
    }
    small: ClassVar[str] = " *({1})*"

    def __init__(self, say: Translate) -> None:
        self.say = say

    def paragraphs(self, blocks: Iterable[Block]) -> Iterator[str]:
        """The paragraphs of an answer; its footnotes are no part of them."""
        for block in blocks:
            match block:
                case Sentence():
                    yield self.sentence(block)
                case ConflictBlock():
                    yield from self._table(block)
                case Sources(heading, sources, proving=False):
                    cited = [source.citation for source in sources]
                    close = [
                        f"- {self.text(f'“{shortened(citation.quote)}”')}{self.markers((citation.number,))}"
                        for citation in cited
                    ]
                    yield "\n".join((f"{self.say(heading)}:\n", *close))

    def sentence(self, sentence: Sentence) -> str:
        """A sentence with its markers and what stands beside it."""
        shown = self.quoted(self.say(sentence.before), sentence.short, sentence.behind)
        framed = self.frames.get(sentence.kind, "{}{}").format(shown, self.markers(sentence.citations))
        return framed + "".join(
            self.small.format(kind, self.text(self.say(message))) for kind, message in sentence.beside
        )

    def quoted(self, before: str, short: str, behind: str) -> str:
        """Three pieces of a text on one line that shows them as they are, the middle one bold."""
        return bold_within(before, short, behind)

    def text(self, words: str) -> str:
        """The same of a whole text."""
        return self.quoted(words, "", "")

    def markers(self, numbers: Sequence[int]) -> str:
        """What leads to the citations with these numbers."""
        return "".join(f"[^{number}]" for number in numbers)

    def footnote(self, source: Source) -> str:
        """A quote with all that is known of its source."""
        name, url = source.citation.article.name, f"<{source.url}>" if source.url else ""
        about = ", ".join(filter(None, (*map(self.text, (name, *map(self.say, source.about))), url)))
        remarks = "".join(f" {self.text(capital(self.say(remark)))}" for _, remark in source.remarks)
        proof = ", ".join(f"{self.say(key)}: `{_code(value)}`" for key, value in source.proof)
        context = "".join(f"{self.text(words)} " for words in source.citation.context_texts)
        return f"[^{source.citation.number}]: {context}“{self.quoted(*source.pieces)}” — {about}.{remarks} {proof}."

    def _table(self, conflict: ConflictBlock) -> Iterator[str]:
        """A heading, and a table with a column for each value: who gives it, and when."""
        yield f"**{self.say(conflict.heading)}**"
        values, cells = [], []
        for value, reports, correcting in conflict.sides:
            values.append(self.text(value))
            cited = "; ".join(f"{self.text(self.say(report))}{self.markers((number,))}" for report, number in reports)
            cells.append(f"{cited}{self.say(correcting)}")
        rows = (values, ["---"] * len(cells), cells)
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def markdown(answers: Sequence[Answer], say: Translate = str) -> str:
    """The answers with a footnote a quote, numbered on from answer to answer; the footnotes stand at the end."""
    writer, described, several = MarkdownWriter(say), conversation(answers), len(answers) != 1
    parts = [f"# {say(title(answers))}"] if several else []
    for answer, blocks in zip(answers, described, strict=True):
        parts += [f"{'##' if several else '#'} {escape_markdown(answer.question)}", *writer.paragraphs(blocks)]
    listed = [block.sources for blocks in described for block in blocks if isinstance(block, Sources)]
    sources = sorted((source for sources in listed for source in sources), key=lambda source: source.citation.number)
    return "\n\n".join((*parts, *map(writer.footnote, sources))) + "\n"


def _code(text: str) -> str:
    """Text that can stand between backticks."""
    return "".join(text.split()).replace("`", "'")
