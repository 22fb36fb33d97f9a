"""Search: filters, copies, conversations, and text that is not made for it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from bot import Bot, Filters, Turn
from bot.answer import coverage_text
from ingest import update
from language import verbatim
from tests.conftest import PHRASES_EMBEDDED, Counted, OpenStore, hits, updated
from vectorstore import HybridRetriever, NameTable, Store
from vectorstore.catalogue import version_filter
from vectorstore.language_bias import PHRASES
from vectorstore.near_duplicates import is_near_duplicate, lsh_keys
from vectorstore.search import Query, search
from vectorstore.terms import terms

Write = Callable[[str, str | bytes], Path]

STORY = (
    "The court in the town of Brest heard the case of the bakers on Tuesday morning. Three bakers said that the mill "
    "had sold them wet flour since the spring. The owner of the mill denied it and called a chemist as his witness. "
    "The chemist had weighed forty sacks and found water in nine of them. The judge asked why nobody had looked into "
    "the sacks before the bread was spoilt. The bakers want to be paid for two hundred loaves and for the lost "
    "customers. A ruling is expected before the harvest begins. Outside the court some neighbours stood with loaves "
    "in their hands."
)
OTHER = (
    "The swimming pool of the town has been closed since the winter, and the council does not know when it will open. "
    "Pipes burst in the frost and the tiles came off the walls of both basins. The repair will cost more than the "
    "whole yearly budget for sports, said the treasurer of the council at its last meeting."
)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Three articles of two publishers in two languages, one of them undated."""
    articles = [
        {"id": "a", "publisher": "First", "lang": "en", "published": "2025-03-05", "text": STORY},
        {"id": "b", "publisher": "Second", "lang": "en", "published": "2025-06", "text": OTHER},
        {"id": "c", "publisher": "Second", "lang": "ru", "text": "Суд в Бресте выслушал пекарей. Мука была мокрой."},
    ]
    source = tmp_path / "papers.jsonl"
    source.write_text("\n".join(json.dumps(article, ensure_ascii=False) for article in articles), "utf-8")
    assert not update([source], data=tmp_path / "data").failed
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("filters", "as_of", "expected"),
    [
        (Filters(), None, {1, 2, 3}),
        (Filters(publishers=("Second",)), None, {2, 3}),
        (Filters(publishers=("First", "Second")), None, {1, 2, 3}),
        (Filters(languages=("ru",)), None, {3}),
        (Filters(published_from=date(2025, 6, 30)), None, {2}),
        (Filters(published_from=date(2025, 7, 1)), None, set()),
        (Filters(published_to=date(2025, 3, 5)), None, {1}),
        (Filters(published_to=date(2025, 6, 1)), None, {1, 2}),
        (Filters(publishers=("Second",), languages=("en",)), None, {2}),
        (Filters(publishers=("Nobody",)), None, set()),
        (Filters(), date(2025, 3, 4), {3}),
        (Filters(publishers=("First",)), date(2025, 3, 4), set()),
    ],
)
def test_filters_choose_the_articles_that_are_searched(
    papers: Path, open_store: OpenStore, filters: Filters, as_of: date | None, expected: set[int]
) -> None:
    store = open_store(papers)
    query = Query("What did the court in Brest hear of the bakers and their wet flour?", filters=filters, as_of=as_of)
    found = {int(hit.article.source.rsplit("#", 1)[1]) for hit in search(store, query, 10, names=NameTable(()))}
    assert found == expected
    assert store.library.catalogue.coverage(filters, as_of).articles == len(expected)


def test_a_filter_finds_what_the_index_alone_would_bury(papers: Path, open_store: OpenStore) -> None:
    store = open_store(papers)
    pool = store.embed_query("When does the swimming pool open?")
    russian = version_filter(Filters(languages=("ru",)), None)
    (only,) = store.nearest(pool, 1, russian)
    assert store.library.passages.by_id([only[0]])[0].article.lang == "ru"


def test_a_filter_that_nothing_fits_is_named_in_the_answer(papers: Path) -> None:
    with Bot.open(data=papers, model="") as bot:
        answer = bot.ask("What did the bakers say?", filters=Filters(publishers=("Nobody",), languages=("en",)))
    assert answer.status == "not_found"
    assert "No article fits the filter (publisher Nobody, language en)." in answer.text


def test_facets_name_what_can_be_filtered_by(papers: Path) -> None:
    with Bot.open(data=papers, model="") as bot:
        facets = bot.facets
    assert [(one.value, one.articles) for one in facets.publishers] == [("Second", 2), ("First", 1)]
    assert [(one.value, one.articles) for one in facets.languages] == [("en", 2), ("ru", 1)]
    assert len(facets.articles) == 3


def test_a_chosen_article_alone_is_searched(papers: Path) -> None:
    with Bot.open(data=papers, model="") as bot:
        wanted = bot.facets.articles[0].value
        answer = bot.ask("What did the bakers say about the flour?", filters=Filters(articles=(wanted,)))
    assert {one.article.id for one in (*answer.citations, *answer.closest_passages)} == {wanted}


COPIES = {
    "whole": STORY,
    "cut at the end": STORY[: STORY.index(" A ruling")],
    "edited": STORY.replace("Three bakers", "Several bakers").replace("forty sacks", "40 sacks"),
    "with a line of its own": f"From our own desk. {STORY}",
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_a_copy_is_known(copy: str) -> None:
    assert set(lsh_keys(STORY)) & set(lsh_keys(copy))
    assert is_near_duplicate(STORY, copy)


def test_texts_of_their_own_are_no_copies() -> None:
    assert not is_near_duplicate(STORY, OTHER)
    assert lsh_keys("Too short to say.") == []
    assert not is_near_duplicate("Too short to say.", "Too short to say.")


@pytest.fixture
def reprinted(write: Write, tmp_path: Path) -> Path:
    """The original, younger reprints of it taken in before and after, and another article."""
    for number, (publisher, published, text) in enumerate(
        [
            ("Late", "2025-03-09", COPIES["edited"]),
            ("Original", "2025-03-05", STORY),
            ("Undated", "", COPIES["with a line of its own"]),
            ("Pool", "2025-03-06", OTHER),
        ]
    ):
        write(f"{number}.md", f"---\npublisher: {publisher}\npublished: '{published}'\n---\n{text}\n")
    assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    return tmp_path / "data"


def test_of_copies_the_original_is_shown_and_the_others_are_counted_with_it(
    reprinted: Path, open_store: OpenStore
) -> None:
    found = hits(open_store(reprinted), "What did the chemist find in the sacks?", 10)
    assert found[0].article.publisher == "Original"
    assert [copy.publisher for copy in found[0].reprints] == ["Late", "Undated"]
    assert not [hit for hit in found[1:] if "chemist had weighed" in hit.text]
    assert [hit.reprints for hit in found if hit.article.publisher == "Pool"] == [()]


def test_coverage_counts_copies(reprinted: Path) -> None:
    with Bot.open(data=reprinted, model="") as bot:
        answer = bot.ask("What did the chemist find in the sacks?")
    assert (answer.coverage.articles, answer.coverage.reprints) == (4, 2)
    assert "4 articles were searched, 2 of them reprints of another" in coverage_text(answer)
    quoted = [one for one in (*answer.citations, *answer.closest_passages) if one.article.publisher == "Original"]
    assert [len(one.reprints) for one in quoted] == [2] * len(quoted) != []


def test_a_copy_whose_original_is_filtered_out_is_found(reprinted: Path, open_store: OpenStore) -> None:
    query = Query("What did the chemist find in the sacks?", filters=Filters(publishers=("Late",)))
    found = search(open_store(reprinted), query, 10, names=NameTable(()))
    assert {hit.article.publisher for hit in found} == {"Late"}


def test_copies_that_a_filter_or_a_day_leaves_out_are_not_named(reprinted: Path, open_store: OpenStore) -> None:
    for query in (
        Query("What did the chemist find in the sacks?", as_of=date(2025, 3, 6)),
        Query("What did the chemist find in the sacks?", filters=Filters(publishers=("Original", "Undated"))),
    ):
        found = search(open_store(reprinted), query, 10, names=NameTable(()))
        assert found[0].article.publisher == "Original"
        assert [copy.publisher for copy in found[0].reprints] == ["Undated"]


@pytest.mark.slow
def test_a_story_that_sixty_papers_print_crowds_no_other_out(
    write: Write, tmp_path: Path, open_store: OpenStore
) -> None:
    for number in range(60):
        cut = STORY if number != 30 else STORY.replace("Outside the court some", "At the court some")
        write(
            f"{number:02}.md", f"---\npublisher: Paper {number}\npublished: '2025-03-{30 - number // 3}'\n---\n{cut}\n"
        )
    write("oldest.md", f"---\npublisher: Oldest\npublished: '2025-03-01'\n---\nFrom our own desk. {STORY}\n")
    write("other.md", "---\npublisher: Other\n---\nA second chemist found chalk in the sacks of another mill.\n")
    assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    found = hits(open_store(tmp_path / "data"), "What did the chemist find in the sacks?", 10)
    assert {hit.article.publisher for hit in found} == {"Oldest", "Other"}
    assert {len(hit.reprints) for hit in found} == {60, 0}


@pytest.mark.slow
def test_who_prints_two_stories_makes_them_no_copies_of_each_other(
    write: Write, tmp_path: Path, open_store: OpenStore
) -> None:
    for name, text in (("One", STORY), ("Two", OTHER), ("Both", f"{STORY}\n\n{OTHER}"), ("Again", OTHER + " Late.")):
        write(f"{name}.md", f"---\npublisher: {name}\n---\n{text}\n")
        assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    store = open_store(tmp_path / "data")
    clusters = [sorted(copy.publisher for copy in (hit.article, *hit.reprints)) for hit in hits(store, STORY[:80], 10)]
    assert all(not {"One", "Two"} <= set(cluster) for cluster in clusters)
    assert any({"Two", "Again"} <= set(cluster) for cluster in clusters)


@pytest.mark.slow
def test_an_edited_copy_leaves_the_cluster(reprinted: Path, write: Write, open_store: OpenStore) -> None:
    write("0.md", f"---\npublisher: Late\npublished: '2025-03-09'\n---\n{OTHER[::-1]}\n")
    assert update([reprinted.parent / "articles"], data=reprinted).changed
    found = hits(open_store(reprinted), "What did the chemist find in the sacks?", 10)
    assert [copy.publisher for copy in found[0].reprints] == ["Undated"]


def test_no_more_than_four_passages_of_one_article_stand_before_another(write: Write, tmp_path: Path) -> None:
    write("long.txt", "\n\n".join(f"{part} Flour, said baker number {part}. {STORY[:500]}" for part in range(9)))
    write("short.txt", OTHER)
    assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    with Bot.open(data=tmp_path / "data", model="") as bot:
        documents = HybridRetriever(store=bot._store, names=NameTable(())).invoke(
            "What did the bakers say about flour?"
        )
    sources = [Path(document.metadata["hit"].article.source).name for document in documents]
    assert sources[:5] == ["long.txt"] * 4 + ["short.txt"]
    assert sources.count("long.txt") > 4


def test_a_follow_up_stays_with_the_article_the_talk_is_about(sample_data: Path, open_store: OpenStore) -> None:
    store = open_store(sample_data)
    alone = search(store, Query("When was that?"), 2, names=NameTable.open(None))
    talking = search(store, Query("When was that?", ("What happened to Mikola Statkevich?",)), 2, names=NameTable(()))
    assert all("tatkevich" in hit.article.title + hit.text for hit in talking)
    assert not all("tatkevich" in hit.article.title + hit.text for hit in alone)


def test_a_rewritten_question_is_searched_instead(sample_data: Path, open_store: OpenStore) -> None:
    store = open_store(sample_data)
    lean = Query("And the other thing?", ("Who was freed in December 2025?",))
    rewritten = replace(lean, rewritten="What does Belarus General License 13 allow?")
    assert rewritten.text == "What does Belarus General License 13 allow?"

    def licences(query: Query) -> int:
        return sum("icense" in hit.text or "icence" in hit.text for hit in search(store, query, 5, names=NameTable(())))

    assert licences(rewritten) > licences(lean)


def test_the_history_of_a_bot_may_hold_refusals_and_markers(sample_data: Path) -> None:
    with Bot.open(data=sample_data, model="") as bot:
        first = bot.ask("What is the capital of France?")
        history = [
            Turn("What is the capital of France?", first.text),
            Turn("Who is Statkevich?", "A politician [1][2]."),
        ]
        answer = bot.ask("When was he released?", history)
    assert any("tatkevich" in one.article.text for one in (*answer.citations, *answer.closest_passages))


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        '"',
        '"" OR ""',
        "NEAR(a b)",
        "title: x",
        "* ^ -",
        "AND OR NOT",
        "the of and",
        "...",
        "",
        "ქართული ენა",
        "{}:()[]",
    ],
)
def test_no_words_break_the_full_text(sample_data: Path, open_store: OpenStore, query: str) -> None:
    for one in (Query(query), Query("Why?", (query,)), Query("Why?", (query,), query), Query(query, ("Why?",))):
        assert len(search(open_store(sample_data), one, 5, names=NameTable.open(None))) <= 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("российский", unicodedata.normalize("NFD", "российский")),
        ("Лука́шенко", "Лукашенко"),
        ("сям'я", "сям’я"),
        ("сям'я", "сямʼя"),
        ("O'Brien", "O’Brien"),
    ],
)
def test_a_word_is_one_term_however_its_letters_are_written(one: str, other: str) -> None:
    assert terms(one) == terms(other)
    assert len(terms(one)) == 1


def test_the_rarest_terms_are_looked_up_first(sample_data: Path, open_store: OpenStore) -> None:
    fulltext = open_store(sample_data).library.fulltext
    frequencies = fulltext.frequencies(["belarus", "prison", "statkevich", "nowhere"])
    assert frequencies["statkevich"] < frequencies["belarus"]
    assert "nowhere" not in frequencies
    few = fulltext.match(["belarus", "statkevich"], 100, postings=frequencies["statkevich"])
    assert {passage for passage, _ in few} == {passage for passage, _ in fulltext.match(["statkevich"], 100)}
    assert len(fulltext.match(["belarus", "statkevich"], 1000)) > len(few)


def test_the_counts_of_terms_follow_what_is_taken_out(papers: Path, open_store: OpenStore) -> None:
    store = open_store(papers)
    fulltext = store.library.fulltext
    before, (passages, length) = fulltext.frequencies(["chemist", "pool"]), fulltext.totals()
    store.library.remove(
        [next(one.id for one in store.library.articles() if one.publisher == "First")], verbatim("a test")
    )
    assert before.keys() == {"chemist", "pool"}
    assert fulltext.frequencies(["chemist", "pool"]).keys() == {"pool"}
    assert fulltext.totals()[0] < passages
    assert fulltext.totals()[1] < length


def test_a_name_spelt_otherwise_in_the_sources_is_shown(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "Is Kolesnikova free, and since when?"
    write("a.txt", "Maria Kalesnikava has been free since 13 December 2025. Kolesnikova was freed in Minsk.")
    assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    with Bot.open(data=tmp_path / "data", model="") as bot:
        (spelling,) = bot.ask(question).name_variants
    assert (spelling.asked, spelling.name) == ("Kolesnikova", "Maria Kalesnikava")
    assert spelling.in_sources == ("Maria Kalesnikava",)
    monkeypatch.setenv("VIADOMA_NAMES", "off")
    with Bot.open(data=tmp_path / "data", model="") as bot:
        assert bot.ask(question).name_variants == ()


def test_the_time_of_an_event_is_kept_apart_from_that_of_publication(write: Write, tmp_path: Path) -> None:
    write("a.md", "---\npublished: '2025-12-16'\n---\nThe envoy said that the baker was freed on Saturday in Brest.\n")
    assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    with Bot.open(data=tmp_path / "data", model="") as bot:
        answer = bot.ask("When was the baker freed in Brest?")
    citation = (*answer.citations, *answer.closest_passages)[0]
    (time,) = citation.times
    assert citation.article.text[time.span.start : time.span.end] == "Saturday"
    assert (time.start_date, time.end_date, time.inferred) == (date(2025, 12, 13), date(2025, 12, 13), True)
    assert citation.article.published == "2025-12-16"


def test_a_month_without_a_year_is_one_of_the_year_the_talk_is_about(sample_data: Path, open_store: OpenStore) -> None:
    query = Query("And in September?", ("How many people were freed in December 2025?",))
    found = search(open_store(sample_data), query, 5, names=NameTable.open(None))
    september = date(2025, 9, 1), date(2025, 9, 30)
    named = [[time for sentence in hit.sentences for time in sentence.times] for hit in found]
    told = [any(time.start_date <= september[1] and september[0] <= time.end_date for time in times) for times in named]
    assert sum(told) + sum(hit.article.published.startswith("2025-09") for hit in found) >= 3


class Squeezed(Embeddings):
    """The vectors of a model moved together, so that each cosine is 0.7 and three tenths of what it was."""

    def __init__(self, model: Embeddings) -> None:
        self._model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._moved(vector) for vector in self._model.embed_documents(texts)]

    def embed_query(self, text: str) -> list[float]:
        return self._moved(self._model.embed_query(text))

    @staticmethod
    def _moved(vector: list[float]) -> list[float]:
        return [0.7**0.5, *(0.3**0.5 * np.array(vector)).tolist()]


def test_what_is_weighed_against_likeness_weighs_the_same_for_any_scale_of_it(
    tmp_path: Path, built_in: tuple[str, Embeddings]
) -> None:
    sentences = [
        "The ferry between Norholm and Sandby was sold in May 2024, and its new owner lives in Sandby.",
        "Ada Lund has kept the lighthouse of Norholm since 1998.",
        "On 3 May 2024 the harbour of Sandby was closed by the mayor after a storm.",
        "A chemist found water in nine of the forty sacks of flour.",
        "The swimming pool of the town opens again in June 2025, said the treasurer.",
        "The bakers of Brest ask for a ruling before the harvest.",
        "Ales Bialiatski was freed on 13 December 2025.",
        "Ice hockey: Dynamo won by four goals.",
    ]
    source = tmp_path / "some.jsonl"
    source.write_text("\n".join(json.dumps({"lang": "en", "text": one}) for one in sentences), "utf-8")
    questions = [
        "Who owns the ferry of Norholm?",
        "What was closed in Sandby in May 2024?",
        "When was Bialiatski freed?",
        "What was wrong with the flour?",
    ]
    found = []
    for name, model in (("plain", built_in[1]), ("squeezed", Squeezed(built_in[1]))):
        with closing(Store(tmp_path / name, name=name, embeddings=model, create=True)) as store:
            assert not updated(store, source).failed
            found.append([hits(store, question, 4) for question in questions])
    for plain, squeezed in zip(*found, strict=True):
        assert [hit.text for hit in squeezed] == [hit.text for hit in plain]
        # vectors are kept in 16 bits a number
        assert [hit.score for hit in squeezed] == pytest.approx([hit.score for hit in plain], abs=0.05)
        assert [hit.cosine for hit in squeezed] == pytest.approx([0.7 + 0.3 * hit.cosine for hit in plain], abs=0.01)


def test_copies_that_break_their_paragraphs_otherwise_say_the_same(
    write: Write, tmp_path: Path, open_store: OpenStore
) -> None:
    parts = STORY.split(". ")
    write("a.md", f"---\npublisher: Original\npublished: '2025-03-05'\n---\n{STORY}\n")
    broken = ".\n\n".join([". ".join(parts[:3]), ". ".join(parts[3:6]), ". ".join(parts[6:])])
    write("b.md", f"---\npublisher: Late\npublished: '2025-03-09'\n---\n{broken}\n")
    assert not update([tmp_path / "articles"], data=tmp_path / "data").failed
    found = hits(open_store(tmp_path / "data"), "What did the chemist find in the sacks?", 10)
    assert {hit.article.publisher for hit in found} == {"Original"}
    assert len({hit.span for hit in found}) == len(found)


# languages


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Почему, по словам польского МИД, Почобута не освободили?", "according to the Polish foreign ministry"),
        ("Был ли Алесь Беляцкий с завязанными глазами во время вывоза?", "Bialiatski crossed Belarus blindfolded."),
    ],
)
def test_what_answers_is_first_whatever_its_language(
    sample_data: Path, open_store: OpenStore, question: str, quote: str
) -> None:
    assert any(quote in hit.text for hit in hits(open_store(sample_data), question, 1))


@pytest.mark.slow
def test_a_hundred_texts_in_the_question_s_language_do_not_crowd_out_the_one_that_answers(
    tmp_path: Path, open_store: OpenStore
) -> None:
    streets = [
        "Портовая",
        "Садовая",
        "Лесная",
        "Новая",
        "Полевая",
        "Школьная",
        "Озёрная",
        "Речная",
        "Зелёная",
        "Северная",
    ]
    wares = ["хлеб", "булки", "пироги", "баранки", "сухари", "печенье", "торты", "ватрушки", "блины", "пряники"]
    articles = [
        {"lang": "ru", "text": f"На улице {street} есть пекарня, в ней с семи утра продают {ware}."}
        for street in streets
        for ware in wares
    ]
    answer = "The flood in May destroyed both ovens, so the bakery in Harbour Street had to close."
    source = tmp_path / "streets.jsonl"
    lines = [json.dumps(one) for one in [*articles, {"lang": "en", "text": answer}]]
    source.write_text("\n".join(lines), "utf-8")
    assert not update([source], data=tmp_path / "data").failed
    assert [hit.text for hit in hits(open_store(tmp_path / "data"), "Что уничтожило печи?", 1)] == [answer]


def test_the_same_sentences_tell_what_each_language_adds() -> None:
    phrases = json.loads(PHRASES.read_text("utf-8"))
    assert {"en", "ru", "be", "uk", "pl", "lt"} <= set(phrases)
    assert len({len(some) for some in phrases.values()}) == 1
    assert len({one for some in phrases.values() for one in some}) == sum(map(len, phrases.values()))


def test_they_are_embedded_where_there_is_more_than_one_language_and_once(
    papers: Path, open_store: OpenStore, counted: Counted
) -> None:
    store, before = open_store(papers), counted.documents
    english = Query("Who denied that the flour was wet?", filters=Filters(languages=("en",)))
    assert search(store, english, 10, names=NameTable(()))
    assert counted.documents == before
    for question in ("Who denied that the flour was wet?", "Кто слушал пекарей?"):
        assert search(store, Query(question), 10, names=NameTable(()))
    assert counted.documents == before + PHRASES_EMBEDDED
    assert (store.language_mean("fi") == store.language_mean("")).all()
