"""Pronounces Spanish words in English phones, for festival, the recogniser and text turns.

espeak-ng pronounces a word; each of its IPA symbols becomes the nearest phone of cmudict.
Festival's English voices therefore speak Spanish with an American accent: none of them trills an r,
and a final e glides.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Final

from workers.training.speech.espeak import espeak

CASTILIAN: Final = "roa/es"  # z and soft c as th
AMERICAN: Final = "roa/es-419"  # z and soft c as s
ACCENTS: Final = (CASTILIAN, AMERICAN)
ASSISTANT: Final = AMERICAN

_VOWELS: Final = {
    "aɪ": "AY", "eɪ": "EY", "oɪ": "OY", "aʊ": "AW",
    "a": "AA", "e": "EH", "ɛ": "EH", "i": "IY", "o": "OW", "u": "UW",
}  # fmt: skip
_CONSONANTS: Final = {
    "tʃ": ("CH",), "p": ("P",), "b": ("B",), "β": ("B",), "t": ("T",), "d": ("D",), "ð": ("DH",),
    "k": ("K",), "ɡ": ("G",), "ɣ": ("G",), "f": ("F",), "θ": ("TH",), "s": ("S",), "z": ("Z",),
    "x": ("HH",), "m": ("M",), "n": ("N",), "ŋ": ("NG",), "ɲ": ("N", "Y"), "l": ("L",),
    "ʎ": ("Y",), "ʝ": ("Y",), "j": ("Y",), "ɾ": ("R",), "r": ("R",), "w": ("W",),
    "ʊ": ("UW",), "ɪ": ("IY",),
}  # fmt: skip
_NUCLEI: Final = frozenset(_VOWELS.values())
_WORD: Final = re.compile(r"[^\W\d_]+")
# Unstressed in a sentence, although a dictionary gives them stress.
_CLITICS: Final = frozenset("el la lo los las le me se y es en de del al a por que su no".split())
_STRESS: Final = "ˈ"
_IGNORED: Final = "ˌː "
# Pairs of consonants that begin a syllable together.
_CLUSTERS: Final = frozenset((a, b) for a in "P B T D K G F".split() for b in "R L Y W".split()) | {
    (a, b) for a in "S TH M N L R HH DH CH".split() for b in "YW"
}
_OPENING: Final = str.maketrans("", "", "¿¡")
_ASCII: Final = str.maketrans(
    {"á": "aq", "é": "eq", "í": "iq", "ó": "oq", "ú": "uq", "ü": "wq", "ñ": "nq"}
)

Syllable = tuple[tuple[str, ...], bool]  # its phones, and whether it is stressed


def _symbols(ipa: str, word: str) -> Iterator[str]:
    at = 0
    while at < len(ipa):
        size = 2 if ipa[at : at + 2] in _VOWELS or ipa[at : at + 2] in _CONSONANTS else 1
        symbol = ipa[at : at + size]
        at += size
        if symbol in _IGNORED:
            continue
        if symbol != _STRESS and symbol not in _VOWELS and symbol not in _CONSONANTS:
            raise ValueError(f"Expected IPA of Spanish, got {symbol!r} of {ipa!r} for {word!r}")
        yield symbol


def _marked(word: str, accent: str) -> tuple[list[str], set[int]]:
    """The phones, and the indices of the stressed vowels."""
    found: list[str] = []
    stressed: set[int] = set()
    stress = False
    for symbol in _symbols(espeak().ipa(accent, word), word):
        if symbol == _STRESS:
            stress = word not in _CLITICS
        elif symbol in _VOWELS:
            if stress:
                stressed.add(len(found))
            stress = False
            found.append(_VOWELS[symbol])
        elif found[-1:] != ["Y"] or _CONSONANTS[symbol] != ("Y",):  # "ll" after i
            found.extend(_CONSONANTS[symbol])
    if found and found[-1] == "EH":
        found[-1] = "EY"  # no English word ends in EH
    return found, stressed


@cache
def pronounced(word: str, accent: str = ASSISTANT) -> tuple[str, ...]:
    """The word's phones from cmudict, without stress."""
    return tuple(_marked(word, accent)[0])


def _onset(phones: Sequence[str], last: int, vowel: int) -> int:
    """Where the syllable of the vowel at `vowel` begins, after the vowel at `last`."""
    start = vowel
    while start - 1 > last:
        if start < vowel and (phones[start - 1], phones[start]) not in _CLUSTERS:
            break
        start -= 1
    return start


@cache
def syllables(word: str, accent: str = ASSISTANT) -> tuple[Syllable, ...]:
    """The word's syllables, split before consonants that can begin a syllable together."""
    phones, stressed = _marked(word, accent)
    nuclei = [i for i, phone in enumerate(phones) if phone in _NUCLEI]
    starts = [0, *(_onset(phones, a, b) for a, b in pairwise(nuclei)), len(phones)]
    cuts = list(pairwise(starts)) if nuclei else [(0, len(phones))]
    return tuple((tuple(phones[a:b]), any(i in stressed for i in range(a, b))) for a, b in cuts)


def spelled(word: str) -> str:
    """An ASCII name for the word that is not an English word: `zzmaqs` for más."""
    return "zz" + word.translate(_ASCII)


def entry(word: str, accent: str = ASSISTANT) -> str:
    """The line that adds the word to festival's lexicon, under its name from `spelled`."""
    parts = (f"(({' '.join(p)}) {int(stress)})".lower() for p, stress in syllables(word, accent))
    return f'(lex.add.entry \'("{spelled(word)}" nil ({" ".join(parts)})))'


def entries(texts: Sequence[str], accent: str = ASSISTANT) -> list[str]:
    """The lexicon lines for every word of some Spanish texts."""
    found = dict.fromkeys(word for text in texts for word in _WORD.findall(text.lower()))
    return [entry(word, accent) for word in found]


def respelled(text: str) -> str:
    """The text in the names from `spelled`, with the punctuation that makes festival pause."""
    return _WORD.sub(lambda found: spelled(found[0]), text.lower()).translate(_OPENING)
