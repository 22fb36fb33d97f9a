"""The built package answers by itself: models, prompts, tables and samples are in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ASK = """
import sys
from pathlib import Path

import bot, encoder, ingest, page, vectorstore

site = Path(sys.argv[1])
assert all(Path(one.__file__).is_relative_to(site) for one in (bot, encoder, ingest, page, vectorstore))
ingest.update([str(site / "samples")], data=sys.argv[2])
with bot.Bot.open(sys.argv[2], model="") as asked:
    answer = asked.ask("How many prisoners did Belarus free in December 2025?")
print(answer.status, answer.citations[0].quote)
"""


@pytest.mark.slow
def test_the_installed_wheel_answers(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert not (site / "tests").exists()
    told = subprocess.run(
        [sys.executable, "-c", ASK, str(site), str(tmp_path / "data")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert re.match(r"answered \w", told.stdout)
