"""Answers without a model: picks the sentences of the hits that answer, word for word.

Knows which sentences fit a question. Does not know how passages are found, and writes nothing of its own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce

from bot.answer import Status
from bot.answerable import Likeness, judge, timeless
from bot.asking import COMMON, EMPTY, LEANS_BACK, NUMBER, POSSIBLE, REASON, WEEKDAY, Asked, asked
from bot.attribution import SAID
from bot.disagreement import Differing, Telling, accounts
from bot.evidence import is_report
from bot.followup import Question
from vectorstore import Hit, Names, Sentence, Span, Time, fold_key, without_times
from vectorstore.terms import CYRILLIC, terms

MAX_QUOTES = 4
# Measured on the questions about the seed article and the digests (benchmarks/LOG.md, "Quoting"): a sentence's score is
# its cosine plus this share of the question's words that it holds, and the next best are quoted too if they come this
# near to the best.
WORDS_WEIGHT = 0.1
NEAR_WEIGHT = 0.6  # of a word that is not in the sentence but in its article's title or the sentence before it
TIME_WEIGHT = {True: 0.03, None: 0.0, False: -0.05}  # where the question names a time
FORM_WEIGHT = 0.04  # taken from a sentence that does not hold what is asked for: a number, a date, a speaker
DEFINED_WEIGHT = 0.07  # of what says beside a name who it is, where that is asked
HEAD_WEIGHT = 2.0  # of "journalists" in "which journalists ...", beside its other words
NEWS_WEIGHT = 0.05  # of words of the question that nothing quoted so far holds
ACCOUNT_MARGIN = 0.1  # another account of the same thing is looked for among what comes this near to the best
NEWEST_WEIGHT = 0.03  # the newest article's, where a question asks how things are now
LISTED = frozenset(("people", "timeline"))  # gathered from many sentences, none of which need be near the question
MOST_FOLLOWING = 2  # sentences that are quoted behind one, for the reason may stand there
MAX_LISTED = 8  # sentences, where everybody or a sequence of events is asked for
EVENT_MARGIN = 0.12
NAMELESS = 0.04  # taken from a sentence of the right article that does not hold the rare name asked about
MARGIN = 0.06
# Below the first nothing answers, unless a figure asked about is there; a sentence that shares no word with a question
# in its own script needs the second.
ANSWERS = 0.80
ANSWERS_WITHOUT_WORDS = 0.82
CONTEXT_WEIGHT = 0.5
# A name in at most this share of the articles at hand must be in one that answers a question about it.
RARE_NAME = 0.25
HEAD = re.compile(
    r"\b(?:which|what|how many|какие|какой|какая|якія|сколько|колькі)\s+(?:\w+\s+){0,2}?(\w+)\s+"
    r"(?:were|are|is|was|did|do|does|have|has|had|can|will|among|of|in|that|who)\b",
    re.I,
)
IS_A = re.compile(
    r"\b(?:is|are|was) (?:an? |the )|\s[–—-]\s|, (?:an? |the )?[\w -]{4,40}(?:group|agency|leader|envoy|"
    r"activist|company|laureate|founder|head)"
)
# What somebody or something named is, beside the name: "the US envoy John Coale", "Ales Bialiatski, founder of".
CALLED_BEFORE = re.compile(
    r"\b(?:an?|the|his|her|its|their)\s+(?:[\w’'-]+\s+){0,2}(?!(?:of|to|for|with|by|in|on|and|or|from)\s)[\w’'-]+\s+$",
    re.I,
)
CALLED_AFTER = re.compile(
    r",\s+(?!(?:and|or|but|as|while|wh\w+|that|said|says|told|is|was|are|were|has|had|"
    r"in|on|at|to|by|from|with|after|before|и|а|но|что|как|где|"
    r"котор\w+|які\w*|і|ён|што|\w+ed)\s)(?:(?:an?|the)\s)?[a-zа-яёіў][\w’'-]*\s|"
    r"\s+(?:is|was|are|were)\s+(?:an?|the)\s|\s+[–—]\s"
)
# Two sentences' vectors have a cosine of about .85, so their sum has about this length.
PAIR_LENGTH = 1.92


@dataclass(frozen=True, slots=True)
class Choice:
    """The sentences picked, in reading order, and what they come to.

    If `status` is "not_found", they are the closest there are. `missing` says what the hits do not tell, where that is
    known. `differing` are the accounts that differ; all of them are among the sentences.
    """

    sentences: tuple[tuple[Hit, Span], ...]
    status: Status
    missing: tuple[str, ...] = ()
    differing: Differing | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    span: Span
    nearness: float  # the score without the question's words
    terms: frozenset[str]  # of the question's, those it holds
    near: frozenset[str]  # those its title or the sentence before it holds
    times: tuple[Time, ...]
    untimely: bool  # it can't speak of the time the question names

    @property
    def text(self) -> str:
        return self.hit.article.text[self.span.start : self.span.end]


@dataclass(frozen=True, slots=True)
class _Weights:
    """What each term of the question weighs; all together weigh 1."""

    of: Mapping[str, float]

    def share(self, held: Set[str], near: Set[str] = frozenset()) -> float:
        return sum(self.of[term] for term in held) + NEAR_WEIGHT * sum(self.of[term] for term in near - held)

    def score(self, candidate: _Candidate) -> float:
        """How well a candidate answers."""
        return candidate.nearness + WORDS_WEIGHT * self.share(candidate.terms, candidate.near)


def choose(question: Question, hits: Sequence[Hit], names: Names, likeness: Likeness) -> Choice:
    """Picks the sentences that answer; none if there are no hits or the question has no words.

    For `likeness` see `bot.answerable.judge`.
    """
    if not _words(question.query, names):
        return Choice((), "not_found", ("The question has no word that says what it is about.",))
    form = asked(question.text) if asked(question.text).forms or not question.leans_on else asked(question.query)
    weights, candidates = _candidates(question, form, hits, names)
    ranked = sorted(candidates, key=lambda candidate: -weights.score(candidate))
    strangers = _strangers(question.text, hits, names)
    if ranked and strangers:
        return Choice((), "not_found", (f"Nothing that was found names {' or '.join(strangers)}.",))
    if not ranked:
        return Choice((), "not_found")
    judgement = judge(question, hits, names, likeness)
    if "forecast" in form:
        # what was is no answer to what will be; somebody's expectation is one
        views = [one for one in ranked if POSSIBLE.search(one.text) and weights.score(one) >= ANSWERS]
        ranked = views or ranked
    elif judgement.answers and "timeline" not in form:
        # something tells of the time asked about: that comes first
        ranked = sorted(ranked, key=lambda one: one.untimely)
    best = ranked[0]
    picked = _picked(ranked, weights)
    if "people" in form and not question.leans_on:
        picked = _people(ranked, names) or picked
    elif "timeline" in form:
        picked = _events(ranked, weights) or picked
    elif "why" in form and not REASON.search(" ".join(one.text for one in picked)):
        picked = reduce(_added, picked, [_with_next(best)])
    differing = accounts(form, _tellings(form, ranked, weights, names))
    if differing:
        tellers = [
            one
            for one in ranked
            if any(one.span == told.telling.span and one.hit is told.telling.hit for told in differing.told)
        ]
        picked = reduce(_added, picked, tellers)[: max(MAX_QUOTES, len(tellers))]
    told = tuple((one.hit, one.span) for one in picked) if "timeline" in form else _in_reading_order(picked, hits)
    if judgement.in_part:
        return Choice(told, "partial", (judgement.reason,))
    if not (judgement.answers and (LISTED & form.forms or _answers(question, best, weights))):
        return Choice(told, "not_found", (judgement.reason,) if judgement.reason else ())
    return Choice(told, "answered", differing=differing)


def _answers(question: Question, best: _Candidate, weights: _Weights) -> bool:
    if bool(CYRILLIC.search(question.text)) != bool(CYRILLIC.search(best.text)):
        return True  # how near it must be across languages has been judged
    needed = ANSWERS if best.terms else ANSWERS_WITHOUT_WORDS
    figures = set(re.findall(r"\b\d{2,}\b", question.text)) & set(re.findall(r"\b\d{2,}\b", best.text))
    return weights.score(best) >= needed or (bool(figures) and bool(best.terms))


def _picked(ranked: Sequence[_Candidate], weights: _Weights) -> list[_Candidate]:
    """The best, and then whatever is nearest to it and adds most to it."""
    picked = [ranked[0]]
    # what was at another time goes beside what was at the time asked about no more than it comes first
    left = [one for one in ranked[1:] if ranked[0].untimely or not one.untimely]
    while left and len(picked) < MAX_QUOTES:
        known = frozenset[str]().union(*(one.terms for one in picked))
        gain = {one: weights.score(one) + NEWS_WEIGHT * weights.share(one.terms - known) for one in left}
        best = max(left, key=gain.__getitem__)
        left.remove(best)
        if gain[best] < weights.score(ranked[0]) - MARGIN:
            break
        if not any(_tells(one, best) for one in picked):
            picked = _added(picked, best)
    return picked


def _tellings(form: Asked, ranked: Sequence[_Candidate], weights: _Weights, names: Names) -> list[Telling]:
    """The candidates that tell of what is asked, best first: near to the best, with all the question's names."""
    asked_about = {mention.name for mention in names.mentions(form.question)} & set(weights.of)
    plain = {term for term in weights.of if term not in asked_about and not term.isdigit()}
    head = set(terms(found[1])) if (found := HEAD.search(form.question)) else set()
    grounds = [plain, plain - head]  # "people" may be called otherwise, what happened to them less so
    made = []
    for one in ranked:
        if weights.score(one) < weights.score(ranked[0]) - ACCOUNT_MARGIN:
            break
        same_script = bool(CYRILLIC.search(form.question)) == bool(CYRILLIC.search(one.text))
        if one.untimely or not asked_about <= one.terms:
            continue
        if same_script and not any(2 * weights.share(one.terms & some) >= weights.share(some) > 0 for some in grounds):
            continue
        mentions = [mention.spelling for mention in names.mentions(one.text) if mention.name in asked_about]
        words = [word for word in re.findall(r"\w+", one.text) if set(terms(word)) & (one.terms - asked_about)]
        if words or mentions:
            made.append(Telling(one.hit, one.span, one.times, tuple(words or mentions)))
    return made


def _people(ranked: Sequence[_Candidate], names: Names) -> list[_Candidate]:
    """The fewest sentences that name everybody, by greedy choice."""
    left = {one: {m.name for m in names.mentions(one.text) if m.kind == "people"} for one in ranked}
    picked: list[_Candidate] = []
    while len(picked) < MAX_LISTED and (best := max(left, key=lambda one: len(left[one]))) and left[best]:
        picked = _added(picked, best)
        found = left[best]
        left = {one: some - found for one, some in left.items()}
    return picked


def _events(ranked: Sequence[_Candidate], weights: _Weights) -> list[_Candidate]:
    """The best sentences that name a time, one for each time, in the order of the times.

    Last come those of a weekday that can't be told, in the order they are told in: news calls the last days so.
    """
    about = {term for term in weights.of if term[:1].isupper()}  # names of the table keep their capitals
    picked: dict[tuple[date, date, str, int], _Candidate] = {}
    for one in ranked:
        if weights.score(one) < weights.score(ranked[0]) - EVENT_MARGIN or len(picked) == MAX_LISTED:
            break
        if not about <= (one.terms | one.near):
            continue
        if one.times:
            picked.setdefault((one.times[0].first, one.times[0].last, "", 0), one)
        elif WEEKDAY.search(one.text):
            picked.setdefault((date.max, date.max, one.hit.article.id, one.span.start), one)
    return [one for _, one in sorted(picked.items(), key=lambda item: item[0])]


def _with_next(candidate: _Candidate) -> _Candidate:
    """The candidate with what follows it in its paragraph, as far as it may be quoted: the reason stands there."""
    following = [one for one in candidate.hit.sentences if one.span.start >= candidate.span.end]
    text, end = candidate.hit.article.text, candidate.span.end
    for one in following[:MOST_FOLLOWING]:
        if "\n" in text[end : one.span.start]:
            break
        end = one.span.end
    return replace(candidate, span=Span(candidate.span.start, end))


def _candidates(
    question: Question, form: Asked, hits: Sequence[Hit], names: Names
) -> tuple[_Weights, list[_Candidate]]:
    """What can be quoted of the hits, and what the question's terms weigh among them."""
    units = [(hit, *unit) for hit in hits for unit in _units(hit)]
    frequency = Counter(term for *_, words, _ in units for term in words)
    # what can speak of the times asked about is known of each sentence, and "December" stands in too many
    wanted = timeless(asked(question.text).question, hits)
    own = dict.fromkeys(_words(wanted, names), 1.0)
    told = [timeless(line, hits) for line in (*question.leans_on, question.text)]  # before what is asked
    context = dict.fromkeys((term for line in told for term in _words(line, names)), CONTEXT_WEIGHT)
    head = set(terms(found[1])) if (found := HEAD.search(wanted)) else set()
    # rare words count more: inverse document frequency among the sentences at hand
    raw = {
        term: weight * (HEAD_WEIGHT if term in head else 1.0) * math.log(1 + len(units) / (1 + frequency[term]))
        for term, weight in (context | own).items()
    }
    weights = _Weights({term: weight / (sum(raw.values()) or 1.0) for term, weight in raw.items()})
    held = _held(hits, names)
    mentions = names.mentions(question.text)
    named = {mention.name for mention in mentions}
    rare = {
        mention.name
        for mention in mentions
        if mention.kind != "places" and 0 < sum(mention.name in some for some in held.values()) <= RARE_NAME * len(held)
    }
    figures = {term for term in own if term.isdigit() and len(term) > 1}
    newest = sorted({hit.article.published for hit in hits})
    candidates = []
    for hit, sentences, cosine, words, near in units:
        if rare and not rare & held[hit.article.id]:
            continue
        span = Span(sentences[0].span.start, sentences[-1].span.end)
        if "now" in form:
            cosine += NEWEST_WEIGHT * newest.index(hit.article.published) / len(newest)
        score = cosine + TIME_WEIGHT[sentences[-1].timely] + _form_weight(form, hit, span, sentences)
        if "definition" in form:
            score += _definition_weight(hit.article.text[span.start : span.end], named, names)
        if rare and not rare & (words | near):
            score -= NAMELESS
        if figures and not figures & (words | near):
            score -= NAMELESS
        candidates.append(
            _Candidate(
                hit,
                span,
                score,
                frozenset(raw.keys() & words),
                frozenset(raw.keys() & near),
                tuple(time for sentence in sentences for time in sentence.times),
                sentences[-1].timely is False,
            )
        )
    return weights, candidates


def _definition_weight(text: str, named: Set[str], names: Names) -> float:
    """What a sentence gains by saying beside one of the names what or who it is.

    Where nothing is named that the table of names knows, by a form of words that defines.
    """
    if not named:
        return FORM_WEIGHT / 2 if IS_A.search(text) else 0.0
    defines = any(
        CALLED_AFTER.match(text, one.end) or CALLED_BEFORE.search(text[: one.start])
        for one in names.mentions(text)
        if one.name in named
    )
    return DEFINED_WEIGHT if defines else 0.0


def _form_weight(form: Asked, hit: Hit, span: Span, sentences: Sequence[Sentence]) -> float:
    """What a sentence gains by holding the kind of thing that is asked for, and loses by not holding it."""
    text = hit.article.text[span.start : span.end]
    weight = 0.0
    if "count" in form and not NUMBER.search(without_times(text)):
        weight -= FORM_WEIGHT
    if "when" in form and not any(sentence.times for sentence in sentences):
        weight -= FORM_WEIGHT
    if "why" in form and REASON.search(text):
        weight += FORM_WEIGHT / 2
    if "said" in form and not SAID.search(text):
        weight -= FORM_WEIGHT
    return weight


def _strangers(question: str, hits: Sequence[Hit], names: Names) -> list[str]:
    """The names a question asks about that no hit holds, in any spelling: nothing found can be about them."""
    question = asked(question).question
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
        if not is_report(text[sentence.span.start : sentence.span.end]):
            continue
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


def _overlap(one: _Candidate, other: _Candidate) -> bool:
    """Whether the two have a sentence in common."""
    return one.hit.article.id == other.hit.article.id and (
        one.span.start < other.span.end and other.span.start < one.span.end
    )


def _added(picked: Sequence[_Candidate], more: _Candidate) -> list[_Candidate]:
    """The picked ones and one more, which is one stretch of text with those that it overlaps, in the first's place."""
    over = [one for one in picked if _overlap(one, more)]
    if not over:
        return [*picked, more]
    every = (*over, more)
    span = Span(min(one.span.start for one in every), max(one.span.end for one in every))
    joined = replace(over[0], span=span, terms=frozenset[str]().union(*(one.terms for one in every)))
    return [joined if one is over[0] else one for one in picked if one not in over[1:]]


def _in_reading_order(picked: Sequence[_Candidate], hits: Sequence[Hit]) -> tuple[tuple[Hit, Span], ...]:
    """Article by article, the best found first; within one, in the order of its text."""
    rank: dict[str, int] = {}
    for hit in hits:
        rank.setdefault(hit.article.id, len(rank))
    ordered = sorted(picked, key=lambda one: (rank[one.hit.article.id], one.span.start))
    return tuple((one.hit, one.span) for one in ordered)


def _flat(text: str) -> str:
    return " ".join(terms(text))
