"""The command itself: its list, its help, its doors, and what is loaded for it."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from cli.program import COMMANDS, main
from ingest import update
from tests.support.program import ROOT, finished

viadoma = partial(finished, "cli")


@pytest.fixture
def ferry(tmp_path: Path) -> Path:
    path = tmp_path / "articles" / "ferry.txt"
    path.parent.mkdir()
    path.write_text("The ferry to Norholm sails at nine. Ada Lund steers it in every season.")
    return path


def ended(*arguments: str) -> int | str | None:
    """The exit code of a command that ends while its arguments are read."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    said = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n    {name}" not in said] == []
    assert "130 stopped by Ctrl-C" in said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(name, "--help") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: viadoma {name} ")
    assert COMMANDS[name].summary in " ".join(said.split())
    assert "--data DIR" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["fetch", "x.txt"], "invalid choice: 'fetch' (choose from"),
        (["check", "--rebuild"], "unrecognized arguments: --rebuild"),
        (["serve", "--port", "many"], "invalid int value: 'many'"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: viadoma")
    assert said in told


NEEDS_A_LIBRARY = (
    "ask Who?",
    "verify x.json",
    "remove x --reason y",
    "reinstate x",
    "set x --title y",
    "delete x",
    "check",
    "rebuild",
    "backup x.zip",
    "feedback",
)


@pytest.mark.parametrize("given", NEEDS_A_LIBRARY)
def test_a_folder_without_a_library_is_named_with_the_command_that_fills_it(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "nowhere"
    assert main([*given.split(), "--data", str(folder)]) == 2
    assert f"Fill it with: viadoma ingest SOURCE... --data {folder}" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize(("door", "first"), [("cli", ["ingest"]), ("ingest", [])])
def test_ingest_prints_its_report_as_json_at_both_doors(
    door: str, first: list[str], tmp_path: Path, ferry: Path
) -> None:
    gone = str(tmp_path / "gone.txt")
    done = finished(door, *first, ferry, gone, "--json", "--data", tmp_path / "data")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["added"] == [str(ferry)]
    assert [failure["source"] for failure in report["failed"]] == [gone]


@pytest.mark.parametrize(("door", "name"), [("app", "serve"), ("bot", "ask"), ("ingest", "ingest")])
def test_a_door_is_the_command(door: str, name: str) -> None:
    behind = finished(door, "--help")
    assert (behind.returncode, behind.stdout) == (0, viadoma(name, "--help").stdout)


@pytest.mark.slow
def test_what_stands_over_a_quote_is_printed_before_it(tmp_path: Path) -> None:
    article = tmp_path / "ferry.md"
    article.write_text("# Norholm\n\n## Who steers the ferry\n\nAda Lund has steered the ferry since 2019.\n", "utf-8")
    update([article], data=tmp_path / "data")
    said = viadoma("ask", "Who steers the ferry?", "--data", tmp_path / "data", "--model", "").stdout.splitlines()
    quote = said.index("    “Ada Lund has steered the ferry since 2019.”")
    assert said[quote - 1] == "    Who steers the ferry"


def test_feedback_of_which_there_is_none_prints_nothing(tmp_path: Path, ferry: Path) -> None:
    update([ferry], data=tmp_path / "data")
    done = viadoma("feedback", "--data", tmp_path / "data")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


LOADED = """
import sys
from cli.program import main
try:
    main({arguments})
except SystemExit:
    pass
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"gradio", "bot", "ingest", "vectorstore", "page"}),
        (["ingest", "--help"], {"gradio", "bot", "ingest", "vectorstore", "page"}),
        (["check", "--data", "nowhere"], {"gradio", "bot", "page"}),
        (["ask", "Who?", "--data", "nowhere"], {"gradio", "ingest", "page"}),
        (["feedback", "--data", "nowhere"], {"gradio", "ingest"}),
    ],
)
def test_a_command_loads_what_it_needs_and_no_more(arguments: list[str], absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(arguments=arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert absent & set(done.stdout.splitlines()[-1].split()) == set()
