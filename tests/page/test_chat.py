"""What happens to a conversation while its answer is still in the making, in two tabs, or when something fails."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from page.conversations import FILE
from page.launch import REMEMBERED_PAGES
from tests.support.browser import (
    ANSWER,
    MARKER,
    QUESTION,
    WAIT,
    ask_here,
    needs_browser,
    opened,
    ready,
    running,
    watched,
)
from tests.support.endpoint import Script, endpoint
from tests.support.readers import Desk

pytestmark = needs_browser


OTHER = "What is the capital of France?"
THIRD = "Who is Ales Bialiatski?"
NOTHING = '{"claims": []}'
FIRST = "Transactions are allowed."
WRITE = """(box, count) => {
  box.value = "potash ".repeat(count);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}"""
BROKEN_OFF = "Answer stopped."


@pytest.fixture
def data(sample_data: Path, tmp_path: Path) -> Path:
    # without what was asked there by other tests
    shutil.copytree(sample_data, tmp_path / "data", ignore=shutil.ignore_patterns(f"{FILE}*"))
    return tmp_path / "data"


@contextmanager
def written(data: Path) -> Iterator[tuple[str, Script]]:
    """The page, whose answers a model writes, which was asked QUESTION before; at first none."""
    script = Script([NOTHING])
    with endpoint(script) as model, running(data, OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=model) as url:
        assert Desk.at(url).ask("before", QUESTION)
        yield url, script


def slowly(script: Script) -> None:
    """Has the model write one sentence soon and the next never, if QUESTION is the first one."""
    prompt, quote = script.prompt(0), ANSWER
    number = int(prompt[: prompt.index(quote)].rsplit("Passage [", 1)[1].split("]")[0])
    evidence = [{"passage": number, "quote": f"{quote} Belarusian Potash Company"}]
    claims = [{"text": text, "evidence": evidence} for text in (FIRST, "Allowed. " * 4000)]
    script.texts, script.pause_seconds = [json.dumps({"claims": claims})], 0.02


def at_once(script: Script) -> None:
    script.texts, script.pause_seconds = [NOTHING], 0


def begin(page: Page, question: str) -> None:
    """Asks, and waits for nothing."""
    box = page.get_by_role("textbox", name="Question")
    expect(box).to_be_editable(timeout=WAIT)
    box.fill(question)
    box.press("Enter")


def streams(page: Page) -> None:
    begin(page, QUESTION)
    expect(page.locator("#chat .bot").last).to_contain_text(FIRST, timeout=WAIT)


def row(page: Page, title: str) -> Locator:
    return page.locator("#listing label", has_text=title)


def asked(page: Page) -> Locator:
    return page.locator("#chat .user .prose")


def begin_another(page: Page, url: str) -> None:
    """Asks OTHER, and begins a new conversation from the list, which stays open."""
    opened(page, url)
    ask_here(page, OTHER)
    page.locator(".toggle-button").first.click()
    expect(row(page, OTHER)).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="New conversation").click()
    expect(asked(page)).to_have_count(0, timeout=WAIT)


def reloaded(page: Page) -> None:
    page.reload()
    ready(page)
    expect(page.locator("#chat small.coverage").first).to_be_visible(timeout=WAIT)


def test_another_conversation_is_opened_while_an_answer_comes_and_each_keeps_its_own(
    data: Path, browser: Browser
) -> None:
    with written(data) as (url, script), watched(browser, url) as (page, _):
        begin_another(page, url)
        slowly(script)
        streams(page)
        expect(row(page, QUESTION)).to_be_visible(timeout=WAIT)  # it pushes the other down
        row(page, OTHER).click()
        expect(asked(page)).to_have_text([OTHER], timeout=WAIT)
        at_once(script)
        ask_here(page, THIRD)
        expect(asked(page)).to_have_text([OTHER, THIRD])
        reloaded(page)
        expect(asked(page)).to_have_text([OTHER, THIRD])
        page.locator(".toggle-button").first.click()
        row(page, QUESTION).click()
        expect(asked(page)).to_have_text([QUESTION], timeout=WAIT)
        expect(page.locator("#chat .bot")).to_contain_text(FIRST)
        expect(page.locator("#chat .bot")).to_contain_text(BROKEN_OFF)


@pytest.mark.parametrize("leave", ["new", "clear"])
def test_a_new_conversation_is_begun_while_an_answer_comes(data: Path, browser: Browser, leave: str) -> None:
    with written(data) as (url, script), watched(browser, url) as (page, _):
        opened(page, url)
        slowly(script)
        streams(page)
        page.wait_for_url("**/?c=*")
        before = page.url
        if leave == "new":
            page.locator(".toggle-button").first.click()
            page.get_by_role("button", name="New conversation").click()
        else:
            page.get_by_label("Clear").first.click()
        expect(page).not_to_have_url(re.compile("c="), timeout=WAIT)
        expect(asked(page)).to_have_count(0, timeout=WAIT)
        at_once(script)
        ask_here(page, OTHER)
        expect(asked(page)).to_have_text([OTHER])
        page.wait_for_url(lambda now: "?c=" in now and now != before)
        for address, questions in ((page.url, [OTHER]), (before, [QUESTION])):
            page.goto(address)
            expect(asked(page)).to_have_text(questions, timeout=WAIT)


def test_a_conversation_that_is_deleted_while_its_answer_comes_stays_deleted(data: Path, browser: Browser) -> None:
    with written(data) as (url, script), watched(browser, url) as (page, _):
        opened(page, url)
        slowly(script)
        streams(page)
        page.locator(".toggle-button").first.click()
        page.get_by_role("button", name="Delete this conversation").click()
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(asked(page)).to_have_count(0, timeout=WAIT)
        expect(page.locator("#listing label")).to_have_count(0, timeout=WAIT)
        at_once(script)
        ask_here(page, OTHER)
        expect(page.locator("#listing label")).to_have_text([OTHER], timeout=WAIT)
        page.wait_for_url("**/?c=*")
    with closing(sqlite3.connect(data / FILE)) as kept:
        assert kept.execute("SELECT title FROM conversation ORDER BY title").fetchall() == [(QUESTION,), (OTHER,)]
        assert kept.execute("SELECT question FROM answer ORDER BY place").fetchall() == [(QUESTION,), (OTHER,)]


def test_whatever_is_asked_can_be_stopped_and_says_that_it_was(data: Path, browser: Browser) -> None:
    with written(data) as (url, script), watched(browser, url) as (page, _):
        opened(page, url)
        script.statuses = [401]  # so that the answer is quoted
        ask_here(page, THIRD)
        option = page.locator("#chat .option").first
        expect(option).to_be_visible(timeout=WAIT)
        script.pause_seconds = 60
        option.click()
        last = page.locator("#chat .bot").last
        expect(last).to_contain_text("Reading the sources", timeout=WAIT)
        expect(last.locator(".waiting")).to_be_visible()
        expect(page.get_by_role("textbox", name="Question")).not_to_be_editable()
        page.locator("button.stop-button").click()
        expect(last).to_have_text(BROKEN_OFF, timeout=WAIT)
        at_once(script)
        page.get_by_label("Edit").first.click()
        page.locator(".message textarea").first.fill(QUESTION)
        page.get_by_label("Submit").first.click()
        expect(page.locator("#chat small.coverage")).to_have_count(1, timeout=WAIT)
        expect(asked(page)).to_have_text([QUESTION])
        expect(page.locator("button.stop-button")).to_have_count(0, timeout=WAIT)
        slowly(script)
        page.get_by_label("Edit").first.click()
        page.locator(".message textarea").first.fill(QUESTION)
        page.get_by_label("Submit").first.click()
        expect(last).to_contain_text(FIRST, timeout=WAIT)
        page.locator("button.stop-button").click()
        expect(last).to_contain_text(BROKEN_OFF, timeout=WAIT)
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Markdown").first.click()
        assert BROKEN_OFF in download.value.path().read_text("utf-8")
        reloaded(page)
        expect(asked(page)).to_have_text([QUESTION])
        expect(last).to_contain_text(FIRST)
        expect(last).to_contain_text(BROKEN_OFF)
        at_once(script)
        page.get_by_label("Retry").click()  # what is whole takes the place of what was broken off
        expect(last).to_contain_text("does not answer this", timeout=WAIT)
        expect(page.locator("button.stop-button")).to_have_count(0, timeout=WAIT)
        reloaded(page)
        expect(page.locator("#chat")).not_to_contain_text(BROKEN_OFF)
        expect(asked(page)).to_have_text([QUESTION])


def test_of_one_conversation_in_two_tabs_neither_loses_what_the_other_asks(data: Path, browser: Browser) -> None:
    with running(data) as url, watched(browser, url) as (page, _):
        opened(page, url)
        ask_here(page, OTHER)
        page.wait_for_url("**/?c=*")
        one = page.url
        tab = page.context.new_page()
        opened(tab, one)
        expect(asked(tab)).to_have_text([OTHER], timeout=WAIT)
        ask_here(page, THIRD)
        ask_here(tab, QUESTION)
        expect(asked(tab)).to_have_text([OTHER, QUESTION])
        tab.wait_for_url(lambda now: now != one)
        for at, questions in ((page, [OTHER, THIRD]), (tab, [OTHER, QUESTION])):
            reloaded(at)
            expect(asked(at)).to_have_text(questions, timeout=WAIT)
        tab.get_by_label("Retry").click()  # the place that was the newest is still this tab's own
        expect(asked(tab)).to_have_count(2)
        page.locator(".toggle-button").first.click()
        row(page, OTHER).nth(1).click()
        expect(asked(page)).to_have_count(2, timeout=WAIT)


def test_what_is_begun_in_any_tab_is_listed_in_every_tab(address: str, browser: Browser) -> None:
    with watched(browser, address) as (page, _):
        opened(page, address)
        tab = page.context.new_page()
        opened(tab, address)
        for at, question in ((page, OTHER), (tab, QUESTION)):
            ask_here(at, question)
            at.locator(".toggle-button").first.click()
            expect(row(at, question)).to_be_visible(timeout=WAIT)
        page.get_by_role("button", name="New conversation").click()
        expect(asked(page)).to_have_count(0, timeout=WAIT)
        ask_here(page, THIRD)
        expect(page.locator("#listing label")).to_have_count(3, timeout=WAIT)
        opened(tab, address)
        tab.locator(".toggle-button").first.click()
        for question in (OTHER, QUESTION, THIRD):
            expect(row(tab, question)).to_be_visible(timeout=WAIT)


def test_an_answer_that_cannot_be_kept_is_given_with_the_reason(data: Path, browser: Browser) -> None:
    with running(data) as url, watched(browser, url) as (page, _):
        opened(page, url)
        ask_here(page, OTHER)
        with closing(sqlite3.connect(data / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # and does not end
            begin(page, QUESTION)
            last = page.locator("#chat .bot").last
            expect(last).to_contain_text(ANSWER, timeout=WAIT)
            expect(last).to_contain_text("This answer was not saved. The conversations in", timeout=WAIT)
            expect(last).to_contain_text("database is locked")
            page.locator(".toggle-button").first.click()
            title = page.get_by_label("Conversation title")
            title.fill("Paris")
            title.press("Enter")
            expect(page.locator(".toast-body")).to_contain_text("Make the folder writable", timeout=WAIT)
        ask_here(page, THIRD)
        reloaded(page)
        expect(asked(page)).to_have_text([OTHER, THIRD])


def test_a_library_that_cannot_be_read_is_told_of_in_the_place_of_an_answer(data: Path, browser: Browser) -> None:
    with running(data) as url, watched(browser, url) as (page, _):
        opened(page, url)
        with closing(sqlite3.connect(data / "library.db")) as library, library:
            library.executescript("ALTER TABLE passage RENAME TO elsewhere;")
        begin(page, QUESTION)
        expect(page.locator("#chat .bot small.refused")).to_contain_text("library", timeout=WAIT)
        expect(page.get_by_role("textbox", name="Question")).to_be_editable(timeout=WAIT)
        with closing(sqlite3.connect(data / "library.db")) as library, library:
            library.executescript("ALTER TABLE version RENAME TO another;")
        for view in ("", "/library", "/timeline"):
            page.goto(url + view)
            expect(page.locator(".toast-body").first).to_contain_text("can't be read as a library", timeout=WAIT)
        page.goto(f"{url}/source/anything/1")
        expect(page.locator("body")).to_contain_text("can't be read as a library")


def test_a_question_beyond_all_measure_is_refused_with_a_reason_and_stands_in_nobodys_way(
    address: str, browser: Browser
) -> None:
    with watched(browser, address) as (page, _):
        opened(page, address)
        box = page.get_by_role("textbox", name="Question")
        for count in (1, 2):  # together they are more than a page sends
            box.evaluate(WRITE, 150_000)
            box.press("Enter")
            expect(page.locator("#chat .bot")).to_have_count(count, timeout=WAIT)
            expect(page.locator("#chat .bot").last).to_contain_text("please ask in at most 2,000", timeout=WAIT)
            expect(box).to_be_editable(timeout=WAIT)
        box.evaluate(WRITE, 400_000)
        box.press("Enter")
        expect(page.locator(".toast-body")).to_contain_text("begin a new conversation", timeout=WAIT)
        ask_here(page, QUESTION)
        expect(page.locator("#chat .bot").last).to_contain_text(ANSWER)


def test_a_page_that_gradio_has_forgotten_goes_on_where_it_was(data: Path, browser: Browser) -> None:
    with running(data) as url, watched(browser, url) as (page, _):
        begin_another(page, url)
        ask_here(page, QUESTION)
        page.wait_for_url("**/?c=*")
        own = page.url
        page.get_by_text("Filters", exact=True).click()
        page.get_by_label("Languages").click()
        page.get_by_role("option", name="en (").click()
        page.keyboard.press("Escape")
        begun = Desk.at(url, "on_load")
        assert all(begun.ask(f"newer{number}") for number in range(REMEMBERED_PAGES))
        ask_here(page, THIRD)
        expect(page.locator("#chat .bot").last).to_contain_text("(language en)")
        assert page.url == own
        page.locator("#chat .bot").first.locator(MARKER).first.click()
        expect(page.locator(".card.lit")).to_contain_text("General License 13")
        reloaded(page)
        expect(asked(page)).to_have_text([QUESTION, THIRD])
        assert all(begun.ask(f"newest{number}") for number in range(REMEMBERED_PAGES))
        page.locator(".toggle-button").first.click()
        row(page, OTHER).click()
        expect(asked(page)).to_have_text([OTHER], timeout=WAIT)


def test_the_focus_goes_back_from_a_source_to_its_marker(address: str, browser: Browser) -> None:
    with watched(browser, address) as (page, _):
        opened(page, address)
        ask_here(page, QUESTION)
        marker = page.locator(f"#chat {MARKER}").last
        marker.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".card.lit")).to_be_focused()
        page.keyboard.press("Escape")
        expect(marker).to_be_focused()
        expect(page.locator(".card.lit")).to_have_count(0)
        expect(page.locator("#quote-tip")).to_be_hidden()


def test_a_thumb_is_taken_back_and_only_answers_of_ones_own_are_judged(data: Path, browser: Browser) -> None:
    with running(data) as url, watched(browser, url) as (page, _), watched(browser, url) as (other, _):
        opened(page, url)
        ask_here(page, QUESTION)
        page.wait_for_url("**/?c=*")
        begin(page, "x" * 3000)
        expect(page.locator("#chat .refused")).to_be_visible(timeout=WAIT)
        page.get_by_label("Dislike").last.click()
        expect(page.locator(".toast-body")).to_contain_text("Not saved. You can only rate", timeout=WAIT)
        opened(other, page.url)
        other.get_by_label("Like", exact=True).first.click(timeout=WAIT)
        expect(other.locator(".toast-body")).to_contain_text("Not saved. You can only rate", timeout=WAIT)
        page.get_by_label("Like", exact=True).first.click()
        why = page.get_by_label("What is good about this answer?")
        expect(why).to_be_visible(timeout=WAIT)
        page.get_by_label("Liked").first.click()
        expect(why).to_be_hidden(timeout=WAIT)
        with closing(sqlite3.connect(data / FILE)) as kept:
            assert kept.execute("SELECT count(*) FROM judgement").fetchone() == (0,)
        page.get_by_label("Dislike").first.click()
        expect(page.get_by_label("What is wrong with this answer?")).to_be_visible(timeout=WAIT)
        page.locator(".toggle-button").first.click()
        page.get_by_role("button", name="New conversation").click()
        expect(page.get_by_label("What is wrong with this answer?")).to_be_hidden(timeout=WAIT)
