"""Trains the embedding model: questions near to the passages and sentences that answer them.

Contrastive (van den Oord et al. 2018, "InfoNCE"): a batch holds questions, each with a text that answers and two that
do not, of which at least one is what the model itself would find in its place; all other texts of the batch are
negatives too, but for those known to answer. In some batches all our own questions are of one collection, and their
texts the passages of its library. Reads the data itself, not the pack: what stands beside what is drawn anew each time.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from encoder.tokens import Tokens
from encoder.weights import Weights, unpack, weights_file
from training.collections import Question, gold, holds, searched, taken_in
from training.data import STEP, Neighbours, OwnArticle, collections, lines, own_articles
from training.loop import Loop, Loss
from training.model import Encoder, load
from vectorstore import Hit, Query

BATCH, OWN = 24, 17  # questions of a batch, and how many of them are our own
TEMPERATURE = 0.02
RATE = 3e-5
FROZEN = 4  # lowest layers
LONGEST = 170  # tokens of a text
GROUP_TOKENS = 8000  # rows times longest row, embedded together
ONE_SENTENCE, WITH_TITLE, SAME_ARTICLE = 0.3, 0.8, 0.75  # shares
PUBLIC_CHARACTERS = 700
SOURCES = ("tydiqa-goldp-dev", "tydiqa-goldp-train", "poquad-pilot", "squad1-du-test", "squadshifts-new_wiki",
           "selqa-test", "nq-open-oracle")  # fmt: skip
IN_COLLECTIONS = 0.6  # share of the batches whose own questions are of one collection
FOUND, BESIDE = 30, 10  # passages searched for each of its questions, and of those that do not answer the first


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and three texts of which the first answers it; `gold` are quotes that answer it wherever they are."""

    question: str
    texts: tuple[str, ...]
    gold: tuple[str, ...] = ()


class CollectionCases:
    """The questions that a collection's articles answer, each with what the search finds for it."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        questions, data = taken_in(folder, scratch)
        self._asked: list[tuple[Question, list[Hit], list[Hit]]] = []
        for question, hits in searched([question for question in questions if question["gold_quotes"]], data, FOUND):
            hit_answers = [any(gold(hit, question["gold_quotes"])) for hit in hits]
            answering = [hit for hit, answers in zip(hits, hit_answers, strict=True) if answers]
            beside = [hit for hit, answers in zip(hits, hit_answers, strict=True) if not answers][:BESIDE]
            if answering and len(beside) > 1:
                self._asked.append((question, answering, beside))

    def __len__(self) -> int:
        return len(self._asked)

    def draw(self, count: int, drawn: random.Random) -> list[Case]:
        """Some of the questions, each with whole passages or with single sentences."""
        cases = []
        for question, answering, beside in drawn.sample(self._asked, min(count, len(self._asked))):
            hits = [drawn.choice(answering), *drawn.sample(beside, 2)]
            text, quotes = Query(question["question"], tuple(question["turns"])).text, question["gold_quotes"]
            if drawn.random() < ONE_SENTENCE:
                texts = [_sentence(hit, quotes, drawn) for hit in hits]
            else:
                titled = drawn.random() < WITH_TITLE
                texts = [f"{hit.article.title}\n{hit.text}" if titled else hit.text for hit in hits]
            cases.append(Case(text, tuple(texts), tuple(quotes)))
        return cases


def _sentence(hit: Hit, quotes: Sequence[str], drawn: random.Random) -> str:
    """A sentence that answers if one does, else any."""
    answers = gold(hit, quotes)
    span = drawn.choice(
        [
            sentence.span
            for sentence, answering in zip(hit.sentences, answers, strict=True)
            if answering or not any(answers)
        ]
    )
    return hit.article.text[span.start : span.end]


def own_cases(articles: Sequence[OwnArticle], near: Neighbours, drawn: random.Random) -> Iterator[Case]:
    """Each answered question once, in random order; its earlier questions stand before it."""
    pairs = [(article, question) for article in articles for question in article.questions if question["answers"]]
    drawn.shuffle(pairs)
    for article, question in pairs:
        sentences = article.sentences
        answer = drawn.choice(question["answers"])
        away = [i for i in range(len(sentences)) if i not in question["answers"]]
        asked = Query(question["q"], tuple(question.get("turns") or ())).text
        _, found = near.find(asked, article)
        # what is in the question's own language crowds out what answers in another
        same = [place for place in found if place[0].lang == question["lang"]] or found
        mined, begin = drawn.choice(same if question["lang"] != article.lang else found)
        if drawn.random() < ONE_SENTENCE and away:
            single = drawn.choice(mined.sentences[begin : begin + STEP])
            yield Case(asked, (sentences[answer], sentences[drawn.choice(away)], single))
            continue
        inside = _window(len(sentences), answer, drawn)
        title = drawn.random() < WITH_TITLE
        other, start = article, [i for i in away if i not in inside]
        if not start or drawn.random() > SAME_ARTICLE:
            other = drawn.choice(articles)
            start = list(range(len(other.sentences)))
        beside = [
            i for i in _window(len(other.sentences), drawn.choice(start), drawn) if other is not article or i in away
        ]
        third = range(begin, min(begin + STEP + 1, len(mined.sentences)))
        windows = ((article, inside), (other, beside), (mined, third))
        yield Case(asked, tuple(_passage(article, numbers, title=title) for article, numbers in windows))


def _window(count: int, must: int, drawn: random.Random) -> range:
    size = drawn.randint(3, 5)
    start = drawn.randint(max(0, must - size + 1), min(must, max(0, count - size)))
    return range(start, min(count, start + size))


def _passage(article: OwnArticle, inside: Sequence[int], *, title: bool) -> str:
    head = f"{article.title}\n" if title else ""
    return head + " ".join(article.sentences[i] for i in inside)


def public_cases(file: Path, excluded: frozenset[str], drawn: random.Random) -> Iterator[Case]:
    """Public questions for ever, sources by the root of their size, Russian three times as often."""
    pools: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines(file):
        left_out = line["passage"] in excluded or line["question"].lower() in excluded
        if line["src"] in SOURCES and line["kind"] in ("span", "sentence") and not left_out:
            pools.setdefault((line["src"], line["lang"]), []).append(line)
    weights = [min(len(pool), 2500) ** 0.5 * (3 if lang == "ru" else 1) for (_, lang), pool in pools.items()]
    while True:
        pool = drawn.choices(list(pools.values()), weights)[0]
        first, *others = drawn.sample(pool, 3)
        if all(first["passage"] != other["passage"] for other in others):
            yield Case(first["question"], tuple(_cut(line, drawn) for line in (first, *others)))


def _cut(line: dict[str, Any], drawn: random.Random) -> str:
    """The part of a passage around its answer."""
    passage: str = line["passage"]
    if len(passage) <= PUBLIC_CHARACTERS:
        return passage
    start = max(0, line.get("start") or passage.find(line["answer"]))
    begin = passage.rfind(" ", 0, max(1, start - drawn.randint(100, 450))) + 1
    return passage[begin : begin + PUBLIC_CHARACTERS]


def train(
    own_folder: Path,
    public: Path,
    excluded: frozenset[str],
    embedding: Embeddings,
    start: Path | None,
    out: Path,
    minutes: float,
    seed: int = 1,
) -> None:
    """Trains for `minutes`, from a checkpoint or the original weights; goes on where `out` was left.

    `embedding` finds the passages that are taken for an answer.
    """
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = Weights(weights_file())
    tokens = Tokens(weights.tokenizer(), weights.normalisation)
    model = Encoder(weights, weights.layers).to(device)
    if start:
        print("from", start, "without", load(model, start))
    model.freeze(FROZEN)
    loop = Loop(model, [([p for p in model.parameters() if p.requires_grad], RATE)], out)
    batches = _batches(own_folder, public, excluded, embedding, random.Random(seed + loop.step))

    def loss(batch: Sequence[Case]) -> Loss:
        texts = [case.texts[part] for part in range(3) for case in batch]
        marked = [f"query: {case.question}" for case in batch] + [f"passage: {text}" for text in texts]
        numbers = [tokens.numbers(text, marks=True)[:LONGEST] for text in marked]
        vectors = _embedded(model, weights, numbers, device)
        likeness = vectors[: len(batch)] @ vectors[len(batch) :].T / TEMPERATURE
        likeness = likeness.masked_fill(torch.tensor(_answering(batch, texts), device=device), -torch.inf)
        total = functional.cross_entropy(likeness, torch.arange(len(batch), device=device))
        return Loss(total, {"loss": total}, sum(map(len, numbers)))

    loop.run(map(loss, batches), minutes)


def _batches(
    own_folder: Path, public: Path, excluded: frozenset[str], embedding: Embeddings, drawn: random.Random
) -> Iterator[list[Case]]:
    """Batches of BATCH questions for ever, OWN of them our own: of one collection, or of any articles."""
    articles = [article for article in own_articles(own_folder) if not article.held_out]
    near = Neighbours(articles, embedding)
    strangers = public_cases(public / "qa.jsonl", excluded, drawn)
    with tempfile.TemporaryDirectory() as scratch:
        libraries = [CollectionCases(folder, Path(scratch)) for folder in collections(own_folder, held_out=False)]
    cases: Iterator[Case] = iter(())
    while True:
        if drawn.random() < IN_COLLECTIONS:
            batch = drawn.choices(libraries, [len(library) for library in libraries])[0].draw(OWN, drawn)
        elif len(batch := list(islice(cases, OWN))) < OWN:
            cases = own_cases(articles, near, drawn)
            continue
        yield [*batch, *islice(strangers, BATCH - len(batch))]


def _answering(batch: Sequence[Case], texts: Sequence[str]) -> NDArray[np.bool_]:
    """(questions, texts): whether a text is known to answer, its own one apart."""
    answering = [[any(holds(quote, text) for quote in case.gold) for text in texts] for case in batch]
    return np.array(answering) & ~np.eye(len(batch), len(texts), dtype=bool)


def _embedded(model: Encoder, weights: Weights, rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Unit vectors of rows of token numbers, in their order."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    vectors, places = [], []
    while order:
        group = order[: max(1, GROUP_TOKENS // len(rows[order[-1]]))]
        order = order[len(group) :]
        longest = max(len(rows[i]) for i in group)
        ids = np.zeros((len(group), longest), np.int64)
        mask = np.zeros((len(group), longest), np.bool_)
        for place, i in enumerate(group):
            ids[place, : len(rows[i])] = rows[i]
            mask[place, : len(rows[i])] = True
        words = torch.from_numpy(unpack(weights.words[ids], weights.hidden).reshape(*ids.shape, -1)).to(device)
        there = torch.from_numpy(mask).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            states = model(words, there).float()
        total = (states * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        vectors.append(functional.normalize(total, dim=-1))
        places += group
    return torch.cat(vectors)[torch.tensor(np.argsort(places), device=device)]
