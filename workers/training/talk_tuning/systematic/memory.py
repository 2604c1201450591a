"""Conversations in which a later turn asks for what the caller said before."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several
from workers.training.talk_tuning.systematic import (
    animals,
    arithmetic,
    geography,
    things,
    word_questions,
)
from workers.training.talk_tuning.systematic.caller_facts import KINDS, Kind
from workers.training.talk_tuning.systematic.numbers import capitalized, words
from workers.training.talk_tuning.systematic.phrasing import Deck

TOPIC: Final = "memory within a call"


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of fact with its value, and the texts that speak of it."""

    kind: Kind
    value: str
    owner: str

    def fill(self, text: str) -> str:
        """{v} is the value as Whisper writes it; {w} is the same in words."""
        spoken = words(int(self.value)) if self.value.isdecimal() else self.value
        return text.format(
            v=self.value, w=spoken, W=capitalized(spoken), V=capitalized(spoken), o=self.owner
        )


class Facts:
    """Deals facts, and turns that state them or ask for them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        # A name is what callers tell most often.
        self._kinds = Deck([*KINDS, KINDS[0], KINDS[0], KINDS[2], KINDS[3]], random)
        self._values = {kind.name: Deck(kind.values, random) for kind in KINDS}
        self._texts: dict[tuple[str, str], Deck[str]] = {}
        for kind in KINDS:
            for part in ("statements", "replies", "questions", "answers"):
                self._texts[kind.name, part] = Deck(getattr(kind, part), random)

    def deal(self, *others: Fact) -> Fact:
        """A fact of another kind than the others."""
        while True:
            kind = self._kinds.deal()
            if kind.name not in {other.kind.name for other in others}:
                return Fact(kind, self._values[kind.name].deal(), self.random.choice(kind.owners))

    def text(self, fact: Fact, part: str) -> str:
        return fact.fill(self._texts[fact.kind.name, part].deal())

    def told(self, fact: Fact) -> tuple[str, str]:
        return self.text(fact, "statements"), self.text(fact, "replies")

    def asked(self, fact: Fact) -> tuple[str, str]:
        return self.text(fact, "questions"), self.text(fact, "answers")


class Between:
    """Unrelated exchanges that lie between the fact and the question for it."""

    def __init__(self, random: Random) -> None:
        self._sources = Deck(
            (
                geography.facts(random),
                arithmetic.additions(random),
                word_questions.opposites(random),
                things.colors(random),
                animals.animals(random),
                arithmetic.multiplications(random),
            ),
            random,
        )

    def turn(self) -> tuple[str, str]:
        exchange = next(self._sources.deal()).turns[0]
        return exchange.caller, exchange.answer


def recalls(random: Random) -> Iterator[Conversation]:
    """One fact, up to two other exchanges, then the question."""
    facts, between = Facts(random), Between(random)
    while True:
        fact = facts.deal()
        turns = [facts.told(fact)]
        turns += [between.turn() for _ in range(random.choice((0, 0, 1, 1, 2)))]
        yield several(TOPIC, *turns, facts.asked(fact))


def two_facts(random: Random) -> Iterator[Conversation]:
    """Two facts in two turns; the caller asks for the first, the second or both."""
    facts = Facts(random)
    while True:
        first = facts.deal()
        second = facts.deal(first)
        asked = random.choice(([first], [second], [first, second], [second, first]))
        turns = [facts.told(first), facts.told(second)]
        yield several(TOPIC, *turns, *(facts.asked(fact) for fact in asked))


def together(random: Random) -> Iterator[Conversation]:
    """Two facts in one breath: "I'm Anna. I live in Oslo." """
    facts = Facts(random)
    while True:
        first = facts.deal()
        second = facts.deal(first)
        caller = f"{facts.text(first, 'statements')} {facts.text(second, 'statements')}"
        if "?" in caller:
            continue
        turns = [(caller, facts.text(random.choice((first, second)), "replies"))]
        turns += [facts.asked(fact) for fact in random.sample([first, second], 2)]
        yield several(TOPIC, *turns[: random.choice((2, 3))])


UNKNOWN: Final = {
    "name": "You haven't told me your name yet. What is it?",
    "age": "You haven't told me your age yet. How old are you?",
    "city": "You haven't said where you live. Which city is it?",
    "favorite color": "You haven't told me your favorite color. Which one is it?",
    "job": "You haven't told me your job yet. What do you do?",
    "hobby": "You haven't mentioned a hobby yet. Do you have one?",
}


def not_told(random: Random) -> Iterator[Conversation]:
    """The caller asks for one thing after telling another, then says it and asks again."""
    facts = Facts(random)
    asked_kinds = Deck([kind for kind in KINDS if kind.name in UNKNOWN], random)
    while True:
        kind = asked_kinds.deal()
        missing = Fact(kind, random.choice(kind.values), "")
        told = facts.deal(missing)
        if told.kind.name == "origin" and kind.name == "city":
            continue
        turns = [facts.told(told), (facts.text(missing, "questions"), UNKNOWN[kind.name])]
        if random.random() < 0.5:
            statement = facts.text(missing, "statements")
            turns += [(statement, facts.text(missing, "replies")), facts.asked(missing)]
        yield several(TOPIC, *turns)
