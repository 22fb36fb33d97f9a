"""How well a checkpoint of the reader does on the rows of the own articles that are not trained on.

A look between two trainings, in floating point and a passage at a time. What the shipped reader does in the product:
`python -m benchmarks reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from encoder.weights import Weights, weights_file
from training.batches import Pack, Row, batched
from training.data import UNSTATED
from training.model import Reader, load

BATCH_TOKENS = 4000


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row and what the model says of it: whether anything answers (a logit), and what came out right; None: unasked.

    `span` is the F1 of the tokens of the span against the marked one.
    """

    row: Row
    answerable: float
    first: bool | None
    correction: bool | None
    span: float | None
    relation: bool | None


def evaluate(pack_folder: Path, checkpoint: Path) -> str:
    """A table by language, a line each."""
    pack = Pack(pack_folder)
    model = Reader(Weights(weights_file()))
    load(model, checkpoint)
    model.eval()
    outcomes: list[Outcome] = []
    for rows in batched(list(pack.rows("held_out.jsonl.gz")), BATCH_TOKENS, seed=1):
        batch = pack.batch(rows)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            arrays = [torch.from_numpy(values) for values in (batch.words, batch.mask, batch.parts, batch.pooling)]
            outputs = [output.float().numpy() for output in model(*arrays)]
        outcomes += (_outcome(row, *(output[place] for output in outputs)) for place, row in enumerate(rows))
    languages = sorted({outcome.row.lang for outcome in outcomes})
    return "\n".join(
        _line(lang, [outcome for outcome in outcomes if lang in ("all", outcome.row.lang)])
        for lang in ("all", *languages)
    )


def _outcome(row: Row, spans: np.ndarray, sentences: np.ndarray, passage: np.ndarray, relation: np.ndarray) -> Outcome:
    count = len(row.answers)
    first = correction = span = None
    if any(row.answers):
        first = row.answers[int(sentences[:count, 0].argmax())]
    if any(row.corrects):
        correction = row.corrects[int(sentences[:count, 1].argmax())]
    if row.span and not row.claim:
        inside = slice(row.window.asked, len(row.window.tokens))
        start, end = (int(spans[inside, side].argmax()) + row.window.asked for side in (0, 1))
        common = max(0, min(end, row.span[1]) - max(start, row.span[0]) + 1)
        span = 2 * common / (max(0, end - start) + 1 + row.span[1] - row.span[0] + 1)
    asked = 0 <= row.relation <= UNSTATED
    return Outcome(row, float(passage), first, correction, span, relation.argmax() == row.relation if asked else None)


def _line(name: str, some: Sequence[Outcome]) -> str:
    questions = [outcome for outcome in some if not outcome.row.claim and "a" in outcome.row.known]
    truth = [any(outcome.row.answers) for outcome in questions]
    area = roc_auc_score(truth, [outcome.answerable for outcome in questions]) if len({*truth}) == 2 else float("nan")

    def share(values: Sequence[float | bool | None]) -> str:
        known = [float(value) for value in values if value is not None]
        return f"{np.mean(known):.3f} of {len(known)}" if known else "-"

    asked, claims = ([outcome for outcome in some if outcome.row.claim == claim] for claim in (False, True))
    shares = {
        "sentence first": share([outcome.first for outcome in asked]),
        "AUC of answerable": f"{area:.3f}",
        "span F1": share([outcome.span for outcome in asked]),
        "correction": share([outcome.correction for outcome in asked]),
        "verdict": share([outcome.relation for outcome in asked]),
        "claim": share([outcome.relation for outcome in claims]),
        "evidence first": share([outcome.first for outcome in claims]),
    }
    return f"{name:4}" + ", ".join(f"{what} {value}" for what, value in shares.items())
