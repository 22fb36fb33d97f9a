"""The examples the two models are trained with, from our own articles and from public data.

Own data (`training/data`, or the folder it was written in): articles with questions, claims, verdicts and corrections.
Public data: question and passage, or claim and evidence, a JSON object a line.

Does not know tokens or models. What an example holds: `Example`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from babel.dates import format_date
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from encoder import source_line
from vectorstore.dates import matches_period, periods, times

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
HELD_OUT_COLLECTION = 4  # and one collection in so many
NEAR, MINED, UNSOURCED = 0.6, 0.5, 0.2  # shares of questions with such negatives, and of rows without a source line
PLANTED = 0.06  # share of windows with an order to a program in them
DATED, OTHER_TIME = 0.2, 0.4  # share of windows that come again with a time asked about; of those, of another time
FORMATS = (("d MMMM y", 1, 600), ("LLLL y", 40, 900), ("y", 400, 1500))  # of a time, and days to another one
STRAY_TURNS = 0.15  # share of the questions that lean on nothing which get earlier ones all the same
STEP, FOUND = 3, 10  # a window of neighbours begins at every third sentence; so many of other articles are kept
SENTENCES = (3, 7)  # of a window, as in the library's passages


@dataclass(frozen=True, slots=True)
class Example:
    """A question or claim with the sentences of one passage.

    `answers` and `corrects` are indices of sentences; `span` is the answer's text within the first of them that holds
    it. `source` is the line that the reader is told of the article, `origin` where the example comes from. `relation`
    is one of the constants above (a yes-or-no question's verdict too: yes is SUPPORTED). `known` says which of the
    losses the data allows: "s" the sentences' labels, "a" whether anything answers, "c" corrections.
    """

    text: str
    sentences: tuple[str, ...]
    answers: frozenset[int] = frozenset()
    corrects: frozenset[int] = frozenset()
    span: str = ""
    turns: tuple[str, ...] = ()
    source: str = ""
    claim: bool = False
    relation: int = NO_RELATION
    known: str = "sac"
    lang: str = "en"
    kind: str = ""
    origin: str = ""


@dataclass(slots=True)
class OwnArticle:
    """An article of our own with everything that was written about it."""

    id: str
    lang: str
    title: str
    publisher: str
    published: str
    sentences: list[str]
    questions: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What the reader is told of it."""
        return source_line(self.title, self.publisher, self.published)

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
            line["id"], line["lang"], line["title"], line["publisher"], line["published"], line["sentences"],
            line["questions"], line.get("claims", []),
        )  # fmt: skip
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


def collections(own_folder: Path, *, held_out: bool) -> list[Path]:
    """The folders of our own collections that are trained on, or those that are kept for calibration."""
    folders = sorted(file.parent for file in own_folder.glob("collections/*/questions.jsonl"))
    return [folder for number, folder in enumerate(folders, 1) if (number % HELD_OUT_COLLECTION == 0) == held_out]


def lines(place: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, or of all files of a folder in the order of their names."""
    for file in sorted(place.glob("*.jsonl")) if place.is_dir() else [place]:
        with file.open(encoding="utf-8") as opened:
            for line in opened:
                yield json.loads(line)


class Neighbours:
    """The windows of some articles, by their likeness to a question: negatives as the search would find them."""

    def __init__(self, articles: Sequence[OwnArticle], embedding: Embeddings) -> None:
        self._articles = articles
        self._embedding = embedding
        self._places = [
            (n, start) for n, article in enumerate(articles) for start in range(0, len(article.sentences), STEP)
        ]
        texts = [_headed(articles[number], start) for number, start in self._places]
        self._vectors = np.array(embedding.embed_documents(texts), np.float32)
        self._asked: dict[str, NDArray[np.float32]] = {}

    def find(self, text: str, asking_article: OwnArticle) -> tuple[list[int], list[tuple[OwnArticle, int]]]:
        """The first sentences of the own article's windows, and (article, first sentence) of others; nearest first."""
        if text not in self._asked:
            self._asked[text] = np.array(self._embedding.embed_query(text), np.float32)
        inside: list[int] = []
        beside: list[tuple[OwnArticle, int]] = []
        for place in np.argsort(-(self._vectors @ self._asked[text])).tolist():
            number, start = self._places[place]
            if self._articles[number] is asking_article:
                inside.append(start)
            # what is held out of training is a neighbour of what is held out alone
            elif len(beside) < FOUND and asking_article.held_out >= self._articles[number].held_out:
                beside.append((self._articles[number], start))
        return inside, beside


def _headed(article: OwnArticle, start: int) -> str:
    return f"{article.title}\n{' '.join(article.sentences[start : start + STEP + 1])}"


def own_examples(
    articles: Iterable[OwnArticle], near: Neighbours, orders: Sequence[str], random: random.Random
) -> Iterator[Example]:
    """Windows of each question and claim: with an answer, near ones without, and some of other articles."""
    for article in articles:
        for question in article.questions:
            example = _asked(question, article)
            found = near.find(" ".join((*example.turns[-2:], example.text)), article)
            if not example.turns and random.random() < STRAY_TURNS:
                # a change of subject: what was asked before says nothing about this question
                others = [asked["q"] for asked in article.questions if asked is not question and not asked.get("turns")]
                example = replace(example, turns=tuple(random.sample(others, min(len(others), random.randint(1, 2)))))
            for window in _question(example, *found, random):
                yield planted(window, orders, random) if random.random() < PLANTED else window
                timed = dated(window, article.published, random) if random.random() < DATED else None
                if timed and not article.held_out:
                    yield timed
        for claim in article.claims:
            yield _claim(claim, article, random)


def _asked(question: dict[str, Any], article: OwnArticle) -> Example:
    """The question over the whole article."""
    inside = range(len(article.sentences))
    answers = frozenset(i for i in question.get("answers", ()) if i in inside)
    verdict = {"yes": SUPPORTED, "no": CONTRADICTED}.get(question.get("verdict") or "", NO_RELATION)
    if question.get("settles") and not answers:
        verdict = UNSTATED  # a yes-or-no question that the article leaves open
    return Example(
        question["q"],
        tuple(article.sentences),
        answers,
        frozenset(i for i in question.get("corrects", ()) if i in inside),
        question.get("span") or "",
        tuple(question.get("turns") or ()),
        article.source,
        relation=verdict,
        # before its corrections were marked, a false premise was only known to have no answer
        known="sac" if question.get("kind") != "falsepremise" or "corrects" in question else "sa",
        lang=question.get("lang", "en"),
        kind=question.get("kind", ""),
        origin=article.id,
    )


def _question(
    example: Example, inside: Sequence[int], elsewhere: Sequence[tuple[OwnArticle, int]], random: random.Random
) -> Iterator[Example]:
    marked = example.answers | example.corrects
    if marked:
        yield _sourced(_window(example, random, must=random.choice(sorted(marked))), random)
    # in the library all of an article's passages are read, and most of them answer nothing
    count = int(random.random() < NEAR) if marked else 2
    for start in inside:
        if not count:
            break
        window = _window(example, random, must=min(start + 1, len(example.sentences) - 1))
        if not window.answers | window.corrects:
            yield _sourced(_unanswered(window), random)
            count -= 1
    if random.random() < MINED:
        other, start = random.choice(elsewhere)
        sentences = tuple(other.sentences[start : start + random.randint(*SENTENCES)])
        yield _sourced(_unanswered(replace(example, source=other.source, sentences=sentences)), random)


def planted(example: Example, orders: Sequence[str], random: random.Random) -> Example:
    """The example with one of `orders` put in at any place: it answers nothing."""
    place = random.randint(0, len(example.sentences))

    def moved(numbers: Iterable[int]) -> frozenset[int]:
        return frozenset(number + (number >= place) for number in numbers)

    sentences = (*example.sentences[:place], random.choice(orders), *example.sentences[place:])
    return replace(example, sentences=sentences, answers=moved(example.answers), corrects=moved(example.corrects))


def dated(example: Example, published: str, random: random.Random) -> Example | None:
    """The example with a time put to its question: the article's, or another one of which no sentence speaks.

    None for a question that names a time, and where the sentences' own times leave it open whether they still answer.
    """
    today = date.fromisoformat(published)
    if periods(example.text, today):
        return None
    form, least, most = random.choice(FORMATS)
    other = random.random() < OTHER_TIME
    day = today + timedelta(days=random.choice((-1, 1)) * random.randint(least, most)) if other else today
    written = format_date(day, form, example.lang)
    text = random.choice(
        (f"{written}: {example.text}", f"{example.text.rstrip('?')}, {written}?", f"{example.text} ({written})")
    )
    asked = periods(text, today)
    written = published if example.source else ""  # without its source line the reader is told no day
    fits = {
        matches_period(asked, times(example.sentences[i], 0, written), written)
        for i in example.answers | example.corrects
    }
    if not asked or (fits and fits != {not other}):
        return None
    timed = replace(example, text=text, kind="time" if other else example.kind)
    return _unanswered(timed) if other else timed


def _unanswered(example: Example) -> Example:
    relation = UNSTATED if example.relation != NO_RELATION else NO_RELATION
    return replace(example, answers=frozenset(), corrects=frozenset(), span="", relation=relation)


def _sourced(example: Example, random: random.Random) -> Example:
    return replace(example, source="") if random.random() < UNSOURCED else example


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
    return _sourced(
        Example(
            claim["c"],
            tuple(article.sentences[i] for i in inside),
            frozenset(i - inside.start for i in evidence) if relation != UNSTATED else frozenset(),
            source=article.source,
            claim=True,
            relation=relation,
            known="s",
            lang=claim.get("lang", "en"),
            kind=claim["label"],
            origin=article.id,
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
    pools: dict[str, list[dict[str, Any]]] = defaultdict(list)
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
        line["question"], tuple(s for _, s in parts), known="sa", lang=line["lang"], kind=kind, origin=line["src"]
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
    pools: dict[str, list[dict[str, Any]]] = defaultdict(list)
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
                    kind=line["label"], origin=source,
                )  # fmt: skip
