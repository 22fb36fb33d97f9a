"""The word lists: whole, of one form, and known to lack only what is written here."""

from __future__ import annotations

import re

import pytest

from language import LANGUAGES, alternation, entries, lacking, list_names, pattern, word_list, words_by_key

# What lists lack a language; who adds its section takes it out here.
LACKING = {
    "male_names": ("lt",),
    "number_words": ("ru", "be", "uk", "pl", "lt"),
    "name_homonyms": ("en", "pl", "lt"),
    "time_homonyms": ("lt",),
}


@pytest.mark.parametrize("name", list_names())
def test_a_list_has_every_language_but_for_those_it_is_known_to_lack(name: str) -> None:
    assert lacking(name) == LACKING.get(name, ())


@pytest.mark.parametrize("name", list_names())
def test_a_word_of_a_list_is_in_small_letters_and_stands_once_under_its_key(name: str) -> None:
    for language, keys in entries(name).items():
        for key, words in keys.items():
            assert len({*words}) == len(words), (language, key)
            assert all(word == word.lower() and word.strip("_*") for word in words), (language, key)


def test_every_month_and_weekday_is_named_in_every_language() -> None:
    for name, count in (("months", 12), ("weekdays", 7)):
        assert all(len(entries(name)[language]) == count for language in LANGUAGES)


def test_a_pattern_finds_whole_words_with_any_ending_and_blanks_of_any_kind() -> None:
    found = pattern(("free*", "set_free", "go")).finditer("Freed, set\u00a0 free; they go, forgo")
    assert [match[0] for match in found] == ["Freed", "set\u00a0 free", "go"]
    assert re.fullmatch(alternation(("at", "at_least")), "at least")
    assert [
        *map(
            bool, map(pattern(("we…use",)).search, ("We do use it", "we use", "west, refuse", "we" + 61 * "." + "use"))
        )
    ] == [*(True, True, False, False)]


def test_the_words_of_a_key_are_those_of_all_languages() -> None:
    assert {"two", "два", "du"} < {*words_by_key("cardinals")["2"]}
    assert word_list("cardinals", "no such value") == ()
