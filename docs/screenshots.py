"""Takes the README's screenshots of a running page: `python docs/screenshots.py ADDRESS [CHROMIUM]`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
QUESTION = "How many people were taken to Ukraine?"
VIEWS = [("page", 1280, 760, "light"), ("page-dark", 1280, 760, "dark"), ("phone", 390, 844, "light")]


def take(browser: Browser, address: str, name: str, width: int, height: int, scheme: str) -> None:
    """Asks, clicks the first marker, and takes the picture."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    box = page.locator("textarea").last
    box.fill(QUESTION)
    box.press("Enter")
    page.locator(".bot .coverage").wait_for()
    page.wait_for_timeout(800)
    page.locator('a[href*="#cite-"]').first.click()
    page.wait_for_timeout(800)
    page.screenshot(path=HERE / f"{name}.png")


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
