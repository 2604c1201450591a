"""English words by frequency, with their pronunciations, from pocketsphinx's model and dictionary.

The dictionary is cmudict (BSD licence). The package contains it, so nothing is downloaded.
"""

from functools import cache
from pathlib import Path
from typing import Final

COMMON_WORDS: Final = 20_000


@cache
def pronunciations() -> dict[str, tuple[str, ...]]:
    """Word -> phones without stress, of each word's first pronunciation."""
    from pocketsphinx import get_model_path

    path = Path(get_model_path()) / "en-us" / "cmudict-en-us.dict"
    lines = (line.split() for line in path.read_text().splitlines())
    return {word: tuple(phones) for word, *phones in lines if "(" not in word}


@cache
def ordinary_words(count: int = COMMON_WORDS) -> tuple[str, ...]:
    """The most frequent words of at least three letters in the dictionary, in that order."""
    from pocketsphinx import Config, LogMath, NGramModel, get_model_path

    folder = Path(get_model_path()) / "en-us"
    model = NGramModel(Config(), LogMath(), str(folder / "en-us.lm.bin"))
    plain = sorted(w for w in pronunciations() if w.isalpha() and w.isascii() and len(w) > 2)
    return tuple(sorted(plain, key=lambda word: -float(model.prob([word])))[:count])
