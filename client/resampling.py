"""Brings a recording of any sample rate to the rate of a call."""

from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Pcm16, pcm16_from_floats

# With scipy's default (5.0), 15 kHz folds back at -57 dB.
KAISER_BETA = 8.0


def resample(samples: NDArray[np.float32], rate_hz: int, to_hz: int = SAMPLE_RATE_HZ) -> Pcm16:
    """Mono float32 in [-1, 1] at any rate -> int16 at `to_hz`."""
    if rate_hz == to_hz:
        return pcm16_from_floats(samples)
    common = gcd(to_hz, rate_hz)
    up, down = to_hz // common, rate_hz // common
    # Padded with the median: with zeros, a recording with an offset would begin with a click.
    audio = resample_poly(
        samples.astype(np.float64), up, down, window=("kaiser", KAISER_BETA), padtype="median"
    )
    return pcm16_from_floats(audio.astype(np.float32))
