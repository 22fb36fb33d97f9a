"""An answer, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot import Answer
from render.blocks import Block, Conflict, Lead, Remark, Sources, Statement, capital, describe
from render.translation import ENGLISH, Translation


def text(answer: Answer, translation: Translation = ENGLISH) -> str:
    """The short answer first, then its quotes on one line, what there is to say beside them, and the sources."""
    lines: list[str] = []
    before: Block | None = None
    for block in describe(answer):
        written = [*_written(block, translation)]
        if isinstance(block, Statement) and isinstance(before, Statement):
            lines[-1] += f" {written.pop()}"
        lines += written
        before = block
    return "\n".join(lines) + "\n"


def _written(block: Block, translation: Translation) -> Iterator[str]:
    say = translation.message
    match block:
        case Lead(said, citation, beside):
            yield f"{say(said)}{_markers((citation,) if citation else ())}{_aside(say(beside))}"
            yield ""
        case Remark("answered"):
            return
        case Remark("note", said):
            yield f"({say(said)})"
        case Remark("coverage", said):
            yield f"\n{say(said)}"
        case Remark(_, said):
            yield say(said)
        case Statement((before, short, behind), citations, teller, _, label):
            yield f"{before}{short}{behind}{_markers(citations)}{_aside(say(teller))}{_aside(say(label))}"
        case Conflict(heading, sides):
            yield f"{say(heading)}:"
            for side in sides:
                tellers = "; ".join(f"{say(teller)}{_markers((number,))}" for teller, number in side.tellers)
                yield f"    {side.value}: {tellers}{say(side.correcting)}"
        case Sources(heading, sources):
            yield f"\n{say(heading)}:"
            for source in sources:
                cited = source.citation
                about = ", ".join(filter(None, (cited.article.name, *map(say, source.about), source.url)))
                yield f"[{cited.number}] {about}\n    “{' '.join(cited.quote.split())}”"
                yield from (f"    {capital(say(sentence))}" for sentence in source.sentences)
                yield f"    {cited.link}"


def _markers(numbers: Sequence[int]) -> str:
    return f" {''.join(f'[{number}]' for number in numbers)}" if numbers else ""


def _aside(said: str) -> str:
    return f" ({said})" if said else ""
