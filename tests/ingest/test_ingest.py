"""Taking articles in: what goes in, what is told, what stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ingest import Failure, LibraryError, update
from ingest.document import UnreadableError
from ingest.formats.decoding import decode
from ingest.passages import passages
from language import Message
from tests.conftest import SAMPLES, OpenStore, hits, updated
from tests.support.files import BAD, fill
from tests.support.program import finished

Write = Callable[[str, str | bytes], Path]

FRONT = """---
title: "Ferry line opens"
url: https://example.org/ferry
publisher: Island Post
published: 2024-05-06
lang: en
note: A test.
---

The ferry line between Norholm and Sandby opened on Monday. Its owner said 40 people came aboard.
"""
HTML = """<!doctype html><html lang="en"><head><title>Bridge closed</title>
<meta property="og:site_name" content="Island Post"><meta property="article:published_time" content="2024-06-07">
</head><body><nav>Home Sport Weather</nav><article><h1>Bridge closed</h1>
<p>The old bridge at Norholm was closed on Friday after engineers found cracks in two of its pillars.</p>
<p>Mayor Ilse Brandt said that the repair would take at least three months and cost 2 million crowns.</p>
<p>Until then a ferry will carry cars across the strait every half hour, the council announced.</p></article>
</body></html>"""
RUSSIAN = "Мэр Ильза Брандт заявила, что ремонт моста займёт не менее трёх месяцев. Паром ходит каждые полчаса."


def names(paths: tuple[str, ...]) -> list[str]:
    return [Path(path).name for path in paths]


def test_every_kind_of_file_goes_in_with_what_it_says_of_itself(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    write("ferry.md", FRONT)
    write("bridge.html", HTML)
    write("deep/plain.txt", RUSSIAN)
    lines = [
        {"title": "One", "text": "The first line is an article.", "published": "2024-01-02T03:04:05Z", "lang": "en"},
        {"headline": "Two", "content": "The second line is one too.", "link": "https://example.org/2", "date": "2024"},
    ]
    write("many.jsonl", "\n".join(map(json.dumps, lines)))
    store = open_store(tmp_path / "data")
    report = updated(store, tmp_path / "articles")
    assert not report.failed
    assert names(report.added) == ["bridge.html", "ferry.md", "many.jsonl#1", "many.jsonl#2", "plain.txt"]
    articles = {Path(article.source).name: article for article in store.library.articles()}
    ferry = articles["ferry.md"]
    assert (ferry.title, ferry.url, ferry.publisher) == ("Ferry line opens", "https://example.org/ferry", "Island Post")
    assert (ferry.published, ferry.lang, ferry.note, ferry.version) == ("2024-05-06", "en", "A test.", 1)
    assert ferry.text.startswith("The ferry line between")
    bridge = articles["bridge.html"]
    assert (bridge.title, bridge.publisher, bridge.published) == ("Bridge closed", "Island Post", "2024-06-07")
    assert "three months" in bridge.text
    assert "Weather" not in bridge.text
    assert (articles["plain.txt"].lang, articles["plain.txt"].published) == ("ru", "")
    assert (articles["many.jsonl#1"].published, articles["many.jsonl#2"].published) == ("2024-01-02", "2024")


def test_a_second_run_changes_nothing_and_embeds_nothing(tmp_path: Path, open_store: OpenStore) -> None:
    store = open_store(tmp_path / "data")
    first = updated(store, SAMPLES)
    generation, embedded = store.library.generation(), store.embeddings.documents  # type: ignore[attr-defined]
    second = updated(store, SAMPLES)
    assert (second.added, second.changed, len(second.unchanged)) == ((), (), len(first.added))
    assert store.library.generation() == generation
    assert store.embeddings.documents == embedded  # type: ignore[attr-defined]


def test_an_edited_file_replaces_its_old_version_which_stays_readable(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    path = write("ferry.md", FRONT)
    store = open_store(tmp_path / "data")
    updated(store, path)
    (old,) = store.library.articles()
    write("ferry.md", FRONT.replace("40 people", "70 people"))
    assert names(updated(store, path).changed) == ["ferry.md"]
    (new,) = store.library.articles()
    assert (new.id, new.version, old.version) == (old.id, 2, 1)
    assert {hit.article.version for hit in hits(store, "How many people came aboard the ferry?", 5)} == {2}
    kept = store.library.article(old.id, 1)
    assert kept is not None
    assert "40 people" in kept.text


def test_only_new_sentences_of_an_edited_article_are_embedded(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    path = write("ferry.md", FRONT)
    store = open_store(tmp_path / "data")
    updated(store, path)
    before = store.embeddings.documents  # type: ignore[attr-defined]
    write("ferry.md", FRONT.replace("40 people", "70 people"))
    updated(store, path)
    # the passage, and the one sentence of two that changed
    assert store.embeddings.documents - before == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-r", "cp866"],
)
def test_encodings_are_told_apart(encoding: str) -> None:
    text = f"{RUSSIAN}\nСвидетели говорят, что трещины появились ещё весной; газета писала об этом в марте 2024 года."
    assert decode(text.encode(encoding)).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.txt", b" \n\t\n", "empty"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4, "PNG"),
        ("random.md", bytes((i * 7919 + i // 3) % 256 for i in range(3000)), "binary"),
        ("nul.txt", b"some text\0with nothing\0in it, and no UTF-16 either", "binary"),
        ("report.pdf", b"%PDF-1.7", "PDF"),
        ("no-article.html", b"<!doctype html><html><body></body></html>", "no article text"),
        ("front.md", b"---\ntitle: [\n---\n\nText.", "front matter"),
        ("date.md", b"---\npublished: last week\n---\n\nText.", "write it as 2025-12-13"),
        ("only-front.md", b"---\ntitle: Nothing\n---\n", "no text"),
        ("broken.jsonl", b'{"text": "cut', "not JSON"),
        ("list.jsonl", b'["text"]', "not a JSON object"),
        ("number.jsonl", b'{"text": 5}', "not a string"),
        ("deep.jsonl", b"[" * 100_000, "not JSON"),
        ("long-number.jsonl", b'{"text": "x", "id": ' + b"9" * 5000 + b"}", "not JSON"),
        ("no-such-day.jsonl", b'{"text": "x", "published": "2025-02-31"}', "write it as 2025-12-13"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_the_rest_goes_in(
    tmp_path: Path, write: Write, open_store: OpenStore, name: str, content: bytes, reason: str
) -> None:
    write(name, content)
    write("good.md", FRONT)
    report = updated(open_store(tmp_path / "data"), tmp_path / "articles")
    assert names(report.added) == ["good.md"]
    (failed,) = report.failed
    assert name in failed.source
    assert reason in failed.reason


def test_each_of_twenty_ways_to_be_broken_is_named_and_every_sound_file_goes_in(
    tmp_path: Path, open_store: OpenStore
) -> None:
    (tmp_path / "files").mkdir()
    broken = fill(tmp_path / "files", 36, len(BAD))
    report = updated(open_store(tmp_path / "data"), tmp_path / "files")
    assert len(report.added) == 16
    assert {Path(failed.source.split("#")[0]).name for failed in report.failed} == broken.keys()
    assert len({failed.reason for failed in report.failed}) >= len(BAD) - 3


def test_a_field_that_is_taken_away_is_gone(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    store = open_store(tmp_path / "data")
    path = write("ferry.md", FRONT)
    updated(store, path)
    write("ferry.md", FRONT.replace("publisher: Island Post\n", ""))
    assert len(updated(store, path).changed) == 1
    assert next(store.library.articles()).publisher == ""


def test_a_line_of_twenty_megabytes_goes_into_passages() -> None:
    line = "The ferry carried forty people on Monday, its owner said. " * 350_000
    assert sum(passage.span.end - passage.span.start for passage in passages(line, "en")) > len(line) * 0.98


def test_bytes_of_no_known_encoding_are_refused() -> None:
    with pytest.raises(UnreadableError):
        decode(bytes(range(128, 256)) * 20)


def test_halves_of_characters_from_json_are_stored_as_marks(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    path = write("half.jsonl", '{"text": "A lone half \\ud800 of a character."}')
    store = open_store(tmp_path / "data")
    assert updated(store, path).failed == ()
    assert next(store.library.articles()).text == "A lone half \ufffd of a character."


def test_two_files_with_one_address_are_told_of(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    write("a.md", FRONT)
    write("b.md", FRONT.replace("40", "50"))
    report = updated(open_store(tmp_path / "data"), tmp_path / "articles")
    assert names(report.added) == ["a.md"]
    assert "same article" in report.failed[0].reason


def test_the_same_text_in_two_articles_is_citable_from_both(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    write("a.txt", RUSSIAN)
    write("b.txt", RUSSIAN)
    store = open_store(tmp_path / "data")
    updated(store, tmp_path / "articles")
    assert {Path(hit.article.source).name for hit in hits(store, "Сколько займёт ремонт моста?", 5)} == {
        "a.txt",
        "b.txt",
    }


def test_pruning_takes_out_what_vanished_and_never_what_could_not_be_read(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    gone, broken, elsewhere = write("gone.md", FRONT), write("broken.txt", RUSSIAN), tmp_path / "elsewhere.txt"
    elsewhere.write_text("This article lies in another place. It is not looked at.")
    store = open_store(tmp_path / "data")
    updated(store, tmp_path / "articles", elsewhere)
    gone.unlink()
    broken.write_bytes(b"\0\0\0binary now")
    write("new.txt", "A new article came.")
    kept = updated(store, tmp_path / "articles")
    assert kept.removed == ()
    report = updated(store, tmp_path / "articles", prune=True)
    assert names(report.removed) == ["gone.md"]
    assert {Path(article.source).name for article in store.library.articles()} == {
        "broken.txt",
        "elsewhere.txt",
        "new.txt",
    }
    assert not [hit for hit in hits(store, "Who owns the ferry line?", 9) if "ferry" in hit.text.lower()]


def test_pruning_spares_what_lies_in_a_folder_that_is_empty_or_gone(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    path = write("ferry.md", FRONT)
    store = open_store(tmp_path / "data")
    updated(store, tmp_path / "articles")
    path.unlink()
    assert updated(store, tmp_path / "articles", prune=True).removed == ()
    path.parent.rmdir()
    assert updated(store, tmp_path / "articles", prune=True).removed == ()


def test_an_article_that_moved_is_not_pruned_from_its_old_place(
    tmp_path: Path, write: Write, open_store: OpenStore
) -> None:
    write("old/ferry.md", FRONT)
    other = write("old/other.txt", RUSSIAN)
    store = open_store(tmp_path / "data")
    updated(store, tmp_path / "articles")
    moved = write("new/ferry.md", FRONT)
    (other.parent / "ferry.md").unlink()
    assert names(updated(store, moved).unchanged) == ["ferry.md"]
    assert updated(store, other.parent, prune=True).removed == ()


def test_text_between_dashes_that_is_no_front_matter_stays(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    store = open_store(tmp_path / "data")
    updated(store, write("dashes.txt", "---\nParagraph one is here.\n---\nParagraph two."))
    assert "Paragraph one" in next(store.library.articles()).text


def test_a_data_folder_among_the_articles_is_passed_over(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    write("ferry.md", FRONT)
    store = open_store(tmp_path / "articles" / "data")
    assert names(updated(store, tmp_path / "articles").added) == ["ferry.md"]


def test_ids_are_their_files_own(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    store = open_store(tmp_path / "data")
    updated(store, write("a.jsonl", '{"id": 1, "text": "The first collection counts from one."}'))
    assert len(updated(store, write("b.jsonl", '{"id": 1, "text": "So does the second."}')).added) == 1


def test_json_lines_in_utf_16_go_in(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    rows = [{"publisher": publisher, "text": RUSSIAN} for publisher in ("Norholm Post", "Sandby Post")]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    report = updated(open_store(tmp_path / "data"), write("wide.jsonl", lines.encode("utf-16")))
    assert (len(report.added), report.failed) == (2, ())


def test_a_dry_run_says_what_would_be_and_writes_nothing(tmp_path: Path, write: Write) -> None:
    path = write("ferry.md", FRONT)
    report = update([path], data=tmp_path / "data", dry_run=True)
    assert names(report.added) == ["ferry.md"]
    assert not (tmp_path / "data").exists()


def test_an_empty_folder_is_a_failed_source(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    assert update([tmp_path / "void"], data=tmp_path / "data").failed == (
        Failure(str(tmp_path / "void"), Message("the folder holds no files")),
    )


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path, write: Write, open_store: OpenStore) -> None:
    path = write("ferry.md", FRONT)
    with (
        open_store(tmp_path / "data").writing(),
        pytest.raises(LibraryError, match=f"Process {os.getpid()} is writing"),
    ):
        _in_thread(lambda: update([path], data=tmp_path / "data"))


def _in_thread(work: Callable[[], object]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


command = partial(finished, "cli")


@pytest.mark.slow
def test_the_program_sums_up_and_fails_by_one_when_a_source_fails(tmp_path: Path, write: Write) -> None:
    write("ferry.md", FRONT)
    write("empty.txt", b"")
    done = command("ingest", tmp_path / "articles", "--data", tmp_path / "data")
    assert done.returncode == 1
    assert "1 added, 0 changed, 0 unchanged, 0 removed, 1 failed" in done.stdout
    assert "empty.txt: empty" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE meta SET value = '99' WHERE name = 'format'", "format 99"),
        ("UPDATE meta SET value = 'another-model' WHERE name = 'embedding'", "another-model"),
    ],
)
def test_a_folder_of_another_version_or_model_is_refused_by_name(
    tmp_path: Path, write: Write, open_store: OpenStore, change: str, said: str
) -> None:
    import sqlite3

    path = write("ferry.md", FRONT)
    updated(open_store(tmp_path / "data"), path)
    with sqlite3.connect(tmp_path / "data" / "library.db") as library:
        library.execute(change)
    library.close()
    done = command("ingest", path, "--data", tmp_path / "data")
    assert done.returncode == 2
    assert said in done.stderr
    assert str(tmp_path / "data") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, write: Write) -> None:
    (tmp_path / "file").write_text("in the way")
    done = command("ingest", write("ferry.md", FRONT), "--data", tmp_path / "file" / "data")
    assert done.returncode == 2
    assert str(tmp_path / "file" / "data") in done.stderr
    assert "Traceback" not in done.stderr


def test_the_seed_article_goes_in_as_it_is(tmp_path: Path, shared: Path, open_store: OpenStore) -> None:
    store = open_store(tmp_path / "data")
    assert updated(store, shared / "seeds").failed == ()
    (article,) = store.library.articles()
    assert article.text == next((shared / "seeds").glob("*.txt")).read_text("utf-8")
    assert (article.title, article.url, article.published, article.lang) == ("", "", "", "en")
