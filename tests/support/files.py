"""Whole files of each format, and broken ones."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pypdf
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

PLACES = ["Norholm", "Sandby", "Vester", "Lund", "Kragø", "Östra", "Hallby", "Strand", "Birkenes", "Tofte"]


def _text(number: int) -> str:
    place = PLACES[number % 10]
    return (
        f"The ferry to {place} carried {number} people on Monday, its owner said. "
        f"The mayor of {place} hopes for {number + 7} more in the week that follows."
    )


def _page(text: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><title>Ferry</title></head><body><article><p>{text}</p>'
        f"<p>{text.replace('Monday', 'Friday')}</p><p>{text.replace('Monday', 'Sunday')}</p></article></body></html>"
    ).encode()


def _docx(text: str) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    document.add_paragraph(text)
    document.save(file)
    return file.getvalue()


def _pdf(text: str, password: str = "") -> bytes:
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    page = writer.add_blank_page(600, 800)
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F 12 Tf 40 700 Td ({text[:90]}) Tj ET".encode("latin-1", "replace") if text else b"")
    page[NameObject("/Contents")] = writer._add_object(stream)
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    named = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F"): writer._add_object(named)})}
    )
    if password:
        writer.encrypt(password, algorithm="AES-256")
    writer.write(file)
    return file.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _cut_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = 200_000
        archive.addfile(member, io.BytesIO(random.Random(1).randbytes(200_000)))
    return file.getvalue()[:50_000]


GOOD: dict[str, Callable[[str], bytes]] = {
    "txt": str.encode,
    "md": lambda text: f"---\ntitle: Ferry\nlang: en\n---\n\n{text}".encode(),
    "html": _page,
    "docx": _docx,
    "pdf": _pdf,
    "eml": lambda text: (
        "From: Ada <ada@example.org>\nTo: b@example.org\nSubject: Ferry\n"
        f"Date: Mon, 1 Jan 2024 10:00:00 +0000\n\n{text}\n"
    ).encode(),
    "rtf": lambda text: rf"{{\rtf1\ansi {text}\par}}".replace("ø", "o").replace("Ö", "O").encode(),
    "jsonl": lambda text: f'{{"text": "{text}", "lang": "en"}}\n'.encode(),
}


# name, content: one article's worth each, that holds none
BAD: list[tuple[str, Callable[[], bytes]]] = [
    ("empty.txt", lambda: b""),
    ("blank.txt", lambda: b" \n\t\n"),
    ("picture.txt", lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4),
    ("random.md", lambda: random.Random(2).randbytes(3000)),
    ("nul.txt", lambda: b"some text\0with nothing\0in it, and no UTF-16 either"),
    ("mixed.txt", lambda: "Паром пришёл утром. ".encode() * 20 + "Мэр ждёт ещё людей. ".encode("cp1251") * 20),
    ("cut.pdf", lambda: _pdf(_text(1))[:400]),
    ("locked.pdf", lambda: _pdf(_text(2), "secret")),
    ("scanned.pdf", lambda: _pdf("")),
    ("cut.docx", lambda: _docx(_text(3))[:2000]),
    ("bomb.docx", lambda: _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": bytes(250_000_000)})),
    ("table.docx", lambda: _zip({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})),
    ("old.doc", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000)),
    ("nothing.html", lambda: b"<!doctype html><html><body></body></html>"),
    ("nested.html", lambda: b"<!doctype html><html><body>" + b"<div>" * 50_000 + b"x" + b"</div>" * 50_000),
    ("front.md", lambda: b"---\npublished: last week\n---\n\nText."),
    ("line.jsonl", lambda: b'{"text": "cut'),
    ("columns.csv", lambda: b"name,size\nferry,40\n"),
    ("cut.tar.gz", _cut_tar),
    ("feed.xml", lambda: b'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title></channel></rss>'),
]


def fill(folder: Path, files: int, broken: int) -> dict[str, str]:
    """Writes the files; the broken ones by name, each with its way."""
    made = {}
    for number in range(broken):
        name, content = BAD[number % len(BAD)]
        (folder / f"broken{number}-{name}").write_bytes(content())
        made[f"broken{number}-{name}"] = name
    for number in range(files - broken):
        ending = list(GOOD)[number % len(GOOD)]
        (folder / f"good{number}.{ending}").write_bytes(GOOD[ending](_text(number)))
    return made
