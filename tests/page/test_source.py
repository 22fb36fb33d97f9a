"""Permanent links, and what the server answers to whom: a real server, a real browser, plain HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from bot import Article, Bot, VersionDetails
from ingest import update
from page.i18n import IN_ENGLISH
from page.source import changes_page, source_page
from tests.support.articles import HOSTILE
from tests.support.browser import (
    OpenPage,
    needs_browser,
    running,
)
from tests.support.program import ROOT
from vectorstore import Provenance

pytestmark = needs_browser


EMOJI = """---
title: Дирижабль над Минском 🎈
url: https://example.invalid/zeppelin
publisher: Вести
published: 2024-05-06
lang: ru
note: Пересказ.
---

Утром 🙂🇧🇾 над городом показался дирижабль 🎈.

Пилот сказал: «Мы летим в Вильнюс» 🙂, — и помахал рукой. Второй пилот промолчал.
"""
QUOTE = "Пилот сказал: «Мы летим в Вильнюс» 🙂, — и помахал рукой."
NOTICE = "---\ntitle: Notice\npublished: 2024-01-02\n---\n\nThe airfield %s today.\n"
FOREIGN = "http://evil.invalid"
POLICY = "Content-Security-Policy"


@dataclass(frozen=True, slots=True)
class Site:
    address: str
    data: Path
    emoji: Article
    hostile: Article
    notice: Article


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    articles = folder / "articles"
    articles.mkdir()
    (articles / "emoji.md").write_text(EMOJI, "utf-8")
    (articles / "hostile.md").write_text(HOSTILE, "utf-8")
    (articles / "notice.md").write_text(NOTICE % "opens", "utf-8")
    update([articles], data=folder / "data")
    (articles / "notice.md").write_text(NOTICE % "closes", "utf-8")
    update([articles], data=folder / "data")
    with Bot.open(folder / "data", model="") as bot:
        ids = {facet.name: facet.value for facet in bot.facets.articles}
        found = {name.split()[0]: bot.article(value, 1) for name, value in ids.items()}
    emoji, hostile, notice = found["Дирижабль"], found["<img"], found["Notice"]
    assert emoji
    assert hostile
    assert notice
    with running(folder / "data") as address:
        yield Site(address, folder / "data", emoji, hostile, notice)


def sent(site: Site, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and body of a request as it is written, with the headers given."""
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=30)
    connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, answer.headers, body


def test_a_link_marks_exactly_the_quote_behind_characters_of_two_units(site: Site, open_page: OpenPage) -> None:
    start = site.emoji.text.index(QUOTE)
    page = open_page(f"{site.address}/source/{site.emoji.id}/1#{start}-{start + len(QUOTE)}")
    expect(page.locator("mark")).to_have_count(1)
    assert page.locator("mark").text_content() == QUOTE
    paragraphs = [one.text_content() for one in page.locator("#text p").all()]
    assert paragraphs == [line for line in site.emoji.text.split("\n") if line]


def test_a_quote_over_two_paragraphs_is_marked_in_both(site: Site, open_page: OpenPage) -> None:
    start, end = site.emoji.text.index("дирижабль"), site.emoji.text.index(" сказал")
    page = open_page(f"{site.address}/source/{site.emoji.id}/1#{start}-{end}")
    expect(page.locator("mark")).to_have_text(["дирижабль 🎈.", "Пилот"])


def test_another_fragment_marks_anew_and_one_that_names_nothing_is_told_of(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.address}/source/{site.emoji.id}/1")
    said = page.locator("#marked")
    expect(said).to_have_text("This URL names no quote: it shows the whole text.")
    page.evaluate("location.hash = '#0-5'")
    expect(page.locator("mark")).to_have_text("Утром")
    for fragment, message in {
        "#5-5": "does not have: nothing is marked",
        "#3-999999": f"this text of {len(site.emoji.text)} characters does not have",
        "#<img src=x>": "The end of this URL names no quote",
    }.items():
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        expect(said).to_contain_text(message)
        expect(page.locator("mark")).to_have_count(0)


def test_the_page_of_a_source_says_what_is_known_of_it(site: Site) -> None:
    status, _, body = sent(site, f"/source/{site.emoji.id}/1")
    assert status == 200
    assert '<a href="https://example.invalid/zeppelin" rel="noopener noreferrer">' in body
    for known in ("Дирижабль над Минском 🎈", "Вести", "2024-05-06", "Пересказ.", site.emoji.sha256[:12], 'lang="ru"'):
        assert known in body
    assert site.emoji.sha256[:13] not in body


@pytest.mark.parametrize(
    ("language", "kind", "marked", "changed", "missing"),
    [
        (
            "ru",
            "Текст источника (архивная копия)",
            "Процитированные слова выделены.",
            "Что изменилось",
            "Нет такого текста",
        ),
        (
            "be",
            "Тэкст крыніцы (архіўная копія)",
            "Працытаваныя словы вылучаны.",
            "Што змянілася",
            "Няма такога тэксту",
        ),
    ],
)
def test_a_source_s_page_speaks_its_reader_s_language(
    site: Site, browser: Browser, language: str, kind: str, marked: str, changed: str, missing: str
) -> None:
    context = browser.new_context(locale=language)
    page = context.new_page()
    page.goto(f"{site.address}/source/{site.notice.id}/2#0-3")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator(".kind")).to_have_text(kind)
    expect(page.locator("#marked")).to_have_text(marked)
    page.goto(f"{site.address}/source/{site.notice.id}/2/changes")
    expect(page.locator(".kind")).to_contain_text(changed)
    expect(page.locator("ins")).to_have_text("closes")
    page.goto(f"{site.address}/source/{site.notice.id}/9")
    expect(page.locator("h1")).to_contain_text(missing)
    page.goto(f"{site.address}/source/{site.notice.id}/2")
    context.add_cookies([{"name": "viadoma-language", "value": "en", "url": site.address}])  # what was chosen counts
    page.reload()
    expect(page.locator(".kind")).to_have_text("Source text (archived copy)")
    context.close()


def test_an_old_version_stays_as_it_was_and_names_the_newer_one(site: Site) -> None:
    old, new = (sent(site, f"/source/{site.notice.id}/{version}")[2] for version in (1, 2))
    assert "The airfield opens today." in old
    assert f'<a href="/source/{site.notice.id}/2">version 2 is newer</a>' in old
    assert "The airfield closes today." in new
    assert "is newer" not in new
    assert f'<dd dir="auto"><a href="/source/{site.notice.id}/1">1</a> · <strong>2</strong></dd>' in new


@pytest.mark.parametrize("version", ["2", "0", "-1", "1.0", "٣", "latest", "9" * 30, "<b>"])
def test_an_unknown_version_is_a_404_that_says_so(site: Site, version: str) -> None:
    status, headers, body = sent(site, f"/source/{site.emoji.id}/{quote(version)}")
    assert status == 404
    assert headers[POLICY].startswith("default-src 'none'")
    assert "No such text in this collection" in body
    assert "<b>" not in body


def test_an_unknown_article_is_a_404(site: Site) -> None:
    assert [sent(site, f"/source/{name}/1")[0] for name in ("nothing", "%00", "%27--", "x" * 3000)] == [404] * 4


def record(article: Article, *before: Article) -> VersionDetails:
    """An article with nothing else known of it but the versions before."""
    return VersionDetails(article, Provenance(), (*before, article), None, None, (), ())


def test_what_changed_is_marked_word_by_word_and_is_text(site: Site) -> None:
    old = replace(site.hostile, title="The ferry", text="It carried 40 <i>people</i>.\r\n")
    page = changes_page(record(replace(old, version=2, text="It carried 70 <i>people</i>.\r\n"), old), IN_ENGLISH)
    assert "It carried <del>40</del><ins>70</ins> &lt;i&gt;people&lt;/i&gt;." in page
    assert "This is the first version" in changes_page(record(old), IN_ENGLISH)
    assert "are the same" in changes_page(record(replace(old, version=2), old), IN_ENGLISH)


def test_an_article_s_words_are_text_on_its_page(site: Site, open_page: OpenPage) -> None:
    page = open_page(f"{site.address}/source/{site.hostile.id}/1#0-9")
    expect(page.locator("h1")).to_have_text("<img src=x onerror=alert(1)> ${alert(2)} {{evil}}")
    expect(page.locator("dl")).to_contain_text("<b>Bold</b> Post")
    expect(page.locator("#text")).to_contain_text("at ${1+1} \\o/ noon")
    assert page.locator("img, dl a, #text script").count() == 0
    script = source_page(record(replace(site.hostile, text="<script>alert(5)</script>", lang='"><b>')), IN_ENGLISH)
    assert "&lt;script&gt;alert(5)&lt;/script&gt;" in script
    assert "<b>" not in script


def test_a_source_s_page_may_load_its_two_files_and_nothing_else(site: Site) -> None:
    _, headers, _ = sent(site, f"/source/{site.emoji.id}/1")
    directives = dict(part.split(" ", 1) for part in headers[POLICY].split("; "))
    assert directives.pop("img-src") == "data:"
    assert directives.pop("style-src") == directives.pop("script-src") == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert set(directives.values()) == {"'none'"}
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_all("Referrer-Policy") == ["no-referrer"]


@pytest.mark.parametrize(
    "path", ["/", "/config", "/theme.css", "/source.js", "/nothing", "/gradio_api/file=/etc/passwd"]
)
def test_every_response_carries_the_policy_once(site: Site, path: str) -> None:
    _, headers, _ = sent(site, path)
    policy = headers.get_all(POLICY)
    assert policy is not None
    assert len(policy) == 1
    assert "default-src 'self'" in policy[0]
    assert "frame-ancestors 'none'" in policy[0]
    assert "http" not in policy[0]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_hosts_of_this_machine_are_answered_and_no_other(site: Site) -> None:
    port = urlsplit(site.address).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "LOCALHOST"):
        assert sent(site, "/config", Host=host)[0] == 200
    for host in ("evil.invalid", f"evil.invalid:{port}", "127.0.0.1.evil.invalid", "www.localhost", "[::2]", ""):
        assert sent(site, "/config", Host=host)[0] == 400
        assert sent(site, f"/source/{site.emoji.id}/1", Host=host)[0] == 400


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1:1", "https://{host}", "http://localhost:{port}"])
def test_a_request_from_another_site_is_refused(site: Site, origin: str) -> None:
    host = urlsplit(site.address)
    origin = origin.format(host=host.netloc, port=host.port)
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/run/predict", "/nothing"):
        status, headers, _ = sent(site, path, "POST", Origin=origin)
        assert status == 403
        assert headers["Access-Control-Allow-Origin"] is None
    assert sent(site, "/config", Origin=origin)[0] == 403


def test_the_page_s_own_requests_are_not(site: Site) -> None:
    for headers in ({}, {"Origin": site.address}):
        assert sent(site, "/gradio_api/queue/join", "POST", **headers)[0] not in (400, 403)


def test_no_file_is_given_whatever_its_name(site: Site) -> None:
    files = ["/etc/passwd", ROOT / ".env", ROOT / "app.py", site.data / "library.db", "../../etc/passwd", "app.py"]
    for file in [*files, "http://127.0.0.1:1/x", "https://example.com/", "file:///etc/passwd"]:
        for way in ("file=", "file/", "proxy="):
            for name in (str(file), quote(str(file), safe="")):
                assert sent(site, f"/gradio_api/{way}{name}")[0] == 403
                assert sent(site, f"/gradio_api/{way}{name}", "HEAD")[0] == 403
    for path in ("/static/../../../../../etc/passwd", "/assets/..%2f..%2f..%2fapp.py", "/source.js/../app.py"):
        assert "root:" not in (body := sent(site, path)[2])
        assert "import argparse" not in body
