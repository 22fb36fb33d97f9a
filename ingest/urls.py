"""The addresses of pages: what is one, in full, and when two lead to the same page.

Knows how URLs are written. Never asks the network.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

# parts of a query that tell how somebody came there, not what is there
TRACKING = ("utm_", "fbclid", "gclid", "yclid", "mc_cid", "mc_eid")


def is_web_url(text: str) -> bool:
    """Whether a text begins as an http or https URL does; what follows is not looked at."""
    return text.lower().startswith(("http://", "https://"))


def absolute_url(text: str, base: str = "") -> str:
    """The http or https URL that `text` is, seen from `base`; empty if it is none, or names no host."""
    try:
        url = urljoin(base, text.strip()) if text.strip() else ""
        return url if is_web_url(url) and urlsplit(url).hostname else ""
    except ValueError:
        return ""


def url_key(url: str, *, fragment: bool = False) -> str:
    """What a URL is known by: without scheme, "www.", last slash and what tracks readers; empty for what is none.

    Its `fragment` counts where it may name one of several articles of a page.
    """
    if not is_web_url(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not pair[0].startswith(TRACKING)]
    host = parts.netloc.lower().removeprefix("www.")
    last = parts.fragment if fragment else ""
    return urlunsplit(("", host, parts.path.rstrip("/"), urlencode(query), last)) if host else ""


def page_url(canonical: str, final: str) -> str:
    """A page's own URL for itself, else `final`, where it was found: some sites name their front page on every page."""
    try:
        parts, found = urlsplit(canonical), urlsplit(final)
    except ValueError:
        return final
    if not is_web_url(canonical) or not parts.netloc:
        return final
    if is_front_page(canonical) and not is_front_page(final):
        return final
    # another site may print the article, but then it is not the one that was asked for
    return canonical if _site(parts.netloc) == _site(found.netloc) else final


def is_front_page(url: str) -> bool:
    """Whether a URL names a site as a whole. ValueError if it is malformed."""
    return not urlsplit(url).path.strip("/")


def _site(host: str) -> str:
    return host.lower().removeprefix("www.").removeprefix("m.")
