"""One word for each concept: the words that docs/architecture.md gave up stay out of code, phrases and documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from babel.messages.pofile import read_po

from tests.support.program import ROOT

# Rooms whose names are held to the table; tests, benchmarks and training are to follow.
ROOMS = ("bot", "cli", "encoder", "ingest", "language", "page", "prompts", "render", "vectorstore")

# A word in a name -> what to call it instead.
IN_NAMES = {
    "amended": "overrides",
    "amendment": "override",
    "amendments": "overrides",
    "barred": "by_user",
    "chronicle": "timeline",
    "doubts": "issues",
    "intake": "job",
    "likeness": "similarity, containment",
    "mend": "revise",
    "mended": "revised",
    "moments": "events",
    "pulsed": "with_heartbeat",
    "reckoned": "inferred",
    "remade": "rebuilt",
    "taught": "in_lexicon",
    "teller": "speaker, publisher",
    "tellers": "speakers, publishers",
    "telling": "show_errors",
    "tongue": "language",
    "trouble": "error, problem",
    "troubles": "problems",
    "uncovered": "issues",
    "voice": "speaker",
    "voices": "speakers",
}
# Names that hold nothing by themselves: a variable says what it holds.
EMPTY_NAMES = {"held", "made", "one", "own", "said", "told"}
# A phrase in what people read -> what to say instead.
IN_PHRASES = {
    r"tak(?:es?|en|ing) in(?: again)?": "ingest, re-ingest, add",
    r"took in": "ingested",
    r"made (?:again|anew)|remade|make again|remake": "rebuilt",
    r"at hand": "current",
    r"can['’]t be had": "unavailable",
    r"broken off|broke off": "interrupted, stopped",
    r"reckon(?:s|ed)?": "inferred, counted",
    r"mend(?:s|ed)?": "set, repair, revise",
    r"amend(?:s|ed|ment)?": "override",
    r"web address(?:es)?": "URL",
    r"second looks?": "self-check",
    r"taken out": "removed",
}
PHRASE = re.compile(rf"(?<!\w)(?:{'|'.join(IN_PHRASES)})(?![\w-])", re.I)
# Names of tables, columns and keys on disk.
ON_DISK = {"amended", "reckoned"}
SQL = re.compile(r"\s*(?:CREATE|SELECT|INSERT|DELETE) ")
# Phrases that mean something else where they stand.
OTHERWISE = {"A month without a year is taken in the one year"}
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "prompts/*.md")


def sources() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def defined(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that a module defines: of modules it imports nothing is its own."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def fields(tree: ast.Module) -> set[int]:
    """The lines on which a class names its fields, some of which are columns of the library."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {line.lineno for node in classes for line in node.body if isinstance(line, ast.AnnAssign)}


def parts(name: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def test_names_are_made_of_the_words_of_the_glossary() -> None:
    found = [
        f"{path}:{line}: {name} (say {IN_NAMES[part]})"
        for path, tree in sources()
        for line, name in defined(tree)
        for part in parts(name)
        if part in IN_NAMES
    ]
    assert found == []


def test_a_variable_says_what_it_holds() -> None:
    found = [
        f"{path}:{line}: {name}"
        for path, tree in sources()
        for line, name in defined(tree)
        if name in EMPTY_NAMES and line not in fields(tree)
    ]
    assert found == []


def texts() -> Iterator[tuple[str, str]]:
    """What people read: texts and docstrings of the code, phrases to translate, documents; but for SQL."""
    for path, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)) if text not in ON_DISK and not SQL.match(text):
                    yield f"{path}:{node.lineno}", text
    for language in ("be", "ru"):
        with (ROOT / "page" / "locales" / f"{language}.po").open("rb") as file:
            yield from ((f"{language}.po", str(message.id)) for message in read_po(file))
    for pattern in DOCUMENTS:
        for document in sorted(ROOT.glob(pattern)):
            yield document.name, document.read_text("utf-8")


def test_what_people_read_uses_the_words_of_the_glossary() -> None:
    found = []
    for place, text in texts():
        words = " ".join(text.split())
        for match in PHRASE.finditer(words):
            if not any(match[0] in phrase and phrase in words for phrase in OTHERWISE):
                say = next(word for phrase, word in IN_PHRASES.items() if re.fullmatch(phrase, match[0], re.I))
                found.append(f"{place}: {words[max(0, match.start() - 30) : match.end() + 30]} (say {say})")
    assert found == []
