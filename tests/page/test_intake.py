"""Taking in from the page, without the page: what an end leaves behind, and what is told of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from page.i18n import IN_ENGLISH, translator
from page.intake import Intake, State
from page.library import told


def ended(intake: Intake) -> State:
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
    intake = Intake(data)
    assert told(intake, IN_ENGLISH) == ""
    monkeypatch.setattr(intake, "_advance", lambda _: intake.stop())  # behind the first
    assert intake.start(files, [])
    state = ended(intake)
    assert (state.stopped, state.trouble, len(state.report.added)) == (True, None, 1)
    said = told(intake, IN_ENGLISH)
    assert "Stopped: 1 added" in said
    assert "What was still to come was not read" in said
    assert "Остановлено" in told(intake, translator("ru"))

    later = Intake(data)
    assert "What was still to come was not read" in told(later, IN_ENGLISH)
    assert len(later.unread) == 3
    assert later.start([], later.unread)
    assert len(ended(later).report.added) == 2
    said = told(later, IN_ENGLISH)
    assert "Done: 2 added, 1 unchanged" in said
    assert "not read" not in said
    assert Intake(data).unread == ()


# the terminal is told of it too
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_program_ends_in_no_done(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("the roof fell in")

    monkeypatch.setattr("page.intake.update", failing)
    intake = Intake(tmp_path)
    assert intake.start(files, ["https://example.org/feed.xml"])
    assert ended(intake).trouble == "“RuntimeError: the roof fell in”"
    said = told(intake, IN_ENGLISH)
    assert "Broken off: 0 added" in said
    assert "the roof fell in" in said
    kept = [str(tmp_path / "uploads" / file.name) for file in files]
    assert Intake(tmp_path).unread == (*kept, "https://example.org/feed.xml")
