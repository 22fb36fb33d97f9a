"""`python -m cli` is the command `viadoma`."""

from cli.program import run

if __name__ == "__main__":
    run()
