"""Taking in from the page, without the page: what an end leaves behind, and what is told of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from page.i18n import IN_ENGLISH, translator
from page.ingest_job import IngestJob, JobState
from page.library import job_status


def ended(intake: IngestJob) -> JobState:
    """How it ended, once it has."""
    while (state := intake.state) is None or state.running:
        time.sleep(0.01)
    return state


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{name}.txt" for name in ("one", "two", "three")]
    for number, file in enumerate(made):
        file.write_text(f"On 3 May 2024 harbour number {number} was closed by the mayor of Sandby.")
    return made


def test_what_a_stop_left_unread_is_told_and_read_later_even_by_another_start_of_the_program(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    intake = IngestJob(data)
    assert job_status(intake, IN_ENGLISH) == ""
    monkeypatch.setattr(intake, "_advance", lambda _: intake.stop())  # behind the first
    assert intake.start(files, [])
    state = ended(intake)
    assert (state.stopped, state.error, len(state.report.added)) == (True, None, 1)
    said = job_status(intake, IN_ENGLISH)
    assert "Stopped: 1 added" in said
    assert "Some sources were not processed" in said
    assert "Остановлено" in job_status(intake, translator("ru"))

    later = IngestJob(data)
    assert "Some sources were not processed" in job_status(later, IN_ENGLISH)
    assert len(later.pending) == 3
    assert later.start([], later.pending)
    assert len(ended(later).report.added) == 2
    said = job_status(later, IN_ENGLISH)
    assert "Done: 2 added, 1 unchanged" in said
    assert "not read" not in said
    assert IngestJob(data).pending == ()


# the terminal is told of it too
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_program_ends_in_no_done(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("the roof fell in")

    monkeypatch.setattr("page.ingest_job.update", failing)
    intake = IngestJob(tmp_path)
    assert intake.start(files, ["https://example.org/feed.xml"])
    assert ended(intake).error == "“RuntimeError: the roof fell in”"
    said = job_status(intake, IN_ENGLISH)
    assert "Interrupted: 0 added" in said
    assert "the roof fell in" in said
    kept = [str(tmp_path / "uploads" / file.name) for file in files]
    assert IngestJob(tmp_path).pending == (*kept, "https://example.org/feed.xml")
