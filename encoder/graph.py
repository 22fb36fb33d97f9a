"""The encoder, with or without the reader's heads, as an ONNX graph with int8 matrices.

Knows the arithmetic. Does not know text, nor where the parameters come from: they have the names of a checkpoint of
`training`, and `parameters` gives those of the original model under the same names.

Each token's numbers are rounded by their own largest one, so that no token's result depends on what it is computed
beside (rounding by the largest of a batch does). How the matrices are rounded: `encoder.rounding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoder.rounding import LEAST, Parameters, Rounded
from encoder.weights import Vectors, Weights

HEADS = 12  # of the attention
EPSILON = 1e-12  # of the layer norms
MOST_INPUT = 127
FAR = -1e4


def parameters(weights: Weights) -> dict[str, Vectors]:
    """The original model's encoder, named as a checkpoint names it."""
    hidden = weights.hidden
    parameters = {
        "positions": weights.vector("emb.pos").reshape(-1, hidden)[: weights.positions]
        + weights.vector("emb.type").reshape(-1, hidden)[0],
        "entry_norm.weight": weights.vector("emb.ln.w"),
        "entry_norm.bias": weights.vector("emb.ln.b"),
    }
    names = {"attention_in": "qkv", "attention_out": ("ao",), "inner": ("fi",), "outer": ("fo",)}
    norms = {"attention_norm": "aln", "output_norm": "oln"}
    for layer in range(weights.layers):
        for name, keys in names.items():
            parts = [f"l{layer}.{key}" for key in keys]
            parameters[f"layers.{layer}.{name}.weight"] = np.concatenate([weights.matrix(key).T for key in parts])
            parameters[f"layers.{layer}.{name}.bias"] = np.concatenate([weights.vector(f"{key}.b") for key in parts])
        for name, key in norms.items():
            parameters[f"layers.{layer}.{name}.weight"] = weights.vector(f"l{layer}.{key}.w")
            parameters[f"layers.{layer}.{name}.bias"] = weights.vector(f"l{layer}.{key}.b")
    return parameters


def depth(parameters: Parameters) -> int:
    """How many layers the parameters have."""
    return sum(name.startswith("layers.") and name.endswith(".inner.bias") for name in parameters)


def embedding_graph(parameters: Parameters, rounded: Mapping[str, Rounded] | None) -> Any:
    """The encoder as an ONNX model that gives unit vectors: the mean of the last hidden states, scaled to length 1.

    Inputs: word vectors (rows, tokens, hidden) and mask (rows, tokens), 1 where there is a token. Output: `vector`
    (rows, hidden). With `rounded` matrices in int8, without in float32.
    """
    graph = _Graph(parameters, rounded)
    x = graph.encode("words")
    tall = graph.node("Unsqueeze", ["mask", graph.numbers([2])])
    total = graph.node("ReduceSum", [graph.node("Mul", [x, tall]), graph.numbers([1])], keepdims=0)
    mean = graph.node("Div", [total, graph.node("ReduceSum", [tall, graph.numbers([1])], keepdims=0)])
    graph.node("LpNormalization", [mean], "vector", axis=-1, p=2)
    return graph.model({"words": 3, "mask": 2}, {"vector": 2})


def reader_graph(parameters: Parameters, rounded: Mapping[str, Rounded] | None) -> Any:
    """The encoder with the reader's heads, as in `training.model.Reader`, whose inputs and outputs it has.

    `parts` is 1 for the passage's tokens; all inputs are float32.
    """
    encoder = {
        name.removeprefix("encoder."): value for name, value in parameters.items() if name.startswith("encoder.")
    }
    graph = _Graph(encoder, rounded)
    hidden = parameters["part"].shape[1]
    tall = graph.node("Unsqueeze", ["parts", graph.numbers([2])])
    step = graph.node("Mul", [tall, graph.constant(parameters["part"][1] - parameters["part"][0])])
    part = graph.node("Add", [step, graph.constant(parameters["part"][0])])
    x = graph.encode(graph.node("Add", ["words", part]))
    zero, axis = graph.number(0), graph.numbers([1])
    first = graph.node("Gather", [x, zero], axis=1)
    read = graph.node("Mul", ["mask", "parts"])
    asked = graph.node("Sub", ["mask", read])

    def mean(of: str) -> str:
        wide = graph.node("Unsqueeze", [of, graph.numbers([2])])
        total = graph.node("ReduceSum", [graph.node("Mul", [x, wide]), axis], keepdims=0)
        count = graph.node("Max", [graph.node("ReduceSum", [of, axis], keepdims=1), graph.constant(np.float32(1))])
        return graph.node("Div", [total, count])

    def unit(of: str) -> str:
        size = graph.constant(np.float32(hidden**0.5))
        return graph.node("Mul", [graph.node("LpNormalization", [of], axis=-1, p=2), size])

    def head(of: str, name: str, output: str) -> None:
        product = graph.node("MatMul", [of, graph.constant(parameters[f"{name}.weight"].T)])
        graph.node("Add", [product, graph.constant(parameters[f"{name}.bias"])], output)

    question, passage = unit(mean(asked)), unit(mean(read))
    pooled = graph.node("MatMul", ["pooling", x])
    across = graph.node("Mul", [unit(pooled), graph.node("Unsqueeze", [question, axis])])
    everywhere = graph.node("Expand", [graph.node("Unsqueeze", [first, axis]), graph.node("Shape", [pooled])])
    both = graph.node("Mul", [question, passage])
    apart = graph.node("Abs", [graph.node("Sub", [question, passage])])
    head(x, "span", "spans")
    head(graph.node("Concat", [pooled, everywhere, across], axis=-1), "sentence", "sentences")
    head(graph.node("Concat", [first, both], axis=-1), "passage", "passage")
    head(graph.node("Concat", [first, both, apart], axis=-1), "relation", "relation")
    return graph.model(
        {"words": 3, "mask": 2, "parts": 2, "pooling": 3}, {"spans": 3, "sentences": 3, "passage": 2, "relation": 2}
    )


class _Graph:
    """A graph in the making; `node` and `constant` give names."""

    def __init__(self, parameters: Parameters, rounded: Mapping[str, Rounded] | None) -> None:
        self._parameters = parameters
        self._rounded = rounded
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, op: str, inputs: list[str], output: str = "", name: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [output], name or f"node{len(self._nodes)}", **attributes))
        return output

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        from onnx import numpy_helper

        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name))
        return name

    def number(self, value: int) -> str:
        return self.constant(np.int64(value))

    def numbers(self, values: list[int]) -> str:
        return self.constant(np.array(values, np.int64))

    def model(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Any:
        from onnx import TensorProto, helper

        def info(name: str, rank: int) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, [f"{name}{i}" for i in range(rank)])

        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [info(name, rank) for name, rank in inputs.items()],
            [info(name, rank) for name, rank in outputs.items()],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)

    def _norm(self, x: str, name: str) -> str:
        scale, bias = (self.constant(self._parameters[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", [x, scale, bias], axis=-1, epsilon=EPSILON)

    def _linear(self, x: str, name: str) -> str:
        if self._rounded is None:
            weight, bias = self._parameters[f"{name}.weight"], self._parameters[f"{name}.bias"]
            product = self.node("MatMul", [x, self.constant(weight.T)], name=f"{name}.weight")
            return self.node("Add", [product, self.constant(bias)])
        rounded = self._rounded[f"{name}.weight"]
        x = self.node("Mul", [x, self.constant(np.float32(1) / rounded.smoothing)])
        largest = self.node("ReduceMax", [self.node("Abs", [x]), self.numbers([-1])], keepdims=1)
        size = self.node("Max", [largest, self.constant(np.float32(LEAST))])
        middle, zero = self.constant(np.uint8(MOST_INPUT + 1)), self.constant(np.int8(0))
        step = self.constant(np.float32(1 / MOST_INPUT))
        whole = self.node("QuantizeLinear", [self.node("Div", [x, size]), step, middle])
        product = self.node("MatMulInteger", [whole, self.constant(rounded.weight.T), middle, zero])
        scales = self.constant((rounded.scales / MOST_INPUT).astype(np.float32))
        scaled = self.node("Mul", [self.node("Cast", [product], to=1), scales])
        return self.node("Add", [self.node("Mul", [scaled, size]), self.constant(self._parameters[f"{name}.bias"])])

    def encode(self, words: str) -> str:
        """Word vectors to hidden states; the graph has an input `mask`."""
        width = self._parameters["entry_norm.weight"].shape[0]
        axis, zero = self.numbers([1]), self.numbers([0])
        positions = self.constant(self._parameters["positions"])
        length = self.node("Gather", [self.node("Shape", [words]), axis])
        x = self.node("Add", [words, self.node("Slice", [positions, zero, length, zero])])
        x = self._norm(x, "entry_norm")
        wide = self.node("Unsqueeze", ["mask", self.numbers([1, 2])])
        hidden = self.node(
            "Mul", [self.node("Sub", [self.constant(np.float32(1)), wide]), self.constant(np.float32(FAR))]
        )
        split = self.numbers([0, 0, 3, HEADS, width // HEADS])
        join = self.numbers([0, 0, width])
        scale = self.constant(np.float32((width // HEADS) ** -0.5))
        for layer in range(depth(self._parameters)):
            p = f"layers.{layer}."
            parts = self.node("Reshape", [self._linear(x, p + "attention_in"), split])
            query, key, value = (
                self.node(
                    "Transpose",
                    [self.node("Gather", [parts, self.number(part)], axis=2)],
                    perm=[0, 2, 3, 1] if part == 1 else [0, 2, 1, 3],
                )
                for part in range(3)
            )
            scores = self.node("Add", [self.node("Mul", [self.node("MatMul", [query, key]), scale]), hidden])
            weights = self.node("Softmax", [scores], axis=-1)
            mixed = self.node("Transpose", [self.node("MatMul", [weights, value])], perm=[0, 2, 1, 3])
            joined = self._linear(self.node("Reshape", [mixed, join]), p + "attention_out")
            x = self._norm(self.node("Add", [x, joined]), p + "attention_norm")
            inner = self.node("Gelu", [self._linear(x, p + "inner")], approximate="none")
            x = self._norm(self.node("Add", [x, self._linear(inner, p + "outer")]), p + "output_norm")
        return x
