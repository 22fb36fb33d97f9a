"""The page in a real browser: the program as a user starts it, and what is done on the page."""

from __future__ import annotations

import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.support.program import ASK, free_port, started

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    # Playwright leaves a socket to its driver to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
QUESTION = "What does Belarus General License 13 allow?"
ANSWER = "General License 13 allows transactions with"
MARKER = 'a[href*="#cite-"]'


@contextmanager
def running(data: Path, port: int = 0, **environment: str) -> Iterator[str]:
    """The program, started as the README says, at a port or at any; gives its address."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    log = data.parent / "app.log"
    log.unlink(missing_ok=True)
    at = ("--data", data, "--port", str(port), "--no-browser")
    process = started("app", *at, environment=ASK | environment, out=log, errors=log)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except urllib.error.HTTPError:
                break  # it asks for a password
            except (urllib.error.URLError, OSError):
                assert process.is_alive(), log.read_text()
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.join(20)
        ended = process.exitcode
        process.kill()
    assert ended == 0, log.read_text()
    assert "Traceback" not in log.read_text()


OpenPage = Callable[..., Page]


def ready(page: Page) -> None:
    """Waits until the page's own script has run, which is a moment after its view stands."""
    expect(page.locator("#quote-tip")).to_be_attached(timeout=60_000)


def scroll_up(page: Page) -> None:
    """Goes to the first answer as a reader does; until then the page holds the newest question at the top."""
    page.locator("#chat").hover()
    page.mouse.wheel(0, -5000)


def marker_of(page: Page, quote: str) -> Locator:
    """The marker behind a quote in the last answer; the line of the short answer above the quotes has one too."""
    return page.locator(".bot").last.locator("p", has_text=quote).locator(MARKER).last


def ask_here(page: Page, question: str) -> None:
    """Asks, and waits for the whole answer."""
    before = page.locator("#chat small.coverage").count()
    box = page.get_by_role("textbox", name="Question")
    expect(box).to_be_editable(timeout=60_000)
    box.fill(question)
    box.press("Enter")
    expect(page.locator("#chat small.coverage")).to_have_count(before + 1, timeout=60_000)
    expect(page.locator("button.stop-button")).to_have_count(0, timeout=60_000)  # it is whole


WAIT = 60_000


# What runs scripts, loads or opens something where text is taken for markup.
VECTORS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<a href='javascript:alert(1)'>x</a>",
    "<form action='http://evil.invalid'><input name=q></form>",
    "<input autofocus onfocus=alert(1)>",
    "<object data='http://evil.invalid/x'></object>",
    "<embed src='http://evil.invalid/x'>",
    "<link rel=stylesheet href='http://evil.invalid/x.css'>",
    "<style>@import 'http://evil.invalid/x.css';</style>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid'>",
    "<base href='http://evil.invalid/'>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<table background='http://evil.invalid/x'>",
    "<div style='position:fixed;inset:0;background:url(http://evil.invalid/x)'>over all</div>",
    "![x](http://evil.invalid/p.png)",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "<http://evil.invalid>",
    "${alert(1)}",
    "{{constructor.constructor('alert(1)')()}}",
    "`${alert(1)}` \\`",
    '"><script>alert(1)</script><q title="',
]


@contextmanager
def watched(browser: Browser, address: str, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page of its own browser, and what it asked of others or was made to say."""
    context = browser.new_context(**options)
    page = context.new_page()
    seen: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        seen.append(dialog.message)
        dialog.dismiss()

    page.on(
        "request", lambda sent: seen.append(sent.url) if not sent.url.startswith((address, "data:", "blob:")) else None
    )
    page.on("dialog", dismissed)
    yield page, seen
    context.close()


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("textbox", name=re.compile("^(Question|Вопрос|Пытанне)$"))).to_be_editable(timeout=WAIT)
    ready(page)
