"""Bytes -> text, in the encodings of Belarus and its neighbours; what can't be told for sure is refused.

Knows encodings. Does not know what the text is, or who claims what about it.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from ingest.document import UnreadableError
from language import Message

ENCODINGS = ["cp1251", "koi8_r", "cp866", "cp1252", "cp1250", "cp1257"]
MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# What a claim may lead to: no codec that runs anything, or that writes text as something else (UTF-7, rot13, punycode).
CLAIMABLE = re.compile(
    r"cp\d+|koi8_?[rut]|iso8859_\d+|mac_\w+|gb\w+|big5\w*|shift_jis\w*|euc_\w+|ptcp154|johab|tis_620"
)
OWN_CLAIM = re.compile(
    rb"""<meta[^>]+?charset\s*=\s*["']?\s*([\w.:-]+)|^\s*<\?xml[^>]+?encoding\s*=\s*["']([\w.:-]+)""", re.I
)
CLAIM_BYTES = 4096  # among these a page says its encoding (browsers look at 1024)
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
# Three Cyrillic letters or one typographic mark in UTF-8: in no other encoding does this come about by chance.
UTF8_STRETCH = re.compile(rb"(?:[\xd0\xd1][\x80-\xbf]){3}|\xe2\x80[\x90-\xa6]")
UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}")
LETTERS_A_STRAY_BYTE = 50  # UTF-8 is damaged, not something else, if so many letters are whole for one that is not

WORD = re.compile(r"[^\W\d_]+")
CYRILLIC = re.compile("[\u0400-\u052f]")
# marks that no text has between two letters, and marks that no text has at all
BETWEEN_LETTERS = re.compile("(?<=[^\\W\\d_])[¡-©¬®-¶¸-º¼-¿×÷‚†‡•‰‹›€№™](?=[^\\W\\d_])")
CHINESE = re.compile("[\u2e80-\uf8ff]{4}")  # what other text becomes if it is taken for UTF-16
NEVER = re.compile("[\x80-\x9f\u2320\u2321\u2500-\u259f\ufffd]")
# Of what Cyrillic languages write most, more than four letters in ten; of a wrong reading, three or fewer.
COMMON = set("оеаинтсі")
# The letters beyond ASCII of languages in Latin script, the frequent ones first.
ALPHABETS = (
    *("łąężśćóńź", "äüöß", "éàèêçùîôûâœëï", "áíóéñúü¿¡", "èàéùòì", "ãçáéóíõêâàú", "äöå", "åæøé", "éïëóöü"),
    *("íáéěýřčžšůúťóňď", "áíéčžýšľúťôňäóďŕĺ", "áéöőóüíúű", "ăîâşţșț", "čšžćđ", "ėšįžųčąūęė", "āīēšūņļžčģķ", "äõüöšž"),
    "ıüşçöğâîû",
)
LATIN_ENDS = "\u0250"
SCRIPT_DOUBT = 0.05  # Greek, Georgian, Chinese: believed where they are claimed
STRANGE = 0.08  # of the letters beyond ASCII; right readings stay below 0.05, wrong ones come above 0.15
DOUBT = 0.1  # so much stranger than the best reading may what a claim gives be
WINDOW = 100  # characters; of as many such pieces as hold 200 letters beyond ASCII, each is judged for itself
JUDGED = 300_000  # characters that are judged at most: half a second


class BinaryError(UnreadableError):
    """Bytes that are no text, or none in an encoding that can be told."""


def decode(raw: bytes, charset: str = "") -> str:
    """Bytes -> text, by their mark, as UTF-16, as UTF-8, as `charset` claims, or by likeness to ENCODINGS.

    A claim (of a header, of the page itself) is only believed of bytes that are not UTF-8, and if what comes out looks
    like words. UnreadableError if it is empty, binary, a mixture, or of no encoding that can be told. A stray byte in
    long UTF-8 becomes U+FFFD.
    """
    return decode_as(raw, (charset,))


def decode_as(raw: bytes, charsets: tuple[str, ...]) -> str:
    """As `decode`, with several claims: the first that fits is believed."""
    if not raw.strip():
        raise UnreadableError(Message("empty"))
    encoding = encoding_of(raw, charsets)
    try:
        text = no_binary(raw.decode(encoding))
    except UnicodeDecodeError as error:
        if encoding == "utf-8":  # `encoding_of` has seen that little is lost
            return no_binary(raw.decode(encoding, "replace"))
        damage = Message("damaged {encoding} text at byte {place}", encoding=encoding, place=error.start)
        raise UnreadableError(damage) from error
    if encoding in ("utf-16-le", "utf-16-be") and (found := CHINESE.search(text)):
        raise UnreadableError(
            Message("mixed encodings: UTF-16, but something else at byte {place}", place=2 * found.start())
        )
    return text


def encoding_of(raw: bytes, charsets: tuple[str, ...] = ()) -> str:
    """The encoding of a whole text, or of its beginning (which may end within a letter). Errors as in `decode`."""
    marked = next((MARKS[mark] for mark in MARKS if raw.startswith(mark)), None) or _utf16(raw)
    if marked:
        return marked
    try:
        raw.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        # the last bytes of a piece may be half a letter
        if error.start >= len(raw) - 3 and error.start > 0:
            return "utf-8"
    if b"\0" in raw:
        raise BinaryError(Message("binary, not text"))
    if _damaged_utf8(raw):
        return "utf-8"
    if found := UTF8_STRETCH.search(raw):
        raise UnreadableError(
            Message("mixed encodings: UTF-8 at byte {place}, something else elsewhere", place=found.start())
        )
    return _claimed_or_likeliest(raw, charsets)


def own_charset(raw: bytes) -> str:
    """The encoding that a page or an XML file names itself; empty if it names none."""
    found = OWN_CLAIM.search(raw[:CLAIM_BYTES])
    return (found[1] or found[2]).decode("ascii", "replace") if found else ""


def plain(text: str) -> str:
    """One kind of line end, and no halves of characters that can't be stored."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def no_binary(text: str) -> str:
    """The text as it is. UnreadableError if it holds a NUL, or more control characters than a text does."""
    if "\0" in text or len(CONTROL.findall(text[:100_000])) > len(text[:100_000]) / 200:
        raise BinaryError(Message("binary, not text"))
    return text


def _utf16(raw: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of spaces, digits and Latin letters is zero."""
    head = raw[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 20 < len(head) or min(even, odd) * 10 > max(even, odd):
        return None
    encoding = "utf-16-be" if even > odd else "utf-16-le"
    # zeros scattered over another text would make Chinese of it
    text = head[: len(head) // 2 * 2].decode(encoding, "replace")
    return encoding if sum(character > "\u2fff" for character in text) * 10 < len(text) else None


def _damaged_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8 but for a few stray bytes, as where a program cut a summary within a letter."""
    text = raw.decode("utf-8", "replace")
    stray = len(re.findall("\ufffd+", text))
    longest = max(map(len, re.findall("\ufffd+", text)), default=0)
    return longest <= 2 and len(UTF8_LETTER.findall(raw)) >= LETTERS_A_STRAY_BYTE * stray


def _claimed_or_likeliest(raw: bytes, charsets: tuple[str, ...]) -> str:
    ranked = sorted((_strangeness(raw, encoding), number) for number, encoding in enumerate(ENCODINGS))
    least, best = ranked[0]
    for charset in charsets:
        try:
            name = codecs.lookup(charset.strip().strip("\"'")).name.replace("-", "_")
        except (LookupError, ValueError):
            continue
        name = "cp1252" if name in ("iso8859_1", "ascii") else name  # as browsers do
        if CLAIMABLE.fullmatch(name) and _strangeness(raw, name) <= least + DOUBT:
            return name
    if least < STRANGE:
        return ENCODINGS[best]
    raise BinaryError(Message("binary, or text in mixed encodings or one that can't be told: save it as UTF-8"))


def _strangeness(raw: bytes, encoding: str) -> float:
    """How much of the strangest piece of a text can't be words, if it is read so: from 0 to 1; 2 if it can't be read.

    Each stretch is judged for itself, for a text may begin in one encoding and go on in another.
    """
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return 2.0
    text = text[:JUDGED]
    return min(1.0, max(map(_strange, _windows(text)), default=0.0) + _un_cyrillic(Counter(text.casefold())))


def _windows(text: str) -> Iterator[str]:
    kept = ""
    for start in range(0, len(text), WINDOW):
        kept += text[start : start + WINDOW]
        if sum(character > "\x7f" for character in kept) >= 200:
            yield kept
            kept = ""
    if kept and not kept.isascii():
        yield kept


def _strange(window: str) -> float:
    beyond, strange = 0, 0.0
    latin: Counter[str] = Counter()
    for word in WORD.findall(window):
        if word.isascii():
            continue
        foreign = len(CYRILLIC.findall(word))
        beyond += sum(character > "\x7f" for character in word)
        strange += min(foreign, len(word) - foreign)
        if word[0].islower() and len(word) > 1 and word[1:].isupper():
            strange += len(word)  # capital and small letters changed places
        else:
            strange += sum(left.islower() and right.isupper() for left, right in pairwise(word))
        if not foreign:
            latin.update(character for character in word.casefold() if "\x7f" < character < LATIN_ENDS)
            strange += SCRIPT_DOUBT * sum(character >= LATIN_ENDS for character in word)
    marks = len(BETWEEN_LETTERS.findall(window)) + len(NEVER.findall(window))
    if not beyond + marks:
        return 0.0
    return min(1.0, (strange + marks + _un_latin(latin)) / (beyond + marks))


def _un_cyrillic(seen: Counter[str]) -> float:
    """How far the letters are from what Cyrillic languages use most."""
    letters = sum(count for letter, count in seen.items() if CYRILLIC.match(letter))
    return max(0.0, 0.38 - sum(seen[letter] for letter in COMMON) / letters) * 2 if letters >= 6 else 0.0


def _un_latin(seen: Counter[str]) -> float:
    """How many of the letters the language that fits best does not have; a little more if it has, but hardly uses."""
    return min(
        sum(
            count * (1.0 if letter not in alphabet else 0.05 * alphabet.index(letter) / len(alphabet))
            for letter, count in seen.items()
        )
        for alphabet in ALPHABETS
    )
