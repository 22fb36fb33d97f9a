"""A question's way: from the question to an answer whose every sentence is proved by an exact quote.

`Bot` is the public face; the other names are what it gives and takes.
"""

from bot.answer import Answer, Citation, Claim, Event, Turn, searched
from bot.bot import Bot, QuestionError
from vectorstore import Article, Coverage, LibraryError, NoLibraryError

__all__ = [
    "Answer",
    "Article",
    "Bot",
    "Citation",
    "Claim",
    "Coverage",
    "Event",
    "LibraryError",
    "NoLibraryError",
    "QuestionError",
    "Turn",
    "searched",
]
