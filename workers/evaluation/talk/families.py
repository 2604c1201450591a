"""The hybrid model's questions, asked of an engine that answers in its own words.

An answer is right when it contains what the expected reply's slots add to the question. Of "when
you add three and four, you get seven" that is the word "seven". Small talk is left out, because it
has many right answers.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from workers.evaluation.talk.cases import MOST_WORDS, Case, plain
from workers.training.questions.catalogue import Question, Split, questions
from workers.training.questions.question_families import Language

SEED: Final = 2024
COMMON: Final = 0.34  # of a family's replies: two answers in three differ in a word that counts
# Families with many right replies, or with replies about the hybrid model itself.
LEFT_OUT: Final = ("chat", "repeat")
# Words that a right answer may do without.
SMALL: Final = frozenset(
    """a an the is are was were be it its it's of in on at to and or that this there then than
    i you your my me we they he she not no yes has have do does for with as by from so
    comes come after before day month called one okay sure well sorry get course
    makes make left that's looks""".split()
)


def family_cases(each: int, families: Sequence[str] = ()) -> list[Case]:
    """`each` questions of every family, in phrasings kept for evaluation where there are some."""
    return [case for family, asked in _by_family(families) for case in _cases(family, asked, each)]


def _by_family(families: Sequence[str]) -> Iterator[tuple[str, list[Question]]]:
    found: dict[str, list[Question]] = {}
    for question in questions(Split.PHRASING, Language.ENGLISH):
        if question.family not in LEFT_OUT and (not families or question.family in families):
            found.setdefault(question.family, []).append(question)
    yield from found.items()


def _cases(family: str, asked: Sequence[Question], each: int) -> list[Case]:
    rng = random.Random(f"{SEED}/{family}")
    common = _common(asked)
    judged = [question for question in asked if _wanted(question, common)]
    return [
        Case(
            name=f"{family}-{number}",
            kind="family",
            topic=family,
            say=(question.text,),
            must=tuple((word,) for word in _wanted(question, common)),
            must_not=(),
            most_words=MOST_WORDS,
        )
        for number, question in enumerate(rng.sample(judged, min(each, len(judged))))
    ]


def _common(asked: Sequence[Question]) -> frozenset[str]:
    """Words of many different replies of a family: its way of speaking, not its answers."""
    replies = {frozenset(plain(question.reply).split()) for question in asked}
    counts = Counter(word for reply in replies for word in reply)
    return frozenset(w for w, n in counts.items() if n > COMMON * len(replies)) | SMALL


def _wanted(question: Question, common: frozenset[str]) -> list[str]:
    """The slot words of the reply that neither the question nor the family's other replies say."""
    asked = set(plain(question.text).split())
    said = dict.fromkeys(plain(" ".join(question.slots)).split())
    return [word for word in said if word not in asked | common]
