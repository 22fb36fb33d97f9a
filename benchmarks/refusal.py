"""Refusals: questions that the articles do not answer, recognised, and answerable ones refused.

CLAP NQ: each question with the one passage it came with, half of which do not answer it, through ingest and search. The
regression's weights were fitted on these very questions, so it is fitted anew in five folds, with the rules as they
are. The questions about the seed article and the digests: as the bot answers them; an answer in part counts as a
refusal, whether it should have been one or not. Beside both, in the same run: a threshold on the nearest sentence's
cosine, and one on the share of the question's words that the best sentence holds.

Across languages: XQuAD's Russian questions asked of its paragraphs in English, which answer all, and of the digests,
which answer none; twenty questions about the digests in three languages (`translated.json`), and thirty about something
else (`elsewhere.json`). Beside it: a threshold on the nearest sentence's cosine that refuses as many of the Russian
questions that are answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.answers import Question, ask, digests, material, questions
from benchmarks.languages import translated
from benchmarks.results import report
from benchmarks.retrieval import filled, lines, paragraphs
from bot import Bot
from bot.answerable import Likeness, judge, relevance_features
from bot.asking import EMPTY
from bot.followup import Question as Standalone
from ingest import update
from vectorstore import Filters, Hit, HybridRetriever, Names, Store, settings
from vectorstore.terms import terms

ELSEWHERE = Path(__file__).with_name("elsewhere.json")
FOLDS = 5
SEEDS = range(5)
MOST_FALSE = 0.08  # of the answerable, refused


def _retriever(store: Store, names: Names) -> HybridRetriever:
    return HybridRetriever(store=store, names=names, limit=10)


def _hits(retriever: HybridRetriever, question: str, filters: Filters) -> list[Hit]:
    return [document.metadata["hit"] for document in retriever.invoke(question, filters=filters)]


def _cosine(hits: Sequence[Hit]) -> float:
    return max((one.cosine for hit in hits for one in hit.sentences), default=0.0)


def _words(question: str, hits: Sequence[Hit]) -> float:
    asked = set(terms(question)) - EMPTY
    held = [set(terms(hit.article.text[one.span.start : one.span.end])) for hit in hits for one in hit.sentences]
    return max((len(asked & one) / max(1, len(asked)) for one in held), default=0.0)


def regression(features: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Weights of a ridge logistic regression (C = 1) by Newton's method, the intercept last and not held small."""
    rows = np.hstack([features, np.ones((len(features), 1))])
    weights = np.zeros(rows.shape[1])
    ridge = np.diag([*np.ones(features.shape[1]), 0.0])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (labels - chance) - ridge @ weights
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + ridge
        weights += np.linalg.solve(bend, slope)
    return weights


def balanced(labels: np.ndarray[Any, Any], said: np.ndarray[Any, Any]) -> float:
    """Mean of the shares of both kinds that were said right."""
    return float((said[labels == 1].mean() + (~said[labels == 0]).mean()) / 2)


def _folds(count: int, seed: int) -> list[np.ndarray[Any, Any]]:
    order = np.random.default_rng(seed).permutation(count)
    return [np.isin(np.arange(count), part) for part in np.array_split(order, FOLDS)]


def _threshold(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    """The threshold with the best balanced accuracy."""
    return float(max(np.unique(scores), key=lambda cut: balanced(labels, scores >= cut)))


def _by_folds(scores: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    made = []
    for seed in SEEDS:
        said = np.zeros(len(labels), bool)
        for test in _folds(len(labels), seed):
            said[test] = scores[test] >= _threshold(scores[~test], labels[~test])
        made.append(balanced(labels, said))
    return float(np.mean(made))


def _clapnq(shared: Path, cache: Path) -> None:
    rows = [json.loads(line) for line in (shared / "bench" / "clapnq" / "dev.jsonl").read_text("utf-8").splitlines()]
    labels = np.array([int(row["answerable"]) for row in rows])
    folder = cache / "clapnq"
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "articles.jsonl"
    # some passages are asked about twice: they are one article
    asked_about = [(row["title"], "\n".join(row["sentences"])) for row in rows]
    passages: dict[tuple[str, str], str] = {}
    for passage, row in zip(asked_about, rows, strict=True):
        passages.setdefault(passage, row["id"])
    with source.open("w", encoding="utf-8") as target:
        for (title, text), name in passages.items():
            fields = {"url": name, "title": title, "lang": "en", "text": text}
            target.write(json.dumps(fields, ensure_ascii=False) + "\n")
    update([source], data=folder / "data")
    names = Names.open(None)
    store = Store.open(settings(folder / "data"), create=False)
    article_of = {article.url: article.id for article in store.library.articles()}
    retriever = _retriever(store, names)
    features, gates, cosines, words = [], [], [], []
    for row, passage in zip(rows, asked_about, strict=True):
        question = row["question"]
        hits = _hits(retriever, question, Filters(articles=(article_of[passages[passage]],)))
        asked = Standalone(question, (), ())
        near = Likeness(partial(store.title_cosine, question), partial(store.language_cosine, question))
        judgement = judge(asked, hits, names, near)
        features.append(relevance_features(asked, hits, names, near))
        # what the rules alone say: refused, passed because it is on the topic, or left to the regression
        gates.append((judgement.by_rule, judgement.answers))
        cosines.append(_cosine(hits))
        words.append(_words(question, hits))
    store.close()
    table = np.array(features)
    table = (table - table.mean(0)) / table.std(0)
    by_rule = np.array([gate[0] for gate in gates])
    answers = np.array([gate[1] for gate in gates])
    folded, likeness = [], []
    for seed in SEEDS:
        said, alone = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        for test in _folds(len(rows), seed):
            weights = regression(table[~test], labels[~test])
            logits = np.hstack([table, np.ones((len(rows), 1))]) @ weights
            alone[test] = logits[test] >= _threshold(logits[~test], labels[~test])
            said[test] = np.where(by_rule, answers, alone)[test]
        folded.append(balanced(labels, said))
        likeness.append(balanced(labels, alone))
    report(
        "refusal-clapnq",
        "600 questions of CLAP NQ with one passage, half of which do not answer",
        ["method", "balanced accuracy", "unanswerable refused", "answerable refused"],
        [
            ["as shipped (weights fitted on these questions)", balanced(labels, answers),
             float((~answers[labels == 0]).mean()), float((~answers[labels == 1]).mean())],
            ["rules, and the regression fitted in 5 folds", float(np.mean(folded)), "", ""],
            ["the regression alone, in 5 folds", float(np.mean(likeness)), "", ""],
            ["nearest sentence's cosine, threshold in 5 folds", _by_folds(np.array(cosines), labels), "", ""],
            ["share of words, threshold in 5 folds", _by_folds(np.array(words), labels), "", ""],
        ],
        "Mean of 5 seeds where there are folds. Target: .88 in 5 folds.",
    )  # fmt: skip


def _recall(scores: Sequence[float], abstain: Sequence[bool]) -> tuple[float, float]:
    """Share to be refused below the highest threshold that refuses at most MOST_FALSE of the others; that share too."""
    table = np.array(scores)
    mask = np.array(abstain)
    cuts = [cut for cut in np.unique(table) if (table[~mask] < cut).mean() <= MOST_FALSE]
    cut = max(cuts)
    return float((table[mask] < cut).mean()), float((table[~mask] < cut).mean())


def _domain(shared: Path) -> None:
    os.environ.pop("OPENAI_API_KEY", None)
    every: list[tuple[str, Question, bool, float, float]] = []
    names = Names.open(None)
    with TemporaryDirectory() as folder:
        for name, (articles, asked) in material(shared, Path(folder)).items():
            data = Path(folder) / name
            update([articles], data=data)
            store = Store.open(settings(data), create=False)
            retriever = _retriever(store, names)
            with Bot.open(data=data, model="") as bot:
                for one in questions(asked):
                    answer = ask(bot, one)
                    hits = _hits(retriever, one["question"], Filters())
                    refused = answer.status != "answered"
                    every.append((name, one, refused, _cosine(hits), _words(one["question"], hits)))
            store.close()
    rows: list[list[object]] = []
    for name in ("seed", "digests", ""):
        some = [one for one in every if name in ("", one[0])]
        abstain = [bool(one[1]["must_abstain"]) for one in some]
        rows.append(
            [
                f"{name or 'both'}: the bot",
                sum(abstain),
                float(np.mean([one[2] for one, no in zip(some, abstain, strict=True) if no])),
                float(np.mean([one[2] for one, no in zip(some, abstain, strict=True) if not no])),
            ]
        )
    abstain = [bool(one[1]["must_abstain"]) for one in every]
    for title, place in (("nearest sentence's cosine", 3), ("share of words", 4)):
        rows.append([f"both: {title}", sum(abstain), *_recall([float(one[place]) for one in every], abstain)])  # type: ignore[arg-type]
    for kind in sorted({one[1]["type"] for one in every if one[1]["must_abstain"]}):
        some = [one for one in every if one[1]["must_abstain"] and one[1]["type"] == kind]
        rows.append([f"{kind}, to be refused", len(some), float(np.mean([one[2] for one in some])), ""])
    report(
        "refusal",
        "questions about the seed article and the digests",
        ["", "to be refused", "refused of them", "answerable refused"],
        rows,
        "Refused: not answered, or in part. The rules were written with these questions in view; targets .75 and .08. "
        "The thresholds refuse as many of the answerable as .08 allows.",
    )


def _across(shared: Path, cache: Path) -> None:
    os.environ.pop("OPENAI_API_KEY", None)
    russian = [one["question"] for one in lines(shared / "bench" / "xquad" / "queries_ru.jsonl")]
    filled(cache / "xquad-en", paragraphs(shared, "en")).close()
    own = {lang: [text for _, text in some] for lang, some in translated(shared).items()}
    elsewhere = json.loads(ELSEWHERE.read_text("utf-8"))
    with TemporaryDirectory() as folder:
        about = Path(folder) / "data"
        update([digests(shared, Path(folder) / "digests.jsonl")], data=about)
        asked = [
            ("answered by all: XQuAD, Russian questions, English paragraphs", cache / "xquad-en" / "data", russian),
            ("answered by none: XQuAD, Russian questions, the digests", about, russian),
            *((f"answered: about the digests, {lang}", about, some) for lang, some in own.items()),
            *((f"not: about something else, {lang}", about, some) for lang, some in elsewhere.items()),
        ]
        rows: list[list[object]] = []
        cut = 0.0
        for title, data, some in asked:
            retriever = _retriever(Store.open(settings(data), create=False), Names.open(None))
            cosines = np.array([_cosine(_hits(retriever, question, Filters())) for question in some])
            retriever.store.close()
            with Bot.open(data=data, model="") as bot:
                refused = float(np.mean([bot.ask(question).status != "answered" for question in some]))
            cut = cut or float(np.quantile(cosines, refused))
            rows.append([title, len(some), refused, float((cosines < cut).mean())])
    report(
        "refusal-across",
        "questions in one language, articles in others",
        ["", "questions", "refused", "by the nearest sentence's cosine"],
        rows,
        "",
    )


def run(shared: Path, cache: Path) -> None:
    """All tables."""
    _domain(shared)
    _across(shared, cache)
    _clapnq(shared, cache)
