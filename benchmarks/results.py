"""Writes a benchmark's table to RESULTS.md, in the place of its last one."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"


def report(name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], remarks: str) -> None:
    """Prints a table and keeps it in RESULTS.md under the benchmark's name, with date, machine and version."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    table = "\n".join(lines)
    section = f"## {name}: {title}\n\n{_circumstances()}\n\n{table}\n\n{remarks.strip()}\n"
    print(section)
    text = (
        RESULTS.read_text("utf-8")
        if RESULTS.exists()
        else "# Results\n\nEach table is written by `python -m benchmarks NAME`.\n"
    )
    old = re.compile(rf"^## {re.escape(name)}: .*?(?=^## |\Z)", re.M | re.S)
    text = old.sub(lambda _: section + "\n", text) if old.search(text) else f"{text.rstrip()}\n\n{section}"
    RESULTS.write_text(text.rstrip() + "\n", "utf-8")


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _circumstances() -> str:
    version = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    commit = subprocess.run(
        ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, viadoma {version} at {commit or 'no commit'}"
    )
