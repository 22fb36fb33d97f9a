"""`python -m bot QUESTION` is `viadoma ask`."""

from cli.program import run

if __name__ == "__main__":
    run("ask")
