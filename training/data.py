"""The examples the two models are trained with, from our own articles and from public data.

Own data (`training/data`, or the folder it was written in): articles with questions, claims, verdicts and corrections.
Public data: question and passage, or claim and evidence, a JSON object a line.

Does not know tokens or models. What an example holds: `Example`.
"""

from __future__ import annotations

import collections
import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

SUPPORTED, CONTRADICTED, UNSTATED, NOT_SUPPORTED, NO_RELATION = 0, 1, 2, 3, -1
RELATIONS = {
    "supported": SUPPORTED,
    "contradicted": CONTRADICTED,
    "refuted": CONTRADICTED,
    "unstated": UNSTATED,
    "nei": UNSTATED,
    "not_supported": NOT_SUPPORTED,  # one of the two others: trained as their sum
}
HELD_OUT = 14  # one own article in so many is never trained on
NEAR, MINED, TITLELESS = 0.5, 0.35, 0.25  # shares of questions with such negatives, and of rows without a title
SENTENCES = (3, 7)  # of a window, as in the library's passages


@dataclass(frozen=True, slots=True)
class Example:
    """A question or claim with the sentences of one passage.

    `answers` and `corrects` are indices of sentences; `span` is the answer's text within the first of them that holds
    it. `relation` is one of the constants above (a yes-or-no question's verdict too: yes is SUPPORTED). `known` says
    which of the losses the data allows: "s" the sentences' labels, "a" whether anything answers, "c" corrections.
    """

    text: str
    sentences: tuple[str, ...]
    answers: frozenset[int] = frozenset()
    corrects: frozenset[int] = frozenset()
    span: str = ""
    turns: tuple[str, ...] = ()
    title: str = ""
    claim: bool = False
    relation: int = NO_RELATION
    known: str = "sac"
    lang: str = "en"
    kind: str = ""
    source: str = ""


@dataclass(slots=True)
class OwnArticle:
    """An article of our own with everything that was written about it."""

    id: str
    lang: str
    title: str
    sentences: list[str]
    questions: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)

    @property
    def held_out(self) -> bool:
        """Whether it is kept for evaluation, by its id alone."""
        return int(hashlib.md5(self.id.encode(), usedforsecurity=False).hexdigest(), 16) % HELD_OUT == 0


def own_articles(folder: Path) -> list[OwnArticle]:
    """The articles of `own/` joined by id with `more/`, `labels/` and `yesno/`, in the order of their files."""
    articles: dict[str, OwnArticle] = {}
    counts: dict[str, int] = {}
    for line in lines(folder / "own"):
        article = OwnArticle(
            line["id"], line["lang"], line["title"], line["sentences"], line["questions"], line.get("claims", [])
        )
        articles[article.id] = article
        counts[article.id] = len(article.questions)
    for line in lines(folder / "more"):
        articles[line["id"]].questions += line["questions"]
        articles[line["id"]].claims += line["claims"]
    for line in lines(folder / "labels"):
        place = int(line["item"][1:]) + (counts[line["id"]] if line["item"][0] == "m" else 0)
        articles[line["id"]].questions[place].update({k: line[k] for k in ("verdict", "corrects") if k in line})
    for line in lines(folder / "yesno"):
        articles[line["id"]].questions += [dict(question, settles=True) for question in line["questions"]]
    return list(articles.values())


def lines(place: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, or of all files of a folder in the order of their names."""
    for file in sorted(place.glob("*.jsonl")) if place.is_dir() else [place]:
        with file.open(encoding="utf-8") as opened:
            for line in opened:
                yield json.loads(line)


class Neighbours:
    """Windows of other articles that share a text's rare words: negatives as a search would find them."""

    def __init__(self, articles: Sequence[OwnArticle]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._articles = articles
        self._places = [(n, s) for n, one in enumerate(articles) for s in range(0, len(one.sentences), 3)]
        self._owners = [n for n, _ in self._places]
        self._vectorizer = TfidfVectorizer(analyzer=_stems, sublinear_tf=True, max_df=0.3)
        texts = [
            f"{articles[n].title} {' '.join(articles[n].sentences[start : start + 4])}" for n, start in self._places
        ]
        self._matrix = self._vectorizer.fit_transform(texts)

    def find(self, texts: Sequence[str], own: OwnArticle, count: int = 6) -> list[list[tuple[OwnArticle, int]]]:
        """For each text the nearest windows of other articles: (article, first sentence), best first."""
        likeness = (self._vectorizer.transform(texts) @ self._matrix.T).toarray()
        for place, owner in enumerate(self._owners):
            other = self._articles[owner]
            if other is own:
                likeness[:, place] = -1
            elif other.lang != own.lang:
                likeness[:, place] -= 0.15
        found = (-likeness).argsort(1)[:, :count]
        return [[(self._articles[self._places[i][0]], self._places[i][1]) for i in row] for row in found]


def _stems(text: str) -> list[str]:
    return [word[:5] for word in re.findall(r"\w{3,}", text.lower())]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text.lower()))


def own_examples(articles: Iterable[OwnArticle], near: Neighbours, random: random.Random) -> Iterator[Example]:
    """Windows of each question and claim: with an answer, near ones without, and some of other articles."""
    for article in articles:
        words = [_words(sentence) for sentence in article.sentences]
        asked = [_asked(question, article) for question in article.questions]
        mined = near.find([text for _, text in asked], article) if asked else []
        for (example, _), found in zip(asked, mined, strict=True):
            yield from _question(example, words, found, random)
        for claim in article.claims:
            yield _claim(claim, article, random)


def _asked(question: dict[str, Any], article: OwnArticle) -> tuple[Example, str]:
    """The question over the whole article, and the text by which its like are found elsewhere."""
    inside = range(len(article.sentences))
    answers = frozenset(i for i in question.get("answers", ()) if i in inside)
    verdict = {"yes": SUPPORTED, "no": CONTRADICTED}.get(question.get("verdict") or "", NO_RELATION)
    if question.get("settles") and not answers:
        verdict = UNSTATED  # a yes-or-no question that the article leaves open
    example = Example(
        question["q"],
        tuple(article.sentences),
        answers,
        frozenset(i for i in question.get("corrects", ()) if i in inside),
        question.get("span") or "",
        tuple(question.get("turns") or ()),
        article.title,
        relation=verdict,
        # before its corrections were marked, a false premise was only known to have no answer
        known="sac" if question.get("kind") != "falsepremise" or "corrects" in question else "sa",
        lang=question.get("lang", "en"),
        kind=question.get("kind", ""),
        source=article.id,
    )
    hint = article.sentences[min(answers)] if answers else article.title
    return example, f"{question['q']} {' '.join(example.turns[-1:])} {hint}"


def _question(
    example: Example,
    words: Sequence[set[str]],
    elsewhere: Sequence[tuple[OwnArticle, int]],
    random: random.Random,
) -> Iterator[Example]:
    told = example.answers | example.corrects
    asked = _words(" ".join((example.text, *example.turns[-1:])))
    likely = sorted(range(len(words)), key=lambda i: -len(asked & words[i]) - random.random())
    if told:
        yield _title(_window(example, random, must=random.choice(sorted(told))), random)
    else:
        yield _title(_window(example, random, must=likely[0]), random)
        # in the library all of an article's passages are read, and none of them answers
        if random.random() < NEAR:
            yield _title(_window(example, random, must=random.choice(likely[1:])), random)
    if told and random.random() < NEAR:
        away = [i for i in likely if all(abs(i - j) > 2 for j in told)]
        if away:
            window = _window(example, random, must=away[0])
            if not window.answers | window.corrects:
                yield _title(_unanswered(window), random)
    if random.random() < MINED:
        other, start = random.choice(list(elsewhere))
        sentences = tuple(other.sentences[start : start + random.randint(*SENTENCES)])
        yield _title(_unanswered(replace(example, title=other.title, sentences=sentences)), random)


def _unanswered(example: Example) -> Example:
    relation = UNSTATED if example.relation != NO_RELATION else NO_RELATION
    return replace(example, answers=frozenset(), corrects=frozenset(), span="", relation=relation)


def _title(example: Example, random: random.Random) -> Example:
    return replace(example, title="") if random.random() < TITLELESS else example


def _window(example: Example, random: random.Random, must: int | None = None) -> Example:
    """A stretch of the sentences as long as a passage, around sentence `must`."""
    count = len(example.sentences)
    size = random.randint(*SENTENCES)
    if count <= size:
        return example
    start = (
        random.randint(0, count - size)
        if must is None
        else random.randint(max(0, must - size + 1), min(must, count - size))
    )
    inside = range(start, start + size)
    answers = frozenset(i - start for i in example.answers if i in inside)
    # a verdict needs all that it rests on
    relation = example.relation if answers or not example.answers else UNSTATED
    if answers and len(answers) < len(example.answers):
        relation = NO_RELATION
    return replace(
        example,
        sentences=example.sentences[start : start + size],
        answers=answers,
        corrects=frozenset(i - start for i in example.corrects if i in inside),
        relation=relation if example.relation != NO_RELATION else NO_RELATION,
    )


def _claim(claim: dict[str, Any], article: OwnArticle, random: random.Random) -> Example:
    count = len(article.sentences)
    evidence = sorted(i for i in claim.get("evidence", ()) if 0 <= i < count)
    first, last = (evidence[0], evidence[-1]) if evidence else (random.randrange(count),) * 2
    relation = RELATIONS[claim["label"]]
    if last - first >= SENTENCES[1]:
        inside = range(count)
    else:
        size = max(last - first + 1, random.randint(2, 6))
        begin = random.randint(max(0, last - size + 1), first)
        inside = range(begin, min(count, begin + size))
    return _title(
        Example(
            claim["c"],
            tuple(article.sentences[i] for i in inside),
            frozenset(i - inside.start for i in evidence) if relation != UNSTATED else frozenset(),
            title=article.title,
            claim=True,
            relation=relation,
            known="s",
            lang=claim.get("lang", "en"),
            kind=claim["label"],
            source=article.id,
        ),
        random,
    )


# ---- public data

END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“«А-ЯЁІЎЄЇĄĆĘŁŃÓŚŹŻ0-9])")


def _split(text: str) -> list[tuple[int, str]]:
    """(offset, sentence); public passages are cut roughly: their labels are spans, not sentences."""
    cuts = [0, *(found.end() for found in END.finditer(text)), len(text)]
    return [(a, text[a:b].strip()) for a, b in pairwise(cuts) if text[a:b].strip()]


def public_questions(
    file: Path, excluded: frozenset[str], wanted: dict[str, int], random: random.Random
) -> Iterator[Example]:
    """Up to `wanted[kind of source]` examples of each "source:answered" and "source:none"; see PUBLIC_QUESTIONS.

    `excluded` are passages and lower-case questions of the benchmarks.
    """
    pools: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for line in lines(file):
        if line["passage"] in excluded or line["question"].lower() in excluded or line["kind"] == "string":
            continue
        group = {"span": "answered", "sentence": "answered", "none": "none"}.get(line["kind"], "verdict")
        pools[f"{line['src']}:{group}"].append(line)
    for key, count in wanted.items():
        pool = pools[key]
        random.shuffle(pool)
        taken = 0
        for place, line in enumerate(pool):
            if taken >= count:
                break
            example = _public_question(line, random)
            if example is None:
                continue
            taken += 1
            yield example
            # a passage about something else: what a search finds when nothing answers
            if random.random() < 0.08:
                other = pool[(place + random.randrange(1, len(pool))) % len(pool)]
                if other["passage"] != line["passage"]:
                    stray = _unanswered(replace(example, sentences=tuple(s for _, s in _split(other["passage"]))))
                    yield _window(replace(stray, known="sa"), random)


def _public_question(line: dict[str, Any], random: random.Random) -> Example | None:
    parts = _split(line["passage"])
    kind, answer = line["kind"], line["answer"]
    if not parts:
        return None
    example = Example(
        line["question"], tuple(s for _, s in parts), known="sa", lang=line["lang"], kind=kind, source=line["src"]
    )
    if kind in ("yes", "no"):
        # the passage answers, but nobody marked where; long ones would be cut somewhere
        relation = SUPPORTED if kind == "yes" else CONTRADICTED
        return replace(example, relation=relation, known="a", sentences=example.sentences[:9])
    must = None
    if kind == "span":
        start = line.get("start")
        if start is None or line["passage"][start : start + len(answer)] != answer:
            start = line["passage"].find(answer)
        if start < 0:
            return None
        must = max(i for i, (offset, _) in enumerate(parts) if offset <= start)
        inside = answer in example.sentences[must]
        example = replace(example, answers=frozenset([must]), span=answer if inside else "")
    elif kind == "sentence":
        plain = re.sub(r"\W+", "", (answer or "").lower())
        found = [
            i
            for i, (_, s) in enumerate(parts)
            if plain and (t := re.sub(r"\W+", "", s.lower())) and (t in plain or plain in t)
        ]
        if not found:
            return None
        must = found[0]
        example = replace(example, answers=frozenset(found[:1]))
    return _window(example, random, must) if len(parts) > SENTENCES[1] else example


def public_claims(file: Path, share: float, most: int, random: random.Random) -> Iterator[Example]:
    """A share of each source's claims, at most `most`; those that are only partly supported are left out."""
    pools: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for line in lines(file):
        if line["label"] in RELATIONS:
            pools[line["src"]].append(line)
    for source in sorted(pools):
        pool = pools[source]
        random.shuffle(pool)
        for line in pool[: min(most, max(200, int(share * len(pool))))]:
            sentences = tuple(s for _, s in _split(line["evidence"]))
            if sentences:
                relation = RELATIONS[line["label"]]
                yield Example(
                    line["claim"], sentences[:9], claim=True, relation=relation, known="", lang=line["lang"],
                    kind=line["label"], source=source,
                )  # fmt: skip
