"""The same questions in English, Russian and Belarusian: whether a passage with a gold quote is found first.

Twenty of the questions about the digests that stand alone, put into both languages by hand (`translated.json`); most of
what answers them is in English. Beside it, in the same run: the search with nothing taken off for languages.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answers import Question, digests, questions
from benchmarks.names import holds_gold
from benchmarks.results import report
from ingest import update
from vectorstore import Names, Store, settings
from vectorstore.search import Query, search

DEPTH = 10
TRANSLATED = Path(__file__).with_name("translated.json")


def _places(store: Store, asked: list[tuple[Question, str]]) -> list[int]:
    """How many hits stand before the first with a gold quote, for each question; DEPTH if there is none."""
    names = Names.open(None)
    found = [(gold, search(store, Query(text), DEPTH, names=names)) for gold, text in asked]
    return [next((place for place, hit in enumerate(hits) if holds_gold(gold, hit)), DEPTH) for gold, hits in found]


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Asks in each language, with and without."""
    translated: dict[str, dict[str, str]] = json.loads(TRANSLATED.read_text("utf-8"))
    known = {one["id"]: one for one in questions(shared / "belarus" / "digest_questions.jsonl")}
    asked = {
        "en": [(known[name], known[name]["question"]) for name in translated],
        **{lang: [(known[name], said[lang]) for name, said in translated.items()] for lang in ("ru", "be")},
    }
    rows: list[list[object]] = []
    with TemporaryDirectory() as scratch:
        update([digests(shared, Path(scratch) / "digests.jsonl")], data=Path(scratch) / "data")
        store = Store.open(settings(Path(scratch) / "data"), create=False)
        for way in ("the search", "nothing taken off for languages"):
            if way != "the search":
                store.language_mean = lambda lang: 0 * store.embed_query(lang)  # type: ignore[method-assign]
            for lang, some in asked.items():
                places = _places(store, some)
                shares = [sum(place < least for place in places) / len(places) for least in (1, 3, 5)]
                rows.append(
                    [lang, way, *shares, sum(1 / (place + 1) for place in places if place < DEPTH) / len(places)]
                )
        store.close()
    report(
        "languages",
        f"the same {len(translated)} questions in three languages, over all digests",
        ["question", "", "gold first", "among three", "among five", "MRR@10"],
        rows,
        "",
    )
