"""Library and dense index in agreement: damage, other processes, recall."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bot import Bot, LibraryError
from language import verbatim
from tests.conftest import PHRASES_EMBEDDED, OpenStore, hits, updated
from tests.support.articles import Letters
from tests.support.program import ROOT, finished
from vectorstore import Filters, HybridRetriever, NameTable, Store, check, load_settings
from vectorstore.catalogue import LIVE, version_filter
from vectorstore.store import EXACT
from vectorstore.terms import terms

QUESTIONS = ["Who was freed in September 2025?", "Что сказал Бяляцкий?", "Which licence covers Belavia?"]


def chroma(folder: Path) -> Path:
    return folder / "chroma"


def deleted(folder: Path) -> None:
    shutil.rmtree(chroma(folder))


def zeroed(folder: Path) -> None:
    path = chroma(folder) / "chroma.sqlite3"
    path.write_bytes(bytes(path.stat().st_size))


def cut(folder: Path) -> None:
    path = chroma(folder) / "chroma.sqlite3"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(folder: Path) -> None:
    (chroma(folder) / "chroma.sqlite3").write_bytes(b"")


def not_a_database(folder: Path) -> None:
    (chroma(folder) / "chroma.sqlite3").write_text("something else")


def answers(store: Store) -> list[list[tuple[str, int]]]:
    return [[(hit.article.id, hit.span.start) for hit in hits(store, question, 8)] for question in QUESTIONS]


@pytest.mark.slow
@pytest.mark.parametrize("damage", [deleted, zeroed, cut, emptied, not_a_database])
def test_a_damaged_index_is_made_again_with_the_same_answers_and_no_embedding(
    tmp_path: Path, sample_data: Path, open_store: OpenStore, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(sample_data, folder)
    store = open_store(folder)
    before = answers(store)
    store.close()
    damage(folder)
    again = open_store(folder)
    assert answers(again) == before
    # each store embeds the sentences that tell what a language adds, and nothing else
    assert again.embeddings.documents == 2 * PHRASES_EMBEDDED  # type: ignore[attr-defined]


PUBLISHED = {"The Ferry": 8_000, "The Harbour": 3_000, "The Light": 500}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three articles with 11,500 passages and 34,500 sentences: Chroma has written files of its own."""
    folder = tmp_path_factory.mktemp("large")
    with (folder / "long.jsonl").open("w") as file:
        for publisher, passages in PUBLISHED.items():
            lines = [
                f"In {number} the ferry to {'Norholm' * (number % 3 + 1)} carried {number * 7} people. "
                f"Its owner sold {number * 3} tickets{' at the harbour' * 28}. The mayor counted {number} boats."
                for number in range(passages)
            ]
            file.write(json.dumps({"title": publisher, "publisher": publisher, "text": "\n\n".join(lines)}) + "\n")
    store = Store(folder / "data", name="letters", embeddings=Letters(), create=True)
    report = updated(store, folder / "long.jsonl")
    assert len(report.added) == 3
    store.close()
    return folder / "data"


def half_a_header(folder: Path) -> None:
    (header,) = folder.glob("chroma/*/header.bin")
    header.write_bytes(header.read_bytes()[: header.stat().st_size // 2])


def a_segment_gone(folder: Path) -> None:
    (header,) = folder.glob("chroma/*/header.bin")
    shutil.rmtree(header.parent)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [half_a_header, a_segment_gone])
def test_a_large_index_with_damaged_files_is_made_again(
    tmp_path: Path, large: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(large, folder)
    damage(folder)
    with closing(Store(folder, name="letters", embeddings=Letters(), create=False)) as store:
        vector = next(store.library.vectors.indexed(1))[1][0]
        assert store.nearest(vector, 5)[0][1] > 0.99
        assert store.library.vectors.indexed_count() > 11_000


def test_articles_of_thousands_of_passages_go_in_whole(large: Path) -> None:
    with closing(Store(large, name="letters", embeddings=Letters(), create=False)) as store:
        assert store.library.fulltext.totals()[0] == sum(PUBLISHED.values())
        assert check(store) == []


@pytest.mark.slow
@pytest.mark.parametrize("publisher", PUBLISHED)
def test_the_nearest_of_few_or_many_chosen_passages_are_found(
    large: Path, publisher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store(large, name="letters", embeddings=Letters(), create=False)) as store:
        which = version_filter(Filters(publishers=(publisher,)), None)
        passages, vectors = next(store.library.vectors.chosen(which, 10_000))
        assert len(passages) == PUBLISHED[publisher]
        asked = store.embed_query("The mayor sold 77 boats to Norholm.")
        if len(passages) > EXACT:  # the index is asked, not every vector
            monkeypatch.setattr(store.library.vectors, "chosen", None)
        found = store.nearest(asked, 20, which)
        assert {passage for passage, _ in found} <= set(passages)
        assert [cosine for _, cosine in found] == pytest.approx(sorted(vectors @ asked)[:-21:-1], abs=2e-3)
        other = store.embed_query("The mayor sold 76 boats to Norholm.")
        assert store.start_nearest([(asked, 20), (other, 5)], which)() == [found, store.nearest(other, 5, which)]


def test_what_was_replaced_and_still_stands_in_the_index_hides_nothing(sample_data: Path, tmp_path: Path) -> None:
    """As after a kill between the commit and the collection of garbage."""
    shutil.copytree(sample_data, tmp_path / "data")
    with closing(Store.open(load_settings(tmp_path / "data"), create=False)) as store:
        query = store.embed_query(QUESTIONS[0])
        near = [passage for passage, _ in store.nearest(query, 60)]
        store.library.remove([found.article.id for found in store.library.passages.by_id(near)], verbatim("replaced"))
        left = store.nearest(query, 5)
        assert len(left) == 5
        assert [passage for passage, _ in left] == [passage for passage, _ in store._exact([(query, 5)], LIVE)[0]]
        assert not {passage for passage, _ in left} & {*near}


def test_a_record_tells_the_passages_of_each_version_in_reading_order(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    file = tmp_path / "ferry.txt"
    file.write_text("\n\n".join(f"The ferry {number} left Norholm at dawn. " * 12 for number in range(6)))
    updated(store, file)
    (article,) = [entry.id for entry in store.library.catalogue.summaries()]
    first = store.library.version_details(article, 1)
    assert first is not None
    file.write_text("It was sold.")
    updated(store, file)
    for number, many in ((1, True), (2, False)):
        record = store.library.version_details(article, number)
        assert record is not None
        assert (len(record.passages) > 1) == many
        assert record.passages == tuple(sorted(record.passages, key=lambda span: span.start))
        texts = [record.article.text[span.start : span.end] for span in record.passages]
        assert all(text == text.strip() and text for text in texts)
        assert "".join("".join(texts).split()) == "".join(record.article.text.split())
        assert number == 2 or record.passages == first.passages


@pytest.mark.slow
def test_an_index_that_lost_half_its_vectors_is_made_again(
    tmp_path: Path, sample_data: Path, open_store: OpenStore
) -> None:
    from vectorstore.vectors import VectorIndex

    folder = tmp_path / "data"
    shutil.copytree(sample_data, folder)
    store = open_store(folder)
    before = answers(store)
    store.close()
    index = VectorIndex(chroma(folder))
    names = [name for names, _ in open_store(folder).library.vectors.indexed(10_000) for name in names]
    index.remove(names[::2])
    index.close()
    assert answers(open_store(folder)) == before


@pytest.mark.slow
def test_an_index_broken_while_it_is_open_is_made_again(
    tmp_path: Path, sample_data: Path, open_store: OpenStore
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(sample_data, folder)
    store = open_store(folder)
    before = answers(store)
    zeroed(folder)
    assert answers(store) == before


def test_recall_at_10_against_brute_force_is_at_least_95_percent(sample_data: Path, open_store: OpenStore) -> None:
    store = open_store(sample_data)
    parts = list(store.library.vectors.indexed(10_000))
    names, matrix = [name for part, _ in parts for name in part], np.concatenate([part for _, part in parts])
    owners = store.library.passages.by_vector(names)
    found = wanted = 0
    for row in range(0, len(names), 3):
        exact = {owners[names[i]][0] for i in np.argsort(-(matrix @ matrix[row]))[:10]}
        found += len(exact & {passage for passage, _ in store.nearest(matrix[row], 10)})
        wanted += 10
    assert found / wanted >= 0.95


@pytest.mark.slow
def test_what_another_process_takes_in_is_found_without_a_restart(tmp_path: Path, open_store: OpenStore) -> None:
    path = tmp_path / "first.txt"
    path.write_text("The lighthouse of Norholm is forty metres high. It was built in 1871.")
    store = open_store(tmp_path / "data")
    assert hits(store, "Who keeps the lighthouse?", 5) == []

    def ingest() -> None:
        assert finished("ingest", path, "--data", tmp_path / "data").returncode == 0

    ingest()
    assert "1871" in hits(store, "When was the lighthouse built?", 5)[0].text
    path.write_text("The keeper of the lighthouse is called Ada Lund.")
    ingest()
    (hit,) = hits(store, "Who keeps the lighthouse?", 5)
    assert "Ada Lund" in hit.text
    assert hit.cosine > hits(store, "What does a loaf of bread cost?", 5)[0].cosine + 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    "query", ["", "?!", "the of and", '"', "*", "NEAR(a b)", "title: x", "AND OR NOT", "a" * 1900, "🙂", "\u202e"]
)
def test_no_query_breaks_the_search(sample_data: Path, open_store: OpenStore, query: str) -> None:
    assert isinstance(hits(open_store(sample_data), query, 5), list)


def test_the_retriever_is_langchains_and_says_where_a_passage_stands(sample_data: Path, open_store: OpenStore) -> None:
    store = open_store(sample_data)
    documents = HybridRetriever(store=store, names=NameTable.open(None), limit=4).invoke(
        "What does General License 13 allow?"
    )
    assert len(documents) == 4
    for document in documents:
        article = store.library.article(document.metadata["article_id"], document.metadata["version"])
        assert article is not None
        assert article.text[document.metadata["start"] : document.metadata["end"]] == document.page_content
    assert "General License 13" in documents[0].page_content


def test_russian_and_belarusian_endings_share_a_term() -> None:
    assert len({terms(word)[0] for word in ("санкции", "санкций", "санкциями", "САНКЦИЯМ")}) == 1
    assert len({terms(word)[0] for word in ("prisoner", "prisoners", "Prisoner’s")}) == 1


def test_a_folder_named_from_elsewhere_is_probed_where_it_is(
    tmp_path: Path,
    sample_data: Path,
    open_store: OpenStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shutil.copytree(sample_data, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert hits(open_store(Path("data")), QUESTIONS[0], 3)
    assert "rebuilt" not in caplog.text


def test_many_threads_leave_no_files_open(sample_data: Path, open_store: OpenStore) -> None:
    import os
    from concurrent.futures import ThreadPoolExecutor

    store = open_store(sample_data)

    def ask(_: int) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(hits, store, QUESTIONS[0], 3).result()

    ask(0)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(30):
        ask(number)
    assert len(os.listdir("/proc/self/fd")) <= before + 6


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda file: file.write_bytes(b"no library" * 1000), "file is not a database"),
        (lambda file: file.unlink(), "no such table"),
    ],
    ids=["overwritten", "gone"],
)
def test_a_library_that_is_harmed_while_it_is_open_is_told_of(
    tmp_path: Path, sample_data: Path, harm: Callable[[Path], object], why: str
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    shutil.copytree(sample_data, tmp_path / "data")
    with Bot.open(data=tmp_path / "data", model="") as bot:
        assert bot.coverage.articles
        for file in tmp_path.glob("data/library.db-*"):
            file.unlink()
        harm(tmp_path / "data" / "library.db")
        # each question is answered in a thread of its own, which opens the file anew
        for asked in (lambda: bot.ask("Who was freed?"), lambda: bot.ask("???"), lambda: bot.list_articles()):
            with ThreadPoolExecutor(1) as fresh, pytest.raises(LibraryError, match=f"can't be read.*{why}"):
                fresh.submit(asked).result()


CLOSED_IN_USE = """
import sys, threading, time
from pathlib import Path
from vectorstore.library import Library
for _ in range(60):
    library, over = Library(Path(sys.argv[1]), None, create=False), threading.Event()
    def read():
        try:
            while not over.is_set():
                with library.snapshot():
                    list(library.articles())
        except Exception:  # it is closed
            pass
    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    library.close()
    over.set()
    for thread in threads:
        thread.join()
"""


@pytest.mark.slow
def test_a_library_that_is_closed_while_others_read_crashes_nothing(sample_data: Path) -> None:
    # in a process of its own, which a crash takes down
    done = subprocess.run(
        [sys.executable, "-c", CLOSED_IN_USE, sample_data], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
