"""What a question asks for: fits the classifier that `encoder.question_types` uses, on our own questions.

Knows the kinds that the data names. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from encoder.embedding import TRAINED, E5Embeddings
from encoder.question_types import FILE, QUESTION_TYPES, QuestionType
from training.data import collections, lines, own_articles

TYPES: dict[str, QuestionType] = {
    "list": "list",
    "timeline": "timeline",
    "yes-no": "yesno",
}  # of a collection's questions
PENALTY = 10.0  # the inverse strength of the regression's penalty


def questions(own_folder: Path, timelines: Path) -> Iterator[tuple[str, int, bool]]:
    """(question, kind's number, whether it is held out); follow-ups are left out, for their words say little."""
    for article in own_articles(own_folder):
        for question in article.questions:
            if not question.get("turns"):
                kind = "yesno" if question.get("settles") else question["kind"]
                if kind in QUESTION_TYPES or question.get("answers"):
                    yield (
                        question["q"],
                        QUESTION_TYPES.index(kind if kind in QUESTION_TYPES else "other"),
                        article.held_out,
                    )
    for held_out in (False, True):
        for folder in collections(own_folder, held_out=held_out):
            for question in lines(folder / "questions.jsonl"):
                if not question["turns"]:
                    kind = "yesno" if question["verdict"] else TYPES.get(question["type"], "other")
                    yield question["question"], QUESTION_TYPES.index(kind), held_out
    for place, line in enumerate(lines(timelines)):
        yield line["q"], QUESTION_TYPES.index("timeline"), place % 7 == 0


def fit(own_folder: Path, timelines: Path, cache: Path, threads: int) -> None:
    """Fits the classifier, prints how often it is right on held-out questions, and writes it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import classification_report

    every = list(questions(own_folder, timelines))
    model = E5Embeddings(TRAINED, cache, threads)
    vectors = np.array([model.embed_query(text) for text, _, _ in every], np.float32)
    kinds = np.array([kind for _, kind, _ in every])
    kept = np.array([not held_out for _, _, held_out in every])
    # rarer kinds count more, by the root of how rare they are: the whole of it makes too many questions lists
    weights = np.bincount(kinds[kept])[kinds[kept]] ** -0.5
    weights /= weights.mean()
    regression = LogisticRegression(C=PENALTY, max_iter=2000).fit(vectors[kept], kinds[kept], weights)
    print(classification_report(kinds[~kept], regression.predict(vectors[~kept]), target_names=QUESTION_TYPES))
    np.savez(FILE, weights=regression.coef_.astype(np.float32), intercepts=regression.intercept_.astype(np.float32))
