"""An answer, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bot import Answer
from render.blocks import Block, ConflictBlock, Sentence, Source, Sources, Translate, capital, describe

SKIPPED = ("answered", "fact")
APART = {"short": "{}\n", "note": "({})", "coverage": "\n{}"}


def text(answer: Answer, say: Translate = str) -> str:
    """The short answer first, then all claims on one line, what there is to say beside them, and the sources."""
    lines: list[str] = []
    for kind, blocks in groupby(describe(answer), lambda block: getattr(block, "kind", "")):
        written = [line for block in blocks for line in _written(block, say)]
        lines += [" ".join(written)] if kind == "claim" else written
    return "\n".join(lines) + "\n"


def _written(block: Block, say: Translate) -> Iterator[str]:
    match block:
        case Sentence(kind, before, short, behind, citations, beside) if kind not in SKIPPED:
            sentence = f"{say(before)}{short}{behind}{_markers(citations)}"
            yield APART.get(kind, "{}").format(sentence + "".join(f" ({say(words)})" for _, words in beside))
        case ConflictBlock(heading, sides):
            yield f"{say(heading)}:"
            for value, reports, correcting in sides:
                cited = "; ".join(f"{say(report)}{_markers((number,))}" for report, number in reports)
                yield f"    {value}: {cited}{say(correcting)}"
        case Sources(heading, sources):
            yield f"\n{say(heading)}:"
            yield from (line for source in sources for line in _source(source, say))


def _source(source: Source, say: Translate) -> Iterator[str]:
    citation = source.citation
    about = ", ".join(filter(None, (citation.article.name, *map(say, source.about), source.url)))
    yield f"[{citation.number}] {about}"
    yield from (f"    {words}" for words in citation.context_texts)
    yield f"    “{' '.join(citation.quote.split())}”"
    yield from (f"    {capital(say(remark))}" for _, remark in source.remarks)
    yield f"    {citation.link}"


def _markers(numbers: Sequence[int]) -> str:
    return f" {''.join(f'[{number}]' for number in numbers)}" if numbers else ""
