"""The programs as a user starts them, forked off a process that has done their imports: those take seconds."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ASK = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "VIADOMA_MODEL"))}
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["page.launch", "bot", "ingest", "cli.program", "cli.answer_text"])


def free_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(module: str, arguments: list[str], environment: Mapping[str, str], out: Path, errors: Path) -> None:
    for path, stream in ((out, 1), (errors, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, stream)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    faulthandler.enable()  # says where, should it crash
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def started(
    module: str, *arguments: str | Path, environment: Mapping[str, str], out: Path, errors: Path
) -> ForkServerProcess:
    """The program of a module, running; what it prints goes to the ends of two files, or of one."""
    process = FORKS.Process(target=_program, args=(module, [*map(str, arguments)], environment, out, errors))
    process.start()
    return process


def finished(
    module: str, *arguments: str | Path, environment: Mapping[str, str] | None = None, timeout: int = 120
) -> subprocess.CompletedProcess[str]:
    """The program of a module once it has ended, with what it printed; in this process's environment unless told."""
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        around = dict(os.environ if environment is None else environment)
        process = started(module, *arguments, environment=around, out=out, errors=errors)
        process.join(timeout)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([module, *map(str, arguments)], timeout)
        process.close()
        return subprocess.CompletedProcess(arguments, code, out.read_text("utf-8"), errors.read_text("utf-8"))
