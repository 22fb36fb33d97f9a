"""What a model is told: Markdown files with $names.

Knows how a prompt is filled and checked. Does not know any model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent


class PromptError(ValueError):
    """A prompt that is missing, or filled with other names than it has."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt by its name; `digest` is the first 12 hex digits of its SHA-256, kept with what it led to."""

    name: str
    digest: str
    template: Template

    def fill(self, **values: str) -> str:
        """The prompt with every $name replaced; PromptError if a name is missing or not in it.

        What is filled in is not looked at again: a `$` in an article's text stays as it is.
        """
        names = set(self.template.get_identifiers())
        if names != set(values):
            raise PromptError(f"The prompt {self.name} takes {sorted(names)}, and was given {sorted(values)}.")
        return self.template.substitute(values)


def load(name: str) -> Prompt:
    """The prompt in `NAME.md` of this folder; PromptError if there is none."""
    path = FOLDER / f"{name}.md"
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise PromptError(
            f"There is no prompt {name}; there are {sorted(p.stem for p in FOLDER.glob('*.md'))}."
        ) from error
    template = Template(text)
    if not template.is_valid():
        raise PromptError(f"The prompt {name} has a $ that starts no name: write it as $$.")
    return Prompt(name, hashlib.sha256(text.encode()).hexdigest()[:12], template)
