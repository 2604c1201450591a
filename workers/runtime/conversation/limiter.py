"""Makes a reply's audio safe for the caller: no NaN, no clipping, no roar.

Quiet audio passes bit for bit. The state is one gain, which each reply resets, so a reply's
sound depends on that reply alone.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Floats, Pcm16, pcm16_from_floats
from shared.telemetry import HEALED_SAMPLES

CEILING: Final = 10 ** (-1 / 20)  # -1 dBFS = 0.891
KNEE: Final = 0.7  # below it the limiter changes nothing
LOUD_RMS: Final = 10 ** (-9 / 20)  # -9 dBFS = 0.355 over 80 ms; speech stays under -15
ATTACK: Final = 0.5  # share of the excess (in dB) taken away each 80 ms
RELEASE: Final = 10 ** (1.5 / 20)  # and restored: 1.5 dB each 80 ms
_FULL_SCALE: Final = 32768.0


class Guard:
    """The level guard of one reply."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def check(self, audio: Pcm16 | Floats) -> Pcm16:
        """Up to 80 ms of PCM16, or float32 of full scale 1 -> safe PCM16 of the same length."""
        whole = audio.dtype == np.int16
        if whole and self.gain == 1.0 and _peak(audio) <= LOUD_RMS * _FULL_SCALE:
            return audio.astype(np.int16, copy=False)  # the usual case, made fast
        samples = audio / np.float32(_FULL_SCALE) if whole else heal(audio)
        previous, self.gain = self.gain, self._next_gain(samples)
        if whole and previous == self.gain == 1.0 and _peak(samples) <= KNEE:
            return audio.astype(np.int16, copy=False)
        ramp = np.linspace(previous, self.gain, audio.size, dtype=np.float32)
        return pcm16_from_floats(limit((samples * ramp).astype(np.float32)))

    def _next_gain(self, samples: NDArray[Any]) -> float:
        if not samples.size:
            return self.gain
        rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
        target = LOUD_RMS / rms if rms > LOUD_RMS else 1.0
        if target < self.gain:
            return float(self.gain * (target / self.gain) ** ATTACK)
        return float(min(1.0, target, self.gain * RELEASE))


def _peak(samples: NDArray[Any]) -> float:
    # In integers the absolute value of -32768 is itself.
    return max(float(samples.max()), -float(samples.min())) if samples.size else 0.0


def heal(samples: NDArray[Any]) -> Floats:
    """NaN and infinities -> silence, counted."""
    bad = ~np.isfinite(samples)
    if bad.any():
        HEALED_SAMPLES.inc(int(bad.sum()))
        samples = np.where(bad, 0.0, samples)
    return samples.astype(np.float32)


def limit(samples: Floats) -> Floats:
    """Soft limiter without memory: the identity up to the knee, then tanh up to -1 dBFS."""
    level = np.abs(samples)
    over = (CEILING - KNEE) * np.tanh((level - KNEE) / (CEILING - KNEE)) + KNEE
    limited = np.where(level <= KNEE, samples, np.sign(samples) * over)
    return np.asarray(limited, dtype=np.float32)
