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

QuestionType = Literal["other", "list", "timeline", "yesno"]
QUESTION_TYPES: tuple[QuestionType, ...] = get_args(QuestionType)
FILE = Path(__file__).with_name("kinds.npz")


class QuestionClassifier:
    """Tells the kinds of questions; for `cache` and `threads` see `E5Embeddings`. Safe to use from several threads."""

    def __init__(self, cache: Path, threads: int) -> None:
        self._model = E5Embeddings(TRAINED, cache, threads)

    @cached_property
    def _weights(self) -> tuple[Vectors, Vectors]:
        kept = np.load(FILE)
        return kept["weights"], kept["intercepts"]

    def question_type(self, question: str) -> QuestionType:
        """The likeliest kind of a question."""
        weights, intercepts = self._weights
        return QUESTION_TYPES[int((weights @ np.array(self._model.embed_query(question)) + intercepts).argmax())]
