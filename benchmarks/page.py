"""How soon the page can be used, beside a bare `gr.ChatInterface` in the same run, and what it weighs.

In a real browser with an empty cache: from the address to a box for questions that takes words, the bytes that came for
it, and from a question to the first words of its answer. Then fifty and two hundred readers ask at once, as the page
itself asks.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.results import report
from ingest import update
from tests.support.endpoint import Script, endpoint
from tests.support.program import free_port
from tests.support.readers import Desk

ROOT = Path(__file__).parent.parent
RUNS = 15
CROWDS = (50, 200)
SETTLED_MS = 1000
QUESTION = "What does Belarus General License 13 allow?"
FIRST = "General License 13 allows transactions"
BARE = f"""
import sys
import gradio as gr
gr.ChatInterface(lambda message, history: {FIRST!r}, analytics_enabled=False, api_visibility="public").launch(
    server_port=int(sys.argv[1]), ssr_mode=False)
"""


@contextmanager
def serving(*command: object, **settings: str) -> Iterator[tuple[str, int]]:
    """A server started by a command that ends in its port; gives its address, once it answers, and its process's id."""
    address = f"http://127.0.0.1:{command[-1]}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    environment |= {"GRADIO_ANALYTICS_ENABLED": "False", **settings}
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _visit(browser: Browser, address: str) -> tuple[float, float, int]:
    """Seconds until questions can be typed, seconds from one to the first words of its answer, bytes that came."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    came: list[float] = []
    network.on("Network.loadingFinished", lambda one: came.append(one["encodedDataLength"]))
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    box = page.locator("textarea:visible").last
    box.wait_for()
    box.fill(QUESTION)
    usable = time.perf_counter() - began
    _settle(page, came)
    weight = int(sum(came))
    began = time.perf_counter()
    box.press("Enter")
    page.get_by_text(FIRST).first.wait_for()
    answered = time.perf_counter() - began
    context.close()
    return usable, answered, weight


def _settle(page: Page, came: list[float]) -> None:
    """Waits until nothing has come for a while; "networkidle" is never reached, since Gradio holds a connection."""
    known = -1
    while known != len(came):
        known = len(came)
        page.wait_for_timeout(SETTLED_MS)


def _crowd(address: str, readers: int) -> list[float]:
    """Seconds to the whole answer for readers who have opened the page and all ask at the same moment.

    The quickest first.
    """
    opened, desk = Desk.at(address, "on_load"), Desk.at(address)
    for reader in range(readers):
        if not opened.ask(f"{readers}-{reader}"):
            raise RuntimeError(f"Reader {reader} of {readers} could not open the page.")
    begun = time.perf_counter()

    def ask(reader: int) -> float:
        # nobody else's question, so that no vector is at hand
        if not desk.ask(f"{readers}-{reader}", f"{QUESTION} I am reader {reader} of {readers}."):
            raise RuntimeError(f"Reader {reader} of {readers} had no answer.")
        return time.perf_counter() - begun

    with ThreadPoolExecutor(readers) as pool:
        return sorted(pool.map(ask, range(readers)))


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Visits both in turn, and then lets the crowd in."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder) / "data"
        update([ROOT / "samples"], data=data)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with (
            serving("app.py", "--data", data, "--no-browser", "--port", free_port()) as (page, _),
            serving("-c", BARE, free_port()) as (bare, _),
        ):
            visits = [(_visit(browser, page), _visit(browser, bare)) for _ in range(RUNS + 1)][1:]
        browser.close()
        # a model that takes half a second: three pieces, and a pause behind each
        with endpoint(Script(['{"claims": []}'], pause_seconds=0.5 / 3)) as model:
            key = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": model}
            with serving("app.py", "--data", data, "--no-browser", "--port", free_port(), **key) as (page, _):
                _crowd(page, 1)
                crowds = [_crowd(page, readers) for readers in CROWDS]
    ours, theirs = ([statistics.median(one[side][part] for one in visits) for part in range(3)] for side in (0, 1))
    rows: list[list[object]] = [
        [name, *took[:2], f"{took[2] / 1e6:.2f} MB"]
        for name, took in (("the page", ours), ("bare ChatInterface", theirs))
    ]
    rows.append(["ratio", *(mine / other for mine, other in zip(ours, theirs, strict=True))])
    report(
        "page",
        f"the page in a browser, medians of {RUNS} visits with an empty cache",
        ["", "to a box that takes words, s", "question to first words, s", "came over the wire"],
        rows,
        "The bare one answers at once with a fixed sentence, and has no sources, library or timeline. "
        "Readers who have the page open and ask at the same moment, with a model that takes half a second, have their "
        "whole answers "
        + "; ".join(
            f"{len(crowd)} of them after {crowd[len(crowd) // 2]:.1f} s in the median and "
            f"{crowd[int(0.95 * len(crowd))]:.1f} s at the 95th percentile"
            for crowd in crowds
        )
        + "; none had an error. Targets at the 95th percentile: 3 s and 10 s.",
    )
