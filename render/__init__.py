"""Answers to show and to take away: one description of an answer, in blocks, and small writers of it."""

from render.formats import EXPORT_FORMATS, ExportFormat
from render.html import html
from render.markdown import markdown
from render.text import text

__all__ = ["EXPORT_FORMATS", "ExportFormat", "html", "markdown", "text"]
