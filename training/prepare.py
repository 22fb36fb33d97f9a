"""Packs the examples: every text once as token numbers, and rows that name them.

The pack is a folder: `tokens.npz` (flat token numbers and where each text begins; the rows of the word table that
occur), `rows.jsonl.gz` (a row an example) and `held_out.jsonl.gz` (rows of the own articles that are not trained on).
Needs no torch. Knows nothing of the model.
"""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from encoder.packing import ASK, CLAIM
from encoder.tokens import Tokens
from encoder.weights import Weights, weights_file
from training.collections import claim_examples, collection_examples
from training.data import (
    Example,
    Neighbours,
    collections,
    own_articles,
    own_examples,
    public_claims,
    public_questions,
)

# How many of each public source's questions; those that hold hard unanswerable ones above all.
PUBLIC_QUESTIONS = {
    "squad1-du-test:answered": 4500, "squad1-du-test:none": 2300, "squad-flan:answered": 2000, "squad-flan:none": 1600,
    "squad-jucho:answered": 1200, "squad-jucho:none": 800,
    "squad-routerlens:answered": 1800, "squad-routerlens:none": 7000,
    "tydiqa-goldp-dev:answered": 1500, "tydiqa-goldp-train:answered": 1500, "poquad-pilot:answered": 900,
    "poquad-pilot:none": 466, "selqa-test:answered": 400, "selqa-dev-gold-removed:none": 300,
    "selqa-test-gold-removed:none": 300, "iirc(NI task237):none": 300, "squadshifts-new_wiki:answered": 1500,
    "nq-open-oracle:answered": 500, "qed-dev(NQ):answered": 400, "boolq-val:verdict": 700, "condaqa:verdict": 800,
    "danetqa-train:verdict": 600, "danetqa-val:verdict": 400,
}  # fmt: skip
CLAIMS_SHARE, CLAIMS_MOST = 0.5, 2200
OWN_PASSES = 2  # windows drawn anew each time
ORDERS = Path(__file__).with_name("data") / "planted.txt"
LOST = "spans that no token has"


class Packer:
    """Numbers texts in the order in which they are first seen."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._numbers: dict[str, int] = {}
        self.texts: list[list[int]] = []
        self.counts: Counter[str] = Counter()

    def _text(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.texts)
            self.texts.append(self._tokens.numbers(text))
        return number

    def row(self, example: Example) -> dict[str, Any]:
        """An example with its texts as numbers; the span as [sentence, first token, last token]."""
        self.counts[example.origin] += 1
        row: dict[str, Any] = {
            "q": self._text((CLAIM if example.claim else ASK) + example.text),
            "t": [self._text(turn) for turn in example.turns],
            "h": self._text(example.source) if example.source else -1,
            "s": [self._text(sentence) for sentence in example.sentences],
            "a": sorted(example.answers), "c": sorted(example.corrects), "r": example.relation, "k": example.known,
            "claim": example.claim, "lang": example.lang, "kind": example.kind, "origin": example.origin,
        }  # fmt: skip
        span = self._span(example)
        if span:
            row["span"] = span
        elif example.span:
            self.counts[LOST] += 1
        return row

    def _span(self, example: Example) -> list[int]:
        for number in sorted(example.answers):
            sentence = example.sentences[number]
            start = sentence.find(example.span) if example.span else -1
            if start < 0:
                continue
            _, places = self._tokens.placed(sentence)
            end = start + len(example.span)
            inside = [i for i, (a, b) in enumerate(places) if a < end and b > start]
            if inside:
                return [number, inside[0], inside[-1]]
        return []


def prepare(
    own_folder: Path, public: Path | None, excluded: frozenset[str], target: Path, embedding: Embeddings, seed: int = 1
) -> None:
    """Writes the pack of all data to the folder `target`; without `public`, of our own alone.

    `embedding` finds the passages without an answer; another `seed` draws other examples.
    """
    weights = Weights(weights_file())
    packer = Packer(Tokens(weights.tokenizer(), weights.normalisation))
    drawn = random.Random(seed)
    articles = own_articles(own_folder)
    kept, held_out = [a for a in articles if not a.held_out], [a for a in articles if a.held_out]
    near = Neighbours(articles, embedding)
    orders = [line for line in ORDERS.read_text("utf-8").splitlines() if not line.startswith("#")]
    target.mkdir(parents=True, exist_ok=True)
    groups: dict[str, list[dict[str, Any]]] = {}
    for number in range(OWN_PASSES):
        groups[f"own {number + 1}"] = [packer.row(example) for example in own_examples(kept, near, orders, drawn)]
    with tempfile.TemporaryDirectory() as scratch:
        groups["collections"] = [
            packer.row(example)
            for folder in collections(own_folder, held_out=False)
            for example in collection_examples(folder, Path(scratch), drawn)
        ]
    groups["collections' claims"] = [
        packer.row(example) for folder in collections(own_folder, held_out=False) for example in claim_examples(folder)
    ]
    if public:
        groups["questions"] = [
            packer.row(e) for e in public_questions(public / "qa.jsonl", excluded, PUBLIC_QUESTIONS, drawn)
        ]
        groups["claims"] = [
            packer.row(e) for e in public_claims(public / "claims.jsonl", CLAIMS_SHARE, CLAIMS_MOST, drawn)
        ]
    for name, rows in groups.items():
        tokens = sum(len(packer.texts[i]) for row in rows for i in [row["q"], *row["t"], *row["s"]])
        print(f"{name}: {len(rows)} rows, {tokens:,} tokens")
    print(f"{len(packer.texts)} texts; spans that are lost: {packer.counts[LOST]}")
    grouped = (dict(row, group=name) for name, some in groups.items() for row in some)
    write_pack(
        packer, grouped, (packer.row(example) for example in own_examples(held_out, near, orders, drawn)), target
    )


def write_pack(
    packer: Packer, rows: Iterable[dict[str, Any]], held_out: Iterable[dict[str, Any]], target: Path
) -> None:
    """Writes rows made by the packer to the folder `target`, and the texts that they name."""
    weights = Weights(weights_file())
    _write(target / "rows.jsonl.gz", rows)
    _write(target / "held_out.jsonl.gz", held_out)
    flat = np.fromiter((token for text in packer.texts for token in text), np.int32)
    begins = np.cumsum([0, *map(len, packer.texts)]).astype(np.int32)
    vocabulary = np.unique(np.concatenate([flat, [weights.bos, weights.eos]])).astype(np.int32)
    blocks = weights.words[vocabulary]
    np.savez_compressed(
        target / "tokens.npz", tokens=flat, begins=begins, vocabulary=vocabulary, words=blocks.view(np.uint8),
        marks=np.array([weights.bos, weights.eos], np.int32),
    )  # fmt: skip


def _write(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    with gzip.open(file, "wt", encoding="utf-8") as target:
        target.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
