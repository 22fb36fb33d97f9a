"""What a language alone adds to the cosine of a question and a text.

A multilingual model puts the texts of some languages nearer to a question than those of others, whatever they say: a
question in Russian lies nearer to any Russian text than to an English one that answers it ("language bias", Roy et al.
2020, "LAReQA"). Sentences that say the same in each language tell by how much, and that much is taken off (after Yang
et al. 2021, "A Simple and Effective Method to Eliminate the Self Language Bias in Multilingual Representations").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from vectorstore.article import Vector

# about anything but the articles: the same ones in each language
PHRASES = Path(__file__).with_name("phrases.json")
Means = Mapping[str, Vector]


def language_means(embeddings: Embeddings) -> Means:
    """The mean vector of the same sentences in each language, by its ISO 639-1 code; under "" that of all languages.

    Of unit length: how far the sentences of a language lie apart says nothing about where the language lies.
    """
    phrases: dict[str, list[str]] = json.loads(PHRASES.read_text("utf-8"))
    vectors = np.asarray(
        embeddings.embed_documents([phrase for sentences in phrases.values() for phrase in sentences]), np.float32
    )
    means = vectors.reshape(len(phrases), -1, vectors.shape[1]).mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return {"": means.mean(axis=0), **dict(zip(phrases, means, strict=True))}


def shift_to_languages(means: Means, vector: Vector, question: Vector, langs: Iterable[str]) -> list[Vector]:
    """A unit vector moved from the question's language, the likeliest of `langs`, into each other one, by their codes.

    Of unit length again. Languages not known count as one, which lies at the mean of all.
    """
    away = {lang: means[lang] - means[""] for lang in sorted({lang if lang in means else "" for lang in langs})}
    nearest = max(away, key=lambda lang: float(away[lang] @ (question - means[""])))
    others = [vector + away[lang] - away[nearest] for lang in away if lang != nearest]
    return [other / np.linalg.norm(other) for other in others]
