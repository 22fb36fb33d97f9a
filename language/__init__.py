"""Knowledge of languages, as data: word lists, one file each, with a section for every language that has its words.

Adding a language is adding its sections. Knows the files and how their words become patterns. Does not know what a
word proves.
"""

from language.lists import (
    LANGUAGES,
    all_words,
    alternation,
    entries,
    lacking,
    list_names,
    pattern,
    word_list,
    words_by_key,
)

__all__ = [
    "LANGUAGES",
    "all_words",
    "alternation",
    "entries",
    "lacking",
    "list_names",
    "pattern",
    "word_list",
    "words_by_key",
]
