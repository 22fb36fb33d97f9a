"""Takes pictures of a running page: `python docs/screenshots.py ADDRESS [--into FOLDER]`.

The README's three, here; and into the FOLDER every view, on a desk and on a phone, light and dark.
"""

import argparse
from collections.abc import Callable
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
QUESTION = "How many people were taken to Ukraine?"
SIZES = {1440: 900, 390: 844}
SCHEMES = ["light", "dark"]
README = {"answer": "page", "library": "library", "timeline": "timeline"}  # a view, and what its picture is called


def begun(page: Page) -> None:
    """Waits for the examples."""
    page.locator("#chat .example").first.wait_for()


def answered(page: Page) -> None:
    """Asks, and clicks the first marker."""
    box = page.locator("textarea").last
    box.fill(QUESTION)
    box.press("Enter")
    page.locator("#chat .option").first.wait_for()
    page.locator('a[href*="#cite-"]').first.click()


def filtered(page: Page) -> None:
    """Opens the filters."""
    page.locator("#filters button").first.click()
    page.locator("#filters input").first.wait_for()


def listed(page: Page) -> None:
    """Opens the list of conversations, one of which is there."""
    answered(page)
    page.keyboard.press("Escape")
    page.locator(".toggle-button").first.click()
    page.locator("#listing input").first.wait_for()


def filled(page: Page) -> None:
    """Waits for the table."""
    page.locator("#articles [role=gridcell]").first.wait_for()


def edited(page: Page) -> None:
    """Opens an article with its passages, and the form to edit it."""
    filled(page)
    page.locator("#edit button").first.click()
    page.locator("#articles [role=gridcell]").first.click()
    page.locator("#detail summary").click()


def drawn(page: Page) -> None:
    """Waits for table and plot."""
    page.locator("#events tbody tr").first.wait_for()
    page.locator("#plot [role=graphics-symbol]").first.wait_for(state="attached")


def counted(page: Page) -> None:
    """Opens the numbers of the same day."""
    drawn(page)
    page.locator("#plot .label-wrap").click()
    page.locator("#counts tbody tr").first.scroll_into_view_if_needed()


def source(page: Page) -> None:
    """Follows the first passage of the timeline."""
    drawn(page)
    address = page.locator("#events a").first.get_attribute("href")
    page.evaluate("address => location.assign(address)", address)
    page.locator("#text").wait_for()


def changes(page: Page) -> None:
    """Follows an article to what changed in its newest version."""
    edited(page)
    address = page.locator("#detail a").first.get_attribute("href")
    page.evaluate("address => location.assign(address)", f"{address}/changes")
    page.locator(".kind").wait_for()


VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "start": ("/", begun),
    "answer": ("/", answered),
    "answer-be": ("/be/", answered),
    "filters": ("/", filtered),
    "conversations": ("/", listed),
    "library": ("/library", filled),
    "article": ("/library", edited),
    "timeline": ("/timeline", drawn),
    "numbers": ("/timeline", counted),
    "source": ("/timeline", source),
    "changes": ("/library", changes),
}


def take(browser: Browser, address: str, view: str, width: int, scheme: str, file: Path) -> None:
    """Opens a view and takes the picture."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-US",
    )
    page = context.new_page()
    path, prepared = VIEWS[view]
    page.goto(f"{address}{path}")
    page.locator("#quote-tip").wait_for(state="attached")  # the page's own script has run
    prepared(page)
    page.wait_for_timeout(1500)  # for what slides or fades in
    page.screenshot(path=file)
    context.close()


def main() -> None:
    """Runs the program."""
    parser = argparse.ArgumentParser(description="Take pictures of a running page.")
    parser.add_argument("address")
    parser.add_argument("--into", metavar="FOLDER", type=Path, help="take every view into it too")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        for view, name in README.items():
            take(browser, options.address, view, 1440, "light", HERE / f"{name}.png")
        if options.into:
            options.into.mkdir(parents=True, exist_ok=True)
            for view, width, scheme in product(VIEWS, SIZES, SCHEMES):
                file = options.into / f"{view}-{width}-{scheme}.png"
                take(browser, options.address, view, width, scheme, file)
        browser.close()


if __name__ == "__main__":
    main()
