"""Answers without a model: which of the sentences that were read are quoted, and what they come to.

Knows probabilities and places. Does not know how sentences are found or read, and writes nothing of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.answer import Status, Verdict
from bot.disagreement import Conflict, find_conflict
from bot.evidence import Quote, is_statement
from bot.reading import Calibration, Candidate, Reading
from encoder import QuestionType
from language import Message, all_words, alternation
from vectorstore import Hit, Span, published_span
from vectorstore.terms import terms

MAX_QUOTES = 4
MAX_LIST_QUOTES = 8  # where several things, or a sequence of events, are asked for
IN_PART = Message("What was found tells of this, but may not answer it.")
# A sentence that begins so leans on the one before it, and is quoted together with it.
STARTS_WITH_PRONOUN = re.compile(rf"\W*(?:{alternation(all_words('pronouns'))})(?!\w)", re.I)


@dataclass(frozen=True, slots=True)
class QuoteSelection:
    """The quotes picked, best first (of a timeline in order of time), and what they come to.

    `missing` says why there is no answer, or no whole one. `conflict` are the accounts that differ; all of them are
    among the quotes. `short` are the hit and the characters of the short answer, inside a quote.
    """

    quotes: tuple[Quote, ...]
    status: Status
    missing: tuple[Message, ...] = ()
    conflict: Conflict | None = None
    short: Quote | None = None
    verdict: Verdict | None = None
    corrects: bool = False


def select_quotes(reading: Reading, question_type: QuestionType, fitted: Calibration) -> QuoteSelection:
    """Picks the quotes of a question of the given kind; none if nothing that was read answers it."""
    ranked = [
        candidate for candidate in reading.candidates if candidate.sentence.quotable and is_statement(candidate.text)
    ]
    if not ranked or reading.answerable < fitted.partial:
        why = Message("None of the passages read ({count}) answers the question.", count=reading.passages_read)
        return QuoteSelection(
            (), "not_found", (why if reading.passages_read else Message("There is nothing to read."),)
        )
    best = ranked[0]
    if reading.answerable < fitted.answered:
        return QuoteSelection((_quote(best),), "partial", (IN_PART,))
    differing = find_conflict(ranked, fitted) if question_type == "other" else None
    picked = _best_distinct(ranked, fitted, MAX_LIST_QUOTES if question_type in ("list", "timeline") else MAX_QUOTES)
    if differing:
        picked = [best, *(value.candidate for value in differing.values if value.candidate is not best)]
    if question_type == "timeline":
        picked.sort(key=_day)
    quotes: list[Quote] = []
    for candidate in picked:
        quotes = _joined(quotes, _quote(candidate))
    # the quotes of a timeline are in another order, and the first is to put the question right
    corrects = best.corrects and question_type != "timeline"
    short = None
    if question_type == "other" and not differing and not best.corrects and best.scores.span >= fitted.short:
        short = best.hit, best.words
    return QuoteSelection(
        tuple(quotes), "answered", (), differing, short, _verdict(best, question_type, fitted), corrects
    )


def _best_distinct(ranked: Sequence[Candidate], fitted: Calibration, most: int) -> list[Candidate]:
    """The best, and those that are likely too and say something else, best first."""
    picked = [ranked[0]]
    for candidate in ranked[1:]:
        if len(picked) == most or candidate.probability < fitted.quoted:
            break
        if not any(_is_duplicate(candidate, other) for other in picked):
            picked.append(candidate)
    return picked


def _is_duplicate(first: Candidate, second: Candidate) -> bool:
    """Whether one of the two says nothing that the other does not."""
    words, others = (" ".join(terms(candidate.text)) for candidate in (first, second))
    return words in others or others in words


def _verdict(best: Candidate, question_type: QuestionType, fitted: Calibration) -> Verdict | None:
    yes, no, _ = best.passage.relation
    if question_type != "yesno" or max(yes, no) < fitted.verdict:
        return None
    return "yes" if yes > no else "no"


def _day(candidate: Candidate) -> date:
    """When what the sentence tells happened, as far as that is known; what can't be told comes last."""
    if candidate.sentence.times:
        return candidate.sentence.times[0].start_date
    published = candidate.hit.article.published
    return published_span(published)[0] if published else date.max


def _quote(candidate: Candidate) -> Quote:
    """The sentence, with the one before it if it leans on that."""
    span, sentences = candidate.sentence.span, candidate.hit.sentences
    place = sentences.index(candidate.sentence)
    if place and STARTS_WITH_PRONOUN.match(candidate.text):
        before, text = sentences[place - 1].span, candidate.hit.article.text
        if _touch(candidate.hit, before, span) and is_statement(text[before.start : before.end]):
            span = Span(before.start, span.end)
    return candidate.hit, span


def _touch(hit: Hit, first: Span, second: Span) -> bool:
    """Whether two stretches overlap, or only white space within a paragraph lies between them."""
    first, second = sorted((first, second), key=lambda span: span.start)
    between = hit.article.text[first.end : second.start]
    return not between.strip() and "\n" not in between


def _joined(quotes: list[Quote], more: Quote) -> list[Quote]:
    """The quotes and one more, which is one stretch with those of its article that it touches, in the first's place."""
    hit, span = more
    touching = [quote for quote in quotes if quote[0].article.id == hit.article.id and _touch(hit, quote[1], span)]
    if not touching:
        return [*quotes, more]
    every = [span, *(theirs for _, theirs in touching)]
    whole = touching[0][0], Span(min(span.start for span in every), max(span.end for span in every))
    return [whole if quote is touching[0] else quote for quote in quotes if quote not in touching[1:]]
