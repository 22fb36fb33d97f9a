"""Looking after a data folder: what is wrong is found and mended, copies hold, what is deleted is gone."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from bot import Bot
from ingest import backup, check, delete, rebuild, reinstate, remove, restore, update
from tests.conftest import SAMPLES, Counted, OpenStore, hits, updated
from tests.support.articles import Letters, random_article
from tests.support.program import ROOT, finished
from vectorstore import ORIGINAL, TRAINED, LibraryError, Store, load_settings, open_embeddings, stored_embedding
from vectorstore import check as check_store
from vectorstore import rebuild as rebuild_store

Write = Callable[[str, str | bytes], Path]
TEXT = "The keeper of the Norholm lighthouse is called Ada Lund. She has kept it since 1998."
OTHER = "The ferry between Norholm and Sandby was sold. Its new owner lives in Sandby."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two small articles and a library of them, for `data`."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "articles").mkdir()
    (folder / "articles" / "light.txt").write_text(TEXT)
    (folder / "articles" / "ferry.txt").write_text(OTHER)
    update([folder / "articles"], data=folder / "data")
    return folder


@pytest.fixture
def data(tmp_path: Path, made: Path) -> Path:
    """A library of two small articles."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    data = tmp_path / "data"
    old, new = (str(folder / "articles") for folder in (made, tmp_path))
    moved = ("origin SET source", "version SET source", "known SET key")
    changed(data, *(f"UPDATE {table} = replace({table.split()[-1]}, '{old}', '{new}')" for table in moved))
    return data


def changed(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "library.db")) as library, library:
        for statement in statements:
            library.execute(statement)


def test_a_folder_in_order_has_no_faults(data: Path) -> None:
    assert check(data=data) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE version SET text = replace(text, 'Ada', 'Ida')", "digest"),
        ("UPDATE vector SET value = zeroblob(768)", "missing or damaged"),
        ("DELETE FROM words WHERE rowid = 1", "full text"),
        ("UPDATE term SET passages = passages + 1", "counts of"),
        ("UPDATE meta SET value = value + 1 WHERE name = 'passages'", "counted"),
        ("UPDATE vector SET indexed = 0", "not marked"),
        ("DELETE FROM sentence WHERE start > 0", "sentences"),
        ('UPDATE passage SET "end" = "end" - 3', "sentences"),
        ("UPDATE raw SET value = x'00'", "damaged"),
        ("INSERT INTO removed SELECT article, 'a test', '2024-01-01', 0 FROM version", "tombstone"),
        ("DELETE FROM vector", "belongs to nothing"),
    ],
)
def test_every_kind_of_damage_is_named(data: Path, damage: str, said: str) -> None:
    changed(data, damage)
    assert any(said in fault for fault in check(data=data)), check(data=data)


@pytest.mark.slow
def test_a_vector_missing_from_the_index_is_found_and_put_back(data: Path, open_store: OpenStore) -> None:
    from vectorstore.vectors import VectorIndex

    store = open_store(data)
    (names,) = [names for names, _ in store.library.vectors.indexed(10)]
    vectors = store.library.vectors.by_name(names)
    store.close()
    index = VectorIndex(data / "chroma")
    # as many as before, so that the count does not tell
    index.remove(names[:1])
    index.add({"leftover": vectors[names[0]]})
    index.close()
    assert any("missing from the search index" in fault for fault in check(data=data))
    assert rebuild(data=data).embedded == 0
    assert check(data=data) == []


@pytest.mark.slow
def test_damaged_vectors_are_embedded_again_and_sound_ones_kept(data: Path, open_store: OpenStore) -> None:
    changed(data, "UPDATE vector SET value = zeroblob(768) WHERE id IN (SELECT vector FROM sentence LIMIT 1)")
    assert rebuild(data=data).embedded == 1
    assert check(data=data) == []
    assert "Ada Lund" in hits(open_store(data), "Who keeps the lighthouse?", 3)[0].text


class Announced(Letters):
    """Says each time that it is used."""

    def __init__(self, on_use: Callable[[], None]) -> None:
        self._on_use = on_use

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._on_use()
        return super().embed_documents(texts)


def test_a_library_moves_to_another_model_while_the_old_one_answers(
    data: Path, built_in: tuple[str, Embeddings], open_store: OpenStore
) -> None:
    reader = open_store(data)
    answered: list[str] = []

    def ask() -> None:
        answered.append(hits(reader, "Who keeps the lighthouse?", 3)[0].text)

    with closing(Store(data, name=None, embeddings=built_in[1], create=False)) as store:
        with store.writing():
            rebuilt = rebuild_store(store, "letters", Announced(on_use=ask))
        assert rebuilt.embedded == 6  # two passages, four sentences
        assert any("Ada Lund" in text for text in answered)
    with pytest.raises(LibraryError, match="rebuilt with the embedding model letters"):
        ask()
    with closing(Store(data, name="letters", embeddings=Letters(), create=False)) as moved:
        assert "Ada Lund" in hits(moved, "Who keeps the lighthouse at Norholm?", 3)[0].text
        assert check_store(moved) == []
        assert [path.name for path in data.glob("chroma*")] == [moved.library.index_folder()]


@pytest.fixture
def older(tmp_path: Path, write: Write) -> Path:
    """A library as the original model made it, of one article, and a second article beside that."""
    name, original = open_embeddings(ORIGINAL, load_settings(None).cache_dir)
    with closing(Store(tmp_path / "data", name=name, embeddings=original, create=True)) as store:
        updated(store, write("light.txt", TEXT))
    write("ferry.txt", OTHER)
    return tmp_path / "data"


def answered_by(data: Path) -> str:
    """The model that a library opens with, which finds what it holds."""
    assert check(data=data) == []
    with Bot.open(data, model="") as bot:
        assert "Ada Lund" in hits(bot._store, "Who keeps the lighthouse?", 3)[0].text
        assert bot.ask("Who keeps the lighthouse?").embedding_model == bot.embedding_model
        return bot.embedding_model


@pytest.mark.slow
def test_a_library_of_the_original_model_stays_with_it_until_it_is_rebuilt(older: Path) -> None:
    articles = older.parent / "articles"
    assert answered_by(older) == ORIGINAL
    assert len(update([articles], data=older).added) == 1
    assert answered_by(older) == ORIGINAL
    with closing(Store.open(load_settings(older), create=False)) as store:
        one, other = (open_embeddings(name, load_settings(None).cache_dir)[1] for name in (ORIGINAL, TRAINED))
        stored, (ferry, _) = np.stack(sentences(store)), OTHER.split(" Its")
        likest = [float((stored @ np.array(some.embed_documents([ferry])[0])).max()) for some in (one, other)]
        assert likest[0] > 0.999 > likest[1]
    assert rebuild(data=older).embedded == 6  # two passages, four sentences
    assert answered_by(older) == TRAINED
    assert len(update([articles], data=older).unchanged) == 2
    assert rebuild(data=older).embedded == 0


@pytest.mark.slow
def test_a_library_of_the_original_model_may_be_held_to_it(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIADOMA_EMBEDDINGS", ORIGINAL)
    assert rebuild(data=older).embedded == 0
    assert answered_by(older) == ORIGINAL
    monkeypatch.setenv("VIADOMA_EMBEDDINGS", TRAINED)
    with pytest.raises(LibraryError, match="viadoma rebuild"):
        Bot.open(older, model="")


def test_a_library_that_is_not_there_or_can_not_be_read_names_no_model(tmp_path: Path) -> None:
    assert stored_embedding(tmp_path) == ""
    (tmp_path / "library.db").write_bytes(b"no library" * 1000)
    assert stored_embedding(tmp_path) == ""


def sentences(store: Store) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """The vectors of all sentences that are searched."""
    names = [
        name
        for article in store.library.articles()
        for placed in store.library.passages.embedded(article.id, article.version)
        for name in placed.sentence_vectors
    ]
    return list(store.library.vectors.by_name(names).values())


def test_a_rebuild_that_is_broken_off_changes_nothing(data: Path, built_in: tuple[str, Embeddings]) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    store = Store(data, name=None, embeddings=built_in[1], create=False)
    with closing(store), store.writing(), pytest.raises(KeyboardInterrupt):
        rebuild_store(store, "letters", Announced(on_use=fail))
    assert check(data=data) == []


@pytest.mark.slow
def test_a_backup_made_while_others_write_is_whole(tmp_path: Path, open_store: OpenStore) -> None:
    data = tmp_path / "data"
    open_store(data)
    done = threading.Event()

    def write() -> None:
        update([SAMPLES], data=data)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    files: list[Path] = []
    while not done.is_set() and len(files) < 8:
        files.append(tmp_path / f"backup{len(files)}.zip")
        backup(files[-1], data=data)
    writer.join()
    backup(tmp_path / "last.zip", data=data)
    for place, file in enumerate([*files[1::3], tmp_path / "last.zip"]):
        restore(file, data=tmp_path / f"restored{place}")
        assert check(data=tmp_path / f"restored{place}") == []
    assert update([SAMPLES], data=tmp_path / f"restored{place}").added == ()


def test_a_restored_library_answers_without_embedding(tmp_path: Path, data: Path, open_store: OpenStore) -> None:
    (data / "names.txt").write_text("Ada Lund: Ада Лунд")
    backup(tmp_path / "backup.zip", data=data)
    restore(tmp_path / "backup.zip", data=tmp_path / "again")
    store = open_store(tmp_path / "again")
    assert "Ada Lund" in hits(store, "Who keeps the lighthouse?", 3)[0].text
    assert isinstance(store.embeddings, Counted)
    assert store.embeddings.documents == 0
    assert (tmp_path / "again" / "names.txt").read_text() == "Ada Lund: Ада Лунд"


def _damaged(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["library.db"] = members["library.db"][:-100] + bytes(100)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-2000])


def _other(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "something else")


@pytest.mark.parametrize("harm", [_damaged, _cut, _other, lambda file: file.unlink()])
def test_a_damaged_backup_is_refused_and_leaves_the_folder_empty(
    tmp_path: Path, data: Path, harm: Callable[[Path], None]
) -> None:
    backup(tmp_path / "backup.zip", data=data)
    harm(tmp_path / "backup.zip")
    with pytest.raises(LibraryError, match="backup"):
        restore(tmp_path / "backup.zip", data=tmp_path / "again")
    assert list((tmp_path / "again").iterdir()) == []


def test_nothing_is_restored_over_a_library(tmp_path: Path, data: Path) -> None:
    backup(tmp_path / "backup.zip", data=data)
    with pytest.raises(LibraryError, match="already holds a library"):
        restore(tmp_path / "backup.zip", data=data)


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.slow
def test_what_is_deleted_for_good_is_in_no_file_any_more(data: Path, write: Write) -> None:
    path = write("light.txt", TEXT.replace("1998", "1999"))
    update([path], data=data)
    assert b"Ada Lund" in _bytes_of(data)
    done = delete([str(path)], data=data)
    assert (done.articles, done.versions) == (1, 2)
    assert done.raw_bytes > 0
    assert check(data=data) == []
    left = _bytes_of(data)
    assert b"Ada Lund" not in left
    assert b"lighthous" not in left
    assert b"Sandby" in left
    # nothing of it is known any more: it comes back as a new one
    assert update([path], data=data).added == (str(path),)


@pytest.mark.slow
def test_a_removed_article_stays_out_until_its_source_is_deleted(
    tmp_path: Path, data: Path, open_store: OpenStore
) -> None:
    path = tmp_path / "articles" / "light.txt"
    (article,) = remove([str(path)], "its author asked for it", data=data)
    store = open_store(data)
    assert not any("Ada Lund" in hit.text for hit in hits(store, "Who keeps the lighthouse?", 5))
    assert update([tmp_path / "articles"], data=data).still_removed == (str(path),)
    record = store.library.version_details(article, 1)
    assert record is not None
    assert record.tombstone is not None
    assert record.tombstone.reason == "its author asked for it"
    assert record.article.text == TEXT
    assert check(data=data) == []


def test_a_name_that_means_no_article_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere[.]txt is no article's id"):
        delete(["nowhere.txt"], data=data)


def test_a_library_of_the_format_before_is_taken_over(data: Path, open_store: OpenStore) -> None:
    tables = ["amended", "provenance", "raw", "known", "origin", "removed", "stale"]
    changed(
        data,
        *(f"DROP TABLE {table}" for table in tables),
        "UPDATE meta SET value = '2' WHERE name = 'format'",
        "DELETE FROM meta WHERE name = 'index'",
    )
    store = open_store(data)
    assert "Ada Lund" in hits(store, "Who keeps the lighthouse?", 3)[0].text
    assert check(data=data) == []


command = partial(finished, "cli")


def said(done: subprocess.CompletedProcess[str], code: int, words: Sequence[str]) -> None:
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stdout + done.stderr


@pytest.mark.slow
def test_the_program_looks_after_a_folder_from_check_to_delete(tmp_path: Path, data: Path) -> None:
    said(command("backup", tmp_path / "b.zip", "--data", data), 0, ["MB"])
    changed(data, "UPDATE vector SET value = zeroblob(768)")
    said(command("check", "--data", data), 1, ["2 faults", "viadoma rebuild"])
    said(command("rebuild", "--data", data), 0, ["Index rebuilt: 2 vectors, 6 of them embedded again"])
    ferry = tmp_path / "articles" / "ferry.txt"
    said(command("remove", ferry, "--reason", "a test", "--data", data), 0, ["1 articles are searched no more"])
    said(command("reinstate", ferry, "--data", data), 0, ["1 articles are searched again"])
    said(command("delete", ferry, "--data", data), 0, ["1 articles in 1 versions"])
    said(command("check", "--data", data), 0, ["Library, full text, vectors and index agree"])
    said(command("restore", tmp_path / "b.zip", "--data", tmp_path / "other"), 0, ["Restored the library of"])
    assert check(data=tmp_path / "other") == []


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_or_half_visible_after_kills() -> None:
    # in a process of its own, for it forks
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kills", "4"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)
    assert (found["lost"], found["faults"]) == (0, 0), done.stderr
    assert found["kills in mid-run"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest"],
        ["ingest", "x.txt", "--workers", "0"],
        ["ingest", "x.txt", "--workers", "2", "--dask", "tcp://127.0.0.1:9"],
        ["ingest", "x.txt", "--interval", "5"],
        ["watch"],
        ["watch", "x.txt", "--dry-run"],
        ["watch", "x.txt", "--interval", "0.5"],
        ["watch", "x.txt", "--interval", "often"],
        ["remove", "x.txt"],
        ["remove", "x.txt", "--reason", "why", "--dry-run"],
        ["reinstate", "x.txt", "--dry-run"],
        ["set", "--title", "A medal"],
        ["delete"],
        ["delete", "x.txt", "--dry-run"],
        ["check", "x.txt"],
        ["rebuild", "--dry-run"],
        ["backup"],
        ["restore", "b.zip", "--prune"],
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    said(command(*arguments, "--data", tmp_path / "data"), 2, ["usage"])


@pytest.mark.slow
def test_ten_full_re_ingests_and_a_rebuild_take_no_more_room(tmp_path: Path, write: Write) -> None:
    draw = random.Random(1)
    for number in range(40):
        write(f"{number}.txt", "\n\n".join(random_article(draw) for _ in range(4)))

    def room() -> int:
        return sum(path.stat().st_size for path in (tmp_path / "data").rglob("*") if path.is_file())

    with closing(Store(tmp_path / "data", name="letters", embeddings=Letters(), create=True)) as store:
        assert len(updated(store, tmp_path / "articles").added) == 40
        fresh = room()
        for _ in range(9):
            with store.writing():
                store.delete([article.id for article in store.library.articles()])
            assert len(updated(store, tmp_path / "articles").added) == 40
        with store.writing():
            rebuild_store(store, "letters", Letters())
        assert check_store(store) == []
        assert room() <= 1.5 * fresh


@pytest.mark.parametrize("given", ["delete", "remove --reason=x", "reinstate", "set --title=x", "ingest --prune"])
def test_an_empty_name_is_refused_and_nothing_is_lost(data: Path, given: str) -> None:
    said(command(*given.split(), "", "--data", data), 2, ["empty name"])
    assert check(data=data) == []
    with closing(sqlite3.connect(data / "library.db")) as library:
        assert library.execute("SELECT count(*) FROM version WHERE live").fetchone() == (2,)


def moved_away(write: Write, store: Store) -> str:
    """An article that lay at a.txt and was edited there, now at b.txt; another lies at a.txt. Gives the other's id."""
    old = write("a.txt", TEXT)
    updated(store, old.parent)
    write("a.txt", TEXT + " It is white.")
    updated(store, old.parent)
    old.rename(old.with_name("b.txt"))
    updated(store, old.parent)
    write("a.txt", OTHER)
    updated(store, old.parent)
    (other,) = [one.id for one in store.library.articles() if one.source.endswith("a.txt")]
    return other


def test_a_file_means_what_lies_there_now(tmp_path: Path, write: Write) -> None:
    with closing(Store(tmp_path / "data", name="letters", embeddings=Letters(), create=True)) as store:
        other = moved_away(write, store)
        assert store.library.resolve_articles(str((tmp_path / "articles" / "a.txt").resolve())) == [other]


@pytest.mark.slow
def test_an_address_means_no_page_below_it_and_a_folder_no_file_beside_it(tmp_path: Path, write: Write) -> None:
    for number, end in enumerate(("story", "story/part-2", "")):
        write(f"{number}.md", f"---\nurl: https://e.org/{end}\n---\n\n{TEXT} {number}")
    write("a/x.txt", OTHER)
    write("a#b.txt", OTHER + " It is red.")
    folder = (tmp_path / "articles").resolve()
    with closing(Store(tmp_path / "data", name="letters", embeddings=Letters(), create=True)) as store:
        assert len(updated(store, folder).added) == 5
    for name, number in (("https://e.org/story", 1), ("https://e.org/", 1), (f"{folder}/a", 1), (f"{folder}", 5)):
        assert len(remove([name], "a test", data=tmp_path / "data")) == number, name


@pytest.mark.parametrize("name", ["library.db", "library.db-wal", "names.txt", "writer.lock", "chroma/x"])
def test_a_backup_over_the_folders_own_files_is_refused(data: Path, name: str) -> None:
    with pytest.raises(LibraryError, match="own files"):
        backup(data / name, data=data)
    assert check(data=data) == []


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_backup_is_not_restored_beside_what_another_library_left(tmp_path: Path, data: Path, ending: str) -> None:
    backup(tmp_path / "b.zip", data=data)
    there = tmp_path / "other"
    there.mkdir()
    (there / f"library.db{ending}").write_bytes(b"left")
    with pytest.raises(LibraryError, match=f"library[.]db{ending} of another library"):
        restore(tmp_path / "b.zip", data=there)
    assert [path.name for path in there.iterdir()] == [f"library.db{ending}"]


class BrokenOffError(Exception):
    pass


@pytest.mark.parametrize("where", ["library_index.LibraryIndex.rebuild", "store.Store._purge"])
def test_a_deletion_that_was_broken_off_is_finished_by_the_next_ingest(
    tmp_path: Path, write: Write, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = write("a.txt", TEXT)
    write("b.txt", OTHER)

    def fail(*_: object) -> None:
        raise BrokenOffError

    with closing(Store(tmp_path / "data", name="letters", embeddings=Letters(), create=True)) as store:
        updated(store, tmp_path / "articles")
        article = store.library.resolve_articles(str(secret.resolve()))
        monkeypatch.setattr(f"vectorstore.{where}", fail)
        with store.writing(), pytest.raises(BrokenOffError):
            store.delete(article)
        monkeypatch.undo()
        assert any("deletion was interrupted" in fault for fault in check_store(store))
        secret.unlink()
        updated(store, tmp_path / "articles")
        assert check_store(store) == []
        assert sum(len(names) for names, _ in store.index.entries(100)) == store.library.vectors.indexed_count() == 1


def test_vectors_of_a_run_that_was_broken_off_leave_the_index(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.txt", TEXT)

    def fail(*_: object) -> None:
        raise BrokenOffError

    with closing(Store(tmp_path / "data", name="letters", embeddings=Letters(), create=True)) as store:
        updated(store, tmp_path / "articles")
        lost = write("b.txt", OTHER)
        monkeypatch.setattr(store.library, "publish", fail)
        with pytest.raises(BrokenOffError):
            updated(store, tmp_path / "articles")
        monkeypatch.undo()
        lost.unlink()
        updated(store, tmp_path / "articles")
        assert sum(len(names) for names, _ in store.index.entries(100)) == store.library.vectors.indexed_count() == 1


@pytest.mark.slow
def test_what_was_removed_is_brought_back_as_it_was(data: Path, open_store: OpenStore) -> None:
    light = str((data.parent / "articles" / "light.txt").resolve())
    remove([light], "a test", data=data)
    (article,) = reinstate([light], data=data)
    assert check(data=data) == []
    store = open_store(data)
    assert "Ada Lund" in hits(store, "Who keeps the lighthouse?", 3)[0].text
    assert len(store.library.versions(article)) == 1
    assert store.library.sources.tombstone(article) is None
    report = update([data.parent / "articles"], data=data)
    assert (len(report.unchanged), report.still_removed) == (2, ())
    with pytest.raises(ValueError, match=r"Nothing of .* was removed"):
        reinstate([light], data=data)
