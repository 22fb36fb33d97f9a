"""Many readers at once, readers beyond what the page takes, and readers who go away: over real HTTP."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from page.chat import CONCURRENT_QUESTIONS
from page.launch import WAITING_QUESTIONS
from tests.support.browser import QUESTION, running
from tests.support.endpoint import Script, endpoint
from tests.support.readers import PATIENCE_SECONDS, Desk

pytestmark = pytest.mark.slow

READERS = 200


def test_readers_who_went_away_hold_no_place(sample_data: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_data, tmp_path / "data")
    script = Script(['{"claims": []}'], pause_seconds=3 * PATIENCE_SECONDS)  # silent behind its first words
    with (
        endpoint(script) as model,
        running(tmp_path / "data", OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=model) as url,
    ):
        desk = Desk.at(url)
        for number in range(CONCURRENT_QUESTIONS):
            assert desk.join(f"gone{number}", QUESTION) == 200
        for number in range(CONCURRENT_QUESTIONS):
            events = desk.events(f"gone{number}")
            assert any(one["msg"] == "process_generating" for one in events)  # in mid-answer
            events.close()
        while len(script.requests) < CONCURRENT_QUESTIONS:
            time.sleep(0.1)  # the model has begun with each
        script.pause_seconds = 0
        assert desk.ask("next", QUESTION)


def test_a_session_that_is_gone_is_told_so_and_is_no_failure_of_the_page(sample_data: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_data, tmp_path / "data")
    with running(tmp_path / "data") as url:  # which looks for failures among what was printed
        desk = Desk.at(url)
        assert [one["session_not_found"] for one in desk.events("nobody")] == [True]
        for number in range(5):  # as when a page is left while it opens another stream
            assert desk.join(f"left{number}", QUESTION) == 200
            streams = [desk.events(f"left{number}") for _ in range(2)]
            assert all(next(stream) for stream in streams)
            for stream in streams:
                stream.close()
        assert desk.ask("next", QUESTION)


def test_two_hundred_readers_at_once_are_answered_and_those_beyond_the_queue_are_told_that_it_is_full(
    sample_data: Path, tmp_path: Path
) -> None:
    shutil.copytree(sample_data, tmp_path / "data")
    script = Script(['{"claims": []}'])
    with (
        endpoint(script) as model,
        running(tmp_path / "data", OPENAI_API_KEY="sk-x", OPENAI_BASE_URL=model) as url,
        ThreadPoolExecutor(READERS) as readers,
    ):
        desk = Desk.at(url)
        assert all(readers.map(lambda number: desk.ask(f"reader{number}", QUESTION), range(READERS)))
        script.pause_seconds = 3 * PATIENCE_SECONDS
        beyond = CONCURRENT_QUESTIONS + WAITING_QUESTIONS + 8
        joined = [desk.join(f"waiting{number}", QUESTION) for number in range(beyond)]
        assert set(joined) == {200, 503}
        assert joined.index(503) >= READERS
