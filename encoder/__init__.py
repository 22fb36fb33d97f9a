"""The two small models that run here, on one engine: the embedding model that finds, and the reader that answers."""

from encoder.embedding import ORIGINAL, TRAINED, E5Embeddings
from encoder.question_types import QuestionClassifier, QuestionType
from encoder.reader import PassageScores, Reader, SentenceScores, Text, source_line

__all__ = [
    "ORIGINAL",
    "TRAINED",
    "E5Embeddings",
    "PassageScores",
    "QuestionClassifier",
    "QuestionType",
    "Reader",
    "SentenceScores",
    "Text",
    "source_line",
]
