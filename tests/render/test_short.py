"""The short answer, the verdict and the correction: shown, exported and kept, and no part of what was said."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from bot import Answer, Bot, BundleError, Citation, Claim, ShortAnswer, Speaker, Verdict, load_answers, verify
from bot.answer import coverage_text
from bot.bundle import dump_bundle
from ingest import update
from page.conversations import FILE, Conversations
from page.i18n import translator
from page.markup import answer_markdown, history_to_turns, source_group
from render import html, markdown, text
from render.markdown import bold_within
from vectorstore import Coverage, Span, TimeReference

SHIP = {
    "title": "The Walrus",
    "publisher": "Harbour Post",
    "published": "2025-12-15",
    "text": "The harbour is open. John Coale said that the submarine Walrus sank on Saturday and cost US$5 million.",
}
CORRECTS = "The question takes something for granted that the articles put right:"
VOID = ("meta", "hr", "br")
Fields = dict[str, Any]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A library of one article about a ship."""
    folder = tmp_path_factory.mktemp("ship")
    (folder / "ship.jsonl").write_text(json.dumps(SHIP), "utf-8")
    assert not update([folder / "ship.jsonl"], data=folder / "data").failed
    with Bot.open(data=folder / "data", model="") as opened:
        yield opened


@pytest.fixture(scope="module")
def ship(library: Bot) -> Answer:
    """One quote, of which a day that was reckoned is the short answer, as a speaker named in the quote told it."""
    (entry,) = library.list_articles()
    article = library.article(entry.id, 1)
    assert article
    start, place = article.text.index("John"), article.text.index("on Saturday")
    saturday = TimeReference(Span(place, place + len("on Saturday")), date(2025, 12, 13), date(2025, 12, 13), True)
    quote, voice = article.text[start:], Speaker("John Coale", "government", False)
    citation = Citation(1, quote, start, len(article.text), article, (saturday,), speakers=(voice,))
    question = "When did the submarine Walrus sink?"
    answer = Answer(
        question=question,
        query=question,
        status="answered",
        claims=(Claim(quote, "quoted", (1,)),),
        citations=(citation,),
        closest_passages=(),
        coverage=Coverage(1, 0, "2025-12-15", "2025-12-15", 0),
        notes=(),
        model="",
        prompts=(),
    )
    return shortened(answer, "on Saturday")


def refused(answer: Answer) -> Answer:
    """The same, if its quotes were merely near to the question."""
    return replace(plain(answer), status="not_found", claims=(), citations=(), closest_passages=answer.citations)


def shortened(answer: Answer, text: str, verdict: Verdict | None = None) -> Answer:
    """The answer with a short one: words that stand in one of its quotes."""
    cited = next(one for one in answer.citations if text in one.quote)
    start = cited.quote.index(text)
    return replace(answer, short=ShortAnswer(text, cited.number, start, start + len(text)), verdict=verdict)


def plain(answer: Answer) -> Answer:
    """The answer without what was read out of its quotes."""
    return replace(answer, short=None, verdict=None, corrects=False, passages_read=0, reader="")


def told(answer: Answer, **more: Any) -> Answer:
    return replace(answer, corrects=True, passages_read=40, reader="reader-1", **more)


class Page(HTMLParser):
    """The words of HTML, and those of them that stand within a tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pieces: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)
        self.words = " ".join("".join(piece for piece, _ in self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 # the parser's own
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.pieces.append((data, tuple(self.open)))

    def within(self, tag: str) -> list[str]:
        return [piece for piece, tags in self.pieces if tag in tags]


def rendered(text: str) -> Page:
    reader = MarkdownIt("commonmark", {"html": True}).enable("table").use(footnote_plugin)
    return Page(str(reader.render(text)))


def mended(fields: Fields) -> str:
    """A bundle with the digest of what it holds now, as a careful forger would leave it."""
    rest = {name: value for name, value in fields.items() if name != "sha256"}
    flat = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return json.dumps(rest | {"sha256": hashlib.sha256(flat.encode()).hexdigest()}, ensure_ascii=False)


def of_version_1(answer: Answer) -> str:
    """The bundle of an answer as it was before there were short answers."""
    fields = json.loads(dump_bundle([plain(answer)]))
    fields["version"] = 1
    for one in fields["answers"]:
        for name in ("short", "verdict", "corrects", "read", "reader"):
            del one[name]
    return mended(fields)


def differing(text: str, opened: Bot) -> list[str]:
    return [str(finding) for finding in verify(text, opened.article) if not finding.ok]


# the page


def test_on_the_page_the_short_answer_leads_with_its_marker_its_day_and_who_says_it(ship: Answer) -> None:
    first, *_ = answer_markdown(ship, "g").split("\n\n")
    assert first == (
        '<bdi class="short">on Saturday\N{NO-BREAK SPACE}[\\[1\\]](#g-1)</bdi> <small class="beside">2025-12-13, '
        "inferred from the publication date; according to John Coale (government)</small>"
    )


def test_a_short_answer_that_names_its_speaker_does_not_name_them_twice(ship: Answer) -> None:
    first, *_ = answer_markdown(shortened(ship, "John Coale"), "g").split("\n\n")
    assert first == '<bdi class="short">John Coale\N{NO-BREAK SPACE}[\\[1\\]](#g-1)</bdi>'


def test_a_day_that_the_short_answer_does_not_hold_is_not_put_beside_it(ship: Answer) -> None:
    assert "inferred from" not in answer_markdown(shortened(ship, "Walrus"), "g")


def test_a_day_that_the_article_gives_itself_is_not_reckoned(ship: Answer) -> None:
    (citation,) = ship.citations
    given = replace(ship, citations=(replace(citation, times=(replace(citation.times[0], inferred=False),)),))
    assert "inferred from" not in answer_markdown(given, "g")


def test_quotes_of_several_months_date_the_short_answer(ship: Answer) -> None:
    (citation,) = ship.citations
    older = replace(citation, number=2, article=replace(citation.article, published=""))
    several = replace(ship, citations=(citation, older))
    assert "(government), 2025-12-15</small>" in answer_markdown(several, "g").split("\n\n")[0]
    of_older = replace(several, short=replace(ship.short or ShortAnswer("", 1, 0, 0), citation=2))
    assert "(government), no date</small>" in answer_markdown(of_older, "g").split("\n\n")[0]


def test_the_verdict_stands_before_the_short_answer_or_alone(ship: Answer) -> None:
    assert answer_markdown(replace(ship, verdict="no"), "g").startswith(
        '<bdi class="short">No — on Saturday\N{NO-BREAK SPACE}['
    )
    assert answer_markdown(replace(ship, verdict="yes", short=None), "g").startswith('<bdi class="short">Yes</bdi>\n\n')


@pytest.mark.parametrize(
    ("language", "yes", "no", "corrects", "counted"),
    [
        (
            "ru",
            "Да — on",
            "Нет — on",
            "Вопрос считает известным то, что статьи поправляют:",
            "2025-12-13, если считать от даты публикации",
        ),
        (
            "be",
            "Так — on",
            "Не — on",
            "Пытанне лічыць вядомым тое, што артыкулы папраўляюць:",
            "2025-12-13, калі лічыць ад даты публікацыі",
        ),
    ],
)
def test_in_another_language_the_verdict_and_the_correction_are_told_in_its_words(
    ship: Answer, language: str, yes: str, no: str, corrects: str, counted: str
) -> None:
    words = translator(language)
    assert f'<bdi class="short">{yes}' in answer_markdown(told(ship, verdict="yes"), "g", words)
    said = answer_markdown(told(ship, verdict="no"), "g", words)
    assert f'<bdi class="short">{no}' in said
    assert f'<small class="corrects">{corrects}</small>' in said
    assert counted in said


def test_a_correction_is_announced_right_before_the_quotes(ship: Answer) -> None:
    lines = answer_markdown(told(ship, status="partial"), "g").split("\n\n")
    assert lines[1] == "**Partial answer.**"
    assert lines[2] == f'<small class="corrects">{CORRECTS}</small>'
    assert lines[3].startswith("John Coale said")


def test_the_short_answer_is_bold_in_its_quote_in_the_chat(ship: Answer) -> None:
    assert "sank **on Saturday** and cost US\\$5 million." in answer_markdown(ship, "g")


def test_a_sentence_of_a_model_is_not_made_bold(ship: Answer) -> None:
    written = replace(ship, claims=(Claim("The Walrus sank on Saturday.", "verified", (1,)),))
    assert "The Walrus sank on Saturday.\N{NO-BREAK SPACE}" in answer_markdown(written, "g")


def test_only_the_quote_of_the_short_answer_is_made_bold(ship: Answer) -> None:
    (citation,) = ship.citations
    twice = (*ship.claims, Claim(citation.quote, "quoted", (2,)))
    several = replace(ship, claims=twice, citations=(citation, replace(citation, number=2)))
    assert answer_markdown(several, "g").count("**on Saturday**") == 1
    assert source_group(several, "g").count("<strong>on Saturday</strong>") == 1


def test_the_short_answer_is_emphasised_in_the_mark_of_its_source(ship: Answer) -> None:
    shown = source_group(ship, "g")
    (citation,) = ship.citations
    assert Page(shown).within("strong") == ["on Saturday"]
    assert "".join(Page(shown).within("mark")) == citation.quote
    assert "<strong>" not in source_group(plain(ship), "g")


def test_a_passage_that_is_no_answer_is_not_emphasised(ship: Answer) -> None:
    near = replace(refused(ship), short=ship.short)
    assert "<strong>" not in source_group(near, "g")
    assert "<blockquote" in html([near])
    assert not [piece for piece in Page(html([near])).pieces if {"blockquote", "strong"} <= set(piece[1])]
    assert f"“{bold_within(ship.citations[0].quote, '', '')}” — " in markdown([near])


def test_no_short_answer_enters_the_history(ship: Answer) -> None:
    def history(answer: Answer, language: str) -> list[Any]:
        said = answer_markdown(answer, "g", translator(language))
        return history_to_turns([{"role": "user", "content": "When?"}, {"role": "assistant", "content": said}])

    for language in ("en", "ru", "be"):
        for verdict in ("yes", "no", None):
            assert history(told(ship, verdict=verdict), language) == history(plain(ship), language)
    assert told(ship, verdict="yes").text == plain(ship).text


def test_words_that_turn_round_what_stands_beside_them_stay_within_the_short_answer(ship: Answer) -> None:
    (citation,) = ship.citations
    quote = citation.quote.replace("on Saturday", "on \u202eSaturday")
    turned = replace(ship, citations=(replace(citation, quote=quote),), claims=(Claim(quote, "quoted", (1,)),))
    said = answer_markdown(shortened(turned, "on \u202eSaturday"), "g")
    assert '<bdi class="short"><bdi>on \u202eSaturday</bdi>\N{NO-BREAK SPACE}[' in said
    history = history_to_turns([{"role": "user", "content": "When?"}, {"role": "assistant", "content": said}])
    assert [turn.answer_text for turn in history] == [f"{quote}\N{NO-BREAK SPACE}[1]"]


def test_no_word_of_a_short_answer_is_taken_for_markup(ship: Answer) -> None:
    (citation,) = ship.citations
    evil = "</bdi><script>alert(1)</script>\n**[x](http://evil.invalid)**"
    quote = f"It said: {evil} again."
    answer = shortened(
        replace(ship, citations=(replace(citation, quote=quote),), claims=(Claim(quote, "quoted", (1,)),)), evil
    )
    shown = rendered(answer_markdown(answer, "g"))
    assert " ".join(evil.split()) in shown.words
    assert not shown.within("script")
    for page in (Page(source_group(answer, "g")), Page(html([answer])), rendered(markdown([answer]))):
        assert " ".join(evil.split()) in page.words
        assert not page.within("script")
    history = history_to_turns(
        [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer_markdown(answer, "g")}]
    )
    assert " ".join(evil.split()) in history[0].answer_text
    assert history[0].answer_text.startswith("It said:")


def test_the_line_of_coverage_says_how_many_passages_were_read(ship: Answer) -> None:
    def line(read: int, language: str) -> str:
        return answer_markdown(replace(ship, passages_read=read), "g", translator(language)).split("\n\n")[-1]

    assert line(0, "en") == answer_markdown(plain(ship), "g").split("\n\n")[-1]
    assert "dated 2025-12-15. 1 passage was read. Quoted" in line(1, "en")
    assert "1,040 passages were read." in line(1040, "en")
    assert "Прочитано 42 фрагмента." in line(42, "ru")
    assert "Прачытана 40 урыўкаў." in line(40, "be")


# Markdown that is bold


@pytest.mark.parametrize(
    ("before", "inside", "behind", "bold"),
    [
        ("It cost US", "$5 million", " in all.", "US$5 million"),
        ("It was 5", "%", "ish.", "5%ish"),
        ("He said “", "never", "”.", "never"),
        ("One\n two ", " three ", " four", "three"),
        ("", "All of it.", "", "All of it."),
        ("a*", "*b*", "*c", "*b*"),
        ("un", "believ", "able", "believ"),
        ("EU", "€5", ".", "EU€5"),
        ("- ", "1. a", " b", "1. a"),
        ("a \\", "b", " c", "\\b"),
        ("a", "", "b", ""),
        ("a ", "b\\", "", ""),
        ("a ", "b\\", " c d", "b\\ c"),
        ("a ", "b\\", "! c", "b\\!"),
    ],
)
def test_a_piece_is_bold_wherever_it_stands_and_no_character_is_lost(
    before: str, inside: str, behind: str, bold: str
) -> None:
    text = bold_within(before, inside, behind)
    page = rendered(f"above {text}")
    assert page.words == f"above {' '.join(f'{before}{inside}{behind}'.split())}"
    assert "".join(page.within("strong")) == bold
    history = history_to_turns([{"role": "user", "content": "?"}, {"role": "assistant", "content": text}])
    assert [turn.answer_text for turn in history] == [" ".join(f"{before}{inside}{behind}".split())]


# the terminal


def test_in_the_terminal_the_short_answer_leads_and_the_correction_stands_before_the_quotes(ship: Answer) -> None:
    lines = text(told(ship, verdict="no")).splitlines()
    assert lines[:4] == [
        "No — on Saturday [1] (2025-12-13, inferred from the publication date; according to John Coale (government))",
        "",
        CORRECTS,
        ship.text,
    ]
    assert f"{coverage_text(ship)} 40 passages were read. Quoted word for word." in lines


def test_without_any_of_it_the_terminal_begins_with_the_quotes(ship: Answer) -> None:
    lines = text(plain(ship)).splitlines()
    assert lines[0] == ship.text
    assert f"{coverage_text(ship)} Quoted word for word." in lines


def test_in_the_terminal_a_refusal_says_how_many_passages_were_read(ship: Answer) -> None:
    answer = replace(refused(ship), passages_read=1)
    assert f"\n{coverage_text(ship)} 1 passage was read.\n" in text(answer)
    assert text(answer).startswith("The collection does not answer this.\n")


def test_the_json_of_an_answer_holds_the_short_answer_and_all_beside_it(ship: Answer) -> None:
    made = json.loads(json.dumps(asdict(told(ship, verdict="no")), default=str))
    start = ship.citations[0].quote.index("on Saturday")
    assert made["short"] == {"text": "on Saturday", "citation": 1, "start": start, "end": start + len("on Saturday")}
    assert (made["verdict"], made["corrects"], made["passages_read"], made["reader"]) == ("no", True, 40, "reader-1")


# files to take away


def test_an_export_leads_with_the_short_answer_and_says_what_is_corrected(ship: Answer) -> None:
    answer = told(ship, verdict="no")
    for page in (rendered(markdown([answer])), Page(html([answer]))):
        assert re.search(
            r"No — on Saturday ?\[1[:\]0-9]* \(2025-12-13, inferred from the publication date; "
            r"according to John Coale \(government\)\)",
            page.words,
        )
        assert page.words.index("No — on Saturday") < page.words.index(CORRECTS) < page.words.index("John Coale said")
        assert page.within("strong") == ["No — on Saturday", "on Saturday", "on Saturday"]
        assert "40 passages were read." in page.words
        assert "reader-1" in page.words
    for written in (markdown([plain(ship)]), html([plain(ship)])):
        assert "Reader" not in written
        assert CORRECTS not in written


def test_the_marker_of_a_short_answer_is_numbered_on_over_a_conversation(ship: Answer) -> None:
    before = [plain(ship), refused(ship)]
    assert "**on Saturday**[^3] *(" in markdown([*before, ship])
    assert '<strong>on Saturday</strong><sup><a href="#source-3">' in html([*before, ship])
    assert html([*before, ship]).count("<strong>on Saturday</strong>") == 3


# bundles


def test_a_bundle_gives_back_the_short_answer_and_all_beside_it(library: Bot, ship: Answer) -> None:
    answer = told(ship, verdict="no")
    assert load_answers(dump_bundle([answer]), library.article) == [answer]
    fields = json.loads(dump_bundle([answer]))
    assert fields["version"] == 3
    assert fields["answers"][0]["short"] == asdict(answer)["short"]


def test_a_bundle_of_the_first_version_is_read_and_verified(library: Bot, ship: Answer) -> None:
    text = of_version_1(ship)
    assert load_answers(text, library.article) == [plain(ship)]
    assert [str(finding) for finding in verify(text, library.article)] == ["answer 1, quote 1: holds"]
    touched = text.replace("on Saturday", "on Sunday")
    assert any("answer 1, quote 1: at " in finding for finding in differing(touched, library))
    assert any("the file: it was changed" in finding for finding in differing(touched, library))


def test_a_recorded_verdict_is_told_as_recorded(library: Bot, ship: Answer) -> None:
    findings = verify(dump_bundle([told(ship, verdict="no")]), library.article)
    assert [str(finding) for finding in findings] == [
        "answer 1, quote 1: holds",
        "answer 1, verdict: “no”, as it was recorded; it is not computed again",
    ]
    assert all(finding.ok for finding in findings)


def test_how_likely_a_claim_was_held_for_proved_is_told_as_recorded(library: Bot, ship: Answer) -> None:
    written = replace(ship, claims=(replace(ship.claims[0], support="verified", probability=0.875),))
    findings = verify(dump_bundle([written]), library.article)
    assert [str(finding) for finding in findings] == [
        "answer 1, quote 1: holds",
        "answer 1, claim 1: the reader held it for proved with 0.88, as it was recorded; it is not computed again",
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": "on Sunday"}, "says “on Saturday”, not “on Sunday”"),
        ({"start": 0}, "at 0 to "),
        ({"end": 2**30}, "says “on Saturday and cost US$5 million.”, not “on Saturday”"),
        ({"citation": 2}, "it cites [2], which is not there"),
        ({"text": "", "start": 3, "end": 3}, "it says nothing"),
    ],
)
def test_a_short_answer_that_is_not_in_its_quote_is_found(
    library: Bot, ship: Answer, changed: Fields, said: str
) -> None:
    fields = json.loads(dump_bundle([ship]))
    fields["answers"][0]["short"] |= changed
    (found,) = differing(mended(fields), library)
    assert found.startswith("answer 1, short answer: ")
    assert said in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("short", {"text": "on Saturday", "citation": 1, "start": -11, "end": 11}),
        ("short", "on Saturday"),
        ("verdict", "perhaps"),
        ("read", -1),
        ("corrects", 1),
    ],
)
def test_what_no_answer_can_have_is_refused_as_damage(library: Bot, ship: Answer, name: str, value: Any) -> None:
    fields = json.loads(dump_bundle([ship]))
    fields["answers"][0][name] = value
    with pytest.raises(BundleError, match=rf"damaged at answers\.0\.{name}"):
        verify(mended(fields), library.article)


@pytest.mark.parametrize("name", ["verdict", "corrects", "read", "reader"])
def test_a_change_to_what_was_recorded_is_found_by_the_digest(library: Bot, ship: Answer, name: str) -> None:
    fields = json.loads(dump_bundle([told(ship, verdict="no")]))
    fields["answers"][0][name] = {"verdict": "yes", "corrects": False, "read": 7, "reader": "another"}[name]
    assert differing(json.dumps(fields), library) == ["the file: it was changed after it was made (its sha256 differs)"]


# conversations that are kept


def test_a_conversation_keeps_the_short_answer_over_a_restart(tmp_path: Path, library: Bot, ship: Answer) -> None:
    answer = told(ship, verdict="no")
    with closing(Conversations(tmp_path, library.article)) as kept:
        assert kept.save_answer("a", answer, [], [0])
    with closing(Conversations(tmp_path, library.article)) as kept:
        assert kept.answers("a") == (answer,)


def test_a_conversation_that_was_kept_before_there_were_short_answers_is_read(
    tmp_path: Path, library: Bot, ship: Answer
) -> None:
    with closing(Conversations(tmp_path, library.article)) as kept:
        kept.save_answer("a", ship, [], [0])
        with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
            connection.execute("UPDATE answer SET bundle = ?", (zlib.compress(of_version_1(ship).encode()),))
        kept.save_answer("a", ship, [0], [0, 1])
        assert kept.answers("a") == (plain(ship), ship)
