"""Answers to take away: Markdown, HTML, a bundle of evidence that can be rechecked, and their sources as bibliography.

Knows the formats, and what a bundle must prove. Does not know where articles are stored: `verify` is handed them.
Every format takes answers in the order they were given, of which one is a conversation of one.

Errors: BundleError (ValueError) for a file that is no bundle; the message says what to do next.
"""

from __future__ import annotations

import hashlib
import html as markup
import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bot.answer import (
    NOT_ANSWERED,
    Answer,
    Citation,
    Claim,
    Disagreement,
    Kind,
    Spelling,
    Status,
    Voice,
)
from bot.evidence import uncovered
from vectorstore import Article, Coverage, Filters

# Markdown and HTML

STATUS = {"answered": "Answered", "partial": "Answered in part", "not_found": "Not answered"}
DOUBT = {"partly": "supported by the sources only in part", "unverified": "not supported by the sources"}
CLOSEST = "Closest passages, which are not an answer:"
SHOWN_DIGITS = 12  # of an article's hash, for people; the bundle holds it whole
# everything that could make Markdown, HTML, a formula or a live link of an article's words
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@^=])|(?<=[wW]{3})(\.)|(:)(?=//)|^([-+:]|\d+[.)])(?=[\s-]|$)")
ADDRESS = re.compile(r"https?://[^\s\"'<>\x00-\x20\x7f-\x9f]+", re.I)
STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --soft: #57534e; --paper: #fff; --line: #d6d3d1; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e5e4; --soft: #a8a29e; --paper: #1c1917; --line: #44403c; --link: #7cc4ff; }
}
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 1.05rem/1.55 Georgia, "Noto Serif", "PT Serif", serif; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; } h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; } h3 { font-size: 1rem; }
a { color: var(--link); } sup a { text-decoration: none; }
.status, .doubt, dl, li p { color: var(--soft); font-size: 0.85rem; }
.doubt { border-bottom: 1px dotted currentColor; }
article + article { border-top: 1px solid var(--line); margin-top: 2rem; }
blockquote { margin: 0 0 0.3rem; white-space: pre-line; } li { margin-bottom: 1rem; } li p { margin: 0; }
li:target { outline: 2px solid var(--link); outline-offset: 0.3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; } dd { margin: 0; }
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --link: #000; }
  body { margin: 0; max-width: none; font-size: 11pt; } li, article > p { break-inside: avoid; }
}
"""
# nothing is loaded and nothing runs, whatever an article says; the one style is known by its digest
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""

    def escaped(found: re.Match[str]) -> str:
        return f"{found[4][:-1]}\\{found[4][-1]}" if found[4] else f"\\{found[0]}"

    return SPECIAL.sub(escaped, " ".join(text.split()))


def markdown(answers: Sequence[Answer]) -> str:
    """The answers with a footnote a quote, numbered on from answer to answer; the footnotes stand at the end."""
    numbered = _numbered(answers)
    parts = [] if len(numbered) == 1 else [f"# {_count(len(numbered), 'question')}"]
    for answer in numbered:
        parts += [f"{'#' if len(numbered) == 1 else '##'} {escape_markdown(answer.question)}", *_told(answer)]
        parts.append("\n".join(f"- {name}: {escape_markdown(value)}" for name, value in _facts(answer)))
    parts += [_footnote(citation) for answer in numbered for citation in (*answer.citations, *answer.closest)]
    return "\n\n".join(parts) + "\n"


def _told(answer: Answer) -> Iterator[str]:
    yield f"*{STATUS[answer.status]}.*"
    if answer.status == "not_found":
        yield f"**{NOT_ANSWERED}**"
    for claim in answer.claims:
        doubt = f" *({escape_markdown(_doubt(claim))})*" if claim.support in DOUBT else ""
        yield f"{escape_markdown(claim.text)}{_marks(claim.citations)}{doubt}"
    for disagreement in answer.disagreements:
        yield re.sub(r"\\\[(\d+)\\\]", r"[^\1]", escape_markdown(answer.told(disagreement)))
    yield from map(escape_markdown, answer.missing)
    if answer.closest:
        near = "\n".join(f"- “{escape_markdown(one.quote)}”[^{one.number}]" for one in answer.closest)
        yield f"{CLOSEST}\n\n{near}"


def _footnote(citation: Citation) -> str:
    address = _address(citation.article)
    about = [*map(escape_markdown, _about(citation)), *([f"<{address}>"] if address else [])]
    remarks = "".join(f" {escape_markdown(remark)}" for remark in _remarks(citation))
    return (
        f"[^{citation.number}]: “{escape_markdown(citation.quote)}” — {', '.join(about)}.{remarks} "
        f"Permanent link: `{_code(citation.link)}`, SHA-256 of the text: `{citation.article.sha256[:SHOWN_DIGITS]}`."
    )


def html(answers: Sequence[Answer]) -> str:
    """The same as a whole page that needs nothing beside it: for reading, printing and keeping."""
    numbered = _numbered(answers)
    title = numbered[0].question if len(numbered) == 1 else _count(len(numbered), "question")
    body = "" if len(numbered) == 1 else f"<h1>{_safe(title)}</h1>\n"
    for answer in numbered:
        level = "h1" if len(numbered) == 1 else "h2"
        facts = "".join(f'<dt>{_safe(name)}</dt><dd dir="auto">{_safe(value)}</dd>' for name, value in _facts(answer))
        listed = _sources("Sources", answer.citations) + _sources(CLOSEST, answer.closest)
        body += (
            f'<article>\n<{level} dir="auto">{_safe(answer.question)}</{level}>\n'
            f"{''.join(_paragraphs(answer))}{listed}<dl>{facts}</dl>\n</article>\n"
        )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_safe(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_safe(' '.join(title.split()))}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )


def _paragraphs(answer: Answer) -> Iterator[str]:
    yield f'<p class="status">{STATUS[answer.status]}.</p>\n'
    if answer.status == "not_found":
        yield f"<p><strong>{NOT_ANSWERED}</strong></p>\n"
    for claim in answer.claims:
        doubt = f' <span class="doubt">({_safe(_doubt(claim))})</span>' if claim.support in DOUBT else ""
        markers = "".join(map(_marker, claim.citations))
        yield f'<p dir="auto">{_safe(claim.text)}{markers}{doubt}</p>\n'
    for disagreement in answer.disagreements:
        told = re.sub(r"\[(\d+)\]", lambda found: _marker(int(found[1])), _safe(answer.told(disagreement)))
        yield f'<p dir="auto">{told}</p>\n'
    for sentence in answer.missing:
        yield f'<p dir="auto">{_safe(sentence)}</p>\n'


def _sources(heading: str, citations: Sequence[Citation]) -> str:
    listed = "\n".join(map(_source, citations))
    return f"<h3>{heading}</h3>\n<ol>\n{listed}\n</ol>\n" if listed else ""


def _source(citation: Citation) -> str:
    address = _safe(_address(citation.article))
    link = f', <a href="{address}" rel="noopener noreferrer">{address}</a>' if address else ""
    remarks = "".join(f'<p dir="auto">{_safe(remark)}</p>' for remark in _remarks(citation))
    return (
        f'<li id="source-{citation.number}" value="{citation.number}">'
        f'<blockquote lang="{_safe(citation.article.lang)}" dir="auto">{_safe(citation.quote)}</blockquote>'
        f'<p dir="auto">{_safe(", ".join(_about(citation)))}{link}</p>{remarks}'
        f"<p>Permanent link: <code>{_safe(citation.link)}</code>, SHA-256 of the text: "
        f"<code>{_safe(citation.article.sha256[:SHOWN_DIGITS])}</code></p></li>"
    )


def _marker(number: int) -> str:
    return f'<sup><a href="#source-{number}">[{number}]</a></sup>'


def _marks(numbers: Sequence[int]) -> str:
    return "".join(f"[^{number}]" for number in numbers)


def _safe(text: str) -> str:
    return markup.escape(text)


def _code(text: str) -> str:
    """Text that can stand between backticks."""
    return "".join(text.split()).replace("`", "'")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _doubt(claim: Claim) -> str:
    return "; ".join([DOUBT[claim.support], *claim.doubts])


def _numbered(answers: Sequence[Answer]) -> list[Answer]:
    """The answers with citations that are numbered on from one to the next, closest passages too."""
    made: list[Answer] = []
    used = 0
    for answer in answers:
        cited = used + len(answer.citations)
        made.append(
            replace(
                answer,
                citations=tuple(replace(one, number=one.number + used) for one in answer.citations),
                closest=tuple(replace(one, number=one.number + cited) for one in answer.closest),
                claims=tuple(replace(one, citations=_moved(one.citations, used)) for one in answer.claims),
                disagreements=tuple(
                    replace(
                        one,
                        accounts=tuple(
                            replace(account, citations=_moved(account.citations, used)) for account in one.accounts
                        ),
                    )
                    for one in answer.disagreements
                ),
            )
        )
        used = cited + len(answer.closest)
    return made


def _moved(numbers: Sequence[int], by: int) -> tuple[int, ...]:
    return tuple(number + by for number in numbers)


def _facts(answer: Answer) -> list[tuple[str, str]]:
    """How the answer came about, as (name, value); what is not known or goes without saying is left out."""
    facts = [
        *(("Note", note) for note in answer.notes),
        *(("Spelling", str(spelling)) for spelling in answer.spellings),
        ("Searched", answer.searched),
        ("Searched for", "" if answer.query == answer.question else answer.query),
        ("Restricted to", str(answer.filters)),
        ("As of", str(answer.as_of or "")),
        ("Mode", answer.mode),
        ("Prompts", ", ".join(answer.prompts)),
        ("Vectors", answer.embedding),
        ("Made", answer.made),
    ]
    return [(name, value) for name, value in facts if value]


def _about(citation: Citation) -> list[str]:
    article = citation.article
    kind = "" if citation.publisher_kind == "other" else f" ({citation.publisher_kind})"
    return [
        part for part in (article.name, f"{article.publisher}{kind}".strip(), article.published or "no date") if part
    ]


def _remarks(citation: Citation) -> list[str]:
    """What to know of a source, in sentences: who speaks, what the text is, who prints it too."""
    voices = "; ".join(map(str, citation.voices))
    copies = "; ".join(" ".join(filter(None, (one.publisher or one.name, one.published))) for one in citation.copies)
    return [
        *([f"{voices[0].upper()}{voices[1:]}."] if voices else []),
        *([f"Note: {citation.article.note.rstrip('.')}."] if citation.article.note else []),
        *([f"Printed again by {copies}: one source."] if copies else []),
    ]


def _address(article: Article) -> str:
    """The article's address, if it is one to follow, without a character that means something elsewhere; else empty."""
    if not ADDRESS.fullmatch(article.url):
        return ""
    return re.sub(r"[\\^`{|}]", lambda found: f"%{ord(found[0]):02X}", article.url)


# the sources as bibliography

# pybtex 0.26 leaves braces, dollars and backslashes as they are and refuses a text with an odd brace; bibtexparser 2.1
# writes Cyrillic as macros of one font encoding, escapes braces so that they no longer balance, and addresses twice.
LATEX = str.maketrans(
    {special: f"\\{special}" for special in "&%$#_"}
    | {
        "\\": r"{\textbackslash}",
        "{": r"{\textbraceleft}",  # \{ would count as a brace where BibTeX looks for the field's end
        "}": r"{\textbraceright}",
        "~": r"{\textasciitilde}",
        "^": r"{\textasciicircum}",
        "<": r"{\textless}",
        ">": r"{\textgreater}",
        "|": r"{\textbar}",
    }
)
PRESS = frozenset[Kind](("state media", "news agency", "media"))


def bibtex(answers: Sequence[Answer]) -> str:
    """The cited articles as BibLaTeX entries in UTF-8, one an article, in the order of their first citation.

    Empty if nothing is cited; passages that are merely close are no sources. A key is made of publisher, year and id,
    so that an article has the same one in every export.
    """
    entries = []
    for key, citation in _cited(answers).items():
        article = citation.article
        # two pairs of braces keep capitals, and names with "and" in one piece
        fields = [
            ("title", f"{{{_latex(article.name)}}}"),
            ("organization", f"{{{_latex(article.publisher)}}}" if article.publisher else ""),
            ("date", article.published),
            ("url", _address(article)),
            ("urldate", article.added[:10] if _address(article) else ""),
            ("note", f"{{{_latex(article.note)}}}" if article.note else ""),
        ]
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields if value)
        entries.append(f"@{'online' if _address(article) else 'misc'}{{{key},\n{lines}\n}}\n")
    return "\n".join(entries)


def csl_json(answers: Sequence[Answer]) -> str:
    """The same sources as CSL-JSON (csl-data.json of CSL 1.0.2), an array of items; empty if nothing is cited."""
    items = []
    for key, citation in _cited(answers).items():
        article = citation.article
        texts = {
            "id": key,
            "type": "article-newspaper" if citation.publisher_kind in PRESS else "webpage",
            "title": article.name,
            "container-title": article.publisher,
            "URL": _address(article),
            "language": article.lang,
            "note": article.note,
        }
        dates = {"issued": article.published, "accessed": article.added[:10]}
        items.append(
            {name: value for name, value in texts.items() if value}
            | {name: {"date-parts": [[int(part) for part in day.split("-")]]} for name, day in dates.items() if day}
        )
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _cited(answers: Sequence[Answer]) -> dict[str, Citation]:
    """A citation of each cited article, of the newest version cited, by the article's key."""
    newest: dict[str, Citation] = {}
    for citation in (citation for answer in answers for citation in answer.citations):
        known = newest.get(citation.article.id)
        if known is None or known.article.version < citation.article.version:
            newest[citation.article.id] = citation
    keyed: dict[str, Citation] = {}
    for citation in newest.values():
        key = _key(citation.article, 6)
        keyed[_key(citation.article, None) if key in keyed else key] = citation
    return keyed


def _key(article: Article, digits: int | None) -> str:
    plain = unicodedata.normalize("NFKD", article.publisher.lower())
    publisher = re.sub(r"[^a-z0-9]", "", plain)[:24] or "source"
    return f"{publisher}{article.published[:4]}-{re.sub(r'[^A-Za-z0-9]', '', article.id)[:digits]}"


def _latex(text: str) -> str:
    return " ".join(text.split()).translate(LATEX)


# the bundle: what was said, and all that is needed to check it against the articles

FORMAT = "viadoma-evidence"
VERSION = 1
ABOUT = (
    "Recheck with: python -m bot --verify FILE. `start` and `end` count the Unicode characters of the article's text "
    "from 0, end exclusive; an article's sha256 is that of its text in UTF-8. The bundle's own sha256 is that of the "
    "rest of it as JSON with sorted keys and no spaces: it shows a change, but not who made it."
)
Number = Annotated[int, Field(ge=1, lt=2**31)]
Place = Annotated[int, Field(ge=0, lt=2**31)]


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """What a bundle holds of an article version: all but its text and where that lay."""

    id: str
    version: Number
    title: str
    publisher: str
    published: str
    lang: str
    url: str
    note: str
    sha256: str
    added: str


@dataclass(frozen=True, slots=True)
class StoredCopy:
    """An article version that prints another's text again."""

    article: str
    version: Number


@dataclass(frozen=True, slots=True)
class StoredCitation:
    """A `Citation` that names its article instead of holding it."""

    number: Number
    quote: str
    article: str
    version: Number
    start: Place
    end: Place
    link: str
    publisher_kind: Kind
    voices: tuple[Voice, ...]
    copies: tuple[StoredCopy, ...]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An `Answer`, with its text and the sentence on what was searched, for those who read the bundle itself."""

    question: str
    query: str
    made: str
    status: Status
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[StoredCitation, ...]
    closest: tuple[StoredCitation, ...]
    disagreements: tuple[Disagreement, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    spellings: tuple[Spelling, ...]
    searched: str
    coverage: Coverage
    filters: Filters
    as_of: date | None
    mode: str
    prompts: tuple[str, ...]
    embedding: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole bundle but for its digest: the answers, and each article version they name once."""

    format: str
    version: int
    about: str
    answers: tuple[StoredAnswer, ...]
    articles: tuple[StoredArticle, ...]


class BundleError(ValueError):
    """A file that is no bundle of evidence, or one that can't be read whole."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the recheck says of one thing: `where` names it ("answer 1, quote 2"), `differs` says what does not hold.

    An empty `differs` means that everything holds.
    """

    where: str
    differs: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differs

    def __str__(self) -> str:
        """The finding on one line, for people."""
        return f"{self.where}: {'; '.join(self.differs) or 'holds'}"


def bundle(answers: Sequence[Answer]) -> str:
    """The answers as JSON that `verify` rechecks; it holds the quotes, but not the texts of the articles."""
    used: dict[tuple[str, int], StoredArticle] = {}
    for answer in answers:
        for citation in (*answer.citations, *answer.closest):
            for article in (citation.article, *citation.copies):
                used.setdefault((article.id, article.version), _stored_article(article))
    made = Bundle(FORMAT, VERSION, ABOUT, tuple(map(_stored_answer, answers)), tuple(used.values()))
    fields = _adapter().dump_python(made, mode="json")
    return json.dumps({**fields, "sha256": _digest(fields)}, ensure_ascii=False, indent=2) + "\n"


def verify(bundle_text: str, article_of: Callable[[str, int], Article | None]) -> list[Finding]:
    """Rechecks a bundle against the articles, which `article_of` finds by id and version.

    One finding for each quote of each answer, in their order, and one for anything else that differs: a claim that
    its quotes do not prove, an answer's text, the file. BundleError if it is no bundle at all.
    """
    stored, untouched = _read(bundle_text)
    findings = [] if untouched else [Finding("the file", ("it was changed after it was made (its sha256 differs)",))]
    articles = {(one.id, one.version): one for one in stored.articles}
    if len(articles) < len(stored.articles):
        findings.append(Finding("the file", ("it holds an article version more than once",)))
    for place, answer in enumerate(stored.answers, 1):
        for name, citations in (("quote", answer.citations), ("closest passage", answer.closest)):
            for number, citation in enumerate(citations, 1):
                differs = [] if citation.number == number else [f"its number should be {number}"]
                differs += _citation_differs(citation, articles, article_of)
                findings.append(Finding(f"answer {place}, {name} {citation.number}", tuple(differs)))
        for number, claim in enumerate(answer.claims, 1):
            if troubles := tuple(_claim_differs(claim, answer.citations, articles)):
                findings.append(Finding(f"answer {place}, claim {number}", troubles))
        if troubles := tuple(_answer_differs(answer, articles)):
            findings.append(Finding(f"answer {place}", troubles))
    return findings


def _read(text: str) -> tuple[Bundle, bool]:
    """The bundle, and whether its digest is that of its contents."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"This is no whole JSON file ({_plain(str(error))}). {REMEDY}") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise BundleError(f"This is no bundle of evidence: its format is not {FORMAT}. {REMEDY}")
    if fields.get("version") != VERSION:
        raise BundleError(
            f"This bundle has version {_plain(str(fields.get('version')))} of its format; this version of Viadoma "
            f"reads {VERSION}. Verify it with the version that made it."
        )
    try:
        stored = _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BundleError(f"This bundle is damaged at {_plain(where)} ({_plain(first['msg'])}). {REMEDY}") from error
    if not stored.answers:
        raise BundleError(f"This bundle holds no answer, so there is nothing to verify. {REMEDY}")
    digest = fields.pop("sha256", None)
    return stored, digest == _digest(fields)


REMEDY = "Name a file as it was made with: python -m bot QUESTION --format bundle"


def _citation_differs(
    citation: StoredCitation,
    articles: dict[tuple[str, int], StoredArticle],
    article_of: Callable[[str, int], Article | None],
) -> Iterator[str]:
    for article_id, version in (
        (citation.article, citation.version),
        *((copy.article, copy.version) for copy in citation.copies),
    ):
        name = f"version {version} of article {_plain(article_id)}"
        said, kept = articles.get((article_id, version)), article_of(article_id, version)
        if said is None:
            yield f"the bundle does not describe {name}"
        if kept is None:
            yield f"the library has no {name}"
        if said and kept:
            yield from _article_differs(name, said, kept)
        if kept and (article_id, version) == (citation.article, citation.version):
            yield from _quote_differs(citation, kept.text)
    if citation.link != f"/source/{citation.article}/{citation.version}#{citation.start}-{citation.end}":
        yield f"its link is {_plain(citation.link)}, which leads elsewhere"


def _article_differs(name: str, said: StoredArticle, kept: Article) -> Iterator[str]:
    digest = hashlib.sha256(kept.text.encode()).hexdigest()
    if kept.sha256 != digest:
        yield f"the library's text of {name} was changed after it was taken in"
    if said.sha256 != digest:
        yield f"the text of {name} has the SHA-256 {digest}, not {_plain(said.sha256)}"
    for field, one, other in (
        ("title", said.title, kept.title),
        ("publisher", said.publisher, kept.publisher),
        ("date", said.published, kept.published),
        ("language", said.lang, kept.lang),
        ("address", said.url, kept.url),
        ("note", said.note, kept.note),
    ):
        if one != other:
            yield f"the {field} of {name} is “{_plain(other)}”, not “{_plain(one)}”"


def _quote_differs(citation: StoredCitation, text: str) -> Iterator[str]:
    if not citation.quote.strip():
        yield "it quotes nothing"
    elif text[citation.start : citation.end] != citation.quote:
        found = text.find(citation.quote)
        where = f"at {found} to {found + len(citation.quote)}" if found >= 0 else "nowhere in it"
        yield (
            f"at {citation.start} to {citation.end} the article says “{_plain(text[citation.start : citation.end])}”; "
            f"“{_plain(citation.quote)}” stands {where}"
        )


def _claim_differs(
    claim: Claim, citations: Sequence[StoredCitation], articles: dict[tuple[str, int], StoredArticle]
) -> Iterator[str]:
    yield from _strangers(claim.citations, citations)
    cited = [one for one in citations if one.number in claim.citations]
    if claim.support == "unverified":
        yield "the answer itself says that its quotes do not prove it"
    elif not claim.citations:
        yield "it cites no quote"
    elif claim.support == "quoted":
        if not any(claim.text.split() == one.quote.split() for one in cited):
            yield f"it is marked as quoted, but “{_plain(claim.text)}” is not its quote"
    else:
        known = [articles[place] for one in cited if (place := (one.article, one.version)) in articles]
        about = [f"{article.title} {article.publisher}" for article in known]
        dates = [article.published for article in known] if len(known) == len(cited) else []
        yield from map(_plain, uncovered(claim.text, [one.quote for one in cited], about, dates))


def _answer_differs(answer: StoredAnswer, articles: dict[tuple[str, int], StoredArticle]) -> Iterator[str]:
    strangers = [
        stranger
        for disagreement in answer.disagreements
        for account in disagreement.accounts
        for stranger in _strangers(account.citations, answer.citations)
    ]
    yield from strangers
    if any(len(disagreement.accounts) < 2 for disagreement in answer.disagreements):
        yield "a disagreement has a single side"
    elif not strangers and answer.text != (text := _restored(answer, articles).text):
        yield f"its claims come to “{_plain(text)}”, not to “{_plain(answer.text)}”"
    if answer.searched != _restored(answer, articles).searched:
        yield "what it says was searched is not what its coverage and filters say"


def _strangers(numbers: Sequence[int], citations: Sequence[StoredCitation]) -> Iterator[str]:
    known = {one.number for one in citations}
    yield from (f"it cites [{number}], which is not there" for number in numbers if number not in known)


def _plain(text: str, limit: int = 200) -> str:
    """Words of a file, which may be anyone's, for a terminal: one line, no control characters, not endless."""
    flat = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return flat if len(flat) <= limit else f"{flat[:limit]}…"


def _adapter() -> TypeAdapter[Bundle]:
    return TypeAdapter(Bundle)


def _digest(fields: object) -> str:
    plain = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _stored_article(article: Article) -> StoredArticle:
    return StoredArticle(
        id=article.id,
        version=article.version,
        title=article.title,
        publisher=article.publisher,
        published=article.published,
        lang=article.lang,
        url=article.url,
        note=article.note,
        sha256=article.sha256,
        added=article.added,
    )


def _stored_citation(citation: Citation) -> StoredCitation:
    return StoredCitation(
        number=citation.number,
        quote=citation.quote,
        article=citation.article.id,
        version=citation.article.version,
        start=citation.start,
        end=citation.end,
        link=citation.link,
        publisher_kind=citation.publisher_kind,
        voices=citation.voices,
        copies=tuple(StoredCopy(copy.id, copy.version) for copy in citation.copies),
    )


def _stored_answer(answer: Answer) -> StoredAnswer:
    return StoredAnswer(
        question=answer.question,
        query=answer.query,
        made=answer.made,
        status=answer.status,
        text=answer.text,
        claims=answer.claims,
        citations=tuple(map(_stored_citation, answer.citations)),
        closest=tuple(map(_stored_citation, answer.closest)),
        disagreements=answer.disagreements,
        missing=answer.missing,
        notes=answer.notes,
        spellings=answer.spellings,
        searched=answer.searched,
        coverage=answer.coverage,
        filters=answer.filters,
        as_of=answer.as_of,
        mode=answer.mode,
        prompts=answer.prompts,
        embedding=answer.embedding,
    )


def _restored(answer: StoredAnswer, articles: dict[tuple[str, int], StoredArticle]) -> Answer:
    """The answer as its parts say, to read its text again; its articles have a date alone."""
    citations = []
    for one in answer.citations:
        said = articles.get((one.article, one.version))
        published = said.published if said else ""
        article = Article(one.article, one.version, "", "", "", "", published, "", "", "", "", "")
        citations.append(Citation(one.number, one.quote, one.start, one.end, article, voices=one.voices))
    return Answer(
        question=answer.question,
        query=answer.query,
        status=answer.status,
        claims=answer.claims,
        citations=tuple(citations),
        closest=(),
        coverage=answer.coverage,
        notes=answer.notes,
        mode=answer.mode,
        prompts=answer.prompts,
        filters=answer.filters,
        as_of=answer.as_of,
        missing=answer.missing,
        disagreements=answer.disagreements,
    )


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write answers down: the function, what its files' names end in, and their media type."""

    write: Callable[[Sequence[Answer]], str]
    ending: str
    media_type: str


FORMATS = MappingProxyType(
    {
        "markdown": Format(markdown, ".md", "text/markdown"),
        "html": Format(html, ".html", "text/html"),
        "bundle": Format(bundle, ".json", "application/json"),
        "bibtex": Format(bibtex, ".bib", "application/x-bibtex"),
        "csl-json": Format(csl_json, ".csl.json", "application/vnd.citationstyles.csl+json"),
    }
)
