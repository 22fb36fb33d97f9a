"""Answers as files: nothing in them is taken for markup, and a bundle that was touched is found out."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from bot import Answer, Bot, BundleError, Claim, Filters, verify
from bot.answer import NOT_ANSWERED, Disagreement, ReportedValue, Speaker, coverage_text
from bot.bundle import dump_bundle, load_answers
from cli.program import main
from ingest import update
from language import Message, verbatim
from render import EXPORT_FORMATS, html, markdown
from render.bibliography import PRESS, bibtex, csl_json
from render.markdown import escape_markdown
from tests.support.program import finished
from tests.support.readings import answering_from

ALLOWED = "What does General License 13 allow?"
PARDONED = "How many people has Viasna counted as pardoned since 2020?"
DAYS = "Сколько дней провела в заключении Мария Колесникова?"
REFUSED = "What is the capital of France?"
HOSTILE = {
    "title": """</title><script>alert(1)</script> [^1]: 50% & $x$ #1 a_b {c} }d{ ~ ^ \\ "q" | Лукашэнка і ўсе""",
    "url": "https://news.invalid/a_b?c=d&e=%20{x}|`\\(1)#f",
    "publisher": "<b>Bold</b> and [^2] Post",
    "published": "2024-05",
    "note": '[^1]: "digest" <i>& more</i>',
    "lang": "en",
    "text": "The zeppelin <script>alert(4)</script> landed[^1] ![x](http://evil.invalid/p.png) on "
    "[Monday](javascript:alert(5)) at `noon` **today** &lt;www.evil.invalid $1+1$ [7].",
}
SCRIPTED = {
    "title": "A quiet title",
    "url": "javascript:alert(3)",
    "text": "The gondola landed on a Tuesday in the harbour of Hrodna.",
}
Fields = dict[str, Any]


@pytest.fixture(scope="module")
def bot(sample_data: Path) -> Iterator[Bot]:
    with Bot.open(data=sample_data, model="") as opened:
        yield opened


@pytest.fixture(scope="module", autouse=True)
def _answering() -> Iterator[None]:
    """Here the questions are answered, whichever reader is shipped."""
    with answering_from(0):
        yield


@pytest.fixture(scope="module")
def refused(bot: Bot) -> Answer:
    """A refusal with passages."""
    with answering_from(2):
        answer = bot.ask(REFUSED)
    assert answer.status == "not_found"
    assert answer.closest_passages
    return answer


@pytest.fixture(scope="module")
def conversation(bot: Bot, refused: Answer) -> list[Answer]:
    """Three answers with quotes, one of them in Russian from a newspaper, and a refusal with passages."""
    meduza = Filters(publishers=("Meduza",))
    answers = [bot.ask(ALLOWED), refused, bot.ask(PARDONED), bot.ask(DAYS, filters=meduza)]
    assert [bool(answer.citations) for answer in answers] == [True, False, True, True]
    return answers


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Answer]:
    """What is said of an article full of markup, and of one whose address is a script."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "articles.jsonl").write_text("\n".join(map(json.dumps, (HOSTILE, SCRIPTED))), "utf-8")
    assert not update([folder / "articles.jsonl"], data=folder / "data").failed
    with Bot.open(data=folder / "data", model="") as opened:
        named = {one.name: Filters(articles=(one.id,)) for one in opened.list_articles()}
        answers = (
            opened.ask("When did the zeppelin land?", filters=named[HOSTILE["title"]]),
            opened.ask("When did the gondola land?", filters=named[SCRIPTED["title"]]),
        )
    assert "<script>alert(4)</script> landed[^1]" in answers[0].citations[0].quote
    assert answers[1].citations[0].article.url.startswith("javascript:")
    return answers


def mended(fields: Fields) -> str:
    """A bundle with the digest of what it holds now, as a careful forger would leave it."""
    rest = {name: value for name, value in fields.items() if name != "sha256"}
    plain = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return json.dumps(rest | {"sha256": hashlib.sha256(plain.encode()).hexdigest()}, ensure_ascii=False)


def differing(text: str, bot: Bot) -> list[str]:
    return [str(finding) for finding in verify(text, bot.article) if not finding.ok]


# the bundle


def test_a_bundle_holds_against_the_library_it_came_from(bot: Bot, conversation: list[Answer]) -> None:
    findings = verify(dump_bundle(conversation), bot.article)
    assert all(finding.ok for finding in findings)
    assert len(findings) == sum(len(answer.citations) + len(answer.closest_passages) for answer in conversation)


def test_a_bundle_says_all_that_is_needed_to_check_it(conversation: list[Answer]) -> None:
    made = json.loads(dump_bundle(conversation))
    said, answer = made["answers"][0], conversation[0]
    assert (made["format"], made["version"]) == ("viadoma-evidence", 3)
    for name in ("question", "query", "text", "status"):
        assert said[name] == getattr(answer, name)
    assert (said["made"], said["mode"], said["embedding"]) == (answer.created_at, "quoting", answer.embedding_model)
    assert said["prompts"] == list(answer.prompts)
    for stored, citation in zip(said["citations"], answer.citations, strict=True):
        assert (stored["quote"], stored["start"], stored["end"]) == (citation.quote, citation.start, citation.end)
        described = [
            one for one in made["articles"] if (one["id"], one["version"]) == (stored["article"], stored["version"])
        ]
        assert [(one["sha256"], one["url"]) for one in described] == [(citation.article.sha256, citation.article.url)]


def test_a_bundle_holds_neither_the_articles_texts_nor_where_they_lay(conversation: list[Answer]) -> None:
    text = dump_bundle(conversation)
    for citation in conversation[0].citations:
        assert json.dumps(citation.article.source)[1:-1] not in text
        assert json.dumps(citation.article.text, ensure_ascii=False)[1:-1] not in text


def test_a_bundle_is_the_same_every_time_and_keeps_its_letters(conversation: list[Answer]) -> None:
    assert dump_bundle(conversation) == dump_bundle(conversation)
    assert DAYS in dump_bundle(conversation)


def test_what_a_bundle_says_beside_the_quotes_comes_back_with_its_values(bot: Bot) -> None:
    answer = bot.ask(PARDONED)
    busy = Message("The model's server is out of quota or busy.")
    doubt = Message("the year {year} is not in its quote", year="1999")
    answer = replace(
        answer,
        claims=(*answer.claims, Claim("It was in 1999.", "partly", (1,), (doubt,))),
        missing=(Message("None of the passages read ({count}) answers the question.", count=1_000),),
        notes=(Message("{error} Showing quotes instead.", error=busy), verbatim("as {it} is")),
    )
    (kept,) = load_answers(dump_bundle([answer]), bot.article)
    assert kept == answer
    for old, new in (
        (answer.missing[0], kept.missing[0]),
        (answer.claims[-1].issues[0], kept.claims[-1].issues[0]),
        *zip(answer.notes, kept.notes, strict=True),
    ):
        assert (new.template, new.values) == (old.template, old.values)
    assert json.loads(dump_bundle([answer]))["answers"][0]["notes"] == [
        {"template": "{error} Showing quotes instead.", "values": {"error": busy.to_json()}},
        "as {it} is",
    ]


def test_a_bundle_of_version_2_is_verified_and_its_plain_text_stays_as_it_is(bot: Bot, refused: Answer) -> None:
    answer = refused
    fields = json.loads(dump_bundle([replace(answer, notes=(verbatim("The model's answer was cut off."),))]))
    fields["version"], fields["answers"][0]["missing"] = 2, [str(answer.missing[0])]
    assert differing(mended(fields), bot) == []
    (kept,) = load_answers(mended(fields), bot.article)
    assert (kept.notes, kept.missing) == (("The model's answer was cut off.",), answer.missing)
    assert {*kept.notes[0].values, *kept.missing[0].values} == {"text"}


@pytest.mark.parametrize("wrong", [1, {}, {"template": "{gone}", "values": {}}, {"template": "x", "values": {"a": []}}])
def test_a_message_that_is_none_is_damage(bot: Bot, conversation: list[Answer], wrong: object) -> None:
    fields = json.loads(dump_bundle(conversation))
    fields["answers"][0]["notes"] = [wrong]
    with pytest.raises(BundleError, match=r"damaged at answers\.0\.notes\.0"):
        verify(mended(fields), bot.article)


def test_a_bundle_still_holds_when_its_json_is_laid_out_anew(bot: Bot, conversation: list[Answer]) -> None:
    assert differing(json.dumps(json.loads(dump_bundle(conversation)), sort_keys=True), bot) == []


def first(fields: Fields, kind: str = "citations") -> Fields:
    answer = next(answer for answer in fields["answers"] if answer[kind])
    found: Fields = answer[kind][0]
    return found


def change(kind: str, name: str, value: Any) -> Callable[[Fields], None]:
    def changed(fields: Fields) -> None:
        first(fields, kind)[name] = value(first(fields, kind)[name]) if callable(value) else value

    return changed


def change_article(name: str, value: str) -> Callable[[Fields], None]:
    return lambda fields: fields["articles"][0].update({name: value})


def change_claim_and_text(fields: Fields) -> None:
    answer = fields["answers"][0]
    before = answer["claims"][0]["text"]
    answer["claims"][0]["text"] = "Everything is allowed."
    answer["text"] = answer["text"].replace(before, "Everything is allowed.")


def forget_the_article(fields: Fields) -> None:
    del fields["articles"][0]


def swap_the_numbers(fields: Fields) -> None:
    for citation in fields["answers"][0]["citations"]:
        citation["number"] += 1


TAMPERED = {
    "quote": (change("citations", "quote", lambda quote: quote + "!"), "answer 1, quote 1: at "),
    "closest": (change("closest", "quote", "Paris is the capital."), "answer 2, closest passage 1: at "),
    "empty quote": (change("citations", "quote", " "), "it quotes nothing"),
    "start": (change("citations", "start", lambda start: start + 1), "answer 1, quote 1: at "),
    "end": (change("citations", "end", 2**30), "answer 1, quote 1: at "),
    "link": (change("citations", "link", "/source/elsewhere"), "its link is /source/elsewhere"),
    "claim": (change_claim_and_text, "“Everything is allowed.” is not its quote"),
    "support": (change("claims", "support", "unverified"), "its quotes do not prove it"),
    "number not there": (change("claims", "citations", [99]), "answer 1, claim 1: it cites [99], which is not there"),
    "no number": (change("claims", "citations", []), "answer 1, claim 1: it cites no quote"),
    "numbers": (swap_the_numbers, "its number should be 1"),
    "hash": (change_article("sha256", "0" * 64), f"not {'0' * 64}"),
    "address": (change_article("url", "https://elsewhere.invalid"), "not “https://elsewhere.invalid”"),
    "publisher": (change_article("publisher", "Somebody"), "not “Somebody”"),
    "date": (change_article("published", "1999"), "not “1999”"),
    "article": (change("citations", "article", "nobody"), "the library has no version 1 of article nobody"),
    "version": (change("citations", "version", 7), "the library has no version 7 of article"),
    "undescribed": (forget_the_article, "the bundle does not describe version 1 of article"),
    "text": (lambda fields: fields["answers"][0].update(text="All is allowed."), "not to “All is allowed.”"),
    "status": (lambda fields: fields["answers"][0].update(status="not_found"), f"come to “{NOT_ANSWERED}"),
    "searched": (lambda fields: fields["answers"][0]["coverage"].update(articles=9), "what it says was searched"),
    "twice": (lambda fields: fields["articles"].append(fields["articles"][0]), "an article version more than once"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_by_hand_is_found_even_with_a_mended_digest(
    bot: Bot, conversation: list[Answer], what: str
) -> None:
    tamper, said = TAMPERED[what]
    fields = json.loads(dump_bundle(conversation))
    tamper(fields)
    found = differing(mended(fields), bot)
    assert any(said in finding for finding in found), found
    assert not any(finding.startswith("the file: it was changed") for finding in found)


@pytest.mark.parametrize("name", ["question", "query", "made", "mode", "embedding"])
def test_a_change_to_what_no_article_can_prove_is_found_by_the_digest(
    bot: Bot, conversation: list[Answer], name: str
) -> None:
    fields = json.loads(dump_bundle(conversation))
    fields["answers"][0][name] = "something else"
    assert differing(json.dumps(fields), bot) == ["the file: it was changed after it was made (its sha256 differs)"]


def test_a_quote_that_stands_elsewhere_is_told_where(bot: Bot, conversation: list[Answer]) -> None:
    fields = json.loads(dump_bundle(conversation))
    start, end = first(fields)["start"], first(fields)["end"]
    first(fields)["start"] += 5
    assert any(f"stands at {start} to {end}" in finding for finding in differing(mended(fields), bot))


def test_a_written_claim_is_held_to_the_numbers_and_names_of_its_quotes(bot: Bot) -> None:
    answer = bot.ask(PARDONED)
    quote = answer.citations[0]
    written = replace(answer, model="a model", claims=(Claim(quote.quote, "verified", (1,)),))
    assert differing(dump_bundle([written]), bot) == []
    wrong = replace(written, claims=(Claim(f"{quote.quote}, says Napoleon of 98765.", "verified", (1,)),))
    assert any("the number 98765 is not in its quote" in finding for finding in differing(dump_bundle([wrong]), bot))


def test_a_bundle_of_a_library_that_lacks_the_articles_does_not_hold(
    tmp_path: Path, conversation: list[Answer]
) -> None:
    (tmp_path / "void").mkdir()
    update([tmp_path / "void"], data=tmp_path / "data")
    with Bot.open(data=tmp_path / "data", model="") as empty:
        findings = verify(dump_bundle(conversation), empty.article)
    assert findings
    assert all("the library has no version" in str(finding) for finding in findings)


@pytest.mark.slow
def test_a_quote_of_a_replaced_version_still_holds(tmp_path: Path, write: Callable[[str, str | bytes], Path]) -> None:
    source = write("ship.txt", "The submarine Walrus sank in the Pripyat on Friday.")
    update([source], data=tmp_path / "data")
    with Bot.open(data=tmp_path / "data", model="") as opened:
        text = dump_bundle([opened.ask("Where did the submarine Walrus sink?")])
    source.write_text("The submarine Walrus never sank at all.", "utf-8")
    assert update([source], data=tmp_path / "data").changed
    with Bot.open(data=tmp_path / "data", model="") as opened:
        findings = verify(text, opened.article)
    assert str(findings[0]) == "answer 1, quote 1: holds"
    assert all(finding.ok for finding in findings)


def test_a_library_whose_text_was_changed_is_found(tmp_path: Path, write: Callable[[str, str | bytes], Path]) -> None:
    update([write("ship.txt", "The submarine Walrus sank in the Pripyat on Friday.")], data=tmp_path / "data")
    with Bot.open(data=tmp_path / "data", model="") as opened:
        text = dump_bundle([opened.ask("Where did the submarine Walrus sink?")])
    connection = sqlite3.connect(tmp_path / "data" / "library.db")
    connection.execute("UPDATE version SET text = text || ' It rose again.'")
    connection.commit()
    connection.close()
    with Bot.open(data=tmp_path / "data", model="") as opened:
        (found,) = differing(text, opened)
    assert "was changed after it was ingested" in found
    assert "has the SHA-256" in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no whole JSON file"),
        ("{", "no whole JSON file"),
        ("PK\x03\x04", "no whole JSON file"),
        ("[" * 100_000, "no whole JSON file"),
        ("null", "no bundle of evidence"),
        ("[]", "no bundle of evidence"),
        ('{"claims": []}', "no bundle of evidence"),
        ('{"format": "viadoma-evidence"}', "version None"),
        ('{"format": "viadoma-evidence", "version": 4}', "reads 1 to 3. Verify it with the version that made it"),
        ('{"format": "viadoma-evidence", "version": 1}', "damaged at about"),
        ('{"format": "viadoma-evidence", "version": 1, "about": "", "answers": [], "articles": []}', "no answer"),
    ],
)
def test_what_is_no_bundle_is_refused_with_the_remedy(bot: Bot, text: str, said: str) -> None:
    with pytest.raises(BundleError, match=said) as raised:
        verify(text, bot.article)
    assert "format bundle" in str(raised.value) or "version that made it" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_bundle_that_was_cut_off_is_refused(bot: Bot, conversation: list[Answer], share: float) -> None:
    text = dump_bundle(conversation)
    with pytest.raises(BundleError, match="no whole JSON file"):
        verify(text[: int(len(text) * share)], bot.article)


@pytest.mark.parametrize("value", [-1, 2**70, "1", 1.5, None, True, []])
def test_a_place_that_is_none_is_refused(bot: Bot, conversation: list[Answer], value: Any) -> None:
    for name in ("start", "version"):
        fields = json.loads(dump_bundle(conversation))
        first(fields)[name] = value
        with pytest.raises(BundleError, match=rf"damaged at answers\.0\.citations\.0\.{name}"):
            verify(mended(fields), bot.article)


def test_words_of_a_bundle_reach_a_terminal_without_its_controls(bot: Bot, conversation: list[Answer]) -> None:
    fields = json.loads(dump_bundle(conversation))
    first(fields)["quote"] = "\x1b[2J\n\u202eEverything holds."
    found = "".join(differing(mended(fields), bot))
    assert not re.search("[\x1b\n\u202e]", found)


# Markdown


def rendered(text: str) -> str:
    """What a reader of Markdown with footnotes makes of it, HTML allowed and links made of bare addresses."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table").use(footnote_plugin)
    return str(reader.render(text))


class Page(HTMLParser):
    """A page's tags, addresses and words, outside its style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.pieces: list[str] = []
        self.feed(text)
        self.words = " ".join("".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self.tags.append("/style")

    def values(self, name: str) -> list[str]:
        return [value or "" for _, one, value in self.attributes if one == name]


def test_footnotes_are_numbered_on_over_a_whole_conversation(conversation: list[Answer]) -> None:
    text = markdown(conversation)
    quotes = [one.quote for answer in conversation for one in (*answer.citations, *answer.closest_passages)]
    defined = [int(number) for number in re.findall(r"^\[\^(\d+)\]: ", text, re.M)]
    named = [int(number) for number in re.findall(r"\[\^(\d+)\](?!:)", text)]
    assert defined == list(range(1, len(quotes) + 1))
    assert sorted(set(named)) == defined
    page = Page(rendered(text))
    notes = " ".join("".join(page.pieces[page.pieces.index("\n") :]).split())
    for quote in quotes:
        assert f"“{' '.join(quote.split())}” — " in notes
    assert page.tags.count("li") - sum(len(answer.closest_passages) for answer in conversation) >= len(quotes)
    assert "[^" not in page.words


def test_a_footnote_says_whose_words_it_quotes_and_where_to_find_them(bot: Bot) -> None:
    answer = bot.ask(ALLOWED)
    citation = replace(
        answer.citations[0], speakers=(Speaker("the U.S. Treasury", "government", True),), publisher_kind="media"
    )
    article = citation.article
    for words in (
        Page(rendered(markdown([replace(answer, citations=(citation, *answer.citations[1:]))]))).words,
        Page(html([replace(answer, citations=(citation, *answer.citations[1:]))])).words,
    ):
        assert f"{article.title}, {article.publisher} (media), {article.published}, {article.url}" in words
        assert "In the words of the U.S. Treasury (government)." in words
        assert citation.link in words
        assert article.sha256[:12] in words


def test_no_word_of_an_article_becomes_markdown(hostile: tuple[Answer, Answer]) -> None:
    page = Page(rendered(markdown(hostile)))
    expected = {"h1", "h2", "p", "em", "strong", "ul", "li", "sup", "a", "code", "hr", "section", "ol"}
    assert set(page.tags) <= expected
    links = [value for value in page.values("href") if not value.startswith("#fn")]
    assert links == ["https://news.invalid/a_b?c=d&e=%20%7Bx%7D%7C%60%5C(1)#f"]
    quote = " ".join(hostile[0].citations[0].quote.split())
    assert page.words.count(quote) == 2
    assert HOSTILE["title"] in page.words
    assert page.tags.count("li") == sum(
        value.startswith("fn") and "ref" not in value for value in page.values("id")
    ) + sum(markdown([answer]).count("\n- ") for answer in hostile)


@pytest.mark.parametrize(
    "text",
    ["---", "- a", "+ a", "1. a", "12) a", "# a", "> a", "    a", "a\n===", ": a", "`` a", "~~~", "***", "a\n\nb"],
)
def test_no_line_start_makes_a_block(text: str) -> None:
    assert Page(rendered(f"above\n\n{escape_markdown(text)}")).tags == ["p", "p"]
    assert Page(rendered(escape_markdown(text))).words == " ".join(text.split())


# HTML


def test_no_word_of_an_article_becomes_html(hostile: tuple[Answer, Answer]) -> None:
    page = Page(html(hostile))
    assert not {"script", "img", "b", "i", "iframe", "link", "object"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "style")]
    assert page.tags.count("title") == 1
    quote = " ".join(hostile[0].citations[0].quote.split())
    assert page.words.count(quote) == 2
    assert HOSTILE["title"] in page.words
    assert [value for value in page.values("href") if not value.startswith("#source-")] == [
        "https://news.invalid/a_b?c=d&e=%20%7Bx%7D%7C%60%5C(1)#f"
    ]


def test_a_page_allows_nothing_but_its_own_style(conversation: list[Answer]) -> None:
    text = html(conversation)
    policy = next(value for value in Page(text).values("content") if "default-src" in value)
    digest = hashlib.sha256(text.split("<style>")[1].split("</style>")[0].encode()).digest()
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert f"'sha256-{b64encode(digest).decode()}'" in policy


def test_each_marker_of_a_page_leads_to_its_own_quote(conversation: list[Answer]) -> None:
    page = Page(html(conversation))
    quotes = [one.quote for answer in conversation for one in (*answer.citations, *answer.closest_passages)]
    sources = [value for value in page.values("id") if value.startswith("source-")]
    assert sources == [f"source-{number}" for number in range(1, len(quotes) + 1)]
    assert {value[1:] for value in page.values("href") if value.startswith("#")} <= set(sources)


# what an answer says beside its quotes


def test_what_is_said_of_the_quotes_is_exported_too(bot: Bot) -> None:
    answer = bot.ask(ALLOWED)
    told = replace(
        answer,
        status="partial",
        claims=(
            *answer.claims,
            Claim(
                "It is a <start>.",
                "unverified",
                (1,),
                (Message("the words “{words}” are not in its quote", words="start"),),
            ),
        ),
        disagreements=(Disagreement("number", (ReportedValue("12", (1,)), ReportedValue("13", (1,)))),),
        missing=(verbatim("They do not say who signed it."),),
        notes=(verbatim("The model could not be reached."),),
    )
    first_answer = bot.ask(PARDONED)
    number = len(first_answer.citations) + 1
    for words in (
        Page(rendered(markdown([first_answer, told]))).words,
        Page(html([first_answer, told])).words,
    ):
        assert "Partial answer." in words
        assert re.search(rf"The sources differ in the number:? 12.* ?\[{number}[]:]", words)
        assert "They do not say who signed it." in words
        assert "The model could not be reached." in words
        assert "It is a <start>." in words
        assert "(not supported by the sources; the words “start” are not in its quote)" in words
        assert coverage_text(told) in words
        assert told.created_at in words
        assert "Quoted word for word." in words
    assert differing(dump_bundle([told]), bot) == [
        f"answer 1, claim {len(told.claims)}: the answer itself says that its quotes do not prove it"
    ]


def test_a_refusal_is_exported_as_a_refusal(bot: Bot, refused: Answer) -> None:
    answer = refused
    for words in (Page(rendered(markdown([answer]))).words, Page(html([answer])).words):
        assert NOT_ANSWERED in words
        assert "Closest passages, which are not an answer" in words
        assert " ".join(answer.closest_passages[0].quote.split()) in words
        assert coverage_text(answer) in words
    assert bibtex([answer]) == ""
    assert json.loads(csl_json([answer])) == []
    assert differing(dump_bundle([answer]), bot) == []


# the sources as bibliography


def entries(text: str, *, decode: bool) -> dict[str, dict[str, str]]:
    library = parse_string(text, append_middleware=[LatexDecodingMiddleware()] if decode else [])
    assert not library.failed_blocks
    return {
        entry.key: {"type": entry.entry_type} | {field.key: str(field.value) for field in entry.fields}
        for entry in library.entries
    }


def test_bibtex_is_read_back_with_every_article_once(conversation: list[Answer]) -> None:
    found = entries(bibtex([*conversation, *conversation]), decode=True)
    articles = {one.article.id: one.article for answer in conversation for one in answer.citations}
    assert [entry["title"] for entry in found.values()] == [article.name for article in articles.values()]
    for entry, article in zip(found.values(), articles.values(), strict=True):
        assert entry["organization"] == article.publisher
        assert entry["date"] == article.published
        assert entry["urldate"] == article.ingested_at[:10]
        assert entry.get("note", "") == article.note
    urls = [entry["url"] for entry in entries(bibtex(conversation), decode=False).values()]
    assert urls == [article.url for article in articles.values()]
    assert any(re.search("[а-я]", entry["title"]) for entry in found.values())


def test_what_latex_has_a_meaning_for_is_written_so_that_it_is_shown(hostile: tuple[Answer, Answer]) -> None:
    written, quiet = entries(bibtex(hostile), decode=False).values()
    assert written["title"] == (
        r"{{\textless}/title{\textgreater}{\textless}script{\textgreater}alert(1){\textless}/script{\textgreater} "
        r"[{\textasciicircum}1]: 50\% \& \$x\$ \#1 a\_b {\textbraceleft}c{\textbraceright} {\textbraceright}d"
        r'{\textbraceleft} {\textasciitilde} {\textasciicircum} {\textbackslash} "q" {\textbar} Лукашэнка і ўсе}'
    )
    assert written["url"] == "https://news.invalid/a_b?c=d&e=%20%7Bx%7D%7C%60%5C(1)#f"
    assert (written["type"], quiet["type"]) == ("online", "misc")
    assert "url" not in quiet


def test_an_article_has_the_same_key_in_every_export(conversation: list[Answer]) -> None:
    keys = list(entries(bibtex(conversation), decode=False))
    alone = [key for answer in conversation for key in entries(bibtex([answer]), decode=False)]
    assert keys == list(dict.fromkeys(alone))
    assert all(re.fullmatch(r"[a-z0-9]+-[0-9a-z]{6}", key) for key in keys)
    assert [item["id"] for item in json.loads(csl_json(conversation))] == keys


def test_articles_whose_keys_would_be_one_keep_apart(bot: Bot) -> None:
    answer = bot.ask(ALLOWED)
    citation = answer.citations[0]
    twin = replace(citation, number=2, article=replace(citation.article, id=citation.article.id[:6] + "ffff"))
    assert len(entries(bibtex([replace(answer, citations=(citation, twin))]), decode=False)) == 2


def test_csl_json_has_the_fields_of_its_schema(conversation: list[Answer], hostile: tuple[Answer, Answer]) -> None:
    items = json.loads(csl_json([*conversation, *hostile]))
    known = {"id", "type", "title", "container-title", "issued", "accessed", "URL", "language", "note"}
    assert all({"id", "type", "title", "accessed"} <= set(item) <= known for item in items)
    assert len({item["id"] for item in items}) == len(items)
    article = conversation[0].citations[0].article
    assert items[0]["title"] == article.title
    assert items[0]["container-title"] == article.publisher
    assert items[0]["issued"] == {"date-parts": [list(map(int, article.published.split("-")))]}
    assert items[0]["URL"] == article.url
    assert items[0]["language"] == article.lang
    zeppelin, gondola = items[-2:]
    assert zeppelin["issued"] == {"date-parts": [[2024, 5]]}
    kinds = {one.article.title: one.publisher_kind for answer in conversation for one in answer.citations}
    press = [item["title"] for item in items if item["type"] == "article-newspaper"]
    assert press == [item["title"] for item in items if kinds.get(item["title"], "other") in PRESS]
    assert "media" in {kinds[title] for title in press}
    assert (zeppelin["type"], gondola["type"]) == ("webpage", "webpage")
    assert not {"issued", "URL"} & set(gondola)


def test_every_format_writes_any_conversation(conversation: list[Answer]) -> None:
    for form in EXPORT_FORMATS.values():
        assert form.extension.startswith(".")
        assert "/" in form.media_type
        assert form.render(conversation, str, "en").endswith("\n")


# the program


run = partial(finished, "cli")


@pytest.mark.slow
def test_the_program_verifies_the_bundle_it_wrote(sample_data: Path, tmp_path: Path) -> None:
    asked = run("ask", ALLOWED, "--data", sample_data, "--format", "bundle")
    assert asked.returncode == 0, asked.stderr
    file = tmp_path / "bundle.json"
    file.write_text(asked.stdout, "utf-8-sig")
    done = run("verify", file, "--data", sample_data)
    assert done.returncode == 0, done.stderr
    assert "answer 1, quote 1: holds" in done.stdout
    assert done.stdout.endswith("All checks passed.\n")
    file.write_text(asked.stdout.replace("License 13", "License 31"), "utf-8")
    done = run("verify", file, "--data", sample_data)
    assert done.returncode == 1
    assert "the file: it was changed after it was made" in done.stdout
    assert "All checks passed" not in done.stdout


@pytest.mark.slow
def test_the_program_prints_what_the_functions_write(sample_data: Path, bot: Bot) -> None:
    done = run("ask", ALLOWED, "--data", sample_data, "--format", "bibtex")
    assert (done.returncode, done.stdout) == (0, bibtex([bot.ask(ALLOWED)]))


@pytest.mark.slow
def test_the_program_prints_the_link_of_each_source(sample_data: Path, bot: Bot) -> None:
    done = run("ask", ALLOWED, "--data", sample_data)
    assert done.returncode == 0, done.stderr
    for citation in bot.ask(ALLOWED).citations:
        assert f"\n    {citation.link}\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "NOWHERE"], "No such file"),
        (["verify", "PICTURE"], "is not UTF-8"),
        (["verify", "FOREIGN"], "no bundle of evidence"),
        (["verify", "FOREIGN", "--data", "nowhere"], "nowhere. Fill it with: viadoma ingest"),
        (["verify"], "required: FILE"),
        (["verify", "FOREIGN", "Who?"], "unrecognized arguments: Who?"),
        (["ask", "Who?", "--format", "pdf"], "invalid choice"),
        (["ask", "Who?", "--as-of", "Monday"], "write it as 2025-12-13"),
        (["ask"], "required: QUESTION"),
    ],
)
def test_wrong_use_of_the_program_ends_with_two(
    sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (tmp_path / "PICTURE").write_bytes(b"\x89PNG\xff\xfe")
    (tmp_path / "FOREIGN").write_text('{"name": "other"}', "utf-8")
    named = [str(tmp_path / one) if one.isupper() else one for one in arguments]
    try:
        code: int | str | None = main([*named, *([] if "--data" in arguments else ["--data", str(sample_data)])])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert said in capsys.readouterr().err
