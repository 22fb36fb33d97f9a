"""The page's account: who knows it comes in, who guesses waits."""

from __future__ import annotations

import base64

import pytest

from page.auth import BasicAuth
from page.server import auth_for


def basic(account: str) -> str:
    return "Basic " + base64.b64encode(account.encode()).decode()


RIGHT, WRONG = basic("ада:сезам, откройся"), basic("ада:wrong")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> BasicAuth:
    return BasicAuth("ада:сезам, откройся", clock)


def test_the_right_account_comes_in(door: BasicAuth) -> None:
    assert door.wait("a", RIGHT) is None
    assert door.wait("a", RIGHT.replace("Basic", "basic")) is None


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!", "Basic ä", "Bearer x", RIGHT[:-4], RIGHT.replace(" ", "  x")]
)
def test_nothing_else_does(door: BasicAuth, header: str) -> None:
    assert door.wait("a", header) == 0.0


def test_every_wrong_try_after_the_fifth_doubles_the_wait(door: BasicAuth, clock: Clock) -> None:
    waits = []
    for _ in range(15):
        seconds = door.wait("a", WRONG)
        assert seconds is not None
        waits.append(seconds)
        clock.now += seconds
    assert waits == [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_even_the_right_one_waits_and_then_wipes_the_slate(door: BasicAuth, clock: Clock) -> None:
    for _ in range(6):
        door.wait("a", WRONG)
    assert door.wait("a", RIGHT) == 2
    assert door.wait("b", RIGHT) is None  # others do not wait
    clock.now = 2
    assert door.wait("a", RIGHT) is None
    assert door.wait("a", WRONG) == 0


def test_asking_without_a_password_is_no_wrong_try(door: BasicAuth) -> None:
    for _ in range(50):
        assert door.wait("a", "") == 0
    assert door.wait("a", RIGHT) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_alone_needs_no_account(host: str) -> None:
    assert auth_for(host, "") is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])
def test_any_other_address_does(host: str) -> None:
    with pytest.raises(ValueError, match="VIADOMA_AUTH"):
        auth_for(host, "")
    assert auth_for(host, "ada:open sesame") is not None
