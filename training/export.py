"""A checkpoint -> the int8 graph that serves, and how far the two agree.

Knows which texts the graph is rounded by. Does not know torch.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from encoder.engine import Vocabulary
from encoder.graph import embedding_graph, parameters, reader_graph
from encoder.packing import ASK, arrays, windows
from encoder.rounding import rounded
from encoder.weights import Vectors, Weights, weights_file
from training.batches import Batch, Pack, batched
from training.data import own_articles
from vectorstore import load_settings

CALIBRATION_BATCHES, CALIBRATION_TOKENS = 12, 900


def export(kind: str, checkpoint: Path, pack_folder: Path, target: Path) -> None:
    """Writes the graph of a "reader" or "retriever"; ValueError for another kind or a damaged checkpoint."""
    import onnx

    if kind not in ("reader", "retriever"):
        raise ValueError(f"There is no model {kind} to export: name reader or retriever.")
    pack = Pack(pack_folder)
    rows = list(pack.rows("held_out.jsonl.gz"))
    batches = [pack.batch(batch_rows) for batch_rows in batched(rows, CALIBRATION_TOKENS, 1)[:CALIBRATION_BATCHES]]
    weights = read(checkpoint, kind)
    build = reader_graph if kind == "reader" else embedding_graph
    encoder = {name.removeprefix("encoder."): value for name, value in weights.items()}
    inputs = [inputs_of(batch, kind) for batch in batches]
    graph = build(weights, rounded(encoder, build(weights, None), inputs, closely=True))
    onnx.save(graph, str(target))


def read(checkpoint: Path, kind: str) -> dict[str, Vectors]:
    """A checkpoint's parameters, with the positions, which are not trained."""
    kept = np.load(checkpoint)
    weights = {name: kept[name].astype(np.float32) for name in kept.files}
    positions = parameters(Weights(weights_file()))["positions"]
    return weights | {"encoder.positions" if kind == "reader" else "positions": positions}


def inputs_of(batch: Batch, kind: str) -> dict[str, Vectors]:
    """A batch as the inputs of a graph."""
    both = {"words": batch.words, "mask": batch.mask.astype(np.float32)}
    if kind == "retriever":
        return both
    return both | {"parts": batch.parts.astype(np.float32), "pooling": batch.pooling}


def read_back(checkpoint: Path, pack_folder: Path, int8_graph: Path, batches: int = 20) -> tuple[float, float]:
    """How far int8 and float agree on held-out rows.

    The share in which both put the same sentence first, and the mean difference of their probabilities.
    """
    import onnxruntime

    pack, providers = Pack(pack_folder), ["CPUExecutionProvider"]
    plain = reader_graph(read(checkpoint, "reader"), None).SerializeToString()
    sessions = [onnxruntime.InferenceSession(model, providers=providers) for model in (plain, str(int8_graph))]
    same: list[bool] = []
    apart: list[float] = []
    for rows in batched(list(pack.rows("held_out.jsonl.gz")), CALIBRATION_TOKENS, 2)[:batches]:
        batch = pack.batch(rows)
        there = batch.pooling.sum(2) > 0
        found = [session.run(["sentences"], inputs_of(batch, "reader"))[0][..., 0] for session in sessions]
        first = [np.where(there, scores, -np.inf).argmax(1) for scores in found]
        same += (first[0] == first[1])[there.sum(1) > 1].tolist()
        before, other = (1 / (1 + np.exp(-scores[there])) for scores in found)
        apart += np.abs(before - other).tolist()
    return float(np.mean(same)), float(np.mean(apart))


def write_outputs(checkpoint: Path, own_folder: Path, target: Path, count: int = 40) -> None:
    """Writes what the float reader says of some of our own held-out articles, for the test of the shipped graph."""
    import onnxruntime

    vocabulary = Vocabulary(load_settings(None).cache_dir)
    tokens, weights = vocabulary.tokens, vocabulary.weights
    plain = reader_graph(read(checkpoint, "reader"), None).SerializeToString()
    session = onnxruntime.InferenceSession(plain, providers=["CPUExecutionProvider"])
    rows = []
    for article in [article for article in own_articles(own_folder) if article.held_out][:count]:
        question = next(question for question in article.questions if question["answers"])
        first = max(0, question["answers"][0] - 2)
        sentences = article.sentences[first : first + 5]
        numbers = [tokens.numbers(sentence) for sentence in sentences]
        turns = question.get("turns") or []
        asked, source = tokens.numbers(ASK + question["q"]), tokens.numbers(article.source)
        (window,) = windows(asked, list(map(tokens.numbers, turns)), source, numbers, weights.bos, weights.eos)
        words, mask = vocabulary.batch([window.tokens])
        parts, pooling = arrays([window], mask.shape[1])
        inputs = {"words": words, "mask": mask, "parts": parts, "pooling": pooling}
        scores = session.run(["sentences"], inputs)[0][0, :, 0]
        answers = [round(float(value), 4) for value in 1 / (1 + np.exp(-scores))]
        rows.append({"question": question["q"], "turns": turns, "source": article.source, "sentences": sentences,
                     "answers": answers})  # fmt: skip
    target.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", "utf-8")
