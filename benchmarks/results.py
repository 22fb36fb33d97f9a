"""Keeps the table of each benchmark as JSON, and renders RESULTS.md from all of them.

`python -m benchmarks.results` renders it anew.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLES = HERE / "tables"
RESULTS = HERE / "RESULTS.md"
HEAD = "# Results\n\nEach table is written by `python -m benchmarks NAME`, from `tables/NAME.json`.\n"


def report(name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], remarks: str) -> None:
    """Prints a table and keeps it under the benchmark's name, with date, machine and version."""
    table = {"title": title, "circumstances": _circumstances(), "columns": list(columns),
             "rows": [[_cell(value) for value in row] for row in rows], "remarks": remarks.strip()}  # fmt: skip
    TABLES.mkdir(exist_ok=True)
    (TABLES / f"{name}.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(_section(name, table))
    render()


def render() -> None:
    """Writes RESULTS.md."""
    RESULTS.write_text(rendered(), "utf-8")


def rendered() -> str:
    """What RESULTS.md holds: the tables that are kept, in the order of their names."""
    sections = [_section(file.stem, json.loads(file.read_text("utf-8"))) for file in sorted(TABLES.glob("*.json"))]
    return "\n".join([HEAD, *sections])


def _section(name: str, table: Mapping[str, Any]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (table["columns"], *table["rows"])]
    lines.insert(1, "|" + "---|" * len(table["columns"]))
    parts = [f"## {name}: {table['title']}", table["circumstances"], "\n".join(lines), table["remarks"]]
    return "\n\n".join(filter(None, parts)) + "\n"


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


if __name__ == "__main__":
    render()
