"""Fits what turns the reader's logits into probabilities, and the thresholds of the statuses (bot/calibration.json).

Knows collections of articles with questions, and our own held-out articles taken as one. The reader and the search run
as they do in the product. Measured: docs/models.md.
"""

from __future__ import annotations

import json
import pickle
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.reading import (
    CALIBRATION,
    Calibration,
    Regression,
    build_reading,
    question_features,
    scores,
    sentence_features,
)
from encoder import PassageScores, Reader, Text
from ingest import update
from training.collections import Question, claim_examples, gold, overlap, searched, taken_in
from training.data import SUPPORTED, own_articles
from vectorstore import Hit

HITS = 10
OWN_QUESTIONS = 300  # of the held-out articles, drawn at random
FALSE_REFUSALS = 0.10  # of the answerable ones, at the threshold of "answered"
PARTIAL_SHARE = 0.06  # of all questions, between the two thresholds
FOLDS, PENALTY = 5, 0.3
COLLECTIONS, OWN = LIBRARIES = (
    "collections",
    "own articles as one library",
)  # all of one weigh what all of the other do
BINS = 8
SENTENCE_FEATURES = ("answers", "corrects", "span", "passage", "above", "near", "found", "rank")
QUESTION_FEATURES = (
    "best",
    "next",
    "mean",
    "answers",
    "corrects",
    "span",
    "own span",
    "passage",
    "own passage",
    "mean passage",
    "above",
    "near",
    "nearest",
    "supports",
)
RIGHT_LOST = 0.005  # of the sentences that answer: a chat model could not quote them
PROVED_LOST = 0.002  # of the claims that their quotes prove
QUOTES = 3  # of half of the answers
VERDICT_PRECISION, SHORT_PRECISION = 0.95, 0.7


@dataclass(frozen=True, slots=True)
class Read:
    """A question, what was found and read of it, and which of the sentences answer (in the order of the hits).

    `library` is one of LIBRARIES.
    """

    question: Question
    hits: Sequence[Hit]
    passages: Sequence[PassageScores]
    gold: tuple[bool, ...]
    answerable: bool
    library: str


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim about a collection that is not trained on, and the probability with which the reader holds it for proved.

    `kind` says what was changed in it.
    """

    supported: bool
    likely: float
    kind: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that is fitted on."""

    questions: list[Read]
    claims: list[CheckedClaim]


def collection(folder: Path, reader: Reader, scratch: Path) -> Iterator[Read]:
    """The questions of a collection, read."""
    questions, data = taken_in(folder, scratch)
    for question, hits in searched(questions, data, HITS):
        quotes = question["gold_quotes"]
        yield _read(question, hits, quotes, not question["must_abstain"], reader, COLLECTIONS)


def _read(
    question: Question, hits: Sequence[Hit], quotes: Sequence[str], answerable: bool, reader: Reader, library: str
) -> Read:
    passages = scores(reader, question["question"], tuple(question["turns"])[-3:], hits)
    return Read(
        question, hits, passages, tuple(is_gold for hit in hits for is_gold in gold(hit, quotes)), answerable, library
    )


def held_out(folder: Path, reader: Reader, scratch: Path) -> Iterator[Read]:
    """Questions of our own articles that are not trained on, those articles taken as one library."""
    articles = [article for article in own_articles(folder) if article.held_out]
    file = scratch / "own.jsonl"
    with file.open("w", encoding="utf-8") as target:
        for article in articles:
            row = {"id": article.id, "title": article.title, "publisher": article.publisher,
                   "published": article.published, "lang": article.lang,
                   "text": "\n\n".join(article.sentences)}  # fmt: skip
            target.write(json.dumps(row, ensure_ascii=False) + "\n")
    update([str(file)], data=str(scratch / "own"))
    questions = []
    for article in articles:
        for asked in article.questions:
            gold_sentences = {
                article.sentences[i]
                for i in (*asked.get("answers", ()), *asked.get("corrects", ()))
                if i < len(article.sentences)
            }
            questions.append(
                {
                    "question": asked["q"],
                    "turns": asked.get("turns") or [],
                    "told": gold_sentences,
                    "type": asked["kind"],
                    "lang": asked["lang"],
                    "span": asked.get("span"),
                    "verdict": asked.get("verdict"),
                }
            )
    random.Random(3).shuffle(questions)
    for question, hits in searched(questions[:OWN_QUESTIONS], scratch / "own", HITS):
        yield _read(question, hits, sorted(question["told"]), bool(question["told"]), reader, OWN)


def claims(folder: Path, reader: Reader) -> Iterator[CheckedClaim]:
    """The claims about a collection, read."""
    for example in claim_examples(folder):
        (scores,) = reader.check(example.text, [Text(example.source, example.sentences)])
        yield CheckedClaim(example.relation == SUPPORTED, scores.relation[0], example.kind)


def gather(own_folder: Path, collections: Sequence[Path], reader: Reader, kept: Path) -> Gathered:
    """All questions and claims, read; kept in a file, so that fitting anew reads nothing."""
    if kept.exists():
        gathered: Gathered = pickle.loads(kept.read_bytes())  # noqa: S301 - our own file
        if not isinstance(gathered, Gathered):
            raise SystemExit(f"{kept} was kept by another version: delete it, and run again.")
        return gathered
    with tempfile.TemporaryDirectory() as scratch:
        questions = [
            read_question for folder in collections for read_question in collection(folder, reader, Path(scratch))
        ]
        questions += held_out(own_folder, reader, Path(scratch))
    gathered = Gathered(questions, [claim for folder in collections for claim in claims(folder, reader)])
    kept.write_bytes(pickle.dumps(gathered))
    return gathered


def fit(gathered: Gathered) -> tuple[Calibration, np.ndarray[Any, Any]]:
    """What is fitted on all, and each question's probability from the folds that it is not in."""
    every = gathered.questions
    sentence = _sentence(every)
    probabilities = np.zeros(len(every))
    folds = np.random.default_rng(1).permutation(len(every)) % FOLDS
    for fold in range(FOLDS):
        inside = [read_question for read_question, its_fold in zip(every, folds, strict=True) if its_fold != fold]
        ranking = _sentence(inside)
        answerable = _answerable(inside, ranking)
        for place in np.flatnonzero(folds == fold).tolist():
            probabilities[place] = build_reading(
                every[place].hits, every[place].passages, _whole(ranking, answerable)
            ).answerable
    truth = np.array([read_question.answerable for read_question in every])
    weights = _weights(every)
    answered = _quantile(probabilities[truth], weights[truth], FALSE_REFUSALS)
    below = _quantile(
        probabilities, weights, float(weights[probabilities < answered].sum() / weights.sum()) - PARTIAL_SHARE
    )
    whole = _whole(sentence, _answerable(every, sentence))
    return (
        Calibration(
            whole.sentence,
            whole.answerable,
            answered,
            below,
            *_limits(every, whole),
            _bears(every, whole),
            float(np.quantile([claim.likely for claim in gathered.claims if claim.supported], PROVED_LOST)),
        ),
        probabilities,
    )


def _whole(sentence: Regression, answerable: Regression) -> Calibration:
    return Calibration(sentence, answerable, 0.5, 0.4, 0.5, 0.0, 0.8, 0.0, 0.0)


def _bears(every: Sequence[Read], fitted: Calibration) -> float:
    """What nearly all sentences that answer reach."""
    reached: list[float] = []
    for read_question in every:
        answering = np.array(read_question.gold, bool)
        if answering.any():
            logits = fitted.sentence.logits(sentence_features(read_question.hits, read_question.passages))
            reached += logits[answering].tolist()
    return float(1 / (1 + np.exp(-np.quantile(reached, RIGHT_LOST))))


def _weights(some: Sequence[Read]) -> np.ndarray[Any, Any]:
    """What each question weighs: those of a library together what those of the other do, in the mean 1."""
    counts = Counter(read_question.library for read_question in some)
    return np.array([len(some) / len(counts) / counts[read_question.library] for read_question in some])


def _quantile(values: np.ndarray[Any, Any], weights: np.ndarray[Any, Any], share: float) -> float:
    """The value below which lies so large a share of the weights."""
    order = np.argsort(values)
    total = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(total, max(share, 0.0))), len(values) - 1)])


def _regression(names: Sequence[str], rows: Any, labels: Any, weights: Any) -> Regression:
    from sklearn.linear_model import LogisticRegression

    means, spreads = rows.mean(0), rows.std(0) + 1e-9
    fitted = LogisticRegression(C=PENALTY, max_iter=2000).fit((rows - means) / spreads, labels, weights)
    weights_by_feature = fitted.coef_[0] / spreads
    return Regression(
        dict(zip(names, weights_by_feature.tolist(), strict=True)),
        float(fitted.intercept_[0] - weights_by_feature @ means),
    )


def _sentence(every: Sequence[Read]) -> Regression:
    answered = [read_question for read_question in every if any(read_question.gold)]
    features = [sentence_features(read_question.hits, read_question.passages) for read_question in answered]
    rows = np.concatenate([np.stack([some[name] for name in SENTENCE_FEATURES], 1) for some in features])
    labels = np.concatenate([np.array(read_question.gold, int) for read_question in answered])
    weights = np.repeat(_weights(answered), [len(read_question.gold) for read_question in answered])
    return _regression(SENTENCE_FEATURES, rows, labels, weights)


def _answerable(every: Sequence[Read], sentence: Regression) -> Regression:
    read = [read_question for read_question in every if read_question.gold]
    features = []
    for read_question in read:
        some = sentence_features(read_question.hits, read_question.passages)
        features.append(question_features(sentence.logits(some), some))
    rows = np.array([[float(some[name]) for name in QUESTION_FEATURES] for some in features])
    return _regression(
        QUESTION_FEATURES, rows, np.array([read_question.answerable for read_question in read], int), _weights(read)
    )


def _limits(every: Sequence[Read], fitted: Calibration) -> tuple[float, float, float]:
    """The thresholds of further quotes, of short answers and of verdicts."""
    beyond: list[float] = []
    spans: list[tuple[float, bool]] = []
    verdicts: list[tuple[float, bool]] = []
    for read_question in every:
        reading = build_reading(read_question.hits, read_question.passages, fitted)
        if not any(read_question.gold):
            continue
        if len(reading.candidates) > QUOTES:
            beyond.append(reading.candidates[QUOTES].probability)
        best = reading.candidates[0]
        if read_question.question.get("span"):
            found = best.hit.article.text[best.words.start : best.words.end]
            spans.append((best.scores.span, overlap(read_question.question["span"], found)))
        if read_question.question.get("verdict") in ("yes", "no"):
            yes, no, _ = best.passage.relation
            verdicts.append((max(yes, no), ("yes" if yes > no else "no") == read_question.question["verdict"]))
    # half of the answers then have at most so many quotes
    quoted = float(np.median(beyond))
    return quoted, _precise(spans, SHORT_PRECISION), _precise(verdicts, VERDICT_PRECISION)


def _precise(pairs: Sequence[tuple[float, bool]], precision: float) -> float:
    """The least value such that of those above it so large a share is right; the largest where it never is."""
    best, right = max((value for value, _ in pairs), default=1.0), 0
    for count, (value, good) in enumerate(sorted(pairs, reverse=True), 1):
        right += good
        if right >= precision * count:
            best = value
    return best


def write(fitted: Calibration) -> None:
    """Writes bot/calibration.json."""
    regressions = {
        name: {
            "weights": {k: round(v, 5) for k, v in regression.weights.items()},
            "intercept": round(regression.intercept, 5),
        }
        for name, regression in (("sentence", fitted.sentence), ("answerable", fitted.answerable))
    }
    names = ("answered", "partial", "quoted", "short", "verdict", "bears", "proves")
    thresholds = {name: round(getattr(fitted, name), 5) for name in names}
    CALIBRATION.write_text(json.dumps({**regressions, "thresholds": thresholds}, indent=1) + "\n", "utf-8")


def plot(every: Sequence[Read], probabilities: np.ndarray[Any, Any], target: Path) -> None:
    """Draws how often something answers, against the probability that the folds without the question give."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from sklearn.calibration import calibration_curve

    mpl.rcParams["svg.hashsalt"] = "viadoma"  # the same figures make the same file
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color="grey")
    for name in LIBRARIES:
        some = np.array([read_question.library == name for read_question in every])
        truth = np.array([read_question.answerable for read_question in every])[some]
        shares, means = calibration_curve(truth, probabilities[some], n_bins=BINS, strategy="quantile")
        axes.plot(means, shares, "o-", label=f"{name} ({some.sum()} questions)")
    axes.set(xlabel="probability that anything answers", ylabel="share of questions that something answers",
             xlim=(0, 1), ylim=(0, 1))  # fmt: skip
    axes.legend()
    figure.savefig(target, metadata={"Date": None})


def report(gathered: Gathered, probabilities: np.ndarray[Any, Any], fitted: Calibration) -> str:
    """Gold sentence first, among two and four; AUC of answerable; refused at shares of false refusals; the claims."""
    from sklearn.metrics import roc_auc_score

    every, out = gathered.questions, []
    for name in LIBRARIES:
        some = [i for i, read_question in enumerate(every) if read_question.library == name]
        if not some:
            continue
        ranks = []
        for i in some:
            read_question = every[i]
            if read_question.answerable:
                order = np.argsort(
                    -fitted.sentence.logits(sentence_features(read_question.hits, read_question.passages)),
                    kind="stable",
                )
                found = np.flatnonzero(np.array(read_question.gold)[order])
                ranks.append(found[0] if len(found) else 99)
        truth = np.array([every[i].answerable for i in some])
        in_bin = probabilities[some]
        line = [f"{name}: n={len(some)}"] + [f"among {k} {np.mean(np.array(ranks) < k):.3f}" for k in (1, 2, 4)]
        line.append(f"AUC {roc_auc_score(truth, in_bin):.3f}")
        for share in (0.05, 0.10, 0.15, 0.20, 0.33):
            limit = np.quantile(in_bin[truth], share)
            line.append(f"refused {np.mean(in_bin[~truth] < limit):.2f} at {share:.2f}")
        out.append(", ".join(line))
    proved = np.array([claim.supported for claim in gathered.claims])
    likely = np.array([claim.likely for claim in gathered.claims])
    line = [f"claims: n={len(proved)}", f"AUC {roc_auc_score(proved, likely):.3f}"]
    for share in (0.01, 0.02, 0.03, 0.05, 0.10, 0.20):
        line.append(f"thrown out {np.mean(likely[~proved] < np.quantile(likely[proved], share)):.2f} at {share:.2f}")
    out.append(", ".join(line))
    return "\n".join(out)
