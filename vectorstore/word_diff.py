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
class DiffSegment:
    """A stretch of text that stayed ("equal"), went ("delete") or came ("insert")."""

    kind: Literal["equal", "delete", "insert"]
    text: str


def diff_words(before: str, after: str) -> list[DiffSegment]:
    """How `before` became `after`, in reading order, by whole words: a longest common subsequence of them (Myers 1986).

    The "equal" and "delete" stretches together are `before`, the "equal" and "insert" ones `after`. One "equal" where
    nothing changed; empty if both are.
    """
    return list(_joined(_raw(TOKEN.findall(before), TOKEN.findall(after))))


def _raw(old: list[str], new: list[str]) -> Iterator[DiffSegment]:
    for step in LCSseq.opcodes(old, new):
        if step.tag == "equal":
            yield DiffSegment("equal", "".join(old[step.src_start : step.src_end]))
            continue
        if step.src_start < step.src_end:
            yield DiffSegment("delete", "".join(old[step.src_start : step.src_end]))
        if step.dest_start < step.dest_end:
            yield DiffSegment("insert", "".join(new[step.dest_start : step.dest_end]))


def _joined(steps: Iterator[DiffSegment]) -> Iterator[DiffSegment]:
    """White space alone between two edits belongs to both: a phrase that was replaced reads as one."""
    out = came = gap = ""
    for step in steps:
        if step.kind == "equal" and step.text.strip():
            yield from _edit(out, came)
            if gap:
                yield DiffSegment("equal", gap + step.text)
            else:
                yield step
            out = came = gap = ""
        elif step.kind == "equal":
            if out or came:
                gap += step.text
            else:
                yield step
        else:
            out += gap + step.text * (step.kind == "delete")
            came += gap + step.text * (step.kind == "insert")
            gap = ""
    yield from _edit(out, came)
    if gap:
        yield DiffSegment("equal", gap)


def _edit(out: str, came: str) -> Iterator[DiffSegment]:
    if out:
        yield DiffSegment("delete", out)
    if came:
        yield DiffSegment("insert", came)
