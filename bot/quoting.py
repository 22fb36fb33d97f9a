"""Answers without a model: picks the sentences of the hits that answer, word for word.

Knows which sentences fit a question. Does not know how passages are found, and writes nothing of its own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.followup import Question
from vectorstore import Hit, Span
from vectorstore.terms import terms

MAX_SENTENCES = 3
# Measured on the questions about the seed article and the digests (benchmarks/LOG.md, "Quoting"): a sentence's score is
# its cosine plus this share of the question's words that it holds, and the next best are quoted too if they come this
# near to the best.
WORDS_WEIGHT = 0.05
MARGIN = 0.05
# Below the first nothing answers, unless a figure asked about is there. Sentences that share no word with a question in
# their own script need the second.
ANSWERS = 0.80
ANSWERS_WITHOUT_WORDS = 0.82
CONTEXT_WEIGHT = 0.5
# Words of questions, which say nothing of what they are about, in English, Russian and Belarusian.
EMPTY = frozenset(
    word
    for words in (
        "a an the of to in on at by for from with and or is are was were be been do does did has have had what",
        "which who whom whose when where why how many much it its that this these those as not no he she they his",
        "her their him them i you we there about according article say said tell told give please",
        "сколько что кто как когда где почему зачем какой какая какие чей и в на о об а по с у к из для ли не это",
        "был была колькі хто калі дзе чаму што які якая якія чый ці і ў з да пра гэта быў",
    )
    for word in terms(words)
)
CYRILLIC = re.compile("[\u0400-\u04ff]")


@dataclass(frozen=True, slots=True)
class Choice:
    """The sentences picked, in reading order, and whether they answer; if not, they are the closest there are."""

    sentences: tuple[tuple[Hit, Span], ...]
    answers: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    span: Span
    score: float
    shares: bool

    @property
    def text(self) -> str:
        return self.hit.article.text[self.span.start : self.span.end]


def choose(question: Question, hits: Sequence[Hit]) -> Choice:
    """Picks one to MAX_SENTENCES sentences from the hits; none if there are no hits or the question has no words."""
    ranked = _ranked(question, hits)
    if not ranked or not terms(question.text):
        return Choice((), answers=False)
    best = ranked[0]
    picked: list[_Candidate] = []
    for candidate in ranked:
        if len(picked) == MAX_SENTENCES or candidate.score < best.score - MARGIN:
            break
        if all(_flat(candidate.text) != _flat(other.text) for other in picked):
            picked.append(candidate)
    same_script = bool(CYRILLIC.search(question.text)) == bool(CYRILLIC.search(best.text))
    needed = ANSWERS if best.shares or not same_script else ANSWERS_WITHOUT_WORDS
    figures = set(re.findall(r"\d{2,}", question.text))
    answers = best.score >= needed or any(figure in best.text for figure in figures)
    return Choice(_in_reading_order(picked, hits), answers)


def _ranked(question: Question, hits: Sequence[Hit]) -> list[_Candidate]:
    texts = [
        (hit, sentence, set(terms(hit.article.text[sentence.span.start : sentence.span.end])))
        for hit in hits
        for sentence in hit.sentences
    ]
    frequency = Counter(term for _, _, words in texts for term in words)
    own = {term: 1.0 for term in terms(question.text) if term not in EMPTY}
    context = {term: CONTEXT_WEIGHT for line in question.context for term in terms(line) if term not in EMPTY}
    # rare words count more: inverse document frequency among the sentences at hand
    weights = {
        term: weight * math.log(1 + len(texts) / (1 + frequency[term])) for term, weight in (context | own).items()
    }
    whole = sum(weights.values()) or 1.0
    candidates = []
    for hit, sentence, words in texts:
        shared = sum(weight for term, weight in weights.items() if term in words)
        score = sentence.cosine + WORDS_WEIGHT * shared / whole
        candidates.append(_Candidate(hit, sentence.span, score, shares=shared > 0))
    return sorted(candidates, key=lambda candidate: -candidate.score)


def _in_reading_order(picked: Sequence[_Candidate], hits: Sequence[Hit]) -> tuple[tuple[Hit, Span], ...]:
    """Article by article, the best found first; within one, in the order of its text."""
    rank: dict[str, int] = {}
    for hit in hits:
        rank.setdefault(hit.article.id, len(rank))
    ordered = sorted(picked, key=lambda one: (rank[one.hit.article.id], one.span.start))
    return tuple((one.hit, one.span) for one in ordered)


def _flat(text: str) -> str:
    return " ".join(terms(text))
