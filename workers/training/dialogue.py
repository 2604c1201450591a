"""The questions of the training and of the evaluation, and the one place of the split's rules.

Held out of training, always: each family's `unseen` phrasings, and of each compositional family
about one combination in seven, chosen by a hash of its slot words. (The mirror of a held-out sum,
four plus three for three plus four, may be trained.) Voices are split in `callers.py`.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from workers.training.chat import CHAT, UNKNOWN_REPLY
from workers.training.families import FAMILIES, Case, Family

HELD_OUT_ONE_IN: Final = 7
# Said before a question by impatient or polite callers; part of no phrasing.
LEADS: Final = ("okay,", "hey,", "so,", "please,", "well,", "now,", "um,", "and")
UNKNOWN: Final = "unknown"


class Split(StrEnum):
    """Which of the questions: only `TRAIN` is ever trained on."""

    TRAIN = "train"  # trained phrasings of trained combinations
    PHRASING = "phrasing"  # trained combinations in phrasings never trained
    COMBINATION = "combination"  # combinations never trained, in trained phrasings


@dataclass(frozen=True, slots=True)
class Question:
    """One way to ask for one intent. `text` and `reply` are lower case with punctuation."""

    intent: str  # unique: family and slot words
    family: str
    phrasing_id: str  # family and index; `u` marks a phrasing never trained
    text: str
    reply: str
    slots: tuple[str, ...]  # words the reply must say to be right
    content: tuple[str, ...]  # words of the question that decide the answer, for balancing


def words(text: str) -> list[str]:
    """The words of a text, without its punctuation."""
    return re.findall(r"[a-z']+", text.lower())


def is_held_out(family: Family, case: Case) -> bool:
    """Whether a combination of slot words is kept out of training."""
    key = f"{family.name}/{'/'.join(case.values())}".encode()
    return family.compositional and zlib.crc32(key) % HELD_OUT_ONE_IN == 0


def _question(family: Family, case: Case, phrasing: str, phrasing_id: str) -> Question:
    asked = [name for name in case if f"{{{name}}}" in phrasing]
    reply = family.reply.format(**case)
    slots = [case[name] for name in case if f"{{{name}}}" in family.reply]
    return Question(
        intent="/".join([family.name, *(case[name] for name in case if name != "list")]),
        family=family.name,
        phrasing_id=phrasing_id,
        text=phrasing.format(**case),
        reply=reply,
        slots=tuple(words(" ".join(slots) if slots else reply)),
        content=tuple(case[name] for name in asked) or (family.name,),
    )


def _families() -> tuple[Family, ...]:
    return FAMILIES + CHAT


def questions(split: Split) -> Iterator[Question]:
    """Every question of a split, in a fixed order."""
    for family in _families():
        for case in family.cases:
            if is_held_out(family, case) != (split is Split.COMBINATION):
                continue
            unseen = split is Split.PHRASING
            for i, phrasing in enumerate(family.unseen if unseen else family.seen):
                mark = "u" if unseen else ""
                yield _question(family, case, phrasing, f"{family.name}/{mark}{i}")


@lru_cache(maxsize=8)
def reply_texts(split: Split = Split.TRAIN) -> tuple[str, ...]:
    """The distinct replies of a split, and the answer to what was not understood."""
    texts = {question.reply: None for question in questions(split)}
    return (*texts, UNKNOWN_REPLY)


def all_reply_texts() -> tuple[str, ...]:
    """Every reply, held-out combinations included: what an evaluation's answers are chosen from."""
    return tuple(dict.fromkeys(reply_texts(Split.TRAIN) + reply_texts(Split.COMBINATION)))


def vocabulary_words() -> tuple[str, ...]:
    """The words of all replies, sorted: the model's whole words."""
    return tuple(sorted({word for text in all_reply_texts() for word in words(text)}))
