"""The formats in which answers are taken away.

Every format takes answers in the order they were given, of which one is a conversation of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bot import Answer, dump_bundle
from render.bibliography import bibtex, csl_json
from render.blocks import Translate
from render.html import html
from render.markdown import markdown


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A way to write answers down in a language, given as a translation and its code."""

    render: Callable[[Sequence[Answer], Translate, str], str]
    extension: str
    media_type: str


# the last three are data, the same in every language
EXPORT_FORMATS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        "markdown": ExportFormat(lambda answers, say, _: markdown(answers, say), ".md", "text/markdown"),
        "html": ExportFormat(html, ".html", "text/html"),
        "bundle": ExportFormat(lambda answers, *_: dump_bundle(answers), ".json", "application/json"),
        "bibtex": ExportFormat(lambda answers, *_: bibtex(answers), ".bib", "application/x-bibtex"),
        "csl-json": ExportFormat(
            lambda answers, *_: csl_json(answers), ".csl.json", "application/vnd.citationstyles.csl+json"
        ),
    }
)
