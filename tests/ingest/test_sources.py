"""Walking the sources: files, folders, archives, addresses, feeds; what is given, what fails and why."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingest.document import Document, Failure, FetchInfo, Item, Unchanged
from ingest.fetching import Fetcher
from ingest.finding import SourceWalker
from language import Message, verbatim
from tests.support.site import PAGE, TEXT, Site

Write = Callable[[str, str | bytes], Path]
Answer = tuple[int, dict[str, str], bytes]

RUSSIAN = "Мэр Ильза Брандт заявила, что ремонт моста займёт не менее трёх месяцев. Паром ходит каждые полчаса."
OFFLINE = Fetcher(delay_seconds=0)


def never(_: str) -> FetchInfo | None:
    return None


def walk(*sources: str | Path, fetcher: Fetcher = OFFLINE, last: Mapping[str, FetchInfo] | None = None) -> list[Item]:
    return list(SourceWalker([str(source) for source in sources], fetcher=fetcher, last_fetch=(last or {}).get))


def documents(items: list[Item]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def failures(items: list[Item]) -> list[Failure]:
    return [item for item in items if isinstance(item, Failure)]


def names(items: list[Item]) -> list[str]:
    """Of the documents, without their folders."""
    return [document.source.rpartition("/")[2] for document in documents(items)]


def the_failure(items: list[Item]) -> Failure:
    (failure,) = failures(items)
    assert "\n" not in failure.reason
    return failure


# ---- files and folders


def test_a_file_is_one_document_with_its_bytes_and_its_whole_path(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("ferry.txt", TEXT)
    monkeypatch.chdir(tmp_path)
    assert walk("articles/ferry.txt") == [Document(str(tmp_path / "articles/ferry.txt"), TEXT.encode(), "text")]


def test_a_folder_is_walked_in_order_without_what_is_hidden_or_a_librarys_own(write: Write, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "deep/c.html", ".hidden.txt", ".git/d.txt", "data/library.db", "data/e.txt"):
        write(name, PAGE if name.endswith("html") else TEXT)
    items = walk(tmp_path / "articles")
    assert names(items) == ["a.txt", "b.txt", "c.html"]
    assert not failures(items)


def test_a_file_named_twice_is_read_once(write: Write, tmp_path: Path) -> None:
    path = write("deep/ferry.txt", TEXT)
    folder = tmp_path / "articles"
    assert len(walk(path, path, folder, folder / "deep", folder / "deep" / ".." / "deep")) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("/no/such/thing", "there is no such file or folder"),
        ("", "there is no such file or folder"),
        ("nul\0in it", "there is no such file or folder"),
        ("lone \ud800 half", "there is no such file or folder"),
        ("ftp://example.org/a.txt", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("javascript:alert(1)", "http:// or https://"),
        ("http://", "not the name of a host"),
        ("x" * 5000, "too long"),
    ],
)
def test_what_is_no_source_fails_with_the_reason(source: str, reason: str) -> None:
    assert reason in the_failure(walk(source)).reason


def test_an_empty_folder_fails(tmp_path: Path) -> None:
    assert the_failure(walk(tmp_path)) == Failure(str(tmp_path), Message("the folder holds no files"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_may_not_be_read_fails(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    assert the_failure(walk(tmp_path)) == Failure(
        str(tmp_path / "shut"), verbatim("can't be read: “Permission denied”")
    )


def test_links_are_followed_to_files_in_the_folder_and_nowhere_else(write: Write, tmp_path: Path) -> None:
    ferry = write("ferry.txt", TEXT)
    write(".annex/bridge.txt", TEXT)
    outside = tmp_path / "secret.txt"
    outside.write_text("secret")
    folder = ferry.parent
    for name, target in {
        "again.txt": ferry,
        "bridge.txt": folder / ".annex" / "bridge.txt",
        "out.txt": outside,
        "broken.txt": folder / "gone.txt",
        "loop.txt": folder / "loop.txt",
        "around": folder,
    }.items():
        (folder / name).symlink_to(target)
    items = walk(folder)
    assert names(items) == ["ferry.txt", "bridge.txt"]
    assert {Path(one.source).name: one.reason for one in failures(items)} == {
        "around": "a link to a folder: give the folder itself",
        "broken.txt": "not an ordinary file",
        "loop.txt": "not an ordinary file",
        "out.txt": "a link that leads out of the folder",
    }


@pytest.mark.timeout(10)
def test_pipes_and_sockets_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    os.mkfifo("pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.txt")
        assert [one.reason for one in failures(walk(tmp_path, "/dev/zero"))] == ["not an ordinary file"] * 3


def test_a_name_that_is_not_utf_8_fails_under_a_readable_one(write: Write, tmp_path: Path) -> None:
    write("good.txt", TEXT)
    with open(os.fsencode(tmp_path / "articles") + b"/\xec\xee\xf1\xf2.txt", "w") as file:
        file.write(TEXT)
    items = walk(tmp_path / "articles")
    assert names(items) == ["good.txt"]
    assert the_failure(items).reason == "its name is not UTF-8: rename it"
    assert the_failure(items).source.endswith("/\ufffd\ufffd\ufffd\ufffd.txt")


def test_a_file_too_large_for_a_document_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    path.write_text(TEXT * 1000)
    os.truncate(path, 10_000_000_000)
    tracemalloc.start()
    items = walk(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert the_failure(items)
    assert peak < 20_000_000


def test_progress_ends_at_the_total(write: Write, tmp_path: Path) -> None:
    write("a.txt", TEXT)
    write("b.jsonl", '{"text": "one"}\n{"text": "two"}\n')
    write("c.txt", b"\0\0\0")
    write("d.zip", zipped({"e.txt": TEXT}))
    sources = SourceWalker([str(tmp_path / "articles")], fetcher=OFFLINE, last_fetch=never)
    seen = [sources.done for _ in sources]
    assert seen == sorted(seen)
    assert sources.done == sources.total == sum(path.stat().st_size for path in (tmp_path / "articles").iterdir())


def test_what_cannot_be_read_does_not_keep_the_rest_out(write: Write, tmp_path: Path) -> None:
    for name in ("broken.zip", "broken.docx", "broken.warc", "broken.tar.gz", "picture.txt", "broken.xml"):
        write(name, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4)
    write("good.txt", TEXT)
    items = walk(tmp_path / "articles")
    assert names(items) == ["good.txt"]
    assert len(failures(items)) == 6


# ---- lines


def test_each_line_that_is_not_blank_is_a_record(write: Write) -> None:
    path = write("many.jsonl", '{"text": "one"}\r\n\n  \n{"text": "two"}')
    assert walk(path) == [
        Document(f"{path}#1", b'{"text": "one"}', "record"),
        Document(f"{path}#4", b'{"text": "two"}', "record"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-r"])
def test_lines_in_any_encoding_come_as_utf_8(write: Write, encoding: str) -> None:
    line = json.dumps({"text": f"{RUSSIAN} Ċ"[: -2 if len("я".encode(encoding)) == 1 else None]}, ensure_ascii=False)
    path = write("many.jsonl", f"{line}\n{line}\n".encode(encoding))
    assert [document.raw.decode() for document in documents(walk(path))] == [line, line]


def test_a_damaged_line_fails_and_the_next_are_read(write: Write) -> None:
    line = json.dumps({"text": RUSSIAN}, ensure_ascii=False).encode()
    path = write("many.jsonl", b"\n".join([line] * 2000 + [line[:40] + b"\xff\xfe\xff" + line[40:], line]))
    items = walk(path)
    assert names(items)[-1] == "many.jsonl#2002"
    assert len(documents(items)) == 2001
    assert the_failure(items).source == f"{path}#2001"


def test_a_line_of_another_encoding_is_read_as_what_it_is(write: Write) -> None:
    line = json.dumps({"text": RUSSIAN}, ensure_ascii=False)
    path = write("many.jsonl", b"\n".join([line.encode("cp1251")] * 3000 + [line.encode()]))
    assert {document.raw.decode() for document in documents(walk(path))} == {line}


def test_a_line_too_large_is_passed_by_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    line = b'{"text": "' + b"short " * 30 + b'"}\n'
    with path.open("wb") as file:
        file.write(line * 100)
        file.write(b'{"text": "' + b"long " * 11_000_000 + b'"}\n')
        file.write(line * 25_000)
    assert path.stat().st_size > 59_000_000
    tracemalloc.start()
    found = 0
    failed = []
    for item in SourceWalker([str(path)], fetcher=OFFLINE, last_fetch=never):
        found += isinstance(item, Document)
        failed += [item] if isinstance(item, Failure) else []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 25_100
    assert failed == [Failure(f"{path}#101", verbatim("a line larger than 50 MB"))]
    assert peak < 65_000_000


@pytest.mark.parametrize("content", [b"", b" \n\n "])
def test_lines_with_nothing_in_them_fail(write: Write, content: bytes) -> None:
    assert the_failure(walk(write("many.jsonl", content))).reason == "empty"


# ---- tables


def records(items: list[Item]) -> list[dict[str, str]]:
    return [json.loads(document.raw) for document in documents(items) if document.kind == "record"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_gives_a_record_a_row_by_the_names_of_its_columns(write: Write, delimiter: str) -> None:
    rows = [
        ["Headline", "Link", "Body", "Site", "Date", "Language", "Creator", "Updated", "License", "Colour"],
        ["One", "https://example.org/1", "First, he said; then", "Post", "2024-01-02", "en", "A", "2025", "CC0", "red"],
        ["Two", "", "Second", "", "", "", "", "", "", ""],
    ]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    path = write("table.tsv" if delimiter == "\t" else "table.csv", text)
    items = walk(path)
    assert [document.source for document in documents(items)] == [f"{path}#2", f"{path}#3"]
    assert records(items) == [
        {
            "title": "One",
            "url": "https://example.org/1",
            "text": "First, he said; then",
            "publisher": "Post",
            "published": "2024-01-02",
            "lang": "en",
            "author": "A",
            "modified": "2025",
            "licence": "CC0",
        },
        {"title": "Two", "text": "Second"},
    ]


def test_a_cell_may_hold_lines_and_the_row_is_named_by_its_first(write: Write) -> None:
    path = write("table.csv", 'title,text\r\nOne,"a ""b""\r\n\r\nc"\r\nTwo,d\r\n')
    items = walk(path)
    assert [document.source for document in documents(items)] == [f"{path}#2", f"{path}#5"]
    assert [record["text"] for record in records(items)] == ['a "b"\r\n\r\nc', "d"]


def test_a_table_without_a_text_names_its_columns(write: Write) -> None:
    reason = the_failure(walk(write("table.csv", "name;age\nIlse;40\nJan;50\n"))).reason
    assert "text, content or body" in reason
    assert "name, age" in reason


def test_a_broken_row_fails_and_the_next_are_read(write: Write) -> None:
    path = write("table.csv", 'title,text\nOne,cut, here\nTwo\nThree,"no" end\nFour,whole\n,,\nFive,"open\n')
    items = walk(path)
    assert [record["title"] for record in records(items)] == ["Four"]
    assert [one.source.rpartition("#")[2] for one in failures(items)] == ["2", "3", "4", "7"]


def test_a_table_in_a_code_page_is_read(write: Write) -> None:
    path = write("table.csv", f"title;text\nМост;{RUSSIAN}\nПаром;{RUSSIAN}\n".encode("cp1251"))
    assert [record["text"] for record in records(walk(path))] == [RUSSIAN, RUSSIAN]


def test_an_open_quotation_mark_takes_no_more_than_a_document(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b'title,text\nOne,"open\n' + (b"words " * 160_000 + b"\n") * 54 + b"Two,good\n")
    items = walk(path)
    assert [record["title"] for record in records(items)] == ["Two"]
    assert failures(items)[0].source == f"{path}#2"
    assert "a quotation mark is open" in failures(items)[0].reason


# ---- archives


def zipped(members: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: Mapping[str, str | bytes], *others: tarfile.TarInfo) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            raw = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
        for other in others:
            archive.addfile(other)
    return file.getvalue()


MEMBERS: dict[str, str | bytes] = {
    "a/ferry.txt": TEXT,
    "a/bridge.html": PAGE,
    "many.jsonl": '{"text": "one"}\n{"text": "two"}\n',
    "table.csv": "title,text\nOne,Two\n",
    ".hidden.txt": TEXT,
    "__MACOSX/a/._ferry.txt": b"\0\5\x16\7",
}
INSIDE = ["a/ferry.txt", "a/bridge.html", "many.jsonl#1", "many.jsonl#2", "table.csv#2"]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("all.zip", lambda: zipped(MEMBERS)),
        ("stored.zip", lambda: zipped(MEMBERS, zipfile.ZIP_STORED)),
        ("all.tar", lambda: tarred(MEMBERS)),
        ("all.tar.gz", lambda: gzip.compress(tarred(MEMBERS))),
        ("all.tar.bz2", lambda: bz2.compress(tarred(MEMBERS))),
        ("all.tar.xz", lambda: lzma.compress(tarred(MEMBERS))),
    ],
)
def test_members_of_an_archive_are_documents_of_their_own_kinds(
    write: Write, name: str, pack: Callable[[], bytes]
) -> None:
    path = write(name, pack())
    items = walk(path)
    assert [document.source for document in documents(items)] == [f"{path}!{member}" for member in INSIDE]
    assert [document.kind for document in documents(items)] == ["text", "html", "record", "record", "record"]
    assert not failures(items)


def test_links_folders_and_devices_in_a_tar_are_passed_over(write: Write) -> None:
    others = []
    for number, kind in enumerate(
        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
    ):
        other = tarfile.TarInfo(f"other{number}.txt")
        other.type, other.linkname = kind, "/etc/passwd"
        others.append(other)
    assert names(walk(write("all.tar", tarred({"ferry.txt": TEXT}, *others)))) == ["all.tar!ferry.txt"]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_odd_names_are_only_names_and_nothing_is_written(
    write: Write, tmp_path: Path, pack: Callable[[Mapping[str, str | bytes]], bytes]
) -> None:
    odd = ["../../up.txt", f"{'x' * 300}.txt", "/etc/new.txt", "C:\\new.txt", "two\nlines.txt"]
    path = write("odd.zip" if pack is zipped else "odd.tar", pack(dict.fromkeys(odd, TEXT)))
    before = sorted(tmp_path.rglob("*"))
    found = [document.source.removeprefix(f"{path}!") for document in documents(walk(path))]
    assert found == [name.replace("\n", "\ufffd") for name in odd]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "page"),
    [("Мост и паром.txt", "cp866"), ("Größe.txt", "cp437"), ("Паром.txt", "cp1251"), ("Мост.txt", "utf-8")],
)
def test_names_in_zips_of_old_windows_are_read_right(write: Write, name: str, page: str) -> None:
    written = name.encode(page)
    raw = zipped({"x" * len(written): TEXT}).replace(b"x" * len(written), written)
    path = write("old.zip", raw)
    assert [document.source for document in documents(walk(path))] == [f"{path}!{name}"]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"inner.zip": zipped({"a.txt": TEXT})}, "an archive in an archive"),
        ({"inner.tar.gz": gzip.compress(tarred({"a.txt": TEXT}))}, "an archive in an archive"),
        ({"huge.txt": b"word " * 10_000_001}, "larger than 50 MB"),
        ({"picture.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(256)}, ""),
    ],
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_member_that_cannot_be_read_fails_and_the_rest_goes_in(
    write: Write, pack: Callable[[Mapping[str, str | bytes]], bytes], members: Mapping[str, bytes], reason: str
) -> None:
    name = "all.zip" if pack is zipped else "all.tar"
    items = walk(write(name, pack({**members, "good.txt": TEXT})))
    assert names(items) == [f"{name}!good.txt"]
    assert the_failure(items).source.endswith(f"{name}!{next(iter(members))}")
    assert reason in the_failure(items).reason


def test_a_member_under_a_password_is_named(write: Write) -> None:
    raw = bytearray(zipped({"secret.txt": TEXT, "open.txt": TEXT}))
    raw[6] |= 1  # in its own header and in the list of all
    raw[raw.index(b"PK\1\2") + 8] |= 1
    items = walk(write("locked.zip", bytes(raw)))
    assert names(items) == ["locked.zip!open.txt"]
    assert the_failure(items).reason == "protected by a password"


@cache
def bomb(pieces: int = 130, piece: int = 1_000_000) -> bytes:
    return tarred({f"{number}.txt": b"a" * piece for number in range(pieces)})


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("bomb.zip", lambda: zipped({f"{number}.txt": b"a" * 1_000_000 for number in range(130)})),
        ("bomb.tar.gz", lambda: gzip.compress(bomb())),
        ("bomb.tar.bz2", lambda: bz2.compress(bomb(), 1)),
        ("bomb.tar.xz", lambda: lzma.compress(bomb(), preset=0)),
    ],
)
def test_a_bomb_is_named_in_bounded_time(write: Write, name: str, pack: Callable[[], bytes]) -> None:
    path = write(name, pack())
    one = the_failure(walk(path))
    assert one.source == str(path)
    assert "made to fill up memory" in one.reason


def test_a_zip_that_declares_too_much_is_not_unpacked(write: Write) -> None:
    raw = bytearray(zipped({f"{number}.txt": TEXT for number in range(3)}))
    place = -1
    for _ in range(3):
        place = raw.index(b"PK\1\2", place + 1)
        raw[place + 24 : place + 28] = (900_000_000).to_bytes(4, "little")
    items = walk(write("bomb.zip", bytes(raw)))
    assert not documents(items)
    assert "made to fill up memory" in the_failure(items).reason


def test_an_xz_that_asks_for_much_memory_is_refused(write: Write) -> None:
    small = lzma.compress(tarred({"a.txt": TEXT}))
    path = write("all.tar.xz", with_dictionary(small, 36))
    items = walk(path)
    assert not documents(items)
    assert the_failure(items).source == str(path)


def with_dictionary(packed: bytes, size: int) -> bytes:
    """An xz file whose block says that it needs a dictionary of 2**(size / 2 + 12) bytes."""
    import zlib

    raw = bytearray(packed)
    length = (raw[12] + 1) * 4
    place = raw.index(b"\x21\x01", 12) + 2
    raw[place] = size
    raw[12 + length - 4 : 12 + length] = zlib.crc32(raw[12 : 12 + length - 4]).to_bytes(4, "little")
    return bytes(raw)


def test_a_damaged_member_of_a_zip_fails_and_the_rest_goes_in(write: Write) -> None:
    raw = bytearray(zipped({"a.txt": TEXT, "b.txt": TEXT}, zipfile.ZIP_STORED))
    raw[raw.index(TEXT.encode()) + 5] ^= 1
    items = walk(write("all.zip", bytes(raw)))
    assert names(items) == ["all.zip!b.txt"]
    assert the_failure(items).source.endswith("all.zip!a.txt")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_that_is_cut_short_gives_what_is_whole(write: Write, pack: Callable[[bytes], bytes]) -> None:
    noise = b"".join(f"{number * 7919 % 10007} ".encode() for number in range(200_000))
    raw = tarred({"a.txt": TEXT, "b.txt": noise})
    packed = pack(raw)
    path = write("all.tar", packed[: len(packed) * 2 // 3])
    items = walk(path)
    assert set(names(items)) <= {"all.tar!a.txt"}
    assert the_failure(items).source == str(path)


def test_a_damaged_header_in_a_tar_is_no_silent_end(write: Write) -> None:
    raw = bytearray(tarred({"a.txt": TEXT, "b.txt": TEXT}))
    raw[1024 + 3] ^= 1
    items = walk(write("all.tar", bytes(raw)))
    assert names(items) == ["all.tar!a.txt"]
    assert "damaged" in the_failure(items).reason


@pytest.mark.parametrize("raw", [zipped({}), zipped({"folder/": ""}), tarred({".hidden": TEXT})])
def test_an_archive_with_no_files_fails(write: Write, raw: bytes) -> None:
    assert failures(walk(write("none.zip" if raw.startswith(b"PK") else "none.tar", raw)))


# ---- web archives


class Writer(WARCWriter):  # type: ignore[misc]
    """Its own temporary files are never closed."""

    @staticmethod
    def _create_temp_file() -> io.BytesIO:
        return io.BytesIO()


def web_archive(*records: tuple[str, str, str, bytes], packed: bool = True) -> bytes:
    """Records of (type, address, status and headers, body)."""
    file = io.BytesIO()
    writer = Writer(file, gzip=packed)
    writer.write_record(writer.create_warcinfo_record("test.warc", {"software": "test"}))
    for kind, address, head, body in records:
        status, *lines = head.split("\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        record = writer.create_warc_record(
            address,
            kind,
            payload=io.BytesIO(body),
            http_headers=StatusAndHeaders(status, headers, "HTTP/1.1") if status else None,
            warc_content_type=headers[0][1] if headers and not status else "",
            warc_headers_dict={"WARC-Date": "2024-05-06T07:08:09Z"},
        )
        writer.write_record(record)
    return file.getvalue()


HTML_HEAD = "200 OK\nContent-Type: text/html; charset=windows-1251"
KEPT = ("response", "https://example.org/ferry", HTML_HEAD, PAGE.encode())
CRAWL = (
    KEPT,
    ("request", "https://example.org/ferry", "GET /ferry HTTP/1.1", b""),
    ("response", "https://example.org/gone", "404 Not Found\nContent-Type: text/html", PAGE.encode()),
    ("response", "https://example.org/moved", "301 Moved\nContent-Type: text/html\nLocation: /", PAGE.encode()),
    ("response", "https://example.org/a.png", "200 OK\nContent-Type: image/png", b"\x89PNG\r\n\x1a\n" + bytes(99)),
    ("response", "https://example.org/a.css", "200 OK\nContent-Type: text/css", b"body { margin: 0 }"),
    ("response", "https://example.org/robots.txt", "200 OK\nContent-Type: text/plain", b"User-agent: *"),
    ("response", "https://example.org/plain", "200 OK\nContent-Type: text/plain", TEXT.encode()),
    ("resource", "https://example.org/kept", "\nContent-Type: text/html", PAGE.encode()),
)


@pytest.mark.parametrize("form", ["records", "plain", "one piece"])
def test_a_web_archive_gives_its_pages_with_their_addresses_and_times(write: Write, form: str) -> None:
    raw = web_archive(*CRAWL, packed=form == "records")
    path = write(
        "crawl.warc" if form == "plain" else "crawl.warc.gz", gzip.compress(raw) if form == "one piece" else raw
    )
    items = walk(path)
    assert not failures(items)
    assert [(document.source, document.kind) for document in documents(items)] == [
        ("https://example.org/ferry", "html"),
        ("https://example.org/plain", "text"),
        ("https://example.org/kept", "html"),
    ]
    page = documents(items)[0]
    assert (page.raw, page.charset) == (PAGE.encode(), "windows-1251")
    assert page.fetch_info == FetchInfo(page.source, page.source, "2024-05-06T07:08:09+00:00")


def test_bodies_in_a_web_archive_are_unpacked(write: Write) -> None:
    body = gzip.compress(PAGE.encode())
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:50], body[50:], b""))
    head = f"{HTML_HEAD}\nContent-Encoding: gzip"
    raw = web_archive(
        ("response", "https://example.org/1", head, body),
        ("response", "https://example.org/2", f"{head}\nTransfer-Encoding: chunked", chunked),
        ("response", "https://example.org/3", head, PAGE.encode()),
    )
    assert [document.raw for document in documents(walk(write("crawl.warc.gz", raw)))] == [PAGE.encode()] * 3


def test_a_packed_bomb_in_a_web_archive_fails(write: Write) -> None:
    head = f"{HTML_HEAD}\nContent-Encoding: gzip"
    bombed = ("response", "https://example.org/bomb", head, gzip.compress(bytes(60_000_000)))
    items = walk(write("crawl.warc.gz", web_archive(bombed, KEPT)))
    assert [document.source for document in documents(items)] == ["https://example.org/ferry"]
    assert the_failure(items).source == "https://example.org/bomb"


@pytest.mark.parametrize("packed", [True, False])
def test_a_web_archive_that_is_cut_short_gives_what_is_whole_and_prints_nothing(
    write: Write, capfd: pytest.CaptureFixture[str], packed: bool
) -> None:
    second = ("response", "https://example.org/with a space", HTML_HEAD, PAGE.encode() * 20)
    path = write("crawl.warc", web_archive(KEPT, second, packed=packed)[:-150])
    items = walk(path)
    assert [document.source for document in documents(items)] == ["https://example.org/ferry"]
    assert the_failure(items).source == str(path)
    assert capfd.readouterr() == ("", "")


# ---- addresses


def fetched(url: str, hours_ago: float = 1, etag: str = "") -> FetchInfo:
    return FetchInfo(url, url, (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat("T", "seconds"), etag)


def stamp(hours_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours_ago)).strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_an_address_is_a_document_that_says_how_it_was_fetched(site: Site, fetcher: Fetcher) -> None:
    site.responses["/old"] = (301, {"Location": "/ferry"}, b"")
    site.page("/ferry", content_type="text/html; charset=koi8-r", ETag='"1"')
    (page,) = documents(walk(f"{site.root}/old", fetcher=fetcher))
    assert (page.source, page.raw, page.kind, page.charset) == (f"{site.root}/old", PAGE.encode(), "html", "koi8-r")
    assert (info := page.fetch_info)
    assert (info.url, info.final_url, info.etag) == (page.source, f"{site.root}/ferry", '"1"')


def test_an_address_that_has_not_changed_is_asked_once_and_is_the_same(site: Site, fetcher: Fetcher) -> None:
    address = site.page("/ferry", ETag='"1"')
    items = walk(address, fetcher=fetcher, last={address: fetched(address, etag='"1"')})
    assert items == [Unchanged(address)]
    assert [(request.path, request.headers["if-none-match"]) for request in site.pages] == [("/ferry", '"1"')]


@pytest.mark.parametrize("status", [404, 410, 403, 500])
def test_a_page_that_is_not_given_fails(site: Site, fetcher: Fetcher, status: int) -> None:
    site.responses["/ferry"] = (status, {}, b"")
    assert the_failure(walk(f"{site.root}/ferry", fetcher=fetcher)).source == f"{site.root}/ferry"


def test_an_address_named_twice_is_fetched_once(site: Site, fetcher: Fetcher) -> None:
    address = site.page("/ferry")
    feed = site.page("/feed", rss((address, None), (f"{address}#comments", None)), "application/rss+xml")
    assert len(documents(walk(address, address, feed, fetcher=fetcher))) == 1
    assert site.asked == ["/ferry", "/feed"]


def test_lines_tables_and_archives_at_an_address_are_read_as_from_a_file(site: Site, fetcher: Fetcher) -> None:
    lines = site.page("/many.jsonl", '{"text": "one"}\n', "application/x-ndjson")
    table = site.page("/table.csv", "title,text\nOne,Two\n", "text/csv")
    packed = site.page("/all.zip", zipped({"ferry.txt": TEXT}), "application/zip")
    items = walk(lines, table, packed, fetcher=fetcher)
    assert [document.source for document in documents(items)] == [f"{lines}#1", f"{table}#2", f"{packed}!ferry.txt"]


def test_addresses_within_the_network_fail(site: Site) -> None:
    site.page("/ferry")
    assert "public internet" in the_failure(walk(f"{site.root}/ferry")).reason
    assert site.requests == []


# ---- feeds


def rss(*entries: tuple[str, str | None], extra: str = "") -> str:
    """A feed of (address, time)."""
    items = "".join(
        f"<item><title>T</title><link>{link}</link>{f'<pubDate>{time}</pubDate>' if time else ''}</item>"
        for link, time in entries
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>'
        f"<link>https://example.org/</link>{items}{extra}</channel></rss>"
    )


def test_the_articles_of_a_feed_are_fetched_and_links_seen_from_the_feed(site: Site, fetcher: Fetcher) -> None:
    one, two = site.page("/news/1"), site.page("/2")
    site.responses["/feed"] = (302, {"Location": "/news/feed.xml"}, b"")
    site.page(
        "/news/feed.xml",
        rss(("1", None), ("/2", None), (two, None), ("/3", None), extra="<item><guid>7</guid><link>1</link></item>"),
        "application/rss+xml",
    )
    items = walk(f"{site.root}/feed", fetcher=fetcher)
    assert [document.source for document in documents(items)] == [one, two]
    assert the_failure(items).source == f"{site.root}/3"
    assert site.asked == ["/feed", "/news/feed.xml", "/news/1", "/2", "/3"]


def test_entries_that_have_not_changed_since_are_the_same_without_a_request(site: Site, fetcher: Fetcher) -> None:
    old, new, unread = site.page("/old"), site.page("/new"), site.page("/unread")
    feed = site.page("/feed", rss((old, stamp(5)), (new, stamp(1)), (unread, stamp(5))), "application/rss+xml")
    items = walk(feed, fetcher=fetcher, last={old: fetched(old, 2), new: fetched(new, 2)})
    assert [item for item in items if isinstance(item, Unchanged)] == [Unchanged(old)]
    assert [document.source for document in documents(items)] == [new, unread]
    assert site.asked == ["/feed", "/new", "/unread"]


@pytest.mark.parametrize(
    "time",
    [None, stamp(-5), "yesterday", "Mon, 99 Foo 99999 99:99:99", "0000-00-00"],
    ids=["none", "tomorrow", "words", "day 99", "zeros"],
)
def test_dates_that_cannot_be_are_ignored(site: Site, fetcher: Fetcher, time: str | None) -> None:
    address = site.page("/ferry")
    feed = site.page("/feed", rss((address, time)), "application/rss+xml")
    walk(feed, fetcher=fetcher, last={address: fetched(address)})
    assert site.asked == ["/feed", "/ferry"]


def test_a_day_alone_may_be_its_last_minute(site: Site, fetcher: Fetcher) -> None:
    address = site.page("/ferry")
    day = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d")
    sitemap = site.page("/sitemap.xml", urls((address, day)), "application/xml")
    walk(sitemap, fetcher=fetcher, last={address: fetched(address, 0)})
    assert site.asked == ["/sitemap.xml", "/ferry"]


def test_the_later_of_an_entrys_times_counts(site: Site, fetcher: Fetcher) -> None:
    address = site.page("/ferry")
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>x</id><entry><id>1</id><title>T</title>'
        f'<link href="{address}"/><published>2020-01-01T01:01:01Z</published>'
        f"<updated>{(datetime.now(UTC) - timedelta(minutes=5)).isoformat()}</updated></entry></feed>"
    )
    feed = site.page("/feed", atom, "application/atom+xml")
    walk(feed, fetcher=fetcher, last={address: fetched(address)})
    assert site.asked == ["/feed", "/ferry"]


def test_an_entry_with_a_text_and_no_address_is_a_document(site: Site, fetcher: Fetcher) -> None:
    entry = (
        '<item><guid isPermaLink="false">n7</guid><title>A &amp; B</title><description>&lt;p&gt;Паром ходит.&lt;/p&gt;'
        "</description></item><item><title>Nothing</title></item>"
    )
    feed = site.page("/feed", rss(extra=entry), "application/rss+xml")
    items = walk(feed, fetcher=fetcher)
    (document,) = documents(items)
    assert (document.source, document.kind, document.fetch_info) == (f"{feed}#n7", "html", None)
    assert "<p>Паром ходит.</p>" in document.raw.decode()
    assert "<title>A &amp; B</title>" in document.raw.decode()
    assert the_failure(items).source == f"{feed}#Nothing"


def test_a_feed_that_is_not_well_formed_but_readable_goes_in(site: Site, fetcher: Fetcher) -> None:
    site.page("/1")
    feed = site.page("/feed", rss(("/1", None)).replace("News", "News & more <br> &nbsp;")[:-6], "application/rss+xml")
    assert len(documents(walk(feed, fetcher=fetcher))) == 1


def test_a_feed_in_a_code_page_is_read_right(site: Site, fetcher: Fetcher) -> None:
    body = rss(extra=f"<item><guid>1</guid><description>{RUSSIAN}</description></item>")
    declared = body.replace('version="1.0"', 'version="1.0" encoding="windows-1251"').encode("cp1251")
    feed = site.page("/feed", declared, "application/rss+xml; charset=utf-8")
    assert RUSSIAN in documents(walk(feed, fetcher=fetcher))[0].raw.decode()


def test_an_endless_feed_ends(site: Site, fetcher: Fetcher) -> None:
    site.page("/1")
    feed = site.page("/feed", rss(*[("/1", None)] * 6000), "application/rss+xml")
    items = walk(feed, fetcher=fetcher)
    assert "endless" in the_failure(items).reason
    assert site.asked == ["/feed", "/1"]


@pytest.mark.parametrize("name", ["feed.xml", "all.zip", "sitemap.xml", "list.txt"])
def test_nothing_in_a_folder_or_an_archive_makes_it_fetch(
    site: Site, fetcher: Fetcher, write: Write, tmp_path: Path, name: str
) -> None:
    address = site.page("/ferry")
    contents: dict[str, str | bytes] = {
        "feed.xml": rss((address, None)),
        "sitemap.xml": urls((address, "")),
        "list.txt": f"{address}\n{address}?2\n{address}?3\n",
    }
    contents["all.zip"] = zipped({"feed.xml": contents["feed.xml"]})
    path = write(name, contents[name])
    assert "name it as a source of its own" in the_failure(walk(tmp_path / "articles", fetcher=fetcher)).reason
    assert site.requests == []
    if name != "all.zip":
        assert len(documents(walk(tmp_path / "articles", path, fetcher=fetcher))) in (1, 3)


def test_a_feed_in_a_feed_is_not_followed(site: Site, fetcher: Fetcher) -> None:
    site.page("/1")
    inner = site.page("/inner", rss(("/1", None)), "application/rss+xml")
    feed = site.page("/feed", rss((inner, None)), "application/rss+xml")
    assert the_failure(walk(feed, fetcher=fetcher)).source == inner
    assert site.asked == ["/feed", "/inner"]


def test_links_that_are_no_web_addresses_fail(site: Site, fetcher: Fetcher) -> None:
    feed = site.page("/feed", rss(("file:///etc/passwd", None), ("javascript:alert(1)", None)), "application/rss+xml")
    assert len(failures(walk(feed, fetcher=fetcher))) == 2
    assert site.asked == ["/feed"]


# ---- sitemaps and lists


def urls(*entries: tuple[str, str]) -> str:
    listed = "".join(f"<url><loc> {link} </loc><lastmod>{time}</lastmod></url>" for link, time in entries)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
    )


def index(*links: str) -> str:
    listed = "".join(f"<sitemap><loc>{link}</loc></sitemap>" for link in links)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</sitemapindex>'


def test_a_sitemap_is_followed_by_its_dates(site: Site, fetcher: Fetcher) -> None:
    old, new = site.page("/old"), site.page("/new")
    time = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    sitemap = site.page("/sitemap.xml", urls((old, "2020-02-02"), (new, time)), "application/xml")
    items = walk(sitemap, fetcher=fetcher, last={old: fetched(old), new: fetched(new)})
    assert [type(item) for item in items] == [Unchanged, Document]
    assert site.asked == ["/sitemap.xml", "/new"]


def test_sitemaps_of_sitemaps_are_followed_two_deep(site: Site, fetcher: Fetcher) -> None:
    site.page("/1")
    site.page("/c.xml", urls((f"{site.root}/1", "")), "application/xml")
    site.page("/b.xml", index(f"{site.root}/c.xml"), "application/xml")
    site.page("/a.xml", index(f"{site.root}/b.xml", f"{site.root}/a.xml"), "application/xml")
    site.page("/0.xml", index(f"{site.root}/a.xml"), "application/xml")
    assert [d.source for d in documents(walk(f"{site.root}/a.xml", fetcher=fetcher))] == [f"{site.root}/1"]
    assert "deep" in the_failure(walk(f"{site.root}/0.xml", fetcher=fetcher)).reason


def test_entities_in_sitemaps_and_feeds_are_not_followed(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("/secret")
    head = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}"><!ENTITY a "/ferry"><!ENTITY b "{"&a;" * 10}">]>'
    sitemap = site.page("/sitemap.xml", urls((f"{site.root}&e;", "")).replace("?>", f"?>{head}"), "application/xml")
    feed = site.page("/feed", rss((f"{site.root}/x&e;", None)).replace("?>", f"?>{head}"), "application/rss+xml")
    walk(sitemap, feed, fetcher=fetcher)
    assert not [path for path in site.asked if "secret" in path]


def test_a_damaged_sitemap_gives_what_comes_before(site: Site, fetcher: Fetcher) -> None:
    address = site.page("/1")
    sitemap = site.page("/sitemap.xml", urls((address, ""), (address, ""))[:-40], "application/xml")
    items = walk(sitemap, fetcher=fetcher)
    assert [document.source for document in documents(items)] == [address]
    assert "damaged" in the_failure(items).reason


def test_a_packed_sitemap_is_unpacked(site: Site, fetcher: Fetcher) -> None:
    address = site.page("/1")
    packed = gzip.compress(urls((address, "")).encode())
    sitemap = site.page("/sitemap.xml.gz", packed, "application/gzip")
    top = site.page("/index.xml", index(sitemap), "application/xml")
    assert [document.source for document in documents(walk(top, fetcher=fetcher))] == [address]


def test_more_addresses_than_a_sitemap_may_have_are_left_out(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{site.page('/1')}\n" * 50_001)
    items = walk(path, fetcher=fetcher)
    assert len(documents(items)) == 1
    assert the_failure(items) == Failure(str(path), verbatim("it has more than 50,000 URLs: the rest is left out"))


def test_a_list_of_addresses_is_followed(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    one, two = site.page("/1"), site.page("/2")
    path = tmp_path / "list.txt"
    path.write_text(f"# what to read\n{one}\n\n{two}\n{one}\n")
    assert [document.source for document in documents(walk(path, fetcher=fetcher))] == [one, two]


def test_progress_counts_the_addresses_of_a_list(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    one = site.page("/1")
    path = tmp_path / "list.txt"
    path.write_text(f"{one}\n{site.root}/2\n")
    sources = SourceWalker([str(path)], fetcher=fetcher, last_fetch=never)
    seen = [sources.done for _ in sources]
    assert seen == [path.stat().st_size + 100_000, path.stat().st_size + 200_000]
    assert sources.done == sources.total
