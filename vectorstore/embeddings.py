"""Which embedding model makes the vectors.

Knows the models carried by the project and how to open another by name. Does not know what is embedded.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from langchain_core.embeddings import Embeddings

from encoder import ORIGINAL, TRAINED, E5Embeddings
from language import Message

BUILT_IN = "built in"


def open_embeddings(model: str, cache: Path, threads: int | None = None, stored: str = "") -> tuple[str, Embeddings]:
    """The name vectors are filed under, and the model, which uses `threads` cores, None for all.

    `model` is BUILT_IN, which needs neither key nor download, or any "provider:model" that LangChain's
    `init_embeddings` knows. `stored` names the model whose vectors a library holds: of the built-in ones that one is
    opened. ValueError or ImportError if `model` is not known.
    """
    if model in (BUILT_IN, TRAINED, ORIGINAL):
        name = model if model != BUILT_IN else stored if stored == ORIGINAL else TRAINED
        return name, E5Embeddings(name, cache, threads=threads or os.cpu_count() or 1)
    if ":" not in model:
        raise ValueError(
            Message(
                "This version of Viadoma has no embedding model {model}: it has {trained} and {original}. Write the "
                "model of a provider as provider:model.",
                model=model,
                trained=TRAINED,
                original=ORIGINAL,
            )
        )
    from langchain.embeddings import init_embeddings

    found = init_embeddings(model)
    assert isinstance(found, Embeddings)
    return model, found


def embed_texts(model: str, cache: Path, texts: list[str]) -> list[list[float]]:
    """Embeds texts on one core with a model that this process keeps open: what a process among several does."""
    return _kept(model, cache).embed_documents(texts)


@lru_cache(maxsize=1)
def _kept(model: str, cache: Path) -> Embeddings:
    return open_embeddings(model, cache, threads=1)[1]
