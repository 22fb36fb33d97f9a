"""The reader alone: which sentence answers, with which words, whether anything does, and what follows for a claim.

Our own articles that are never trained on, each question with the passages of its own article; and public data that is
kept out of training, each question with its one paragraph: XQuAD in English and Russian, SQuAD 2.0, CLAP NQ. Claims of
our own, and those of SummEdits (news) and QAGS (XSum), which documents support or not. Beside the reader, in the same
run: the cosine of sentence and question by the built-in embedding model, the commonest label, the words in common.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.figures import area, balanced_in_folds, folded, share
from benchmarks.results import report
from benchmarks.retrieval import lines
from benchmarks.support import best_sentences, words_held
from encoder import TRAINED, E5Embeddings, PassageScores, Reader, Text
from encoder.weights import Vectors
from ingest.passages import PASSAGE_CHARACTERS, passages, sentences
from training.data import OwnArticle, own_articles
from vectorstore import load_settings
from vectorstore.search import Query

TRAINING = Path(__file__).parent.parent / "training" / "data"
VERDICTS = ("yes", "no", "open")
LABELS = ("supported", "contradicted", "unstated")
LANGUAGES = ("en", "ru", "be")
AROUND = 1  # sentences that are read on either side of a claim's evidence
BEST = 2  # sentences of a document that a claim is held against
PASSAGES, TIMED = 10, 100  # of a question, and questions, for the time
ARTICLES = ("a", "an", "the")  # that do not count in a short answer: SQuAD's own rule


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what is read with it, and what is known of its answer.

    `told` and `corrects` are the numbers of sentences, counted through all texts, that answer it and that put right
    what it takes for granted. `answers` are short answers, each of them right. `verdict` is one of VERDICTS or empty.
    """

    question: str
    texts: tuple[Text, ...]
    told: frozenset[int]
    answerable: bool
    turns: tuple[str, ...] = ()
    corrects: frozenset[int] = frozenset()
    answers: tuple[str, ...] = ()
    verdict: str = ""
    lang: str = ""
    kind: str = ""
    across: bool = False  # in another language than the article


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the reader and the cosine made of a question.

    `best`, `correcting` and `nearest` are the sentences with the highest logit of each kind and the highest cosine.
    `passage`, `answers` and `cosine` are the highest logits that a passage and a sentence answer, and cosine. `words`
    are the short answer in the best sentence, `relation` that of its passage.
    """

    asked: Asked
    best: int
    correcting: int
    nearest: int
    passage: float
    answers: float
    cosine: float
    words: str
    relation: tuple[float, float, float]

    @property
    def exact(self) -> bool:
        """Whether the short answer is one of the right ones."""
        return any(_plain(self.words) == _plain(one) for one in self.asked.answers)

    @property
    def common(self) -> float:
        """The F1 of the short answer's words, with the right one that is nearest."""
        return max(_f1(_plain(self.words), _plain(one)) for one in self.asked.answers)

    @property
    def settled(self) -> str:
        """Yes or no, whichever is likelier."""
        return VERDICTS[0] if self.relation[0] > self.relation[1] else VERDICTS[1]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim of our own, the passages of its article, the text around its evidence, and its label."""

    claim: str
    whole: tuple[Text, ...]
    evidence: tuple[Text, ...]
    label: str
    lang: str


def own_folder(shared: Path) -> Path:
    """Where our own articles are."""
    return next(one for one in (shared / "train", TRAINING) if (one / "own").is_dir())


def _plain(text: str) -> list[str]:
    return [word for word in re.sub(r"[^\w\s]", "", text.lower()).split() if word not in ARTICLES]


def _f1(found: Sequence[str], right: Sequence[str]) -> float:
    common = sum((Counter(found) & Counter(right)).values())
    return 2 * common / (len(found) + len(right)) if common else float(not found and not right)


# ---- what is asked


def _grouped(source: str, told: Sequence[str]) -> tuple[Text, ...]:
    """Sentences in passages as long as the library's."""
    groups: list[list[str]] = [[]]
    for sentence in told:
        if groups[-1] and len(" ".join([*groups[-1], sentence])) > PASSAGE_CHARACTERS:
            groups.append([])
        groups[-1].append(sentence)
    return tuple(Text(source, tuple(group)) for group in groups)


def _own(articles: Sequence[OwnArticle]) -> Iterator[Asked]:
    for article in articles:
        texts = _grouped(article.source, article.sentences)
        for one in article.questions:
            told, corrects = (
                frozenset(place for place in one.get(name, ()) if place < len(article.sentences))
                for name in ("answers", "corrects")
            )
            verdict = one.get("verdict") or ""
            if one.get("settles") and not told:
                verdict = "open"
            yield Asked(
                one["q"],
                texts,
                told,
                bool(told),
                tuple(one.get("turns") or ()),
                corrects,
                (one["span"],) if one.get("span") else (),
                verdict if verdict in VERDICTS else "",
                one["lang"],
                one["kind"],
                one["lang"] != article.lang,
            )


def _claims(articles: Sequence[OwnArticle]) -> Iterator[Claimed]:
    for article in articles:
        whole = _grouped(article.source, article.sentences)
        for one in article.claims:
            places = [place for place in one["evidence"] if place < len(article.sentences)]
            around = article.sentences[max(0, min(places) - AROUND) : max(places) + AROUND + 1] if places else []
            evidence = _grouped(article.source, around or article.sentences)
            yield Claimed(one["c"], whole, evidence, one["label"], one["lang"])


def _paragraph(text: str, lang: str) -> Text:
    return Text("", tuple(text[span.start : span.end] for span in sentences(text, lang)))


def _holding(text: Text, answers: Sequence[str]) -> frozenset[int]:
    """The sentences with one of the answers' words."""
    return frozenset(
        place for place, sentence in enumerate(text.sentences) if any(answer in sentence for answer in answers)
    )


def _xquad(shared: Path, lang: str) -> Iterator[Asked]:
    folder = shared / "bench" / "xquad"
    texts = {one["id"]: _paragraph(one["text"], lang) for one in lines(folder / f"passages_{lang}.jsonl")}
    for one in lines(folder / f"queries_{lang}.jsonl"):
        text, answers = texts[one["gold"]], tuple(one["answers"])
        yield Asked(one["question"], (text,), _holding(text, answers), answerable=True, answers=answers, lang=lang)


def _squad(shared: Path) -> Iterator[Asked]:
    for one in lines(shared / "bench" / "squad2" / "dev_sample.jsonl"):
        text, answerable = _paragraph(one["context"], "en"), not one["is_impossible"]
        answers = tuple(one["answers"]) if answerable else ()
        yield Asked(one["question"], (text,), _holding(text, answers), answerable, answers=answers, lang="en")


def _clapnq(shared: Path) -> Iterator[Asked]:
    for one in lines(shared / "bench" / "clapnq" / "dev.jsonl"):
        text = Text(one["title"], tuple(one["sentences"]))
        chosen = {sentence for some in one["selected_sentences"] for sentence in some} if one["answerable"] else set()
        told = frozenset(place for place, sentence in enumerate(text.sentences) if sentence in chosen)
        yield Asked(one["question"], (text,), told, bool(one["answerable"]), lang="en")


# ---- what is made of it


class Measuring:
    """The reader and the embedding model; vectors of sentences are kept."""

    def __init__(self, cache: Path) -> None:
        threads = os.cpu_count() or 1
        self.reader = Reader(cache, threads)
        self.model = E5Embeddings(TRAINED, cache, threads)
        self._known: dict[str, Vectors] = {}

    def outcomes(self, asked: Sequence[Asked], name: str) -> list[Outcome]:
        """What is made of the questions, in their order."""
        wanted = dict.fromkeys(sentence for one in asked for text in one.texts for sentence in text.sentences)
        fresh = [sentence for sentence in wanted if sentence not in self._known]
        self._known |= zip(fresh, np.array(self.model.embed_documents(fresh), np.float32), strict=True)
        return [self._outcome(one) for one in tqdm(asked, desc=name, unit=" questions")]

    def _outcome(self, asked: Asked) -> Outcome:
        read = self.reader.read(asked.question, asked.turns, asked.texts)
        told = [sentence for text in asked.texts for sentence in text.sentences]
        scores = [one for passage in read for one in passage.sentences]
        owners = [passage for passage in read for _ in passage.sentences]
        question = np.array(self.model.embed_query(Query(asked.question, asked.turns).text), np.float32)
        cosines = np.stack([self._known[sentence] for sentence in told]) @ question
        best = int(np.argmax([one.answers for one in scores]))
        return Outcome(
            asked,
            best,
            int(np.argmax([one.corrects for one in scores])),
            int(cosines.argmax()),
            max(one.answerable for one in read),
            scores[best].answers,
            float(cosines.max()),
            told[best][scores[best].start : scores[best].end],
            owners[best].relation,
        )

    def label(self, claim: str, texts: Sequence[Text]) -> str:
        """What follows for a claim, one of LABELS, from the text that holds its best evidence."""
        return LABELS[int(np.argmax(max(self.reader.check(claim, texts), key=_evidence).relation))]

    def supported(self, claim: str, texts: Sequence[Text]) -> float:
        """The highest probability that one of the texts supports a claim."""
        return max(one.relation[0] for one in self.reader.check(claim, texts))


def _evidence(passage: PassageScores) -> float:
    return max(one.answers for one in passage.sentences)


# ---- the tables

COLUMNS = [
    "questions",
    "answerable",
    "not",
    "gold sentence first",
    "nearest by cosine is gold",
    "short answers",
    "exact",
    "F1",
    "AUC of answerable: passage",
    "best sentence",
    "cosine",
]


def _row(name: str, some: Sequence[Outcome], others: Sequence[Outcome] = ()) -> list[object]:
    """The figures of some questions; the areas are those of them and the others."""
    told = [one for one in some if one.asked.told]
    short = [one for one in some if one.asked.answers]
    both = [*some, *others]
    labels = [one.asked.answerable for one in both]
    answerable = sum(one.asked.answerable for one in some)
    return [
        name,
        answerable,
        len(some) - answerable,
        share(one.best in one.asked.told for one in told),
        share(one.nearest in one.asked.told for one in told),
        len(short),
        share(one.exact for one in short),
        share(one.common for one in short),
        area(labels, [one.passage for one in both]),
        area(labels, [one.answers for one in both]),
        area(labels, [one.cosine for one in both]),
    ]


def _by_language(every: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    own = {lang: [one for one in every if one.asked.lang == lang] for lang in LANGUAGES}
    rest = {"in other languages": [one for one in every if one.asked.lang not in LANGUAGES]}
    return {"all": list(every)} | {f"in {lang}": some for lang, some in own.items()} | rest


def _tables_of_questions(every: Sequence[Outcome], articles: int) -> None:
    groups = _by_language(every) | {
        "in the article's language": [one for one in every if not one.asked.across],
        "in another language": [one for one in every if one.asked.across],
        "leaning on earlier ones": [one for one in every if one.asked.turns],
    }
    report(
        "reading",
        f"our own {articles} held-out articles, each question with the passages of its article",
        COLUMNS,
        [_row(name, some) for name, some in groups.items()],
        "First: of the questions that a sentence answers. A short answer is that of the sentence that the reader puts "
        "first. Answerable is what a sentence answers; a false premise is not, though a sentence may correct it.",
    )
    answered = [one for one in every if one.asked.answerable]
    unanswered = [one for one in every if not one.asked.answerable]
    rows = []
    for kind in sorted({one.asked.kind for one in every}):
        for others, own in ((unanswered, answered), (answered, unanswered)):
            some = [one for one in own if one.asked.kind == kind]
            if some:
                rows.append(_row(kind, some, others))
    report(
        "reading-kinds",
        "the same by kind of question",
        COLUMNS,
        rows,
        "The areas are those of a kind's questions and all that are answerable, or all that are not.",
    )


def _table_of_verdicts(every: Sequence[Outcome]) -> None:
    rows: list[list[object]] = []
    for name, some in _by_language(every).items():
        wrong = [one for one in some if one.asked.corrects]
        told = [one for one in some if one.asked.verdict in ("yes", "no")]
        settled = [one for one in some if one.asked.verdict]
        rows.append(
            [
                name,
                len(wrong),
                share(one.correcting in one.asked.corrects for one in wrong),
                share(one.nearest in one.asked.corrects for one in wrong),
                len(told),
                share(one.settled == one.asked.verdict for one in told),
                _commonest([one.asked.verdict for one in told]),
                len(settled),
                share(VERDICTS[int(np.argmax(one.relation))] == one.asked.verdict for one in settled),
                _commonest([one.asked.verdict for one in settled]),
            ]
        )
    report(
        "reading-verdicts",
        "false premises and yes-or-no questions of the same",
        [
            "questions",
            "false premises with a correction",
            "it is first",
            "it is nearest by cosine",
            "yes or no",
            "right",
            "the commonest",
            "yes, no or open",
            "right",
            "the commonest",
        ],
        rows,
        "A verdict is that of the passage with the sentence put first.",
    )


def _commonest(labels: Sequence[str]) -> str:
    return share(label == Counter(labels).most_common(1)[0][0] for label in labels) if labels else ""


def _table_of_claims(measuring: Measuring, every: Sequence[Claimed]) -> None:
    said = [
        (one, measuring.label(one.claim, one.evidence), measuring.label(one.claim, one.whole))
        for one in tqdm(every, desc="own claims", unit=" claims")
    ]
    groups = {"all": said}
    groups |= {f"in {lang}": [one for one in said if one[0].lang == lang] for lang in LANGUAGES}
    groups |= {"in other languages": [one for one in said if one[0].lang not in LANGUAGES]}
    groups |= {label: [one for one in said if one[0].label == label] for label in LABELS}
    report(
        "reading-claims",
        "claims about the same articles: supported, contradicted or unstated",
        ["claims", "number", "right, from the evidence", "right, from the whole article", "the commonest"],
        [
            [
                name,
                len(some),
                share(by_evidence == one.label for one, by_evidence, _ in some),
                share(by_whole == one.label for one, _, by_whole in some),
                "" if name in LABELS else _commonest([one.label for one, _, _ in some]),
            ]
            for name, some in groups.items()
        ],
        f"The evidence is read with {AROUND} sentence on either side; of an unstated claim it is what comes nearest. "
        "Of a whole article the passage with the best evidence counts.",
    )


def _table_of_public(measuring: Measuring, shared: Path) -> None:
    sets = {f"XQuAD, {lang}": list(_xquad(shared, lang)) for lang in ("en", "ru")}
    sets |= {"SQuAD 2.0": list(_squad(shared)), "CLAP NQ": list(_clapnq(shared))}
    rows, remarks = [], []
    for name, asked in sets.items():
        every = measuring.outcomes(asked, name)
        labels = [one.answerable for one in asked]
        if all(labels):
            rows.append([*_row(name, every), "", ""])
            continue
        passage, cosine = [one.passage for one in every], [one.cosine for one in every]
        rows.append([*_row(name, every), balanced_in_folds(labels, passage), balanced_in_folds(labels, cosine)])
        if any(one.answers for one in asked):
            said = folded(labels, passage, 0).tolist()
            # what is not said of a question without an answer is right, of another wrong
            right = [
                (one.exact, one.common) if heard and one.asked.answers else (heard == one.asked.answerable,) * 2
                for one, heard in zip(every, said, strict=True)
            ]
            exact, common = map(share, zip(*right, strict=True))
            remarks.append(f"{name} with nothing said below the threshold: exact {exact}, F1 {common}.")
    report(
        "reading-public",
        "questions with one paragraph",
        [*COLUMNS, "balanced accuracy in 5 folds: passage", "cosine"],
        rows,
        "Gold is a sentence with one of the short answers, of CLAP NQ one of those that were marked. The threshold of "
        f"answerable is found on the other folds. {' '.join(remarks)}",
    )


def _table_of_support(measuring: Measuring, shared: Path) -> None:
    files = {
        "SummEdits, news": shared / "bench" / "summedits" / "news_evaluation.jsonl",
        "QAGS, XSum": shared / "bench" / "qags" / "xsum.jsonl",
    }
    rows: list[list[object]] = []
    for name, path in files.items():
        pairs = lines(path)
        labels = [bool(one["label"]) for one in pairs]
        by_passage, by_sentences = [], []
        for one in tqdm(pairs, desc=name, unit=" claims"):
            by_passage.append(measuring.supported(one["claim"], _document(one)))
            best = Text("", tuple(best_sentences(one["claim"], one["doc"], BEST)))
            by_sentences.append(measuring.supported(one["claim"], [best]))
        words = [words_held(one["claim"], one["doc"]) for one in pairs]
        rows.append([name, len(pairs), *(area(labels, some) for some in (by_passage, by_sentences, words))])
    report(
        "reading-support",
        "claims that documents support or not, by the probability that they are supported: ROC AUC",
        ["claims", "number", "the likeliest passage", f"the {BEST} sentences with most words", "words in common alone"],
        rows,
        "",
    )


def _document(pair: Mapping[str, Any]) -> list[Text]:
    text = str(pair["doc"])
    return [
        Text("", tuple(text[span.start : span.end] for span in passage.sentences)) for passage in passages(text, "en")
    ]


def _table_of_times(measuring: Measuring, asked: Sequence[Asked]) -> None:
    """How long ten passages take: those of the question's article, and others."""
    draw = random.Random(1)
    every = list(dict.fromkeys(text for one in asked for text in one.texts))
    taken: list[tuple[float, float]] = []
    characters = []
    for one in draw.sample(list(asked), min(TIMED + 1, len(asked))):
        texts = [*one.texts, *draw.sample(every, PASSAGES)][:PASSAGES]
        begun = time.perf_counter()
        measuring.model.embed_query(one.question)
        embedded = time.perf_counter()
        measuring.reader.read(one.question, one.turns, texts)
        taken.append((1000 * (embedded - begun), 1000 * (time.perf_counter() - embedded)))
        characters.append(sum(len(sentence) for text in texts for sentence in text.sentences))
    taken = taken[1:]  # the first may load something
    embedding, reading = zip(*taken, strict=True)
    report(
        "reading-time",
        f"a question read with {PASSAGES} passages",
        ["questions", "embedding a question, ms", f"reading {PASSAGES} passages, ms", "95th percentile", "characters"],
        [
            [
                len(taken),
                statistics.median(embedding),
                statistics.median(reading),
                sorted(reading)[int(0.95 * len(reading))],
                f"{statistics.median(characters):,.0f}",
            ]
        ],
        "Medians. The passages are those of the question's own article, and others drawn from held-out articles.",
    )


def run(shared: Path, cache: Path) -> None:  # noqa: ARG001 - every benchmark is given it
    """All tables."""
    measuring = Measuring(load_settings(None).cache_dir)
    articles = [one for one in own_articles(own_folder(shared)) if one.held_out]
    asked = list(_own(articles))
    _table_of_times(measuring, asked)
    every = measuring.outcomes(asked, "own")
    _tables_of_questions(every, len(articles))
    _table_of_verdicts(every)
    _table_of_claims(measuring, list(_claims(articles)))
    _table_of_public(measuring, shared)
    _table_of_support(measuring, shared)
