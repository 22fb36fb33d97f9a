"""Evidence: a bundle of what was said and all that is needed to recheck it against the articles.

Knows the format. Does not know where articles are stored, nor what proves a claim: see `bot.verification`.

Errors: BundleError (ValueError) for a file that is no bundle; the message says what to do next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bot.answer import (
    Answer,
    Citation,
    Claim,
    Disagreement,
    NameVariants,
    ShortAnswer,
    SourceKind,
    Speaker,
    Status,
    Verdict,
    coverage_text,
)
from language import Message, message_of, one_line
from vectorstore import Article, Coverage, Filters, Span, TimeReference

FORMAT = "viadoma-evidence"
VERSION = 3
READABLE = range(1, VERSION + 1)  # 1 had no short answer, no verdict and no reader, 2 messages as plain text
ABOUT = (
    "Recheck with: viadoma verify FILE. `start` and `end` count the Unicode characters of the article's text "
    "from 0, end exclusive; those of a short answer count the characters of its quote. An article's sha256 is that of "
    "its text in UTF-8. The bundle's own sha256 is that of the rest of it as JSON with sorted keys and no spaces: it "
    "shows a change, but not who made it."
)
# The keys of a bundle, where they are not the fields' names.
KEYS = {
    "ingested_at": "added",
    "reprints": "copies",
    "start_date": "first",
    "end_date": "last",
    "inferred": "reckoned",
    "corrected_on": "corrected",
    "speakers": "voices",
    "is_direct_quote": "direct",
    "in_sources": "quoted",
    "also_asked": "also",
    "issues": "doubts",
    "probability": "likely",
    "values": "accounts",
    "closest_passages": "closest",
    "name_variants": "spellings",
    "coverage_text": "searched",
    "embedding_model": "embedding",
    "created_at": "made",
    "passages_read": "read",
}
QUOTED, WRITTEN_BY = "quoting", "writing with "  # the `mode` of an answer without a model, and before a model's name
Copy = TypeVar("Copy")
Number = Annotated[int, Field(ge=1, lt=2**31)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
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
    ingested_at: str


@dataclass(frozen=True, slots=True)
class StoredReprint:
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
    publisher_kind: SourceKind
    speakers: tuple[Speaker, ...]
    reprints: tuple[StoredReprint, ...]
    times: tuple[TimeReference, ...] = ()
    corrected_on: str = ""
    context: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredShortAnswer:
    """A `ShortAnswer`, of a citation and at a place that there can be."""

    text: str
    citation: Number
    start: Place
    end: Place


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An `Answer`, with its text and the sentence on what was searched, for those who read the bundle itself.

    Messages stand in it as `Message.to_json` gives them.
    What an older bundle does not hold has the default that an answer without it has.
    """

    question: str
    query: str
    created_at: str
    status: Status
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[StoredCitation, ...]
    closest_passages: tuple[StoredCitation, ...]
    disagreements: tuple[Disagreement, ...]
    missing: tuple[Message, ...]
    notes: tuple[Message, ...]
    name_variants: tuple[NameVariants, ...]
    coverage_text: str
    coverage: Coverage
    filters: Filters
    as_of: date | None
    mode: str
    prompts: tuple[str, ...]
    embedding_model: str
    short: StoredShortAnswer | None = None
    verdict: Verdict | None = None
    corrects: bool = False
    passages_read: Place = 0
    reader: str = ""
    probability: Probability | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole bundle but for its digest: the answers, and each article version they name once."""

    __pydantic_config__: ClassVar = ConfigDict(alias_generator=lambda field: KEYS.get(field, field))  # of all within

    format: str
    version: int
    about: str
    answers: tuple[StoredAnswer, ...]
    articles: tuple[StoredArticle, ...]


class BundleError(ValueError):
    """A file that is no bundle of evidence, or one that can't be read whole."""


def dump_bundle(answers: Sequence[Answer]) -> str:
    """The answers as JSON that `verify` rechecks; it holds the quotes, but not the texts of the articles."""
    used: dict[tuple[str, int], StoredArticle] = {}
    for answer in answers:
        for citation in (*answer.citations, *answer.closest_passages):
            for article in (citation.article, *citation.reprints):
                used.setdefault((article.id, article.version), _copy_fields(StoredArticle, article))
    whole = Bundle(FORMAT, VERSION, ABOUT, tuple(map(_stored_answer, answers)), tuple(used.values()))
    fields = _adapter().dump_python(whole, mode="json", by_alias=True)
    return json.dumps({**fields, "sha256": _digest(fields)}, ensure_ascii=False, indent=2) + "\n"


def load_answers(bundle_text: str, article_of: Callable[[str, int], Article | None]) -> list[Answer]:
    """The answers of a bundle, with the articles that `article_of` finds by id and version.

    Of an article that is no longer there the text is empty; the quotes stay. BundleError if it is no bundle at all.
    """
    stored, _ = read_bundle(bundle_text)
    known_data = {(article.id, article.version): article_without_text(article) for article in stored.articles}
    known: dict[tuple[str, int], Article] = {}

    def article(article_id: str, version: int) -> Article:
        place = article_id, version
        if place not in known:
            known[place] = article_of(*place) or known_data.get(place) or unknown_article(*place)
        return known[place]

    return [restore_answer(answer, article) for answer in stored.answers]


def read_bundle(text: str) -> tuple[Bundle, bool]:
    """The bundle, and whether its digest is that of its contents."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            Message("This is no whole JSON file ({why}). {remedy}", why=message_of(error), remedy=REMEDY)
        ) from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise BundleError(
            Message("This is no bundle of evidence: its format is not {format}. {remedy}", format=FORMAT, remedy=REMEDY)
        )
    if fields.get("version") not in READABLE:
        raise BundleError(
            Message(
                "This bundle has version {version} of its format; this version of Viadoma reads {oldest} to {newest}. "
                "Verify it with the version that made it.",
                version=one_line(str(fields.get("version"))),
                oldest=READABLE[0],
                newest=READABLE[-1],
            )
        )
    try:
        stored = _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        damage = Message(
            "This bundle is damaged at {where} (“{error}”). {remedy}",
            where=one_line(where),
            error=one_line(first["msg"]),
            remedy=REMEDY,
        )
        raise BundleError(damage) from error
    if not stored.answers:
        raise BundleError(
            Message("This bundle holds no answer, so there is nothing to verify. {remedy}", remedy=REMEDY)
        )
    digest = fields.pop("sha256", None)
    return stored, digest == _digest(fields)


REMEDY = Message("Name a file as it was made with: viadoma ask QUESTION --format bundle")


@cache
def _adapter() -> TypeAdapter[Bundle]:
    return TypeAdapter(Bundle)  # 15 ms, which each answer that is kept would cost


def _digest(fields: object) -> str:
    plain = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _copy_fields(kind: type[Copy], source: object, /, **others: Any) -> Copy:
    """A dataclass with the fields of that name of another object, but for those given."""
    same = {field.name: getattr(source, field.name) for field in fields(cast(Any, kind)) if field.name not in others}
    return kind(**same, **others)


def _stored_citation(citation: Citation) -> StoredCitation:
    reprints = tuple(StoredReprint(copy.id, copy.version) for copy in citation.reprints)
    article = citation.article
    return _copy_fields(StoredCitation, citation, article=article.id, version=article.version, reprints=reprints)


def _stored_answer(answer: Answer) -> StoredAnswer:
    return _copy_fields(
        StoredAnswer,
        answer,
        mode=f"{WRITTEN_BY}{answer.model}" if answer.model else QUOTED,
        citations=tuple(map(_stored_citation, answer.citations)),
        closest_passages=tuple(map(_stored_citation, answer.closest_passages)),
        short=_copy_fields(StoredShortAnswer, answer.short) if answer.short else None,
        coverage_text=str(coverage_text(answer)),
    )


def unknown_article(article_id: str, version: int) -> Article:
    """An article of which a bundle knows nothing but its id."""
    return Article(article_id, version, "", "", "", "", "", "", "", "", "", "")


def article_without_text(article: StoredArticle) -> Article:
    """What a bundle knows of an article: all but its text."""
    return _copy_fields(Article, article, source="", text="", blocks=())


def restore_answer(answer: StoredAnswer, article_of: Callable[[str, int], Article]) -> Answer:
    """The answer that was stored, with the articles that `article_of` finds by id and version."""

    def citations(stored: Sequence[StoredCitation]) -> tuple[Citation, ...]:
        return tuple(
            _copy_fields(
                Citation,
                citation,
                article=article_of(citation.article, citation.version),
                reprints=tuple(article_of(copy.article, copy.version) for copy in citation.reprints),
            )
            for citation in stored
        )

    return _copy_fields(
        Answer,
        answer,
        model=answer.mode.removeprefix(WRITTEN_BY) if answer.mode != QUOTED else "",
        citations=citations(answer.citations),
        closest_passages=citations(answer.closest_passages),
        short=_copy_fields(ShortAnswer, answer.short) if answer.short else None,
    )
