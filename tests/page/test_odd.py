"""What is hostile, huge, turned around or cut off in the middle: shown as text or told of, and nothing is lost."""

from __future__ import annotations

import json
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from bot import Bot
from ingest import update
from tests.support.browser import (
    ANSWER,
    MARKER,
    QUESTION,
    VECTORS,
    WAIT,
    ask_here,
    needs_browser,
    opened,
    ready,
    running,
    watched,
)
from tests.support.endpoint import Script, endpoint
from tests.support.program import free_port

pytestmark = needs_browser


OVERRIDE = "\u202e"  # of the direction in which text is written
TURNED = f"""---
title: "Ferry {OVERRIDE}dlos"
publisher: "Island{OVERRIDE} Post\u200b"
published: 2024-05-06
lang: en
---

The fer\u200bry of Sandby {OVERRIDE}was sold by the harbour master.
"""
ARABIC = """---
title: ميناء ساندبي
publisher: صحيفة الجزيرة
published: 2024-05-07
lang: ar
---

أطلق سراح أربعين سجينا من ميناء ساندبي يوم الاثنين.
"""
# How far the first character of the last word of an element stands left of that word's last one.
READS_ON = """element => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let last = null;
  while (walker.nextNode()) if (walker.currentNode.data.trim()) last = walker.currentNode;
  const end = last.data.trimEnd().length;
  const left = (place) => {
    const range = document.createRange();
    range.setStart(last, place);
    range.setEnd(last, place + 1);
    return range.getBoundingClientRect().left;
  };
  return left(end - 1) - left(last.data.trimEnd().lastIndexOf(" ") + 1);
}"""


def test_no_text_turns_around_what_stands_beside_it(tmp_path: Path, browser: Browser) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / f"{OVERRIDE}txt.exe\u200b.md").write_text(TURNED)
    (folder / "arabic.md").write_text(ARABIC)
    assert len(update([folder], data=tmp_path / "data").added) == 2
    with (
        running(tmp_path / "data") as url,
        watched(browser, url, viewport={"width": 390, "height": 844}) as (page, seen),
    ):
        opened(page, url)
        ask_here(page, "من أطلق سراحه من ميناء ساندبي؟")
        quote = page.locator(".card blockquote[lang=ar]").last
        assert quote.evaluate("one => getComputedStyle(one).direction") == "rtl"
        ask_here(page, f"Who sold the \u200bferry {OVERRIDE}of Sandby?")
        card = page.locator(".card", has_text="The fer").first
        assert (
            card.locator("mark").text_content()
            == f"The fer\u200bry of Sandby {OVERRIDE}was sold by the harbour master."
        )
        marker = page.locator(f"#chat .bot {MARKER}").last
        assert marker.evaluate(READS_ON) > 0  # [1] behind the sentence
        marker.click()
        assert card.locator(".about").evaluate(READS_ON) > 0  # the date behind the publisher's name
        page.get_by_label("Close the sources").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.goto(f"{url}/library")
        expect(page.get_by_role("gridcell", name="Ferry").first).to_be_visible(timeout=WAIT)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen == []


def test_what_a_model_writes_is_text_whatever_it_writes(sample_data: Path, tmp_path: Path, browser: Browser) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    texts = []
    for first in range(3):
        claims = [{"text": f"{vector} was allowed.", "evidence": []} for vector in VECTORS[first::3]]
        # behind other questions a question is rewritten first
        texts += [QUESTION] * bool(first) + [json.dumps({"claims": claims})] * len(("written", "not mended"))
    with (
        endpoint(Script(texts)) as model,
        running(data, OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=model, VIADOMA_UNSUPPORTED="show") as url,
        watched(browser, url) as (page, seen),
    ):
        opened(page, url)
        for _ in range(3):
            ask_here(page, QUESTION)
        said = page.locator("#chat")
        for vector in VECTORS:
            expect(said).to_contain_text(" ".join(vector.split()))
        expect(said.locator("small.issue").first).to_contain_text("not supported by the sources")
        assert said.locator("script, iframe, form, object, embed, video, [onerror], [onload], .bot img").count() == 0
        assert seen == []


def test_a_question_of_a_megabyte_is_refused_and_the_next_is_answered(address: str, browser: Browser) -> None:
    with watched(browser, address) as (page, _):
        opened(page, address)
        box = page.get_by_role("textbox", name="Question")
        box.evaluate(
            "box => { box.value = 'potash '.repeat(150000); box.dispatchEvent(new Event('input', { bubbles: true })) }"
        )
        box.press("Enter")
        expect(page.locator("#chat .bot").last).to_contain_text("please ask in at most 2,000", timeout=WAIT)
        ask_here(page, QUESTION)
        expect(page.locator("#chat .bot").last).to_contain_text(ANSWER)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_an_upload_that_breaks_off_leaves_nothing_behind(sample_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    with running(data) as url:
        place = urlsplit(url)
        head = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 5000000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="files"; filename="ferry.txt"\r\n\r\nThe ferry'
        )
        assert place.hostname
        with socket.create_connection((place.hostname, place.port or 80), timeout=30) as tab:
            tab.sendall(head.encode() + b"x" * 1_000_000)
        with urllib.request.urlopen(f"{url}/config", timeout=30) as answer:
            assert answer.status == 200
    assert not (data / "uploads").exists()
    with Bot.open(data, model="") as bot:
        assert bot.coverage.articles == 69


def test_two_readers_at_once_have_their_own_answers_sources_and_lists(
    sample_data: Path, tmp_path: Path, browser: Browser
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    questions = {"What is the capital of France?": "does not answer this", QUESTION: ANSWER}
    with running(data) as url, watched(browser, url) as (one, _), watched(browser, url) as (other, _):
        pages: list[Page] = [one, other]
        for page in pages:
            opened(page, url)
        for page, question in zip(pages, questions, strict=True):
            page.get_by_role("textbox", name="Question").fill(question)
        for page in pages:
            page.get_by_role("textbox", name="Question").press("Enter")
        for page, (question, answer) in zip(pages, questions.items(), strict=True):
            expect(page.locator("#chat .bot")).to_contain_text(answer, timeout=WAIT)
            page.locator(".toggle-button").first.click()
            expect(page.locator("#listing label")).to_have_text([question], timeout=WAIT)
        assert pages[0].url != pages[1].url
        expect(other.locator("#sources")).to_contain_text("General License 13")
        expect(one.locator("#sources h2")).to_have_text("Closest passages, which are not an answer")


def test_a_server_that_restarts_in_mid_answer_is_told_of_and_loses_nothing_that_was_shown(
    sample_data: Path, tmp_path: Path, browser: Browser
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data, data)
    script = Script(['{"claims": []}'])
    port = free_port()
    with endpoint(script) as model, watched(browser, f"http://127.0.0.1:{port}") as (page, _):
        settings = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": model}
        with running(data, port, **settings) as url:
            opened(page, url)
            ask_here(page, QUESTION)
            prompt, quote = script.prompt(0), ANSWER
            number = int(prompt[: prompt.index(quote)].rsplit("Passage [", 1)[1].split("]")[0])
            evidence = [{"passage": number, "quote": f"{quote} Belarusian Potash Company"}]
            claims = [{"text": text, "evidence": evidence} for text in ("Transactions are allowed.", "Allowed. " * 400)]
            script.texts, script.pause_seconds = [QUESTION, json.dumps({"claims": claims})], 0.05
            box = page.get_by_role("textbox", name="Question")
            box.fill(QUESTION)
            box.press("Enter")
            expect(page.locator("#chat .bot").last).to_contain_text("Transactions are allowed.", timeout=WAIT)
        expect(page.locator(".toast-body").first).to_contain_text("Your answers are saved", timeout=WAIT)
        page.evaluate("window.before = true")
        with running(data, port, **settings):
            page.wait_for_function("!window.before", timeout=WAIT)  # it loads itself anew
            ready(page)
            expect(page.locator("#chat .bot")).to_have_count(2, timeout=WAIT)
            expect(page.locator("#chat .bot").last).to_contain_text("Transactions are allowed.")
            page.locator("#chat .bot").last.locator('a[href*="#cite-"]').first.click()
            expect(page.locator(".card.lit mark")).to_contain_text(quote)
