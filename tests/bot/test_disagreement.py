"""Where sources differ: what is told of the same thing with another number or day, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.disagreement import MAX_VALUES, Conflict, find_conflict
from bot.reading import Candidate
from tests.support.readings import FITTED, candidate, hit


def told(*sentences: tuple[str, str], published: str = "2025-12-14") -> list[Candidate]:
    """Sentences, best first, each of an article of its own, with the words of each that answer."""
    return [
        candidate(hit(text, name=f"article {place}", published=published), words=words, score=4 - place / 10)
        for place, (text, words) in enumerate(sentences)
    ]


def values(found: Conflict | None) -> list[str]:
    return [one.value for one in found.values] if found else []


UKRAINE = ("Of those freed 114 were taken to Ukraine.", "114")
PROJECT = ("Of those freed 104 came to Ukraine.", "104")


# numbers


def test_other_numbers_of_one_thing_differ_and_the_best_sentences_stands_first() -> None:
    ranked = told(UKRAINE, PROJECT)
    found = find_conflict(ranked, FITTED)
    assert found
    assert found.about == "number"
    assert values(found) == ["114", "104"]
    assert [one.candidate for one in found.values] == ranked
    assert not any(one.corrects for one in found.values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The fine was 1,150 roubles.", "The fine was 1 150 roubles."),
        ("There were ten of them.", "There were 10 of them."),
        ("Их было десять.", "There were 10 of them."),
        ("There were 10 of them.", "There were 10 of them, Belta said."),
    ],
)
def test_one_number_may_be_written_in_two_ways(one: str, other: str) -> None:
    assert find_conflict(told((one, ""), (other, "")), FITTED) is None


@pytest.mark.parametrize(
    ("rough", "exact"),
    [
        ("more than 120", "123"),
        ("More than 100", "114"),
        ("about a hundred", "104"),
        ("at least 100", "104"),
        ("около 100", "104"),
        ("каля 100", "104"),
    ],
)
def test_a_rough_number_does_not_differ_from_one_it_may_mean(rough: str, exact: str) -> None:
    one, other = (f"Of them {rough} were freed.", rough), (f"Of them {exact} were freed.", exact)
    assert find_conflict(told(one, other), FITTED) is None
    assert find_conflict(told(other, one), FITTED) is None


def test_a_rough_number_differs_from_one_that_is_far_off() -> None:
    one, other = ("Of them about 50 were freed.", "about 50"), ("Of them 123 were freed.", "123")
    assert values(find_conflict(told(one, other), FITTED)) == ["about 50", "123"]


@pytest.mark.parametrize(
    "total",
    [
        "In all 156 people were pardoned.",
        "Counting earlier decisions, 156 people have been pardoned in the recent period.",
        "Всего за последнее время помилованы 156 человек.",
        "Усяго памілавалі 156 чалавек.",
    ],
)
def test_a_total_beside_a_part_is_no_other_account(total: str) -> None:
    assert find_conflict(told(("Lukashenko pardoned 123 people.", "123"), (total, "156")), FITTED) is None
    assert find_conflict(told((total, "156"), ("Lukashenko pardoned 123 people.", "123")), FITTED) is None


def test_words_with_several_numbers_or_with_none_give_no_account() -> None:
    several = ("Of 123 people 114 were taken to Ukraine.", "123 people 114")
    assert find_conflict(told(UKRAINE, several), FITTED) is None
    assert find_conflict(told(several, UKRAINE), FITTED) is None
    assert find_conflict(told(UKRAINE, ("A bus took them to Ukraine.", "A bus")), FITTED) is None
    assert find_conflict(told(("A bus took them to Ukraine.", "A bus"), UKRAINE, PROJECT), FITTED) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("General License 13", "General License 11"),
        ("General License No. 13", "General License No. 11"),
        ("Executive Order 14038", "Executive Order 13405"),
        ("Flight 4978", "Flight 4979"),
    ],
)
def test_a_number_that_is_a_name_counts_nothing(one: str, other: str) -> None:
    assert find_conflict(told((f"They spoke of {one}.", one), (f"They spoke of {other}.", other)), FITTED) is None


def test_only_the_words_that_answer_are_looked_at() -> None:
    found = find_conflict(told(UKRAINE, ("Of 123 people 104 came to Ukraine.", "104")), FITTED)
    assert values(found) == ["114", "104"]


def test_there_are_no_more_accounts_than_can_be_told() -> None:
    many = [(f"Of those freed {number} were taken to Ukraine.", str(number)) for number in range(101, 109)]
    assert values(find_conflict(told(*many), FITTED)) == [words for _, words in many[:MAX_VALUES]]


# days


def test_other_days_of_one_thing_differ() -> None:
    found = find_conflict(
        told(
            ("Ihar Losik was freed on September 11, 2025.", "on September 11, 2025"),
            ("Ihar Losik was freed on September 14, 2025.", "September 14"),
        ),
        FITTED,
    )
    assert found
    assert found.about == "date"
    assert values(found) == ["September 11, 2025", "September 14, 2025"]


def test_a_day_that_was_reckoned_is_told_with_its_date_and_is_the_same_day() -> None:
    saturday, friday = ("Ada was freed on Saturday.", "on Saturday"), ("Ada was freed on 12 December 2025.", "")
    found = find_conflict(told(saturday, friday), FITTED)
    assert found
    assert found.about == "date"
    assert found.values[0].value.endswith("Saturday (2025-12-13)")
    same = ("Ada was freed on 13 December 2025.", "13 December 2025")
    assert find_conflict(told(saturday, same), FITTED) is None


def test_a_month_beside_a_day_is_no_other_account() -> None:
    day, month = ("Ada was freed on 13 December 2025.", "13 December 2025"), ("Ada was freed in December 2025.", "")
    assert find_conflict(told(day, month), FITTED) is None


# what is compared at all


def test_other_times_stay_apart() -> None:
    september, december = (
        ("On September 11, 2025 Belarus freed 52 prisoners.", "52"),
        ("On December 13, 2025 Belarus freed 123 prisoners.", "123"),
    )
    assert find_conflict(told(december, september), FITTED) is None
    near = ("On December 14, 2025 Belarus freed 122 prisoners.", "122")
    assert values(find_conflict(told(december, september, near), FITTED)) == ["123", "122"]


def test_what_names_no_time_is_of_the_time_of_its_publication() -> None:
    one, other = (
        candidate(hit(text, name=text, published=published), words=words, score=score)
        for text, words, published, score in (
            ("Belarus freed 123 prisoners.", "123", "2025-12-13", 3.0),
            ("Belarus freed 52 prisoners.", "52", "2025-09-12", 2.0),
        )
    )
    assert find_conflict([one, other], FITTED) is None
    undated = candidate(hit("Belarus freed 52 prisoners.", name="undated", published=""), words="52")
    assert values(find_conflict([one, undated], FITTED)) == ["123", "52"]


def test_an_article_and_its_reprints_have_one_account() -> None:
    first, second = told(UKRAINE, PROJECT)
    reprinted = replace(first, hit=replace(first.hit, reprints=(second.hit.article,)))
    assert find_conflict([reprinted, second], FITTED) is None
    found = hit(UKRAINE[0], PROJECT[0], name="one article")
    assert (
        find_conflict([candidate(found, 0, words="114", score=3.0), candidate(found, 1, words="104")], FITTED) is None
    )


def test_what_is_not_likely_to_answer_gives_no_account() -> None:
    best, other = told(UKRAINE, PROJECT)
    assert find_conflict([best, replace(other, score=-0.1)], FITTED) is None
    assert find_conflict([best, replace(other, score=0.1)], FITTED)


def test_words_that_hardly_answer_give_no_account() -> None:
    best, other = told(UKRAINE, PROJECT)
    weak = candidate(other.hit, words="104", span=0.9)
    assert find_conflict([best, weak], FITTED) is None
    assert find_conflict([candidate(best.hit, words="114", span=0.9, score=4.0), other], FITTED) is None
    assert find_conflict([], FITTED) is None


# corrections


EARLIER = "114 people were taken to Ukraine on Friday."


@pytest.mark.parametrize(
    ("later", "corrects"),
    [
        (["Correction: 104 people were taken to Ukraine on Friday."], True),
        (["104 people were taken to Ukraine on Friday.", "An earlier report gave another number."], True),
        (["В пятницу 104 человека вывезли в Украину, уточнили в ведомстве."], True),
        (["У пятніцу 104 чалавекі вывезлі ва Украіну, удакладнілі ў ведамстве."], True),
        (["104 people were taken to Ukraine on Friday.", "They were met with flowers."], False),
    ],
)
def test_a_newer_article_that_corrects_an_older_one_is_said_to_do_so(later: list[str], corrects: bool) -> None:
    older = candidate(hit(EARLIER, name="older", published="2025-12-13"), words="114", score=3.0)
    newer = candidate(hit(*later, name="newer", published="2025-12-14"), words="104")
    for ranked in ([older, newer], [replace(newer, score=4.0), older]):
        found = find_conflict(ranked, FITTED)
        assert found
        assert {one.value: one.corrects for one in found.values} == {"114": False, "104": corrects}


@pytest.mark.parametrize("published", ["2025-12-13", "2025-12-12", "2025-12", ""])
def test_an_article_that_is_not_newer_corrects_nothing(published: str) -> None:
    older = candidate(hit(EARLIER, name="older", published="2025-12-13"), words="114", score=3.0)
    correction = hit("Correction: 104 people were taken to Ukraine.", name="other", published=published)
    found = find_conflict([older, candidate(correction, words="104")], FITTED)
    assert found
    assert not any(one.corrects for one in found.values)
