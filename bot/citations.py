"""The parts of an answer that point into its citations: accounts that differ, the short answer.

Knows what was chosen of the reading, and the citations made of it. Does not know how either came about.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Citation, Disagreement, ReportedValue, ShortAnswer
from bot.disagreement import ExtractedValue
from bot.quote_selection import QuoteSelection
from vectorstore import Hit, Span


def disagreements(selection: QuoteSelection, citations: Sequence[Citation]) -> tuple[Disagreement, ...]:
    """What the sources differ in, with the numbers of the citations that give each account; at most one."""
    if not selection.conflict:
        return ()
    values = [
        ReportedValue(
            value.value,
            tuple(cited.number for cited in citations if holds(cited, value)),
            value.corrects,
        )
        for value in selection.conflict.values
    ]
    return (Disagreement(selection.conflict.about, tuple(values)),)


def holds(citation: Citation, value: ExtractedValue) -> bool:
    """Whether a citation holds the sentence of an account."""
    candidate = value.candidate
    return (
        citation.article.id == candidate.hit.article.id
        and citation.start <= candidate.sentence.span.start < citation.end
    )


def cites(citations: Sequence[Citation], quote: tuple[Hit, Span]) -> bool:
    """Whether a part of the quote is cited."""
    hit, span = quote
    return any(
        citation.article.id == hit.article.id and Span(citation.start, citation.end).overlaps(span)
        for citation in citations
    )


def short_answer(selection: QuoteSelection, citations: Sequence[Citation]) -> ShortAnswer | None:
    """The short answer inside the first of the citations that holds its words."""
    if not selection.short:
        return None
    hit, words = selection.short
    for cited in citations:
        if cited.article.id == hit.article.id and cited.start <= words.start and words.end <= cited.end:
            start, end = words.start - cited.start, words.end - cited.start
            return ShortAnswer(cited.quote[start:end], cited.number, start, end)
    return None
