"""A running page, and the browser that looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.support.browser import (
    CHROMIUM,
    OpenPage,
    ready,
    running,
)


@pytest.fixture(scope="module")
def address(sample_data: Path) -> Iterator[str]:
    with running(sample_data) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # a container has no user namespaces for Chromium's sandbox
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens the page; at the end no request went elsewhere, no script of an article ran, and the policy was kept."""
    requests: list[str] = []
    blocked: list[str] = []  # by the page's own policy, before it left the browser
    dialogs: list[str] = []
    violations: list[str] = []  # of the policy, by the page itself
    pages: list[Page] = []

    def dismissed(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    def opened(url: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.on("request", lambda request: requests.append(request.url))
        page.on("requestfailed", lambda request: blocked.append(request.url) if request.failure == "csp" else None)
        page.on("dialog", dismissed)
        page.on("console", lambda said: violations.append(said.text) if "Content Security" in said.text else None)
        page.goto(url)
        if "/source/" not in url:
            page.locator("#box textarea").wait_for()
            ready(page)
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    ours = ("http://127.0.0.1:", "data:", "blob:")
    assert [url for url in requests if not url.startswith(ours) and url not in blocked] == []
    assert dialogs == []
    assert [said for said in violations if not any(url in said for url in blocked)] == []
