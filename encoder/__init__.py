"""The two small models that run here, on one engine: the embedding model that finds, and the reader that answers."""

from encoder.embedding import ORIGINAL, TRAINED, E5Embeddings
from encoder.kinds import Kind, Kinds
from encoder.reader import PassageScores, Reader, SentenceScores, Text, source_line

__all__ = [
    "ORIGINAL",
    "TRAINED",
    "E5Embeddings",
    "Kind",
    "Kinds",
    "PassageScores",
    "Reader",
    "SentenceScores",
    "Text",
    "source_line",
]
