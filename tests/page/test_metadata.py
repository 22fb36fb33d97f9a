"""Data mended by hand: they are searched and shown, survive the next ingest, and are told from what the source says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from bot import Bot, Filters
from ingest import LibraryError, check, delete, reinstate, remove, set_metadata, update
from page.i18n import IN_ENGLISH
from page.source import source_page
from tests.support.program import finished
from vectorstore import Article, MetadataOverride, VersionDetails

Write = Callable[[str, str | bytes], Path]
TEXT = "The keeper of the Norholm lighthouse is called Ada Lund. On Saturday she was given a medal."
HEAD = "---\ntitle: Norholm\npublisher: The Bay Post\n---\n\n"
QUESTION = "Who keeps the Norholm lighthouse?"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def file(write: Write, data: Path) -> Path:
    """An article that is in the library, without a date."""
    path = write("light.md", HEAD + TEXT)
    assert update([path], data=data).added
    return path


def newest(data: Path) -> VersionDetails:
    """All that is known of the one article there is."""
    with Bot.open(data, model="") as bot:
        (entry,) = bot.list_articles()
        record = bot.version_details(entry.id, entry.version)
    assert record is not None
    return record


def said(article: Article) -> tuple[str, str, str]:
    return article.title, article.publisher, article.published


def test_what_is_mended_is_a_new_version_of_the_same_text(data: Path, file: Path) -> None:
    (article_id,) = set_metadata([str(file)], title="A medal for  Ada Lund", published="2025-12-15", data=data)
    record = newest(data)
    assert (record.article.id, record.article.version) == (article_id, 2)
    assert said(record.article) == ("A medal for Ada Lund", "The Bay Post", "2025-12-15")
    assert said(record.versions[0]) == ("Norholm", "The Bay Post", "")
    assert record.article.text == record.versions[0].text
    assert record.corrected_on == ""
    assert record.provenance.raw_bytes == file.stat().st_size
    assert [(one.field, one.source_value) for one in record.overrides] == [("published", ""), ("title", "Norholm")]
    assert check(data=data) == []


def test_what_is_mended_is_searched_and_counted_from(data: Path, file: Path) -> None:
    set_metadata([str(file)], published="2025-12-15", data=data)
    with Bot.open(data, model="") as bot:
        answer = bot.ask(QUESTION, filters=Filters(published_from=date(2025, 12, 1)))
        assert answer.citations[0].article.published == "2025-12-15"
        medal = bot.ask("When was Ada Lund given a medal?")
        assert [str(time.start_date) for one in medal.citations for time in one.times] == ["2025-12-13"]
        assert bot.ask(QUESTION, as_of=date(2025, 12, 1)).status == "not_found"


@pytest.mark.slow
def test_the_source_taken_in_again_changes_nothing_of_it(data: Path, file: Path) -> None:
    set_metadata([str(file)], publisher="The Island Post", data=data)
    for content in (HEAD + TEXT, HEAD + TEXT + "\n"):  # the same bytes, and others of the same text
        file.write_text(content)
        assert update([file], data=data).unchanged == (str(file),)
    assert newest(data).article.version == 2


@pytest.mark.slow
def test_a_new_text_keeps_what_was_mended_and_tells_what_its_source_says(data: Path, file: Path) -> None:
    set_metadata([str(file)], title="A medal", publisher="The Island Post", data=data)
    file.write_text(HEAD.replace("Norholm", "A medal").replace("Bay", "Fjord") + TEXT + "\n\nIt is made of tin.")
    assert update([file], data=data).changed == (str(file),)
    record = newest(data)
    assert said(record.article)[:2] == ("A medal", "The Island Post")
    assert "tin" in record.article.text
    assert [(one.field, one.value, one.source_value) for one in record.overrides] == [
        ("publisher", "The Island Post", "The Fjord Post"),
        ("title", "A medal", "A medal"),
    ]
    assert "Publisher: by hand on 20" in source_page(record, IN_ENGLISH)
    assert "the source says “The Fjord Post”" in source_page(record, IN_ENGLISH)
    set_metadata([str(file)], title="", publisher="", data=data)
    assert said(newest(data).article)[:2] == ("A medal", "The Fjord Post")
    assert newest(data).overrides == ()
    assert update([file], data=data).unchanged


@pytest.mark.slow
def test_an_empty_value_gives_back_what_the_source_says(data: Path, file: Path) -> None:
    set_metadata([str(file)], title="A medal", published="2025", data=data)
    set_metadata([str(file)], title="", data=data)
    assert said(newest(data).article) == ("Norholm", "The Bay Post", "2025")
    assert set_metadata([str(file)], title="", publisher="The Bay Post", published="2025", data=data) == []
    assert newest(data).article.version == 3


def test_a_mended_article_goes_and_comes_back_and_is_deleted_whole(data: Path, file: Path) -> None:
    (article_id,) = set_metadata([str(file)], title="A medal", data=data)
    remove([article_id], "a test", data=data)
    with pytest.raises(ValueError, match="nothing is searched: reinstate it first"):
        set_metadata([article_id], title="Other", data=data)
    reinstate([article_id], data=data)
    assert newest(data).article.title == "A medal"
    delete([article_id], data=data)
    assert update([file], data=data).added
    assert newest(data).article.title == "Norholm"


@pytest.mark.parametrize(
    "published", ["tomorrow", "2025-13-01", "2025-02-30", "13.12.2025", "2025-12-13T10:00", "0001-01-01"]
)
def test_a_date_that_is_none_is_refused(data: Path, file: Path, published: str) -> None:
    with pytest.raises(ValueError, match="write it as 2025-12-13, 2025-12 or 2025"):
        set_metadata([str(file)], title="Lost", published=published, data=data)
    assert newest(data).article.version == 1


def test_only_what_is_embedded_with_the_same_model_is_mended(data: Path, file: Path) -> None:
    with closing(sqlite3.connect(data / "library.db")) as library, library:
        library.execute("UPDATE meta SET value = 'other' WHERE name = 'embedding'")
    with pytest.raises(LibraryError, match="was made with the embedding model other"):
        set_metadata([str(file)], title="A medal", data=data)


def test_what_was_mended_is_never_half_there(data: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("vectorstore.source_registry.SourceRegistry.save_overrides", broken)
    with pytest.raises(OSError, match="gone"):
        set_metadata([str(file)], title="A medal", data=data)
    monkeypatch.undo()
    record = newest(data)
    assert (record.article.version, record.article.title, record.overrides) == (1, "Norholm", ())
    assert check(data=data) == []


def test_a_library_that_knew_no_amendments_learns_them(data: Path, file: Path) -> None:
    with closing(sqlite3.connect(data / "library.db")) as library, library:
        library.execute("DROP TABLE amended")
        library.execute("UPDATE meta SET value = '3' WHERE name = 'format'")
    set_metadata([str(file)], title="A medal", data=data)
    (override,) = newest(data).overrides
    assert override == MetadataOverride("title", "A medal", "Norholm", override.changed_at)


command = partial(finished, "cli")


@pytest.mark.slow
def test_the_program_sets_metadata(data: Path, file: Path) -> None:
    done = command("set", file, "--published", "2025-12-13", "--title", "A medal", "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 articles have a new version: ")
    assert said(newest(data).article) == ("A medal", "The Bay Post", "2025-12-13")
    back = command("set", file, "--title", "", "--data", data)
    assert (back.returncode, said(newest(data).article)[0]) == (0, "Norholm")
    wrong = command("set", file, "--data", data)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "name --title, --publisher or --published" in wrong.stderr
