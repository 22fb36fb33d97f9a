"""Whether a Chroma folder is healthy: run as a program of its own, which Chroma may take down with it.

Imports nothing of this package, for speed. Prints what is wrong; nothing if all is well.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import chromadb

FOUND = 0.99  # the least cosine of a vector to itself, as it is rounded on its way here


def find_problem(folder: Path, collection: str, expected: int, sample: Mapping[str, Sequence[float]]) -> str:
    """What is wrong with a collection that should hold `expected` vectors, `sample` among them; empty if nothing is."""
    if not folder.is_dir():
        return "the folder is missing"
    try:
        client = chromadb.PersistentClient(str(folder), chromadb.config.Settings(anonymized_telemetry=False))
        index = client.get_collection(collection)
        if (count := index.count()) < expected:
            return f"{count} of {expected} vectors"
        for name, vector in sample.items():
            nearest = index.query(query_embeddings=[vector], n_results=1, include=["distances"])["distances"]
            if not nearest or not nearest[0] or 1 - nearest[0][0] < FOUND:
                return f"vector {name} does not find itself"
    except Exception as error:  # noqa: BLE001 - Chroma's faults are of any kind
        return f"Chroma could not open {folder}: {error}"
    return ""


if __name__ == "__main__":
    print(find_problem(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), json.load(sys.stdin)))  # noqa: T201 - read by the parent
