"""What the page's process weighs while readers ask without a pause, in new conversations and in reloaded ones.

Each page that a reader opens holds Gradio's connection, as a browser does, until it is left. Memory is that of the
process with all its threads, as Linux tells it. An hour; `python -m benchmarks.soak MINUTES` for less.
"""

from __future__ import annotations

import itertools
import re
import sys
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.page import serving
from benchmarks.results import report
from ingest import update
from page.layout import EXAMPLES
from tests.support.program import free_port
from tests.support.readers import Desk

ROOT = Path(__file__).parent.parent
READERS = 4
PARTS = 10
RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")
CONVERSATION = re.compile(r'data-conversation=\\*"([\w-]{20,})')  # in text of text
QUESTIONS = [
    *(one for some in EXAMPLES.values() for one in some),
    "Who is Ales Bialiatski?",
    "What is the capital of France?",
    "Когда освободили Марию Колесникову?",
    "When did the EU impose sanctions on Belavia?",
    "Why was Mikola Statkevich released?",
]


def _read(address: str, reader: int, asked: list[int], over: threading.Event) -> None:
    """One reader: two questions in a new conversation, which is opened again for a third; over and over."""
    respond, begin = Desk.at(address), Desk.at(address, "on_load")
    questions = itertools.cycle([*QUESTIONS[reader:], *QUESTIONS[:reader]])
    name = ""
    for visit in itertools.count():
        session, again = f"{reader}-{visit}", visit % 2
        with respond.open(session):
            if not begin.ask(session, query=f"?c={name}" if again else ""):
                raise RuntimeError("A conversation did not open.")
            for question in itertools.islice(questions, 1 if again else 2):
                answer = respond.ask(session, f"{question} ({session})")
                if not answer:
                    raise RuntimeError(f"{question} had no answer.")
                asked[reader] += 1
                name = CONVERSATION.findall(answer)[-1]
                if over.is_set():
                    return


def soak(minutes: float) -> None:
    """Lets the readers ask, and weighs the process all the while."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        update([ROOT / "samples"], data=data)
        with serving("app.py", "--data", data, "--no-browser", "--port", free_port()) as (page, process):
            asked, over = [0] * READERS, threading.Event()
            with ThreadPoolExecutor(READERS) as pool:
                readers = [pool.submit(_read, page, reader, asked, over) for reader in range(READERS)]
                parts = []
                for _ in range(PARTS):
                    wait(readers, 60 * minutes / PARTS, FIRST_EXCEPTION)
                    parts.append((sum(asked), _resident(process)))
                over.set()
                for reader in readers:
                    reader.result()
    first = parts[0][1]
    rows: list[list[object]] = [
        [f"{minutes * part / PARTS:.1f}", count, f"{bytes_ / 1e6:.0f} MB", f"{bytes_ / first:.3f}"]
        for part, (count, bytes_) in enumerate(parts, 1)
    ]
    report(
        "soak",
        f"{READERS} readers who ask without a pause for {minutes:g} minutes",
        ["minutes", "questions answered", "resident memory", "to the first tenth"],
        rows,
        "Each reader asks two questions in a new conversation, opens it again by its address and asks a third, always "
        "as a new page that is left again. Target: at the end at most 1.1 times the first tenth.",
    )


def _resident(process: int) -> int:
    """Bytes of memory that a process has."""
    return 1024 * int(RESIDENT.findall(Path(f"/proc/{process}/status").read_text())[0])


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given them
    """An hour of it."""
    soak(60)


if __name__ == "__main__":
    soak(float(sys.argv[1]))
