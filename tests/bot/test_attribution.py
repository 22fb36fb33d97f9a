"""Who says what a quote tells, and what kind of source that is."""

from __future__ import annotations

import pytest

from bot import Answer, Claim
from bot.answer import attribution, attribution_text, numbered_citations
from bot.attribution import find_speakers, source_kind, with_speakers
from tests.support.readings import hit
from vectorstore import Article, Coverage, NameTable, Span

NAMES = NameTable.open(None)


def article(text: str, publisher: str = "") -> Article:
    return Article("a", 1, "a.txt", "", "", publisher, "", "", "", text, "", "")


def said(text: str, before: str = "") -> list[str]:
    """Speaker and kind of each voice of a sentence, with a * for the speaker's own words."""
    whole = article(f"{before} {text}".strip())
    found = find_speakers(whole, Span(len(whole.text) - len(text), len(whole.text)), NAMES)
    assert all(voice.speaker in whole.text for voice in found)
    return [f"{voice.speaker}{'*' if voice.is_direct_quote else ''}, {voice.kind}" for voice in found]


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("Belta said the president had pardoned ten people.", ["Belta, state media"]),
        ("According to the AP, more than ten were freed.", ["the AP, news agency"]),
        ("Ten were freed, Reuters reported.", ["Reuters, news agency"]),
        ("Ten were freed, according to rights advocates and state media.", ["rights advocates, rights group",
                                                                            "state media, state media"]),
        ("According to Viasna 12 people are held.", ["Viasna, rights group"]),
        ("According to the Polish foreign ministry his pardon depended on it.", ["the Polish foreign ministry, "
                                                                                "government"]),
        ("Pavel Sapelka of Viasna confirmed it.", ["Pavel Sapelka of Viasna, rights group"]),
        ("Franak Viacorka, a senior adviser, told Reuters that it matters.", ["Franak Viacorka, a senior adviser, "
                                                                             "opposition"]),
        ("Coale said the talks were “very productive”, Belta reported.", ["Coale*, government", "Belta, state media"]),
        ("“We are free at last,” said Coale.", ["Coale*, government"]),
        ("Sources told the paper that a deal is near.", ["Sources, anonymous"]),
        ("The foreign ministry denied it.", ["The foreign ministry, government"]),
        ("По данным «БелТА», освобождены десять человек.", ["«БелТА», state media"]),
        ("Лукашенко сказал, что страна проживёт.", ["Лукашенко, government"]),
        ("По словам Тихановской, этого мало.", ["Тихановской, opposition"]),
        ("Бяляцкі сказаў, што не пісаў прашэння.", ["Бяляцкі, other"]),
        ("Secondo Viasna i prigionieri erano 25.", ["Viasna, rights group"]),
    ],
)  # fmt: skip
def test_the_speaker_is_named_in_the_words_of_the_text(text: str, speakers: list[str]) -> None:
    assert said(text) == speakers


@pytest.mark.parametrize(
    "text",
    [
        "Ten people were freed on Saturday.",
        "He was told to pack.",
        "The envoy, it was said, had left.",
        "Most of the states agreed on measures.",
        "One of them was reported missing.",
    ],
)
def test_what_nobody_is_said_to_say_is_told_by_the_article(text: str) -> None:
    assert said(text) == []


def test_a_pronoun_is_the_one_who_spoke_before() -> None:
    assert said("“Peace is our goal,” he said.", "Coale called the talks productive, Belta reported.") == [
        "Coale*, government"
    ]


def test_she_is_no_man_and_he_no_woman() -> None:
    before = "Sviatlana Tsikhanouskaya gave a formula. She asked Europe not to follow Donald Trump."
    assert said("She said the number is 200.", before) == ["Sviatlana Tsikhanouskaya, opposition"]
    assert said("He said the number is 200.", before) == ["Donald Trump, government"]


def test_a_pronoun_that_stands_for_nobody_known_names_nobody() -> None:
    assert said("She said the number is 200.", "A woman walked in.") == []


def test_words_that_go_on_in_quotation_marks_stay_with_their_speaker() -> None:
    before = "“Peace is our goal,” Coale said."
    assert said("“We are talking to each other every day.”", before) == ["Coale*, government"]


def quoting(*quotes: tuple[str, str, str]) -> Answer:
    """An answer of quotes, each with the sentence before it in its article and the article's date."""
    hits = [hit(before, quote, name=quote, published=published) for before, quote, published in quotes]
    cited = numbered_citations([(one, one.sentences[1].span) for one in hits])
    return Answer(
        question="Who?",
        query="Who?",
        status="answered",
        claims=tuple(Claim(one.quote, "quoted", (one.number,)) for one in cited),
        citations=tuple(with_speakers(one, NAMES) for one in cited),
        closest_passages=(),
        coverage=Coverage(1, 0, "2025-09-12", "2025-12-13", 0),
        notes=(),
        model="",
        prompts=(),
    )


def test_the_answer_names_who_speaks_where_the_quote_does_not() -> None:
    before, day = "“Peace is our goal,” Coale said.", "2025-12-13"
    answer = quoting((before, "“We are talking to each other.”", day), (before, "“We talk,” said Coale.", day))
    assert [attribution_text(*attribution(claim, answer.citations)) for claim in answer.claims] == [
        "in the words of Coale (government)",
        "",
    ]
    assert answer.text == (
        "“We are talking to each other.” [1] (in the words of Coale (government)) “We talk,” said Coale. [2]"
    )


def test_quotes_of_different_times_are_dated_in_the_answer() -> None:
    december, september = (
        ("It snowed.", "Ada was freed.", "2025-12-13"),
        ("It rained.", "Bert was freed.", "2025-09-12"),
    )
    assert quoting(december, september).text == ("Ada was freed. [1] (2025-12-13) Bert was freed. [2] (2025-09-12)")
    assert quoting(december).text == "Ada was freed. [1]"


@pytest.mark.parametrize(
    ("publisher", "kind"),
    [
        ("Associated Press, by way of WTOP", "news agency"),
        ("News.by (state television)", "state media"),
        ("Viasna", "rights group"),
        ("US Treasury, OFAC", "government"),
        ("Meduza", "media"),
        ("zactus.fr", "other"),
    ],
)
def test_publishers_are_told_apart(publisher: str, kind: str) -> None:
    assert source_kind(publisher, NAMES) == kind
