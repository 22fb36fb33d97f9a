"""An answer in the chat: its Markdown, and the cards of its sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from bot import Answer, Bot, Claim, Coverage, Filters, Speaker
from bot.answer import Disagreement, ReportedValue
from language import Message, verbatim
from page.i18n import translator
from page.markup import answer_markdown, source_group


def an_answer(data: Path) -> Answer:
    """An answer with two citations and no short answer, whatever the reader makes of the question."""
    with Bot.open(data, model="") as bot:
        found = bot.ask("How many people were taken to Ukraine?")
    first, second = (*found.citations, *found.closest_passages)[:2]
    cited = (first, replace(second, number=2))
    claims = tuple(Claim(one.quote, "quoted", (one.number,)) for one in cited)
    return replace(
        found,
        status="answered",
        claims=claims,
        citations=cited,
        closest_passages=(),
        missing=(),
        disagreements=(),
        short=None,
        verdict=None,
        corrects=False,
    )


def test_an_answer_in_part_says_so_and_what_is_missing_and_what_is_in_doubt(sample_data: Path) -> None:
    claims = (
        Claim("114 people were taken.", "verified", (1,)),
        Claim("By *bus*.", "partly", (1,)),
        Claim("All stayed.", "unverified", (), (verbatim("“all” is not in a quote"), verbatim("nor <b>stayed</b>"))),
    )
    told = replace(an_answer(sample_data), status="partial", claims=claims, disagreements=())
    answer = replace(told, missing=(verbatim("Who paid [1] is not said."),))
    lines = answer_markdown(answer, "g").split("\n\n")
    assert lines[:5] == [
        "**Partial answer.**",
        '114 people were taken.\N{NO-BREAK SPACE}[\\[1\\]](#g-1) <small class="verified">verified</small>',
        "By \\*bus\\*.\N{NO-BREAK SPACE}[\\[1\\]](#g-1) "
        '<small class="issue">only partly supported by its source</small>',
        "All stayed. "
        '<small class="issue">not supported by the sources; “all” is not in a quote; nor \\<b\\>stayed\\</b\\></small>',
        "Who paid \\[1\\] is not said.",
    ]


def test_in_another_language_an_answer_is_told_in_its_words(sample_data: Path) -> None:
    found = an_answer(sample_data)
    undated = replace(found.citations[0].article, published="")
    voices = (Speaker("Coale", "government", False),)
    units = {"unit": Message("days"), "other": Message("years")}
    doubt = Message("its quote's {number} counts {unit}, not {other}", number="12", **units)
    cited = (replace(found.citations[0], article=undated, speakers=voices), *found.citations[1:])
    claims = (
        Claim("114 people were taken.", "quoted", (1,)),
        Claim("All stayed.", "unverified", (), (doubt,)),
    )
    filters = Filters(publishers=("BBC", "AP"), articles=("a1",), published_to=date(2026, 1, 1))
    coverage = Coverage(2, 1, "2025-12", "2025-12", 1)
    answer = replace(
        found, claims=claims, citations=cited, filters=filters, as_of=date(2025, 12, 31), coverage=coverage
    )
    said = answer_markdown(answer, "g", translator("ru"))
    assert '<small class="speaker">по словам: Coale (власти), без даты</small>' in said
    assert "не подтверждено источниками; 12 в цитате — это дни, а не годы" in said
    assert (
        "Поиск вёлся по 2 статьям (издание BBC или AP, статья a1, опубликовано по 2026-01-01, на 2025-12-31), "
        "из них 1 — перепечатка другой, дата — 2025-12 (без даты: 1)."
    ) in said
    nothing = answer_markdown(replace(answer, coverage=Coverage(0, 0, "", "", 0)), "g", translator("be"))
    assert "Ніводзін артыкул не адпавядае выбару (выданне BBC ці AP, артыкул a1," in nothing


def test_accounts_that_differ_stand_side_by_side_with_who_gives_them_and_when(sample_data: Path) -> None:
    found = an_answer(sample_data)
    first, second = found.citations[:2]
    second = replace(second, article=replace(second.article, publisher="The *Post*", published=""))
    differ = Disagreement("number", (ReportedValue("104", (1,)), ReportedValue("more than 100", (2,))))
    said = answer_markdown(replace(found, citations=(first, second), disagreements=(differ,)), "g")
    assert (
        "**The sources differ in the number**\n\n| 104 | more than 100 |\n| --- | --- |\n"
        f"| {first.article.publisher}, {first.article.published}\N{NO-BREAK SPACE}[\\[1\\]](#g-1) "
        "| The \\*Post\\*, no date\N{NO-BREAK SPACE}[\\[2\\]](#g-2) |"
    ) in said


def test_a_card_says_who_says_it_and_what_kind_of_publisher_printed_it(sample_data: Path) -> None:
    found = an_answer(sample_data)
    voices = (Speaker("Natalya <Eismont>", "government", True), Speaker("BelTA", "state media", False))
    cited = replace(found.citations[0], speakers=voices, publisher_kind="news agency")
    shown = source_group(replace(found, citations=(cited,)), "g")
    assert f"{cited.article.publisher} (news agency) · {cited.article.published}" in shown
    assert "In the words of Natalya &lt;Eismont&gt; (government); according to BelTA (state media).</p>" in shown
    assert f'href="{cited.link}"' in shown
    unknown = source_group(replace(found, citations=(replace(cited, speakers=(), publisher_kind="other"),)), "g")
    assert "speakers" not in unknown
    assert "(other)" not in unknown
