"""Evidence: a bundle of what was said and all that is needed to recheck it against the articles.

Knows what a bundle must prove. Does not know where articles are stored: `verify` is handed them.

Errors: BundleError (ValueError) for a file that is no bundle; the message says what to do next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError

from bot.answer import Answer, Citation, Claim, Disagreement, Kind, Short, Spelling, Status, Verdict, Voice
from bot.evidence import before, uncovered
from vectorstore import Article, Coverage, Filters, Names, Time

FORMAT = "viadoma-evidence"
VERSION = 2
READABLE = (1, VERSION)  # 1 had no short answer, no verdict and no reader
ABOUT = (
    "Recheck with: python -m bot --verify FILE. `start` and `end` count the Unicode characters of the article's text "
    "from 0, end exclusive; those of a short answer count the characters of its quote. An article's sha256 is that of "
    "its text in UTF-8. The bundle's own sha256 is that of the rest of it as JSON with sorted keys and no spaces: it "
    "shows a change, but not who made it."
)
Copied = TypeVar("Copied")
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
    times: tuple[Time, ...] = ()
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class StoredShort:
    """A `Short`, of a citation and at a place that there can be."""

    text: str
    citation: Number
    start: Place
    end: Place


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An `Answer`, with its text and the sentence on what was searched, for those who read the bundle itself.

    What version 1 did not hold has the default that an answer without it has.
    """

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
    short: StoredShort | None = None
    verdict: Verdict | None = None
    corrects: bool = False
    read: Place = 0
    reader: str = ""
    likely: float | None = None


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

    An empty `differs` means that nothing differs; `told` is what is then said of it.
    """

    where: str
    differs: tuple[str, ...] = ()
    told: str = "holds"

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differs

    def __str__(self) -> str:
        """The finding on one line, for people."""
        return f"{self.where}: {'; '.join(self.differs) or self.told}"


def bundle(answers: Sequence[Answer]) -> str:
    """The answers as JSON that `verify` rechecks; it holds the quotes, but not the texts of the articles."""
    used: dict[tuple[str, int], StoredArticle] = {}
    for answer in answers:
        for citation in (*answer.citations, *answer.closest):
            for article in (citation.article, *citation.copies):
                used.setdefault((article.id, article.version), _copied(StoredArticle, article))
    made = Bundle(FORMAT, VERSION, ABOUT, tuple(map(_stored_answer, answers)), tuple(used.values()))
    fields = _adapter().dump_python(made, mode="json")
    return json.dumps({**fields, "sha256": _digest(fields)}, ensure_ascii=False, indent=2) + "\n"


def answers_in(bundle_text: str, article_of: Callable[[str, int], Article | None]) -> list[Answer]:
    """The answers of a bundle, with the articles that `article_of` finds by id and version.

    Of an article that is no longer there the text is empty; the quotes stay. BundleError if it is no bundle at all.
    """
    stored, _ = _read(bundle_text)
    bare = {(one.id, one.version): _bare(one) for one in stored.articles}
    known: dict[tuple[str, int], Article] = {}

    def article(article_id: str, version: int) -> Article:
        place = article_id, version
        if place not in known:
            known[place] = article_of(*place) or bare.get(place) or _unknown(*place)
        return known[place]

    return [_restored(answer, article) for answer in stored.answers]


def verify(
    bundle_text: str, article_of: Callable[[str, int], Article | None], names: Names | None = None
) -> list[Finding]:
    """Rechecks a bundle against the articles, which `article_of` finds by id and version.

    `names` is the table of spellings that the answers were made with, the project's own if None.

    One finding for each quote of each answer, in their order, one for each verdict and each claim of a model, which are
    told as they were recorded, and one for anything else that differs: a claim that its quotes do not prove, a short
    answer that does not stand in its quote, an answer's text, the file. BundleError if it is no bundle at all.
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
            if troubles := tuple(_claim_differs(claim, answer.citations, articles, article_of, names)):
                findings.append(Finding(f"answer {place}, claim {number}", troubles))
            elif claim.support != "quoted" and claim.likely is not None:
                recorded = f"the reader held it for proved with {claim.likely:.2f}, as it was recorded; {NOT_ANEW}"
                findings.append(Finding(f"answer {place}, claim {number}", told=recorded))
        if troubles := tuple(_short_differs(answer.short, answer.citations)):
            findings.append(Finding(f"answer {place}, short answer", troubles))
        if answer.verdict:
            recorded = f"“{answer.verdict}”, as it was recorded; {NOT_ANEW}"
            findings.append(Finding(f"answer {place}, verdict", told=recorded))
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
    if fields.get("version") not in READABLE:
        raise BundleError(
            f"This bundle has version {_plain(str(fields.get('version')))} of its format; this version of Viadoma "
            f"reads {' and '.join(map(str, READABLE))}. Verify it with the version that made it."
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


NOT_ANEW = "it is not reckoned anew"
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
    claim: Claim,
    citations: Sequence[StoredCitation],
    articles: dict[tuple[str, int], StoredArticle],
    article_of: Callable[[str, int], Article | None],
    names: Names | None,
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
        known = [articles.get((one.article, one.version)) for one in cited]
        kept = [article_of(one.article, one.version) for one in cited]
        context = [
            (said.title, said.publisher, before(text.text, one.start) if text else "") if said else ()
            for one, said, text in zip(cited, known, kept, strict=True)
        ]
        dates = [said.published if said else "" for said in known]
        yield from map(_plain, uncovered(claim.text, [one.quote for one in cited], context, dates, names))


def _short_differs(short: StoredShort | None, citations: Sequence[StoredCitation]) -> Iterator[str]:
    if short is None:
        return
    quotes = [one.quote for one in citations if one.number == short.citation]
    if not quotes:
        yield from _strangers((short.citation,), citations)
    elif not short.text.strip():
        yield "it says nothing"
    elif (there := quotes[0][short.start : short.end]) != short.text:
        yield (
            f"at {short.start} to {short.end} quote {short.citation} says “{_plain(there)}”, not “{_plain(short.text)}”"
        )


def _answer_differs(answer: StoredAnswer, articles: dict[tuple[str, int], StoredArticle]) -> Iterator[str]:
    restored = _restored(answer, lambda *place: _bare(articles[place]) if place in articles else _unknown(*place))
    strangers = [
        stranger
        for disagreement in answer.disagreements
        for account in disagreement.accounts
        for stranger in _strangers(account.citations, answer.citations)
    ]
    yield from strangers
    if any(len(disagreement.accounts) < 2 for disagreement in answer.disagreements):
        yield "a disagreement has a single side"
    elif not strangers and answer.text != (text := restored.text):
        yield f"its claims come to “{_plain(text)}”, not to “{_plain(answer.text)}”"
    if answer.searched != restored.searched:
        yield "what it says was searched is not what its coverage and filters say"


def _strangers(numbers: Sequence[int], citations: Sequence[StoredCitation]) -> Iterator[str]:
    known = {one.number for one in citations}
    yield from (f"it cites [{number}], which is not there" for number in numbers if number not in known)


def _plain(text: str, limit: int = 200) -> str:
    """Words of a file, which may be anyone's, for a terminal: one line, no control characters, not endless."""
    flat = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return flat if len(flat) <= limit else f"{flat[:limit]}…"


@cache
def _adapter() -> TypeAdapter[Bundle]:
    return TypeAdapter(Bundle)  # 15 ms, which each answer that is kept would cost


def _digest(fields: object) -> str:
    plain = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _copied(kind: type[Copied], source: object, /, **others: Any) -> Copied:
    """A dataclass with the fields of that name of another object, but for those given."""
    same = {one.name: getattr(source, one.name) for one in fields(cast(Any, kind)) if one.name not in others}
    return kind(**same, **others)


def _stored_citation(citation: Citation) -> StoredCitation:
    copies = tuple(StoredCopy(copy.id, copy.version) for copy in citation.copies)
    article = citation.article
    return _copied(StoredCitation, citation, article=article.id, version=article.version, copies=copies)


def _stored_answer(answer: Answer) -> StoredAnswer:
    return _copied(
        StoredAnswer,
        answer,
        citations=tuple(map(_stored_citation, answer.citations)),
        closest=tuple(map(_stored_citation, answer.closest)),
        short=_copied(StoredShort, answer.short) if answer.short else None,
    )


def _unknown(article_id: str, version: int) -> Article:
    return Article(article_id, version, "", "", "", "", "", "", "", "", "", "")


def _bare(article: StoredArticle) -> Article:
    """What a bundle knows of an article: all but its text."""
    return _copied(Article, article, source="", text="")


def _restored(answer: StoredAnswer, article_of: Callable[[str, int], Article]) -> Answer:
    def citations(stored: Sequence[StoredCitation]) -> tuple[Citation, ...]:
        return tuple(
            _copied(
                Citation,
                one,
                article=article_of(one.article, one.version),
                copies=tuple(article_of(copy.article, copy.version) for copy in one.copies),
            )
            for one in stored
        )

    return _copied(
        Answer,
        answer,
        citations=citations(answer.citations),
        closest=citations(answer.closest),
        short=_copied(Short, answer.short) if answer.short else None,
    )
