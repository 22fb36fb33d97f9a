"""What pages show in place of an article: checks for robots, cookie notices, paywalls, log-in pages.

Knows what they say. Does not know HTML.
"""

from __future__ import annotations

from ingest.document import UnreadableError
from language import Message, pattern, words_by_key

STUB_CHARACTERS = 600  # what is shown in place of an article is shorter, and an article hardly ever
JAVASCRIPT = Message("the page asks for JavaScript")
PAYWALL = Message("only the start of the article, the rest is behind a paywall")
REASONS = {
    "javascript": JAVASCRIPT,
    "robots": Message("a check for robots, not the article: open the page in a browser and save it"),
    "cookies": Message("only a cookie notice, not the article"),
    "paywall": PAYWALL,
    "login": Message("only a log-in page, not the article"),
}
STUBS = {REASONS[key]: pattern(listed) for key, listed in words_by_key("stubs").items()}


def refuse_stub(text: str, visible: str, *, is_free: bool, asks_for_javascript: bool) -> None:
    """UnreadableError, with what it is, if a page holds something in place of its article.

    `text` is the article found in it, empty if there is none, `visible` all that a reader sees. `is_free` is what the
    page says of its article, `asks_for_javascript` whether it has words for those who have none.
    """
    shown = text or visible
    if len(shown) >= STUB_CHARACTERS:
        return
    if not is_free and text:
        raise UnreadableError(PAYWALL)
    for reason, words in STUBS.items():
        if words.search(shown):
            raise UnreadableError(reason)
    if not text and asks_for_javascript:
        raise UnreadableError(JAVASCRIPT)
