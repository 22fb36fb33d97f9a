"""A question's way: from the question to an answer whose every sentence is proved by an exact quote.

`Bot` is the public face; the other names are what it gives and takes.
"""

from bot.answer import Answer, Citation, Claim, Event, Short, Spelling, Turn, Verdict, Voice
from bot.bot import Bot, QuestionError
from bot.bundle import BundleError, answers_in, bundle
from bot.chronicle import TOPICS, Count, Known, Moment, Topic
from bot.verification import Finding, verify
from vectorstore import (
    Article,
    Change,
    Coverage,
    Entry,
    Facet,
    Facets,
    Filters,
    LibraryError,
    NoLibraryError,
    Record,
    Time,
    changes,
)

__all__ = [
    "TOPICS",
    "Answer",
    "Article",
    "Bot",
    "BundleError",
    "Change",
    "Citation",
    "Claim",
    "Count",
    "Coverage",
    "Entry",
    "Event",
    "Facet",
    "Facets",
    "Filters",
    "Finding",
    "Known",
    "LibraryError",
    "Moment",
    "NoLibraryError",
    "QuestionError",
    "Record",
    "Short",
    "Spelling",
    "Time",
    "Topic",
    "Turn",
    "Verdict",
    "Voice",
    "answers_in",
    "bundle",
    "changes",
    "verify",
]
