"""What is embedded of an article, and what its vectors are called.

A vector's name is the digest of the model's name and the text: what is stored already is not embedded again. Does not
know where vectors are stored or who makes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from vectorstore.article import Article, Passage, Span


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage with the names of its vectors: its own and one a sentence, in order."""

    passage: Passage
    vector: str
    sentence_vectors: tuple[str, ...]


def embedded_passage(embedding: str, article: Article, passage: Passage) -> EmbeddedPassage:
    """The passage with the names of its vectors of the model `embedding`."""

    def name(text: str) -> str:
        return hashlib.sha256(f"{embedding}\n{text}".encode()).hexdigest()[:32]

    sentences = tuple(name(article.text[span.start : span.end]) for span in passage.sentences)
    return EmbeddedPassage(passage, name(passage_text(article, passage.span)), sentences)


def embedded_texts(article: Article, embedded: EmbeddedPassage) -> dict[str, str]:
    """What is embedded of a passage and of its sentences, by the names of their vectors."""
    spans = zip(embedded.sentence_vectors, embedded.passage.sentences, strict=True)
    return {embedded.vector: passage_text(article, embedded.passage.span)} | {
        name: article.text[span.start : span.end] for name, span in spans
    }


def passage_text(article: Article, span: Span) -> str:
    """What is embedded of a passage: the article's title, then its words."""
    words = article.text[span.start : span.end]
    return f"{article.title}\n{words}" if article.title else words
