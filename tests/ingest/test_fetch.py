"""Fetching: what is asked, what never is, and when it stops. Servers are real, on loopback."""

from __future__ import annotations

import gzip
import itertools
import os
import socket
import ssl
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ingest.fetching import BlockedError, Fetcher, FetchError
from tests.support.addresses import HOSTILE, PLANTED, connections, planted
from tests.support.site import TRUST, Headers, Respond, Site, site, talker


def page(text: str = "An article.", **headers: str) -> tuple[int, Headers, bytes]:
    named = {"Content-Type": "text/html; charset=utf-8"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return 200, named, text.encode()


def always(status: int, headers: Headers, body: bytes) -> Respond:
    return lambda *_: (status, headers, body)


def redirects(**places: str) -> Respond:
    """Each path (without its slash) leads to the place named; "path_301" for good. All others are pages."""

    def respond(path: str, _: Headers) -> tuple[int, Headers, bytes]:
        for name, place in places.items():
            start, status = [*name.split("_"), "302"][:2]
            if path == f"/{start}":
                return int(status), {"Location": place}, b""
        return page(path)

    return respond


# ---- 35, 36: hostile addresses


@pytest.fixture(scope="module")
def stranger() -> Fetcher:
    """A fetcher that nothing private was allowed to."""
    return Fetcher(resolve=planted, delay_seconds=0, robots=False, trust=TRUST)


def test_the_bank_holds_60_different_addresses() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_is_refused_without_a_connection(stranger: Fetcher, address: str) -> None:
    with connections() as made, pytest.raises(BlockedError) as error:
        stranger.fetch(address)
    assert made == []
    assert "\n" not in str(error.value)


def test_connections_are_seen_when_there_are_any() -> None:
    with site(always(*page())) as server, connections() as made, server.fetcher() as fetcher:
        fetcher.fetch(server.at("/"))
    assert made == ["127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0",
        "localhost",
        "localhost.",
        "[::ffff:127.0.0.1]",
        "①②⑦.0.0.1",
    ],
)
def test_a_server_on_loopback_is_not_reached_by_any_spelling(host: str) -> None:
    with site(always(*page())) as server:
        # the port is open, for another machine
        fetcher = server.fetcher(allow=[f"10.9.9.9:{server.port}"])
        with pytest.raises(BlockedError):
            fetcher.fetch(f"http://{host}:{server.port}/")
        assert server.requests == []


@pytest.mark.parametrize("address", ["http://93.184.215.14/", "http://[2606:4700::6810:84e5]/", "http://news.example/"])
def test_public_addresses_pass_the_guard(address: str) -> None:
    # to nowhere: the proxy stands in for the public internet
    with site(always(*page())) as server:
        fetcher = server.fetcher(allow=[], proxy=f"http://{server.host}", resolve=lambda *_: ["93.184.215.14"])
        assert fetcher.fetch(address).raw == b"An article."


def test_an_address_that_is_no_text_is_refused(stranger: Fetcher) -> None:
    for address in ("http://news.example/\ud800", "http://\ud800.example/"):
        with pytest.raises(BlockedError):
            stranger.fetch(address)


def test_a_name_that_can_not_be_found_is_an_error_that_says_so(stranger: Fetcher) -> None:
    with pytest.raises(FetchError, match=r"nowhere\.example can't be found"):
        stranger.fetch("http://nowhere.example/")


# ---- what may be allowed


def test_an_allowed_network_may_be_private() -> None:
    with site(always(*page())) as server:
        fetcher = server.fetcher(allow=["127.0.0.0/8"])
        with pytest.raises(BlockedError, match="only 80 and 443"):
            fetcher.fetch(server.at("/"))  # a network opens no port
        with connections() as made, pytest.raises(FetchError, match="failed"):
            fetcher.fetch("http://127.99.98.97/")  # allowed, but nobody is there
        assert made == ["127.99.98.97"]


def test_an_allowed_name_may_be_private_on_its_port_alone() -> None:
    with site(always(*page())) as server:
        fetcher = server.fetcher(allow=[f"wiki.local:{server.port}"], resolve=lambda *_: ["127.0.0.1"])
        assert fetcher.fetch(f"http://wiki.local:{server.port}/").raw == b"An article."
        for other in ("http://wiki.local/", f"http://other.example:{server.port}/", server.at("/")):
            with connections() as made, pytest.raises(BlockedError):
                fetcher.fetch(other)
            assert made == []


def test_cloud_metadata_stays_shut_when_its_network_is_allowed() -> None:
    fetcher = Fetcher(allow=["169.254.0.0/16", "metadata.google.internal"], resolve=lambda *_: ["169.254.169.254"])
    for address in ("http://169.254.169.254/", "http://metadata.google.internal/"):
        with connections() as made, pytest.raises(BlockedError, match="never"):
            fetcher.fetch(address)
        assert made == []


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http://wiki/",
        "10.0.0.5/8",
        "10.0.0.0/99",
        "wiki:port",
        "wiki:0",
        "wiki:70000",
        "a b",
        "*.example",
        "0x7f.1",
    ],
)
def test_what_can_not_be_allowed_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="can't be allowed") as error:
        Fetcher(allow=[entry], trust=TRUST)
    assert f"“{entry}”" in str(error.value)


@pytest.mark.parametrize(
    "entry",
    ["wiki", "wiki:8080", "10.0.0.0/8", "10.1.2.3", "10.1.2.3:81", "::1", "[::1]:81", "fd00::/8", "вікі.example"],
)
def test_every_form_of_entry_is_taken(entry: str) -> None:
    Fetcher(allow=[entry], trust=TRUST)


# ---- 37: rebinding


def test_only_the_address_that_was_checked_is_connected_to() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    with site(always(*page("the first"))) as first:
        try:
            second = site(always(*page("the second")), "127.0.0.2", first.port)
            other = second.__enter__()
        except OSError:
            pytest.skip("this system has no 127.0.0.2")
        try:
            fetcher = first.fetcher(resolve=lambda *_: next(answers))
            with connections() as made:
                fetched = fetcher.fetch(f"http://rebinding.example:{first.port}/")
                with pytest.raises(BlockedError, match=r"127\.0\.0\.2"):
                    fetcher.fetch(f"http://rebinding.example:{first.port}/")
            assert fetched.raw == b"the first"
            assert made == ["127.0.0.1"]
            assert other.requests == []
        finally:
            second.__exit__(None, None, None)


def test_a_name_is_checked_again_at_each_redirect() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    with site(redirects(start="/end")) as server, connections() as made:
        fetcher = server.fetcher(resolve=lambda *_: next(answers))
        with pytest.raises(BlockedError, match=r"127\.0\.0\.2"):
            fetcher.fetch(f"http://rebinding.example:{server.port}/start")
    assert made == ["127.0.0.1"]
    assert server.paths == ["/start"]


def test_the_host_header_stays_the_name() -> None:
    with site(always(*page())) as server:
        server.fetcher(resolve=lambda *_: ["127.0.0.1"]).fetch(f"http://News.Example.:{server.port}/")
    assert server.requests[0].headers["host"] == f"news.example:{server.port}"


# ---- 38: redirects


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.2/",
        "file:///etc/passwd",
        "//10.0.0.1/",
        "http://169.254.169.254/",
        "http://localhost/",
        "http://[",
    ],
)
def test_a_redirect_to_what_is_private_is_refused(place: str) -> None:
    with (
        site(redirects(start=place)) as server,
        connections() as made,
        pytest.raises(BlockedError, match="redirected"),
    ):
        server.fetcher().fetch(server.at("/start"))
    assert made == ["127.0.0.1"]


def test_a_redirect_to_another_port_is_refused() -> None:
    with site(always(*page())) as other, site(redirects(start=other.at("/"))) as server:
        with pytest.raises(BlockedError):
            server.fetcher().fetch(server.at("/start"))
        assert other.requests == []


def test_five_redirects_are_followed_and_a_sixth_is_not() -> None:
    steps = redirects(a="/b", b="/c", c="/d", d="/e", e="/f", f="/g")
    with site(steps) as server:
        assert server.fetcher().fetch(server.at("/b")).raw == b"/g"
        with pytest.raises(FetchError, match="more than 5"):
            server.fetcher().fetch(server.at("/a"))
        assert server.paths[-1] == "/f"


@pytest.mark.parametrize(
    ("place", "end"),
    [
        ("next", "/deep/next"),
        ("../up", "/up"),
        ("/root?a=b c", "/root?a=b%20c"),
        ("?q=1", "/deep/start?q=1"),
        ("//{host}/same", "/same"),
        ("/Вядома".encode().decode("latin-1"), "/%D0%92%D1%8F%D0%B4%D0%BE%D0%BC%D0%B0"),
        ("/a#part", "/a"),
    ],
)
def test_relative_redirects_lead_where_a_browser_goes(place: str, end: str) -> None:
    def respond(path: str, headers: Headers) -> tuple[int, Headers, bytes]:
        if path == "/deep/start":
            return 302, {"Location": place.format(host=headers["host"])}, b""
        return page()

    with site(respond) as server:
        fetched = server.fetcher().fetch(server.at("/deep/start"))
        assert server.paths == ["/deep/start", end]
        assert fetched.info.final_url == server.at(end)


def test_a_redirect_without_a_place_is_an_error() -> None:
    with site(always(302, {}, b"")) as server, pytest.raises(FetchError, match="nowhere"):
        server.fetcher().fetch(server.at("/"))


def test_neither_cookies_nor_referers_are_sent() -> None:
    def respond(path: str, _: Headers) -> tuple[int, Headers, bytes]:
        status, headers, body = redirects(start="/end")(path, {})
        return status, headers | {"Set-Cookie": "a=b; Path=/"}, body

    with site(respond) as server:
        fetcher = server.fetcher()
        for _ in range(2):
            fetcher.fetch(server.at("/start"))
    assert len(server.requests) == 4
    assert not [name for asked in server.requests for name in asked.headers if name in ("cookie", "referer")]


# ---- 39: ports


@pytest.mark.parametrize("port", [21, 22, 25, 3306, 6379, 8080, 9200, 65535])
def test_other_ports_than_80_and_443_are_refused(stranger: Fetcher, port: int) -> None:
    with connections() as made, pytest.raises(BlockedError, match="only 80 and 443"):
        stranger.fetch(f"http://news.example:{port}/")
    assert made == []


# ---- 40: size


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A gigabyte of zeros, gzipped."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    sixteenth = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = sixteenth.compress(bytes(1 << 26)) + sixteenth.flush(zlib.Z_FULL_FLUSH)
    return start + 16 * block + b"\x03\x00" + struct.pack("<II", 0, 1 << 30)


def test_a_gigabyte_in_gzip_stops_early_in_little_memory(bomb: bytes) -> None:
    with site(always(*(200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, bomb))) as server:
        fetcher = server.fetcher()
        tracemalloc.start()
        try:
            with pytest.raises(FetchError, match="decompressed"):
                fetcher.fetch(server.at("/"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 30_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_larger_than_the_limit_when_decompressed_is_refused(encoding: str) -> None:
    packed = gzip.compress(bytes(50_001)) if encoding == "gzip" else zlib.compress(bytes(50_001))
    with site(always(*page(Content_Encoding=encoding)[:2], packed)) as server:
        assert len(server.fetcher(max_bytes=50_001).fetch(server.at("/")).raw) == 50_001
        with pytest.raises(FetchError, match=r"larger than 50,000 bytes"):
            server.fetcher(max_bytes=50_000).fetch(server.at("/"))


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"An article.", mtime=0)),
        ("x-gzip", gzip.compress(b"An article.", mtime=0)),
        ("deflate", zlib.compress(b"An article.")),
        ("deflate", zlib.compress(b"An article.", wbits=-15)),
        ("identity", b"An article."),
    ],
)
def test_one_encoding_is_undone(encoding: str, packed: bytes) -> None:
    with site(always(*page(Content_Encoding=encoding)[:2], packed)) as server:
        assert server.fetcher().fetch(server.at("/")).raw == b"An article."
        assert server.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "identity, gzip, gzip"])
def test_stacked_and_unasked_encodings_are_refused(encoding: str) -> None:
    packed = gzip.compress(gzip.compress(b"An article.", mtime=0), mtime=0)
    answer = (*page(Content_Encoding=encoding)[:2], packed)
    with site(always(*answer)) as server, pytest.raises(FetchError, match="compresses"):
        server.fetcher().fetch(server.at("/"))


def test_encodings_in_two_headers_are_stacked_too() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n")

    with talker(talk) as server, pytest.raises(FetchError, match="compresses"):
        server.fetcher().fetch(server.at("/"))


@pytest.mark.parametrize(
    "packed", [gzip.compress(b"An article.", mtime=0)[:-9], b"no gzip", gzip.compress(b"An article.", mtime=0) * 2]
)
def test_broken_compression_is_an_error(packed: bytes) -> None:
    answer = (*page(Content_Encoding="gzip")[:2], packed)
    with site(always(*answer)) as server, pytest.raises(FetchError, match="compression is broken"):
        server.fetcher().fetch(server.at("/"))


def test_an_endless_body_stops_at_the_limit() -> None:
    sent = [0]

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            sent[0] += connection.send(bytes(65536))

    with talker(talk) as server, pytest.raises(FetchError, match="larger than 1,000,000 bytes"):
        server.fetcher(max_bytes=1_000_000).fetch(server.at("/"))
    assert sent[0] < 50_000_000


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")
        time.sleep(3)

    with talker(talk) as server, pytest.raises(FetchError, match="larger than"):
        server.fetcher(timeout_seconds=2).fetch(server.at("/"))


# ---- 41: time


def drip(connection: socket.socket, start: bytes, drop: bytes) -> None:
    connection.sendall(start)
    until = time.monotonic() + 8
    while time.monotonic() < until:
        connection.sendall(drop)
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b""),
    ],
    ids=["body", "chunks", "header", "headers", "continue", "silence"],
)
def test_a_drip_ends_at_the_deadline(start: bytes, drop: bytes) -> None:
    began = time.monotonic()
    with (
        talker(lambda connection: drip(connection, start, drop)) as server,
        pytest.raises(FetchError, match="too slow"),
    ):
        server.fetcher(timeout_seconds=0.4).fetch(server.at("/"))
    assert time.monotonic() - began < 4


def test_the_deadline_spans_all_redirects() -> None:
    def respond(path: str, _: Headers) -> tuple[int, Headers, bytes]:
        time.sleep(0.3)
        return 302, {"Location": path + "x"}, b""

    with site(respond) as server:
        with pytest.raises(FetchError, match="too slow"):
            server.fetcher(timeout_seconds=0.8).fetch(server.at("/"))
        assert len(server.requests) < 5


def test_a_silent_handshake_ends_at_the_deadline() -> None:
    with talker(lambda _: time.sleep(4)) as server, pytest.raises(FetchError, match="too slow"):
        server.fetcher(timeout_seconds=0.4).fetch(f"https://{server.host}/")


def test_a_look_up_that_hangs_ends_at_the_deadline() -> None:
    over = threading.Event()

    def hang(*_: object) -> list[str]:
        over.wait(10)
        return ["127.0.0.1"]

    began = time.monotonic()
    with pytest.raises(FetchError, match=r"news\.example was not found"):
        Fetcher(resolve=hang, timeout_seconds=0.4, robots=False, trust=TRUST).fetch("http://news.example/")
    assert time.monotonic() - began < 4
    over.set()


def test_a_silent_address_leaves_time_for_the_next() -> None:
    # a full queue of connections never answers
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = full.getsockname()[1]
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    try:
        with site(always(*page()), "127.0.0.2", port) as server:
            allow = [f"127.0.0.1:{port}", f"127.0.0.2:{port}"]
            fetcher = server.fetcher(allow=allow, timeout_seconds=2, resolve=lambda *_: ["127.0.0.1", "127.0.0.2"])
            assert fetcher.fetch(f"http://two.example:{port}/").raw == b"An article."
    except PermissionError:
        pytest.skip("this system has no 127.0.0.2")
    finally:
        for one in (*waiting, full):
            one.close()


# ---- 42: servers that lie


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5_000_000 + b"\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 800_000 + b"\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"x" * 5_000_000 + b"\r\nshort\r\n0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"",
    ],
    ids=[
        *("length", "chunks", "two lengths", "negative", "huge length", "long header", "many headers"),
        *("chunk header", "mail", "upgrade", "nothing"),
    ],
)
def test_an_answer_that_breaks_http_gives_nothing(answer: bytes) -> None:
    with talker(lambda connection: connection.sendall(answer)) as server, pytest.raises(FetchError):
        server.fetcher(timeout_seconds=5).fetch(server.at("/"))


def test_a_partial_answer_that_nobody_asked_for_is_refused() -> None:
    with site(always(206, {"Content-Type": "text/html"}, b"half")) as server, pytest.raises(FetchError, match="206"):
        server.fetcher().fetch(server.at("/"))


# ---- 43: types


@pytest.mark.parametrize(
    "kind", ["image/png", "image/svg+xml", "video/mp4", "audio/mpeg", "font/woff2", "application/wasm"]
)
def test_what_is_no_article_by_its_type_is_refused(kind: str) -> None:
    with site(always(200, {"Content-Type": kind}, b"x")) as server, pytest.raises(FetchError, match="not a kind"):
        server.fetcher().fetch(server.at("/"))


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "text/html",
            "text/plain",
            "text/markdown",
            "application/xhtml+xml",
            "application/xml",
            "application/rss+xml",
        ),
        *("application/pdf", "application/json", "application/ld+json", "application/octet-stream", "application/zip"),
        *("application/epub+zip", "application/rtf", "message/rfc822", "multipart/related", "application/warc"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.oasis.opendocument.text",
    ],
)
def test_types_that_hold_articles_are_taken(kind: str) -> None:
    with site(always(200, {"Content-Type": kind.upper() + ' ; x="y"'}, b"x")) as server:
        assert server.fetcher().fetch(server.at("/")).content_type == kind


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        ("text/html; charset=windows-1251", "windows-1251"),
        ('text/html;x=1; Charset="UTF-8"', "UTF-8"),
        ("text/html", ""),
        ("text/html; charset=", ""),
    ],
)
def test_the_charset_is_the_one_of_the_header(header: str, charset: str) -> None:
    with site(always(200, {"Content-Type": header}, b"x")) as server:
        assert server.fetcher().fetch(server.at("/")).charset == charset


def test_a_missing_type_is_empty() -> None:
    with site(always(200, {}, b"x")) as server:
        assert server.fetcher().fetch(server.at("/")).content_type == ""


# ---- 45: robots.txt and politeness


def with_robots(rules: str, status: int = 200, inner: Respond | None = None) -> Respond:
    def respond(path: str, headers: Headers) -> tuple[int, Headers, bytes]:
        if path == "/robots.txt":  # a place, if it is a redirect
            return status, {"Location": rules} if status == 302 else {}, rules.encode()
        return inner(path, headers) if inner else page()

    return respond


@pytest.mark.parametrize(
    "rules",
    [
        "User-agent: *\nDisallow: /private",
        "User-agent: *\nAllow: /\n\nUser-agent: Viadoma\nDisallow: /private",
        "\ufeffUser-agent: *\nDisallow: /*vate/",
    ],
)
def test_what_robots_txt_disallows_is_not_fetched(rules: str) -> None:
    with site(with_robots(rules)) as server, server.fetcher(robots=True) as fetcher:
        assert fetcher.fetch(server.at("/open")).raw == b"An article."
        with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
            fetcher.fetch(server.at("/private/page"))
        assert server.paths == ["/robots.txt", "/open"]


def test_robots_txt_holds_for_where_a_redirect_leads() -> None:
    with site(with_robots("User-agent: *\nDisallow: /end", inner=redirects(start="/end"))) as server:
        with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
            server.fetcher(robots=True).fetch(server.at("/start"))
        assert server.paths == ["/robots.txt", "/start"]


def test_each_origin_has_its_own_robots_txt() -> None:
    with (
        site(with_robots("User-agent: *\nDisallow: /")) as other,
        site(with_robots("", inner=redirects(start=other.at("/")))) as server,
    ):
        with pytest.raises(FetchError, match=r"robots\.txt does not allow"):
            server.fetcher(robots=True, allow=[server.host, other.host]).fetch(server.at("/start"))
        assert other.paths == ["/robots.txt"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_without_robots_txt_everything_is_allowed(status: int) -> None:
    with site(with_robots("User-agent: *\nDisallow: /", status)) as server:
        assert server.fetcher(robots=True).fetch(server.at("/")).raw == b"An article."


def test_a_robots_txt_that_fails_refuses_the_site_for_a_while() -> None:
    with site(with_robots("", 500)) as server, server.fetcher(robots=True) as fetcher:
        for _ in range(2):
            with pytest.raises(FetchError, match=r"robots\.txt can't be read.* 500: it failed"):
                fetcher.fetch(server.at("/"))
        assert server.paths == ["/robots.txt"]


def test_a_robots_txt_that_is_too_large_is_one_that_can_not_be_read() -> None:
    with site(with_robots("#" * 1_000_001)) as server, pytest.raises(FetchError, match=r"robots\.txt can't be read"):
        server.fetcher(robots=True).fetch(server.at("/"))


def test_an_unreachable_server_has_no_readable_robots_txt() -> None:
    with site(always(*page())) as server:
        fetcher = server.fetcher(robots=True)
    with pytest.raises(FetchError, match=r"robots\.txt can't be read"):
        fetcher.fetch(server.at("/"))


def test_a_robots_txt_that_leads_to_what_is_private_is_refused() -> None:
    with (
        site(with_robots("http://127.0.0.2/robots.txt", 302)) as server,
        connections() as made,
        pytest.raises(BlockedError, match="redirected"),
    ):
        server.fetcher(robots=True).fetch(server.at("/"))
    assert made == ["127.0.0.1"]


def test_conditions_are_not_sent_for_robots_txt() -> None:
    with site(with_robots("")) as server:
        server.fetcher(robots=True).fetch(server.at("/"), etag='"1"')
    assert "if-none-match" not in server.requests[0].headers
    assert server.requests[1].headers["if-none-match"] == '"1"'


def test_the_program_names_itself() -> None:
    with site(always(*page())) as server:
        server.fetcher().fetch(server.at("/"))
    assert server.requests[0].headers["user-agent"] == "Viadoma/0.1"


def test_a_crawl_delay_is_kept() -> None:
    times: list[float] = []

    def respond(path: str, headers: Headers) -> tuple[int, Headers, bytes]:
        times.append(time.monotonic())
        return with_robots("User-agent: *\nCrawl-delay: 0.3")(path, headers)

    with site(respond) as server, server.fetcher(robots=True) as fetcher:
        for path in ("/a", "/b"):
            fetcher.fetch(server.at(path))
    assert [later - earlier >= 0.29 for earlier, later in itertools.pairwise(times)] == [True, True]


def test_threads_ask_one_host_one_at_a_time_with_a_pause_between() -> None:
    spans: list[tuple[float, float]] = []

    def respond(*_: object) -> tuple[int, Headers, bytes]:
        began = time.monotonic()
        time.sleep(0.05)
        spans.append((began, time.monotonic()))
        return page()

    with site(respond) as server, server.fetcher(delay_seconds=0.1, timeout_seconds=0.4) as fetcher:
        threads = [threading.Thread(target=fetcher.fetch, args=(server.at(f"/{n}"),)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # five were served although the last waited longer than the deadline: waiting for one's turn is not the server's
    assert len(spans) == 5
    assert all(later[0] - earlier[1] >= 0.09 for earlier, later in itertools.pairwise(spans))


# ---- 46: proxies


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with site(always(*page("the proxy"))) as proxy, site(always(*page("the site"))) as server:
        for noted in list(os.environ):
            if noted.lower() == "no_proxy":
                monkeypatch.delenv(noted)
        monkeypatch.setenv(name, f"http://{proxy.host}")
        assert server.fetcher().fetch(server.at("/")).raw == b"the site"
        assert proxy.requests == []


def test_a_proxy_that_is_given_is_used_and_may_be_private() -> None:
    with site(always(*page())) as proxy:
        fetcher = proxy.fetcher(
            allow=[], proxy=f"http://me:s%40cret@{proxy.host}", resolve=lambda *_: ["93.184.215.14"]
        )
        with connections() as made:
            fetcher.fetch("http://news.example/page")
    assert proxy.paths == ["http://news.example/page"]
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6c0BjcmV0"
    assert made == ["127.0.0.1"]


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/", "http://private.example/", "http://mixed.example/", "http://x.local/"]
)
def test_what_is_private_is_not_asked_of_a_proxy(address: str) -> None:
    with site(always(*page())) as proxy:
        with pytest.raises(BlockedError):
            proxy.fetcher(allow=[], proxy=f"http://{proxy.host}", resolve=planted).fetch(address)
        assert proxy.requests == []


def test_a_name_that_only_the_proxy_knows_is_left_to_it() -> None:
    with site(always(*page())) as proxy:
        fetcher = proxy.fetcher(allow=[], proxy=f"http://{proxy.host}", resolve=planted)
        assert fetcher.fetch("http://unknown-here.example/").raw == b"An article."


def test_a_proxy_that_refuses_is_named_as_the_cause() -> None:
    with site(always(403, {}, b"")) as proxy:
        fetcher = proxy.fetcher(allow=[], proxy=f"http://{proxy.host}", resolve=lambda *_: ["93.184.215.14"])
        with pytest.raises(FetchError, match="the proxy can't reach it: “403"):
            fetcher.fetch("https://news.example/")
        assert proxy.paths == ["news.example:443"]


@pytest.mark.parametrize(
    "proxy", ["proxy:3128", "https://proxy", "socks5://proxy:1080", "http://", "http://p:x/", "http://p/a"]
)
def test_a_proxy_of_another_form_is_refused_at_once(proxy: str) -> None:
    with pytest.raises(ValueError, match="write http://host:port"):
        Fetcher(proxy=proxy, trust=TRUST)


# ---- conditions, statuses, tries


def test_an_unchanged_page_is_known_by_its_validators() -> None:
    def respond(_: str, headers: Headers) -> tuple[int, Headers, bytes]:
        if (
            headers.get("if-none-match") == '"1"'
            and headers.get("if-modified-since") == "Mon, 01 Dec 2025 00:00:00 GMT"
        ):
            return 304, {}, b""
        return page(ETag='"1"', Last_Modified="Mon, 01 Dec 2025 00:00:00 GMT")

    with site(respond) as server, server.fetcher() as fetcher:
        first = fetcher.fetch(server.at("/"))
        again = fetcher.fetch(server.at("/"), etag=first.info.etag, last_modified=first.info.last_modified)
    assert (first.unchanged, first.raw) == (False, b"An article.")
    assert (again.unchanged, again.raw) == (True, b"")
    assert (again.info.etag, again.info.last_modified) == (first.info.etag, first.info.last_modified)


def test_what_was_asked_where_it_ended_and_when_is_given() -> None:
    with site(redirects(start="/end")) as server:
        before = datetime.now(UTC).replace(microsecond=0)
        info = server.fetcher().fetch(server.at("/start#part")).info
    assert (info.url, info.final_url) == (server.at("/start#part"), server.at("/end"))
    assert before <= datetime.fromisoformat(info.fetched_at) <= datetime.now(UTC)


def test_not_modified_without_a_condition_is_an_error() -> None:
    with site(always(304, {}, b"")) as server, pytest.raises(FetchError, match="304"):
        server.fetcher().fetch(server.at("/"))


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *((401, "password"), (403, "does not let"), (404, "no such page"), (410, "taken away"), (451, "legal")),
        *((500, "failed"), (418, "Teapot"), (599, "")),
    ],
)
def test_statuses_are_put_in_words_and_asked_once(status: int, meaning: str) -> None:
    with site(always(status, {}, b"")) as server:
        with pytest.raises(FetchError, match=f"the server answers {status}.*{meaning}"):
            server.fetcher().fetch(server.at("/"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again(status: int) -> None:
    answers = iter([(status, {"Retry-After": "0"}, b""), (status, {"Retry-After": "0"}, b""), page()])
    with site(lambda *_: next(answers)) as server:
        assert server.fetcher().fetch(server.at("/")).raw == b"An article."


def test_there_are_three_tries_at_most_over_all_redirects() -> None:
    def respond(path: str, _: Headers) -> tuple[int, Headers, bytes]:
        if server.paths.count(path) == 1:
            return 503, {"Retry-After": "0"}, b""
        return 302, {"Location": path + "x"}, b""

    with site(respond) as server:
        with pytest.raises(FetchError, match="503: not available now"):
            server.fetcher().fetch(server.at("/"))
        assert server.paths == ["/", "/", "/x", "/x", "/xx"]


def test_a_pause_that_is_asked_for_is_kept() -> None:
    times: list[float] = []

    def respond(*_: object) -> tuple[int, Headers, bytes]:
        times.append(time.monotonic())
        return page() if len(times) > 1 else (503, {"Retry-After": "1"}, b"")

    with site(respond) as server:
        server.fetcher(timeout_seconds=0.8).fetch(server.at("/"))
    assert times[1] - times[0] >= 0.99


@pytest.mark.parametrize(
    "pause", ["120", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)], ids=["seconds", "date"]
)
def test_a_pause_of_minutes_is_not_waited_for(pause: str) -> None:
    with site(always(429, {"Retry-After": pause}, b"")) as server:
        with pytest.raises(FetchError, match="left alone for"):
            server.fetcher().fetch(server.at("/"))
        assert len(server.requests) == 1


def test_a_reset_connection_is_tried_again() -> None:
    def talk(connection: socket.socket) -> None:
        if len(server.requests) == 1:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nAn article.")

    with talker(talk) as server:
        assert server.fetcher().fetch(server.at("/")).raw == b"An article."
        assert len(server.requests) == 2


def test_a_blocked_address_is_not_tried_again() -> None:
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1"]

    with pytest.raises(BlockedError):
        Fetcher(resolve=resolve, robots=False, trust=TRUST).fetch("http://private.example/")
    assert asked == ["private.example"]


def test_a_closed_fetcher_says_so() -> None:
    with Fetcher(trust=TRUST) as fetcher:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        fetcher.fetch("http://news.example/")


def test_a_header_that_can_not_be_sent_is_an_error() -> None:
    with site(always(*page())) as server, pytest.raises(FetchError):
        server.fetcher().fetch(server.at("/"), etag='"1"\r\nX: y')
    assert server.requests == []


# ---- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for news.example with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "news.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("news.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@contextmanager
def secure(certificate: Path, respond: Respond) -> Iterator[tuple[Site, list[str | None]]]:
    """A site with TLS, and the names that its visitors asked for in the handshake."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with site(respond, tls=context) as server:
        yield server, names


def test_the_handshake_names_the_host_and_its_certificate_is_checked_for_that_name(certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with secure(certificate, always(*page())) as (server, names):
        fetcher = server.fetcher(trust=trust, resolve=lambda *_: ["127.0.0.1"])
        assert fetcher.fetch(f"https://news.example:{server.port}/").raw == b"An article."
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            fetcher.fetch(f"https://other.example:{server.port}/")
        assert names == ["news.example", "other.example"]


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with secure(certificate, always(*page())) as (server, _):
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            server.fetcher(resolve=lambda *_: ["127.0.0.1"]).fetch(f"https://news.example:{server.port}/")
        assert server.requests == []


def test_a_drip_in_tls_ends_at_the_deadline(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with talker(lambda connection: drip(connection, start, b"x"), context) as server:
        fetcher = server.fetcher(
            trust=ssl.create_default_context(cafile=str(certificate)),
            resolve=lambda *_: ["127.0.0.1"],
            timeout_seconds=0.4,
        )
        with pytest.raises(FetchError, match="too slow"):
            fetcher.fetch(f"https://news.example:{server.port}/")


def test_a_redirect_from_https_to_http_is_refused(certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    with site(always(*page())) as plain, secure(certificate, redirects(start=plain.at("/"))) as (server, _):
        fetcher = server.fetcher(allow=[server.host, plain.host], trust=trust, resolve=lambda *_: ["127.0.0.1"])
        with pytest.raises(BlockedError, match="from https to http"):
            fetcher.fetch(f"https://news.example:{server.port}/start")
        assert plain.requests == []


def test_what_is_planted_are_addresses() -> None:
    assert all(ip_address(address) for addresses in PLANTED.values() for address in addresses)
