"""Proof: finds a quote in an article, and says whether quotes cover what a claim states.

Knows text, hits and their reading. Does not know chat models, search or how an answer is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.claim_check import PLAIN, find_issues
from bot.claim_check.words import sentences
from bot.reading import Calibration, Reading, article_source
from encoder import Reader, Text
from language import Message, alternation, word_list, words_by_key
from vectorstore import Block, Hit, NameTable, Sentence, Span

__all__ = [
    "Checker",
    "ClaimCheck",
    "expand_to_sentences",
    "find_issues",
    "find_quote",
    "is_statement",
    "sentence_before",
    "source_context",
]

Quote = tuple[Hit, Span]

SPACE = re.compile(r"\s+")
MIN_QUOTE = 3  # words; fewer stand anywhere
# A sentence that tells its reader what to do, or asks them something, reports nothing: it proves no claim and answers
# no question, whoever put it into an article.
OPENS, VERBS, NOUN = (alternation(word_list("orders", key)) for key in ("before", "words", "noun"))
ORDER = re.compile(rf"^\W*(?:(?:{OPENS}),? )*(?:{VERBS})\b(?![’']s|\s+(?:{NOUN})\b)", re.I)
# The same, even between quotation marks: nobody reports what a chatbot is to do.
MODEL = {key: alternation(listed) for key, listed in words_by_key("words_to_a_model").items()}
TO_A_MODEL = re.compile(
    rf"\b(?:(?:{MODEL['phrases']})|(?:{MODEL['your']}) (?:\w+ )?(?:{MODEL['answer']})"
    rf"|(?:{MODEL['ignore']}) (?:(?:{MODEL['all']}) )?(?:{MODEL['earlier']}))\b",
    re.I,
)
LINK = re.compile(r"https?:|www\.|\]\(|<[a-z/!]", re.I)
QUOTES = re.compile(r"[“”„«»\"]")


def find_quote(text: str, quote: str) -> Span | None:
    """Where a quote stands in a text, or None.

    White space may differ in kind and amount, and quotation marks and dashes in their typographic form; nothing else.
    A quote holds whole words.
    The span is the text's own, so `text[span.start:span.end]` is what the article says.
    """
    words = SPACE.split(quote.translate(PLAIN).strip())
    if words == [""]:
        return None
    pattern = r"\s+".join(map(re.escape, words))
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text.translate(PLAIN))
    return Span(found.start(), found.end()) if found else None


def expand_to_sentences(hit: Hit, quote: str) -> list[Span]:
    """The whole sentences of the passage that a quote stands in, as a span of the article in each block.

    Empty if it is not there. A part of a sentence proves nothing: what denies it may stand in the rest.
    """
    found = find_quote(hit.text, quote) if len(quote.split()) >= MIN_QUOTE else None
    if not found:
        return []
    spans: dict[Block | None, Span] = {}
    for sentence in _touched(hit, Span(hit.span.start + found.start, hit.span.start + found.end)):
        block = hit.article.block(sentence.span.start)
        spans[block] = Span(spans.get(block, sentence.span).start, sentence.span.end)
    return list(spans.values())


def _touched(hit: Hit, span: Span) -> list[Sentence]:
    """The sentences of a passage that a stretch has a part of."""
    return [sentence for sentence in hit.sentences if sentence.span.overlaps(span)]


@dataclass(frozen=True, slots=True)
class ClaimCheck:
    """Why quotes do not prove a claim, in words for people, empty if nothing speaks against it.

    `probability` is the probability, 0 to 1, with which the reader holds that they prove it.
    """

    issues: tuple[Message, ...]
    probability: float


class Checker:
    """Checks the claims that answer one question: by their facts, by the reader, and by what their quotes answer."""

    def __init__(self, reading: Reading, reader: Reader, fitted: Calibration, names: NameTable) -> None:
        self._reading = reading
        self._reader = reader
        self._names = names
        self._bears = fitted.bears
        self._proves = fitted.proves

    def check(self, claim: str, quotes: Sequence[Quote]) -> ClaimCheck:
        """What speaks against a claim in its quotes, of which there is at least one."""
        evidence = [hit.article.text[span.start : span.end] for hit, span in quotes]
        published = [hit.article.published for hit, _ in quotes]
        why = find_issues(claim, evidence, [*map(source_context, quotes)], published, self._names)
        if LINK.search(claim):
            why.append(Message("it holds a URL"))
        touched = [(hit, sentence) for hit, span in quotes for sentence in _touched(hit, span)]
        if not all(sentence.quotable for _, sentence in touched):
            why.append(Message("its quote is a heading, a caption or a question"))
        elif not all(
            is_statement(hit.article.text[sentence.span.start : sentence.span.end]) for hit, sentence in touched
        ):
            why.append(Message("its quote asks or orders, it reports nothing"))
        if not any(self._reading.probability(hit, span) >= self._bears for hit, span in quotes):
            why.append(Message("its quote has nothing to do with the question"))
        likely = proof_probability(self._reader, claim, quotes)
        if likely < self._proves and not why:
            why.append(Message("its quote does not say so, as far as the reader can tell"))
        return ClaimCheck(tuple(why), likely)


def proof_probability(reader: Reader, claim: str, quotes: Sequence[Quote]) -> float:
    """The probability, 0 to 1, with which the reader holds that the quotes prove a claim.

    The quotes of an article are read together with what is known of it; of several articles each by itself, and all
    quotes together, of nobody's.
    """
    articles = {hit.article.id: hit.article for hit, _ in quotes}
    texts = [
        claim_text(
            article_source(article),
            article.text,
            sorted((span for hit, span in quotes if hit.article.id == name), key=lambda span: span.start),
        )
        for name, article in articles.items()
    ]
    if len(texts) > 1:
        texts.append(Text("", tuple(sentence for text in texts for sentence in text.sentences)))
    return max(scores.relation[0] for scores in reader.check(claim, texts))


def claim_text(source: str, text: str, quotes: Sequence[Span]) -> Text:
    """What the reader reads of an article to check a claim: its source line, the sentence before the quotes, and they.

    `quotes` are stretches of the article's text, in its order.
    """
    earlier = sentence_before(text, quotes[0].start)
    return Text(source, (*filter(None, [earlier]), *(text[span.start : span.end] for span in quotes)))


def source_context(quote: Quote) -> tuple[str, ...]:
    """What a reader of a quote knows besides: the title, the publisher, and the sentence before."""
    hit, span = quote
    return hit.article.title, hit.article.publisher, sentence_before(hit.article.text, span.start)


def sentence_before(text: str, start: int) -> str:
    """The sentence before a place in its paragraph; empty at the paragraph's beginning."""
    earlier = sentences(text[text.rfind("\n", 0, start) + 1 : start])
    return earlier[-1] if earlier else ""


def is_statement(sentence: str) -> bool:
    """Whether a sentence can report something: it is no order to its reader and no question of its own."""
    if TO_A_MODEL.search(sentence):
        return False
    reported = QUOTES.search(sentence)  # somebody's words
    return bool(reported) or not (sentence.rstrip().endswith("?") or ORDER.search(sentence))
