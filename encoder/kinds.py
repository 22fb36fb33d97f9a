"""What a question asks for: one thing, several, a sequence of events, or yes or no.

Knows a linear classifier over the project's own vectors of questions (`kinds.npz`, fitted by `python -m training
kinds`). Does not know articles.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from encoder.embedding import TRAINED, E5Embeddings
from encoder.weights import Vectors

Kind = Literal["other", "list", "timeline", "yesno"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FILE = Path(__file__).with_name("kinds.npz")


class Kinds:
    """Tells the kinds of questions; for `cache` and `threads` see `E5Embeddings`. Safe to use from several threads."""

    def __init__(self, cache: Path, threads: int) -> None:
        self._model = E5Embeddings(TRAINED, cache, threads)

    @cached_property
    def _weights(self) -> tuple[Vectors, Vectors]:
        kept = np.load(FILE)
        return kept["weights"], kept["intercepts"]

    def of(self, question: str) -> Kind:
        """The likeliest kind of a question."""
        weights, intercepts = self._weights
        return KINDS[int((weights @ np.array(self._model.embed_query(question)) + intercepts).argmax())]
