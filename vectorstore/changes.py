"""What an edit did to a text, word by word.

Knows how two texts differ. Does not know articles or versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import LCSseq

TOKEN = re.compile(r"\d+(?:[.,]\d+)+|\w+|\s+|[^\w\s]")  # 45,000 is one


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of text that stayed ("same"), went ("out") or came ("in")."""

    kind: Literal["same", "out", "in"]
    text: str


def changes(before: str, after: str) -> list[Change]:
    """How `before` became `after`, in reading order, by whole words: a longest common subsequence of them (Myers 1986).

    The "same" and "out" stretches together are `before`, the "same" and "in" ones `after`. One "same" where nothing
    changed; empty if both are.
    """
    return list(_joined(_raw(TOKEN.findall(before), TOKEN.findall(after))))


def _raw(old: list[str], new: list[str]) -> Iterator[Change]:
    for step in LCSseq.opcodes(old, new):
        if step.tag == "equal":
            yield Change("same", "".join(old[step.src_start : step.src_end]))
            continue
        if step.src_start < step.src_end:
            yield Change("out", "".join(old[step.src_start : step.src_end]))
        if step.dest_start < step.dest_end:
            yield Change("in", "".join(new[step.dest_start : step.dest_end]))


def _joined(steps: Iterator[Change]) -> Iterator[Change]:
    """White space alone between two edits belongs to both: a phrase that was replaced reads as one."""
    out = came = gap = ""
    for step in steps:
        if step.kind == "same" and step.text.strip():
            yield from _edit(out, came)
            if gap:
                yield Change("same", gap + step.text)
            else:
                yield step
            out = came = gap = ""
        elif step.kind == "same":
            if out or came:
                gap += step.text
            else:
                yield step
        else:
            out += gap + step.text * (step.kind == "out")
            came += gap + step.text * (step.kind == "in")
            gap = ""
    yield from _edit(out, came)
    if gap:
        yield Change("same", gap)


def _edit(out: str, came: str) -> Iterator[Change]:
    if out:
        yield Change("out", out)
    if came:
        yield Change("in", came)
