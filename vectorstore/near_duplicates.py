"""Which texts are copies of one another: reprints, agency stories in several papers, texts cut at the end.

Knows MinHash (rensa) and how alike two texts are. Does not know articles or where they are stored.

A text's bands are a locality-sensitive hash (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets",
3.4): two texts of Jaccard likeness s share one of BANDS bands of ROWS rows with probability 1 - (1 - s^ROWS)^BANDS,
which is .004 at .05, .95 at .4 and more than .99 at .5. Texts that share one are compared shingle by shingle.
"""

from __future__ import annotations

from rensa import RMinHash

from vectorstore.terms import terms

SHINGLE = 3  # terms
BANDS, ROWS = 42, 3
SEED = 1
# Least share of the shorter text's shingles that the longer one holds; measured: benchmarks/LOG.md, "Copies".
MIN_CONTAINMENT = 0.6
MIN_SHINGLES = 20  # shingles; a shorter text says too little to be told from another


def shingles(text: str) -> set[str]:
    """All runs of SHINGLE terms of a text; empty if it has fewer."""
    words = terms(text)
    return {" ".join(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}


def lsh_keys(text: str) -> list[bytes]:
    """The keys under which copies of a text are found, BANDS of them; empty for one of fewer than SHORTEST shingles."""
    found = shingles(text)
    if len(found) < MIN_SHINGLES:
        return []
    hashed = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
    hashed.update(sorted(found))
    digest = hashed.digest()
    return [
        band.to_bytes(1, "big")
        + b"".join(value.to_bytes(4, "big") for value in digest[band * ROWS : (band + 1) * ROWS])
        for band in range(BANDS)
    ]


def containment(text: str, other: str) -> float:
    """The share of the shorter text's shingles that the longer one holds; 0 where that says too little."""
    first, second = shingles(text), shingles(other)
    shorter = min(len(first), len(second))
    return len(first & second) / shorter if shorter >= MIN_SHINGLES else 0.0


def is_near_duplicate(text: str, other: str) -> bool:
    """Whether one text prints most of the shorter of the two again."""
    return containment(text, other) >= MIN_CONTAINMENT
