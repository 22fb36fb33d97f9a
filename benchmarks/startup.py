"""From the start of the page's process to its first answer over HTTP, beside `python -c "import gradio"` alone.

The data folder is filled beforehand. The answer is asked for as the page itself asks: through Gradio's queue.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import report
from ingest import update
from tests.support.program import free_port
from tests.support.readers import Desk

ROOT = Path(__file__).parent.parent
RUNS = 5
QUESTION = "What does Belarus General License 13 allow?"
CLAIM = "Belaruskali"


def _import_seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gradio"], check=True)
    return time.perf_counter() - began


def _ask(address: str) -> str:
    """The first event of the answer that holds a claim; empty if none does."""
    desk = Desk.at(address)
    desk.join("benchmark", QUESTION)
    with closing(desk.events("benchmark")) as events:
        return next((said for event in events if CLAIM in (said := json.dumps(event))), "")


def _answer_seconds(data: Path) -> float:
    address = f"http://127.0.0.1:{(port := free_port())}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--data", data, "--port", str(port), "--no-browser"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                answer = _ask(address)
                break
            except (http.client.HTTPException, OSError):
                time.sleep(0.05)
        took = time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(20)
    if not answer:
        raise RuntimeError("The page did not answer.")
    return took


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Takes both times in turn."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        update([ROOT / "samples"], data=data)
        _import_seconds(), _answer_seconds(data)  # the first reads from disk
        pairs = [(_import_seconds(), _answer_seconds(data)) for _ in range(RUNS)]
    ratios = [answer / gradio for gradio, answer in pairs]
    report(
        "startup",
        "from start to the first answer of the page",
        ["", "median of 5"],
        [
            ['`python -c "import gradio"`, seconds', statistics.median(one for one, _ in pairs)],
            ["start of app.py to the first answer, seconds", statistics.median(one for _, one in pairs)],
            ["ratio, pair by pair (target: at most 1.5)", statistics.median(ratios)],
        ],
        f"Ratios from {min(ratios):.2f} to {max(ratios):.2f}.",
    )
