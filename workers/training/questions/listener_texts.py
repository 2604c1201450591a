"""The listener's texts: phonetically broad, of thousands of words, with characters and phones.

Training never speaks one word in twenty. The listener's error on those words is its open-vocabulary
error.
"""

import random
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Final

from workers.training.questions.catalogue import LEADS, Split, questions, words
from workers.training.questions.lexicon import COMMON_WORDS, ordinary_words, pronunciations
from workers.training.questions.question_families import number
from workers.training.speech import spanish_pronunciation

HELD_OUT_ONE_IN: Final = 20
CHARACTERS: Final = " '" + "abcdefghijklmnopqrstuvwxyz"  # CTC classes 1..28; 0 is the blank
PHONES: Final = tuple(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W "
    "Y Z ZH".split()
)  # CTC classes 1..39; 0 is the blank

DISFLUENT: Final = 0.12  # share of texts with a hesitation or a false start
HESITATIONS: Final = ("uh,", "um,", "er,", "hmm,", "uh, uh,", "well, um,", "you know,")

_FUNCTION_WORDS: Final = (
    "the a of to and is it you in for that on with my this are be what can".split()
)
# Sentences around one or two words. None is a phrasing of the catalogue, trained or held out.
_CARRIERS: Final = (
    "i would like a {x} and a {y}",
    "my friend talked about {x} yesterday",
    "we never had any {x} at home",
    "there is {x} on the {y}",
    "where did you put the {x}?",
    "she thinks that {x} is better than {y}",
    "do they sell {x} here?",
    "he bought the {x} in {y}",
    "the {x} was not very {y}",
    "show me the {x}",
    "look for {x} near {y}",
    "i heard {x}, not {y}",
    "why is the {x} so {y}?",
    "does {x} go with {y}?",
    "give me {x} of them",
    "who said {x}?",
    "they will {x} the {y} later",
    "remind me of {x}",
)


@cache
def carrier_words() -> frozenset[str]:
    """All words of the trained questions and of the carriers, which are never held out."""
    return frozenset(word for text in (*_question_texts(), *_CARRIERS) for word in words(text))


def is_held_out(word: str) -> bool:
    """Whether the listener's training never speaks this word."""
    return zlib.crc32(word.encode()) % HELD_OUT_ONE_IN == 0 and word not in carrier_words()


@cache
def trained_words() -> tuple[str, ...]:
    """The ordinary words of training, most frequent first."""
    return tuple(word for word in ordinary_words() if not is_held_out(word))


@cache
def untrained_words() -> tuple[str, ...]:
    """The ordinary words that only the evaluation speaks, most frequent first."""
    return tuple(word for word in ordinary_words() if is_held_out(word))


@cache
def _question_texts() -> tuple[str, ...]:
    return tuple(question.text for question in questions(Split.TRAIN))


def random_string(rng: random.Random, vocabulary: tuple[str, ...], low: int, high: int) -> str:
    """`low` to `high` words; one in five is a function word."""
    count = rng.randint(low, high)
    return " ".join(
        rng.choice(_FUNCTION_WORDS if rng.random() < 0.2 else vocabulary) for _ in range(count)
    )


def broad_text(rng: random.Random, asked: float = 0.18) -> str:
    """One training text: a share `asked` are questions; most others are strings of words."""
    text = _fluent_text(rng, asked)
    return with_disfluency(text, rng) if rng.random() < DISFLUENT else text


def _fluent_text(rng: random.Random, asked: float) -> str:
    if rng.random() < asked:
        lead = f"{rng.choice(LEADS)} " if rng.random() < 0.2 else ""
        return lead + rng.choice(_question_texts())
    # Two texts in five draw from the whole list, the others from its most frequent third.
    vocabulary = trained_words()[: None if rng.random() < 0.4 else COMMON_WORDS // 3]
    kind = rng.random()
    if kind < 0.6:
        return random_string(rng, vocabulary, 3, 7)
    if kind < 0.8:
        return rng.choice(_CARRIERS).format(x=rng.choice(vocabulary), y=rng.choice(vocabulary))
    if kind < 0.9:
        return random_string(rng, vocabulary, 1, 2)
    return " ".join(number(rng.randrange(1000)) for _ in range(rng.randint(1, 3)))


def with_disfluency(text: str, rng: random.Random, hesitations: Sequence[str] = HESITATIONS) -> str:
    """The text with a hesitation or a false start."""
    parts = text.split()
    at = rng.randrange(len(parts))
    if rng.random() < 0.5:
        return " ".join([*parts[:at], rng.choice(hesitations), *parts[at:]])
    restart = [*parts[: at + 1]][-3:]
    return " ".join([*restart[:-1], restart[-1].rstrip(",.?!") + ",", *parts])


def untrained_text(rng: random.Random) -> str:
    """One evaluation text: a string of words that training never speaks."""
    return random_string(rng, untrained_words(), 3, 6)


def characters(text: str) -> list[int]:
    """The CTC classes of a text's letters, without punctuation."""
    return [CHARACTERS.index(c) + 1 for c in " ".join(words(text))]


def phones(text: str) -> list[int]:
    """The CTC classes of a text's phones; words missing from the dictionary have none."""
    found = pronunciations()
    return [PHONES.index(p) + 1 for word in words(text) for p in found.get(word, ())]


def spanish_phones(text: str, accent: str) -> list[int]:
    """The CTC classes of a Spanish text: its nearest English phones, in one accent."""
    pronounced = (spanish_pronunciation.pronounced(word, accent) for word in words(text))
    return [PHONES.index(phone) + 1 for word in pronounced for phone in word]
