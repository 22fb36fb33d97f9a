"""Taking 4,378 news articles in: what it costs beside embedding, a second time, and in memory."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from langchain_core.embeddings import Embeddings

from benchmarks.results import report
from benchmarks.retrieval import lines
from ingest.extraction import Extractor
from ingest.fetching import Fetcher
from ingest.pipeline import ingest_sources
from ingest.report import ReportBuilder
from ingest.resources import IngestResources
from vectorstore import Store, load_settings, open_embeddings

FEW = 400


class Timed(Embeddings):
    """A model that counts the seconds it works, and keeps the texts for embedding them again by themselves."""

    def __init__(self, model: Embeddings) -> None:
        self.model = model
        self.seconds = 0.0
        self.texts = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """As the model does."""
        began = time.perf_counter()
        vectors = self.model.embed_documents(texts)
        self.seconds += time.perf_counter() - began
        self.texts += len(texts)
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """As the model does."""
        return self.model.embed_query(text)


def _ingest(data: Path, file: Path) -> dict[str, float]:
    """One run, in this process: seconds in all and in the model, articles by outcome, peak memory in MB."""
    where = load_settings(data)
    name, embeddings = open_embeddings(where.embedding_model, where.cache_dir)
    timed = Timed(embeddings)
    began = time.perf_counter()
    store = Store(data, name=name, embeddings=timed, create=True)
    made = ingest_sources(
        store,
        [str(file)],
        IngestResources(Fetcher(), Extractor()),
        prune=False,
        dry_run=False,
        on_progress=lambda _: None,
        builder=ReportBuilder(),
    )
    store.close()
    return {
        "seconds": time.perf_counter() - began,
        "embedding": timed.seconds,
        "texts": timed.texts,
        "added": len(made.added),
        "unchanged": len(made.unchanged),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def _in_child(data: Path, file: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", data, file], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Takes the news in, a part of them first, all of them, and all of them again."""
    corpus = lines(shared / "bench" / "realtimeqa" / "corpus.jsonl")
    articles = [
        json.dumps({"url": one["url"], "published": one["publish_date"].replace("/", "-"), "text": one["text"]})
        for one in corpus
    ]
    with TemporaryDirectory() as folder:
        few, every = Path(folder) / "few.jsonl", Path(folder) / "every.jsonl"
        few.write_text("\n".join(articles[:FEW]), "utf-8")
        every.write_text("\n".join(articles), "utf-8")
        small = _in_child(Path(folder) / "few", few)
        first = _in_child(Path(folder) / "every", every)
        again = [_in_child(Path(folder) / "every", every) for _ in range(3)]
    second = statistics.median(run["seconds"] for run in again)
    beside = first["seconds"] - first["embedding"]
    report(
        "ingest",
        f"{len(articles):,} news articles",
        ["", "measured", "target"],
        [
            ["articles added, then unchanged", f"{first['added']:.0f}, {again[0]['unchanged']:.0f}", ""],
            ["texts embedded", f"{first['texts']:.0f}, then {again[0]['texts']:.0f}", "then 0"],
            ["first run, seconds", first["seconds"], ""],
            ["of them embedding, seconds", first["embedding"], ""],
            ["all else / embedding", beside / first["embedding"], "<= .15"],
            ["first run / second run", first["seconds"] / second, ">= 200"],
            [f"peak memory, MB, {FEW} articles", small["megabytes"], ""],
            [f"peak memory, MB, {len(articles):,} articles", first["megabytes"], ""],
            ["ratio of the two", first["megabytes"] / small["megabytes"], "<= 1.2"],
        ],
        "Each run is a process of its own; its seconds count from opening the store to closing it.",
    )


def main(arguments: Sequence[str]) -> None:
    """What a child does."""
    print(json.dumps(_ingest(Path(arguments[0]), Path(arguments[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])
