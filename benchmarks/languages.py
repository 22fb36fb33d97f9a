"""Questions in one language, answers in another: whether what answers is found first.

Twenty of the questions about the digests that stand alone, put into Russian and Belarusian by hand (`translated.json`);
most of what answers them is in English. Twelve about digests in Polish, Ukrainian and Lithuanian, in each of the three
(`neighbours.json`; some are answered in another digest too, which does not count). And XQuAD with its paragraphs in
English and Russian in one library, where each question is answered twice. Beside it, in the same run: the search with
nothing taken off for languages, and the search that looks for no candidates in each.

And what the bot refuses: XQuAD's Russian questions asked of its paragraphs in English, which answer all, and of the
digests, which answer none; the twenty questions in three languages, and thirty about something else (`elsewhere.json`).
Beside it: a threshold on the nearest sentence's cosine that refuses as many of the Russian questions that are answered.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.answers import Question, digests, questions
from benchmarks.figures import share
from benchmarks.names import holds_gold
from benchmarks.results import report
from benchmarks.retrieval import filled, lines, paragraphs, rankings
from bot import Bot
from ingest import update
from vectorstore import NameTable, Store, load_settings
from vectorstore.search import Query, search

DEPTH = 10
NEIGHBOURS = Path(__file__).with_name("neighbours.json")
TRANSLATED = Path(__file__).with_name("translated.json")
ELSEWHERE = Path(__file__).with_name("elsewhere.json")
RUSSIAN = 300  # of XQuAD's questions: each is read with ten passages


def _places(store: Store, asked: list[tuple[Question, str]]) -> list[int]:
    """How many hits stand before the first with a gold quote, for each question; DEPTH if there is none."""
    names = NameTable.open(None)
    found = [(gold, search(store, Query(text), DEPTH, names=names)) for gold, text in asked]
    return [next((place for place, hit in enumerate(hits) if holds_gold(gold, hit)), DEPTH) for gold, hits in found]


def translated(shared: Path) -> dict[str, list[tuple[Question, str]]]:
    """The questions and how each is put, by language."""
    put: dict[str, dict[str, str]] = json.loads(TRANSLATED.read_text("utf-8"))
    known = {one["id"]: one for one in questions(shared / "belarus" / "digest_questions.jsonl")}
    return {
        "en": [(known[name], known[name]["question"]) for name in put],
        **{lang: [(known[name], said[lang]) for name, said in put.items()] for lang in ("ru", "be")},
    }


def neighbours(store: Store) -> list[list[object]]:
    """Asks about passages in languages that no question is in."""
    put: list[dict[str, str]] = json.loads(NEIGHBOURS.read_text("utf-8"))
    names = NameTable.open(None)
    rows: list[list[object]] = []
    for lang in ("en", "ru", "be"):
        found = [(one["quote"], search(store, Query(one[lang]), DEPTH, names=names)) for one in put]
        places = [next((place for place, hit in enumerate(hits) if quote in hit.text), DEPTH) for quote, hits in found]
        rows.append([lang, *(sum(place < least for place in places) / len(places) for least in (1, 3, 5))])
    return rows


def both(shared: Path, cache: Path) -> None:
    """Asks XQuAD's questions of a library that holds its paragraphs in both languages."""
    langs = ("en", "ru")
    articles = ({**one, "url": f"{lang}/{one['url']}"} for lang in langs for one in paragraphs(shared, lang))
    store = filled(cache / "xquad-both", articles)
    rank = rankings(store)["the project"]
    rows: list[list[object]] = []
    for way in ("the search", "no candidates of each language"):
        if way != "the search":
            store.cross_language_queries = lambda *_: []  # type: ignore[method-assign]
        for lang, other in (langs, langs[::-1]):
            asked = lines(shared / "bench" / "xquad" / f"queries_{lang}.jsonl")
            found = [(one["gold"], rank(Query(one["question"]))) for one in asked]
            shares = [
                sum(f"{which}/{gold}" in urls[:least] for gold, urls in found) / len(found)
                for which, least in ((lang, 3), (other, 3), (other, DEPTH))
            ]
            rows.append([lang, way, *shares])
    store.close()
    report(
        "languages-both",
        "XQuAD, 120 paragraphs in English and the same in Russian",
        ["question", "", "in its language among three", "in the other among three", "in the other among ten"],
        rows,
        "",
    )


def refused(shared: Path, cache: Path, digested: Path) -> None:
    """Asks questions that are answered in another language, or by nothing; `digested` holds the digests."""
    os.environ.pop("OPENAI_API_KEY", None)
    russian = [one["question"] for one in lines(shared / "bench" / "xquad" / "queries_ru.jsonl")][:RUSSIAN]
    filled(cache / "xquad-en", paragraphs(shared, "en")).close()
    english = cache / "xquad-en" / "data"
    own = {lang: [text for _, text in some] for lang, some in translated(shared).items()}
    elsewhere: dict[str, list[str]] = json.loads(ELSEWHERE.read_text("utf-8"))
    asked = [
        ("answered by all: XQuAD, Russian questions, English paragraphs", english, russian),
        ("answered by none: XQuAD, Russian questions, the digests", digested, russian),
        *((f"answered: about the digests, {lang}", digested, some) for lang, some in own.items()),
        *((f"not: about something else, {lang}", digested, some) for lang, some in elsewhere.items()),
    ]
    names, cut = NameTable.open(None), 0.0
    rows: list[list[object]] = []
    for title, data, some in asked:
        store = Store.open(load_settings(data), create=False)
        cosines = [_nearest(store, question, names) for question in some]
        store.close()
        with Bot.open(data=data, model="") as bot:
            said = [bot.ask(question).status != "answered" for question in some]
        cut = cut or float(np.quantile(cosines, sum(said) / len(said)))
        rows.append([title, len(some), share(said), share(cosine < cut for cosine in cosines)])
    report(
        "languages-refused",
        "questions in one language, articles in others: refused, or answered in part",
        ["", "questions", "refused", "by the nearest sentence's cosine"],
        rows,
        "",
    )


def _nearest(store: Store, question: str, names: NameTable) -> float:
    """The highest cosine of a sentence found."""
    hits = search(store, Query(question), DEPTH, names=names)
    return max((one.cosine for hit in hits for one in hit.sentences), default=0.0)


def run(shared: Path, cache: Path) -> None:
    """Asks in each language, with and without."""
    both(shared, cache)
    asked = translated(shared)
    rows: list[list[object]] = []
    near: list[list[object]] = []
    with TemporaryDirectory() as scratch:
        update([digests(shared, Path(scratch) / "digests.jsonl")], data=Path(scratch) / "data")
        store = Store.open(load_settings(Path(scratch) / "data"), create=False)
        for way in ("the search", "nothing taken off for languages"):
            if way != "the search":
                store.language_mean = lambda lang: 0 * store.embed_query(lang)  # type: ignore[method-assign]
            near += [[lang, way, *row] for lang, *row in neighbours(store)]
            for lang, some in asked.items():
                places = _places(store, some)
                shares = [sum(place < least for place in places) / len(places) for least in (1, 3, 5)]
                rows.append(
                    [lang, way, *shares, sum(1 / (place + 1) for place in places if place < DEPTH) / len(places)]
                )
        store.close()
        refused(shared, cache, Path(scratch) / "data")
    report(
        "languages",
        f"the same {len(asked['en'])} questions in three languages, over all digests",
        ["question", "", "gold first", "among three", "among five", "MRR@10"],
        rows,
        "",
    )
    report(
        "languages-neighbours",
        "twelve questions about digests in Polish, Ukrainian and Lithuanian, over all digests",
        ["question", "", "gold first", "among three", "among five"],
        near,
        "",
    )
