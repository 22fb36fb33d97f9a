"""Answers without a model: which of the sentences that were read are quoted, and what they come to.

Knows probabilities and places. Does not know how sentences are found or read, and writes nothing of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.answer import Status, Verdict
from bot.disagreement import Differing, accounts
from bot.evidence import Quote, is_report
from bot.reading import Calibration, Candidate, Reading
from encoder import Kind
from language import Message, all_words, alternation
from vectorstore import Hit, Span, published_span
from vectorstore.terms import terms

MAX_QUOTES = 4
MAX_LISTED = 8  # where several things, or a sequence of events, are asked for
IN_PART = Message("What was found tells of this, but may not answer it.")
# A sentence that begins so leans on the one before it, and is quoted together with it.
LEANS_BACK = re.compile(rf"\W*(?:{alternation(all_words('pronouns'))})(?!\w)", re.I)


@dataclass(frozen=True, slots=True)
class Choice:
    """The quotes picked, best first (of a timeline in order of time), and what they come to.

    `missing` says why there is no answer, or no whole one. `differing` are the accounts that differ; all of them are
    among the quotes. `short` are the hit and the characters of the short answer, inside a quote.
    """

    quotes: tuple[Quote, ...]
    status: Status
    missing: tuple[Message, ...] = ()
    differing: Differing | None = None
    short: Quote | None = None
    verdict: Verdict | None = None
    corrects: bool = False


def choose(reading: Reading, kind: Kind, fitted: Calibration) -> Choice:
    """Picks the quotes of a question of the given kind; none if nothing that was read answers it."""
    ranked = [one for one in reading.candidates if one.sentence.quotable and is_report(one.text)]
    if not ranked or reading.answerable < fitted.partial:
        why = Message("None of the passages read ({count}) answers the question.", count=reading.read)
        return Choice((), "not_found", (why if reading.read else Message("There is nothing to read."),))
    best = ranked[0]
    if reading.answerable < fitted.answered:
        return Choice((_quote(best),), "partial", (IN_PART,))
    differing = accounts(ranked, fitted) if kind == "other" else None
    picked = _picked(ranked, fitted, MAX_LISTED if kind in ("list", "timeline") else MAX_QUOTES)
    if differing:
        picked = [best, *(told.candidate for told in differing.told if told.candidate is not best)]
    if kind == "timeline":
        picked.sort(key=_day)
    quotes: list[Quote] = []
    for one in picked:
        quotes = _joined(quotes, _quote(one))
    # the quotes of a timeline are in another order, and the first is to put the question right
    corrects = best.corrects and kind != "timeline"
    short = None
    if kind == "other" and not differing and not best.corrects and best.scores.span >= fitted.short:
        short = best.hit, best.words
    return Choice(tuple(quotes), "answered", (), differing, short, _verdict(best, kind, fitted), corrects)


def _picked(ranked: Sequence[Candidate], fitted: Calibration, most: int) -> list[Candidate]:
    """The best, and those that are likely too and say something else, best first."""
    picked = [ranked[0]]
    for one in ranked[1:]:
        if len(picked) == most or one.likely < fitted.quoted:
            break
        if not any(_tells(one, other) for other in picked):
            picked.append(one)
    return picked


def _tells(one: Candidate, other: Candidate) -> bool:
    """Whether one of the two says nothing that the other does not."""
    first, second = (" ".join(terms(some.text)) for some in (one, other))
    return first in second or second in first


def _verdict(best: Candidate, kind: Kind, fitted: Calibration) -> Verdict | None:
    yes, no, _ = best.passage.relation
    if kind != "yesno" or max(yes, no) < fitted.verdict:
        return None
    return "yes" if yes > no else "no"


def _day(candidate: Candidate) -> date:
    """When what the sentence tells happened, as far as that is known; what can't be told comes last."""
    if candidate.sentence.times:
        return candidate.sentence.times[0].first
    published = candidate.hit.article.published
    return published_span(published)[0] if published else date.max


def _quote(candidate: Candidate) -> Quote:
    """The sentence, with the one before it if it leans on that."""
    span, sentences = candidate.sentence.span, candidate.hit.sentences
    place = sentences.index(candidate.sentence)
    if place and LEANS_BACK.match(candidate.text):
        before, text = sentences[place - 1].span, candidate.hit.article.text
        if _touch(candidate.hit, before, span) and is_report(text[before.start : before.end]):
            span = Span(before.start, span.end)
    return candidate.hit, span


def _touch(hit: Hit, one: Span, other: Span) -> bool:
    """Whether two stretches overlap, or only white space within a paragraph lies between them."""
    first, second = sorted((one, other), key=lambda span: span.start)
    between = hit.article.text[first.end : second.start]
    return not between.strip() and "\n" not in between


def _joined(quotes: list[Quote], more: Quote) -> list[Quote]:
    """The quotes and one more, which is one stretch with those of its article that it touches, in the first's place."""
    hit, span = more
    touching = [one for one in quotes if one[0].article.id == hit.article.id and _touch(hit, one[1], span)]
    if not touching:
        return [*quotes, more]
    every = [span, *(theirs for _, theirs in touching)]
    whole = touching[0][0], Span(min(one.start for one in every), max(one.end for one in every))
    return [whole if one is touching[0] else one for one in quotes if one not in touching[1:]]
