"""Articles that tests and benchmarks take in."""

from __future__ import annotations

import random

import langchain_chroma  # noqa: F401 - loaded once, not in every child
import numpy as np
from langchain_core.embeddings import Embeddings

HOSTILE = """---
title: "<img src=x onerror=alert(1)> ${alert(2)} {{evil}}"
url: "javascript:alert(3)"
publisher: "<b>Bold</b> Post"
published: 2024-05-06
lang: en
---

The zeppelin <script>alert(4)</script> landed ![x](http://evil.invalid/p.png) on [Monday](http://evil.invalid/l) at ${1+1} \\o/ **noon**.
"""  # noqa: E501


WORDS = [
    "ferry",
    "bridge",
    "harbour",
    "mayor",
    "council",
    "strike",
    "boat",
    "island",
    "light",
    "tower",
    "fish",
    "market",
    "school",
    "winter",
    "road",
]


class Letters(Embeddings):
    """How often each letter stands in a text: quick, and different for different texts."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors, in the order of `texts`."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """A unit vector."""
        counts = np.bincount(np.frombuffer(text.lower().encode(), np.uint8), minlength=256).astype(np.float64) + 0.01
        return [float(x) for x in counts / np.linalg.norm(counts)]


def random_article(draw: random.Random) -> str:
    """25 sentences in five paragraphs."""
    sentences = [" ".join(draw.choices(WORDS, k=draw.randint(5, 12))).capitalize() + "." for _ in range(25)]
    return "\n\n".join(" ".join(sentences[start : start + 5]) for start in range(0, 25, 5))


TEXT = "The keeper of the Norholm lighthouse is called Ada Lund. She has kept it since 1998."
PARAGRAPHS = [
    f"In the year {year} the harbour of Norholm counted {year % 97 + 10} boats. "
    f"The mayor said that {year % 89 + 5} of them were new, and that {'the winter had been long ' * 12}in {year}."
    for year in range(1991, 2001)
]
LONG = " ".join([TEXT, "The council of the island pays for oil and paint.", *PARAGRAPHS[:2]])
