"""Takes the README's screenshots of a running page: `python docs/screenshots.py ADDRESS [CHROMIUM]`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
QUESTION = "How many people were taken to Ukraine?"
DESKTOP, PHONE = (1280, 800), (390, 844)
VIEWS = [
    ("page", "/", DESKTOP, "light"),
    ("page-dark", "/be/", DESKTOP, "dark"),
    ("phone", "/", PHONE, "light"),
    ("library", "/library", DESKTOP, "light"),
    ("timeline", "/timeline", DESKTOP, "light"),
]


def asked(page: Page) -> None:
    """Asks, and clicks the first marker."""
    box = page.locator("textarea").last
    box.fill(QUESTION)
    box.press("Enter")
    page.locator("#chat .option").first.wait_for()
    page.locator('a[href*="#cite-"]').first.click()


def take(browser: Browser, address: str, name: str, view: str, size: tuple[int, int], scheme: str) -> None:
    """Opens a view and takes the picture."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-US",
    )
    page = context.new_page()
    page.goto(f"{address}{view}")
    if view.endswith("/"):
        asked(page)
    else:
        page.locator("#moments tbody tr, #articles [role=gridcell]").first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=HERE / f"{name}.png")
    context.close()


def main() -> None:
    """Runs the program."""
    address, chromium = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for view in VIEWS:
            take(browser, address, *view)
        browser.close()


if __name__ == "__main__":
    main()
