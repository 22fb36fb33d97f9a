"""Whether what was found answers a question: how near it is, and whether it lacks or contradicts what is asked.

Knows likeness, words, and the kinds of things questions ask for. Does not know how passages are found or quoted.

Two parts, because they are learnt from different things. `_logit` is a logistic regression on likeness and shared
words, fitted on questions and passages of CLAP NQ: it knows a passage that is about something else. It is not asked
where something surer ties the two together (`_is_on_topic`): among articles all about one thing it tells nothing. The
rules know passages that are on the topic and still do not answer: the kind of thing asked for is not there, a name is
not in the sentence, a verb, number or day of the question is contradicted. Measured: benchmarks/RESULTS.md, "refusal".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from bot.asking import COMMON, EMPTY, LEANS_BACK, TIME, WEEKDAY, Asked, Kind, asked
from bot.followup import Question
from vectorstore import Hit, Mention, Names, Sentence, fold_key, folded, without_times
from vectorstore.terms import CYRILLIC, WORD, terms

# Fitted on all 600 questions of CLAP NQ's development half (logistic regression, C=1): cosine of the nearest passage,
# cosine of its title (near through the title alone does not answer), mean cosine of its sentences, share of the
# question's words found anywhere, number of the question's words.
MEANS = (0.8649, 0.8284, 0.7972, 0.5855, 4.89)
SPREADS = (0.035, 0.0411, 0.0352, 0.2563, 1.4622)
WEIGHTS = (2.427, -1.188, 0.786, 0.381, -0.412)
INTERCEPT = -0.129
RELEVANT = -0.3  # least logit
# Of a question in another script than the sentences found: the cosine of the nearest less this share of what it owes to
# its language, and the least that answers. Measured: benchmarks/LOG.md, "Refusal across scripts".
OWED, ACROSS = 0.5, 0.41
LACKING = 0.75  # a sentence that lacks this much does not answer
MOST_WORDS = 12
LEANING_WEIGHT = 0.5  # of the words of the questions that a question leans on
NAME_WEIGHT = 0.85
# In the choice of the sentence that fits best, as in bot.quoting: its cosine, and shares of the question's words.
WORDS_WEIGHT = 0.1
NEAR_WEIGHT = 0.6
SECOND_BEST = 0.05
KIND_COST, NAME_COST, CONFLICT_COST = 0.05, 0.04, 0.03
UNSAID_COST = 0.5  # sentences need not say where it happens, nor name the one whom most articles at hand are about
FEW_ARTICLES = 4
ACTS = re.compile(r"\b(?:did|does|do|has|have|had|will|would)\s+(?:the\s+)?$", re.I)
SAYS = re.compile(r"\s+(?:say|report|tell|claim|count|give|put)\b", re.I)
CONTEXT_SENTENCES = 3  # before a sentence in which the one it speaks of may be named
OTHER_TIME = "Nothing that was found tells of this for the time asked about."
TAKEN_FOR_GRANTED = "Nothing that was found says what the question takes for granted."
NOT_NOW = "Nothing tells how it is today: each quote is as old as its article."
NOT_TOLD: Mapping[Kind, str] = {
    "day": "The articles found give no calendar date for this.",
    "time": "The articles found do not say when.",
    "duration": "The articles found do not say how long.",
    "money": "The articles found give no sum of money for this.",
    "names": "The articles found do not give these names.",
    "number": "The articles found give no number for this.",
    "person": "The articles found do not say who.",
}
# Beginnings of the stems of verbs and their opposites.
Stems = tuple[str, ...]
OPPOSITES: list[tuple[Stems, Stems]] = [
    (tuple(one.split()), tuple(other.split()))
    for one, other in (
        (
            "lift eas remov drop relax waiv suspend unblock сня снима ослаб смягч отмен скасав зня",
            "impos tighten introduc slap toughen prolong extend maintain widen bar ban введ ввод ввел ввест ужесточ "
            "продл увод увял падоўж",
        ),
        ("confirm acknowledg admit подтверд подтвержда пацверд", "deni refut disput reject опроверг отрица абверг"),
        (
            "prais welcom applaud hail celebr похвал хвал приветств вітал",
            "critic critici condemn warn denounc blame slam осуд крити предупред асуд папярэд",
        ),
        (
            "releas free freed pardon освобод помилов отпуст вызвал памілав",
            "arrest jail imprison detain sentenc convict арест задерж посад осужд затрым асудж",
        ),
        ("win won victori побед выигра перамо", "lose lost defeat проигр прайгр"),
        ("accept agre approv соглас прин пагадз", "refus reject declin отказ адмов"),
        (
            "increas rise rose grow grew expand rais увелич рост вырос павял",
            "decreas fall fell declin shrink reduc cut уменьш сниз упа сократ зменш",
        ),
        ("begin start began launch open начал старт пача", "end stop halt finish close законч прекра останов спын"),
        ("join enter вступ", "leav left quit withdraw exit вышл покину выйш пакін"),
        ("support back endors favour favor поддерж падтрым", "oppos against resist против супраць"),
        ("allow permit authori разреш дазвол", "ban prohibit forbid block запре забара"),
        ("buy bought purchas купи", "sell sold прода"),
    )
]
VERBS_KNOWN = frozenset(("en", "ru", "be"))  # the languages of these stems
STANCES = frozenset(
    stem
    for words in (
        "prais welcom applaud critic agre support confirm deni",
        "хвал похвал соглас поддерж подтверж подтверд пагадз падтрым пацверд",
    )
    for stem in words.split()
)
MEASURES = OPPOSITES[0]  # what states do with sanctions
POWERS = frozenset(("European Union", "United States", "Russia", "Ukraine", "Poland"))
SANCTIONS = re.compile(
    r"sanc|sanzion|embargo|restrict|\bban|curb|санкц|эмбарго|ограничен|запрет|обмежен|заборон|абмежав|забарон|эмбарга|"
    r"sankc|zakaz|draudim",
    re.I,
)
# What they are on besides people and companies, across languages.
SANCTIONED = [
    re.compile(words, re.I)
    for words in (
        r"potas|кал[иі][йяюе]|\bkali[oe]",
        r"\boil\b|petroleum|нефт|нафт|\brop[ay]\b|naft",
        r"tobacco|табач|табак|тытун|тютюн|tabak|tyto[nń]",
        r"avia|airlin|авиа|авія|lotnic",
        r"\bbank|\bбанк",
        r"timber|\bwood|древесин|драўнін|деревин|drewn|mediena",
    )
]
# Kinship has few other words: where none of a line stands, nothing tells of such a relative.
KIN = [
    frozenset(term for word in words.split() for term in terms(word))
    for words in (
        "husband wife wives spouse married муж жена супруг супруга жонка",
        "son daughter child children mother father parents сын дочь дочери дети мать матери отец отца родители дачка "
        "дзеці маці бацька",
        "brother sister siblings брат сестра сёстры",
    )
]
# So have these feelings, of which a near sentence about somebody says nothing.
FEELINGS: list[Stems] = [
    tuple(stems.split())
    for stems in (
        "regret remors sorri apolog repent сожал раска извин шкад прабач",
        "fear afraid scare dread worri боит боял опаса баицц баял",
        "hate hatr despis loath ненави пагард",
        "jealous envi завид зайздрос",
        "proud pride горд ганар",
        "asham shame стыд сорам",
    )
]
HAPPENED = frozenset(terms("happen happened happening случилось случился произошло происходило здарылася адбылося"))
ASKS_WORDS = re.compile(
    r"\b(?:what|which|how)\b.*\b(?:did|does|do|has|have)\b.*\b(?:say|said|tell|told|state|comment|announce|claim|report|"
    r"argue|warn|reply|respond|think|write|ask|call|add|describe)\b|\bчто (?:сказал\w*|говорит\w*|заявил\w*|"
    r"сообщил\w*)|\bшто (?:сказа\w*|кажа\w*|заявіл\w*|паведам\w*)",
    re.I,
)
SAID = (
    r"\b(?:says?|said|saying|tells?|told|stat(?:es|ed)|commented|announced|claim(?:s|ed)|report(?:s|ed)|argu(?:es|ed)|"
    r"warn(?:s|ed)|repli(?:es|ed)|responded|thinks?|thought|wrote|writes|ask(?:s|ed)|call(?:s|ed)|add(?:s|ed)|"
    r"describ(?:es|ed)|сказал\w*|заявил\w*|сообщил\w*|говорит|говорил\w*|написал\w*|сказа[ўл]\w*|заяві[ўл]\w*|"
    r"паведамі[ўл]\w*|кажа)\b"
)
SPEAKER_FIRST = re.compile(rf"\W*(?:\w+\W+){{0,2}}?{SAID}", re.I)
SPEAKER_LAST = re.compile(rf"{SAID}\W*(?:\w+\W+){{0,2}}$", re.I)
ABOUT_THE_ARTICLE = re.compile(
    r"\b(?:wrote|author|written|published)\b.*\barticle\b|\barticle\b.*\b(?:wrote|author|written|published)\b|"
    r"\b(?:who wrote|author of) (?:this|the) (?:article|text|report|story)|автор статьи|"
    r"кто (?:написал|автор)|хто (?:напісаў|аўтар)",
    re.I,
)
ARTICLE = re.compile(r"\b(?:articles?|text|story|report)\b|стат[ьеі]|артыкул", re.I)
BESIDE = re.compile(  # a number that what answers need not hold
    r"\b(?:as against|besides|apart from|in addition to|other than|помимо|кроме|апрача|акрамя)\s+(?:the\s+)?\d[\d,.]*",
    re.I,
)
QUOTED = re.compile(r"[\"“«]([^\"”»]{6,})[\"”»]")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether what was found answers; `reason` says why not, in a sentence for people.

    `in_part`: it tells of what is asked about, and lacks only the kind of thing that is asked for. `by_rule`: the rules
    settled it, not the regression.
    """

    answers: bool
    in_part: bool = False
    reason: str = ""
    by_rule: bool = True


@dataclass(frozen=True, slots=True)
class Likeness:
    """A question's cosines: with an article's `title`, and with texts of a `language`, whatever they say."""

    title: Callable[[str], float]
    language: Callable[[str], float]


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence of a hit with the terms and known names in it and in what it may lean on."""

    article: str
    lang: str
    sentence: Sentence
    text: str
    context: str  # its title, the sentences before it that it leans on, and itself
    told: str  # itself, and the sentence before it if it leans on that
    held: frozenset[str]
    near: frozenset[str]


def judge(question: Question, hits: Sequence[Hit], names: Names, likeness: Likeness) -> Judgement:
    """Judges the hits of a question; its likeness is asked for at most one title."""
    wanted = asked(question.text)
    lines = list(_lines(hits, names))
    bare, *leans_on = (timeless(line, hits) for line in (wanted.question, *question.leans_on))
    words = _weights(bare, leans_on, names)
    mentions = names.mentions(wanted.question)
    unsaid = {one.name for one in mentions if one.kind == "places" and not _acts(one, wanted.question)}
    unsaid |= _everywhere(lines)
    known = {one.name: UNSAID_COST if one.name in unsaid else 1.0 for one in mentions}
    strangers = _strangers(wanted.question, names)
    then = _told_then(bare, words, lines)
    best, kind, missing, conflict = _best(wanted, bare, words, known, strangers, lines, then)
    speakers = [one.name for one in mentions if one.kind != "places"]
    if ABOUT_THE_ARTICLE.search(wanted.question):
        return Judgement(False, reason="Of an article, the collection knows the publisher and the date, no more.")
    if (
        speakers
        and ASKS_WORDS.search(wanted.question)
        and not any(_speaks(name, line.text, names) for name in speakers for line in lines if name in line.held)
    ):
        return Judgement(False, reason=f"The articles found hold no words of {' or '.join(speakers)} on this.")
    if unheard := _unheard(wanted.question, lines):
        return Judgement(False, reason=unheard)
    if "yes-no" not in wanted and _another_power(wanted.question, known.keys() & POWERS, lines):
        return Judgement(False, reason=TAKEN_FOR_GRANTED)
    if missing >= LACKING:
        unnamed = [name for name in known if name not in best.near]
        unnamed += [" ".join(run) for run in strangers if not _named(run, best.context)]
        return Judgement(False, reason=f"Nothing that was found says this of {' and '.join(unnamed)}.")
    if _at_another_time(wanted.question, lines):
        return Judgement(False, reason=OTHER_TIME)
    if "now" in wanted and conflict in ("", OTHER_TIME):
        return Judgement(False, in_part=True, reason=NOT_NOW)
    if conflict:
        return Judgement(False, reason=conflict)
    tied = bool(then) or _is_on_topic(question, bare, words, set(speakers), strangers, lines)
    if tied:
        near = True
    elif _same_script(question.text, lines):
        whole = _weights(wanted.question, question.leans_on, names)  # with its times, as the regression was fitted
        near = _logit(_features(hits, whole, lines, likeness)) > RELEVANT
    else:
        near = _nearest_across(hits, likeness) >= ACROSS
    if kind and (tied or any(known.keys() & line.near for line in lines)):
        return Judgement(False, in_part=near, reason=NOT_TOLD.get(wanted.kind, "") if near else "")
    return Judgement(near, by_rule=tied)


def _unheard(question: str, lines: Sequence[_Line]) -> str:
    """Why nothing can answer: the question is about a relative, a feeling or one side of a stance that no sentence has.

    Empty if that is not so, or where most sentences are of another script than the question.
    """
    if not _same_script(question, lines):
        return ""
    words = terms(question)
    if any(not kin.isdisjoint(words) and all(kin.isdisjoint(line.held) for line in lines) for kin in KIN):
        return "Nothing that was found speaks of such a relative."
    if any(_holds(words, felt) and not any(_holds(line.held, felt) for line in lines) for felt in FEELINGS):
        return "Nothing that was found speaks of such a feeling."
    stances = {stem for stem in STANCES if _holds(words, (stem,))}
    sides = [side for pair in OPPOSITES for side in pair if not stances.isdisjoint(side)]
    unsaid = any(not any(_holds(line.held, side) for line in lines) for side in sides)
    return TAKEN_FOR_GRANTED if unsaid else ""


def _at_another_time(question: str, lines: Sequence[_Line]) -> bool:
    """Whether what was found of the time that the question names has none of its verbs, so far as that can be seen."""
    sides = _sides(question)
    told = [line for line in lines if line.sentence.timely]
    readable = bool(told and sides) and all(line.lang in VERBS_KNOWN for line in told)
    return readable and not any(_holds(line.near, one) for line in told for one, _ in sides)


def _another_power(question: str, powers: Set[str], lines: Sequence[_Line]) -> bool:
    """Whether the sanctions that the question takes to be lifted, or imposed, by a power were so by others alone.

    So it is if no sentence that names the power has the question's verb beside sanctions and what they are on, while
    one that names another has the verb, or one that names the power has the opposite.
    """
    measure = next((sides for sides in _sides(question) if sides[0] in MEASURES), None)
    if measure is None or len(powers) != 1:
        return False
    one, other = measure
    things = [thing for thing in SANCTIONED if thing.search(question)]
    own: list[_Line] = []
    of_others: list[_Line] = []
    for line in lines:
        if POWERS & line.held and not powers <= line.held:
            of_others.append(line)
        elif powers <= line.near:
            own.append(line)
    told = [line for line in own if SANCTIONS.search(line.text) and all(thing.search(line.context) for thing in things)]
    if any(_holds(line.held, one) for line in told):
        return False
    return any(_holds(line.held, other) for line in own) or any(_holds(line.held, one) for line in of_others)


def _everywhere(lines: Sequence[_Line]) -> set[str]:
    """The known names that more than half of the articles at hand hold; none where there are but a few."""
    articles: dict[str, set[str]] = {}
    for line in lines:
        articles.setdefault(line.article, set()).update(line.near)
    if len(articles) < FEW_ARTICLES:
        return set()
    held = Counter(name for some in articles.values() for name in some)
    return {name for name, count in held.items() if 2 * count > len(articles)}


def _acts(place: Mention, question: str) -> bool:
    """Whether a place is the one who does what is asked about: "did Russia release", not "does Minsk say"."""
    return bool(ACTS.search(question[: place.start])) and not SAYS.match(question[place.end :])


def _best(
    wanted: Asked,
    bare: str,
    words: Mapping[str, float],
    known: Mapping[str, float],
    strangers: Sequence[Sequence[str]],
    lines: Sequence[_Line],
    then: Sequence[_Line],
) -> tuple[_Line, bool, float, str]:
    """The line that fits best, whether it lacks the kind asked for, how many names, and what it contradicts.

    `bare` is the question without its times; where there are lines that tell of it `then`, those of other times are
    left out.
    """
    question = wanted.question
    cyrillic = bool(CYRILLIC.search(question))
    figures = _figures(BESIDE.sub(" ", bare))
    weekdays = {found.lower() for found in WEEKDAY.findall(question)}
    made = []
    for line in lines:
        same = bool(CYRILLIC.search(line.text)) == cyrillic
        missing = sum(cost for name, cost in known.items() if name not in line.near)
        missing += sum(not _named(run, line.context) for run in strangers) if same else 0
        absent = figures - _figures(line.context)
        conflict = ""
        same_day = weekdays & {found.lower() for found in WEEKDAY.findall(line.context)}
        if (line.sentence.timely is False and not same_day) or (weekdays and not same_day):
            conflict = OTHER_TIME
        elif same and opposed(question, line.text):
            conflict = TAKEN_FOR_GRANTED
        elif figures and len(absent) / len(figures) >= LACKING:
            conflict = f"Nothing that was found says this of {' and '.join(sorted(absent))}."
        kind = not wanted.told_by(line.told, line.held, known.keys())
        own = _share(words, line.held)
        score = line.sentence.cosine + WORDS_WEIGHT * (own + NEAR_WEIGHT * (_share(words, line.near) - own))
        score -= KIND_COST * kind + NAME_COST * min(1.0, missing) + CONFLICT_COST * bool(conflict)
        made.append((score, line, kind, min(1.0, missing), conflict))
    if any(line in then and not conflict for _, line, _, _, conflict in made):
        made = [one for one in made if one[4] != OTHER_TIME]
    first = max(made, key=lambda one: one[0])
    # nothing is refused for what one sentence says otherwise while the next best says it
    whole = [one for one in made if not one[4] and one[3] < LACKING and _affirms(question, one[1].held)]
    second = max(whole, key=lambda one: one[0], default=first)
    _, best, kind, missing, conflict = second if second[0] >= first[0] - SECOND_BEST else first
    # "Ada Lund keeps the lighthouse. She has kept it since 1998."
    goes_on = (line for line in lines if line.told != line.text and line.told.startswith(best.text))
    kind = kind and not any(wanted.told_by(line.told, line.held, known.keys()) for line in goes_on)
    return best, kind, missing, conflict


def _lines(hits: Sequence[Hit], names: Names) -> Iterable[_Line]:
    seen: set[tuple[str, int]] = set()
    titles: dict[str, frozenset[str]] = {}
    for hit in hits:
        title = hit.article.title
        if title not in titles:
            titles[title] = frozenset((*terms(title), *(mention.name for mention in names.mentions(title))))
        texts = [hit.article.text[one.span.start : one.span.end] for one in hit.sentences]
        held = [frozenset((*terms(text), *one.names)) for text, one in zip(texts, hit.sentences, strict=True)]
        for place, (sentence, text) in enumerate(zip(hit.sentences, texts, strict=True)):
            if (hit.article.id, sentence.span.start) in seen:
                continue
            seen.add((hit.article.id, sentence.span.start))
            leans = bool(LEANS_BACK.match(text))
            reach = CONTEXT_SENTENCES if leans or text[:1] in "“\"«‘'" else 1
            first = max(0, place - reach)
            yield _Line(
                hit.article.id,
                hit.article.lang,
                sentence,
                text,
                " ".join((title, *texts[first : place + 1])),
                " ".join(texts[max(0, place - 1) : place + 1]) if leans else text,
                held[place],
                titles[title].union(*held[first : place + 1]),
            )


def _weights(question: str, leans_on: Sequence[str], names: Names) -> dict[str, float]:
    """Terms and known names of a question and of those it leans on, with their weights.

    Long words are rare ones: their length stands in for a table of frequencies, in any language.
    """
    found: dict[str, float] = {}
    for share, lines in ((1.0, [question]), (LEANING_WEIGHT, leans_on)):
        for line in lines:
            rest = line
            for mention in reversed(names.mentions(line)):
                rest = f"{rest[: mention.start]} {rest[mention.end :]}"
                found.setdefault(mention.name, share * NAME_WEIGHT)
            for word in WORD.findall(rest):
                weight = 1.0 if any(c.isdigit() for c in word) else min(1.0, 0.15 + 0.085 * len(word))
                for term in terms(word):
                    if term not in EMPTY:
                        found.setdefault(term, share * weight)
    return found


def _share(words: Mapping[str, float], held: Iterable[str]) -> float:
    return sum(words.get(word, 0.0) for word in held) / (sum(words.values()) or 1.0)


def relevance_features(question: Question, hits: Sequence[Hit], names: Names, likeness: Likeness) -> tuple[float, ...]:
    """What the regression weighs, in the order of WEIGHTS; see there."""
    words = _weights(asked(question.text).question, question.leans_on, names)
    return _features(hits, words, list(_lines(hits, names)), likeness)


def _features(
    hits: Sequence[Hit],
    words: Mapping[str, float],
    lines: Sequence[_Line],
    likeness: Likeness,
) -> tuple[float, ...]:
    nearest = max(hits, key=lambda hit: hit.cosine)
    found = frozenset[str]().union(*(line.held for line in lines))
    return (
        nearest.cosine,
        likeness.title(nearest.article.title) if nearest.article.title else MEANS[1],
        sum(one.cosine for one in nearest.sentences) / len(nearest.sentences),
        _share(words, found),
        min(len(words), MOST_WORDS),
    )


def _logit(features: Sequence[float]) -> float:
    """Above 0 a passage rather answers than not, by CLAP NQ."""
    parts = zip(features, MEANS, SPREADS, WEIGHTS, strict=True)
    return INTERCEPT + sum(weight * (value - mean) / spread for value, mean, spread, weight in parts)


def _nearest_across(hits: Sequence[Hit], likeness: Likeness) -> float:
    """The likeness of the nearest sentence, less a share of what its language makes of it."""
    owed = {lang: OWED * likeness.language(lang) for lang in {hit.article.lang for hit in hits}}
    return max(one.cosine - owed[hit.article.lang] for hit in hits for one in hit.sentences)


def _is_on_topic(
    question: Question,
    bare: str,
    words: Mapping[str, float],
    known: Set[str],
    strangers: Sequence[Sequence[str]],
    lines: Sequence[_Line],
) -> bool:
    """Whether something ties question and passages together that likeness can't see.

    The question leans on earlier ones, asks about the article, or shares a name, a number or a quotation with what was
    found, or one sentence holds all its words. A place's name is not enough, nor is a time (`bare` has none).
    """
    if question.leans_on or ARTICLE.search(question.text):
        return True
    text = " ".join(line.context for line in lines)
    if any(known & line.near for line in lines) or _figures(bare) & _figures(text):
        return True
    keys = {fold_key(word) for word in WORD.findall(text)}
    if any(all(fold_key(word) in keys for word in run) for run in strangers):
        return True
    if set(re.findall(r"\b[A-Z]{2,}\b", question.text)) & set(re.findall(r"\b[A-Z]{2,}\b", text)):
        return True
    if any(quote.lower() in text.lower() for quote in QUOTED.findall(question.text)):
        return True
    own = set(words)
    return len(own) > 1 and any(own <= line.held for line in lines if line.sentence.timely is not False)


def timeless(text: str, hits: Sequence[Hit]) -> str:
    """A question without the times that it names, if they say of what was found whether it may speak of them.

    "Who was freed on 14 February?" names a day of no year, which must be one of its words.
    """
    timed = any(sentence.timely is not None for hit in hits for sentence in hit.sentences)
    return without_times(text) if timed else text


def _told_then(bare: str, words: Mapping[str, float], lines: Sequence[_Line]) -> list[_Line]:
    """The lines of the time asked about that tell what is asked: they hold all the words of the question.

    A verb that has an opposite may be told in any of the words for it, and what happened in any words at all.
    """
    own = set(words)
    rest = {word for word in own - HAPPENED if not any(word.startswith(one) for one, _ in _sides(bare))}
    if own and rest == own:
        return []
    return [line for line in lines if line.sentence.timely and rest <= line.near and _affirms(bare, line.held)]


def _same_script(question: str, lines: Sequence[_Line]) -> bool:
    cyrillic = bool(CYRILLIC.search(question))
    return sum(bool(CYRILLIC.search(line.text)) == cyrillic for line in lines) * 2 > len(lines)


def opposed(question: str, text: str) -> bool:
    """Whether a verb of the question is not in the text, and its opposite is."""
    sides = _sides(question)
    held = terms(text) if sides else []
    return any(_holds(held, other) and not _holds(held, one) for one, other in sides)


def _affirms(question: str, held: Iterable[str]) -> bool:
    """Whether each verb of the question that has an opposite is held, in one of the words for it."""
    return all(_holds(held, one) for one, _ in _sides(question))


@lru_cache(maxsize=256)
def _sides(question: str) -> list[tuple[Stems, Stems]]:
    """The sides of OPPOSITES that the question is on, each with the other one."""
    words = terms(question)
    both = [sides for pair in OPPOSITES for sides in (pair, pair[::-1])]
    # what is lifted may be a ban
    return [
        (one, other) for one, other in both if _holds(words, one) and (not _holds(words, other) or one is MEASURES[0])
    ]


def _holds(words: Iterable[str], stems: Stems) -> bool:
    return any(word.startswith(stems) for word in words)


def _figures(text: str) -> set[str]:
    """Numbers of two digits or more that are no years."""
    found = re.findall(r"(?<![\d.,])\d{2,}(?!\d)", text)
    return {one for one in found if not (len(one) == 4 and one[:2] in ("19", "20"))}


def _speaks(name: str, text: str, names: Names) -> bool:
    """A text gives words of somebody: the name and soon the verb, or the verb, the name, and then a stop."""
    for mention in names.mentions(text):
        if mention.name == name:
            after, before = text[mention.end :], text[: mention.start]
            if SPEAKER_FIRST.match(after) or (SPEAKER_LAST.search(before) and re.match(r"\s*(?:[,.:;”\"»]|$)", after)):
                return True
    return False


def _alike(one: str, other: str) -> bool:
    """Two forms of one word: Seaman, Seamans'."""
    most = max(4, round(0.6 * max(len(one), len(other))))
    return min(len(one), len(other)) >= most and one[:most] == other[:most]


def _strangers(question: str, names: Names) -> list[list[str]]:
    """Runs of capitalised words of the question that are no known name."""
    made: list[list[str]] = []
    end = -9
    for word in names.unknown(question):
        if word.lower() in COMMON or len(word) < 3 or TIME.fullmatch(word):
            continue
        start = question.find(word, max(end, 0))
        if made and start - end <= 1:
            made[-1].append(word)
        else:
            made.append([word])
        end = start + len(word)
    return made


def _named(run: Sequence[str], context: str) -> bool:
    words = WORD.findall(context)
    initials = "".join(word[0] for word in words if word[0].isupper())
    keys, plain = {fold_key(word) for word in words}, [folded(word) for word in words]
    return any(
        fold_key(word) in keys
        or (word.isupper() and word in initials)
        or any(_alike(folded(word), one) for one in plain)
        for word in run
    )
