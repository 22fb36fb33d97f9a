"""Article text and its blocks -> passages of whole sentences, with exact character offsets.

Knows where sentences end; none goes over the border of a block. Does not know what they mean or how they are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import sentencex

from vectorstore import Block, Passage, Span, block_at, text_blocks

PASSAGE_CHARACTERS = 600  # a passage is closed before it grows over this, unless one sentence alone is longer
SENTENCE_CHARACTERS = 1000  # about 300 tokens; a longer "sentence" is cut at white space, for the model reads 512
# Raise it when these rules, or those of times or terms, change: articles are then cut anew at their next ingest.
RULES_VERSION = 4

LEADING = ("heading", "question")  # blocks that belong to what stands behind them

# A line break within a block ends a sentence if the line ends like one, or if a list item follows; otherwise the text
# is wrapped by hand and goes on.
BREAK = re.compile(r"(?<=[.!?…:;”\"»)])[^\S\n]*\n\s*|\n(?=\s*(?:[-*•–—]|\d{1,3}[.)])\s)")
INITIAL = re.compile(r"(?:^|[\s(«“\"])[^\W\d_]\.$")
# sentencex has no rules for Belarusian; Russian ones know the same abbreviations
SPLIT_AS = {"be": "ru"}


def passages(text: str, lang: str, blocks: Sequence[Block] = ()) -> list[Passage]:
    """The passages of a text, in order: every character that is not white space is in exactly one.

    Empty if the text is blank. `lang` is an ISO 639-1 code, or empty if unknown (cut as English). `blocks` are all of
    the text's; without any they are those that blank lines make. What stands over other blocks, such as a heading,
    begins a passage rather than ends one.
    """
    blocks = blocks or text_blocks(text)
    closed: list[Passage] = []
    group: list[Span] = []
    for sentence in sentences(text, lang, blocks):
        if group and sentence.end - group[0].start > PASSAGE_CHARACTERS:
            last = len(group) - _leading(blocks, group, sentence)
            closed.append(_passage(group[:last]))
            group = group[last:]
        group.append(sentence)
    if group:
        closed.append(_passage(group))
    return closed


def _passage(sentences: list[Span]) -> Passage:
    return Passage(Span(sentences[0].start, sentences[-1].end), tuple(sentences))


def _leading(blocks: Sequence[Block], group: Sequence[Span], sentence: Span) -> int:
    """How many of the last sentences of a group stand over the one behind it, and fit into a passage with it."""
    count = 0
    for span in reversed(group[1:]):
        block = block_at(blocks, span.start)
        if not block or block.kind not in LEADING or sentence.end - span.start > PASSAGE_CHARACTERS:
            break
        count += 1
    return count


def sentences(text: str, lang: str, blocks: Sequence[Block] = ()) -> Iterator[Span]:
    """The sentences of a text in order, without the white space around them; see `passages`. A table's row is one."""
    for block in blocks or text_blocks(text):
        if block.kind == "table row":
            yield from _cut(text, iter([Span(block.start, block.end)]))
            continue
        for paragraph in _paragraphs(text, block):
            yield from _cut(text, _joined(text, paragraph, SPLIT_AS.get(lang, lang or "en")))


def _paragraphs(text: str, block: Block) -> Iterator[Span]:
    start = block.start
    for found in BREAK.finditer(text, block.start, block.end):
        yield Span(start, found.start())
        start = found.end()
    yield Span(start, block.end)


def _joined(text: str, paragraph: Span, lang: str) -> Iterator[Span]:
    """Sentences of a paragraph, with what was cut too eagerly put together again."""
    open_span: Span | None = None
    for found in sentencex.get_sentence_boundaries(lang, text[paragraph.start : paragraph.end]):
        span = _trimmed(text, paragraph.start + found["start_index"], paragraph.start + found["end_index"])
        if span.start == span.end:
            continue
        if open_span and _goes_on(text, open_span, span.start):
            open_span = Span(open_span.start, span.end)
            continue
        if open_span:
            yield open_span
        open_span = span
    if open_span:
        yield open_span


def _goes_on(text: str, before: Span, start: int) -> bool:
    """Whether what starts there belongs to the sentence before: behind an initial, in mid-word, or in small letters."""
    initial = INITIAL.search(text[max(before.start, before.end - 3) : before.end])
    return bool(initial) or before.end == start or text[start].islower()


def _cut(text: str, sentences: Iterator[Span]) -> Iterator[Span]:
    for span in sentences:
        start = span.start
        while span.end - start > SENTENCE_CHARACTERS:
            end = max(text.rfind(mark, start + 1, start + SENTENCE_CHARACTERS) for mark in (" ", "\n"))
            end = end if end > start else start + SENTENCE_CHARACTERS
            yield _trimmed(text, start, end)
            start = _trimmed(text, end, span.end).start
        if start < span.end:
            yield Span(start, span.end)


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
