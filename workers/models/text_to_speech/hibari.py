"""Speaks with hibari, a small voice distilled from Kokoro: text, phonemes, spectrum, sound.

    speak = load_hibari()
    speak.say("The sky is blue because", 0, whole=False, seed=7, persona=UNCHOSEN)

The network computes how long each phoneme lasts, but the published graph does not output it.
`with_output` (onnx_model.py) adds that output when the file is read, so each word's place is known.
Letters: L phonemes with the silence at both ends, F frames of 12.5 ms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.audio import Floats
from shared.errors import ConfigError
from shared.voices import Offer
from workers.models.onnx_model import session, with_output
from workers.models.recorded_files import check
from workers.models.text_to_speech.phonemes import PACKAGE, VERSION, Phonemes, assets
from workers.models.text_to_speech.pitch import FRAME, level_difference, raised_before, widened
from workers.models.text_to_speech.sentence_speaker import (
    STYLES,
    Rendering,
    Seam,
    SentenceSpeaker,
    SpeakingStyle,
)
from workers.models.text_to_speech.word_timing import SpokenWords, rendering_of_parts, word_spans

DEFAULT_VOICE: Final = "heart"  # the one inside the package
PINNED: Final = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
DURATIONS: Final = "/Clip_output_0"  # (L,) in units of two frames
MIDDLE_HZ: Final = 185.0  # the pitch that a style's movement widens or narrows about
LONGEST: Final = 380  # phonemes at once; hibari's own limit is 400


class Hibari:
    """The voices with files on this machine. Not thread-safe."""

    exact = True

    def __init__(self, models: Mapping[str, bytes], british: set[str], threads: int = 1) -> None:
        """`models`: ONNX files by voice. `british`: the voices with a British accent."""
        self.offer = Offer(tuple(models), tuple(STYLES))
        self._sessions = {
            name: session(with_output(model, DURATIONS), threads) for name, model in models.items()
        }
        accents = {name: name in british for name in models}
        readers = {accent: Phonemes(accent) for accent in set(accents.values())}
        self._phonemes = {name: readers[accent] for name, accent in accents.items()}
        self._synth: Any = import_module("hibari.dsp").synth

    def render(
        self,
        forms: Sequence[str],
        voice: str,
        style: SpeakingStyle,
        seed: int,
        seam: Seam | None = None,
    ) -> Rendering:
        """Spoken forms -> their sound, and where each begins."""
        words = self._phonemes[voice].of_words(forms)
        whole = sum(map(bool, words))  # a sentence in parts keeps its pitch

        def say(part: Sequence[str]) -> SpokenWords:
            meet = _Seam.of(seam, words) if seam and len(part) == whole else None
            return self._spoken(part, voice, style, seed, meet)

        return rendering_of_parts(words, LONGEST, say)

    def _spoken(
        self,
        words: Sequence[str],
        voice: str,
        style: SpeakingStyle,
        seed: int,
        seam: "_Seam | None",
    ) -> SpokenWords:
        """Words as phonemes, none of them empty -> their sound."""
        ids = self._phonemes[voice].ids(" ".join(words))
        given = {
            "ids": np.array([ids], dtype=np.int64),
            "speed": np.array([style.speed], dtype=np.float32),
        }
        *parts, f0, lasting = self._sessions[voice].run(None, given)
        own = pitch = widened(f0[0], MIDDLE_HZ, style.movement)
        found = word_spans(len(pitch) * FRAME, words, lasting.reshape(-1))
        if seam is not None:
            cut = found.bound(seam.word)
            pitch = raised_before(pitch, cut, level_difference(seam.pitch, seam.cut, pitch, cut))
        rng = np.random.default_rng(seed)
        pcm: Floats = self._synth(*(part[0] for part in parts), pitch, rng)
        return SpokenWords(pcm, found, own)


@dataclass(frozen=True, slots=True)
class _Seam:
    """An earlier rendering's pitch (F,), its cut, and the word that now follows the cut."""

    pitch: Floats
    cut: int
    word: int

    @classmethod
    def of(cls, seam: Seam, words: Sequence[str]) -> "_Seam | None":
        """`words` includes those without phonemes; `word` counts only the others."""
        if seam.before.pitch is None or not any(words[seam.word :]):
            return None
        word = sum(map(bool, words[: seam.word]))
        return cls(seam.before.pitch, seam.before.bounds[seam.word], word)


def load_hibari(threads: int = 1) -> SentenceSpeaker:
    """Load the packaged voice and those that hibari has downloaded. Raises ConfigError without."""
    packaged = assets("SPEAK=hibari") / "hibari.onnx"
    voices = import_module("hibari.voices")
    remedy = f"pip install {PACKAGE}=={VERSION}"
    if not packaged.exists():
        raise ConfigError(f"Expected {packaged}, but it is missing: {remedy}")
    models = {DEFAULT_VOICE: packaged.read_bytes()}
    check(packaged, models[DEFAULT_VOICE], PINNED, remedy)
    for name, entry in voices.VOICES.items():
        path = Path(voices.cache_dir()) / entry["file"]
        if name != DEFAULT_VOICE and path.exists():
            models[name] = path.read_bytes()
            check(path, models[name], entry["sha256"], "remove it and let hibari download it again")
    british = {name for name in models if voices.VOICES[name]["british"]}
    return SentenceSpeaker(Hibari(models, british, threads))
