"""Taking sources in again: what moved, changed or went, while others look, and until it is stopped."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from bot import Bot, diff_words
from ingest import Failure, LibraryError, Parallelism, update, watch
from ingest.fetching import Fetcher
from ingest.parallel import processes
from ingest.watch import changed_sources
from tests.conftest import OpenStore, hits, updated
from tests.support.articles import LONG, PARAGRAPHS, TEXT
from tests.support.program import ROOT
from tests.support.site import Site
from vectorstore import ORIGINAL, TRAINED, load_settings, open_embeddings

Write = Callable[[str, str | bytes], Path]


def test_an_unchanged_address_is_asked_conditionally_and_read_once(
    tmp_path: Path, site: Site, fetcher: Fetcher, open_store: OpenStore
) -> None:
    store = open_store(tmp_path / "data")
    address = site.article("/light", LONG)
    assert updated(store, address, fetcher=fetcher).added == (address,)
    generation = store.library.generation()
    again = updated(store, address, fetcher=fetcher)
    assert (again.unchanged, again.failed) == ((address,), ())
    assert site.statuses == [("/light", 200), ("/light", 304)]
    assert store.library.generation() == generation
    article = next(store.library.articles())
    provenance = store.library.sources.provenance(article.id, 1)
    assert (provenance.address, provenance.final) == (address, address)
    assert provenance.etag
    assert provenance.extractor.startswith("trafilatura")
    assert store.library.sources.raw(provenance.raw_sha256) == site.responses["/light"][2]


def test_an_address_that_moved_for_good_is_the_same_article(
    tmp_path: Path, site: Site, fetcher: Fetcher, open_store: OpenStore
) -> None:
    store = open_store(tmp_path / "data")
    old = site.article("/light", LONG)
    updated(store, old, fetcher=fetcher)
    new = site.article("/norholm/light", LONG.replace("1998", "1999"))
    site.redirect("/light", new, 301)
    assert updated(store, old, fetcher=fetcher).changed == (old,)
    (article,) = store.library.articles()
    assert article.version == 2
    # by its new address too
    assert updated(store, new, fetcher=fetcher).unchanged == (new,)


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "404"), (410, "410"), (500, "500"), (200, "no article text"), (302, "front page")]
)
def test_a_page_that_is_gone_or_empty_leaves_its_article_as_it_was_and_stale(
    tmp_path: Path, site: Site, fetcher: Fetcher, open_store: OpenStore, status: int, reason: str
) -> None:
    store = open_store(tmp_path / "data")
    address = site.article("/light", LONG)
    updated(store, address, fetcher=fetcher)
    site.article("/", "Welcome to the paper of the island. " * 20)
    site.page("/light", "<!doctype html><html><body></body></html>")
    if status != 200:
        site.redirect("/light", "/" if status == 302 else "", status)
    report = updated(store, address, fetcher=fetcher, prune=True)
    assert [failed.source for failed in report.failed] == [address]
    assert reason in report.failed[0].reason
    (article,) = store.library.articles()
    assert (article.version, "Ada Lund" in article.text) == (1, True)
    stale = store.library.sources.stale(article.id)
    assert stale is not None
    assert reason in stale.reason
    site.article("/light", LONG)
    updated(store, address, fetcher=fetcher)
    assert store.library.sources.stale(article.id) is None


@pytest.mark.slow
def test_a_feed_brings_its_articles_and_again_only_what_is_new(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIADOMA_ALLOW", f"127.0.0.1:{site.port}")
    links = [site.article("/one", LONG), site.article("/two", LONG.replace("Ada Lund", "Bo Krag"))]

    def feed() -> str:
        items = "".join(f"<item><title>Norholm</title><link>{link}</link></item>" for link in links)
        return site.page("/feed.xml", f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>')

    assert update([feed()], data=tmp_path / "data").added == tuple(links)
    links.append(site.article("/three", LONG.replace("Ada Lund", "Cy Dahl")))
    site.requests.clear()
    again = update([feed()], data=tmp_path / "data")
    assert (again.added, again.unchanged) == ((links[2],), tuple(links[:2]))
    assert site.statuses[1:] == [("/one", 304), ("/two", 304), ("/three", 200)]


def test_a_renamed_file_is_the_same_article_and_what_comes_in_its_place_another(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    store = open_store(tmp_path / "data")
    old = write("light.txt", TEXT)
    updated(store, tmp_path / "articles")
    (before,) = store.library.articles()
    new = tmp_path / "articles" / "old" / "lighthouse.txt"
    new.parent.mkdir()
    old.rename(new)
    assert updated(store, tmp_path / "articles", prune=True).unchanged == (str(new),)
    (moved,) = store.library.articles()
    assert (moved.id, moved.version, moved.source) == (before.id, 1, str(new))
    write("light.txt", "Something else was written here. It has nothing to do with lighthouses.")
    assert updated(store, tmp_path / "articles").added == (str(old),)
    write("old/lighthouse.txt", TEXT.replace("1998", "1999"))
    assert updated(store, tmp_path / "articles").changed == (str(new),)
    assert store.library.fingerprint(before.id)


def test_a_file_that_gets_an_address_stays_the_same_article(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    store = open_store(tmp_path / "data")
    path = write("light.md", TEXT)
    updated(store, path)
    write("light.md", f"---\nurl: https://example.org/light\n---\n\n{TEXT}")
    assert updated(store, path).changed == (str(path),)
    assert len(list(store.library.articles())) == 1


def test_only_the_passages_that_changed_are_embedded(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    store = open_store(tmp_path / "data")
    path = write("harbour.txt", "\n\n".join(PARAGRAPHS))
    updated(store, path)
    before = store.embeddings.documents  # type: ignore[attr-defined]
    edited = [*PARAGRAPHS[:4], PARAGRAPHS[4].replace("boats", "ships"), *PARAGRAPHS[5:]]
    write("harbour.txt", "\n\n".join(edited))
    updated(store, path)
    # one passage, and the one of its two sentences that has the word
    assert store.embeddings.documents - before == 2  # type: ignore[attr-defined]


def test_an_unchanged_collection_is_not_even_read_and_nothing_is_written(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    store = open_store(tmp_path / "data")
    write("light.txt", TEXT)
    updated(store, tmp_path / "articles")
    with closing(sqlite3.connect(tmp_path / "data" / "library.db")) as reader:
        before = reader.execute("PRAGMA data_version").fetchone()
        assert len(updated(store, tmp_path / "articles", prune=True).unchanged) == 1
        assert reader.execute("PRAGMA data_version").fetchone() == before


def test_a_correction_is_dated_on_its_citation_and_told_word_by_word(tmp_path: Path, write: Write) -> None:
    path = write("light.txt", TEXT)
    update([path], data=tmp_path / "data")
    write("light.txt", TEXT.replace("since 1998", "since the spring of 1999"))
    update([path], data=tmp_path / "data")
    with Bot.open(data=tmp_path / "data") as bot:
        answer = bot.ask("Since when has Ada Lund kept the lighthouse?")
        citation = (*answer.citations, *answer.closest_passages)[0]
        assert citation.corrected_on == citation.article.ingested_at[:10]
        record = bot.version_details(citation.article.id, 2)
        assert record is not None
        assert record.previous is not None
        edits = [(change.kind, change.text.strip()) for change in diff_words(record.previous.text, record.article.text)]
        assert ("delete", "1998") in edits
        assert ("insert", "the spring of 1999") in edits
        first = bot.version_details(citation.article.id, 1)
        assert first is not None
        assert first.corrected_on == ""


def test_raw_bytes_are_not_kept_where_the_setting_says_so(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIADOMA_RAW", "off")
    update([write("light.txt", TEXT)], data=tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "library.db")) as reader:
        assert reader.execute("SELECT count(*) FROM raw").fetchone() == (0,)
        assert reader.execute("SELECT raw_bytes FROM provenance").fetchone() == (len(TEXT),)


def test_a_document_that_kills_its_reader_is_named_and_the_rest_goes_in(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    for place in range(6):
        write(f"{place}.html", f"<!doctype html><html><body><article><p>{LONG} {place}</p></article></body></html>")
    store = open_store(tmp_path / "data")
    stop = threading.Thread(target=_kill_children, args=(1,))
    stop.start()
    report = updated(store, tmp_path / "articles")
    stop.join()
    # killed from outside it is tried again by itself, so all are in
    assert (len(report.added), report.failed) == (6, ())


def _kill_children(times: int) -> None:
    """Kills children that read, as the system does when memory runs out."""
    own = str(os.getpid())
    until = time.monotonic() + 20
    while times and time.monotonic() < until:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                stat, command = (process / "stat").read_text(), (process / "cmdline").read_text()
            except OSError:
                continue
            if stat.rsplit(")", 1)[1].split()[1] == own and "loky" in command and "resource_tracker" not in command:
                time.sleep(0.3)
                os.kill(int(process.name), signal.SIGKILL)
                times -= 1
                break
        time.sleep(0.05)


def test_a_folder_is_followed_from_the_first_look_to_a_new_file(tmp_path: Path, write: Write) -> None:
    write("light.txt", TEXT)
    stop = Event()
    reports = watch([tmp_path / "articles"], stop, data=tmp_path / "data")
    assert len(next(reports).added) == 1
    threading.Timer(0.5, lambda: write("harbour.txt", PARAGRAPHS[0])).start()
    assert [Path(source).name for source in next(reports).added] == ["harbour.txt"]
    threading.Timer(0.5, lambda: write("light.txt", TEXT.replace("1998", "1999"))).start()
    assert [Path(source).name for source in next(reports).changed] == ["light.txt"]
    stop.set()
    assert next(reports, None) is None


@pytest.mark.slow
def test_work_is_spread_over_processes_with_the_same_result(tmp_path: Path, write: Write) -> None:
    write("light.txt", TEXT)
    write("light.html", f"<!doctype html><html><body><article><p>{LONG}</p></article></body></html>")
    for place, paragraph in enumerate(PARAGRAPHS):
        write(f"{place}.txt", paragraph)
    alone = update([tmp_path / "articles"], data=tmp_path / "alone")
    assert update([tmp_path / "articles"], data=tmp_path / "spread", parallelism=Parallelism(workers=2)) == alone
    vectors = []
    for name in ("alone", "spread"):
        with closing(sqlite3.connect(tmp_path / name / "library.db")) as reader:
            vectors.append(reader.execute("SELECT id FROM vector WHERE indexed ORDER BY id").fetchall())
    assert vectors[0] == vectors[1]


@pytest.mark.slow
def test_processes_embed_with_the_model_that_they_are_told_and_refuse_one_they_do_not_know() -> None:
    cache = load_settings(None).cache_dir
    _, local = open_embeddings(ORIGINAL, cache)
    with processes(2) as (_, share_out, _):
        for name, same in ((ORIGINAL, True), (TRAINED, False)):
            vectors = np.array(share_out(name, cache, local).embed_documents([TEXT, *PARAGRAPHS]))
            away = np.abs(vectors - np.array(local.embed_documents([TEXT, *PARAGRAPHS]))).max()
            assert (away < 1e-5) == same
        with pytest.raises(ValueError, match="no embedding model viadoma-retriever/999"):
            share_out("viadoma-retriever/999", cache, local).embed_documents([TEXT])


@pytest.mark.slow
def test_a_cluster_worker_that_is_killed_in_mid_run_costs_nothing(tmp_path: Path, write: Write) -> None:
    for place in range(150):
        paragraph = PARAGRAPHS[place % 10].replace("Norholm", f"Norholm {place}")
        write(f"{place}.html", f"<!doctype html><html><body><article><p>{paragraph}</p></article></body></html>")
    environment = os.environ | {"DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stderr=subprocess.PIPE if "scheduler" in arguments[0] else subprocess.DEVNULL,
        )
        started.append(process)
        return process

    try:
        scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        assert scheduler.stderr is not None
        address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
        for _ in range(2):
            start(
                "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                "--local-directory", str(tmp_path),
            )  # fmt: skip
        seen: list[int] = []

        def kill_one(_: object) -> None:
            seen.append(1)
            if len(seen) == 20:
                started[1].kill()

        _wait_for_workers(address)
        report = update(
            [tmp_path / "articles"],
            data=tmp_path / "data",
            parallelism=Parallelism(cluster=address),
            on_progress=kill_one,
        )
        assert started[1].wait(10) < 0
        assert (len(report.added), report.failed) == (150, ())
    finally:
        for process in started:
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()


def _wait_for_workers(address: str) -> None:
    from distributed import Client

    client: Any = Client(address, timeout="20s")  # type: ignore[no-untyped-call]
    client.wait_for_workers(2, timeout=60)
    client.close()


@pytest.mark.slow
def test_a_missing_cluster_is_named(tmp_path: Path, write: Write) -> None:
    with pytest.raises(ValueError, match=r"no Dask scheduler at tcp://127.0.0.1:9"):
        update([write("light.txt", TEXT)], data=tmp_path / "data", parallelism=Parallelism(cluster="tcp://127.0.0.1:9"))


@pytest.mark.slow
def test_ctrl_c_stops_behind_an_article_and_the_next_run_goes_on(tmp_path: Path, write: Write) -> None:
    for place in range(400):
        write(f"{place:03}.txt", PARAGRAPHS[place % 10].replace("Norholm", f"Norholm {place}"))
    arguments = [sys.executable, "-m", "ingest", str(tmp_path / "articles"), "--data", str(tmp_path / "data")]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "data" / "chroma").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopping after the current article" in errors
    assert "Stopped." in output
    assert "Traceback" not in errors
    done = update([tmp_path / "articles"], data=tmp_path / "data")
    assert 0 < len(done.unchanged) < 400
    assert len(done.unchanged) + len(done.added) == 400


@pytest.mark.slow
def test_a_full_disk_is_said_and_the_next_run_goes_on(tmp_path: Path, write: Write) -> None:
    for place in range(60):
        text = "\n\n".join(PARAGRAPHS).replace("Norholm", f"Norholm {place}")
        write(f"{place:03}.md", f"---\nlang: en\n---\n\n{text}")
    arguments = [sys.executable, "-m", "ingest", str(tmp_path / "articles"), "--data", str(tmp_path / "data")]
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        # no file may grow beyond this: what a write then says is what it says on a full disk
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000)),
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Interrupted" in done.stdout
    assert "is the disk full?" in done.stderr
    assert "Traceback" not in done.stderr
    again = update([tmp_path / "articles"], data=tmp_path / "data")
    assert len(again.unchanged) + len(again.added) == 60


def test_a_library_that_another_program_holds_locked_is_said(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    store = open_store(tmp_path / "data")
    updated(store, write("light.txt", TEXT))
    with closing(sqlite3.connect(tmp_path / "data" / "library.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LibraryError, match=r"holds .* locked"):
            updated(store, write("light.txt", TEXT.replace("1998", "1999")))
        # readers do not wait
        assert "Ada Lund" in hits(store, "Who keeps the lighthouse?", 3)[0].text


def test_an_article_under_edit_is_never_absent_and_never_mixed(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    names = ["Ada Lund", "Bo Krag"]
    text = "\n\n".join(f"{part} The keeper {{0}} wrote it down." for part in PARAGRAPHS * 3)
    store, reader = open_store(tmp_path / "data"), open_store(tmp_path / "data")
    path = write("harbour.txt", text.format(names[0]))
    updated(store, path)
    done, seen = Event(), list[set[str]]()

    def ask() -> None:
        while not done.is_set():
            found = hits(reader, "What did the keeper of the harbour write down?", 8)
            seen.append({name for hit in found for name in names if name in hit.text})

    asking = threading.Thread(target=ask)
    asking.start()
    for turn in range(1, 5):
        write("harbour.txt", text.format(names[turn % 2]))
        updated(store, path)
    done.set()
    asking.join()
    assert len(seen) > 20
    assert {len(found) for found in seen} == {1}


def test_a_folder_that_can_not_be_written_is_said_before_work_starts(tmp_path: Path, write: Write) -> None:
    path = write("light.txt", TEXT)
    (tmp_path / "file").write_text("in the way")
    seen: list[object] = []
    with pytest.raises(LibraryError, match="can't be written"):
        update([path], data=tmp_path / "file" / "data", on_progress=seen.append)
    assert seen == []


def test_the_same_source_twice_is_taken_in_once(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    path = write("light.txt", TEXT)
    report = updated(open_store(tmp_path / "data"), path, path, path.parent)
    assert (report.added, report.failed) == ((str(path),), ())


def test_a_source_that_is_nothing_is_named(tmp_path: Path, open_store: OpenStore) -> None:
    report = updated(open_store(tmp_path / "data"), "ftp://example.org/x", tmp_path / "nowhere.txt")
    assert [type(failure) for failure in report.failed] == [Failure, Failure]


def test_a_file_that_comes_during_the_first_run_is_followed(tmp_path: Path, write: Write) -> None:
    write("a.txt", "The keeper of the Norholm lighthouse is called Ada Lund.")
    stop = Event()
    rounds = changed_sources([str(tmp_path / "articles")], 900, stop)
    assert next(rounds) == [str(tmp_path / "articles")]
    write("b.txt", "A bridge was opened in the town of Vesby on Monday.")  # while the first run is at work
    for _ in range(20):
        if next(rounds):
            break
    else:
        pytest.fail("the file was not noticed")
    stop.set()
    rounds.close()  # type: ignore[attr-defined] # a generator
