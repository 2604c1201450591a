"""Measures how much of a sound is speech, by Silero's network, for sounds that Whisper doubts."""

from typing import Final

import numpy as np

from shared.audio import Floats
from workers.audio.silero_network import WINDOW, load_silero
from workers.models.speech_to_text.whisper_mel import RATE_HZ

SPEECH: Final = 0.5  # a window's probability from which it is speech, as its authors chose
LEVEL: Final = 0.1  # RMS of the louder half: the network misses speech below -45 dBFS
FAINTEST: Final = 1e-6


def voiced_s(samples: Floats) -> float:
    """(N,) float32 at 16 kHz, of any level -> the seconds of it that are speech."""
    if not len(samples):
        return 0.0
    power = np.sort(np.square(samples))[len(samples) // 2 :]
    gain = LEVEL / max(FAINTEST, float(np.sqrt(power.mean())))
    windows = load_silero().chances(samples * np.float32(gain)) >= SPEECH
    return int(windows.sum()) * WINDOW / RATE_HZ
