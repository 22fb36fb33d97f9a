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
from vectorstore import Hit, Names, Sentence, Span, fold_key, without_times
from vectorstore.terms import CYRILLIC, terms

MAX_SENTENCES = 3
# Measured on the questions about the seed article and the digests (benchmarks/LOG.md, "Quoting"): a sentence's score is
# its cosine plus this share of the question's words that it holds, and the next best are quoted too if they come this
# near to the best.
WORDS_WEIGHT = 0.1
NEAR_WEIGHT = 0.6  # of a word that is not in the sentence but in its article's title or the sentence before it
TIME_WEIGHT = {True: 0.03, None: 0.0, False: -0.05}  # where the question names a time
NUMBERLESS = 0.04  # taken from a sentence that counts nothing, where the question asks how many
NAMELESS = 0.04  # taken from a sentence of the right article that does not hold the rare name asked about
MARGIN = 0.06
# Below the first nothing answers, unless a figure asked about is there; a sentence that shares no word with a question
# in its own script needs the second.
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
# A sentence that begins so leans on the one before it, and is quoted together with it.
LEANS_BACK = re.compile(
    r"\W*(?:he|she|it|they|his|her|its|their|this|these|those|that|he's|she's|it's|"
    r"он|она|оно|они|его|её|ее|их|это|эти|этот|эта|ён|яна|яно|яны|яго|яе|іх|гэта|гэты|гэтая|гэтыя)\b",
    re.I,
)
# A name in at most this share of the articles at hand must be in one that answers a question about it.
RARE_NAME = 0.25
# Capitalised words that are no names somebody could be a stranger by.
COMMON = frozenset(
    word
    for line in (
        "monday tuesday wednesday thursday friday saturday sunday january february march april june july august",
        "september october november december president western american european general",
    )
    for word in line.split()
)
HOW_MANY = re.compile(r"\b(?:how (?:many|much|long|old)|number of|сколько|колькі|скільки|ile|kiek)\b", re.I)
NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|half|"
    r"од[инаныо]+|дв[ае]|три|четыре|пять|шесть|семь|восемь|девять|десять|сотн\w+|тысяч\w*|"
    r"дв[аеі]|тры|чатыры|пяць|шэсць|сем|восем|дзевяць|дзесяць)\b",
    re.I,
)
# Two sentences' vectors have a cosine of about .85, so their sum has about this length.
PAIR_LENGTH = 1.92


@dataclass(frozen=True, slots=True)
class Choice:
    """The sentences picked, in reading order, and whether they answer.

    If not, they are the closest there are, and `reason` says why where that is known.
    """

    sentences: tuple[tuple[Hit, Span], ...]
    answers: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    span: Span
    sentences: int
    score: float
    shares: bool  # a word or name with the question

    @property
    def text(self) -> str:
        return self.hit.article.text[self.span.start : self.span.end]


def choose(question: Question, hits: Sequence[Hit], names: Names) -> Choice:
    """Picks one to MAX_SENTENCES sentences from the hits; none if there are no hits or the question has no words."""
    if not _words(question.query, names):
        return Choice((), answers=False, reason="The question has no word that says what it is about.")
    ranked = _ranked(question, hits, names)
    strangers = _strangers(question.text, hits, names)
    if ranked and strangers:
        return Choice((), answers=False, reason=f"Nothing that was found names {' or '.join(strangers)}.")
    if not ranked:
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
    needed = ANSWERS if best.shares or not same_script else ANSWERS_WITHOUT_WORDS
    figures = set(re.findall(r"\b\d{2,}\b", question.text)) & set(re.findall(r"\b\d{2,}\b", best.text))
    answers = best.score >= needed or (bool(figures) and best.shares)
    return Choice(_in_reading_order(picked, hits), answers)


def _ranked(question: Question, hits: Sequence[Hit], names: Names) -> list[_Candidate]:
    units = [(hit, *unit) for hit in hits for unit in _units(hit)]
    frequency = Counter(term for *_, words, _ in units for term in words)
    own = dict.fromkeys(_words(question.text, names), 1.0)
    context = dict.fromkeys((term for line in question.leans_on for term in _words(line, names)), CONTEXT_WEIGHT)
    # rare words count more: inverse document frequency among the sentences at hand
    weights = {
        term: weight * math.log(1 + len(units) / (1 + frequency[term])) for term, weight in (context | own).items()
    }
    whole = sum(weights.values()) or 1.0
    held = _held(hits, names)
    rare = {
        mention.name
        for mention in names.mentions(question.text)
        if mention.kind != "places" and 0 < sum(mention.name in some for some in held.values()) <= RARE_NAME * len(held)
    }
    counts = HOW_MANY.search(question.text)
    candidates = []
    for hit, sentences, cosine, words, near in units:
        if rare and not rare & held[hit.article.id]:
            continue
        shared = sum(weight for term, weight in weights.items() if term in words)
        nearby = sum(weight for term, weight in weights.items() if term in near and term not in words)
        score = cosine + WORDS_WEIGHT * (shared + NEAR_WEIGHT * nearby) / whole + TIME_WEIGHT[sentences[-1].timely]
        span = Span(sentences[0].span.start, sentences[-1].span.end)
        if rare and not rare & (words | near):
            score -= NAMELESS
        if counts and not NUMBER.search(without_times(hit.article.text[span.start : span.end])):
            score -= NUMBERLESS
        candidates.append(_Candidate(hit, span, len(sentences), score, shares=shared > 0))
    return sorted(candidates, key=lambda candidate: -candidate.score)


def _strangers(question: str, hits: Sequence[Hit], names: Names) -> list[str]:
    """The names a question asks about that no hit holds, in any spelling: nothing found can be about them."""
    question = " ".join(re.findall(r"[^.!?]*[?]", question)) or question  # what is asked, not what is said before it
    known = set[str]().union(*_held(hits, names).values())
    texts = [f"{hit.article.title} {hit.article.publisher} {hit.text}" for hit in hits]
    same_script = [text for text in texts if bool(CYRILLIC.search(text)) == bool(CYRILLIC.search(question))]
    missing = [mention.spelling for mention in names.mentions(question) if mention.name not in known]
    if len(same_script) * 2 >= len(texts):
        sounds = {fold_key(word) for text in same_script for word in text.split()}
        missing += [
            word
            for word in names.unknown(question)
            if len(word) > 3 and not word.isupper() and word.lower() not in COMMON and fold_key(word) not in sounds
        ]
    return missing


def _held(hits: Sequence[Hit], names: Names) -> dict[str, set[str]]:
    """The known names in what was found of each article, its title among it, by the article's id."""
    held: dict[str, set[str]] = {}
    for hit in hits:
        held.setdefault(hit.article.id, set()).update(*(sentence.names for sentence in hit.sentences))
        held[hit.article.id].update(mention.name for mention in names.mentions(hit.article.title))
    return held


def _words(question: str, names: Names) -> list[str]:
    """What a question is about: its terms, with known names in place of their spellings."""
    mentions = names.mentions(question)
    rest = question
    for mention in reversed(mentions):
        rest = rest[: mention.start] + rest[mention.end :]
    return [*(term for term in terms(rest) if term not in EMPTY), *(mention.name for mention in mentions)]


def _units(hit: Hit) -> Iterator[tuple[list[Sentence], float, set[str], set[str]]]:
    """What can be quoted of a hit: each sentence, with the one before it if it leans on that.

    Gives the sentences, their cosine, their terms, and the terms of the title and of the sentence before them.
    """
    text, title = hit.article.text, set(terms(hit.article.title))
    words = [set(terms(text[one.span.start : one.span.end])) | one.names for one in hit.sentences]
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
