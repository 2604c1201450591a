"""Brings a recording of any sample rate to the 24 kHz of a call."""

from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Pcm16, pcm16_from_floats

# With scipy's default (5.0), 15 kHz folds back at -57 dB.
KAISER_BETA = 8.0


def resample(samples: NDArray[np.float32], rate_hz: int) -> Pcm16:
    """Mono float32 in [-1, 1] at any rate -> int16 at 24 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return pcm16_from_floats(samples)
    common = gcd(SAMPLE_RATE_HZ, rate_hz)
    up, down = SAMPLE_RATE_HZ // common, rate_hz // common
    audio = resample_poly(samples.astype(np.float64), up, down, window=("kaiser", KAISER_BETA))
    return pcm16_from_floats(audio.astype(np.float32))
