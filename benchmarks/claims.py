"""A capable chat model's claims: right ones that the checks throw out, wrong ones that they let through.

`claims.json` holds the replies of such a model to questions of the collection d1, with the passages that it was given,
each claim marked right or wrong by someone who did not know the checks, its judgement of each as a second look, and
claims made wrong by hand. They are played back by a real server on loopback through the whole of
`AnswerGenerator.write`. Beside it, in the same run: the exact facts alone, and no check at all.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from benchmarks.figures import share
from benchmarks.results import report
from bot.bot import HISTORY_TURNS
from bot.chat_model import ChatModel, ChatModelConfig
from bot.evidence import Checker, find_issues, source_context
from bot.generation import AnswerGenerator, GeneratedClaim, GenerationNote
from bot.reading import calibration, read
from encoder import Reader
from ingest import update
from tests.support.endpoint import Script, endpoint
from vectorstore import Hit, NameTable, Query, Store, load_settings
from vectorstore.search import search

RECORDED = Path(__file__).with_name("claims.json")
EVERYTHING = 1000  # passages: more than the collection has
TOGETHER = 5  # claims of a reply
Claim = Mapping[str, Any]


class _Playback(Script):
    """Says the claims of the moment again, and judges each as the model did."""

    claims: Sequence[Claim] = ()

    def reply(self, prompt: str) -> str:
        if "Does the quote prove" in prompt:
            return next((one["judged"] for one in self.claims if one["text"] in prompt), "not")
        if "Claims to mend" in prompt:
            return json.dumps({"claims": []})
        return json.dumps({"claims": [{name: one[name] for name in ("text", "evidence")} for one in self.claims]})


def _given(recorded: Mapping[str, Any], store: Store, names: NameTable) -> list[Hit]:
    """The passages that the model was given, in their order."""
    query = Query(recorded["question"], tuple(recorded["turns"])[-HISTORY_TURNS:])
    found = {
        (hit.article.title, hit.span.start, hit.span.end): hit for hit in search(store, query, EVERYTHING, names=names)
    }
    return [found[one["title"], one["start"], one["end"]] for one in recorded["passages"]]


def _facts_alone(written: GeneratedClaim) -> bool:
    quotes = [hit.article.text[span.start : span.end] for hit, span in written.quotes]
    dates = [hit.article.published for hit, _ in written.quotes]
    return bool(quotes) and not find_issues(written.text, quotes, [*map(source_context, written.quotes)], dates)


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """Plays every claim back."""
    recorded = json.loads(RECORDED.read_text("utf-8"))
    names, model = NameTable.open(None), _Playback()
    shown: dict[tuple[str, bool], list[bool]] = {}
    why: Counter[str] = Counter()
    with TemporaryDirectory() as folder, endpoint(model) as address:
        data = Path(folder)
        update([shared / "collections" / "d1" / "articles"], data=data)
        store = Store.open(load_settings(data), create=False)
        reader = Reader(load_settings(data).cache_dir, os.cpu_count() or 1)
        writer = AnswerGenerator(ChatModel(ChatModelConfig("recorded", address, "key")))
        for one in tqdm(recorded, unit=" answers"):
            hits = _given(one, store, names)
            turns = tuple(one["turns"])[-HISTORY_TURNS:]
            checker = Checker(read(reader, one["question"], turns, hits), reader, calibration(), names)
            for begin in range(0, len(one["claims"]), TOGETHER):
                model.claims = one["claims"][begin : begin + TOGETHER]
                came = {
                    written.text: written
                    for written in writer.write(one["question"], hits, checker)
                    if not isinstance(written, GenerationNote)
                }
                for claim in model.claims:
                    written = came[claim["text"]]
                    checked = written.support != "unverified"
                    unjudged = checked or "the self-check did not find it in the quote" in written.issues
                    for way, passed in (
                        ("all checks and the second look", checked),
                        ("the checks without the second look", unjudged),
                        ("the exact facts alone", _facts_alone(written)),
                        ("no check: the quote is in the passage", bool(written.quotes)),
                    ):
                        shown.setdefault((way, claim["right"]), []).append(passed)
                    if claim["right"] and not checked:
                        why.update(written.issues[:1])
                        tqdm.write(f"{one['id']} thrown out: {claim['text']} {written.issues}")
                    if not claim["right"] and checked:
                        tqdm.write(f"{one['id']} let through: {claim['text']}")
        writer.close()
        store.close()
    ways = list(dict.fromkeys(way for way, _ in shown))
    report(
        "claims",
        "claims of a capable chat model, played back",
        ["checked by", "right ones", "thrown out", "wrong ones", "let through"],
        [
            [way, len(shown[way, True]), share(not one for one in shown[way, True]), len(shown[way, False]),
             share(shown[way, False])]
            for way in ways
        ],
        "The collection is one that is tuned on; the share of answering sentences below the threshold of what bears "
        "on a question, and the probability below which a claim is doubted, were chosen with these claims in view. "
        "Targets: 3% thrown out, 1% let through. First "
        "reasons against right ones: "
        f"{'; '.join(f'{name} ({count})' for name, count in why.most_common())}.",
    )  # fmt: skip
