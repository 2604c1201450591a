"""What callers say in training, drawn without end: questions, fragments, second questions, noise.

Only trained phrasings and combinations are drawn. Families are drawn by their weights, intents of
a family alike, so that a table of sums is seen whole.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from workers.training.chat import NO_REPLY, UNKNOWN_REPLY
from workers.training.dialogue import FAMILIES, LEADS, Question, Split, questions
from workers.training.follow import COLD_REPLY, second_texts
from workers.training.words import broad_text, halting

LEAD: Final = 0.12  # share of questions behind a lead word
HALTING: Final = 0.08  # ... with a hesitation or a false start
# Shares of what is no question; the rest are questions.
STRANGE: Final = 0.05  # other speech
FRAGMENT: Final = 0.02  # a question that breaks off
COLD: Final = 0.03  # a second question, said first
SECOND: Final = 0.14  # a second question, to be put behind a first
NOISE: Final = 0.02  # nothing said


@dataclass(frozen=True, slots=True)
class Ask:
    """What is said (`text`, '' for noise) and what it means. `second`: only behind a first."""

    text: str
    question: Question
    second: bool = False


def _other(family: str, text: str, reply: str) -> Ask:
    return Ask(text, Question(family, family, f"{family}/0", text, reply, (), ()))


class Asker:
    """Draws with its own generator, from some families or from all."""

    def __init__(self, rng: random.Random, families: Sequence[str] = ()) -> None:
        self._rng = rng
        chosen = [f for f in FAMILIES if not families or f.name in families]
        if not chosen:
            raise ValueError(f"Expected names of families, got {families}")
        by_family: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
        for question in questions(Split.TRAIN):
            by_family[question.family][question.intent].append(question)
        self._intents = [list(by_family[family.name].values()) for family in chosen]
        self._weights = list(accumulate(family.weight for family in chosen))
        self._others: tuple[tuple[float, Callable[[], Ask]], ...] = (
            (NOISE, lambda: _other("noise", "", NO_REPLY)),
            (SECOND, lambda: self._second(True)),
            (COLD, lambda: self._second(False)),
            (FRAGMENT, self._fragment),
            (STRANGE, self._strange),
        )

    def question(self) -> Question:
        """One trained question."""
        intents = self._rng.choices(self._intents, cum_weights=self._weights)[0]
        return self._rng.choice(self._rng.choice(intents))

    def __call__(self) -> Ask:
        """The next thing said."""
        luck = self._rng.random()
        for share, make in self._others:
            luck -= share
            if luck < 0:
                return make()
        return self._asked()

    def _asked(self) -> Ask:
        question = self.question()
        text = question.text
        if self._rng.random() < LEAD:
            text = f"{self._rng.choice(LEADS)} {text}"
        if self._rng.random() < HALTING:
            text = halting(text, self._rng)
        return Ask(text, question)

    def _second(self, behind: bool) -> Ask:
        ask = _other("then", self._rng.choice(second_texts()), COLD_REPLY)
        return replace(ask, second=behind)

    def _strange(self) -> Ask:
        return _other("unknown", broad_text(self._rng, asked=0.0), UNKNOWN_REPLY)

    def _fragment(self) -> Ask:
        """The first half of a question at most, so that no answer can be known."""
        said = self.question().text.split()
        if len(said) < 4:
            return _other("unknown", "what is the", UNKNOWN_REPLY)
        return _other("unknown", " ".join(said[: len(said) // 2]).rstrip(",.?"), UNKNOWN_REPLY)
