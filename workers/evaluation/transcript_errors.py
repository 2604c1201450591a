"""Word errors of transcripts, counted on what was said and not on how it was written. Pure.

Digits, units and abbreviations become words, contractions their parts, British spelling American;
case and punctuation do not count.
"""

import re
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

from workers.models.text_to_speech.text_normalisation import spoken_forms

_BRITISH: Final = {
    "colour": "color", "favourite": "favorite", "neighbour": "neighbor", "aeroplane": "airplane",
    "neighbours": "neighbors",
    "mum": "mom", "grey": "gray", "centre": "center", "theatre": "theater", "practise": "practice",
    "realise": "realize", "organise": "organize", "travelling": "traveling",
    "programme": "program", "kilometre": "kilometer", "kilometres": "kilometers", "metre": "meter",
    "metres": "meters", "litre": "liter", "litres": "liters", "honour": "honor", "humour": "humor",
    "flavour": "flavor", "behaviour": "behavior", "apologise": "apologize",
    "recognise": "recognize",
}  # fmt: skip
_SAME: Final = {
    "ok": "okay", "goodbye": "good bye", "goodnight": "good night", "alright": "all right",
    "gonna": "going to", "wanna": "want to", "gotta": "got to", "can't": "can not",
    "cannot": "can not", "won't": "will not", "let's": "let us", "thankyou": "thank you",
    "anymore": "any more", "everyday": "every day", "ice-cream": "ice cream", "hm": "hmm",
    "mhm": "hmm", "um": "", "uh": "", "uhm": "", "er": "", "erm": "",
}  # fmt: skip
_ENDINGS: Final = (
    ("n't", " not"), ("'m", " am"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"),
)  # fmt: skip
# After these, 's and 'd are "is" and "would"; after other words they stay.
_SHORTENED: Final = frozenset(
    "it he she that what where who how when why there here i you we they".split()
)
_LETTERS: Final = re.compile(r"[^\w']+")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors of one transcript or of many together."""

    errors: int = 0
    words: int = 0

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(self.errors + other.errors, self.words + other.words)

    @property
    def rate(self) -> float:
        """Errors a word that was said; without any word, 0 or infinite."""
        if not self.words:
            return float("inf") if self.errors else 0.0
        return self.errors / self.words


def word_errors(wanted: str, heard: str) -> WordErrors:
    """Insertions, deletions and substitutions between two texts, as few as can be."""
    said = said_words(wanted)
    return WordErrors(Levenshtein.distance(said, said_words(heard)), len(said))


def said_words(text: str) -> list[str]:
    """The words of a text as they are said, in lower case."""
    plain = " ".join(spoken_forms(text.split())).lower().replace(".", "").replace("-", " ")
    found: list[str] = []
    for word in _LETTERS.sub(" ", plain).split():
        found += _parts(word.strip("'"))
    return found


def _parts(word: str) -> list[str]:
    word = _BRITISH.get(word, word)
    if word in _SAME:
        return _SAME[word].split()
    for ending, full in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            return (word.removesuffix(ending) + full).split()
    stem, mark, letter = word.partition("'")
    if mark and letter in ("s", "d") and stem in _SHORTENED:
        return [stem, "is" if letter == "s" else "would"]
    return [word.replace("'", "")] if word else []
