"""Speaks with Kokoro-82M, from which hibari is distilled: better voices, about fifty times slower.

    speak = load_kokoro(Path("kokoro"))   # kokoro-v1.0.onnx and voices-v1.0.bin, as published by
                                          # github.com/thewh1teagle/kokoro-onnx (Apache-2.0)

The phonemes come from hibari, which has Kokoro's alphabet. So the package kokoro-onnx and its
espeak-ng are not needed. A file exported with durations speaks a sentence while the model writes
it; other files speak it once it is whole. Letters: L phonemes with the silence at both ends.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Floats
from shared.errors import ConfigError
from shared.voices import Offer
from workers.models.onnx_model import session
from workers.models.text_to_speech.phonemes import Phonemes
from workers.models.text_to_speech.sentence_speaker import (
    STYLES,
    Rendering,
    Seam,
    SentenceSpeaker,
    SpeakingStyle,
)
from workers.models.text_to_speech.word_timing import SpokenWords, rendering_of_parts, word_spans

DEFAULT_VOICE: Final = "af_heart"
ENGLISH: Final = ("a", "b")  # first letters of the American and British voices
LONGEST: Final = 480  # phonemes at once; Kokoro's own limit is 510
DURATIONS: Final = ("duration", "durations", "pred_dur")  # an output of newer exports
_TYPES: Final = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


class Kokoro:
    """Kokoro's English voices. Not thread-safe."""

    def __init__(self, model: Any, voices: Mapping[str, Floats]) -> None:
        """`model`: an onnxruntime session; `voices`: styles (lengths, 1, 256) by name."""
        names = sorted(voices, key=lambda name: (name != DEFAULT_VOICE, name))
        self._voices = {name: voices[name] for name in names if name[:1] in ENGLISH}
        self.offer = Offer(tuple(self._voices), tuple(STYLES))
        self._model = model
        self._inputs = {given.name: given.type for given in model.get_inputs()}
        self._tokens = "input_ids" if "input_ids" in self._inputs else "tokens"
        outputs = [found.name for found in model.get_outputs()]
        self._durations = next((i for i, name in enumerate(outputs) if name in DURATIONS), None)
        self.exact = self._durations is not None
        accents = {name[0] == "b" for name in self._voices}
        self._phonemes = {british: Phonemes(british) for british in accents}

    def render(
        self,
        forms: Sequence[str],
        voice: str,
        style: SpeakingStyle,
        seed: int,
        seam: Seam | None = None,
    ) -> Rendering:
        """Spoken forms -> their sound, and where each begins.

        `seed` and `seam` are unused: Kokoro is deterministic and takes no pitch as input.
        """
        words = self._phonemes[voice[0] == "b"].of_words(forms)
        return rendering_of_parts(words, LONGEST, lambda part: self._spoken(part, voice, style))

    def _spoken(self, words: Sequence[str], voice: str, style: SpeakingStyle) -> SpokenWords:
        ids = self._phonemes[voice[0] == "b"].ids(" ".join(words))
        styles = self._voices[voice]
        given = {
            self._tokens: [ids],
            "style": styles[min(len(ids) - 2, len(styles)) - 1],
            "speed": [style.speed],
        }
        typed = {name: np.array(given[name], _TYPES[kind]) for name, kind in self._inputs.items()}
        found = self._model.run(None, typed)
        pcm: Floats = np.asarray(found[0], dtype=np.float32).reshape(-1)
        if self._durations is None:
            lasting = _guessed(len(ids), pcm)
        else:
            lasting = np.asarray(found[self._durations]).reshape(-1)
        return SpokenWords(pcm, word_spans(len(pcm), words, lasting))


def load_kokoro(folder: Path, threads: int = 1) -> SentenceSpeaker:
    """Load Kokoro's files from a folder. Raises ConfigError if they are missing or do not fit."""
    model_path, voices_path = _only(folder, "*.onnx"), _only(folder, "voices*.bin")
    voices = np.load(voices_path)
    model = session(model_path.read_bytes(), threads)
    inputs = {given.name for given in model.get_inputs()}
    if not {"style", "speed"} < inputs:
        raise ConfigError(f"Expected a Kokoro in {model_path}, got a model of {sorted(inputs)}")
    kokoro = Kokoro(model, {name: voices[name] for name in voices.files})
    if not kokoro.offer.voices:
        raise ConfigError(f"Expected an English voice (af_heart, say) in {voices_path}, got none")
    return SentenceSpeaker(kokoro)


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ConfigError(
            f"Expected one {pattern} of Kokoro in {folder}, got {[path.name for path in found]}: "
            "kokoro-v1.0.onnx and voices-v1.0.bin are releases of thewh1teagle/kokoro-onnx"
        )
    return found[0]


def _guessed(count: int, pcm: Floats) -> NDArray[np.float64]:
    """Durations (L,) for a model without that output: equal shares of the part with sound."""
    loud = np.flatnonzero(np.abs(pcm) > 0.01)
    first, last = (int(loud[0]), int(loud[-1])) if len(loud) else (0, len(pcm))
    lasting = np.full(count, (last - first) / max(1, count - 2))
    lasting[0], lasting[-1] = first, len(pcm) - last
    return lasting
