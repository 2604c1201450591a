"""Draws what callers say in training: questions, fragments, follow-ups, other speech, noise.

It draws only trained phrasings and combinations. Families are drawn by their weights, a family's
intents evenly, so that training sees a whole table of sums. A caller speaks one language.
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
from workers.training.questions.follow_ups import NO_CONTEXT_REPLY, follow_up_texts
from workers.training.questions.listener_texts import HESITATIONS, broad_text, with_disfluency
from workers.training.questions.question_families import Language
from workers.training.questions.small_talk import NO_REPLY, UNKNOWN_REPLY
from workers.training.questions.wording import SAID_AROUND, reworded

LEAD: Final = 0.12  # share of questions that start with a lead word
DISFLUENT: Final = 0.08  # share of questions with a hesitation or a false start
# Shares of texts that are no question; all others are questions.
OTHER_SPEECH: Final = 0.05
FRAGMENT: Final = 0.02  # a question that breaks off
WITHOUT_CONTEXT: Final = 0.03  # a follow-up without a first question
FOLLOW_UP: Final = 0.14  # a follow-up, to place after a first question
NOISE: Final = 0.02  # no speech
# Half the words of two questions, shuffled. Without such texts the model guessed words from their
# neighbours. It misrecognised 2 and 10 % of the words of unseen voices (espeak-ng, flite), and 16 %
# of the words in unseen phrasings.
SHUFFLED: Final = 0.12
SPANISH: Final = 0.08  # share of Spanish texts, if both languages are taught


@dataclass(frozen=True, slots=True)
class CallerText:
    """What a caller says (`text`, '' for noise) and what it means.

    `is_follow_up`: it needs a first question. `unfinished`: it breaks off, and may continue after a
    pause. `shuffled`: words without meaning, only to be recognised.
    """

    text: str
    question: Question
    is_follow_up: bool = False
    unfinished: bool = False
    shuffled: bool = False


@dataclass(frozen=True, slots=True)
class LanguagePhrases:
    """What callers of one language say around and instead of questions, and the replies."""

    leads: tuple[str, ...]
    hesitations: tuple[str, ...]
    unknown_reply: str
    no_context_reply: str
    follow_up_texts: Callable[[], tuple[str, ...]]
    other_speech: Callable[[random.Random], str]
    reworded: Callable[[str, random.Random], str]  # puts more words around a question
    around: tuple[str, ...]  # the phrases that `reworded` uses
    beginning: str  # said instead of a question that is too short to break off in the middle


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
        lambda rng: rng.choice(spanish.OTHER_SPEECH),
        lambda text, _: text,
        (),
        "cuál es el",
    ),
}


class CallerTextSampler:
    """Draws texts of one language, from the named families or from all."""

    def __init__(
        self,
        rng: random.Random,
        families: Sequence[str] = (),
        language: Language = Language.ENGLISH,
    ) -> None:
        self._rng, self._language, self._phrases = rng, language, PHRASES[language]
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
            (FOLLOW_UP, lambda: self._follow_up(with_context=True)),
            (WITHOUT_CONTEXT, lambda: self._follow_up(with_context=False)),
            (FRAGMENT, self._fragment),
            (SHUFFLED, self._shuffled),
            (OTHER_SPEECH, self._other_speech),
        )

    def question(self) -> Question:
        """One trained question."""
        intents = self._rng.choices(self._intents, cum_weights=self._weights)[0]
        return self._rng.choice(self._rng.choice(intents))

    def __call__(self) -> CallerText:
        """The next text."""
        luck = self._rng.random()
        for share, make in self._others:
            luck -= share
            if luck < 0:
                return make()
        return self._asked()

    def _asked(self) -> CallerText:
        question = self.question()
        text = question.text
        if question.content != (question.family,):  # a text without slots is often no question
            text = self._phrases.reworded(text, self._rng)
        if self._rng.random() < LEAD:
            text = f"{self._rng.choice(self._phrases.leads)} {text}"
        if self._rng.random() < DISFLUENT:
            disfluent = with_disfluency(text, self._rng, self._phrases.hesitations)
            # A false start turns "hello" into the held-out "hello, hello".
            text = text if is_held_out_text(disfluent, self._language) else disfluent
        return CallerText(text, question)

    def _other(self, family: str, text: str, reply: str) -> CallerText:
        named = Question(family, family, f"{family}/0", text, reply, (), (), "", self._language)
        return CallerText(text, named)

    def _follow_up(self, *, with_context: bool) -> CallerText:
        text = self._rng.choice(self._phrases.follow_up_texts())
        said = self._other("then", text, self._phrases.no_context_reply)
        return replace(said, is_follow_up=with_context)

    def _other_speech(self) -> CallerText:
        text = self._phrases.other_speech(self._rng)
        return self._other("unknown", text, self._phrases.unknown_reply)

    def _fragment(self) -> CallerText:
        """At most the first half of a question, too little to know the answer."""
        whole = self.question().text.split()
        half = " ".join(whole[: len(whole) // 2]).rstrip(",.?")
        text = self._phrases.beginning if len(whole) < 4 else half
        said = self._other("unknown", text, self._phrases.unknown_reply)
        return replace(said, unfinished=True)

    def _shuffled(self) -> CallerText:
        """Half the words of two questions, in random order."""
        found = words(f"{self.question().text} {self.question().text}")
        self._rng.shuffle(found)
        text = " ".join(found[: len(found) // 2])
        if is_held_out_text(text, self._language):
            return self._shuffled()
        return replace(self._other("loose", text, self._phrases.unknown_reply), shuffled=True)


def samplers(rng: random.Random, families: Sequence[str] = ()) -> dict[Language, CallerTextSampler]:
    """A sampler for each language that has some of the families; empty: all."""
    return {
        language: CallerTextSampler(rng, families, language)
        for language, taught in FAMILIES_IN.items()
        if not families or any(family.name in families for family in taught)
    }


def caller_text_source(
    rng: random.Random, families: Sequence[str] = ()
) -> Callable[[], CallerText]:
    """Draws texts in all taught languages; a share of SPANISH is Spanish."""
    found = samplers(rng, families)
    if len(found) == 1:
        return next(iter(found.values()))
    english, other = found[Language.ENGLISH], found[Language.SPANISH]
    return lambda: other() if rng.random() < SPANISH else english()
