"""The formats in which answers are taken away.

Every format takes answers in the order they were given, of which one is a conversation of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bot import Answer, bundle
from render.bibliography import bibtex, csl_json
from render.html import html
from render.markdown import markdown
from render.translation import Translation


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A way to write answers down: the function, what its files' names end in, and their media type."""

    render: Callable[[Sequence[Answer], Translation], str]
    extension: str
    media_type: str


EXPORT_FORMATS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        "markdown": ExportFormat(markdown, ".md", "text/markdown"),
        "html": ExportFormat(html, ".html", "text/html"),
        # the data of these are the same in every language
        "bundle": ExportFormat(lambda answers, _: bundle(answers), ".json", "application/json"),
        "bibtex": ExportFormat(lambda answers, _: bibtex(answers), ".bib", "application/x-bibtex"),
        "csl-json": ExportFormat(
            lambda answers, _: csl_json(answers), ".csl.json", "application/vnd.citationstyles.csl+json"
        ),
    }
)
