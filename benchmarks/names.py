"""Names: whether each spelling of the table, held out in turn, is linked to its own name, and strangers to none.

A stranger is a name whose whole line is held out: any link of it is false. Beside it, in the same run, with the same
spellings known: rapidfuzz's best ratio alone, and exact equality of the transliterated words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rapidfuzz import fuzz, process

from benchmarks.results import report
from vectorstore import Names
from vectorstore.names import TABLE, WORD, folded

RATIO = 75.0  # of rapidfuzz alone: where it links most


def _without(lines: list[str], name: str, spelling: str) -> tuple[list[str], str]:
    """The table without one spelling, and what its name is called in it then; empty if nothing is left of it."""
    made, called = [], ""
    for line in lines:
        if line.partition(":")[0] == name:
            rest = [one.strip() for one in line.replace(":", ";", 1).split(";") if one.strip() != spelling]
            called = rest[0] if rest else ""
            if not rest:
                continue
            made.append(f"{rest[0]}: {'; '.join(rest[1:])}")
        else:
            made.append(line)
    return made, called


def _known(lines: list[str]) -> dict[str, str]:
    """Folded spelling -> name, for the baselines."""
    return {
        " ".join(map(folded, WORD.findall(one))): line.partition(":")[0]
        for line in lines
        if ":" in line and not line.startswith("#")
        for one in line.replace(":", ";", 1).split(";")
    }


def _project(lines: list[str], spelling: str) -> str:
    return Names(lines).link(spelling)


def _fuzzy(lines: list[str], spelling: str) -> str:
    known = _known(lines)
    text = " ".join(map(folded, WORD.findall(spelling)))
    best = process.extractOne(text, known.keys(), scorer=fuzz.ratio, score_cutoff=RATIO)
    return known[best[0]] if best else ""


def _exact(lines: list[str], spelling: str) -> str:
    return _known(lines).get(" ".join(map(folded, WORD.findall(spelling))), "")


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - a benchmark's interface  # noqa: ARG001 - every benchmark is given it
    """Links every spelling without itself."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    ways: dict[str, Callable[[list[str], str], str]] = {
        "the project": _project,
        f"rapidfuzz alone, ratio {RATIO:.0f}": _fuzzy,
        "transliteration, exact": _exact,
    }
    counts = {way: [0, 0, 0] for way in ways}
    total = 0
    for line in lines:
        name = line.partition(":")[0]
        if line.startswith("["):
            continue
        strangers = [other for other in lines if other != line]
        spellings = [one.strip() for one in line.replace(":", ";", 1).split(";") if one.strip()]
        for spelling in spellings:
            table, called = _without(lines, name, spelling)
            if not called:
                continue
            total += 1
            for way, link in ways.items():
                found = link(table, spelling)
                counts[way][0] += found == called
                counts[way][1] += found not in ("", called)
                counts[way][2] += link(strangers, spelling) != ""
    report(
        "names",
        "spellings linked to the right name, one held out in turn",
        ["", "spellings", "linked right", "linked wrong", "strangers linked"],
        [[way, total, right / total, wrong, strange] for way, (right, wrong, strange) in counts.items()],
        "All spellings of the table, among them other names of the same thing (Spring-96 for Viasna), nicknames and "
        "misspellings: these no rule can link. Spellings proper: benchmarks/LOG.md.",
    )
