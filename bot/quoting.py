"""Answers without a model: picks the sentences of the hits that answer, word for word.

Knows which sentences fit a question. Does not know how passages are found, and writes nothing of its own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.followup import Question
from vectorstore import Hit, Sentence, Span
from vectorstore.terms import terms

MAX_SENTENCES = 3
# Measured on the questions about the seed article and the digests (benchmarks/LOG.md, "Quoting"): a sentence's score is
# its cosine plus this share of the question's words that it holds, and the next best are quoted too if they come this
# near to the best.
WORDS_WEIGHT = 0.1
NEAR_WEIGHT = 0.6  # of a word that is not in the sentence but in its article's title or the sentence before it
MARGIN = 0.05
# Below this nothing answers, unless a figure asked about is there; between two scripts no word can be shared.
ANSWERS = 0.82
ANSWERS_ACROSS_SCRIPTS = 0.80
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
# A sentence that begins so leans on the one before it, and is quoted together with it.
LEANS_BACK = re.compile(
    r"\W*(?:he|she|it|they|his|her|its|their|this|these|those|that|he's|she's|it's|"
    r"он|она|оно|они|его|её|ее|их|это|эти|этот|эта|ён|яна|яно|яны|яго|яе|іх|гэта|гэты|гэтая|гэтыя)\b",
    re.I,
)
# Two sentences' vectors have a cosine of about .85, so their sum has about this length.
PAIR_LENGTH = 1.92
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
    sentences: int
    score: float

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
        if candidate.score < best.score - MARGIN:
            break
        told = sum(other.sentences for other in picked)
        if told + candidate.sentences <= MAX_SENTENCES and not any(_tells(other, candidate) for other in picked):
            picked.append(candidate)
    same_script = bool(CYRILLIC.search(question.text)) == bool(CYRILLIC.search(best.text))
    needed = ANSWERS if same_script else ANSWERS_ACROSS_SCRIPTS
    figures = set(re.findall(r"\d{2,}", question.text))
    answers = best.score >= needed or any(figure in best.text for figure in figures)
    return Choice(_in_reading_order(picked, hits), answers)


def _ranked(question: Question, hits: Sequence[Hit]) -> list[_Candidate]:
    units = [(hit, *unit) for hit in hits for unit in _units(hit)]
    frequency = Counter(term for *_, words, _ in units for term in words)
    own = {term: 1.0 for term in terms(question.text) if term not in EMPTY}
    context = {term: CONTEXT_WEIGHT for line in question.context for term in terms(line) if term not in EMPTY}
    # rare words count more: inverse document frequency among the sentences at hand
    weights = {
        term: weight * math.log(1 + len(units) / (1 + frequency[term])) for term, weight in (context | own).items()
    }
    whole = sum(weights.values()) or 1.0
    candidates = []
    for hit, sentences, cosine, words, near in units:
        shared = sum(weight for term, weight in weights.items() if term in words)
        nearby = sum(weight for term, weight in weights.items() if term in near and term not in words)
        score = cosine + WORDS_WEIGHT * (shared + NEAR_WEIGHT * nearby) / whole
        span = Span(sentences[0].span.start, sentences[-1].span.end)
        candidates.append(_Candidate(hit, span, len(sentences), score))
    return sorted(candidates, key=lambda candidate: -candidate.score)


def _units(hit: Hit) -> Iterator[tuple[list[Sentence], float, set[str], set[str]]]:
    """What can be quoted of a hit: each sentence, with the one before it if it leans on that.

    Gives the sentences, their cosine, their terms, and the terms of the title and of the sentence before them.
    """
    text, title = hit.article.text, set(terms(hit.article.title))
    words = [set(terms(text[one.span.start : one.span.end])) for one in hit.sentences]
    for place, sentence in enumerate(hit.sentences):
        before = words[place - 1] if place else set[str]()
        if place and LEANS_BACK.match(text[sentence.span.start : sentence.span.end]):
            pair = [hit.sentences[place - 1], sentence]
            yield pair, sum(one.cosine for one in pair) / PAIR_LENGTH, before | words[place], title
        else:
            yield [sentence], sentence.cosine, words[place], title | before


def _tells(other: _Candidate, candidate: _Candidate) -> bool:
    """Whether one of the two says nothing that the other does not."""
    one, two = _flat(other.text), _flat(candidate.text)
    return one in two or two in one


def _in_reading_order(picked: Sequence[_Candidate], hits: Sequence[Hit]) -> tuple[tuple[Hit, Span], ...]:
    """Article by article, the best found first; within one, in the order of its text."""
    rank: dict[str, int] = {}
    for hit in hits:
        rank.setdefault(hit.article.id, len(rank))
    ordered = sorted(picked, key=lambda one: (rank[one.hit.article.id], one.span.start))
    return tuple((one.hit, one.span) for one in ordered)


def _flat(text: str) -> str:
    return " ".join(terms(text))
