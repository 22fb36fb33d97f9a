"""Knowledge of languages, as data: word lists, one file each, with a section for every language that has its words.

Adding a language is adding its sections. Knows the files and how their words become patterns, and the form of a message
for people, which is translated where it is shown. Does not know what a word proves.
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
from language.messages import EMPTY, Message, message_of, one_line, verbatim

__all__ = [
    "EMPTY",
    "LANGUAGES",
    "Message",
    "all_words",
    "alternation",
    "entries",
    "lacking",
    "list_names",
    "message_of",
    "one_line",
    "pattern",
    "verbatim",
    "word_list",
    "words_by_key",
]
