"""`python -m ingest SOURCE...` is `viadoma ingest`."""

from cli.program import run

if __name__ == "__main__":
    run("ingest")
