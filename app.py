"""`python app.py` is `viadoma serve`."""

from cli.program import run

if __name__ == "__main__":
    run("serve")
