"""Trains the reader on a pack; goes on from its checkpoint when it is started again.

Knows the losses and their weights. Runs on a GPU where there is one, else on the cores in bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from encoder.weights import Weights, weights_file
from training.batches import Batch, Pack, Row, batched
from training.data import NOT_SUPPORTED, SUPPORTED
from training.loop import Loop, Loss
from training.model import Reader, load

# What share of each group of the pack is trained on.
SHARES = {"own 1": 1.0, "own 2": 0.0, "collections": 1.0, "collections' claims": 1.0, "questions": 0.8, "claims": 0.4}
BATCH_TOKENS = 2400
FROZEN = 5  # lowest layers
RATE, HEADS_RATE = 1e-4, 4e-4
LOSS_WEIGHTS = {"sentence": 1.0, "first": 0.3, "corrects": 0.4, "passage": 1.0, "span": 0.3, "relation": 0.7}
FAR = -1e4


def losses(model: Reader, batch: Batch, device: torch.device) -> dict[str, Tensor]:
    """The mean losses of a batch by name; those that no row allows are 0."""
    mask = torch.from_numpy(batch.mask).to(device)
    parts = torch.from_numpy(batch.parts).to(device)
    words, pooling = torch.from_numpy(batch.words).to(device), torch.from_numpy(batch.pooling).to(device)
    with torch.autocast(device.type, torch.bfloat16):
        hidden = model(words, mask, parts, pooling)
    spans, sentences, passage, relation = (logits.float() for logits in hidden)
    rows, most = batch.rows, pooling.shape[1]

    def by_piece(values: list[tuple[bool, ...]]) -> Tensor:
        return torch.tensor([[float(v) for v in row] + [0.0] * (most - len(row)) for row in values], device=device)

    def flags(values: list[bool]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    there = pooling.sum(2) > 0
    answers, corrects = by_piece([row.answers for row in rows]), by_piece([row.corrects for row in rows])
    labelled = flags(["s" in row.known for row in rows])[:, None] * there
    corrected = flags(["c" in row.known for row in rows])[:, None] * there
    count = there.sum(1, keepdim=True).sqrt()
    bce = functional.binary_cross_entropy_with_logits
    losses_by_head = {
        "sentence": (bce(sentences[..., 0], answers, reduction="none") * labelled / count).sum() / len(rows),
        "corrects": (bce(sentences[..., 1], corrects, reduction="none") * corrected / count).sum() / len(rows),
    }
    scores = sentences[..., 0].masked_fill(~there, FAR)
    has = answers.sum(1) * labelled[:, 0] > 0
    right = torch.logsumexp(scores.masked_fill(answers == 0, FAR), 1) - torch.logsumexp(scores, 1)
    losses_by_head["first"] = -(right * has).sum() / len(rows)
    # whether anything answers; a yes-or-no question's passage answers though nobody marked where
    asked = flags(["a" in row.known for row in rows])
    answerable = flags([any(row.answers) or ("s" not in row.known and row.relation >= 0) for row in rows])
    losses_by_head["passage"] = (bce(passage, answerable, reduction="none") * asked).sum() / len(rows)
    valid = mask & (parts == 1)
    valid[:, 0] = True  # where the span of "nothing answers" points
    placed = flags(
        [not row.claim and "s" in row.known and (row.span is not None or not any(row.answers)) for row in rows]
    )
    ends = torch.tensor([row.span or (0, 0) for row in rows], device=device)
    logits = spans.masked_fill(~valid[..., None], FAR)
    each = [functional.cross_entropy(logits[..., i], ends[:, i], reduction="none") for i in (0, 1)]
    losses_by_head["span"] = ((each[0] + each[1]) / 2 * placed).sum() / len(rows)
    labels = torch.tensor([row.relation for row in rows], device=device)
    three = (labels >= 0) & (labels < NOT_SUPPORTED)
    log = relation.log_softmax(-1)
    relation_loss = -log.gather(1, labels.clamp(0, 2)[:, None]).squeeze(1) * three
    # "not supported" is either of two: the probability of the third must be small
    relation_loss = relation_loss - torch.log1p(-log[:, SUPPORTED].exp().clamp(max=1 - 1e-6)) * (
        labels == NOT_SUPPORTED
    )
    losses_by_head["relation"] = relation_loss.sum() / len(rows)
    return losses_by_head


def train(
    pack_folder: Path,
    start: Path | None,
    out: Path,
    minutes: float,
    shares: Mapping[str, float] = SHARES,
    seed: int = 1,
) -> None:
    """Trains for at most `minutes`, from a checkpoint or the original weights; goes on where `out` was left."""
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pack = Pack(pack_folder)
    batches = batched(list(pack.rows("rows.jsonl.gz", shares, seed)), BATCH_TOKENS, seed)
    model = Reader(Weights(weights_file())).to(device)
    if start:
        print("from", start, "without", load(model, start))
    model.encoder.freeze(FROZEN)
    # a gradient for `part` would have to go through the frozen layers: half of the time of a step
    model.part.requires_grad_(FROZEN == 0)
    heads = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("encoder.")]
    body = [p for p in model.encoder.parameters() if p.requires_grad]

    def loss(rows: Sequence[Row]) -> Loss:
        parts = losses(model, pack.batch(rows), device)
        total = torch.stack([LOSS_WEIGHTS[name] * value for name, value in parts.items()]).sum()
        return Loss(total, parts, sum(len(row.window.tokens) for row in rows))

    loop = Loop(model, [(body, RATE), (heads, HEADS_RATE)], out)
    loop.run(map(loss, batches[loop.step :]), minutes, len(batches))
