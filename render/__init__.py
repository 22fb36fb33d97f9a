"""Answers to show and to take away: one description of an answer, and small writers of it.

`describe` gives the description; `text`, `markdown` and `html` write it, in English or another language.
"""

from render.bibliography import bibtex, csl_json, url_of
from render.blocks import (
    Block,
    Conflict,
    Facts,
    Lead,
    Pieces,
    Remark,
    Side,
    Source,
    Sources,
    Statement,
    capital,
    days,
    describe,
    speakers,
)
from render.formats import EXPORT_FORMATS, ExportFormat
from render.html import html
from render.markdown import MarkdownWriter, bold_within, escape_markdown, markdown
from render.text import text
from render.translation import ENGLISH, Translation

__all__ = [
    "ENGLISH",
    "EXPORT_FORMATS",
    "Block",
    "Conflict",
    "ExportFormat",
    "Facts",
    "Lead",
    "MarkdownWriter",
    "Pieces",
    "Remark",
    "Side",
    "Source",
    "Sources",
    "Statement",
    "Translation",
    "bibtex",
    "bold_within",
    "capital",
    "csl_json",
    "days",
    "describe",
    "escape_markdown",
    "html",
    "markdown",
    "speakers",
    "text",
    "url_of",
]
