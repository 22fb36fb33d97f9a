"""What the documents say is what the code does, and what they point to is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from docs.generate import HERE, PAGES
from tests.support.program import ROOT

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(HERE.glob("*.md")), *sorted((ROOT / "benchmarks").glob("*.md"))]
MARKDOWN = MarkdownIt("commonmark").enable("table")


def tokens(file: Path) -> Iterator[Token]:
    """All tokens of a document, those within a line of text too."""
    for token in MARKDOWN.parse(file.read_text("utf-8")):
        yield token
        yield from token.children or ()


def targets(file: Path) -> list[str]:
    """What a document links to or shows, as written, but for what lies on the web."""
    written = [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in tokens(file)]
    return [target for target in written if target and not urlsplit(target).scheme]


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings; a second heading of the same words gets a number."""
    plain: list[str] = []
    for opening, heading in pairwise(MARKDOWN.parse(file.read_text("utf-8"))):
        if opening.type == "heading_open":
            text = "".join(part.content for part in heading.children or ())
            plain.append(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return {f"{anchor}-{again}" if (again := plain[:n].count(anchor)) else anchor for n, anchor in enumerate(plain)}


def leads_somewhere(file: Path, target: str) -> bool:
    """Whether a link of a document ends at a file of the project, and at a heading of it if it names one."""
    parts = urlsplit(target)
    there = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not there.is_relative_to(ROOT.resolve()) or not there.exists():
        return False
    return not parts.fragment or (there.suffix == ".md" and unquote(parts.fragment) in anchors(there))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_the_code_knows_is_as_it_makes_it(name: str) -> None:
    assert (HERE / name).read_text("utf-8") == PAGES[name](), "run: python -m docs.generate"


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_documents_lead_to_a_file_and_a_heading_that_exist(file: Path) -> None:
    assert [target for target in targets(file) if not leads_somewhere(file, target)] == []


def test_a_link_to_no_file_no_heading_or_out_of_the_project_is_found(tmp_path: Path) -> None:
    page = HERE / "models.md"
    assert leads_somewhere(page, "#known-weaknesses")
    assert leads_somewhere(page, "evaluation.md#reading-the-figures")
    for target in ("nowhere.md", "#nothing-of-the-kind", "evaluation.md#figures-of-nobody", str(tmp_path)):
        assert not leads_somewhere(page, target)


def test_every_page_stands_once_in_the_sites_table_of_contents() -> None:
    index = HERE / "index.md"
    trees = [token.content for token in tokens(index) if token.info == "{toctree}"]
    entries = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    pages = [page.relative_to(HERE).with_suffix("") for page in HERE.rglob("*.md") if page != index]
    assert sorted(entry for entry in entries if not entry.startswith("/")) == sorted(page.as_posix() for page in pages)
