"""What is one article and what is another: over renames, edits, new addresses, rows that move, and articles removed."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingest import Report
from language import verbatim
from tests.conftest import updated
from tests.support.articles import Letters
from vectorstore import Store, check

LIGHT = "The keeper of the Norholm lighthouse is called Ada Lund. She has kept it since 1998."
BRIDGE = "A bridge was opened in the town of Vesby on Monday. The mayor cut the ribbon himself."
COD = "Fishermen on the northern island went on strike. They want a better price for cod."
CORRECTED = " Corrected: it was so."


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder of articles and the library they go into."""

    folder: Path
    store: Store

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def up(self, *sources: Path, prune: bool = False) -> Report:
        return updated(self.store, *(sources or (self.folder,)), prune=prune)

    def move(self, old: str, new: str) -> None:
        (self.folder / new).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / old).rename(self.folder / new)

    def bar(self, name: str) -> None:
        with self.store.writing():
            self.store.library.remove(
                self.store.library.resolve_articles(str(self.folder / name)), verbatim("a test"), by_user=True
            )
            self.store.collect_garbage()

    def live(self) -> dict[str, str]:
        """The texts that are searched, by source; and all is sound."""
        assert check(self.store) == []
        return {self.short(one.source): one.text for one in self.store.library.articles()}

    def versions(self, name: str) -> list[str]:
        (found,) = [one.id for one in self.store.library.articles() if self.short(one.source) == name]
        return [one.text for one in self.store.library.versions(found)]

    def short(self, source: str) -> str:
        return source.removeprefix(f"{self.folder}/")

    def named(self, sources: tuple[str, ...]) -> list[str]:
        return [self.short(source) for source in sources]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "articles").mkdir()
    store = Store(tmp_path / "data", name="letters", embeddings=Letters(), create=True)
    yield Desk(tmp_path.resolve() / "articles", store)
    store.close()


def at(url: str, text: str) -> str:
    return f"---\nurl: {url}\n---\n\n{text}"


def rows(*made: Mapping[str, object] | str) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in made)


def table(*made: tuple[str, ...]) -> str:
    return "".join(",".join(f'"{one}"' for one in row) + "\n" for row in made)


# where it lies


@pytest.mark.parametrize("way", ["../articles", "link"])
def test_a_file_is_one_whichever_way_leads_to_it(desk: Desk, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("a.txt", LIGHT)
    desk.put("b.txt", BRIDGE)
    monkeypatch.chdir(desk.folder)
    (desk.folder.parent / "link").symlink_to(desk.folder)
    desk.up(Path(way) if way.startswith("..") else desk.folder.parent / way)
    report = desk.up()
    assert (len(report.added), len(report.unchanged)) == (0, 2)
    (desk.folder / "b.txt").unlink()
    assert desk.named(desk.up(prune=True).removed) == ["b.txt"]


def test_an_archive_with_a_long_member_name_can_be_renamed(desk: Desk) -> None:
    with zipfile.ZipFile(desk.folder / "a.zip", "w") as archive:
        archive.writestr("в" * 125 + ".txt", LIGHT)
    desk.up()
    desk.move("a.zip", "b.zip")
    assert len(desk.up().unchanged) == 1


def test_a_copy_of_a_member_with_a_mark_in_its_name_is_an_article_of_its_own(desk: Desk) -> None:
    with zipfile.ZipFile(desk.folder / "a.zip", "w") as archive:
        archive.writestr("wow!.txt", LIGHT)
    desk.up()
    desk.put("b.txt", LIGHT)
    assert desk.named(desk.up(desk.folder / "b.txt").added) == ["b.txt"]
    assert desk.live() == {"a.zip!wow!.txt": LIGHT, "b.txt": LIGHT}


def test_twins_in_a_renamed_folder_keep_their_articles(desk: Desk) -> None:
    desk.put("old/1.txt", LIGHT)
    desk.put("old/2.txt", LIGHT)
    desk.up()
    before = {one.source.rpartition("/")[2]: one.id for one in desk.store.library.articles()}
    desk.move("old", "new")
    report = desk.up(prune=True)
    assert (len(report.unchanged), report.removed, report.failed) == (2, (), ())
    assert {one.source.rpartition("/")[2]: one.id for one in desk.store.library.articles()} == before


def test_a_renamed_twin_is_the_one_that_is_searched_not_the_one_that_was_pruned(desk: Desk) -> None:
    desk.put("a.txt", LIGHT)
    desk.put("b.txt", LIGHT)
    desk.up()
    (desk.folder / "a.txt").unlink()
    desk.up(prune=True)
    desk.move("b.txt", "c.txt")
    assert desk.named(desk.up().unchanged) == ["c.txt"]
    assert desk.live() == {"c.txt": LIGHT}


def test_a_file_renamed_to_a_pruned_name_stays_the_article_it_was(desk: Desk) -> None:
    desk.put("a.txt", LIGHT)
    desk.put("b.txt", BRIDGE)
    desk.up()
    (desk.folder / "b.txt").unlink()
    desk.up(prune=True)
    desk.move("a.txt", "b.txt")
    desk.up()
    assert desk.live() == {"b.txt": LIGHT}
    assert desk.versions("b.txt") == [LIGHT]


def test_rotated_files_that_count_from_1_again_are_not_merged(desk: Desk) -> None:
    desk.put("news.jsonl", rows({"id": 1, "text": LIGHT}))
    desk.up()
    desk.move("news.jsonl", "news-2024.jsonl")
    desk.up()
    desk.put("news.jsonl", rows({"id": 1, "text": BRIDGE}))
    assert desk.up().failed == ()
    assert desk.live() == {"news-2024.jsonl#1": LIGHT, "news.jsonl#1": BRIDGE}


def test_moves_and_copies_in_turn_take_no_later_edit_away(desk: Desk) -> None:
    for target in ("b.txt", "c.txt", "d.txt"):
        desk.put("a.txt", BRIDGE)
        desk.up()
        desk.move("a.txt", target)
        desk.up()
    desk.put("a.txt", BRIDGE)
    desk.put("d.txt", COD)
    assert desk.up().failed == ()
    assert desk.live() == {"a.txt": BRIDGE, "b.txt": BRIDGE, "c.txt": BRIDGE, "d.txt": COD}


class BrokenOffError(Exception):
    pass


def test_a_move_is_whole_though_the_run_breaks_off_right_behind_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("a.txt", LIGHT)
    desk.up()
    desk.move("a.txt", "b.txt")

    def fail() -> None:
        raise BrokenOffError

    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "collect_garbage", fail)
        with pytest.raises(BrokenOffError):
            desk.up()
    desk.put("a.txt", COD)
    assert desk.named(desk.up(desk.folder / "a.txt").added) == ["a.txt"]
    assert desk.live() == {"a.txt": COD, "b.txt": LIGHT}


# what it is called


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.md", at("https://e.org/1", LIGHT), LIGHT + CORRECTED),
        ("a.md", at("https://e.org/1", LIGHT), at("https://e.org/2", LIGHT)),
        ("a.md", LIGHT, at("https://e.org/1", LIGHT + CORRECTED)),
        ("a.jsonl", rows({"id": 1, "text": LIGHT}), rows({"id": 1, "url": "https://e.org/1", "text": LIGHT})),
        (
            "a.jsonl",
            rows({"id": 1, "url": "https://e.org/1", "text": LIGHT}),
            rows({"id": 1, "url": "https://e.org/2", "text": LIGHT}),
        ),
    ],
    ids=["address lost", "address mended", "address won", "row won an address", "row's address mended"],
)
def test_an_article_whose_address_comes_goes_or_is_mended_stays_one(
    desk: Desk, name: str, before: str, after: str
) -> None:
    desk.put(name, before)
    desk.up()
    desk.put(name, after)
    desk.up()
    assert len(desk.live()) == 1


def test_a_file_that_wins_the_address_of_another_of_the_same_text_is_not_twice_in(desk: Desk) -> None:
    desk.put("a.md", LIGHT)
    desk.put("b.md", at("https://e.org/1", LIGHT))
    desk.up()
    (desk.folder / "b.md").unlink()
    desk.put("a.md", at("https://e.org/1", LIGHT))
    desk.up()
    assert desk.live() == {"a.md": LIGHT}


@pytest.mark.parametrize("url", ["n/a", "/news/1", "http://", "http://[bad", "news"])
def test_what_is_no_address_makes_no_two_articles_one(desk: Desk, url: str) -> None:
    for name, text in (("x.jsonl", LIGHT), ("y.jsonl", BRIDGE)):
        report = desk.up(desk.put(name, rows({"url": url, "text": text})))
        assert (len(report.added), report.failed) == (1, ())
    assert len(desk.live()) == 2


def test_parts_of_a_live_blog_are_articles_of_their_own(desk: Desk) -> None:
    desk.put("x.md", at("https://e.org/live#post-1", LIGHT))
    desk.put("y.md", at("https://e.org/live#post-2", BRIDGE))
    assert len(desk.up().added) == 2


def test_another_spelling_of_an_address_is_no_new_version(desk: Desk) -> None:
    desk.put("a.md", at("https://e.org/1", LIGHT))
    desk.up()
    for url in ("http://www.e.org/1/", "https://e.org/1?utm_source=x"):
        desk.put("a.md", at(url, LIGHT))
        assert desk.named(desk.up().unchanged) == ["a.md"]


def test_of_two_files_of_one_article_the_unchanged_one_takes_nothing_back(desk: Desk) -> None:
    one = desk.put("a.md", at("https://e.org/1", LIGHT))
    desk.up(one)
    desk.up(desk.put("b.md", at("https://e.org/1", LIGHT + CORRECTED)))
    assert len(desk.up(one).unchanged) == 1
    assert desk.live() == {"b.md": LIGHT + CORRECTED}


# rows


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_rows_without_a_name_are_known_by_their_words_wherever_they_stand(desk: Desk, kind: str) -> None:
    def written(*texts: str) -> None:
        made = [("text",), *((text,) for text in texts)]
        desk.put(f"x.{kind}", table(*made) if kind == "csv" else rows(*({"text": text} for text in texts)))

    written(LIGHT, BRIDGE)
    desk.up()
    written(COD, LIGHT, BRIDGE)
    report = desk.up()
    assert (len(report.added), len(report.unchanged), report.changed) == (1, 2, ())
    written(BRIDGE)
    report = desk.up(prune=True)
    assert (report.changed, len(report.removed)) == ((), 2)
    assert list(desk.live().values()) == [BRIDGE]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "x.csv",
            'id,text\n1,"{0}"\n2,"{1}"\n3,"{2}"\n',
            'id,text\n1,"{0}"\n2,"{1}\n3,"{2}"\n',
        ),
        ("x.jsonl", '{{"id":1,"text":"{0}"}}\n{{"id":2,"text":"{1}"}}\n', '\n{{"id":1,"text":"{0}"}}\n{{"id":2,"te\n'),
    ],
)
def test_prune_takes_nothing_out_of_a_file_that_could_not_be_read_whole(
    desk: Desk, name: str, before: str, after: str
) -> None:
    desk.put(name, before.format(LIGHT, BRIDGE, COD))
    had = len(desk.up().added)
    desk.put(name, after.format(LIGHT, BRIDGE, COD))
    report = desk.up(prune=True)
    assert report.failed
    assert report.removed == ()
    assert len(list(desk.store.library.articles())) == had


def test_a_broken_line_keeps_no_correction_of_another_out(desk: Desk) -> None:
    desk.put("x.jsonl", rows({"id": 1, "text": LIGHT}, {"id": 2, "text": BRIDGE}))
    desk.up()
    desk.put("x.jsonl", rows('{"id": 3, "te', {"id": 1, "text": LIGHT + CORRECTED}, {"id": 2, "text": BRIDGE}))
    report = desk.up()
    assert (len(report.failed), len(report.changed)) == (1, 1)
    assert LIGHT + CORRECTED in desk.live().values()
    assert not any(desk.store.library.sources.stale(one.id) for one in desk.store.library.articles())


def test_a_source_that_cannot_be_read_hides_no_other_of_the_same_article(desk: Desk) -> None:
    desk.put("a.md", at("https://e.org/1", LIGHT))
    desk.up()
    desk.put("b.md", at("https://e.org/1", LIGHT + CORRECTED))
    desk.put("a.md", "---\nurl: [\n---\n\nbroken")
    assert len(desk.up().changed) == 1
    (article,) = desk.store.library.articles()
    assert article.text == LIGHT + CORRECTED
    assert desk.store.library.sources.stale(article.id) is None


# captures and archives


class Writer(WARCWriter):  # type: ignore[misc]
    """Its own temporary files are never closed."""

    @staticmethod
    def _create_temp_file() -> BytesIO:
        return BytesIO()


def capture(path: Path, *pages: tuple[str, str, str]) -> None:
    """A web archive of (address, day, text)."""
    with path.open("wb") as stream:
        writer = Writer(stream, gzip=False)
        for address, day, text in pages:
            body = f"<html><body><article><p>{text}</p></article></body></html>".encode()
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                address,
                "response",
                payload=BytesIO(body),
                http_headers=headers,
                warc_headers_dict={"WARC-Date": f"{day}T00:00:00Z"},
            )
            writer.write_record(record)


def test_an_older_capture_replaces_no_newer_text(desk: Desk) -> None:
    old, new = LIGHT + " " + COD, LIGHT + " " + COD + CORRECTED
    capture(desk.folder / "new.warc", ("https://e.org/1", "2025-06-01", new))
    desk.up(desk.folder / "new.warc")
    capture(desk.folder / "old.warc", ("https://e.org/1", "2025-01-01", old))
    assert len(desk.up(desk.folder / "old.warc").unchanged) == 1
    assert [text.endswith("was so.") for text in desk.live().values()] == [True]


def test_of_two_captures_in_one_archive_the_later_counts(desk: Desk) -> None:
    old, new = LIGHT + " " + COD, LIGHT + " " + COD + CORRECTED
    capture(desk.folder / "two.warc", ("https://e.org/1", "2025-01-01", old), ("https://e.org/1", "2025-06-01", new))
    for _ in range(2):
        assert desk.up().failed == ()
        assert [text.endswith("was so.") for text in desk.live().values()] == [True]


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_of_one_name_the_last_counts(desk: Desk, kind: str) -> None:
    if kind == "tar":
        with tarfile.open(desk.folder / "a.tar", "w") as tar:
            for text in (LIGHT, LIGHT + CORRECTED):
                info = tarfile.TarInfo("x.txt")
                info.size = len(text)
                tar.addfile(info, BytesIO(text.encode()))
    else:
        with zipfile.ZipFile(desk.folder / "a.zip", "w") as archive:
            for text in (LIGHT, LIGHT + CORRECTED):
                archive.writestr("x.txt", text)
    assert desk.up().failed == ()
    assert list(desk.live().values()) == [LIGHT + CORRECTED]


# what was taken out


def renamed(desk: Desk) -> None:
    desk.move("a.md", "b.md")


def addressed(desk: Desk) -> None:
    desk.put("a.md", at("https://e.org/1", LIGHT))


def edited(desk: Desk) -> None:
    desk.put("a.md", LIGHT + CORRECTED)


@pytest.mark.parametrize("change", [renamed, addressed, edited])
def test_what_was_taken_out_by_hand_stays_out(desk: Desk, change: Callable[[Desk], None]) -> None:
    desk.put("a.md", LIGHT)
    desk.up()
    desk.bar("a.md")
    change(desk)
    for _ in range(3):
        report = desk.up()
        assert (report.added, len(report.still_removed)) == ((), 1)
    assert desk.live() == {}


def test_another_article_where_a_barred_one_lay_goes_in(desk: Desk) -> None:
    desk.put("a.txt", LIGHT)
    desk.up()
    desk.bar("a.txt")
    desk.move("a.txt", "b.txt")
    desk.up()
    desk.put("a.txt", BRIDGE)
    report = desk.up()
    assert (desk.named(report.added), desk.named(report.still_removed)) == (["a.txt"], ["b.txt"])
    assert desk.live() == {"a.txt": BRIDGE}


def test_prune_of_one_folder_leaves_what_another_holds_too(desk: Desk) -> None:
    desk.put("one/a.md", at("https://e.org/1", LIGHT))
    desk.put("two/b.md", at("https://e.org/1", LIGHT))
    desk.up(desk.folder / "one")
    desk.up(desk.folder / "two")
    (desk.folder / "two" / "b.md").unlink()
    desk.put("two/c.txt", BRIDGE)
    assert desk.up(desk.folder / "two", prune=True).removed == ()


def test_prune_of_a_folder_leaves_a_file_beside_it(desk: Desk) -> None:
    desk.put("a/x.txt", LIGHT)
    desk.put("a#b.txt", BRIDGE)
    desk.up()
    assert desk.up(desk.folder / "a", prune=True).removed == ()
    assert len(desk.live()) == 2
