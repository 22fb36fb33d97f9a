"""Numbers: what a claim counts, and whether its quotes count the same.

Knows digits, number words, magnitudes, units, and "more than". Does not know dates: their numbers are told by `dates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from bot.claim_check.words import CACHED, STOP_WORDS, stem
from language import Message, all_words, alternation, pattern, words_by_key

NUMBER = r"\d{1,3}(?:[., ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
GROUPS = re.compile(r"(?<=\d)[., ](?=\d{3}(?!\d))")
PIECE = re.compile(rf"(?P<digits>{NUMBER})|(?P<word>[^\W\d_]+)|(?P<mark>\S)")
SIGNS = {"$": "dollar", "€": "euro", "£": "pound", "%": "percent"}
OUT_OF = re.compile(rf"(?:\s+\w+){{0,2}}\s+(?:{alternation(all_words('out_of'))})\s+(?:\w+\s+)?\d", re.I)
LISTED = re.compile(rf",| (?:{alternation(all_words('conjunctions'))}) ")
SMALL = {key: frozenset(listed) for key, listed in words_by_key("number_words").items()}
HUNDRED, THOUSAND = 100, 1000
# what the measures of `language` are called
UNITS = {
    "percent": Message("percent"),
    "year": Message("years"),
    "month": Message("months"),
    "week": Message("weeks"),
    "day": Message("days"),
    "hour": Message("hours"),
    "minute": Message("minutes"),
    "dollar": Message("dollars"),
    "euro": Message("euros"),
    "pound": Message("pounds"),
    "rouble": Message("roubles"),
    "km": Message("km"),
    "mile": Message("miles"),
}
FEW = 12  # a claim may count what its quote lists, up to about here
# How far a rounded number may be from the quote's: more than it, less than it, about it.
MORE_UP_TO, LESS_DOWN_TO, ABOUT = 1.35, 0.75, 0.06


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number a text names: its value, as it is written, its unit and the stem of what it counts ("" if none).

    `kind` is digits, word, one ("a year"), both, order ("third") or vague ("thousands"). `sure` says that "more" and
    "less" are no words of place ("over"), `part` that it is out of the next number, whose things are its own too.
    """

    value: float
    text: str
    start: int
    unit: str
    noun: str
    kind: str
    more: bool
    less: bool
    about: bool
    sure: bool
    part: bool


@lru_cache(CACHED)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers a plain text names, in its order."""
    pieces = list(PIECE.finditer(text))
    found: list[Quantity] = []
    place = 0
    while place < len(pieces):
        kind, value, behind = _read(pieces, place)
        if kind:
            start, end = pieces[place].start(), pieces[behind - 1].end()
            unit, noun = _counted(pieces, place, behind)
            bounds = {name for name, words in _bounds().items() if words.search(text[max(0, start - 24) : start])}
            found.append(
                Quantity(value, text[start:end], start, unit, noun, kind, "more" in bounds, "less" in bounds,
                         "about" in bounds, "place" not in bounds, bool(OUT_OF.match(text[end : end + 40])))
            )  # fmt: skip
        place = behind
    return tuple(found)


def number_reasons(
    claim: str, quotes: Sequence[str], dates: Sequence[range], *, same: bool, in_lexicon: bool
) -> list[tuple[str, Message]]:
    """What speaks against the numbers of a claim, but for those in its dates: (number, reason).

    `same` says that the quotes are of the claim's language, `in_lexicon` that all are of languages whose words are
    known.
    """
    ground = [quantity for quote in quotes for quantity in quantities(quote)]
    reasons = []
    for quantity in quantities(claim):
        why: list[Message] = []
        if quantity.kind == "both" or any(quantity.start in span for span in dates):
            continue
        alike = [other for other in ground if other.value == quantity.value]
        if quantity.value == 1:  # "one" is too many things, "a year" is no month
            why += _unit_reasons(quantity, alike) if same and quantity.kind != "order" else []
        elif quantity.kind == "vague":
            if same and in_lexicon and not any(other.value >= quantity.value for other in ground):
                why.append(Message("“{number}” is not in its quote", number=quantity.text))
        elif alike:
            why += _bound_reasons(quantity, alike, ground)
            why += _noun_reasons(quantity, alike, ground, quantities(claim)) if same else []
        elif not (_may_be_counted(quantity, quotes, same=same, in_lexicon=in_lexicon) or _rounded(quantity, ground)):
            why.append(Message("the number {number} is not in its quote", number=quantity.text))
        reasons += [(quantity.text, reason) for reason in why]
    return reasons


def _may_be_counted(quantity: Quantity, quotes: Sequence[str], *, same: bool, in_lexicon: bool) -> bool:
    """Whether a number may stand in the quote in words nobody here knows, or be a count of what the quote lists."""
    if quantity.kind == "order" and not same:
        return True
    if quantity.value > FEW:
        return False
    if not in_lexicon or (not same and quantity.kind != "digits"):
        return True
    stretches = (stretch for quote in quotes for stretch in re.split(r"[.;:!?]", quote))
    return quantity.kind == "word" and any(
        sum(bool(part.strip()) for part in LISTED.split(stretch)) >= quantity.value for stretch in stretches
    )


def _rounded(quantity: Quantity, evidence: Iterable[Quantity]) -> bool:
    for other in evidence:
        if other.kind in ("order", "vague") or other.value <= 0:
            continue
        ratio = other.value / quantity.value if quantity.value else 0
        if quantity.more and not quantity.less and 1 < ratio <= MORE_UP_TO:
            return True
        if quantity.less and LESS_DOWN_TO <= ratio < 1:
            return True
        if (quantity.about or quantity.less) and abs(ratio - 1) <= ABOUT and quantity.value >= 10:
            return True
    return False


def _bound_reasons(quantity: Quantity, alike: Sequence[Quantity], evidence: Sequence[Quantity]) -> list[Message]:
    """A bound ("more than 123") where the quote says 123, or the other bound."""
    others = [other for other in alike if other.kind != "order"]
    if not others or quantity.kind == "order" or not quantity.sure:
        return []
    if (
        quantity.more
        and not quantity.less
        and not any(other.more for other in others)
        and not _rounded(quantity, evidence)
    ):
        return [Message("it says more than {number}, its quote does not", number=quantity.text)]
    if quantity.less and not quantity.about and not quantity.more and all(other.more for other in others):
        return [Message("it says less than {number}, its quote more", number=quantity.text)]
    return []


def _unit_reasons(quantity: Quantity, alike: Sequence[Quantity]) -> list[Message]:
    if quantity.unit and alike and all(other.unit and other.unit != quantity.unit for other in alike):
        counted, claimed = UNITS[alike[0].unit], UNITS[quantity.unit]
        return [
            Message(
                "its quote's {number} counts {unit}, not {other}", number=quantity.text, unit=counted, other=claimed
            )
        ]
    return []


def _noun_reasons(
    quantity: Quantity, alike: Sequence[Quantity], evidence: Sequence[Quantity], claimed: Sequence[Quantity]
) -> list[Message]:
    """A number that counts something else in the quote, where the quote counts the claim's thing by another number."""
    if quantity.unit or not quantity.noun or quantity.kind == "order":
        return _unit_reasons(quantity, alike)
    elsewhere = [other for other in evidence if other.noun == quantity.noun and other.value != quantity.value]
    if any(other.noun == quantity.noun or other.unit or other.part for other in alike) or not elsewhere:
        return []
    # a number whose noun can't be told is doubted only if the claim has the other number too, with another noun
    exchanged = [
        other for other in elsewhere
        if any(twin.value == other.value and twin.noun != quantity.noun for twin in claimed)
    ]  # fmt: skip
    if not exchanged and any(not other.noun for other in alike):
        return []
    other = (exchanged or elsewhere)[0].text
    return [
        Message(
            "{number} is not its quote's number of “{noun}”: {other}",
            number=quantity.text,
            noun=quantity.noun,
            other=other,
        )
    ]


# reading


@cache
def _words() -> Mapping[str, tuple[str, float]]:
    """Number words -> their kind and value."""
    # a word of two lists is what the last says
    kinds = {"vague_numbers": "vague", "ordinals": "order", "pair_words": "both", "cardinals": "word"}
    return {
        word: (kind, float(value))
        for name, kind in kinds.items()
        for value, words in words_by_key(name).items()
        for word in words
    }


def is_number(word: str) -> bool:
    """Whether a word in lower case says how many."""
    return _words().get(word, ("", 0.0))[0] == "word"


@cache
def _scales() -> Mapping[str, float]:
    return {word: float(value) for value, words in words_by_key("magnitudes").items() for word in words}


@cache
def _bounds() -> Mapping[str, re.Pattern[str]]:
    """What stands before a number -> the pattern of it, at the end of a text."""
    return {
        name: re.compile(rf"(?<!\w)(?:{alternation(words)})(?!\w)\s+(?:an?\s+)?\W*$", re.I)
        for name, words in words_by_key("bounds").items()
    }


@lru_cache(65536)
def _unit(word: str) -> str:
    return next((name for name, words in _measures().items() if words.fullmatch(word)), "")


@cache
def _measures() -> Mapping[str, re.Pattern[str]]:
    return {name: pattern(words) for name, words in words_by_key("measures").items()}


def _word(pieces: Sequence[re.Match[str]], place: int) -> str:
    return (pieces[place]["word"] or "").lower() if 0 <= place < len(pieces) else ""


def _read(pieces: Sequence[re.Match[str]], place: int) -> tuple[str, float, int]:
    """Kind and value of the number that begins at a place, and the place behind it; the kind is "" if there is none."""
    word, before = _word(pieces, place), _word(pieces, place - 1)
    kind, value = _words().get(word, ("", 0.0))
    if digits := pieces[place]["digits"]:
        kind, value = "digits", float(GROUPS.sub("", digits).replace(",", "."))
    elif word in SMALL["a"] and _unit(_word(pieces, place + 1)):
        kind, value = "one", 1.0
    elif (scale := _scales().get(word)) == HUNDRED or (scale == THOUSAND and before in SMALL["scale"]):
        kind, value = "word", scale
    elif word in SMALL["moment"] and before in SMALL["per"] and not _word(pieces, place + 1):
        kind = ""  # of time
    place += 1
    if kind not in ("digits", "word"):
        return kind, value, place
    last = value
    if kind == "word":
        place, value = _compound(pieces, place, value)
    while scale := _scales().get(_word(pieces, place), 0.0):
        money = place > 1 and pieces[place - 2][0] in SIGNS
        if scale == last == 100 or (_word(pieces, place) == "m" and not money):
            break  # "10 m" are metres, "$10 m" millions
        value *= scale
        place += 1
    return kind, value, place


def _compound(pieces: Sequence[re.Match[str]], place: int, value: float) -> tuple[int, float]:
    """Adds the number words that go on one: "twenty-five", "three hundred and five", "сто двадцать три"."""
    while place < len(pieces):
        joined = pieces[place][0].lower() in {"-", *SMALL["and"]}
        word = _word(pieces, place + joined)
        kind, more = _words().get(word, ("", 0.0))
        tens = value % 100 >= 20 and value % 10 == 0 and 0 < more < 10
        if _scales().get(word) == HUNDRED and value < HUNDRED:
            value *= HUNDRED
        elif kind == "word" and ((value % 100 == 0 and value >= 100 and more < 100) or tens):
            if _word(pieces, place) in SMALL["and"] and value < HUNDRED:
                break
            value += more
        elif kind == "order" and tens:
            value += more
        else:
            break
        place += 1 + joined
    return place, value


def _counted(pieces: Sequence[re.Match[str]], begin: int, place: int) -> tuple[str, str]:
    """The unit of a number and the stem of the noun it counts, as far as the next words tell."""
    unit = SIGNS.get(pieces[begin - 1][0], "") if begin else ""
    if place < len(pieces) and pieces[place][0] in SIGNS:
        return SIGNS[pieces[place][0]], ""
    for match in pieces[place : place + 4]:
        word = (match["word"] or "").lower()
        if match[0] == "-":
            continue
        if not word:
            break
        if found := _unit(word):
            return unit or found, ""
        if word in STOP_WORDS:
            if word not in SMALL["between"]:
                break
            continue
        return unit, stem(word)
    return unit, ""
