"""Quotes are found exactly; what they do not cover is told."""

from __future__ import annotations

import pytest

from bot.evidence import find_quote, uncovered
from prompts import PromptError, load

TEXT = "He said:\n“We’re lifting  sanctions – soon.” Then 1,150 people\u00a0came."


@pytest.mark.parametrize(
    "quote",
    [
        '"We\'re lifting sanctions - soon."',
        "“We’re lifting  sanctions – soon.”",
        "  lifting\nsanctions ",
        "1,150 people came",
    ],
)
def test_a_quote_is_found_whatever_its_typography_and_white_space(quote: str) -> None:
    span = find_quote(TEXT, quote)
    assert span is not None
    assert TEXT[span.start : span.end].split()[-1].strip("”\"'.") in quote


@pytest.mark.parametrize(
    "quote", ["lifting sanction", "We are lifting", "lifting Sanctions", "1150 people", "", "lifting, sanctions"]
)
def test_other_words_are_not_found(quote: str) -> None:
    span = find_quote(TEXT, quote)
    assert span is None


@pytest.mark.parametrize(
    ("claim", "missing"),
    [
        ("Lukashenko pardoned 123 prisoners.", []),
        ("He pardoned 124 prisoners.", ["124"]),
        ("The pardon came on December 13, Belta said.", ["13", "December"]),
        ("Belta said that Lukashenko's pardon covers 123.", []),
        ("Biden pardoned 123 with Trump.", ["Trump"]),
        ('He said "all of them will be free soon".', ['"all of them will be free soon"']),
    ],
)
def test_numbers_names_and_quoted_words_without_cover_are_told(claim: str, missing: list[str]) -> None:
    quote = "Belarus’ state news agency Belta said President Alexander Lukashenko had pardoned 123 prisoners."
    assert uncovered(claim, [quote]) == missing


def test_a_number_is_covered_by_its_value_and_never_by_a_date_of_publication() -> None:
    assert uncovered("In all 123 were freed.", ["Prices rose by 12.3%."]) == ["123"]
    assert uncovered("In all 1150 were freed.", ["There were 1,150 of them."]) == []
    assert uncovered("In all 13 were freed.", ["Some were freed."], ["Title, 2025-12-13"]) == ["13"]
    assert uncovered("Said by Meduza.", ["Some were freed."], ["Meduza"]) == []


def test_a_prompt_takes_exactly_its_names() -> None:
    prompt = load("standalone")
    assert "Who?" in prompt.fill(history="$HOME stays", question="Who?")
    assert "$HOME stays" in prompt.fill(history="$HOME stays", question="Who?")
    with pytest.raises(PromptError, match="question"):
        prompt.fill(history="")
    with pytest.raises(PromptError, match="other"):
        prompt.fill(history="", question="", other="")


def test_a_missing_prompt_is_named() -> None:
    with pytest.raises(PromptError, match="nonsense"):
        load("nonsense")
