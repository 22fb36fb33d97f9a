"""The recheck of a bundle of evidence: what in it differs from the articles, and from itself.

Knows what a bundle must prove. Does not know where articles are stored: it is handed them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.answer import Claim, coverage_text
from bot.bundle import (
    StoredAnswer,
    StoredArticle,
    StoredCitation,
    StoredShortAnswer,
    article_without_text,
    read_bundle,
    restore_answer,
    unknown_article,
)
from bot.evidence import find_issues, sentence_before
from language import one_line
from vectorstore import Article, NameTable

NOT_REPEATED = "it is not computed again"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the recheck says of one thing: `where` names it ("answer 1, quote 2"), `problems` says what does not hold.

    An empty `problems` means that nothing differs; `note` is what is then said of it.
    """

    where: str
    problems: tuple[str, ...] = ()
    note: str = "holds"

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.problems

    def __str__(self) -> str:
        """The finding on one line, for people."""
        return f"{self.where}: {'; '.join(self.problems) or self.note}"


def verify(
    bundle_text: str, article_of: Callable[[str, int], Article | None], names: NameTable | None = None
) -> list[CheckResult]:
    """Rechecks a bundle against the articles, which `article_of` finds by id and version.

    `names` is the table of spellings that the answers were made with, the project's own if None.

    One finding for each quote of each answer, in their order, one for each verdict and each claim of a model, which are
    told as they were recorded, and one for anything else that differs: a claim that its quotes do not prove, a short
    answer that does not stand in its quote, an answer's text, the file. BundleError if it is no bundle at all.
    """
    stored, untouched = read_bundle(bundle_text)
    findings = (
        [] if untouched else [CheckResult("the file", ("it was changed after it was made (its sha256 differs)",))]
    )
    articles = {(article.id, article.version): article for article in stored.articles}
    if len(articles) < len(stored.articles):
        findings.append(CheckResult("the file", ("it holds an article version more than once",)))
    for place, answer in enumerate(stored.answers, 1):
        for name, citations in (("quote", answer.citations), ("closest passage", answer.closest_passages)):
            for number, citation in enumerate(citations, 1):
                differs = [] if citation.number == number else [f"its number should be {number}"]
                differs += _citation_problems(citation, articles, article_of)
                findings.append(CheckResult(f"answer {place}, {name} {citation.number}", tuple(differs)))
        for number, claim in enumerate(answer.claims, 1):
            if problems := tuple(_claim_problems(claim, answer.citations, articles, article_of, names)):
                findings.append(CheckResult(f"answer {place}, claim {number}", problems))
            elif claim.support != "quoted" and claim.probability is not None:
                recorded = (
                    f"the reader held it for proved with {claim.probability:.2f}, as it was recorded; {NOT_REPEATED}"
                )
                findings.append(CheckResult(f"answer {place}, claim {number}", note=recorded))
        if problems := tuple(_short_answer_problems(answer.short, answer.citations)):
            findings.append(CheckResult(f"answer {place}, short answer", problems))
        if answer.verdict:
            recorded = f"“{answer.verdict}”, as it was recorded; {NOT_REPEATED}"
            findings.append(CheckResult(f"answer {place}, verdict", note=recorded))
        if problems := tuple(_answer_problems(answer, articles)):
            findings.append(CheckResult(f"answer {place}", problems))
    return findings


def _citation_problems(
    citation: StoredCitation,
    articles: dict[tuple[str, int], StoredArticle],
    article_of: Callable[[str, int], Article | None],
) -> Iterator[str]:
    for article_id, version in (
        (citation.article, citation.version),
        *((copy.article, copy.version) for copy in citation.reprints),
    ):
        name = f"version {version} of article {one_line(article_id)}"
        described, kept = articles.get((article_id, version)), article_of(article_id, version)
        if described is None:
            yield f"the bundle does not describe {name}"
        if kept is None:
            yield f"the library has no {name}"
        if described and kept:
            yield from _article_problems(name, described, kept)
        if kept and (article_id, version) == (citation.article, citation.version):
            yield from _quote_problems(citation, kept.text)
    if citation.link != f"/source/{citation.article}/{citation.version}#{citation.start}-{citation.end}":
        yield f"its link is {one_line(citation.link)}, which leads elsewhere"


def _article_problems(name: str, described: StoredArticle, stored: Article) -> Iterator[str]:
    digest = hashlib.sha256(stored.text.encode()).hexdigest()
    if stored.sha256 != digest:
        yield f"the library's text of {name} was changed after it was ingested"
    if described.sha256 != digest:
        yield f"the text of {name} has the SHA-256 {digest}, not {one_line(described.sha256)}"
    for field, described_value, other in (
        ("title", described.title, stored.title),
        ("publisher", described.publisher, stored.publisher),
        ("date", described.published, stored.published),
        ("language", described.lang, stored.lang),
        ("address", described.url, stored.url),
        ("note", described.note, stored.note),
    ):
        if described_value != other:
            yield f"the {field} of {name} is “{one_line(other)}”, not “{one_line(described_value)}”"


def _quote_problems(citation: StoredCitation, text: str) -> Iterator[str]:
    if not citation.quote.strip():
        yield "it quotes nothing"
    elif text[citation.start : citation.end] != citation.quote:
        found = text.find(citation.quote)
        where = f"at {found} to {found + len(citation.quote)}" if found >= 0 else "nowhere in it"
        there = one_line(text[citation.start : citation.end])
        yield (
            f"at {citation.start} to {citation.end} the article says “{there}”; “{one_line(citation.quote)}” stands "
            f"{where}"
        )


def _claim_problems(
    claim: Claim,
    citations: Sequence[StoredCitation],
    articles: dict[tuple[str, int], StoredArticle],
    article_of: Callable[[str, int], Article | None],
    names: NameTable | None,
) -> Iterator[str]:
    yield from _missing_citations(claim.citations, citations)
    cited = [citation for citation in citations if citation.number in claim.citations]
    if claim.support == "unverified":
        yield "the answer itself says that its quotes do not prove it"
    elif not claim.citations:
        yield "it cites no quote"
    elif claim.support == "quoted":
        if not any(claim.text.split() == citation.quote.split() for citation in cited):
            yield f"it is marked as quoted, but “{one_line(claim.text)}” is not its quote"
    else:
        known = [articles.get((citation.article, citation.version)) for citation in cited]
        kept = [article_of(citation.article, citation.version) for citation in cited]
        context = [
            (described.title, described.publisher, sentence_before(text.text, citation.start) if text else "")
            if described
            else ()
            for citation, described, text in zip(cited, known, kept, strict=True)
        ]
        dates = [described.published if described else "" for described in known]
        yield from map(one_line, find_issues(claim.text, [citation.quote for citation in cited], context, dates, names))


def _short_answer_problems(short: StoredShortAnswer | None, citations: Sequence[StoredCitation]) -> Iterator[str]:
    if short is None:
        return
    quotes = [citation.quote for citation in citations if citation.number == short.citation]
    if not quotes:
        yield from _missing_citations((short.citation,), citations)
    elif not short.text.strip():
        yield "it says nothing"
    elif (there := quotes[0][short.start : short.end]) != short.text:
        yield (
            f"at {short.start} to {short.end} quote {short.citation} says “{one_line(there)}”, not "
            f"“{one_line(short.text)}”"
        )


def _answer_problems(answer: StoredAnswer, articles: dict[tuple[str, int], StoredArticle]) -> Iterator[str]:
    again = restore_answer(
        answer, lambda *place: article_without_text(articles[place]) if place in articles else unknown_article(*place)
    )
    strangers = [
        stranger
        for disagreement in answer.disagreements
        for account in disagreement.values
        for stranger in _missing_citations(account.citations, answer.citations)
    ]
    yield from strangers
    if any(len(disagreement.values) < 2 for disagreement in answer.disagreements):
        yield "a disagreement has a single side"
    elif not strangers and answer.text != (text := again.text):
        yield f"its claims come to “{one_line(text)}”, not to “{one_line(answer.text)}”"
    if answer.coverage_text != coverage_text(again):
        yield "what it says was searched is not what its coverage and filters say"


def _missing_citations(numbers: Sequence[int], citations: Sequence[StoredCitation]) -> Iterator[str]:
    known = {citation.number for citation in citations}
    yield from (f"it cites [{number}], which is not there" for number in numbers if number not in known)
