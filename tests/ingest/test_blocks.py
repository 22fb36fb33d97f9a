"""Blocks stay blocks: what pages part stays parted, what is no article stays out, and days are those that are shown."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import docx
import pytest

from bot.attribution import find_speakers
from bot.evidence import expand_to_sentences
from bot.quote_selection import select_quotes
from ingest import check, update
from ingest.document import Document, Extract, UnreadableError
from ingest.formats import extract
from ingest.passages import passages, sentences
from language import Message
from tests.conftest import OpenStore
from tests.support.readings import FITTED, candidate, hit, reading
from vectorstore import Article, Block, Hit, NameTable, Sentence, Span, context, text_blocks

LONG = (
    "Seven fishermen from Norholm came home on Tuesday after a year in the port prison of Sandby, their union said.",
    "Their boat was given back to them without its nets, and the union asks who is to pay for those.",
    "The harbour master, Ole Brun, told this paper that he had not been asked before the seven were taken away.",
)
PROSE = "".join(f"<p>{one}</p>" for one in LONG)


def read(body: str, head: str = "", title: str = "Seven fishermen come home") -> Extract:
    source = f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"
    return extract(Document("source", source.encode(), "html"))


def article(body: str, head: str = "", title: str = "Seven fishermen come home") -> Extract:
    return read(f"<main><article><h1>{title}</h1>{body}</article></main>", head, title)


def blocks(said: Extract) -> list[tuple[str, str]]:
    return [(kind, said.text[start:end]) for kind, start, end in said.blocks]


def words(said: Extract, kind: str) -> list[str]:
    return [text for own, text in blocks(said) if own == kind]


def of(said: Extract) -> Article:
    places = tuple(Block(*place) for place in said.blocks)
    return Article("a", 1, "a.html", said.title, "", "", "", "en", "", said.text, "", "", places)


def under(told: Article, quote: str) -> list[str]:
    return [told.text[span.start : span.end] for span in context(told, told.text.index(quote))]


# blocks


@pytest.mark.parametrize(
    "body",
    [
        f"<h2>What the union says</h2>{PROSE}<h3>Who pays</h3><p>{LONG[0]} Nobody knows.</p>",
        f"<p><strong>What the union says</strong></p>{PROSE}",
        f"<div><b>What the union says</b><br><br>{'<br><br>'.join(LONG)}</div>",
        f"<h2>What the union says</h2><ul><li>{LONG[0]}</li><li>{LONG[1]}</li></ul><p>{LONG[2]}</p>",
    ],
)
def test_no_sentence_holds_a_headline_and_what_stands_under_it(body: str) -> None:
    said = article(body)
    assert "What the union says" in words(said, "heading")
    told = of(said)
    made = [said.text[span.start : span.end] for span in sentences(said.text, "en", told.blocks)]
    assert {"What the union says", *LONG} <= set(made)
    assert {said.text[start:end] for _, start, end in said.blocks} == set(said.text.split("\n\n"))


def test_plain_text_has_the_blocks_of_its_blank_lines() -> None:
    text = "One line\nthat goes on.\n \nAnother.\n\n\n  - an item\n"
    made = [text[block.start : block.end] for block in text_blocks(text)]
    assert made == ["One line\nthat goes on.", "Another.", "- an item"]
    assert not text_blocks(" \n\n ")


def test_a_heading_begins_a_passage_and_ends_none() -> None:
    long = "The union counts the days of each of its members in the port prison. " * 8
    text = f"{long.strip()}\n\nWho pays\n\n{long.strip()}"
    second = text.index("Who")
    made = passages(
        text,
        "en",
        (
            Block("paragraph", 0, second - 2),
            Block("heading", second, second + 8),
            Block("paragraph", second + 10, len(text)),
        ),
    )
    assert [text[one.span.start :][:8] for one in made] == [text[:8], "Who pays"]


def test_a_row_is_one_block_under_the_heads_of_its_columns() -> None:
    table = (
        "<h2>By town</h2><table><tr><th>Town</th><th>Freed</th></tr>"
        "<tr><td>Sandby</td><td>7. Mr. Brun</td></tr><tr><td>Norholm</td><td>2</td></tr></table>"
    )
    said = article(f"{PROSE}{table}<p>{LONG[0]} So it is.</p>")
    assert words(said, "table row") == ["Sandby | 7. Mr. Brun", "Norholm | 2"]
    assert under(of(said), "Norholm | 2") == ["By town", "Town | Freed"]
    assert [*sentences(said.text, "en", of(said).blocks)][5] == Span(*said.blocks[5][1:])


def test_a_word_file_keeps_what_its_styles_say() -> None:
    document = docx.Document()
    document.add_heading("Seven fishermen come home", 1)
    document.add_heading("What the union says", 2)
    document.add_paragraph(LONG[0])
    document.add_paragraph(LONG[1], style="List Bullet")
    document.add_paragraph(LONG[2], style="Quote")
    rows = document.add_table(2, 2).rows
    for row, values in zip(rows, (("Town", "Freed"), ("Sandby", "7")), strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    buffer = io.BytesIO()
    document.save(buffer)
    said = extract(Document("a.docx", buffer.getvalue(), "docx"))
    kinds = [kind for kind, _ in blocks(said)]
    assert kinds == ["heading", "paragraph", "list item", "quotation", "heading", "table row"]
    assert said.published == ""


@pytest.mark.parametrize(
    "body",
    [
        "<p><b>Who came for you?</b></p><p>Two men in plain clothes. They had no paper with them.</p>"
        "<p><b>Did you ask for one?</b></p><p>No. We knew what the answer would be.</p>",
        "<h3>Who came for you?</h3><p>Two men in plain clothes. They had no paper with them.</p>"
        "<h3>Did you ask for one?</h3><p>No. We knew what the answer would be.</p>",
        "<p>— Who came for you?</p><p>— Two men in plain clothes. They had no paper with them.</p>"
        "<p>— Did you ask for one?</p><p>— No. We knew what the answer would be.</p>",
        "<dl><dt>Who came for you?</dt><dd>Two men in plain clothes. They had no paper with them.</dd>"
        "<dt>Did you ask for one?</dt><dd>No. We knew what the answer would be.</dd></dl>",
    ],
)
def test_an_answer_is_shown_with_its_question(body: str) -> None:
    said = article(f"<p>{LONG[0]} He talked to us.</p>{body}")
    assert len(words(said, "question")) == 2
    assert len(words(said, "answer")) == 2
    (asked,) = under(of(said), "No. We knew")
    assert asked.strip("— ") == "Did you ask for one?"


def test_each_update_of_a_live_blog_stands_under_its_time() -> None:
    updates = "".join(
        f"<div><time>{clock}</time><p>{text}</p></div>"
        for clock, text in (("18:40", LONG[0]), ("17:05", LONG[1]), ("16.30", LONG[2]))
    )
    said = article(f"<p>What is known so far, minute by minute, of the men from Norholm.</p>{updates}")
    assert words(said, "update") == list(LONG)
    assert under(of(said), LONG[1]) == ["17:05"]
    assert said.title == "Seven fishermen come home"


# what is never quoted


def parted(*parts: tuple[str, str]) -> Hit:
    """A passage of blocks, a sentence each."""
    whole = hit(*(text for _, text in parts), gap="\n\n")
    places = tuple(
        Block(kind, one.span.start, one.span.end)  # type: ignore[arg-type]
        for (kind, _), one in zip(parts, whole.sentences, strict=True)
    )
    told = Article("a", 1, "a.html", "", "", "", "", "en", "", whole.article.text, "", "", places)
    made = tuple(
        Sentence(one.span, one.cosine, kind=block.kind) for one, block in zip(whole.sentences, places, strict=True)
    )
    return Hit(told, whole.span, 1.0, 0.8, made)


@pytest.mark.parametrize("kind", ["heading", "caption", "question"])
def test_what_stands_over_other_blocks_is_never_quoted(kind: str) -> None:
    found = parted((kind, "Seven fishermen come home"), ("paragraph", "Seven came home on Tuesday."))
    likely = [candidate(found, 0, score=4.0), candidate(found, 1, score=2.0)]
    choice = select_quotes(reading(*likely), "other", FITTED)
    assert [found.article.text[span.start : span.end] for _, span in choice.quotes] == ["Seven came home on Tuesday."]


def test_a_quote_over_a_border_is_two() -> None:
    found = parted(("paragraph", "Seven came home."), ("paragraph", "Nobody had asked Ole Brun."))
    spans = expand_to_sentences(found, "Seven came home. Nobody had asked Ole Brun.")
    assert [found.article.text[one.start : one.end] for one in spans] == [
        "Seven came home.",
        "Nobody had asked Ole Brun.",
    ]


def test_a_heading_is_no_speaker() -> None:
    found = parted(
        ("paragraph", "Ole Brun told the paper so."),
        ("heading", "Lawyer Nils Holm said"),
        ("paragraph", "He said that the nets were gone."),
    )
    said = find_speakers(found.article, found.sentences[2].span, NameTable(()))
    assert [voice.speaker for voice in said] == ["Ole Brun"]


# the article and nothing else


@pytest.mark.parametrize(
    "stranger",
    [
        '<p><b>Read also:</b> <a href="/2">Thirty sailors leave Sandby</a></p>',
        '<p><a href="/2">Thirty sailors leave Sandby, and nobody says where to</a></p>',
        "<p><em>Found a mistake? Mark it and press Ctrl+Enter</em></p>",
        "<p>Падпісвайцеся на наш канал, каб нічога не прапусціць</p>",
        "<p>Фото: Алесь Тестов</p>",
        "<p>Skaitykite taip pat: audra Sandby uoste</p>",
        '<div class="related-links"><p>Thirty sailors leave Sandby for good on Monday.</p></div>',
    ],
)
def test_what_pages_put_among_paragraphs_is_left_out(stranger: str) -> None:
    said = article(f"<p>{LONG[0]}</p><p>{LONG[1]}</p>{stranger}<p>{LONG[2]}</p>")
    assert said.text.split("\n\n") == list(LONG)


@pytest.mark.parametrize(
    "body",
    [
        f"<table><tr><td>{LONG[0]}<br><br>{LONG[1]}<blockquote>“We had no nets,” Ole said.</blockquote>{LONG[2]}"
        f"<br><br>{LONG[0]} Again.</td></tr></table>",
        f"<div>{LONG[0]}<br><br>{LONG[1]}<blockquote>“We had no nets,” Ole said.</blockquote>{LONG[2]}"
        "<br>So it is.</div>",
        f"{PROSE}<blockquote><p>“We had no nets,” Ole said.</p></blockquote><p>{LONG[0]} Again.</p>",
    ],
)
def test_what_stands_about_a_quotation_is_not_lost(body: str) -> None:
    said = read(f"<h1>Seven fishermen come home</h1>{body}")
    assert words(said, "quotation") == ["“We had no nets,” Ole said."]
    assert set(LONG) <= set(said.text.split("\n\n"))


def test_a_table_for_the_layout_gives_its_article_alone() -> None:
    said = read(
        '<table><tr><td><a href="/">Home</a> <a href="/all">Archive</a></td><td><h1>Seven fishermen come home</h1>'
        f"{PROSE}</td></tr></table>"
    )
    assert said.text.split("\n\n") == list(LONG)


def test_a_page_whose_text_is_another_article_is_refused() -> None:
    about = '<meta property="og:description" content="Parliament adopts the budget after a night of debate">'
    with pytest.raises(UnreadableError, match="not the article that its title and description tell of"):
        article(PROSE, about, "Budget passes with narrow majority, ministers relieved")
    assert article(PROSE, '<meta name="description" content="The fishermen of Norholm are free again">').text


# dates


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("13 декабря 2025, 18:40", "2025-12-13"),
        ("Апублікавана: 5 снежня 2025 г., 9:15", "2025-12-05"),
        ("Сб, 13 дек 2025", "2025-12-13"),
        ("5 грудня 2025", "2025-12-05"),
        ("13 grudnia 2025", "2025-12-13"),
        ("2025 m. gruodžio 13 d. 18:40", "2025-12-13"),
        ("Published December 5, 2025 at 6:40 pm", "2025-12-05"),
        ("05.12.2025", "2025-12-05"),
        ("Updated 9 January 2026", ""),
        ("Обновлено 9 января 2026, опубликовано 13 декабря 2025", "2025-12-13"),
        ("", ""),
    ],
)
def test_the_day_at_the_head_is_that_of_publication(line: str, day: str) -> None:
    aside = '<aside><span class="date">2 February 2026</span><a href="/x">Court adjourned</a></aside>'
    said = read(
        f'<main><article><h1>Seven fishermen come home</h1><div class="date">{line}</div>{PROSE}</article>'
        f"{aside}</main>"
        "<footer>© 2019-2026</footer>"
    )
    assert said.published == day
    assert said.text.split("\n\n") == list(LONG)


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:modified_time" content="2026-01-09T11:00:00+03:00">',
        '<script type="application/ld+json">{"@type": "NewsArticle", "dateModified": "2026-01-09"}</script>',
        '<meta name="lastmod" content="2026-01-09"><meta name="datemodified" content="2026-01-09">',
    ],
)
def test_a_day_of_change_is_no_day_of_publication(head: str) -> None:
    assert article(PROSE, head).published == ""


def test_a_stamp_of_another_zone_gives_the_day_that_is_shown() -> None:
    stamp = '<meta property="article:published_time" content="2025-12-13T22:30:00Z">'
    assert article(f"<time>14 снежня 2025, 01:30</time>{PROSE}", stamp).published == "2025-12-14"
    assert article(f"<time>24 снежня 2025, 01:30</time>{PROSE}", stamp).published == "2025-12-13"
    assert article(PROSE, stamp).published == "2025-12-13"


# in the library


def test_what_is_left_out_is_kept_with_the_version_in_words(tmp_path: Path, open_store: OpenStore) -> None:
    source = tmp_path / "a.html"
    figure = '<figure><img src="a.jpg"><img src="b.jpg"><iframe src="https://films.example/1"></iframe></figure>'
    source.write_text(f"<!doctype html><html><body><article>{PROSE}{figure}</article></body></html>", "utf-8")
    update([source], data=tmp_path / "data")
    library = open_store(tmp_path / "data").library
    (kept,) = library.articles()
    left_out = library.sources.provenance(kept.id, kept.version).left_out
    assert left_out == "2 pictures, 1 frame"
    assert left_out.values["first"] == Message.many("{count} picture", "{count} pictures", count=2)


@pytest.mark.slow
def test_the_library_keeps_blocks_and_an_older_one_gets_those_of_blank_lines(
    tmp_path: Path, open_store: OpenStore
) -> None:
    source = tmp_path / "a.html"
    source.write_text(
        f"<!doctype html><html><head><title>Home</title></head><body><article><h2>Who pays</h2>{PROSE}"
        "</article></body></html>",
        "utf-8",
    )
    data = tmp_path / "data"
    update([source], data=data)
    store = open_store(data)
    (kept,) = store.library.articles()
    assert [block.kind for block in kept.blocks] == ["heading", *["paragraph"] * 3]
    assert check(data=data) == []
    store.close()
    with closing(sqlite3.connect(data / "library.db")) as library, library:
        for column in ("version DROP COLUMN blocks", "provenance DROP COLUMN made", "provenance DROP COLUMN left_out"):
            library.execute(f"ALTER TABLE {column}")
        library.execute("UPDATE meta SET value = '4' WHERE name = 'format'")
    (old,) = open_store(data).library.articles()
    assert old.blocks == text_blocks(old.text)
    assert check(data=data) == []
