"""What speaks against a claim is told; what is right is left alone."""

from __future__ import annotations

import pytest

from bot.claim_check import find_issues

FREED = (
    "Belarus freed 123 political prisoners, among them Maryja Kalesnikava and Ales Bialiatski, after Washington "
    "signalled that it would drop sanctions on Belarusian potash."
)
SINCE = (
    "More than 430 political prisoners have been let go since July 2024; over 50 of them were moved to Lithuania after "
    "talks in September 2025."
)
WOMEN = "A pardon was announced for 29 people, 11 women and 18 men, 15 of them with chronic illness."
ARREST = "On September 17 Lukashenko confirmed that he had been arrested again."
POTASH = "EU sanctions on potash stay in force, and repression goes on."
LICENCE = "General License 13 does not unblock any blocked property and does not reach other blocked persons."
SENTENCE = "Мария Колесникова провела в заключении 1808 дней; её сестра Татьяна Хомич поговорила с ней по телефону."
UKRAINE = "На Украину вывезли 114 человек из 123 помилованных, часть людей доставили в Литву."
VILNIA = "Алесь Бяляцкі сказаў, што не пісаў прашэння аб памілаванні. У Вільню прывезлі сем замежных вязняў."
COUNCIL = "The Council prolonged its Belarus sanctions by a year on Thursday."
THANKS = "Трамп поблагодарил Лукашенко за освобождение заключённых."
STROKE = "Mikalay Statkevich, 69, was released to his home in Minsk after a stroke, his wife Marina Adamovich wrote."
EVERY = (FREED, SINCE, WOMEN, ARREST, POTASH, LICENCE, SENTENCE, UKRAINE, VILNIA, COUNCIL, THANKS, STROKE)


@pytest.mark.parametrize("quote", EVERY)
def test_a_copied_sentence_is_never_doubted(quote: str) -> None:
    assert find_issues(quote, [quote]) == []
    assert find_issues(quote, [" ".join(EVERY)]) == []


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("Belarus released 123 political prisoners, including Ales Bialiatski.", FREED),
        ("Washington signalled it would lift sanctions on potash from Belarus.", FREED),
        ("The US indicated that sanctions on potash would be dropped.", FREED),
        ("More than 400 political prisoners have been released.", SINCE),
        ("Eleven women and eighteen men were pardoned.", WOMEN),
        ("Lukashenko confirmed on 17 September that he was under arrest again.", ARREST),
        ("EU potash sanctions remain in place.", POTASH),
        ("The European Union's sanctions on potash have not been lifted.", POTASH),
        ("No blocked property is unblocked by General License 13.", LICENCE),
        ("The licence leaves blocked property blocked.", LICENCE),
        ("Колесникова провела в тюрьме 1808 дней.", SENTENCE),
        ("Из 123 помилованных 114 человек отправили на Украину.", UKRAINE),
        ("Бяляцкі не прасіў аб памілаванні.", VILNIA),
        ("Трамп сказал Лукашенко спасибо за освобождение заключённых.", THANKS),
        ("According to his wife, Mikola Statkevich was let go after a stroke.", STROKE),
    ],
)
def test_a_light_paraphrase_is_not_doubted(claim: str, quote: str) -> None:
    assert find_issues(claim, [quote]) == []


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("Maria Kolesnikova spent 1,808 days in prison.", SENTENCE),
        ("Tatsiana Khomich spoke with her sister by phone.", SENTENCE),
        ("114 people were taken to Ukraine and others to Lithuania.", UKRAINE),
        ("Ales Bialiatski said he did not ask for a pardon.", VILNIA),
        ("Seven foreign prisoners were brought to Vilnius.", VILNIA),
        ("Белоруссия освободила 123 политзаключённых, среди них Марию Колесникову.", FREED),
        ("Лукашэнка пацвердзіў 17 верасня арышт.", ARREST),
        ("Беляцкий сказал, что не писал прошения о помиловании.", VILNIA),
    ],
)
def test_a_claim_in_another_language_is_held_against_numbers_dates_and_names(claim: str, quote: str) -> None:
    assert find_issues(claim, [quote]) == []


@pytest.mark.parametrize(
    ("claim", "quote", "part"),
    [
        ("Maria Kolesnikova spent 1,880 days in prison.", SENTENCE, "1,880"),
        ("114 people were taken to Poland.", UKRAINE, "Poland"),
        ("Белоруссия освободила Виктора Бабарико.", FREED, "Бабарико"),
        ("Белоруссия освободила 132 политзаключённых.", FREED, "132"),
        ("Лукашэнка пацвердзіў 18 верасня арышт.", ARREST, "18 верасня"),
        ("Польшча вызваліла 123 палітвязняў.", FREED, "Польшча"),
    ],
)
def test_a_wrong_fact_in_another_language_is_told(claim: str, quote: str, part: str) -> None:
    assert any(part in reason for reason in find_issues(claim, [quote]))


@pytest.mark.parametrize(
    ("claim", "quote", "reason"),
    [
        ("Belarus freed 132 political prisoners.", FREED, "the number 132 is not in its quote"),
        ("Belarus freed one hundred and thirty-two prisoners.", FREED, "one hundred and thirty-two"),
        ("На Украину вывезли сто двадцать четыре человека.", UKRAINE, "сто двадцать четыре"),
        ("У Вільню прывезлі восем замежных вязняў.", VILNIA, "восем"),
        ("Less than 430 political prisoners have been let go since July 2024.", SINCE, "it says less than 430"),
        ("More than 29 people were pardoned.", WOMEN, "it says more than 29"),
        ("A pardon was announced for 11 men and 18 women.", WOMEN, "11 is not its quote's number of “men”"),
        ("The Council prolonged its Belarus sanctions by a month.", COUNCIL, "counts years, not months"),
        ("The fine was 10 billion roubles.", "The fine was 10 million roubles.", "10 billion"),
    ],
)
def test_a_number_that_counts_something_else_is_told(claim: str, quote: str, reason: str) -> None:
    assert any(reason in found for found in find_issues(claim, [quote])), find_issues(claim, [quote])


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("In all 1150 were freed.", "In all 1,150 were freed."),
        ("In all 1 150 were freed.", "In all 1,150 were freed."),
        ("In all one hundred and twenty-three were freed.", "In all 123 were freed."),
        ("Всего освободили сто двадцать три человека.", "Всего освободили 123 человека."),
        ("The fine was 10 million roubles.", "The fine was 10,000,000 roubles."),
        ("Three were freed.", "Kalesnikava, Bialiatski and Statkevich were freed."),  # the claim counts them
    ],
)
def test_a_number_may_be_written_in_another_way(claim: str, quote: str) -> None:
    assert find_issues(claim, [quote]) == []


@pytest.mark.parametrize(
    ("claim", "quote", "part"),
    [
        ("On September 18 Lukashenko confirmed that he had been arrested.", ARREST, "September 18"),
        ("On October 17 Lukashenko confirmed the arrest.", ARREST, "October 17"),
        ("430 prisoners have been let go since July 2025.", SINCE, "July 2025"),
        ("The Council prolonged its Belarus sanctions on Friday.", COUNCIL, "Friday"),
        ("17 октября Лукашенко подтвердил арест.", "17 сентября Лукашенко подтвердил арест.", "17 октября"),
    ],
)
def test_another_date_or_weekday_is_told(claim: str, quote: str, part: str) -> None:
    assert any(part in reason for reason in find_issues(claim, [quote]))


def test_a_day_reckoned_from_publication_is_its_date() -> None:
    quote = "He was freed on Saturday."
    assert find_issues("He was freed on December 13.", [quote], [], ["2025-12-14"]) == []
    assert find_issues("He was freed on December 12.", [quote], [], ["2025-12-14"])
    assert find_issues("He was freed on December 13.", [quote])


@pytest.mark.parametrize(
    ("claim", "quote", "name"),
    [
        ("Belarus freed Viktar Babaryka.", FREED, "Viktar Babaryka"),
        ("Russia freed 123 political prisoners.", FREED, "Russia"),
        ("US sanctions on potash stay in force.", POTASH, "US"),
        ("В Польшу вывезли 114 человек.", UKRAINE, "Польшу"),
        ("Ales Bialiatski was freed with Jonathan Smith.", FREED, "Smith"),
    ],
)
def test_a_name_that_is_not_in_the_quote_is_told(claim: str, quote: str, name: str) -> None:
    assert f"the name {name} is not in its quote" in find_issues(claim, [quote])


@pytest.mark.parametrize(
    ("claim", "known"),
    [
        ("The paper Meduza counted them.", "Meduza"),
        ("They were freed under General License 13.", "OFAC issues General License 13"),
        ("Seven women were counted.", "The prison held seven women."),
        ("Statkevich was counted on 13 December.", "Statkevich came home on 13 December."),
    ],
)
def test_what_is_known_beside_the_quote_covers_facts(claim: str, known: str) -> None:
    quote = "They were counted, and freed."
    assert find_issues(claim, [quote], [[known]], [""]) == []
    assert find_issues(claim, [quote], [["Another title"]], [""])


def test_the_day_of_publication_covers_a_date_and_no_number() -> None:
    assert find_issues("It was counted on 13 December 2025.", ["It was counted."], [], ["2025-12-13"]) == []
    assert find_issues("In all 13 were freed.", ["In all some were freed."], [], ["2025-12-13"])


def test_a_fact_elsewhere_makes_no_right_claim_doubtful() -> None:
    quote, beside = "They pardoned 123 prisoners.", "Since July 430 prisoners were let go."
    assert find_issues("They pardoned 123 prisoners.", [quote], [[beside]]) == []


def test_words_beside_the_quote_are_not_quoted() -> None:
    said = 'He said "all of them will be free soon".'
    assert find_issues(said, ["He said much."], [["“All of them will be free soon”, he said."]])


def test_quoted_words_must_be_the_quotes() -> None:
    quote = "He said: “All of them will be free soon.”"
    assert find_issues('He said "all of them will be free soon".', [quote]) == []
    assert find_issues('He said "none of them will be free soon".', [quote])[0].startswith("the words “none of them")


def test_a_claim_without_a_quote_is_doubted() -> None:
    assert find_issues("Belarus freed them.", []) == ["there is no quote"]
    assert find_issues("Belarus freed them.", [" "]) == ["there is no quote"]
