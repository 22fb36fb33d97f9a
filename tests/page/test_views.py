"""The page's views in a real browser: languages, looks, keyboard and screen readers, thumbs, many files at once."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from bot import Bot, verify
from ingest import update
from page.layout import OFFERED
from tests.support.articles import LONG
from tests.support.browser import (
    ANSWER,
    MARKER,
    QUESTION,
    VECTORS,
    WAIT,
    ask_here,
    marker_of,
    needs_browser,
    opened,
    ready,
    running,
    watched,
)
from tests.support.endpoint import Script, endpoint
from tests.support.program import finished
from tests.support.site import Site

pytestmark = needs_browser


GRAVE = ("serious", "critical")


def test_the_page_speaks_the_language_of_its_reader_until_they_choose_another(address: str, browser: Browser) -> None:
    with watched(browser, address, locale="be-BY") as (page, seen):
        opened(page, address)
        assert page.url == f"{address}/be/"
        assert page.locator("html").get_attribute("lang") == "be"
        expect(page.locator(".status")).to_contain_text("69 артыкулаў, найнавейшы ад 2026-03-02")
        box = page.get_by_role("textbox", name="Пытанне")
        box.fill("Ці пісаў Бяляцкі прашэнне аб памілаванні?")
        box.press("Enter")
        expect(page.locator("#chat small.coverage")).to_contain_text("Цытуецца даслоўна.", timeout=WAIT)
        expect(page.get_by_label("Скапіяваць адказ").first).to_be_visible()
        page.wait_for_url("**/be/?c=*")
        page.locator(".languages a", has_text="Русский").click()
        page.wait_for_url("**/ru/?c=*")
        expect(page.locator("#chat small.coverage")).to_contain_text("Цитируется дословно.", timeout=WAIT)
        page.get_by_role("link", name="Библиотека").click()
        page.wait_for_url("**/ru/library")
        expect(page.get_by_role("button", name="Загрузить всё заново")).to_be_visible(timeout=WAIT)
        page.locator(".languages a", has_text="English").click()
        page.wait_for_url("**/library")
        expect(page.get_by_role("button", name="Re-ingest all")).to_be_visible(timeout=WAIT)
        opened(page, address)  # what was chosen is kept, whatever the browser speaks
        assert page.url == f"{address}/"
        assert seen == []


def test_beside_its_quotes_an_answer_on_the_russian_page_has_no_word_of_english(address: str, browser: Browser) -> None:
    with watched(browser, address, locale="ru-RU") as (page, _):
        opened(page, address)
        page.get_by_role("button", name="Фильтры").click()
        page.get_by_label("Языки").click()
        for language in ("ru", "en"):
            page.get_by_role("option", name=re.compile(f"^{language} ")).click()
        page.keyboard.press("Escape")
        page.get_by_role("textbox", name="Опубликовано с").fill("2025-09-01")
        box = page.get_by_role("textbox", name="Вопрос")
        box.fill("Что сказал Коул о санкциях?")
        box.press("Enter")
        coverage = page.locator("#chat small.coverage")
        expect(coverage).to_contain_text("(язык ru или en, опубликовано с 2025-09-01)", timeout=WAIT)
        own = page.locator("#chat .bot small").all_inner_texts()
        names = {"Sviatlana", "Tsikhanouskaya", "Andrius", "Kubilius", "Franak", "Viacorka", "John", "Coale", "Cole"}
        assert set(re.findall("[A-Za-z]{2,}", " ".join(own))) - names == {"ru", "en"}


def test_any_article_of_a_large_library_is_found_by_typing_and_told_from_its_namesake(
    tmp_path: Path, browser: Browser
) -> None:
    text = "On 3 May 2024 harbour number {} was closed by the mayor of Sandby."
    rows = [{"id": f"{n}", "title": f"Report {n:03}", "text": text.format(n)} for n in range(OFFERED + 20)]
    rows += [{"id": one, "title": "Weather", "publisher": one, "text": f"It rained in {one}."} for one in ("Ny", "By")]
    (tmp_path / "many.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert len(update([tmp_path / "many.jsonl"], data=tmp_path / "data").added) == len(rows)
    with running(tmp_path / "data") as url, watched(browser, url) as (page, _):
        opened(page, url)
        page.get_by_text("Filters", exact=True).click()
        field = page.get_by_label("Articles", exact=True)
        field.click()
        options = page.get_by_role("option")
        expect(options).to_have_count(OFFERED, timeout=WAIT)
        last = f"Report {OFFERED + 19}"
        expect(options.filter(has_text=last)).to_have_count(0)
        field.press_sequentially(last)
        options.filter(has_text=last).click(timeout=WAIT)
        field.press_sequentially("weather")
        expect(options).to_have_text([re.compile("Weather · By$"), re.compile("Weather · Ny$")], timeout=WAIT)
        options.first.click()
        page.keyboard.press("Escape")
        expect(page.locator("#filters .token")).to_have_text([last, "Weather · By"])
        ask_here(page, "Which harbour was closed?")
        expect(page.locator("#chat small.coverage")).to_contain_text("2 articles were searched")


def test_light_and_dark_are_the_systems_until_one_is_chosen_and_that_is_kept(address: str, browser: Browser) -> None:
    def ground(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).getPropertyValue('--background-fill-primary')"))

    with watched(browser, address, color_scheme="dark") as (page, _):
        opened(page, address)
        dark = ground(page)
        page.get_by_role("button", name="Toggle dark mode").click()
        light = ground(page)
        assert light != dark
        page.goto(f"{address}/timeline")
        ready(page)
        expect(page.locator("#events tbody tr").first).to_be_visible(timeout=WAIT)
        assert ground(page) == light
        page.goto(f"{address}{page.locator('#events a').first.get_attribute('href')}")
        expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
        page.evaluate("localStorage.clear()")
        page.reload()
        expect(page.locator("body")).to_have_css("background-color", "rgb(28, 25, 23)")


def test_a_marker_under_the_pointer_or_the_keyboard_shows_its_quote(address: str, browser: Browser) -> None:
    with watched(browser, address) as (page, seen):
        opened(page, address)
        ask_here(page, QUESTION)
        tip = page.get_by_role("tooltip")
        expect(tip).to_be_hidden()
        marker = marker_of(page, ANSWER)
        marker.hover()
        expect(tip).to_contain_text(f"{ANSWER} Belarusian Potash Company")
        expect(tip).to_contain_text("Trade Law Daily")
        box = tip.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["y"] >= 0
        page.mouse.move(5, 5)
        expect(tip).to_be_hidden()
        marker.focus()
        expect(tip).to_be_visible()
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        marker.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".card.lit")).to_contain_text(ANSWER)
        assert seen == []


def test_what_may_be_asked_next_is_answered_by_a_click(address: str, browser: Browser) -> None:
    with watched(browser, address) as (page, _):
        opened(page, address)
        ask_here(page, "How many prisoners were freed in December 2025?")
        then = page.locator("#chat .option")
        expect(then.first).to_be_visible(timeout=WAIT)
        question = then.first.inner_text().strip()
        assert question.endswith("?")
        then.first.click()
        expect(page.locator("#chat small.coverage")).to_have_count(2, timeout=WAIT)
        expect(page.locator("#chat .user").last).to_contain_text(question)
        expect(page.locator("#chat .bot").last).not_to_contain_text("does not answer this")


def test_a_thumb_and_its_reason_are_kept_with_evidence_that_holds(
    sample_data: Path, tmp_path: Path, browser: Browser
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    with running(data) as url, watched(browser, url) as (page, _):
        opened(page, url)
        ask_here(page, "What is the capital of France?")
        ask_here(page, QUESTION)
        page.get_by_label("Dislike").last.click()
        why = page.get_by_label("What is wrong with this answer?")
        why.fill("It says <b>nothing</b> of Grodno Azot.")
        page.get_by_role("button", name="Save feedback").click()
        expect(page.get_by_text("Feedback saved on this machine").first).to_be_visible(timeout=WAIT)
        expect(why).to_be_hidden()
        page.get_by_label("Like", exact=True).first.click()
        expect(page.get_by_label("What is good about this answer?")).to_be_visible(timeout=WAIT)
    told = finished("cli", "feedback", "--data", data)
    assert told.returncode == 0
    kept = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(one["liked"], one["reason"]) for one in kept] == [
        (False, "It says <b>nothing</b> of Grodno Azot."),
        (True, ""),
    ]
    assert QUESTION in json.dumps(kept[0]["evidence"])
    assert "capital of France" in json.dumps(kept[1]["evidence"])
    with Bot.open(data, model="") as bot:
        assert all(one.ok for one in verify(json.dumps(kept[0]["evidence"]), bot.article))


def grave(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds that keeps people out: the rule and the element."""
    # what fades in has too little contrast until it is there
    page.wait_for_function(
        "document.getAnimations().every((one) => one.playState !== 'running'"
        " || one.effect.getComputedTiming().iterations === Infinity)"
    )
    found = Axe().run(page).response["violations"]
    return [(one["id"], node["html"][:200]) for one in found if one["impact"] in GRAVE for node in one["nodes"]]


@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [("en-US", "light", 1440), ("ru-RU", "dark", 1440), ("be-BY", "light", 390), ("en-US", "dark", 390)],
)
def test_no_view_keeps_anybody_out(address: str, browser: Browser, locale: str, scheme: str, width: int) -> None:
    # axe runs in the page, past its policy
    options = {
        "locale": locale,
        "color_scheme": scheme,
        "viewport": {"width": width, "height": 900},
        "bypass_csp": True,
    }
    with watched(browser, address, **options) as (page, _):
        opened(page, address)
        assert grave(page) == []
        page.locator("#filters button").first.click()
        page.locator("#filters input").first.click()
        expect(page.get_by_role("option").first).to_be_visible(timeout=WAIT)
        assert grave(page) == []
        page.keyboard.press("Escape")
        page.locator("#filters button").first.click()
        box = page.locator("textarea").last
        box.fill("How many people were taken to Ukraine?")
        box.press("Enter")
        expect(page.locator("#chat .option").first).to_be_visible(timeout=WAIT)
        page.locator("#chat").locator(MARKER).first.click()
        assert grave(page) == []
        page.locator(".toggle-button").first.click()
        page.locator("#listing").wait_for()
        page.wait_for_timeout(500)  # it slides in
        assert grave(page) == []
        root = page.url.partition("?")[0].rstrip("/")
        page.goto(f"{root}/library")
        ready(page)
        expect(page.get_by_role("gridcell").first).to_be_visible(timeout=WAIT)
        assert grave(page) == []
        page.locator("#edit button").first.click()
        page.get_by_role("gridcell").first.click()
        page.locator("#detail summary").click(timeout=WAIT)
        expect(page.locator("#edit input").first).to_be_editable()
        assert grave(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        link = page.locator("#detail a").first.get_attribute("href")
        page.goto(f"{root}/timeline")
        ready(page)
        expect(page.locator("#plot [role=graphics-symbol]").first).to_be_attached(timeout=WAIT)
        assert grave(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#plot .label-wrap").click()
        expect(page.locator("#counts tbody tr").first).to_be_visible(timeout=WAIT)
        assert grave(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.goto(f"{address}{page.locator('#events a').first.get_attribute('href')}")
        assert grave(page) == []
        page.goto(f"{address}{link}/changes")
        assert grave(page) == []


def test_of_ten_files_seven_go_in_three_are_named_and_all_can_be_taken_in_again(
    sample_data: Path, tmp_path: Path, browser: Browser
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    files = []
    for number in range(7):
        files.append(tmp_path / f"news{number}.txt")
        files[-1].write_text(f"On 3 May 2024 harbour number {number} was closed by the mayor of Sandby.")
    for name, content in (("cut.pdf", b"%PDF-1.4 broken"), ("noise.txt", bytes(range(256)) * 40), ("blank.md", b" \n")):
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    with running(data) as url, watched(browser, url) as (page, _):
        page.goto(f"{url}/library")
        page.locator("input[type=file]").first.set_input_files(files, timeout=WAIT)
        expect(page.locator("#intake").get_by_text("news6")).to_be_visible(timeout=WAIT)
        page.get_by_role("button", name="Add articles", exact=True).click()
        outcome = page.locator("#outcome")
        expect(outcome).to_contain_text("Done: 7 added, 3 failed", timeout=WAIT)
        for name in ("cut.pdf", "noise.txt", "blank.md"):
            expect(outcome.locator("li.failed", has_text=name)).to_have_count(1)
        page.get_by_role("button", name="Re-ingest all").click()
        expect(outcome).to_contain_text("Done: 0 added, 76 unchanged", timeout=WAIT)


def test_addresses_lists_and_feeds_go_in_before_the_readers_eyes_until_it_is_stopped(
    tmp_path: Path, browser: Browser, site: Site
) -> None:
    data, ferry, addresses = tmp_path / "data", tmp_path / "ferry.txt", tmp_path / "addresses.txt"
    ferry.write_text("The ferry between Norholm and Sandby was sold. Its new owner lives in Sandby.")
    update([ferry], data=data)
    pages = [site.article(f"/{name}", f"{name} Lund. {LONG}") for name in ("Ada", "Bo", "Cy", "Di", "Eve")]
    addresses.write_text(f"{pages[0]}\n")
    feed = f"<item><title>Norholm</title><link>{pages[2]}</link></item>"
    site.page("/feed.xml", f'<?xml version="1.0"?><rss version="2.0"><channel>{feed}</channel></rss>')
    held = site.held["/Di"] = Event()
    allowed = f"127.0.0.1:{site.port}"
    with running(data, VIADOMA_ALLOW=allowed) as url, watched(browser, url) as (page, _):
        page.goto(f"{url}/library")
        ready(page)
        page.locator("input[type=file]").first.set_input_files([addresses], timeout=WAIT)
        expect(page.locator("#intake td").filter(has_text="addresses").first).to_be_visible(timeout=WAIT)
        field = page.get_by_label("URLs, one per line: pages, feeds, sitemaps")
        field.fill("\n".join([pages[1], f"{site.root}/feed.xml", pages[3], pages[4]]))
        page.get_by_role("button", name="Add articles", exact=True).click()
        outcome = page.locator("#outcome")
        expect(outcome.get_by_role("progressbar", name="Adding articles…")).to_have_attribute(
            "value", re.compile("[1-9]"), timeout=WAIT
        )
        expect(outcome).to_contain_text(pages[0], timeout=WAIT)
        expect(field).to_have_value("")
        page.get_by_role("gridcell", name=re.compile("ferry[.]txt$")).first.click()
        expect(page.locator("#detail")).to_contain_text("ferry.txt", timeout=WAIT)
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_text("Another ingest is running").first).to_be_visible(timeout=WAIT)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(outcome).to_contain_text("Stopping… ", timeout=WAIT)
        held.set()
        expect(outcome).to_contain_text(re.compile("Stopped: [1-4] added"), timeout=WAIT)
        expect(outcome).to_contain_text("Some sources were not processed")
        page.get_by_role("button", name="Re-ingest all").click()
        expect(outcome).to_contain_text(re.compile("Done: [1-5] added, [2-5] unchanged"), timeout=WAIT)
        expect(outcome).not_to_contain_text("not read")
        with Bot.open(data, model="") as bot:
            assert len(bot.list_articles()) == 6


def test_a_sorted_table_opens_the_article_that_is_clicked(address: str, browser: Browser) -> None:
    with watched(browser, address, locale="be-BY") as (page, _):
        page.goto(f"{address}/be/library")
        publishers = page.locator("#articles [role=gridcell][aria-colindex='2']")
        expect(publishers.first).to_be_visible(timeout=WAIT)
        before = publishers.first.inner_text()
        head = page.locator("#articles th[title='Выданне']")
        head.click()
        head.get_by_role("button").click()
        page.get_by_role("menuitem", name="Сартаваць па спаданні").click()
        expect(publishers.first).not_to_have_text(before)
        shown = [one.casefold() for one in publishers.all_inner_texts()]
        assert shown == sorted(shown, reverse=True)
        publishers.first.click()
        expect(page.locator("#detail")).to_contain_text(publishers.first.inner_text().strip(), timeout=WAIT)


def test_an_edited_date_moves_its_sentence_on_the_timeline(sample_data: Path, tmp_path: Path, browser: Browser) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    (tmp_path / "ferry.txt").write_text("The ferryman of Sandby was released from prison.")
    update([tmp_path / "ferry.txt"], data=data)
    with running(data) as url, watched(browser, url) as (page, _):
        page.goto(f"{url}/timeline")
        rows = page.locator("#events tbody tr")
        expect(rows.first).to_be_visible(timeout=WAIT)
        expect(rows.filter(has_text="ferryman")).to_have_count(0)
        page.goto(f"{url}/library")
        # Gradio fills fields that have just come into sight a event later, over what is typed by then
        page.get_by_role("button", name="Edit title, publisher or date").click(timeout=WAIT)
        page.locator("#articles").get_by_placeholder("Search the table").fill("ferry")
        page.get_by_role("gridcell", name=re.compile("ferry[.]txt$")).first.click(timeout=WAIT)
        expect(page.locator("#detail")).to_contain_text("ferry.txt", timeout=WAIT)
        page.get_by_label("Published", exact=True).fill("2024-05-03")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("gridcell", name="2024-05-03").first).to_be_visible(timeout=WAIT)
        page.goto(f"{url}/timeline")
        expect(rows.filter(has_text="ferryman").filter(has_text="2024-05-03")).to_have_count(1, timeout=WAIT)


def test_the_fields_to_edit_wait_for_the_article_that_was_chosen(address: str, browser: Browser) -> None:
    with watched(browser, address) as (page, _):
        page.goto(f"{address}/library")
        cells = page.locator("#articles").get_by_role("gridcell")
        expect(cells.first).to_be_visible(timeout=WAIT)
        page.get_by_role("button", name="Edit title, publisher or date").click()
        title = page.get_by_label("Title", exact=True)
        asked: list[Route] = []
        page.route("**/queue/join*", lambda one: asked.append(one))  # on its way, until it is let go
        cells.first.click()
        expect(title).not_to_be_editable()
        for one in asked:
            one.continue_()
        page.unroute("**/queue/join*")
        expect(title).to_have_value(cells.first.inner_text().strip(), timeout=WAIT)
        expect(title).to_be_editable()


def test_an_endpoint_that_breaks_in_mid_answer_is_told_of_at_the_top_until_it_answers_again(
    sample_data: Path, tmp_path: Path, browser: Browser
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    script = Script([json.dumps({"claims": []})])
    with (
        endpoint(script) as model,
        running(data, OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=model) as url,
        watched(browser, url) as (page, _),
    ):
        opened(page, url)
        host = model.split("/")[2]
        expect(page.locator(".status")).to_contain_text(f"writing with gpt-5-mini at {host}")
        ask_here(page, QUESTION)
        expect(page.locator(".trouble")).to_have_count(0)
        prompt, quote = script.prompt(0), ANSWER
        number = int(prompt[: prompt.index(quote)].rsplit("Passage [", 1)[1].split("]")[0])
        evidence = [{"passage": number, "quote": f"{quote} Belarusian Potash Company"}]
        claim = json.dumps({"claims": [{"text": "Transactions are allowed.", "evidence": evidence}] * 2})
        script.texts, script.finish = [claim[:-40]], None
        ask_here(page, QUESTION)
        answer = page.locator("#chat .bot").last
        expect(answer).to_contain_text("Showing quotes instead.")
        expect(answer).to_contain_text(f"{ANSWER} Belarusian Potash Company")
        expect(page.locator(".trouble")).to_be_visible()
        script.texts, script.finish = [json.dumps({"claims": []})], "stop"
        ask_here(page, QUESTION)
        expect(page.locator(".trouble")).to_have_count(0)


def test_no_word_of_an_article_is_taken_for_markup_on_any_view(tmp_path: Path, browser: Browser) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number, vector in enumerate(VECTORS):
        title = json.dumps(f"{vector} {number}")
        (folder / f"{number}.md").write_text(
            f"---\ntitle: {title}\npublisher: {title}\npublished: 2024-05-{number % 28 + 1:02}\nlang: en\n---\n\n"
            f"The zeppelin {vector} number {number} brought 40 released prisoners home.\n"
        )
    assert len(VECTORS) == 27
    report = update([folder], data=tmp_path / "data")
    assert len(report.added) == 27
    with running(tmp_path / "data") as url, watched(browser, url) as (page, seen):
        opened(page, url)
        for vector in VECTORS:
            box = page.get_by_role("textbox", name="Question")
            expect(box).to_be_editable(timeout=WAIT)
            box.fill(f"Which zeppelin brought {vector} home?")
            box.press("Enter")
            expect(box).to_have_value("", timeout=WAIT)
            expect(page.locator("button.stop-button")).to_have_count(0, timeout=WAIT)
        expect(page.locator("#chat small.coverage").first).to_be_visible()
        said = page.locator("#chat, #sources")
        run = said.locator("script, iframe, form, object, embed, video, svg[onload], [onerror], [onload]")
        assert [one.evaluate("one => one.outerHTML.slice(0, 300)") for one in run.all()] == []
        assert page.locator("#sources img, #chat .bot img, #chat a[href*=evil], #chat a[href^=javascript]").count() == 0
        page.goto(f"{url}/library")
        expect(page.get_by_role("gridcell").first).to_be_visible(timeout=WAIT)
        page.goto(f"{url}/timeline")
        rows = page.locator("#events tbody tr")
        expect(rows).to_have_count(54, timeout=WAIT)  # each article, and its sentence
        shown = " ".join(page.locator("#events").inner_text().split())
        with Bot.open(tmp_path / "data", model="") as bot:
            quotes = [" ".join(event.citation.quote.split()) for event in bot.timeline.events()]
        assert [quote for quote in quotes if quote not in shown] == []
        assert any("<svg/onload" in quote for quote in quotes)
        assert page.locator("#events").locator("script, img, iframe, form, style, video").count() == 0
        assert seen == []


def test_more_than_a_page_sends_is_refused_and_so_is_a_file_over_the_limit(address: str) -> None:
    def posted(path: str, body: bytes, kind: str) -> int:
        request = urllib.request.Request(f"{address}{path}", data=body, headers={"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except (BrokenPipeError, ConnectionResetError, urllib.error.URLError):
            return 413  # it was cut off while it still sent

    history = [{"role": "system", "content": "x" * 5_000_000}]
    body = json.dumps({"data": [history], "fn_index": 0, "session_hash": "x"}).encode()
    for root in ("", "/ru", "/be"):
        assert posted(f"{root}/gradio_api/queue/join", body, "application/json") == 413
    part = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
        + b"x" * 210_000_000
        + b"\r\n--b--\r\n"
    )
    assert posted("/gradio_api/upload", part, "multipart/form-data; boundary=b") == 413
