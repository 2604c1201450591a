"""The listener's texts: phonetically broad, thousands of words, with characters and phones.

The words, their frequency and their pronunciation come from pocketsphinx's English model and
dictionary (cmudict, BSD licence), so nothing is downloaded. One word in twenty is never spoken in
training: what the listener makes of those is its open-vocabulary error.
"""

import random
import zlib
from functools import cache
from pathlib import Path
from typing import Final

from workers.training.dialogue import LEADS, Split, questions, words

HELD_OUT_ONE_IN: Final = 20
COMMON_WORDS: Final = 9000
CHARACTERS: Final = " '" + "abcdefghijklmnopqrstuvwxyz"  # CTC classes 1..28; 0 is the blank
PHONES: Final = tuple(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W "
    "Y Z ZH".split()
)  # CTC classes 1..39; 0 is the blank

_SMALL: Final = "the a of to and is it you in for that on with my this are be what can".split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ONES: Final = "one two three four five six seven eight nine".split()
_TEENS: Final = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
# Carriers for one or two words: none is a phrasing of the dialogue, trained or held out.
_CARRIERS: Final = (
    "i would like a {x} and a {y}",
    "my friend talked about {x} yesterday",
    "we never had any {x} at home",
    "there is {x} on the {y}",
    "where did you put the {x}?",
    "she thinks that {x} is better than {y}",
    "how do you spell {x}?",
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
def pronunciations() -> dict[str, tuple[str, ...]]:
    """Word -> phones, without stress; the first pronunciation of each."""
    from pocketsphinx import get_model_path

    path = Path(get_model_path()) / "en-us" / "cmudict-en-us.dict"
    lines = (line.split() for line in path.read_text().splitlines())
    return {word: tuple(phones) for word, *phones in lines if "(" not in word}


@cache
def ordinary_words(count: int = COMMON_WORDS) -> tuple[str, ...]:
    """The most frequent pronounceable words, most frequent first."""
    from pocketsphinx import Config, LogMath, NGramModel, get_model_path

    folder = Path(get_model_path()) / "en-us"
    model = NGramModel(Config(), LogMath(), str(folder / "en-us.lm.bin"))
    plain = sorted(w for w in pronunciations() if w.isalpha() and w.isascii() and len(w) > 2)
    return tuple(sorted(plain, key=lambda word: -float(model.prob([word])))[:count])


@cache
def carrier_words() -> frozenset[str]:
    """All words of the trained questions and of the carriers: never held out."""
    return frozenset(word for text in (*_dialogue(), *_CARRIERS) for word in words(text))


def is_held_out(word: str) -> bool:
    """Whether the listener's training never speaks this word."""
    return zlib.crc32(word.encode()) % HELD_OUT_ONE_IN == 0 and word not in carrier_words()


@cache
def trained_words() -> tuple[str, ...]:
    """The ordinary words of training, most frequent first."""
    return tuple(word for word in ordinary_words() if not is_held_out(word))


@cache
def unheard_words() -> tuple[str, ...]:
    """The ordinary words kept for the evaluation."""
    return tuple(word for word in ordinary_words() if is_held_out(word))


@cache
def _dialogue() -> tuple[str, ...]:
    return tuple(question.text for question in questions(Split.TRAIN))


def spoken_number(value: int) -> str:
    """0..999 in words, without hyphens."""
    if value >= 100:
        rest = f" and {spoken_number(value % 100)}" if value % 100 else ""
        return f"{_ONES[value // 100 - 1]} hundred{rest}"
    if value >= 20:
        ones = f" {_ONES[value % 10 - 1]}" if value % 10 else ""
        return _TENS[value // 10 - 2] + ones
    return (["zero", *_ONES, *_TEENS.split()])[value]


def random_string(rng: random.Random, vocabulary: tuple[str, ...], low: int, high: int) -> str:
    """`low` to `high` words, one in five of them small."""
    count = rng.randint(low, high)
    return " ".join(rng.choice(_SMALL if rng.random() < 0.2 else vocabulary) for _ in range(count))


def broad_text(rng: random.Random) -> str:
    """One training text: half word strings, the rest questions, carriers, words, numbers."""
    vocabulary = trained_words()
    kind = rng.random()
    if kind < 0.5:
        return random_string(rng, vocabulary, 3, 7)
    if kind < 0.68:
        lead = f"{rng.choice(LEADS)} " if rng.random() < 0.2 else ""
        return lead + rng.choice(_dialogue())
    if kind < 0.84:
        return rng.choice(_CARRIERS).format(x=rng.choice(vocabulary), y=rng.choice(vocabulary))
    if kind < 0.93:
        return random_string(rng, vocabulary, 1, 2)
    return " ".join(spoken_number(rng.randrange(1000)) for _ in range(rng.randint(1, 3)))


def unheard_text(rng: random.Random) -> str:
    """One evaluation text: a string of words that training never spoke."""
    return random_string(rng, unheard_words(), 3, 6)


def characters(text: str) -> list[int]:
    """The CTC classes of a text's letters, punctuation left out."""
    return [CHARACTERS.index(c) + 1 for c in " ".join(words(text))]


def phones(text: str) -> list[int]:
    """The CTC classes of a text's phones; words without an entry give none."""
    found = pronunciations()
    return [PHONES.index(p) + 1 for word in words(text) for p in found.get(word, ())]
