"""What the articles tell in order of time: each event is a quote with its day; names and numbers are the articles'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from bot import Bot, TimelineEvent
from ingest import remove, set_metadata, update
from page.i18n import IN_ENGLISH
from page.timeline import SHOWN, counts_chart, counts_table, events_chart, events_table, name_summary

Write = Callable[[str, str | bytes], Path]


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(sample_data, model="") as opened:
        yield opened


def news(published: str, text: str, publisher: str = "The Bay Post") -> str:
    return f"---\ntitle: News\npublisher: {publisher}\npublished: {published}\n---\n\n{text}"


def told_of(data: Path, **picked: str) -> list[TimelineEvent]:
    with Bot.open(data, model="") as bot:
        return bot.timeline.events(**picked)  # type: ignore[arg-type]


def test_every_moment_is_an_exact_quote_in_order_of_time(bot: Bot) -> None:
    events = bot.timeline.events()
    assert len(events) > 60
    assert [one.start_date for one in events] == sorted(one.start_date for one in events)
    for one in events:
        cited = one.citation
        assert cited.article.text[cited.start : cited.end] == cited.quote
        assert one.topics
        assert one.start_date <= one.end_date
    quotes = [one.citation.quote for one in events]
    assert len(quotes) == len(set(quotes))


@pytest.mark.parametrize(
    ("words", "topics"),
    [
        ("On Thursday Belarus freed 52 political prisoners in a deal", ("releases", "easing")),
        ("Ihar Losik was freed on September 11, 2025.", ("releases",)),
        ("Na początku lutego 2023 r. sąd w Grodnie skazał Andrzeja Poczobuta na 8 lat.", ("arrests",)),
        ("Бяляцкі сказаў, што не пісаў прашэння аб памілаванні.", ("releases",)),
        ("New EU sanctions bar the import or transport of potash", ("sanctions",)),
        ("On Dec. 15 the Office of Foreign Assets Control issued General License 13.", ("easing",)),
        ("На Украину вывезли 114 человек из 123 помилованных", ("releases",)),
    ],
)
def test_a_sentence_speaks_of_its_topics(bot: Bot, words: str, topics: tuple[str, ...]) -> None:
    (event,) = (one for one in bot.timeline.events() if one.citation.quote.startswith(words))
    assert event.topics == topics


@pytest.mark.parametrize(
    "text",
    ["He read a press release.", "The market opened.", "She arrived from Vilnius.", "A licence to fish is free."],
)
def test_other_sentences_speak_of_none(write: Write, tmp_path: Path, text: str) -> None:
    update([write("a.md", news("2025-12-13", text))], data=tmp_path / "data")
    assert told_of(tmp_path / "data") == []


def test_a_moment_has_the_time_its_words_name_before_that_of_publication(write: Write, tmp_path: Path) -> None:
    text = "Ada was freed on Friday. Bert was arrested in March 2024. Carl was pardoned."
    update([write("a.md", news("2025-12-13", text))], data=tmp_path / "data")
    assert [(str(one.start_date), str(one.end_date), one.date_basis) for one in told_of(tmp_path / "data")] == [
        ("2024-03-01", "2024-03-31", "stated"),
        ("2025-12-12", "2025-12-12", "inferred"),
        ("2025-12-13", "2025-12-13", "publication"),
    ]
    with Bot.open(tmp_path / "data", model="") as bot:
        kept = bot.timeline.events(since=date(2024, 3, 31), until=date(2025, 12, 12))
        assert [one.date_basis for one in kept] == ["stated", "inferred"]


def test_what_has_no_day_is_told_of_a_name_alone(write: Write, tmp_path: Path) -> None:
    update([write("a.md", news("2025", "Maria Kalesnikava was freed."))], data=tmp_path / "data")
    update([write("b.md", news("", "Maria Kalesnikava was pardoned."))], data=tmp_path / "data")
    assert told_of(tmp_path / "data") == []
    (event,) = told_of(tmp_path / "data", name="Maria Kalesnikava")
    assert (str(event.start_date), str(event.end_date), event.date_basis) == (
        "2025-01-01",
        "2025-12-31",
        "publication",
    )


def test_a_name_gathers_its_spellings_and_all_that_is_told_of_it(bot: Bot) -> None:
    (known,) = (one for one in bot.timeline.entities() if one.name == "Maria Kalesnikava")
    assert {"Kolesnikova", "Мария Колесникова", "Maryja Kalesnikawa"} <= set(known.aliases)
    events = bot.timeline.events(name=known.name)
    assert {one.citation.article.lang for one in events} >= {"en", "ru", "pl"}
    assert any(not one.topics for one in events)
    assert len(events) <= known.sentences
    assert not [one for one in bot.timeline.entities() if one.kind == "places"]


@pytest.mark.slow
def test_the_numbers_of_a_day_stand_side_by_side(write: Write, tmp_path: Path) -> None:
    for name, text in (
        ("a", "On Saturday 114 people were freed. One of the freed spoke."),
        ("b", "104 people were released on December 13, 2025. She was freed after 1808 days."),
        ("c", "On 13 December 2025 they released 114 prisoners."),
        ("d", "On 11 September 2025 they released 52 prisoners."),
    ):
        update([write(f"{name}.md", news("2025-12-14", text, name))], data=tmp_path / "data")
    with Bot.open(tmp_path / "data", model="") as bot:
        counts = bot.timeline.reported_counts()
    assert [(str(one.day), one.value, {cited.article.publisher for cited in one.citations}) for one in counts] == [
        ("2025-12-13", "114", {"a", "c"}),
        ("2025-12-13", "104", {"b"}),
    ]


def test_a_sentence_printed_twice_is_one_moment(write: Write, tmp_path: Path) -> None:
    text = "Ada Lund was freed on 12 December 2025."
    update([write("late.md", news("2025-12-14", text, "Late"))], data=tmp_path / "data")
    update([write("early.md", news("2025-12-13", text, "Early"))], data=tmp_path / "data")
    (event,) = told_of(tmp_path / "data")
    assert event.citation.article.publisher == "Early"
    assert [one.publisher for one in event.citation.reprints] == ["Late"]


def test_it_follows_the_library(write: Write, tmp_path: Path) -> None:
    path, data = write("a.md", news("2025-12-13", "Ada was freed.")), tmp_path / "data"
    update([path], data=data)
    with Bot.open(data, model="") as bot:
        assert [str(one.start_date) for one in bot.timeline.events()] == ["2025-12-13"]
        set_metadata([str(path)], published="2025-11-01", data=data)
        assert [str(one.start_date) for one in bot.timeline.events()] == ["2025-11-01"]
        remove([str(path)], "a test", data=data)
        assert bot.timeline.events() == []


def test_what_is_shown_is_text_and_leads_to_the_passage(write: Write, tmp_path: Path) -> None:
    text = "On Friday <img src=x onerror=alert(1)> 40 were freed with Maria Kalesnikava ${evil} {{x}}."
    for name in ("<b>a</b>", "c"):
        update([write(f"{len(name)}.md", news("2025-12-13", f"{text} {name}.", name))], data=tmp_path / "data")
    with Bot.open(tmp_path / "data", model="") as bot:
        events, articles, counts = bot.timeline.events(), bot.list_articles(), bot.timeline.reported_counts()
        shown = "".join(
            (
                events_table([*events, *articles], "<i>", IN_ENGLISH),
                counts_table(counts, IN_ENGLISH),
                name_summary(bot.timeline.entities()[0], IN_ENGLISH),
            )
        )
        assert "<img" not in shown
        assert "<b>" not in shown
        assert "<i>" not in shown
        assert "${" not in shown
        assert "{{" not in shown
        for one in events:
            assert f'href="{one.citation.link}"' in shown
        for article in articles:
            assert f'href="/source/{article.id}/1"' in shown
    assert "2 sentences, 2 articles, in order of time: &lt;i&gt;." in shown
    plot = events_chart([*events, *articles], (), IN_ENGLISH)
    assert plot
    assert [one["about"] for one in plot.data.values] == ["Releases"] * 2 + ["Articles"] * 2
    assert [one["shape"] for one in plot.data.values] == ["circle"] * 2 + ["square"] * 2
    assert [one["link"] for one in plot.data.values[:2]] == [one.citation.link for one in events]
    bars = counts_chart(counts, IN_ENGLISH)
    assert bars
    assert [(one["number"], one["articles"]) for one in bars.data.values] == [("2025-12-12: 40", 2)]
    assert [one["link"] for one in bars.data.values] == [counts[0].citations[0].link]
    assert events_chart([], (), IN_ENGLISH) is None
    assert counts_chart([], IN_ENGLISH) is None
    assert "no dated statement about this: &lt;i&gt;" in events_table([], "<i>", IN_ENGLISH)
    assert "No day" in counts_table([], IN_ENGLISH)
    assert name_summary(None, IN_ENGLISH) == ""


def test_of_more_than_is_shown_the_newest_have_their_row(bot: Bot) -> None:
    events = bot.timeline.events()
    found = events[:1] * SHOWN + events[-1:]
    said = events_table(found, "all", IN_ENGLISH)
    assert said.count("<tr><td") == SHOWN
    assert events[-1].citation.link in said
    assert f"{len(found)} sentences" in said
    assert f"The newest {SHOWN} are shown" in said
    assert "are shown" not in events_table(found[1:], "all", IN_ENGLISH)
