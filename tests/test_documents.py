"""What the documents say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import HERE, PAGES
from tests.support.program import ROOT

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_the_code_knows_is_as_it_makes_it(name: str) -> None:
    assert (HERE / name).read_text("utf-8") == PAGES[name](), "run: python -m docs.generate"


@pytest.mark.parametrize("file", [ROOT / "README.md", *sorted(HERE.glob("*.md"))], ids=lambda file: str(file.name))
def test_what_a_document_links_to_is_there(file: Path) -> None:
    assert [target for target in LINK.findall(file.read_text("utf-8")) if not (file.parent / target).exists()] == []
