"""What pages show in place of an article: checks for robots, cookie notices, paywalls, log-in pages.

Knows what they say, in English, German, Polish, Russian and Belarusian. Does not know HTML.
"""

from __future__ import annotations

import re

from ingest.document import UnreadableError
from language import Message

STUB_CHARACTERS = 600  # what is shown in place of an article is shorter, and an article hardly ever
JAVASCRIPT = Message("the page asks for JavaScript")
PAYWALL = Message("only the start of the article, the rest is behind a paywall")
STUBS = {
    JAVASCRIPT: (
        r"(enable|activate|turn on|allow|requires?|need(s|ed)?)\W+(\w+\W+){0,3}javascript|javascript\W+(\w+\W+){0,3}"
        r"(disabled|required|deaktiviert|wyłączon|отключ|выключ|адключан)|javascript\W+(\w+\W+){0,4}aktivieren"
        r"|aktivieren sie\W+(\w+\W+){0,3}javascript|(włącz|włączyć|wymaga)\W+(\w+\W+){0,3}javascript"
        r"|(включите|включить|требуется|уключыце|уключыць)\W+(\w+\W+){0,3}javascript"
    ),
    Message("a check for robots, not the article: open the page in a browser and save it"): (
        r"checking (if the site connection is secure|your browser)|(verify|confirm)(ing)? (that )?you are (a )?human"
        r"|are you a (human|robot)|you are not a (robot|bot)|unusual traffic from|sie kein roboter sind"
        r"|nie jesteś robotem|что вы не (робот|бот)|проверка (вашего )?браузера|што вы не робат|just a moment\.\.\."
    ),
    Message("only a cookie notice, not the article"): (
        r"\b(we|this (web)?site|our (web)?site)\b.{0,60}\bus(e|es|ing)\b.{0,40}\bcookies\b|before you continue to\b"
        r"|accept all cookies|cookies\b.{0,40}\b(akzeptieren|zustimmen)|(verwenden|nutzen|setzen)\b.{0,40}\bcookies"
        r"|bevor sie (zu .{0,40})?(weitergehen|fortfahren)|(używa|wykorzystuj|stosuj)\w*\b.{0,60}\b(cookies?|ciastecz)"
        r"|zgod[aęy] na (pliki )?cookies?|(использу|применя)\w*\b.{0,60}(\bcookies?|куки)"
        r"|(выкарыстоўва|ужыва)\w*\b.{0,60}(\bcookies?|кукі)"
    ),
    PAYWALL: (
        r"subscribe (now )?to (continue|keep|read)|to (continue|keep) reading|continue reading (with|for|by)"
        r"|(article|story|content) is (only |exclusively )?(for|available to|reserved for) .{0,20}subscribers"
        r"|already a subscriber|subscribers? only|(nur|exklusiv) für abonnent|jetzt (abonnieren|weiterlesen)"
        r"|weiterlesen mit|(artikel|inhalt) (ist )?(kostenpflichtig|für abonnent)|pozostało \d+ ?% (tekstu|artykułu)"
        r"|(dostęp|tylko|treść|artykuł) dla (naszych )?(prenumerator|subskrybent)|wykup (dostęp|prenumerat|subskrypcj)"
        r"|(оформите|купите) подписку|(только|доступ\w*) (для |по )?подпис|чтобы (до|про)?читать.{0,40}подпи"
        r"|(аформіце|купіце) падпіску|(толькі|даступн\w*) (для |па )?падпіс"
    ),
    Message("only a log-in page, not the article"): (
        r"(log|sign) in to (continue|read|view|see|your account)|please (log|sign) in\b|you must be logged in"
        r"|melden sie sich (bitte )?an\b|bitte (melden sie sich|einloggen|anmelden)|zaloguj się,? (aby|by|żeby)"
        r"|(войдите|авторизуйтесь|зарегистрируйтесь),? (чтобы|для)|(увайдзіце|аўтарызуйцеся),? (каб|для)"
    ),
}


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
    for reason, pattern in STUBS.items():
        if re.search(pattern, shown, re.I | re.S):
            raise UnreadableError(reason)
    if not text and asks_for_javascript:
        raise UnreadableError(JAVASCRIPT)
