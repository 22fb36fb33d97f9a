"""`kill -9` at random moments of an ingest: nothing reported lost, nothing doubled, nothing half visible.

A child adds, edits and removes articles without end and says what is reported as done; it is killed; another looks at
what is left. The parent opens nothing, so that it can fork. The embedding is a cheap one, so that nearly all the time
is spent in writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import langchain_chroma  # noqa: F401 - loaded once, not in every child

from benchmarks.results import report
from ingest.extraction import Extractor
from ingest.fetching import Fetcher
from ingest.pipeline import ingest_sources
from ingest.report import ReportBuilder
from ingest.resources import IngestResources
from tests.support.articles import Letters, random_article
from vectorstore import Store, check

KILLS = 200
FILES = 40
WRITTEN = ("added", "changed")
IN_WORK = 0.8  # of the kills; the others may hit the opening and the trial of the index, which takes seconds


class Said(list[str]):
    """A list whose new members are written to a pipe at once."""

    def __init__(self, kind: str, pipe: int) -> None:
        super().__init__()
        self._kind, self._pipe = kind, pipe

    def append(self, member: str) -> None:
        """Adds it and says it, with the digest of the bytes that are in the library now; files change between runs."""
        super().append(member)
        os.write(self._pipe, f"{self._kind} {_digest(Path(member))} {member}\n".encode())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none"


def _open(data: Path) -> Store:
    return Store(data, name="letters", embeddings=Letters(), create=True)


def _ingest(data: Path, articles: Path, seed: int, pipe: int) -> None:
    """Changes the files at random and takes them in, over and over, until it is killed."""
    draw = random.Random(seed)
    store = _open(data)
    os.write(pipe, b"open\n")
    resources = IngestResources(Fetcher(), Extractor(), batch_characters=3000)
    while True:
        for _ in range(8):
            path = articles / f"{draw.randrange(FILES)}.txt"
            if path.exists() and draw.random() < 0.2:
                path.unlink()
            else:
                path.write_text(random_article(draw))
        added, changed, unchanged, removed = (Said(kind, pipe) for kind in ("added", "changed", "unchanged", "removed"))
        builder = ReportBuilder(added, changed, unchanged, removed)
        ingest_sources(
            store, [str(articles)], resources, prune=True, dry_run=False, on_progress=lambda _: None, builder=builder
        )


def _look(data: Path, reported: dict[str, str], pipe: int) -> None:
    """Writes what is wrong, and what is in, by source.

    `reported` has, by source, the digest of what was last said to be in, "none" if nothing.
    """
    store = _open(data)
    try:
        live = {
            article.source: store.library.sources.provenance(article.id, article.version).raw_sha256
            for article in store.library.articles()
        }
        # the run that was killed may have gone further than it could say, up to the files as they lie there
        lost = [
            source
            for source, digest in reported.items()
            if live.get(source, "none") not in (digest, _digest(Path(source)))
        ]
        faults = check(store)
        if len(live) and not store.nearest(store.embed_query("ferry"), 3):
            faults.append("nothing is found")
    finally:
        store.close()
    os.write(pipe, json.dumps({"lost": lost, "faults": faults, "live": live}).encode())


def _forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Runs the work in a child; its process id and the pipe it writes to."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        os.setpgid(0, 0)
        # what is killed is no news
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        work(writing)
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - a forked child must not come back
        os.write(writing, json.dumps({"lost": [], "faults": [f"{type(error).__name__}: {error}"], "live": {}}).encode())
        os._exit(1)


def _until_written(pipe: int) -> bytes:
    """What the child says until its first article is in; all of it if it ends before."""
    said = b""
    while part := os.read(pipe, 1 << 16):
        said += part
        if any(f"\n{kind} ".encode() in said for kind in WRITTEN):
            break
    return said


def _read(pipe: int) -> str:
    parts = list[bytes]()
    while part := os.read(pipe, 1 << 16):
        parts.append(part)
    os.close(pipe)
    return b"".join(parts).decode()


def killed(folder: Path, kills: int, seed: int = 1) -> dict[str, int]:
    """How many articles were lost and faults found over so many kills; 0 of each is what should be."""
    data, articles = folder / "data", folder / "articles"
    articles.mkdir()
    draw = random.Random(seed)
    reported = dict[str, str]()
    sums = {"kills": kills, "reports": 0, "lost": 0, "faults": 0, "kills in mid-run": 0}
    for number in range(kills):
        child, pipe = _forked(partial(_ingest, data, articles, seed * 1000 + number))
        in_work = draw.random() < IN_WORK
        begun = _until_written(pipe) if in_work else b""
        time.sleep(draw.uniform(0, 1 if in_work else 4))
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said = [line.split(" ", 2) for line in (begun.decode() + _read(pipe)).splitlines() if line != "open"]
        sums["reports"] += len(said)
        sums["kills in mid-run"] += any(kind in WRITTEN for kind, *_ in said)
        reported.update((source, "none" if kind == "removed" else digest) for kind, digest, source in said)
        child, pipe = _forked(partial(_look, data, reported))
        found = json.loads(_read(pipe) or '{"lost": [], "faults": ["the check died"], "live": {}}')
        os.waitpid(child, 0)
        # what was not said is in as well, and by the next kill its file may be another
        reported = dict.fromkeys(reported, "none") | found["live"]
        sums["lost"] += len(found["lost"])
        sums["faults"] += len(found["faults"])
        for line in (*found["lost"], *found["faults"]):
            print(f"kill {number}: {line}", file=sys.stderr)
    return sums


def run_kills(kills: int) -> dict[str, int]:
    """`killed` in a folder of its own."""
    folder = Path(TemporaryDirectory().name)
    folder.mkdir()
    try:
        return killed(folder, kills)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given them
    """Kills an ingest KILLS times."""
    sums = run_kills(KILLS)
    report(
        "kills",
        "`kill -9` at random moments of an ingest",
        list(sums),
        [list(sums.values())],
        "After each kill the next process opens the folder, and `check` looks at all of it. Target: 0 lost, 0 faults.",
    )


if __name__ == "__main__":
    print(json.dumps(run_kills(int(sys.argv[1]))))
