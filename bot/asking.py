"""What a question asks for, by its form: a person, a number, a date, the speaker, yes or no.

Knows the questions of English, Russian and Belarusian. Does not know articles; whether a sentence holds what is asked
for it tells by the sentence's words alone.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from vectorstore import fold_key, without_times
from vectorstore.terms import WORD, terms

Kind = Literal["day", "duration", "money", "names", "number", "time", "person", "other"]
Form = Literal["said", "when", "count", "why", "timeline", "people", "definition", "forecast", "yes-no", "now"]
_FORMS: tuple[tuple[Form, str], ...] = (
    ("said", r"\bwho\b(?:\W+\w+){0,3}?\W+(?:said|says?|told|argue[sd]?|describe[sd]?|confirm(?:s|ed)|report(?:s|ed)|"
             r"announced?|warn(?:s|ed)|claim(?:s|ed)|call(?:s|ed)|gives?|gave|state[sd])\b|\bwhose words\b|"
             r"\baccording to (?:whom|which)|\bwith its speaker|\bкто\b.{0,20}(?:сказал|говорит|сообща?[ие]|заяв|"
             r"подтвер|утвержда|пишет)|\bхто\b.{0,20}(?:сказаў|паведа|кажа|заяв|піша)|по чьим"),
    ("when", r"\bwhen\b|\bdate of\b|\b(?:on |in )?(?:what|which) (?:date|day|year|month)\b|\buntil when|"
             r"\bкогда\b|в как(?:ом|ой) (?:году|месяц|день)|какого числа|\bкалі\b|у якім (?:годзе|месяц)"),
    ("count", r"\bhow (?:many|much|long|old)\b|\bnumber of\b|\b(?:сколько|колькі|скільки|ile|kiek)\b|"
              r"\bwhat (?:\w+ ){0,3}sentence\b|'s (?:prison )?sentence\b"),
    ("why", r"\bwhy\b|\bfor what reason|\bwhat (?:for|reason)|\b(?:почему|зачем|чаму|навошта)\b|по какой причине"),
    ("timeline", r"\bin (?:the )?(?:right )?order\b|\btimeline|\bchronolog|\bsequence of|"
                 r"\bwhat happened (?:to|with|between|after|since|in)\b|хронолог|храналог|по порядку|па парадку|"
                 r"что (?:случилось|произошло|происходило) с|што (?:здарылася|адбылося) з"),
    ("people", r"\b(?:every|each|list) (?:\w+ )?(?:person|people|names?)\b|\bthe names of\b|\bwho (?:is|are) named\b|"
               r"\b(?:кто|каго|кого) (?:упомина|назван|згад)|имена всех|всех людей|усіх людзей"),
    ("definition", r"^\W*(?:who|what)(?:'s| is| are) (?!the names?\b)[^?'’,]{2,30}\?*$|что такое|"
                   r"кто так(?:ой|ая|ие)|хто так(?:і|ая|ія)|(?:кто|хто) (?:это|гэта)\s*[–—-]|што такое|"
                   r"\btell me about\b|расскажи о|раскажы пра"),
    ("forecast", r"^\W*(?:and |so |but )?(?:will|would|could|might|should)\b|\b(?:is|are) \w+ (?:going|likely) to\b|"
                 r"\bbe likely\b|\bin the future\b|\bнастанет|будет ли|будут ли|станет ли|\bці (?:будзе|стане)"),
    ("yes-no", r"^\W*(?:and |so |but |or )*(?:is|are|was|were|do|does|did|has|have|had|can|isn't|wasn't|didn't)\b|"
               r"^\W*\w+ ли\b|\bли\b|\bправда ли|^\W*(?:а |і |и |но )?ці\b"),
    ("now", r"\b(?:today|(?<!from )now|nowadays|currently|at present|at the moment|right now|to date|these days)\b|"
            r"\b(?:сейчас|сегодня|ныне|на данный момент|зараз|сёння|цяпер)\b"),
)  # fmt: skip
FORMS = [(form, re.compile(pattern, re.I)) for form, pattern in _FORMS]
REASON = re.compile(
    r"\b(?:because|since|due to|as part of|in exchange|in return|after|so that|in order|for safety|grounds|reason|"
    r"linked|deal|request|wants?|to (?:show|reunite|stop|get|make|press)|за то|из-за|потому|так как|чтобы|в связи|"
    r"в обмен|по просьбе|по договор|бо\b|каб|таму|з-за|у абмен)",
    re.I,
)
POSSIBLE = re.compile(
    r"\b(?:could|may|might|will|would|expects?|expected|hopes?|plans?|likely|possible|sees no|promis\w+|intend\w*|"
    r"asked|urged|warned|can\b|могут|может|будет|будут|ожида|надеет|возможно|обеща|можа|могуць|будзе|чака)",
    re.I,
)
NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|dozens?|hundreds?|"
    r"thousands?|millions?|billions?|half|both|several|од[инаныо]+|дв[аеух]+|три|тр[её]х|четыре|пять|шесть|семь|"
    r"восемь|девять|десять|сотн\w+|тысяч\w*|миллион\w*|тры|чатыры|пяць|шэсць|сем|восем|дзевяць|дзесяць)"
)
NUMBER = re.compile(rf"\d[\d,.]*|\b{NUMBER_WORD}\b", re.I)
AMOUNT = re.compile(  # tells how many without a number
    r"\b(?:once|twice|thrice|none|all|most|first|second|third|fourth|fifth|half|quarter|majority|few|only|no|single|"
    r"pair|couple|nobody|никто|все|вс[её]х?|большинств\w+|половин\w+|пол|дважды|один|единственн\w+|усе|большасць|"
    r"палова)\b",
    re.I,
)
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|январ\w*|феврал\w*|март\w*|апрел\w*|ма[йяе]|июн\w*|июл\w*|август\w*|сентябр\w*|"
    r"октябр\w*|ноябр\w*|декабр\w*|студзен\w*|лют\w+|сакавік\w*|красавік\w*|чэрвен\w*|ліпен\w*|жні\w+|верасн\w*|"
    r"кастрычнік\w*|лістапад\w*|снежн\w*)"
)
TIME = re.compile(
    rf"\b(?:1\d|20)\d\ds?\b|\b{MONTH}\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:today|yesterday|tomorrow|"
    r"centur\w+|decade)\b|понедельник|вторник|сред[ау]|четверг|пятниц|суббот|воскресен|вчера|сегодня|нядзел|аўтор|"
    r"чацвер|пятніц|субот|учора|сёння|\bвек[ае]?\b",
    re.I,
)
DAY = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{MONTH}\b|\b{MONTH}\s+\d{{1,2}}\b", re.I)
WEEKDAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
DURATION = re.compile(
    rf"(?:\d[\d,.]*|\b{NUMBER_WORD}|\ban?|\bseveral|\bmany)[\s-]+(?:\w+\s+)?(?:years?|months?|weeks?|days?|hours?|"
    r"minutes?|seconds?|decades?|centur\w+|лет|год\w*|месяц\w*|недел\w*|д(?:ней|ня|ень)|час\w*|гадоў|гады|тыдн\w*|"
    r"дзён|дні)\b",
    re.I,
)
STRETCH = re.compile(
    r"\b(?:from|since|until|till|between|с|до|да|з)\b[^.]{0,20}\d{4}|\b\d+:\d\d\b|\b(?:until|throughout) the\b", re.I
)
MONEY = re.compile(
    r"[$€£¥%]|\b(?:dollars?|euros?|rou?bles?|pounds?|usd|eur|per ?cent|cents?|доллар\w*|рубл\w*|евро)\b", re.I
)
# What a question asks for. Those of the first group are meant wherever they stand, of the second the first one is.
_ALWAYS: dict[Kind, str] = {
    "day": r"\b(?:calendar|exact|precise|what|which) date\b|\bdate of\b|какого числа|точная дата|якога чысла",
    "duration": r"\bhow long\b|\bhow (?:many|much) (?:years|months|days|weeks|hours|time)\b|^\W*(?:what|which)\b[^?]"
    r"{0,60}\b(?:prison|jail) (?:sentence|term)\b|^\W*(?:what|which) sentence\b|сколько (?:лет|дней|месяцев|времени)|"
    r"как долго|какой срок|колькі (?:гадоў|дзён|месяцаў|часу)|які тэрмін",
    "money": r"\bhow much\b(?!\s+(?:of|more|longer|time))(?=.*\b(?:cost|earn\w*|pay|paid|worth|spen[dt]|money|make|"
    r"made|price|salary|revenue|lose|lost|invest\w*)\b)|\b(?:price|cost|salary|net worth) of\b|"
    r"сколько (?:стоит|стоил\w*|заработ\w+|денег)|колькі (?:каштуе|грошай|зарабі\w+)",
    "names": r"\b(?:the|all) names\b|\bwho (?:are|were) the (?:other|rest)|\bname (?:all|every)|имена всех|"
    r"кто остальные|імёны ўсіх",
}
_FIRST: dict[Kind, str] = {
    "number": r"\bhow (?:many|much|old|far|tall|big|large|high|often)\b|\b(?:what|which) (?:number|percent\w*|share)\b|"
    r"\bpopulation\b|сколько|колькі",
    "time": r"\bwhen\b|\b(?:what|which) (?:year|day|month|century)\b|когда|в каком (?:году|месяце)|в какой день|калі|"
    r"у якім (?:годзе|месяцы)",
    "person": r"^\W*(?:by |to |for |with )?(?:who(?:m|se)?)\b|^\W*(?:кто|кого|кому|кем|чьи?|хто|каго|каму)\b",
    "other": r"^\W*(?:\w+ )?where\b|\bwhy\b|\b(?:где|куда|дзе|куды|почему|зачем|чаму)\b",
}
IS_SOMEBODY = re.compile(r"^\W*(?:who|кто|хто) (?:is|are|was|were|так\w+) (?!the |a |an |to |in )[\w .'’-]+\?*$", re.I)
WHAT = re.compile(r"\b(?:what|which)\b", re.I)
ALWAYS = {kind: re.compile(pattern, re.I) for kind, pattern in _ALWAYS.items()}
FIRST = {kind: re.compile(pattern, re.I) for kind, pattern in _FIRST.items()}
# Words of questions, which say nothing of what they are about, in English, Russian and Belarusian.
EMPTY = frozenset(
    word
    for words in (
        "a an the of to in on at by for from with and or is are was were be been do does did has have had what",
        "which who whom whose when where why how many much it its that this these those as not no he she they his",
        "her their them him i you we there about according article say said tell told give please",
        "will would could can may might should must shall",
        "кого кому кем чего чему чем каго каму кім чаго чаму чым",
        "сколько что кто как когда где почему зачем какой какая какие чей и в на о об а по с у к из для ли не это",
        "будет будут может могут можа могуць будзе будуць",
        "был была было были колькі хто калі дзе чаму што які якая якія чый ці і ў з да пра гэта быў",
    )
    for word in terms(words)
)
# A sentence that begins so leans on the one before it, and is quoted together with it.
LEANS_BACK = re.compile(
    r"\W*(?:he|she|it|they|his|her|its|their|this|these|those|that|he's|she's|it's|"
    r"он|она|оно|они|его|её|ее|их|это|эти|этот|эта|ён|яна|яно|яны|яго|яе|іх|гэта|гэты|гэтая|гэтыя)\b",
    re.I,
)
# Capitalised words that are no names somebody could be a stranger by.
COMMON = frozenset(
    word
    for line in (
        "monday tuesday wednesday thursday friday saturday sunday january february march april june july august",
        "september october november december president western american european general",
    )
    for word in line.split()
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for; `forms` is empty for a question of another form.

    `kind` is the kind of thing an answer must hold, "other" if it may be anything.
    """

    question: str
    forms: frozenset[Form]
    kind: Kind

    def __contains__(self, form: Form) -> bool:
        return form in self.forms

    def told_by(self, text: str, named: Set[str], asked_about: Set[str]) -> bool:
        """Whether a text holds something of the kind that is not in the question.

        `named` are the known names in the text, `asked_about` those in the question.
        """
        lower = self.question.lower()

        def new(pattern: re.Pattern[str], where: str) -> bool:
            return any(match[0].lower() not in lower for match in pattern.finditer(where))

        match self.kind:
            case "day":
                return new(DAY, text)
            case "time":
                return new(TIME, text)
            case "duration":
                return new(DURATION, text) or bool(STRETCH.search(text))
            case "money":
                return bool(MONEY.search(text)) and new(NUMBER, text)
            case "number":
                return new(NUMBER, without_times(text)) or bool(AMOUNT.search(text))
            case "names":
                return len({word for word in _capitalised(text) if _is_new(word, self.question)}) >= 3
            case "person":
                return (
                    bool(named - asked_about)
                    or any(_is_new(word, self.question) for word in _capitalised(text))
                    or _opens_with_name(text, self.question)
                )
        return True


@lru_cache(maxsize=256)  # choosing and judging ask it of the same question
def asked(question: str) -> Asked:
    """What the question asks for: what ends with a question mark, not what is said before it."""
    question = " ".join(re.findall(r"[^.!?]*[?]", question)) or question
    return Asked(question, frozenset(form for form, pattern in FORMS if pattern.search(question)), _kind(question))


def _kind(question: str) -> Kind:
    for kind, pattern in ALWAYS.items():
        if pattern.search(question):
            return kind
    found = [(match.start(), kind) for kind, pattern in FIRST.items() if (match := pattern.search(question))]
    if not found or IS_SOMEBODY.search(question):
        return "other"
    start, kind = min(found)
    what = WHAT.search(question)
    # "What did he do when ...?" asks for no time
    return "other" if kind == "time" and what and what.start() < start else kind


def _capitalised(text: str) -> list[str]:
    """Capitalised words, without those that open a sentence, unless a capitalised one follows."""
    words = list(WORD.finditer(text))
    made = []
    for place, word in enumerate(words):
        if word[0][0].isupper():
            opens = not place or text[: word.start()].rstrip(" \"“”«»'`‘’(")[-1:] in ".!?…"
            if not opens or (place + 1 < len(words) and words[place + 1][0][0].isupper()):
                made.append(word[0])
    return made


def _is_new(word: str, question: str) -> bool:
    known = {fold_key(one) for one in WORD.findall(question)}
    return (
        fold_key(word) not in known
        and word.lower() not in question.lower()
        and word.lower() not in COMMON
        and not TIME.search(word)
    )


def _opens_with_name(text: str, question: str) -> bool:
    first = WORD.search(text)
    return (
        first is not None
        and first[0][0].isupper()
        and not LEANS_BACK.match(text)
        and not set(terms(first[0])) & (EMPTY | set(terms(question)))
    )
