"""Figures with their 95% intervals, and the area and thresholds of scores that tell two kinds apart.

Does not know what is measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 200  # of the bootstrap
FOLDS = 5
SEEDS = range(5)
Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


def within(share: float, count: int) -> str:
    """A share of so many, with half of its 95% interval."""
    return f"{share:.3f} ± {1.96 * math.sqrt(share * (1 - share) / count):.3f}"


def share(values: Iterable[float]) -> str:
    """The mean of values from 0 to 1 with half of its 95% interval; empty without any.

    Where they are not all 0 or 1 (as the F1 of words is), the interval is wider than need be.
    """
    known = list(values)
    return within(sum(known) / len(known), len(known)) if known else ""


def auc(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """The chance that one of the true scores higher than one of the others; there must be both."""
    return _chance(*_apart(labels, scores))


def area(labels: Sequence[bool], scores: Sequence[float]) -> str:
    """The same with half of its 95% interval, by bootstrap; empty without both."""
    right, wrong = _apart(labels, scores)
    if not (len(right) and len(wrong)):
        return ""
    draw = np.random.default_rng(1)
    drawn = [_chance(draw.choice(right, len(right)), draw.choice(wrong, len(wrong))) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{_chance(right, wrong):.3f} ± {(high - low) / 2:.3f}"


def _apart(labels: Sequence[bool], scores: Sequence[float]) -> tuple[Scores, Scores]:
    truth, table = np.array(labels, bool), np.array(scores, np.float64)
    return table[truth], table[~truth]


def _chance(right: Scores, wrong: Scores) -> float:
    ordered = np.sort(wrong)
    below, not_above = (np.searchsorted(ordered, right, side) for side in ("left", "right"))
    return float((below + not_above).sum() / (2 * len(right) * len(wrong)))


def balanced(labels: NDArray[Any], said: Flags) -> float:
    """Mean of the shares of both kinds that were said right."""
    truth = labels.astype(bool)
    return float((said[truth].mean() + (~said[~truth]).mean()) / 2)


def folded(labels: Sequence[bool], scores: Sequence[float], seed: int) -> Flags:
    """What is said true by one threshold, for each fold that with the best balanced accuracy on the others."""
    truth, table = np.array(labels, bool), np.array(scores, np.float64)
    said = np.zeros(len(truth), bool)
    for test in np.array_split(np.random.default_rng(seed).permutation(len(truth)), FOLDS):
        others = np.setdiff1d(np.arange(len(truth)), test)
        said[test] = table[test] >= _threshold(truth[others], table[others])
    return said


def balanced_in_folds(labels: Sequence[bool], scores: Sequence[float]) -> str:
    """Balanced accuracy of `folded`, the mean of all SEEDS, with half of its 95% interval."""
    truth = np.array(labels, bool)
    mean = float(np.mean([balanced(truth, folded(labels, scores, seed)) for seed in SEEDS]))
    return within(mean, len(truth))


def _threshold(labels: Flags, scores: Scores) -> float:
    return float(max(np.unique(scores), key=lambda cut: balanced(labels, scores >= cut)))
