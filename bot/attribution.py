"""Attribution: who says what a quote tells, and what kind of source that is.

Knows the ways news name a speaker ("Belta said", "according to the AP", «по словам Коула»), and a table of speakers
(speakers.txt). Does not know whether they are right. What it can't tell it leaves out: a quote without a speaker is
told by its article.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast, get_args

from bot.answer import Citation, SourceKind, Speaker
from language import alternation, pattern, word_list, words_by_key
from vectorstore import NEVER_QUOTED, Article, Mention, NameTable, Span

TABLE = Path(__file__).with_name("speakers.txt")
WORD = re.compile(r"[^\s,;()]+")
LONGEST_SPEAKER = 9  # words
CONTEXT = 700  # characters before a quote in which a pronoun's speaker is looked for
SAYING_VERBS = alternation(word_list("saying_verbs", "words"))
SAYING_VERB = re.compile(rf"\b(?:{SAYING_VERBS})\b")
BY = re.compile(rf"\b(?:{alternation(word_list('speaker_follows', 'words'))})\s+", re.I)
CLAUSE_START = re.compile(
    rf"[,;:—–(]|(?<=\w\w)[.!?]\s|\b(?:{SAYING_VERBS})\b|[\"“”«»„]"
    rf"|\b(?:{alternation(word_list('clause_words', 'words'))})\s",
    re.I,
)
NAMED = re.compile(r"(?:\w+\s+){0,3}[«“„\"][^»”\"]{2,40}[»”\"]")
BESIDE = {key: alternation(listed) for key, listed in words_by_key("speaker_words").items()}
BY_END = re.compile(rf"[,;:.!?)—–\"“”«»]|\s(?:{BESIDE['behind']})\s|\s\d|$", re.I)
AND = re.compile(rf"\s+(?:{alternation(word_list('conjunctions', 'and'))})\s+", re.I)
APPOSITION = re.compile(r"([^,;:.]+),\s+([^,;:.]+),\s*$")
PRONOUN, SHE, IT = (
    re.compile(rf"\W*(?:{alternation(word_list('pronouns', key))})\W*$", re.I) for key in ("any", "woman", "group")
)
MALE_NAMES = frozenset(word_list("male_names", "words"))
TWO_NAMES = re.compile(r"(?:^|\s)[A-ZА-ЯЁІЎ]\w+ [A-ZА-ЯЁІЎ]\w+$")
LEADING = re.compile(rf"^(?:{BESIDE['leading']}|on \w+(?: \d+)?|in (?:an? )?[^,]{{3,40}}),?\s+", re.I)
OPENING, CLOSING = "“«„", "”»"
QUOTED = re.compile(r"[“«„\"][^”»\"]{12,}[”»\"]")
WHOLLY_QUOTED = re.compile(r"^\s*[“«„\"][^”»\"]+[”»\"]?\s*$")
TRAILING = re.compile(rf"(?:\s+(?:{BESIDE['trailing']}))+$", re.I)
PLACE = re.compile(rf"^(?:{BESIDE['place']})\s", re.I)
OBJECT = re.compile(rf"\b(?:{BESIDE['object']})$", re.I)
NOBODY = re.compile(rf"(?:{BESIDE['nobody']})$", re.I)
SOMEBODY = pattern(word_list("speaker_words", "somebody"))
BY_WORDS = [(cast(SourceKind, kind), pattern(listed)) for kind, listed in words_by_key("speaker_kinds").items()]


def with_speakers(citation: Citation, names: NameTable) -> Citation:
    """The citation with its speakers and the kind of its publisher."""
    return replace(
        citation,
        speakers=find_speakers(citation.article, Span(citation.start, citation.end), names),
        publisher_kind=source_kind(citation.article.publisher, names) if citation.article.publisher else "other",
    )


def find_speakers(article: Article, span: Span, names: NameTable) -> tuple[Speaker, ...]:
    """Who says what the span of the article's text tells, the one nearest to the matter first; empty: the article."""
    text = article.text[span.start : span.end]
    direct = bool(QUOTED.search(text) or WHOLLY_QUOTED.match(text))
    before = _text_before(article, span.start)
    speakers = [_resolve_pronoun(speaker, before, names) for speaker in _speakers(text, names)]
    if WHOLLY_QUOTED.match(text) and not speakers:  # words that go on from the sentence before
        speakers = [_resolve_pronoun(speaker, before, names) for speaker in _earlier(before, names)[-1:]]
    found = dict.fromkeys(speaker for speaker in speakers if speaker)
    return tuple(
        Speaker(speaker, source_kind(speaker, names), direct and place == 0) for place, speaker in enumerate(found)
    )


def source_kind(speaker: str, names: NameTable) -> SourceKind:
    """What kind of source a speaker or publisher is; "other" where that is not known."""
    kinds = _table()
    for mention in names.mentions(speaker):
        if (kind := kinds.get(mention.name.lower())) and mention.kind != "places":
            return kind
    flat = f" {' '.join(WORD.findall(speaker.lower()))} "
    listed = [(flat.find(f" {name} "), kind) for name, kind in kinds.items() if f" {name} " in flat]
    if listed:
        return min(listed)[1]
    return next((kind for kind, words in BY_WORDS if words.search(speaker)), "other")


def _speakers(text: str, names: NameTable) -> Iterator[str]:
    """The speakers a text names, as it has them, in its order; pronouns are among them."""
    found: list[tuple[int, str, bool]] = []  # where, who, whether more may stand behind the speaker
    for match in SAYING_VERB.finditer(text):
        head = text[: match.start()]
        if apposition := APPOSITION.search(head):
            subject = f"{apposition[1][_last(CLAUSE_START, apposition[1]) :]}, {apposition[2]}"
        else:
            subject = head[_last(CLAUSE_START, head) :]
        found.append((match.start(), TRAILING.sub("", LEADING.sub("", subject.strip())), False))
    for match in BY.finditer(text):
        inverted = match[0].lower().startswith("said")  # “…”, said Coale
        if inverted and not text[: match.start()].rstrip().endswith((*CLOSING, '"')):
            continue
        rest = text[match.end() :]
        end = BY_END.search(rest)
        named = NAMED.match(rest)
        found.append((match.start(), named[0] if named else rest[: end.start() if end else len(rest)].strip(), True))
    for _, speaker, open_ended in sorted(found):
        parts = AND.split(speaker)
        together = len(parts) > 1 and all(source_kind(part, names) != "other" for part in parts)
        for part in parts if together else [speaker]:
            speaker = _cut(part, names) if open_ended and not together else part
            if _names_someone(speaker):
                yield _name_only(speaker, names)


def _cut(speaker: str, names: NameTable) -> str:
    """Without what comes behind the speaker where no comma does: "Viasna there are still a thousand"."""
    # "Polish" in "the Polish foreign ministry" is not the speaker
    mentions = [mention for mention in names.mentions(speaker) if mention.kind != "places"]
    kinds = [match.end() for _, words in BY_WORDS if (match := words.search(speaker))]
    if len(speaker.split()) <= 4:
        ends = [mention.end for mention in mentions[-1:] if not NAMED.match(speaker)]
        return speaker[: max(ends + kinds)] if ends else speaker
    ends = [mention.end for mention in mentions[:1]] + kinds
    return speaker[: min(ends)] if ends else speaker


def _name_only(speaker: str, names: NameTable) -> str:
    """The name alone where a place or an occasion stands before it."""
    if PLACE.match(speaker) and (mentions := names.mentions(speaker)):
        return mentions[-1].text
    return speaker


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where the last match ends; 0 if there is none."""
    return max((match.end() for match in pattern.finditer(text)), default=0)


def _names_someone(subject: str) -> bool:
    words = subject.split()
    if not 0 < len(words) <= LONGEST_SPEAKER or OBJECT.search(subject):
        return False
    if PRONOUN.match(subject) or SOMEBODY.search(subject) or any(words.search(subject) for _, words in BY_WORDS):
        return True
    return any(word[0].isupper() and not NOBODY.match(word) for word in re.findall(r"[^\W\d_]{2,}", subject))


def _text_before(article: Article, start: int) -> list[str]:
    """What stands before a place, block by block, but for headings and the like: no speaker runs over a border."""
    first = max(0, start - CONTEXT)
    return [
        article.text[max(block.start, first) : min(block.end, start)]
        for block in article.blocks
        if block.start < start and block.end > first and block.kind not in NEVER_QUOTED
    ] or [article.text[first:start]]


def _earlier(before: Iterable[str], names: NameTable) -> list[str]:
    return [speaker for words in before for speaker in _speakers(words, names)]


def _resolve_pronoun(speaker: str, before: Sequence[str], names: NameTable) -> str:
    """The speaker, and for a pronoun the one it stands for in what comes before; empty if that can't be told."""
    if not PRONOUN.match(speaker):
        return speaker
    earlier = [other for other in _earlier(before, names) if not PRONOUN.match(other)]
    if IT.match(speaker):
        return earlier[-1] if earlier else ""
    likely = [other for other in earlier if _can_be(names.mentions(other), speaker) or TWO_NAMES.search(other)]
    if likely:
        return likely[-1]
    people = [mention for words in before for mention in names.mentions(words) if _can_be([mention], speaker)]
    return people[-1].text if people else ""


def _can_be(mentions: Sequence[Mention], pronoun: str) -> bool:
    """Whether the last of the names is a person whom the pronoun can stand for, by the first name's ending."""
    if not mentions or mentions[-1].kind != "people":
        return False
    first = mentions[-1].name.split()[0].lower()
    woman = first.endswith("a") and first not in MALE_NAMES
    return woman == bool(SHE.match(pronoun))


@cache
def _table() -> Mapping[str, SourceKind]:
    """Speakers in lower case -> what kind they are."""
    return dict(_read(TABLE.read_text("utf-8").splitlines()))


def _read(lines: Iterable[str]) -> Iterator[tuple[str, SourceKind]]:
    kind: SourceKind = "other"
    for line in lines:
        if line.startswith("["):
            kind = cast(SourceKind, line.strip("[] \n"))
            assert kind in get_args(SourceKind), line
        elif line.strip() and not line.startswith("#"):
            for name in line.split(";"):
                yield name.strip().lower(), kind
