"""A question's way: from the question to an answer whose every sentence is proved by an exact quote.

`Bot` is the public face; the other names are what it gives and takes.
"""

from bot.answer import (
    Answer,
    AnswerEvent,
    Citation,
    Claim,
    Disagreement,
    NameVariants,
    ReportedValue,
    ShortAnswer,
    Speaker,
    Turn,
    Verdict,
)
from bot.bot import Bot, QuestionError
from bot.bundle import BundleError, dump_bundle, load_answers
from bot.timeline import TOPICS, EntitySummary, ReportedCount, TimelineEvent, Topic
from bot.verification import CheckResult, verify
from vectorstore import (
    Article,
    ArticleSummary,
    Coverage,
    DiffSegment,
    Facet,
    Facets,
    Filters,
    LibraryError,
    MetadataOverride,
    NoLibraryError,
    Provenance,
    Span,
    Stale,
    TimeReference,
    Tombstone,
    VersionDetails,
    diff_words,
)

__all__ = [
    "TOPICS",
    "Answer",
    "AnswerEvent",
    "Article",
    "ArticleSummary",
    "Bot",
    "BundleError",
    "CheckResult",
    "Citation",
    "Claim",
    "Coverage",
    "DiffSegment",
    "Disagreement",
    "EntitySummary",
    "Facet",
    "Facets",
    "Filters",
    "LibraryError",
    "MetadataOverride",
    "NameVariants",
    "NoLibraryError",
    "Provenance",
    "QuestionError",
    "ReportedCount",
    "ReportedValue",
    "ShortAnswer",
    "Span",
    "Speaker",
    "Stale",
    "TimeReference",
    "TimelineEvent",
    "Tombstone",
    "Topic",
    "Turn",
    "Verdict",
    "VersionDetails",
    "diff_words",
    "dump_bundle",
    "load_answers",
    "verify",
]
