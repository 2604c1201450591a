"""What callers say in training, drawn without end: questions, fragments, second questions, noise.

Only trained phrasings and combinations are drawn. Families are drawn by their weights, intents of
a family alike, so that a table of sums is seen whole. A caller speaks one language.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from workers.training.questions import spanish
from workers.training.questions.catalogue import (
    FAMILIES_IN,
    LEADS,
    Question,
    Split,
    is_held_out_text,
    questions,
    words,
)
from workers.training.questions.chat import NO_REPLY, UNKNOWN_REPLY
from workers.training.questions.families import Language
from workers.training.questions.follow_ups import NO_CONTEXT_REPLY, follow_up_texts
from workers.training.questions.listener_texts import HESITATIONS, broad_text, halting
from workers.training.questions.wording import SAID_AROUND, reworded

LEAD: Final = 0.12  # share of questions behind a lead word
HALTING: Final = 0.08  # ... with a hesitation or a false start
# Shares of what is no question; the rest are questions.
STRANGE: Final = 0.05  # other speech
FRAGMENT: Final = 0.02  # a question that breaks off
WITHOUT_CONTEXT: Final = 0.03  # a second question, said first
FOLLOW_UP: Final = 0.14  # a second question, to be put behind a first
NOISE: Final = 0.02  # nothing said
# Half the words of two questions, in no order. Without them words were guessed from those around:
# 2 and 10 % of those of unseen voices (espeak-ng, flite) were misheard, in phrasings never trained
# 16 %.
SHUFFLED: Final = 0.12
SPANISH: Final = 0.08  # share of Spanish where both languages are read


@dataclass(frozen=True, slots=True)
class CallerText:
    """What is said (`text`, '' for noise) and what it means.

    `second`: only behind a first. `unfinished`: it breaks off, and might go on after a pause.
    `loose`: words in no order, which mean nothing and are only to be heard.
    """

    text: str
    question: Question
    second: bool = False
    unfinished: bool = False
    loose: bool = False


@dataclass(frozen=True, slots=True)
class LanguagePhrases:
    """What a language has around its questions."""

    leads: tuple[str, ...]
    hesitations: tuple[str, ...]
    unknown_reply: str
    cold_reply: str
    follow_up_texts: Callable[[], tuple[str, ...]]
    strange: Callable[[random.Random], str]
    reworded: Callable[[str, random.Random], str]  # what is asked in still other words
    around: tuple[str, ...]  # ... and those words
    beginning: str  # said of a question too short to break off in the middle


PHRASES: Final = {
    Language.ENGLISH: LanguagePhrases(
        LEADS,
        HESITATIONS,
        UNKNOWN_REPLY,
        NO_CONTEXT_REPLY,
        follow_up_texts,
        lambda rng: broad_text(rng, asked=0.0),
        reworded,
        SAID_AROUND,
        "what is the",
    ),
    Language.SPANISH: LanguagePhrases(
        spanish.LEADS,
        spanish.HESITATIONS,
        spanish.UNKNOWN_REPLY,
        spanish.NO_CONTEXT_REPLY,
        lambda: spanish.AGAIN,
        lambda rng: rng.choice(spanish.STRANGE),
        lambda text, _: text,
        (),
        "cuál es el",
    ),
}


class CallerTextSampler:
    """Draws with its own generator, from some families of one language or from all."""

    def __init__(
        self,
        rng: random.Random,
        families: Sequence[str] = (),
        language: Language = Language.ENGLISH,
    ) -> None:
        self._rng, self._language, self._manner = rng, language, PHRASES[language]
        chosen = [f for f in FAMILIES_IN[language] if not families or f.name in families]
        if not chosen:
            raise ValueError(f"Expected names of families, got {families}")
        by_family: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
        for question in questions(Split.TRAIN, language):
            by_family[question.family][question.intent].append(question)
        self._intents = [list(by_family[family.name].values()) for family in chosen]
        self._weights = list(accumulate(family.weight for family in chosen))
        self._others: tuple[tuple[float, Callable[[], CallerText]], ...] = (
            (NOISE, lambda: self._other("noise", "", NO_REPLY)),
            (FOLLOW_UP, lambda: self._second(True)),
            (WITHOUT_CONTEXT, lambda: self._second(False)),
            (FRAGMENT, self._fragment),
            (SHUFFLED, self._loose),
            (STRANGE, self._strange),
        )

    def question(self) -> Question:
        """One trained question."""
        intents = self._rng.choices(self._intents, cum_weights=self._weights)[0]
        return self._rng.choice(self._rng.choice(intents))

    def __call__(self) -> CallerText:
        """The next thing said."""
        luck = self._rng.random()
        for share, make in self._others:
            luck -= share
            if luck < 0:
                return make()
        return self._asked()

    def _asked(self) -> CallerText:
        question = self.question()
        text = question.text
        if question.content != (question.family,):  # what has no slots is rather said than asked
            text = self._manner.reworded(text, self._rng)
        if self._rng.random() < LEAD:
            text = f"{self._rng.choice(self._manner.leads)} {text}"
        if self._rng.random() < HALTING:
            halted = halting(text, self._rng, self._manner.hesitations)
            # A false start makes "hello" the held-out "hello, hello".
            text = text if is_held_out_text(halted, self._language) else halted
        return CallerText(text, question)

    def _other(self, family: str, text: str, reply: str) -> CallerText:
        named = Question(family, family, f"{family}/0", text, reply, (), (), "", self._language)
        return CallerText(text, named)

    def _second(self, behind: bool) -> CallerText:
        text = self._rng.choice(self._manner.follow_up_texts())
        return replace(self._other("then", text, self._manner.cold_reply), second=behind)

    def _strange(self) -> CallerText:
        return self._other("unknown", self._manner.strange(self._rng), self._manner.unknown_reply)

    def _fragment(self) -> CallerText:
        """The first half of a question at most, so that no answer can be known."""
        said = self.question().text.split()
        half = " ".join(said[: len(said) // 2]).rstrip(",.?")
        text = self._manner.beginning if len(said) < 4 else half
        said_half = self._other("unknown", text, self._manner.unknown_reply)
        return replace(said_half, unfinished=True)

    def _loose(self) -> CallerText:
        """Words that come together by chance."""
        said = words(f"{self.question().text} {self.question().text}")
        self._rng.shuffle(said)
        text = " ".join(said[: len(said) // 2])
        if is_held_out_text(text, self._language):
            return self._loose()
        return replace(self._other("loose", text, self._manner.unknown_reply), loose=True)


def samplers(rng: random.Random, families: Sequence[str] = ()) -> dict[Language, CallerTextSampler]:
    """One for each language that has some of the families; () all."""
    return {
        language: CallerTextSampler(rng, families, language)
        for language, taught in FAMILIES_IN.items()
        if not families or any(family.name in families for family in taught)
    }


def caller_text_source(
    rng: random.Random, families: Sequence[str] = ()
) -> Callable[[], CallerText]:
    """Draws in any language, Spanish by its share."""
    found = samplers(rng, families)
    if len(found) == 1:
        return next(iter(found.values()))
    english, other = found[Language.ENGLISH], found[Language.SPANISH]
    return lambda: other() if rng.random() < SPANISH else english()
