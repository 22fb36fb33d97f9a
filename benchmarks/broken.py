"""1,000 files, 50 of them broken in 20 different ways: what goes in, what is named, and the exit code."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.results import report
from tests.support.files import BAD, fill

FILES, BROKEN = 1000, 50


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given them
    """Takes a folder of FILES files in, BROKEN of them broken."""
    with TemporaryDirectory() as place:
        folder = Path(place) / "files"
        folder.mkdir()
        broken = fill(folder, FILES, BROKEN)
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "ingest", folder, "--data", Path(place) / "data"],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
    named = dict(re.findall(r"failed: .*[/\\](broken[^:!#]*)[^:]*: (.*)", done.stderr))
    added = re.search(r"(\d+) added", done.stdout)
    one_of_each = {broken[name]: name for name in named}
    report(
        "broken",
        f"{FILES:,} files, {BROKEN} of them broken in {len(BAD)} ways",
        ["", "measured", "target"],
        [
            ["in", added[1] if added else "none", FILES - BROKEN],
            ["named with the reason", len(named.keys() & broken.keys()), BROKEN],
            ["named wrongly", len(done.stderr.splitlines()) - len(named), 0],
            ["exit code", done.returncode, 1],
            ["seconds", seconds, ""],
        ],
        "\n".join(f"- `{way}`: {named[name]}" for way, name in sorted(one_of_each.items())),
    )
