"""What is told of the benchmarks is what they measured."""

from __future__ import annotations

from benchmarks.results import RESULTS, rendered


def test_the_results_are_rendered_from_the_tables_that_are_kept() -> None:
    assert RESULTS.read_text("utf-8") == rendered(), "run: python -m benchmarks.results"
