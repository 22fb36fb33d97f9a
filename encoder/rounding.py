"""Matrices to int8, so that their products stay what they were.

Knows smoothing (Xiao et al. 2023, "SmoothQuant": channels of the input that stand out are scaled down, the matrix's up)
and two ways to round: to the nearest, and column after column, each taking over the error of those before (Frantar et
al. 2023, "GPTQ"). Does not know what the matrices are for. Measured: benchmarks/LOG.md, "Int8".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoder.weights import Vectors
from language import Message

Parameters = Mapping[str, Vectors]

SMOOTHING = 0.6  # this share of the range of a channel moves into the matrix
# Products of a pair are added in 16 bits where a processor has no VNNI, and 2 x 255 x 63 is the most that they hold.
MOST_WEIGHT = 63
LEAST = 1e-6
BLOCK = 64  # columns rounded before what they leave over is handed on
DAMPING = 0.01  # of the mean of the Hessian's diagonal


@dataclass(frozen=True, slots=True)
class Rounded:
    """A matrix (outputs, inputs): `weight` x `scales` (outputs) is what multiplies the input over `smoothing`."""

    weight: NDArray[np.int8]
    scales: Vectors
    smoothing: Vectors


def rounded(
    parameters: Parameters, model: Any, batches: Sequence[Mapping[str, NDArray[Any]]], *, closely: bool
) -> dict[str, Rounded]:
    """The matrices of `parameters` that the float32 `model` multiplies with, by their names.

    `batches` are inputs of the model, by which its channels' ranges are found. `closely` takes the second way to round,
    which takes a minute and wants real texts. ValueError if a number is not finite.
    """
    rounded = {}
    for name, inputs in _inputs(parameters, model, batches):
        weight = parameters[name]
        if not (np.isfinite(weight).all() and np.isfinite(inputs).all()):
            raise ValueError(Message("{name} holds numbers that are not finite: the checkpoint is damaged.", name=name))
        most = np.maximum(np.abs(inputs).max(0), LEAST)
        heaviest = np.maximum(np.abs(weight).max(0), LEAST)
        smoothing = np.asarray(most**SMOOTHING / heaviest ** (1 - SMOOTHING), np.float32)
        scaled = weight * smoothing
        scales = np.asarray(np.maximum(np.abs(scaled).max(1), LEAST) / MOST_WEIGHT, np.float32)
        whole = _closely(scaled, scales, inputs / smoothing) if closely else np.rint(scaled / scales[:, None])
        rounded[name] = Rounded(whole.astype(np.int8), scales, smoothing)
    return rounded


def _inputs(
    parameters: Parameters, model: Any, batches: Sequence[Mapping[str, NDArray[Any]]]
) -> Iterator[tuple[str, Vectors]]:
    """For each matrix its name and the tokens (tokens, channels) that it is multiplied with."""
    import onnx
    import onnxruntime

    places = {node.name: node.input[0] for node in model.graph.node if node.name in parameters}
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    for place in places.values():
        whole.graph.output.append(onnx.helper.make_tensor_value_info(place, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    seen: list[list[Vectors]] = [[] for _ in places]
    for batch in batches:
        for kept, states in zip(seen, session.run(list(places.values()), dict(batch)), strict=True):
            kept.append(states[batch["mask"] > 0])
    for name, kept in zip(places, seen, strict=True):
        yield name, np.concatenate(kept)


def _closely(scaled: Vectors, scales: Vectors, inputs: Vectors) -> NDArray[np.float64]:
    hessian = (inputs.T @ inputs).astype(np.float64)
    hessian += np.eye(len(hessian)) * DAMPING * np.trace(hessian) / len(hessian)
    upper = np.linalg.cholesky(np.linalg.inv(hessian)).T
    left = scaled.astype(np.float64)
    whole = np.zeros_like(left)
    for begin in range(0, left.shape[1], BLOCK):
        end = min(begin + BLOCK, left.shape[1])
        block, errors = left[:, begin:end].copy(), np.zeros((len(left), end - begin))
        for column in range(end - begin):
            row = upper[begin + column, begin:end]
            whole[:, begin + column] = np.clip(np.rint(block[:, column] / scales), -MOST_WEIGHT, MOST_WEIGHT)
            errors[:, column] = (block[:, column] - whole[:, begin + column] * scales) / row[column]
            block[:, column + 1 :] -= np.outer(errors[:, column], row[column + 1 :])
        left[:, end:] -= errors @ upper[begin:end, end:]
    return whole
