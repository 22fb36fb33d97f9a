"""Names: whether each spelling of the table, held out in turn, is linked to its own name, and strangers to none.

A stranger is a name whose whole line is held out: any link of it is false. Beside it, in the same run, with the same
spellings known: rapidfuzz's best ratio alone, and exact equality of the transliterated words.

And what it is for: whether a passage with a gold quote is among the first three hits for questions that spell a name
otherwise than the text, or are in another language, with the knowledge of names and without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rapidfuzz import fuzz, process

from benchmarks.answers import Question, digests, is_gold, questions
from benchmarks.results import report
from ingest import update
from vectorstore import Hit, NameTable, Store, load_settings
from vectorstore.names import TABLE, WORD, transliterate
from vectorstore.search import Query, search

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
        " ".join(map(transliterate, WORD.findall(one))): line.partition(":")[0]
        for line in lines
        if ":" in line and not line.startswith("#")
        for one in line.replace(":", ";", 1).split(";")
    }


def _project(lines: list[str], spelling: str) -> str:
    return NameTable(lines).link(spelling)


def _fuzzy(lines: list[str], spelling: str) -> str:
    known = _known(lines)
    text = " ".join(map(transliterate, WORD.findall(spelling)))
    best = process.extractOne(text, known.keys(), scorer=fuzz.ratio, score_cutoff=RATIO)
    return known[best[0]] if best else ""


def _exact(lines: list[str], spelling: str) -> str:
    return _known(lines).get(" ".join(map(transliterate, WORD.findall(spelling))), "")


def found_first(names: NameTable, store: Store, asked: Sequence[Question]) -> float:
    """The share of questions with a gold passage among the first three hits."""
    right = 0
    for one in asked:
        hits = search(store, Query(one["question"], tuple(one["turns"])), 3, names=names)
        right += any(holds_gold(one, hit) for hit in hits)
    return right / len(asked)


def holds_gold(question: Question, hit: Hit) -> bool:
    """Whether a gold quote of the question stands in the passage."""
    return is_gold(question, [_flat(hit.text)]) or is_gold(question, _sentences(hit))


def _sentences(hit: Hit) -> list[str]:
    return [_flat(hit.article.text[sentence.span.start : sentence.span.end]) for sentence in hit.sentences]


def _flat(text: str) -> str:
    return " ".join(text.split())


def _questions(shared: Path, scratch: Path) -> list[list[object]]:
    """The table of the second part."""
    belarus = shared / "belarus"
    material = {
        "seed": (shared / "seeds", belarus / "seed_questions.jsonl"),
        "digests": (digests(shared, scratch / "digests.jsonl"), belarus / "digest_questions.jsonl"),
    }
    rows: list[list[object]] = []
    for name, (articles, path) in material.items():
        update([articles], data=scratch / name)
        store = Store.open(load_settings(scratch / name), create=False)
        every = [one for one in questions(path) if not one["must_abstain"] and one["gold_quotes"]]
        other = [one for one in every if one["type"] in ("name-variant", "cross-lingual")]
        for asked, which in ((other, "name-variant and cross-lingual"), (every, "all answerable")):
            shares = [found_first(names, store, asked) for names in (NameTable.open(None), NameTable(()))]
            rows.append([f"{name}, {which}", len(asked), *shares])
        store.close()
    return rows


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Links every spelling without itself."""
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    ways: dict[str, Callable[[list[str], str], str]] = {
        "the project": _project,
        f"rapidfuzz alone, ratio {RATIO:.0f}": _fuzzy,
        "transliteration, exact": _exact,
    }
    entities = json.loads((shared / "belarus" / "entities.json").read_text("utf-8"))
    accepted = {spelling for entity in entities for spelling in entity["std"]}
    counts = {way: [0, 0, 0, 0] for way in ways}
    total = proper = 0
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
            proper += spelling in accepted
            for way, link in ways.items():
                found = link(table, spelling)
                counts[way][0] += found == called
                counts[way][3] += found == called and spelling in accepted
                counts[way][1] += found not in ("", called)
                counts[way][2] += link(strangers, spelling) != ""
    report(
        "names",
        "spellings linked to the right name, one held out in turn",
        ["", "spellings", "linked right", "accepted spellings", "linked right", "linked wrong", "strangers linked"],
        [
            [way, total, right / total, proper, right_proper / proper, wrong, strange]
            for way, (right, wrong, strange, right_proper) in counts.items()
        ],
        "All spellings of the table, among them other names of the same thing (Spring-96 for Viasna), nicknames and "
        "misspellings, which no rule can link; and the accepted spellings of a name among them.",
    )
    with TemporaryDirectory() as scratch:
        report(
            "names-questions",
            "a gold passage among the first three hits",
            ["questions", "number", "names known", "names switched off"],
            _questions(shared, Path(scratch)),
            "Seed questions over the seed article, digest questions over all digests.",
        )
