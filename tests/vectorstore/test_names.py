"""Names and times: linked where they are the same, kept apart where they only look alike."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot import Bot
from ingest import update
from tests.conftest import OpenStore
from vectorstore import NameTable, phonetic_key
from vectorstore.dates import Period, matches_period, periods, times
from vectorstore.names import TABLE
from vectorstore.search import Query, search

NAMES = NameTable.open(None)


def linked(text: str) -> list[str]:
    return [mention.name for mention in NAMES.mentions(text)]


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Kalesnikava", "Maria Kalesnikava"),
        ("Kolesnikova", "Maria Kalesnikava"),
        ("Калеснікава", "Maria Kalesnikava"),
        ("Колесниковой", "Maria Kalesnikava"),
        ("Kalesnikawa's", "Maria Kalesnikava"),
        ("Тихановской", "Sviatlana Tsikhanouskaya"),
        ("Тихановскому", "Siarhei Tsikhanouski"),
        ("Cichanouskaja", "Sviatlana Tsikhanouskaya"),
        ("Бяляцкага", "Ales Bialiatski"),
        ("Беляцкому", "Ales Bialiatski"),
        ("Bialackiego", "Ales Bialiatski"),
        ("Статкевичем", "Mikola Statkevich"),
        ("Лукашэнкі", "Alexander Lukashenko"),
        ("Viktor Lukashenko", "Viktor Lukashenko"),
        ("Эдуарда Бабарико", "Eduard Babaryka"),
        ("Виктору Бабарико", "Viktar Babaryka"),
        ("Andrei Kolesnikov", "Andrei Kolesnikov"),
        ("John Cole", "John Coale"),
        ("Vyasna", "Viasna Human Rights Centre"),
        ("БелТА", "BelTA"),
    ],
)
def test_a_spelling_is_linked_to_its_name(spelling: str, name: str) -> None:
    assert linked(f"They spoke of {spelling} again.") == [name]


@pytest.mark.parametrize(
    "text",
    [
        "They saw Galina Lukashenko there.",
        "Галина Лукашенко приехала.",
        "Там была и Галина Лукашенко.",
        "Melania Trump said so.",
        "Daria Losik was freed.",
        "Михаил Тихановский сказал.",
        "The critic Boris Kolesnikov wrote.",
        "Надежда Статкевич ждала.",
        "Nat King Cole sang.",
        "They met A. Kolesnikova.",
        "Весна наступила рано.",
        "Знак вопроса.",
        "A Black woman, the College and Python.",
        "Sri Lanka, The Guardian, Madison Square Garden",
        "the first company of the states",
    ],
)
def test_namesakes_and_other_words_are_linked_to_nobody(text: str) -> None:
    assert linked(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Then President Lukashenko spoke.", "Alexander Lukashenko"),
        ("On Tuesday Lukashenko spoke.", "Alexander Lukashenko"),
        ("Yesterday Lukashenko spoke.", "Alexander Lukashenko"),
        ("«Весна» сообщила об этом.", "Viasna Human Rights Centre"),
        ("Мария Александровна Колесникова вышла.", "Maria Kalesnikava"),
        ("М. Колесникова вышла.", "Maria Kalesnikava"),
        ("Donald J. Trump signed.", "Donald Trump"),
        ("Правозащитник Беляцкий вышел.", "Ales Bialiatski"),
        ("Freed Prisoner Kalesnikava Speaks Again", "Maria Kalesnikava"),
        ("is kolesnikova free?", "Maria Kalesnikava"),
        ("когда освободили колесникову?", "Maria Kalesnikava"),
        ("чаму вызвалілі бяляцкага?", "Ales Bialiatski"),
        ("who freed maria kalesnikava?", "Maria Kalesnikava"),
    ],
)
def test_titles_openers_and_small_letters_hide_no_name(text: str, name: str) -> None:
    assert linked(text) == [name]


@pytest.mark.parametrize(
    "words", ["Ivan Lukashenko", "the spring came", "Spring", "BBC", "Майк", "Minister Kohlberg", "andrei", "Monday"]
)
def test_what_only_looks_alike_is_linked_to_nobody(words: str) -> None:
    assert [name for name in linked(f"They spoke of {words} again.") if name != "Minsk"] == []


def test_every_spelling_of_the_table_is_linked_to_its_own_name() -> None:
    wrong = [
        (spelling, NAMES.link(spelling))
        for line in TABLE.read_text("utf-8").splitlines()
        if ":" in line and not line.startswith("#")
        for name in [line.partition(":")[0]]
        for spelling in NAMES.aliases(name)
        if NAMES.link(spelling) not in ("", name)
    ]
    assert wrong == []


def test_a_spelling_that_is_new_is_linked_by_its_sound() -> None:
    assert phonetic_key("Pratasevich") == phonetic_key("Протасевич") == phonetic_key("Пратасевіч")
    assert NAMES.link("Sviatłana Tsichanowskaja") == "Sviatlana Tsikhanouskaya"
    assert NAMES.link("Siarhei Tsikhanouskaya") != "Siarhei Tsikhanouski"


def test_a_users_own_file_adds_names_and_spellings(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# mine\nAda Lund: Ада Лунд; Adda Lundh\nMaria Kalesnikava: Marysia K\n")
    names = NameTable.open(tmp_path / "names.txt")
    assert [mention.name for mention in names.mentions("Потом Ада Лунд ушла.")] == ["Ada Lund"]
    assert "Marysia K" in names.aliases("Maria Kalesnikava")
    assert "Maria Kolesnikova" in names.aliases("Maria Kalesnikava")


def test_a_users_file_leaves_the_projects_surnames_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# mine\nDmitry Lukashenko: Дмитрий Лукашенко\n", "utf-8-sig")
    names = NameTable.open(tmp_path / "names.txt")
    found = [mention.name for mention in names.mentions("Dmitry Lukashenko met Lukashenko.")]
    assert found == ["Dmitry Lukashenko", "Alexander Lukashenko"]
    assert names.aliases("# mine") == ()


def test_a_users_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes("Ада Лунд".encode("windows-1251"))
    with pytest.raises(ValueError, match=r"names\.txt.*UTF-8"):
        NameTable.open(tmp_path / "names.txt")


def test_a_name_lifts_its_passage_in_another_script_and_not_when_switched_off(
    tmp_path: Path, open_store: OpenStore
) -> None:
    from tests.conftest import updated

    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "wanted.txt").write_text("Приговор огласили утром. Защитник Стефанович промолчал.")
    (tmp_path / "articles" / "other.txt").write_text("Приговор огласили утром. Защитник Иванов промолчал.")
    store = open_store(tmp_path / "data")
    updated(store, tmp_path / "articles")

    def lead(names: NameTable) -> float:
        query = Query("What did Stefanovic say?")
        found = {Path(hit.article.source).name: hit.score for hit in search(store, query, 2, names=names)}
        return found["wanted.txt"] - found["other.txt"]

    assert lead(NAMES) >= lead(NameTable([])) + 0.02


DECEMBER = Period("in", date(2025, 12, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Who was freed in December 2025?", [DECEMBER]),
        ("Кого освободили в декабре 2025 года?", [DECEMBER]),
        ("Каго вызвалілі ў снежні 2025?", [DECEMBER]),
        ("since July 2024", [Period("since", date(2024, 7, 1), date.max)]),
        ("as of March 2026", [Period("until", date.min, date(2026, 3, 31))]),
        ("on September 11, 2025", [Period("in", date(2025, 9, 11), date(2025, 9, 11))]),
        ("11 сентября 2025", [Period("in", date(2025, 9, 11), date(2025, 9, 11))]),
        ("2025-09-11", [Period("in", date(2025, 9, 11), date(2025, 9, 11))]),
        ("the latest news", [Period("latest", date.min, date.max)]),
        ("31 June 2025", []),
        ("на этой неделе", [Period("in", date(2026, 1, 5), date(2026, 1, 11))]),
        ("на 1 марта 2026 года", [Period("until", date.min, date(2026, 3, 1))]),
        ("from July 2024 to March 2025", [Period("in", date(2024, 7, 1), date(2025, 3, 31))]),
        ("с июля 2024 по март 2025", [Period("in", date(2024, 7, 1), date(2025, 3, 31))]),
        ("between March and June 2025", [Period("in", date(2025, 3, 1), date(2025, 6, 30))]),
        ("in March and in December 2025", [Period("in", date(2025, 3, 1), date(2025, 3, 31)), DECEMBER]),
        ("since early July 2024", [Period("since", date(2024, 7, 1), date.max)]),
        ("с начала 2024 года", [Period("since", date(2024, 1, 1), date.max)]),
        ("к декабрю 2025", [Period("until", date.min, date(2025, 12, 31))]),
        ("у лістападзе 2025", [Period("in", date(2025, 11, 1), date(2025, 11, 30))]),
        ("у маі 2025", [Period("in", date(2025, 5, 1), date(2025, 5, 31))]),
        ("last December", [DECEMBER]),
        ("in the last three months", [Period("in", date(2025, 10, 1), date(2026, 1, 7))]),
        ("за последние две недели", [Period("in", date(2025, 12, 22), date(2026, 1, 7))]),
        ("после 13.12.2025", [Period("since", date(2025, 12, 13), date.max)]),
        ("Were 2000 prisoners freed?", []),
        ("more than 2000", []),
        ("may he go in March?", []),
        ("The majority decided to separate in the market", []),
    ],
)
def test_the_times_of_a_question_are_read(question: str, found: list[Period]) -> None:
    assert periods(question, date(2026, 1, 7)) == found


def test_a_time_in_the_text_weighs_more_than_the_date_of_publication() -> None:
    def december(text: str, published: str) -> bool | None:
        return matches_period([DECEMBER], times(text, 0, published), published)

    assert december("It came on Dec. 13.", "2025-12-16") is True
    assert december("In September 2025 it was 52.", "2025-12-16") is False
    assert december("It was 123.", "2025-12-16") is True
    assert december("It was 123.", "2025-06") is False
    assert december("It was 123.", "2026") is False
    assert december("It was 123.", "2025") is True
    assert december("It was 123.", "") is None
    until = [Period("until", date.min, date(2025, 12, 31))]
    assert matches_period(until, (), "2025-12-31") is True
    assert matches_period(until, (), "2026-01-01") is False
    assert matches_period([], times("On Dec. 13", 0, "2025"), "2025") is None


@pytest.mark.parametrize(
    ("text", "published", "first", "last"),
    [
        ("He was freed on Saturday.", "2025-12-13", "2025-12-13", "2025-12-13"),
        ("He was freed on Friday.", "2025-12-13", "2025-12-12", "2025-12-12"),
        ("Это случилось вчера.", "2025-12-13", "2025-12-12", "2025-12-12"),
        ("Яго вызвалілі ў суботу.", "2025-12-14", "2025-12-13", "2025-12-13"),
        ("Zwolniono go w sobotę.", "2025-12-14", "2025-12-13", "2025-12-13"),
        ("Jis paleistas šeštadienį.", "2025-12-14", "2025-12-13", "2025-12-13"),
        ("Його звільнили у п'ятницю.", "2025-12-14", "2025-12-12", "2025-12-12"),
        ("It was agreed last month.", "2026-01", "2025-12-01", "2025-12-31"),
        ("В прошлом году их было больше.", "2025", "2024-01-01", "2024-12-31"),
        ("It was agreed in mid-December.", "2026-02-03", "2025-12-01", "2025-12-31"),
        ("The vote is in October.", "2025-06-01", "2025-10-01", "2025-10-31"),
        ("The trial will be held in March.", "2025-10-05", "2026-03-01", "2026-03-31"),
        ("The permit is valid until April.", "2025-12-20", "2026-04-01", "2026-04-30"),
        ("They were arrested in November.", "2026-05-05", "2025-11-01", "2025-11-30"),
        ("They march on July 4.", "2025-06-21", "2025-07-04", "2025-07-04"),
        ("In December 25 people left.", "2025-12-20", "2025-12-01", "2025-12-31"),
        ("В мае его освободили.", "2025-06-01", "2025-05-01", "2025-05-31"),
        ("It was on December 13.", "2026", "2026-12-13", "2026-12-13"),
        ("Her arrest came 3 weeks ago.", "2025-12-31", "2025-12-08", "2025-12-14"),
    ],
)
def test_relative_words_count_from_the_date_of_publication(text: str, published: str, first: str, last: str) -> None:
    (found,) = times(text, 100, published)
    assert (str(found.start_date), str(found.end_date), found.inferred) == (first, last, True)
    assert text[found.span.start - 100 : found.span.end - 100] in text


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("He was freed on Saturday.", "2025-12"),
        ("He was freed on Saturday.", ""),
        ("It was agreed last month.", "2025"),
        ("The talks go on next Monday.", "2025-12-13"),
        ("Он получил 11 лет.", "2025-12-13"),
        ("They will vote on Sunday.", "2025-01-24"),
        ("Выборы пройдут в воскресенье.", "2025-01-24"),
        ("They were arrested in August.", "2025-03-01"),
        ("Jan Egeland, April Smith and June Jones met.", "2025-12-13"),
        ("2000 people were held.", "2025-12-13"),
        ("It happened last week.", "0001-01-01"),
        ("It happened on Sunday.", "0001-01-01"),
    ],
)
def test_what_can_not_be_reckoned_is_left_out(text: str, published: str) -> None:
    assert times(text, 0, published) == []


@pytest.mark.parametrize(
    ("text", "published", "found"),
    [
        ("Arrested in May 2020. He was freed on December 13.", "2025-12-14", ["2020-05-01", "2025-12-13"]),
        ("He was arrested in May 2020 and sentenced in August.", "2025-09-01", ["2020-05-01"]),
        ("In May 2020 he was held. In August he was sentenced.", "2025-12-01", ["2020-05-01"]),
        ("in June, July and August 2021", "2025-12-01", ["2021-06-01", "2021-07-01", "2021-08-01"]),
        ("on Dec. 13 and 11.09.2025", "", ["2025-09-11"]),
    ],
)
def test_a_month_takes_its_year_from_the_month_beside_it_or_from_publication(
    text: str, published: str, found: list[str]
) -> None:
    assert [str(time.start_date) for time in times(text, 0, published)] == found


def test_relative_words_of_a_question_count_from_the_day_it_is_asked() -> None:
    assert periods("What happened last month?", date(2026, 1, 7)) == [DECEMBER]
    assert periods("Who was freed last December?", date(2026, 11, 26)) == [DECEMBER]
    assert periods("since yesterday", date(2026, 1, 7)) == [Period("since", date(2026, 1, 6), date.max)]


@pytest.mark.slow
def test_a_month_steers_the_answer(sample_data: Path) -> None:
    with Bot.open(data=sample_data, model="") as bot:
        assert "123" in bot.ask("How many prisoners did Lukashenko pardon in December 2025?").text
        assert "52" in bot.ask("How many prisoners were freed in September 2025?").text


@pytest.mark.slow
def test_what_was_published_later_is_left_out(sample_data: Path, tmp_path: Path) -> None:
    assert update([], data=tmp_path / "data").failed == ()
    with Bot.open(data=sample_data, model="") as bot:
        early = bot.ask("Is Statkevich in prison?", as_of=date(2025, 12, 31))
        late = bot.ask("Is Statkevich in prison?")
    assert all(one.article.published <= "2025-12-31" for one in (*early.citations, *early.closest_passages))
    assert any(one.article.published > "2026" for one in late.citations)
    assert early.coverage.newest <= "2025-12-31"
    assert early.coverage.articles < late.coverage.articles
