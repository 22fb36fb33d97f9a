"""The bytes of one document: what is read in them, what is refused, and in which words."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, Literal, cast

import pytest

from ingest.document import MAX_BYTES, Document, DocumentKind, Extract, FetchInfo, UnreadableError
from ingest.formats import READER_VERSION, extract
from ingest.formats.decoding import decode, plain
from ingest.formats.detection import detect_kind
from tests.support.program import ROOT

RUSSIAN = (
    "Мэр Ильза Брандт заявила, что ремонт моста займёт не менее трёх месяцев. Паром ходит каждые полчаса, "
    "сообщил городской совет. Свидетели говорят, что трещины появились ещё весной; газета писала об этом в марте."
)
BELARUSIAN = (
    "Мост праз пратоку ў Нархольме зачынілі ў пятніцу. Інжынеры знайшлі ў ім расколіны, і цяпер людзей возіць паром. "
    "Рамонт зойме не менш за тры месяцы, кажа гарадская рада. Білет каштуе столькі ж, колькі і раней."
)
ENGLISH = (
    "The old bridge at Norholm was closed on Friday after engineers found cracks in two of its pillars.",
    "Mayor Ilse Brandt said that the repair would take at least three months and cost 2 million crowns.",
    "Until then a ferry will carry cars across the strait every half hour, the council announced.",
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def read(raw: bytes | str, kind: DocumentKind, *, charset: str = "", info: FetchInfo | None = None) -> Extract:
    raw = raw.encode() if isinstance(raw, str) else raw
    return extract(Document("source", raw, kind, charset, info))


def reason(raw: bytes | str, kind: DocumentKind) -> str:
    """Why something can't be read, after a look that it is one line."""
    with pytest.raises(UnreadableError) as caught:
        read(raw, kind)
    said = str(caught.value)
    assert said
    assert "\n" not in said
    assert len(said) < 250
    return said


def kind(raw: bytes | str, name: str = "file", content_type: str = "") -> str:
    file = io.BytesIO(raw.encode() if isinstance(raw, str) else raw)
    try:
        return detect_kind(file, name, content_type)
    finally:
        assert file.tell() == 0


def unkind(raw: bytes | str, name: str = "file") -> str:
    with pytest.raises(UnreadableError) as caught:
        kind(raw, name)
    return str(caught.value)


def packed(members: Mapping[str, bytes | str], *, stored: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


# --- decoding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251", "koi8_r", "cp866"],
)
def test_cyrillic_is_read_exactly_in_every_encoding_it_comes_in(encoding: str) -> None:
    assert plain(decode(RUSSIAN.encode(encoding))) == RUSSIAN


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Łódź: prezydent miasta ogłosiła, że most będzie zamknięty do końca września.", "cp1250"),
        ("Tiltas Šiauliuose uždarytas: inžinieriai rado įtrūkimų dviejuose stulpuose, sakė merė.", "cp1257"),
        ("D'après la mairie, le pont rénové sera fermé jusqu'à l'été; c'était prévu.", "cp1252"),
        ("Die Brücke bleibt für Fußgänger geöffnet, erklärte die Bürgermeisterin.", "cp1252"),
        ("НОВОСТИ ДНЯ", "koi8_r"),
        (BELARUSIAN, "cp1251"),
    ],
)
def test_letters_of_the_neighbours_are_told_apart_without_any_claim(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("claim", ["iso-8859-1", "koi8-r", "utf-8", "windows-1252", "utf-16", "no such thing", "rot13"])
def test_a_claim_that_would_make_garbage_is_not_believed(claim: str) -> None:
    assert decode(RUSSIAN.encode("cp1251"), claim) == RUSSIAN


@pytest.mark.parametrize("claim", ["windows-1251", "iso-8859-1", "koi8-r"])
def test_valid_utf_8_wins_over_every_claim(claim: str) -> None:
    assert decode(RUSSIAN.encode(), claim) == RUSSIAN


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("İlk köprü kapandı, dedi belediye başkanı ığş", "windows-1254"),
        ("Η γέφυρα έκλεισε την Παρασκευή", "iso-8859-7"),
    ],
)
def test_a_claim_is_believed_where_the_bytes_alone_would_not_tell(text: str, charset: str) -> None:
    assert decode(text.encode(charset), charset) == text


@pytest.mark.parametrize("other", ["cp1251", "koi8_r", "cp866"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_mixture_of_encodings_is_refused(other: str, turned: bool) -> None:
    pieces = [(RUSSIAN + "\n").encode(), (RUSSIAN[::-1] + "\n").encode(other)]
    with pytest.raises(UnreadableError, match="mixed encodings"):
        decode(b"".join(pieces[::-1] if turned else pieces) + RUSSIAN.encode("utf-8"))


def test_a_stray_byte_in_long_utf_8_is_marked_and_the_rest_is_read() -> None:
    text = RUSSIAN * 3
    assert decode(text.encode() + b" \xd0 " + RUSSIAN.encode()) == f"{text} \ufffd {RUSSIAN}"


@pytest.mark.parametrize(
    "raw",
    [
        b"some text\0with nothing\0in it, and no UTF-16 either",
        RUSSIAN.encode() + b"\0",
        bytes(range(128, 256)) * 20,
        random.Random(7).randbytes(5_000),
        PNG,
    ],
)
def test_what_is_not_text_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableError, match="binary"):
        decode(raw)


@pytest.mark.parametrize("raw", [b"", b" \n\t\r\n"])
def test_nothing_is_called_empty(raw: bytes) -> None:
    assert reason(raw, "text") == "empty"
    assert unkind(raw, "file.txt") == "empty"


def test_text_without_a_single_space_is_read() -> None:
    text = RUSSIAN.replace(" ", "")
    assert read(text, "text").text == text


# --- plain text, Markdown, records ----------------------------------------------------------------------------------

FRONT = """---
title: "Ferry line opens"
url: https://example.org/ferry
publisher: Island Post
byline: Rosa Lindqvist
date: 2024-05-06
updated: 2024-05-07T10:00:00Z
lang: no
licence: CC BY 4.0
note: A test.
---

# A heading

The ferry line between *Norholm* and [Sandby](https://example.org) opened on Monday.
"""


def test_front_matter_says_what_an_article_is() -> None:
    said = read(FRONT, "markdown")
    assert said == Extract(
        text="The ferry line between Norholm and Sandby opened on Monday.",
        title="Ferry line opens",
        url="https://example.org/ferry",
        publisher="Island Post",
        author="Rosa Lindqvist",
        published="2024-05-06",
        modified="2024-05-07",
        lang="no",
        note="A test.",
        licence="CC BY 4.0",
        extractor="viadoma text 1",
        blocks=(("paragraph", 0, 59),),
    )


def test_a_record_goes_by_the_same_names() -> None:
    record = {"headline": "Two", "content": "It is one.", "link": "https://example.org/2", "date": "2024", "id": 7}
    said = read(json.dumps(record | {"creator": "Rosa Lindqvist", "license": "CC0"}), "record")
    assert (said.title, said.text, said.url, said.published, said.id) == (
        *("Two", "It is one.", "https://example.org/2", "2024", "7"),
    )
    assert (said.author, said.licence) == ("Rosa Lindqvist", "CC0")


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        ("---\ntitle: [\n---\n\nText.", "markdown", "front matter is not YAML"),
        ("---\npublished: last week\n---\n\nText.", "markdown", "its date is “last week”: write it as 2025-12-13"),
        ("---\nupdated: 31.12\n---\n\nText.", "markdown", "its date is “31.12”"),
        ("---\ntitle:\n  a: b\n---\n\nText.", "text", "its title is not a plain value"),
        ("---\nnote: " + "x" * 70_000 + "\n---\n\nText.", "text", "front matter is longer than 64 KB"),
        ("---\na: " + "[" * 30_000 + "\n---\n\nText.", "text", "front matter"),
        ('{"text": "cut', "record", "not JSON: "),
        ('["text"]', "record", "not a JSON object with a field text"),
        ('{"text": 5}', "record", "its text is not a string"),
        ("[" * 100_000, "record", "not JSON"),
        ('{"text": "x", "id": ' + "9" * 5000 + "}", "record", "not JSON"),
        ('{"text": "x", "published": "2025-02-31"}', "record", "write it as 2025-12-13"),
        ('{"text": "x", "title": {"a": 1}}', "record", "its title is not a plain value"),
    ],
)
def test_fields_that_make_no_sense_are_named(raw: str, kind: DocumentKind, said: str) -> None:
    assert said in reason(raw, kind)


def test_nine_levels_of_aliases_are_not_written_out() -> None:
    levels = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    levels += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)]
    bomb = "\n".join(levels)
    assert "its title" in reason(f"---\n{bomb}\ntitle: *a9\n---\n\nText.", "markdown")
    assert read(f"---\n{bomb}\n---\n\nText.", "markdown").text == "Text."


def test_nine_levels_of_merged_mappings_are_not_merged() -> None:
    levels = ["a0: &a0 {x: 1}"]
    levels += [f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 9)}]}}" for level in range(1, 10)]
    assert "front matter" in reason("---\n" + "\n".join(levels) + "\n---\n\nText.", "markdown")


def test_halves_of_characters_become_marks_and_whole_pairs_characters() -> None:
    assert read(r'{"text": "A lone half \ud800, and a whole \ud83d\ude00."}', "record").text == (
        "A lone half \ufffd, and a whole \U0001f600."
    )


def test_text_between_rows_of_dashes_stays() -> None:
    assert "Paragraph one" in read("---\nParagraph one is here.\n---\nParagraph two.", "text").text


# --- web pages ------------------------------------------------------------------------------------------------------


def page(body: str = "", head: str = "", lang: str = "en") -> str:
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in ENGLISH)
    return (
        f'<!doctype html><html lang="{lang}"><head><title>Bridge closed</title>{head}</head><body>'
        f"<nav>Home Sport Weather</nav><article><h1>Bridge closed</h1>{paragraphs}{body}</article></body></html>"
    )


def test_an_article_is_read_with_all_it_says_of_itself() -> None:
    data = {
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "NewsArticle",
                "headline": "Bridge closed",
                "datePublished": "2024-06-07T08:00:00+02:00",
                "dateModified": "2024-06-09",
                "license": "https://creativecommons.org/licenses/by/4.0/",
                "publisher": {"@type": "Organization", "name": "Island Post"},
                "author": {"@type": "Person", "name": "Rosa Lindqvist"},
            }
        ],
    }
    head = f'<script type="application/ld+json">{json.dumps(data)}</script><link rel="canonical" href="/news/bridge">'
    info = FetchInfo("https://example.org/b?id=1", "https://example.org/b?id=1", "2026-01-01T00:00:00Z")
    said = read(page(head=head), "html", info=info)
    assert said.text.split("\n\n")[-3:] == list(ENGLISH)
    assert "Weather" not in said.text
    assert (said.title, said.url) == ("Bridge closed", "https://example.org/news/bridge")
    assert (said.publisher, said.author, said.lang) == ("Island Post", "Rosa Lindqvist", "en")
    assert (said.published, said.modified) == ("2024-06-07", "2024-06-09")
    assert said.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert said.extractor.startswith("trafilatura ")


def test_meta_tags_are_believed_before_anything_else() -> None:
    head = (
        '<meta property="og:site_name" content="Island Post"><meta property="og:url" content="https://example.org/a">'
        '<meta property="article:published_time" content="2024-06-07T23:00:00Z">'
        '<meta property="article:modified_time" content="2024-06-08T01:00:00Z">'
    )
    said = read(page(head=head), "html")
    assert (said.publisher, said.url) == ("Island Post", "https://example.org/a")
    assert (said.published, said.modified) == ("2024-06-07", "2024-06-08")


def test_a_date_that_makes_no_sense_is_left_out() -> None:
    head = (
        '<meta property="article:published_time" content="0001-01-01"><meta name="datemodified" content="9999-01-01">'
    )
    said = read(page(head=head), "html")
    assert (said.published, said.modified) == ("", "")


def test_a_table_keeps_its_text() -> None:
    table = "<table><tr><th>Port</th><th>Cars</th></tr><tr><td>Norholm</td><td>4711</td></tr></table>"
    assert "4711" in read(page(table), "html").text


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>SECRET</script>",
        "<style>SECRET</style>",
        "<template><p>SECRET</p></template>",
        "<!-- SECRET -->",
        "<p hidden>SECRET</p>",
        '<p style="display: none">SECRET</p>',
        '<p style="color:red;display:none!important">SECRET</p>',
        '<p style="visibility:hidden">SECRET</p>',
        '<p style="font-size:0">SECRET</p>',
        '<p style="font-size: 0px; color: red">SECRET</p>',
        '<p style="width:0;height:0;overflow:hidden">SECRET</p>',
        '<p style="opacity:0">SECRET</p>',
        '<p style="position:absolute;left:-9999px">SECRET</p>',
        '<p aria-hidden="true">SECRET</p>',
        '<div style="display:none"><div><p>SECRET</p></div></div>',
        '<p class="lede ghost">SECRET</p>',
        '<p id="ghost">SECRET</p>',
        "<dialog><p>SECRET</p></dialog>",
    ],
)
def test_what_a_reader_does_not_see_is_not_read(hidden: str) -> None:
    style = "<style>/* . */ .a, p.ghost { display : none } #ghost{visibility:hidden}</style>"
    hidden = hidden.replace("SECRET", "The secret sentence about lighthouses is long enough to count as a paragraph.")
    text = read(page(hidden + "<p>The last paragraph of the page comes after it and is read.</p>", style), "html").text
    assert "secret" not in text
    assert "comes after it" in text


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("@media print {.x{display:none}}", '<p class="x">SEEN</p>'),
        (".x{display:none} .x.open{display:block}", '<p class="x open">SEEN</p>'),
        (".x .y{display:none}", '<p class="y">SEEN</p>'),
        ("@keyframes k{from{opacity:0}to{opacity:1}} .x{color:red}", '<p class="x">SEEN</p>'),
        ("", '<p style="opacity:0.9;font-size:0.9em;height:0;width:100%">SEEN</p>'),
        ("", '<div style="font-size:0"><p style="font-size:16px">SEEN</p></div>'),
        ("", '<main aria-hidden="true"><p>SEEN</p></main>'),
        ("body{opacity:0}", "<p>SEEN</p>"),
    ],
)
def test_what_is_only_hidden_elsewhere_is_read(style: str, body: str) -> None:
    seen = "The sentence about lighthouses is seen by everybody who opens this page in a browser."
    assert seen in read(page(body.replace("SEEN", seen), f"<style>{style}</style>"), "html").text


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ('<meta charset="windows-1251">', ""),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', ""),
        ("", "windows-1251"),
        ("", ""),
        ('<meta charset="utf-8">', ""),
        ('<meta charset="koi8-r">', "iso-8859-1"),
        ('<meta charset="windows-1251">', "utf-8"),
    ],
)
def test_a_page_is_read_in_the_encoding_it_has_whatever_is_claimed(head: str, charset: str) -> None:
    source = page(f"<p>{RUSSIAN}</p>", head, "ru").replace("Bridge closed", "Мост закрыт")
    said = read(source.encode("cp1251"), "html", charset=charset)
    assert RUSSIAN in said.text
    assert said.title == "Мост закрыт"
    assert RUSSIAN in read(source.encode(), "html", charset=charset).text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("We use cookies to make this site better. Accept all or choose your settings.", "only a cookie notice"),
        ("Ta strona używa plików cookies. Możesz wyrazić zgodę na wszystkie.", "only a cookie notice"),
        ("Wir verwenden Cookies, um Inhalte anzuzeigen. Bitte stimmen Sie zu.", "only a cookie notice"),
        ("Мы используем файлы cookie. Продолжая, вы соглашаетесь с этим.", "only a cookie notice"),
        ("Мы выкарыстоўваем файлы cookie. Націсніце, каб пагадзіцца.", "only a cookie notice"),
        ("The bridge was closed. This article is for subscribers only. Subscribe to continue.", "behind a paywall"),
        ("Most zamknięto w piątek. Pozostało 85% tekstu. Wykup dostęp.", "behind a paywall"),
        ("Die Brücke ist gesperrt. Weiterlesen mit dem Abonnement: jetzt abonnieren.", "behind a paywall"),
        ("Мост закрыли. Оформите подписку, чтобы читать дальше.", "behind a paywall"),
        ("Мост зачынілі. Аформіце падпіску, каб чытаць далей.", "behind a paywall"),
        ("Please enable JavaScript in your browser to see this page.", "the page asks for JavaScript"),
        ("Включите JavaScript, чтобы продолжить.", "the page asks for JavaScript"),
        ("Bitte aktivieren Sie JavaScript in Ihrem Browser.", "the page asks for JavaScript"),
        ("Checking your browser before you go on. Please wait.", "a check for robots"),
        ("Please log in to continue. Forgot your password?", "only a log-in page"),
        ("Zaloguj się, aby czytać dalej.", "only a log-in page"),
    ],
)
def test_a_page_that_shows_something_in_place_of_its_article_is_named(body: str, said: str) -> None:
    source = f"<!doctype html><html><head><title>Island Post</title></head><body><div><p>{body}</p></div></body></html>"
    assert said in reason(source, "html")


def test_a_page_that_says_it_is_not_free_and_shows_little_is_a_stub() -> None:
    said = '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":"False"}</script>'
    assert "behind a paywall" in reason(page(head=said), "html")
    assert read(page("<p>" + " ".join(ENGLISH) * 2 + "</p>", said), "html").text


@pytest.mark.parametrize(
    "sentence",
    [
        "The regulator fined the shop because its cookies were set before visitors had agreed to them.",
        "The magazine will stop selling subscriptions on paper, its publisher told readers.",
        "The conference on JavaScript was moved to the autumn, the organisers said in a short note.",
        "Суд решил, что подписка на газету была продлена незаконно, сообщила редакция.",
    ],
)
def test_a_short_article_about_such_things_is_an_article(sentence: str) -> None:
    source = (
        f"<!doctype html><html><head><title>News</title></head><body><article><p>{sentence}</p></article></body></html>"
    )
    assert sentence in read(source, "html").text


def test_an_empty_page_whose_script_would_fill_it_says_so() -> None:
    source = (
        "<!doctype html><html><body><div id=app></div><noscript>This app needs JavaScript.</noscript></body></html>"
    )
    assert reason(source, "html") == "the page asks for JavaScript"


@pytest.mark.parametrize(
    "source",
    [
        "<!doctype html><html><body>" + "<div>" * 50_000 + "Text.",
        "<!doctype html><html><body>" + "<p>a" * 600_000,
        "<!doctype html><html><body></body></html>",
        "<!doctype html>" + "<" * 200_000,
    ],
)
def test_a_page_made_to_do_harm_ends_in_a_line(source: str) -> None:
    assert reason(source, "html")


def test_what_stands_behind_three_hundred_open_tags_is_read() -> None:
    text = read(page("<div>" * 300 + f"<p>{ENGLISH[0]} At the very end.</p>"), "html").text
    assert "At the very end." in text


def test_ten_thousand_attributes_and_a_picture_within_do_no_harm() -> None:
    attributes = " ".join(f'a{number}="x"' for number in range(10_000))
    picture = f'<img src="data:image/png;base64,{"A" * 12_000_000}">'
    assert ENGLISH[2] in read(page(f"<p {attributes}>More.</p>{picture}"), "html").text


# --- PDF ------------------------------------------------------------------------------------------------------------


def pdf(
    pages: Sequence[Sequence[str]], *, information: str = "", content: bytes | None = None, loop: bool = False
) -> bytes:
    """A PDF by hand: a line of text each, in one font that says which letters its bytes mean."""
    letters = sorted({letter for lines in pages for line in lines for letter in line})
    codes = {letter: number for number, letter in enumerate(letters, 33)}
    mapping = "\n".join(f"<{codes[letter]:02x}> <{letter.encode('utf-16-be').hex()}>" for letter in letters)
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n{len(letters)} beginbfchar\n{mapping}\nendbfchar\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>",
        4: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(cmap), cmap),
        5: f"<< {information} >>".encode(),
    }
    kids = []
    for lines in pages:
        number = len(objects) + 2
        shown = "".join(
            f"BT /F1 11 Tf 60 {800 - 14 * row} Td <{''.join(f'{codes[one]:02x}' for one in line)}> Tj ET\n"
            for row, line in enumerate(lines)
        )
        stream = zlib.compress(shown.encode()) if content is None else content
        kids.append(f"{number} 0 R")
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        objects[number + 1] = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream)
    if loop:
        kids = ["2 0 R"]
    objects[2] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    raw = b"%PDF-1.7\n"
    places = {}
    for number in sorted(objects):
        places[number] = len(raw)
        raw += b"%d 0 obj\n%s\nendobj\n" % (number, objects[number])
    table = "".join(f"{places[number]:010} 00000 n \n" for number in sorted(objects))
    return (
        raw
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
            f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{len(raw)}\n%%EOF\n"
        ).encode()
    )


LINES = (
    "The old bridge at Norholm was closed on Friday after engi-",
    "neers found cracks in two of its pillars. The mayor said that",
    "the repair would take three months.",
    "Until then a ferry will carry cars across the strait, the coun-",
    "cil announced on its board. North-",
    "South traffic goes round the bay.",
)


def test_lines_of_a_pdf_become_paragraphs() -> None:
    said = read(
        pdf([LINES], information="/Title (Bridge closed) /Author (Rosa Lindqvist) /CreationDate (D:20240607)"), "pdf"
    )
    assert said.text == (
        "The old bridge at Norholm was closed on Friday after engineers found cracks in two of its pillars. The mayor "
        "said that the repair would take three months.\n\nUntil then a ferry will carry cars across the strait, the "
        "council announced on its board. North- South traffic goes round the bay."
    )
    assert (said.title, said.author, said.made) == ("Bridge closed", "Rosa Lindqvist", "2024-06-07")
    assert said.extractor.startswith("pypdf ")


def test_letters_of_a_pdf_are_what_its_font_says() -> None:
    lines = [RUSSIAN[start : start + 60] for start in range(0, len(RUSSIAN), 60)]
    assert "ремонт моста" in read(pdf([lines]), "pdf").text


PAGES = ((1, "First"), (2, "Second"), (3, "Third"), (4, "Fourth"))


def test_what_stands_at_the_head_and_foot_of_every_page_is_left_out() -> None:
    pages = [
        ["Island Post, 7 June 2024", f"{word} story.", *LINES, f"{word} end.", f"page {number} of 4"]
        for number, word in PAGES
    ]
    text = read(pdf(pages), "pdf").text
    assert "Island Post" not in text
    assert "page 2" not in text
    assert text.count("The old bridge") == 4


def test_the_day_on_which_a_page_was_printed_is_not_its_date() -> None:
    information = "/Title (Microsoft Word - a.doc) /Author (user) /Producer (Skia/PDF m120) /CreationDate (D:20240607)"
    said = read(pdf([LINES], information=information), "pdf")
    assert (said.title, said.author, said.published) == ("", "", "")


def encrypted(password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([LINES]))))
    writer.encrypt(user_password=password, owner_password="of the owner", algorithm="AES-256")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_a_password_is_named_but_one_of_the_owner_alone_hinders_nobody() -> None:
    assert reason(encrypted("secret"), "pdf") == "protected by a password"
    assert "old bridge" in read(encrypted(""), "pdf").text


def test_a_scan_is_said_to_have_no_text_layer() -> None:
    scan = pdf([[]], content=zlib.compress(b"q 595 0 0 842 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x00 EI Q"))
    assert reason(scan, "pdf") == "no text layer: it seems to be scanned; run OCR first"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (pdf([LINES])[:700], "its end is missing"),
        (b"%PDF-1.7", "its end is missing"),
        (b"%PDF-1.7\nnothing that is a PDF\n%%EOF", "PDF"),
        (pdf([LINES], loop=True), "PDF"),
        (pdf([LINES], content=b"\x78\x9c broken"), "PDF"),
    ],
)
def test_a_pdf_that_is_cut_or_goes_in_circles_ends_in_a_line(raw: bytes, said: str) -> None:
    assert said in reason(raw, "pdf") or "no text layer" in reason(raw, "pdf")


def zeros(megabytes: int) -> bytes:
    squeeze = zlib.compressobj(9)
    return b"".join(squeeze.compress(b" " * 1_000_000) for _ in range(megabytes)) + squeeze.flush()


def test_a_stream_that_swells_ends_in_a_line() -> None:
    assert reason(pdf([LINES], content=zeros(300)), "pdf")


# --- office files ---------------------------------------------------------------------------------------------------


def word() -> bytes:
    import docx
    from docx.oxml import parse_xml

    document = docx.Document()
    document.add_heading("Bridge closed", 1)
    document.add_paragraph(ENGLISH[0])
    table = document.add_table(2, 2)
    for cell, words in zip((*table.rows[0].cells, *table.rows[1].cells), ("Port", "Cars", "Sandby", "40"), strict=True):
        cell.text = words
    last = document.add_paragraph(ENGLISH[1])
    hidden = last.add_run(" A hidden remark.")
    hidden.font.hidden = True
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    for change, words in (("ins", " It was put in."), ("del", " It was taken out.")):
        tag = "t" if change == "ins" else "delText"
        last._p.append(
            parse_xml(
                f'<w:{change} xmlns:w="{namespace}" w:id="1" w:author="x"><w:r>'
                f'<w:{tag} xml:space="preserve">{words}</w:{tag}></w:r></w:{change}>'
            )
        )
    document.core_properties.author = "Rosa Lindqvist"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_a_word_file_is_read_in_its_order_as_it_is_seen() -> None:
    said = read(word(), "docx")
    assert said.text == f"{ENGLISH[0]}\n\nPort | Cars\n\nSandby | 40\n\n{ENGLISH[1]} It was put in."
    assert (said.title, said.author) == ("Bridge closed", "Rosa Lindqvist")
    assert said.published == ""  # the template's date
    assert said.extractor.startswith("python-docx ")


ODF = "urn:oasis:names:tc:opendocument:xmlns"
ODT_CONTENT = f"""<?xml version="1.0"?>
<office:document-content xmlns:office="{ODF}:office:1.0" xmlns:text="{ODF}:text:1.0" xmlns:table="{ODF}:table:1.0">
 <office:body><office:text><text:h text:outline-level="1">Bridge closed</text:h>
 <text:p>{ENGLISH[0]}<office:annotation><text:p>A remark.</text:p></office:annotation></text:p>
 <table:table><table:table-row><table:table-cell><text:p>Port</text:p></table:table-cell><table:table-cell>
 <text:p>Cars</text:p></table:table-cell></table:table-row></table:table><text:list><text:list-item><text:p>One<text:s
 text:c="2"/><text:span>{ENGLISH[1]}</text:span><text:line-break/>End.</text:p></text:list-item></text:list>
 </office:text></office:body></office:document-content>"""
ODT_META = f"""<office:document-meta xmlns:office="{ODF}:office:1.0" xmlns:meta="{ODF}:meta:1.0"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><meta:initial-creator>Rosa Lindqvist</meta:initial-creator>
 <meta:creation-date>2024-06-07T10:00:00</meta:creation-date><dc:date>2024-06-08T10:00:00</dc:date></office:meta>
 </office:document-meta>"""


def odt(content: str = ODT_CONTENT, **more: str) -> bytes:
    return packed(
        {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content, "meta.xml": ODT_META, **more}
    )


def test_an_opendocument_text_is_read_in_its_order() -> None:
    said = read(odt(), "odt")
    assert said.text == f"{ENGLISH[0]}\n\nPort | Cars\n\nOne  {ENGLISH[1]}\nEnd."
    assert (said.title, said.author) == ("Bridge closed", "Rosa Lindqvist")
    assert (said.made, said.modified) == ("2024-06-07", "2024-06-08")


def test_a_locked_opendocument_text_is_named() -> None:
    members = {"META-INF/manifest.xml": "<manifest:encryption-data/>"}
    assert reason(odt(**members), "odt") == "protected by a password"


def epub(chapter: str = "", **more: str) -> bytes:
    chapter = (
        chapter
        or f"<html><head><title>No</title></head><body><h1>One</h1><p>{ENGLISH[0]}&nbsp;&laquo;a&raquo;</p></body>"
    )
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="book/book.opf"/></rootfiles></container>',
            "book/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Bridges</dc:title><dc:creator>Rosa Lindqvist'
            "</dc:creator><dc:language>en-GB</dc:language><dc:date>2024-06-07</dc:date><dc:publisher>Island Press"
            '</dc:publisher></metadata><manifest><item id="a" href="a%201.xhtml" media-type="application/xhtml+xml"/>'
            '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="b"/>'
            '<itemref idref="a"/></spine></package>',
            "book/a 1.xhtml": chapter,
            "book/b.xhtml": '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html><body><p>First.</p>'
            '<p style="display:none">Unseen.</p></body></html>',
            **more,
        }
    )


def test_an_e_book_is_read_in_the_order_of_its_spine() -> None:
    said = read(epub(), "epub")
    assert said.text == f"First.\n\nOne\n\n{ENGLISH[0]} «a»"
    assert (said.title, said.author, said.publisher) == ("Bridges", "Rosa Lindqvist", "Island Press")
    assert (said.published, said.lang) == ("2024-06-07", "en")


def test_an_e_book_under_lock_is_named() -> None:
    lock = '<encryption><CipherReference xmlns="http://www.w3.org/2001/04/xmlenc#" URI="book/b.xhtml"/></encryption>'
    assert "DRM" in reason(epub(**{"META-INF/encryption.xml": lock}), "epub")


def test_rtf_is_read_in_its_code_pages() -> None:
    words = "".join(f"\\'{byte:02x}" for byte in RUSSIAN.encode("cp1251"))
    title = "".join(f"\\'{byte:02x}" for byte in "Мост закрыт".encode("cp1251"))
    raw = (
        "{\\rtf1\\ansi\\ansicpg1251\\deff0{\\fonttbl{\\f0\\fcharset204 Times;}}{\\info{\\title " + title + "}"
        "{\\author Rosa Lindqvist}{\\creatim\\yr2024\\mo6\\dy7}}\\f0 " + words + "\\par Second \\u1089?\\u1090? "
        "paragraph.\\par}"
    ).encode()
    said = read(raw, "rtf")
    assert said.text == f"{RUSSIAN}\n\nSecond ст paragraph."
    assert (said.title, said.author, said.made) == ("Мост закрыт", "Rosa Lindqvist", "2024-06-07")


def laughs(inner: str) -> str:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [{entities}<!ENTITY file SYSTEM "file:///etc/hostname">]>{inner}'


@pytest.mark.parametrize("entity", ["&a9;", "&file;"])
def test_entities_are_never_followed(entity: str) -> None:
    inside = ODT_CONTENT.replace('<?xml version="1.0"?>', "").replace("End.", entity)
    assert "entities" in reason(odt(laughs(inside)), "odt")
    text = read(epub(laughs(f"<html><body><p>{ENGLISH[0]} {entity}</p></body></html>")), "epub").text
    assert ENGLISH[0] in text
    assert len(text) < 300


@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_xml_nested_deep_ends_in_a_line(depth: int) -> None:
    assert reason(odt(ODT_CONTENT.replace("End.", "<text:span>" * depth + "</text:span>" * depth)), "odt")
    with zipfile.ZipFile(io.BytesIO(word())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["word/document.xml"] = members["word/document.xml"].replace(b"<w:body>", b"<w:body>" + b"<w:sdt>" * depth)
    assert reason(packed(members), "docx")


@pytest.mark.parametrize("kind", ["docx", "odt", "epub"])
def test_a_bomb_is_refused_by_its_directory(kind: DocumentKind) -> None:
    assert "times its size" in reason(packed({"word/document.xml": b" " * 30_000_000}), kind)


@pytest.mark.parametrize("kind", ["docx", "odt", "epub"])
def test_an_office_file_that_is_none_ends_in_a_line(kind: DocumentKind) -> None:
    assert "damaged" in reason(b"PK\x03\x04 and nothing more", kind)
    assert "damaged" in reason(packed({"a.txt": "Text."}), kind)
    assert reason(word()[:-500], kind)


# --- mail -----------------------------------------------------------------------------------------------------------

MAIL = f"""From: =?utf-8?q?Rosa_Lindqvist?= <rosa@example.org>
To: desk@example.org
Subject: =?utf-8?b?{base64.b64encode("Мост закрыт".encode()).decode()}?=
Date: Fri, 07 Jun 2024 23:30:00 -0400
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=X

--X
Content-Type: text/plain; charset=windows-1251
Content-Transfer-Encoding: base64

{{plain}}
--X
Content-Type: text/html; charset=utf-8

<html><body>{{page}}</body></html>
--X--
"""


def mail(plain: str, page: str) -> bytes:
    encoded = base64.b64encode(plain.encode("cp1251")).decode()
    return MAIL.replace("{plain}", encoded).replace("{page}", page).replace("\n", "\r\n").encode()


def test_a_mail_says_who_wrote_it_when_and_about_what() -> None:
    said = read(mail(RUSSIAN, "<p>The same as a page.</p>"), "mail")
    assert said == Extract(
        text=RUSSIAN,
        title="Мост закрыт",
        author="Rosa Lindqvist",
        published="2024-06-07",
        id="1@example.org",
        extractor="viadoma mail 1",
    )


def test_the_page_of_a_mail_is_read_if_its_plain_text_is_a_remnant() -> None:
    cells = "".join(f"<tr><td>{sentence}</td></tr>" for sentence in ENGLISH)
    unseen = '<div style="display:none">A line for the list of mails.</div>'
    said = read(mail("Open it in a browser.", f"{unseen}<table>{cells}</table>"), "mail")
    assert said.text == "\n\n".join(ENGLISH)


def test_a_saved_page_is_read_as_the_page_it_was() -> None:
    head = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/bridge\r\nSubject: Bridge closed\r\n"
    )
    head += "Date: Fri, 2 Jan 2026 10:00:00 -0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n"
    head += '\ttype="text/html"; boundary="X"\r\n\r\n'
    part = "--X\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n"
    part += "Content-Location: https://example.org/bridge\r\n\r\n"
    raw = (head + part + base64.encodebytes(page(f"<p>{RUSSIAN}</p>").encode()).decode() + "\r\n--X--\r\n").encode()
    assert kind(raw, "page.mhtml") == "mail"
    said = read(raw, "mail")
    assert (said.title, said.url, said.author, said.published) == (
        "Bridge closed",
        "https://example.org/bridge",
        "",
        "",
    )
    assert ENGLISH[1] in said.text
    assert RUSSIAN in said.text


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@example.org\nSubject: x\n\n",
        b"From: a@example.org\nContent-Type: multipart/mixed; boundary=X\n\n" + b"--X\n\n" * 2_000,
        "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3_000)).encode(),
        b"From: " + b"(" * 5_000 + b"\nSubject: =?utf-8?b?////?=\n\n\0\0\0",
    ],
)
def test_a_mail_without_text_or_made_to_do_harm_ends_in_a_line(raw: bytes) -> None:
    assert reason(raw, "mail")


# --- what a file is -------------------------------------------------------------------------------------------------


def tar(mode: Literal["w:", "w:gz", "w:bz2", "w:xz"] = "w:") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    return buffer.getvalue()


WARC = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
RSS = '<?xml version="1.0"?><!-- a --><rss version="2.0"><channel><title>News</title></channel></rss>'
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title></feed>'
SITEMAP = '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>'


@pytest.mark.parametrize(
    ("raw", "name", "expected"),
    [
        (pdf([LINES]), "a.txt", "pdf"),
        (b"\r\n junk\r\n" + pdf([LINES]), "", "pdf"),
        (word(), "a.zip", "docx"),
        (odt(), "a.docx", "odt"),
        (epub(), "a", "epub"),
        (packed({"a.txt": "Text."}), "a.docx", "zip"),
        (b"{\\rtf1 Text.}", "a.doc", "rtf"),
        (tar(), "a", "tar"),
        (tar("w:gz"), "a.tgz", "tar"),
        (tar("w:bz2"), "a", "tar"),
        (tar("w:xz"), "a", "tar"),
        (WARC, "a", "warc"),
        (gzip.compress(WARC), "a.warc.gz", "warc"),
        (page(), "a.txt", "html"),
        ("<!-- saved --><HTML><body>a", "a.md", "html"),
        (page().encode("utf-16"), "a", "html"),
        ("<p>Text.</p>", "a.html", "html"),
        (RSS, "a.html", "feed"),
        (ATOM, "a", "feed"),
        (SITEMAP, "a.xml", "sitemap"),
        (mail(RUSSIAN, ""), "a", "mail"),
        ("Subject: Text\n\nText.", "a.eml", "mail"),
        ("# mine\nhttps://example.org/a\n\nhttp://example.org/b\n", "a.txt", "addresses"),
        ("See https://example.org/a", "a.txt", "text"),
        ("Title: Text\nText.", "a.txt", "text"),
        (RUSSIAN, "", "text"),
        (RUSSIAN.encode("cp1251"), "a.txt", "text"),
        ("# Title", "a.MD", "markdown"),
        ("# Title", "https://example.org/a.md?raw=1#x", "markdown"),
        ("a,b\n1,2\n", "a.csv", "csv"),
        ("a\tb\n1\t2\n", "a.tsv", "csv"),
        ('{"text": "a"}\n{"text": "b"}\n', "a.jsonl", "lines"),
        ('{"text": "a"}', "a.json", "record"),
        ('{\n  "text": "a"\n}', "a.json", "record"),
        ('{"text": "a"}\n{"text": "b"}\n', "a.json", "lines"),
        ("BM25 is a ranking, and MZ the start of a program.", "a.txt", "text"),
    ],
)
def test_a_file_is_what_its_bytes_say(raw: bytes | str, name: str, expected: str) -> None:
    assert kind(raw, name) == expected


def test_a_server_decides_where_bytes_and_name_do_not() -> None:
    assert kind("<p>Text.</p>", "https://example.org/a", "text/html; charset=utf-8") == "html"
    assert kind("# Title", "https://example.org/a", "text/markdown") == "markdown"
    assert kind(page(), "https://example.org/a", "text/plain") == "html"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (PNG, "a picture (PNG), not text"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(100), "a picture (JPEG), not text"),
        (b"GIF89a" + bytes(50), "a picture (GIF), not text"),
        (b"ID3\x03\0\0\0\0\0\0" + bytes(100), "a recording (MP3), not text"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "binary, not text"),
        (random.Random(1).randbytes(3000), "binary"),
        ('<svg xmlns="http://www.w3.org/2000/svg"></svg>', "a picture (SVG), not text"),
        ('<?xml version="1.0"?><book><title>a</title></book>', "XML that is not read here (it begins with <book>)"),
        (packed({"xl/workbook.xml": ""}), "a spreadsheet: "),
        (packed({"ppt/presentation.xml": ""}), "a presentation: "),
        (packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "a spreadsheet: "),
        (b"PK\x03\x04 cut", "a damaged ZIP archive"),
        (gzip.compress(b"One text."), "packed with gzip: unpack it first"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "not text"),
        (b"%!PS-Adobe-3.0\n", "a PostScript file"),
        ("[{}]", "a list of JSON objects: write one a line"),
        ("From rosa@example.org Fri Jun  7 10:00:00 2024\nSubject: a\n\nText.", "a mailbox of many mails"),
    ],
)
def test_what_is_not_read_here_is_named(raw: bytes | str, said: str) -> None:
    assert said in unkind(raw, "a.json" if raw == "[{}]" else "a.txt")


def test_old_office_files_are_named_by_what_is_in_them() -> None:
    def file(stream: str) -> bytes:
        head = bytearray(512)
        head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        head[30:32] = (9).to_bytes(2, "little")
        return bytes(head) + stream.encode("utf-16-le").ljust(512, b"\0")

    assert unkind(file("WordDocument"), "a.docx") == "an old Word file: save it as .docx"
    assert unkind(file("EncryptedPackage"), "a.docx") == "protected by a password"
    assert "Excel" in unkind(file("Workbook"))


def test_a_document_over_the_limit_is_refused_without_being_read() -> None:
    class Sparse(io.RawIOBase):
        """A file whose end nobody may read."""

        def __init__(self) -> None:
            super().__init__()
            self.at = 0
            self.taken = 0

        def seekable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = offset if whence == 0 else MAX_BYTES + 1 + offset
            return self.at

        def read(self, size: int = -1) -> bytes:
            assert 0 <= size <= 1_000_000
            self.taken += size
            return (RUSSIAN.encode() + b"\n") * (size // (len(RUSSIAN.encode()) + 1) + 1)

    file = Sparse()
    with file, pytest.raises(UnreadableError, match="larger than 50 MB"):
        detect_kind(cast(BinaryIO, file), "a.txt")
    assert file.taken <= 1_000_000


# --- the house ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pdf", "docx", "odt", "epub", "mail", "record", "html", "rtf"])
def test_no_random_bytes_break_a_reader(kind: DocumentKind) -> None:
    for seed in range(5):
        raw = random.Random(seed).randbytes(2_000)
        with suppress(UnreadableError):
            read(raw, kind)


def test_readers_are_light_until_they_read() -> None:
    program = (
        "import sys, types; package = types.ModuleType('ingest'); package.__path__ = ['ingest'];"
        "sys.modules['ingest'] = package; import ingest.formats, ingest.formats.limits;"
        "print({'lxml', 'pypdf', 'trafilatura', 'docx', 'vectorstore', 'yaml'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert isinstance(READER_VERSION, int)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
@pytest.mark.parametrize(
    "making",
    [
        """Document("x", b'{"x":[' + b'[],' * 16_000_000 + b'0]}', "record")""",
        """Document("x", odt(b"<a/>" * 12_000_000), "odt")""",
    ],
)
def test_what_needs_too_much_memory_ends_in_a_line(making: str) -> None:
    program = f"""
import io, os, sys, types, zipfile
package = types.ModuleType("ingest"); package.__path__ = ["ingest"]; sys.modules["ingest"] = package
from ingest.document import Document, UnreadableError
from ingest.formats import extract
from ingest.formats.limits import limit_memory

def odt(inside):
    office = b"urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    content = b'<o:a xmlns:o="%s"><o:text>%s</o:text></o:a>' % (office, inside)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("content.xml", content)
        archive.writestr("padding", os.urandom(1_000_000))
    return buffer.getvalue()

document = {making}
limit_memory(600)
try:
    print(extract(document))
except UnreadableError as error:
    print("reason:", error)
"""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("reason: can't be read as")
    assert "more memory than a document may take" in done.stdout
