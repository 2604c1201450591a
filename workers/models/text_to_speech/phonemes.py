"""Converts English text to the phonemes of Kokoro and hibari, with the package hibari-tts.

It needs neither espeak-ng nor phonemizer, on which kokoro-onnx depends (both GPL-3.0).
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from shared.errors import ConfigError

PACKAGE: Final = "hibari-tts"  # on PyPI, Apache-2.0
VERSION: Final = "0.2.1"
_REPEATED: Final = re.compile(r"([.,;:!?…])[.,;:!?…]+")  # after "U.S.", for example


class Phonemes:
    """Converts spoken words to phonemes, and phonemes to a voice's input numbers."""

    def __init__(self, british: bool = False) -> None:
        self._reader = _reader(british)
        text = (assets("a voice") / "vocab.json").read_text(encoding="utf-8")
        self._ids: dict[str, int] = json.loads(text)

    def of_words(self, forms: Sequence[str]) -> list[str]:
        """The phonemes of each spoken form, which may be several words; "" if it has none."""
        found = [""] * len(forms)
        owners = [i for i, form in enumerate(forms) for _ in form.split()]
        text = " ".join(" ".join(forms).split())
        word = 0
        for token in self._reader.phonemize_tokens(self._reader.tokenize(text)):
            found[owners[word]] += "".join(c for c in token.phonemes or "" if c in self._ids)
            if token.whitespace:
                found[owners[word]] += " "
                word += 1
        return [_REPEATED.sub(r"\1", " ".join(text.split())) for text in found]

    def ids(self, phonemes: str) -> list[int]:
        """One number a phoneme, with the silence at both ends."""
        return [0, *(self._ids[c] for c in phonemes), 0]


@cache
def _reader(british: bool) -> Any:
    """hibari's dictionary and rules, cached: reading them takes a second."""
    return import_module("hibari.g2p").G2P(british=british)


def assets(purpose: str) -> Path:
    """The folder of the package's files. Raises ConfigError if it is not installed."""
    spec = find_spec("hibari")
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"Expected the package {PACKAGE} for {purpose}, got none: "
            f"pip install {PACKAGE}=={VERSION}"
        )
    return Path(spec.origin).parent / "assets"
