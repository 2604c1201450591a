"""Follow-ups: questions that build on the previous answer ("and plus two?") or ask for it again.

A follow-up makes sense only after a fitting answer. Without one, the model replies that it does not
know what came before. One combination in seven is held out, as in the catalogue.
"""

import random
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final

from workers.training.questions import spanish
from workers.training.questions.calendar_families import DAYS, MONTHS
from workers.training.questions.catalogue import HELD_OUT_ONE_IN, Question, Split, questions
from workers.training.questions.question_families import Language, number

LARGEST: Final = 40  # the largest result that follow-ups build on
STEPS: Final = range(1, 11)
NO_CONTEXT_REPLY: Final = "i do not know what came before. please ask me the whole question."
SURE_REPLY: Final = "yes, i am sure. that is what i have learned."
AGAIN: Final = (
    "say that again",
    "please say that again",
    "what did you say?",
    "can you repeat that?",
    "i did not hear you",
    "once more, please",
)
SURE: Final = ("are you sure?", "is that right?", "really?", "are you certain?")
# Families in which a follow-up may name another thing: "and france?"
NAMED: Final = ("capital", "opposite", "colour", "legs", "animal", "month length")

_PLUS: Final = ("and plus {n}?", "and {n} more?", "now add {n}", "plus {n}")
_MINUS: Final = ("and minus {n}?", "and {n} less?", "now take away {n}", "minus {n}")
_AFTER: Final = ("and the {kind} after that?", "and the next {kind}?", "what comes after that?")
_BEFORE: Final = ("and the {kind} before that?", "what comes before that?")
_NAME: Final = ("and {x}?", "what about {x}?", "and what about {x}?")

FollowUp = tuple[str, str]  # the question and its answer


@cache
def _values() -> dict[str, int]:
    return {number(value): value for value in range(LARGEST + 1)}


def _held_out(*key: str) -> bool:
    return zlib.crc32("/".join(("follow", *key)).encode()) % HELD_OUT_ONE_IN == 0


def _arithmetic(first: Question, held_out: bool) -> Iterator[FollowUp]:
    value = _values().get(first.result)
    if value is None:
        return
    for n in STEPS:
        for phrasings, word, result in ((_PLUS, "plus", value + n), (_MINUS, "minus", value - n)):
            if result < 0 or _held_out(word, first.result, str(n)) != held_out:
                continue
            reply = f"{first.result} {word} {number(n)} is {number(result)}."
            yield from ((phrasing.format(n=number(n)), reply) for phrasing in phrasings)


def _calendar_steps(first: Question) -> Iterator[FollowUp]:
    for kind, names in (("day", DAYS), ("month", MONTHS)):
        if first.result not in names:
            continue
        place = names.index(first.result)
        for phrasings, word, step in ((_AFTER, "after", 1), (_BEFORE, "before", -1)):
            other = names[(place + step) % len(names)]
            reply = f"the {kind} {word} {first.result} is {other}."
            yield from ((phrasing.format(kind=kind), reply) for phrasing in phrasings)


@cache
def _named() -> dict[str, tuple[FollowUp, ...]]:
    found: dict[str, dict[FollowUp, None]] = {name: {} for name in NAMED}
    for question in questions(Split.TRAIN):
        if question.family in found and question.phrasing_id.endswith("/0.0"):
            thing = question.content[0]
            for phrasing in _NAME:
                found[question.family][phrasing.format(x=thing), question.reply] = None
    return {name: tuple(follow_ups) for name, follow_ups in found.items()}


def follow_ups_to(first: Question, held_out: bool = False) -> list[FollowUp]:
    """The follow-ups to this question's answer; `held_out`: those that training never uses.

    After a Spanish answer, callers only ask for it again.
    """
    if first.language is Language.SPANISH:
        return [] if held_out else [(text, first.reply) for text in spanish.AGAIN]
    found = list(_arithmetic(first, held_out))
    if held_out:
        return found
    found += _calendar_steps(first)
    found += _named().get(first.family, ())
    found += [(text, first.reply) for text in AGAIN]
    return found + [(text, SURE_REPLY) for text in SURE]


def trained_follow_up(first: Question, rng: random.Random) -> Question:
    """One trained follow-up, drawn evenly from those of its kind."""
    kinds: dict[str, list[FollowUp]] = {}
    for text, reply in follow_ups_to(first):
        again = reply in (first.reply, SURE_REPLY)
        kinds.setdefault("again" if again else "on", []).append((text, reply))
    # The context exists for follow-ups that build on the answer, so they are drawn more often.
    kind = "on" if "on" in kinds and rng.random() < 0.7 else "again"
    text, reply = rng.choice(kinds[kind])
    return replace(first, family=f"then {kind}", text=text, reply=reply, result="")


@cache
def follow_up_texts() -> tuple[str, ...]:
    """Every follow-up; without a first question each gets NO_CONTEXT_REPLY."""
    texts: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()
    for first in questions(Split.TRAIN):
        if (first.family, first.result) not in seen:
            seen.add((first.family, first.result))
            texts.update((text, None) for text, _ in follow_ups_to(first))
    return tuple(texts)


@cache
def follow_up_replies(families: tuple[str, ...]) -> tuple[str, ...]:
    """Every answer to a follow-up to questions of these families, including held-out ones."""
    found = {NO_CONTEXT_REPLY: None, SURE_REPLY: None}
    seen: set[tuple[str, str]] = set()
    for first in questions(Split.TRAIN):
        if first.family in families and (first.family, first.result) not in seen:
            seen.add((first.family, first.result))
            both = follow_ups_to(first) + follow_ups_to(first, held_out=True)
            found.update((reply, None) for _, reply in both if reply != first.reply)
    return tuple(found)
