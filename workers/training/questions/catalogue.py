"""The catalogue of all questions, and the rules that split it into trained and held-out ones.

Training never uses a family's `unseen` phrasings. Of each compositional family it also leaves out
about one combination in seven, chosen by a hash of the slot words. It may train the mirror of a
held-out sum: four plus three for three plus four. `callers.py` splits the voices.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from string import ascii_lowercase
from typing import Final

from workers.training.questions import spanish
from workers.training.questions.calendar_families import CALENDAR
from workers.training.questions.knowledge import KNOWLEDGE
from workers.training.questions.question_families import Form, Language, QuestionFamily, SlotWords
from workers.training.questions.reckoning import RECKONING
from workers.training.questions.sayings import SAYINGS
from workers.training.questions.small_talk import CHAT, UNKNOWN_REPLY

HELD_OUT_ONE_IN: Final = 7
# Impatient or polite callers say one of these before a question; no phrasing contains them.
LEADS: Final = ("okay,", "hey,", "so,", "please,", "well,", "now,", "um,", "and")
FAMILIES: Final = RECKONING + CALENDAR + KNOWLEDGE + SAYINGS + CHAT  # English
FAMILIES_IN: Final = {Language.ENGLISH: FAMILIES, Language.SPANISH: spanish.SPANISH}
_IMPLIED: Final = frozenset({"list", "letters"})  # slots that follow from another slot


class Split(StrEnum):
    """The parts of the catalogue; training uses `TRAIN` alone."""

    TRAIN = "train"  # trained phrasings of trained combinations
    PHRASING = "phrasing"  # trained combinations in held-out phrasings
    COMBINATION = "combination"  # held-out combinations in trained phrasings


@dataclass(frozen=True, slots=True)
class Question:
    """One way to ask for one intent. `text` and `reply` are lower case with punctuation."""

    intent: str  # unique: family and slot words
    family: str
    phrasing_id: str  # family and index; `u` marks a held-out phrasing
    text: str
    reply: str
    slots: tuple[str, ...]  # words that a right reply contains
    content: tuple[str, ...]  # words of the question that decide the answer
    result: str = ""  # what a follow-up may refer to
    language: Language = Language.ENGLISH


def words(text: str) -> list[str]:
    """The words of a text, without its punctuation."""
    return re.findall(r"(?:[^\W\d_]|')+", text.lower())


def is_held_out(family: QuestionFamily, case: SlotWords) -> bool:
    """Whether a combination of slot words is held out of training."""
    key = f"{family.name}/{'/'.join(case.values())}".encode()
    return family.compositional and zlib.crc32(key) % HELD_OUT_ONE_IN == 0


def _filled(form: str, case: SlotWords, language: Language) -> str:
    """The form with its slots filled, with `an` before a vowel: `an owl`."""
    text = form.format(**case)
    return re.sub(r"\ba (?=[aeiou])", "an ", text) if language is Language.ENGLISH else text


def _question(
    family: QuestionFamily, case: SlotWords, form: Form, phrasing: str, name: str
) -> Question:
    asked = [name for name in case if f"{{{name}}}" in phrasing]
    slots = [case[name] for name in case if f"{{{name}}}" in form.reply]
    reply = _filled(form.reply, case, family.language)
    return Question(
        intent="/".join([family.name, *(case[k] for k in case if k not in _IMPLIED)]),
        family=family.name,
        phrasing_id=f"{family.name}/{name}",
        text=_filled(phrasing, case, family.language),
        reply=reply,
        slots=tuple(words(" ".join(slots) if slots else reply)),
        content=tuple(case[name] for name in asked) or (family.name,),
        result=case.get(family.result, ""),
        language=family.language,
    )


def questions_of(family: QuestionFamily, split: Split) -> Iterator[Question]:
    """The questions of one family, in a fixed order."""
    unseen = split is Split.PHRASING
    mark = "u" if unseen else ""
    for case in family.cases:
        if is_held_out(family, case) != (split is Split.COMBINATION):
            continue
        for f, form in enumerate(family.forms):
            for i, phrasing in enumerate(form.unseen if unseen else form.seen):
                yield _question(family, case, form, phrasing, f"{f}.{mark}{i}")


@cache
def questions(split: Split, language: Language = Language.ENGLISH) -> tuple[Question, ...]:
    """Every question of a split in one language, in a fixed order."""
    taught = FAMILIES_IN[language]
    return tuple(question for family in taught for question in questions_of(family, split))


@cache
def _held_out_texts(language: Language) -> frozenset[str]:
    splits = (Split.PHRASING, Split.COMBINATION)
    return frozenset(" ".join(words(q.text)) for s in splits for q in questions(s, language))


def is_held_out_text(text: str, language: Language) -> bool:
    """Whether these are the words of a held-out question."""
    return " ".join(words(text)) in _held_out_texts(language)


@cache
def reply_texts(
    split: Split = Split.TRAIN, language: Language = Language.ENGLISH
) -> tuple[str, ...]:
    """The distinct replies of a split, and the replies to speech that makes no sense."""
    texts = {question.reply: None for question in questions(split, language)}
    if language is Language.SPANISH:
        return (*texts, spanish.UNKNOWN_REPLY, spanish.NO_CONTEXT_REPLY)
    return (*texts, UNKNOWN_REPLY)


@cache
def all_reply_texts(language: Language = Language.ENGLISH) -> tuple[str, ...]:
    """Every reply, including those of held-out combinations; the evaluation's judge uses them."""
    trained, held_out = (reply_texts(s, language) for s in (Split.TRAIN, Split.COMBINATION))
    return tuple(dict.fromkeys(trained + held_out))


@cache
def _spanish_replies() -> frozenset[str]:
    return frozenset(all_reply_texts(Language.SPANISH))


def language_of(reply: str) -> Language:
    """The language of a reply: Spanish if it is one of the Spanish replies, else English."""
    return Language.SPANISH if reply in _spanish_replies() else Language.ENGLISH


@cache
def vocabulary_words() -> tuple[str, ...]:
    """The model's whole words: the English ones, sorted, then those that only Spanish has.

    A new language's words come last, so that the words of a model that learns it keep their
    numbers.
    """
    english = _english_words()
    texts = all_reply_texts(Language.SPANISH)
    return english + tuple(sorted({w for text in texts for w in words(text)} - set(english)))


def _english_words() -> tuple[str, ...]:
    """The words of all English replies, except words that the model spells or says by letters."""
    spoken = {
        word
        for family in FAMILIES
        if family not in SAYINGS
        for split in (Split.TRAIN, Split.COMBINATION)
        for question in questions_of(family, split)
        for word in words(question.reply)
    }
    said = {word for text in (UNKNOWN_REPLY, *_frames()) for word in words(text)}
    return tuple(sorted(spoken | said))


def _frames() -> Iterator[str]:
    """The replies of the families that repeat or spell words, without those words."""
    for family in SAYINGS:
        for form in family.forms:
            yield form.reply.format(x="", letters=" ".join(ascii_lowercase))
