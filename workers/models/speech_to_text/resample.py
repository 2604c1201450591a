"""Resamples whole utterances from 24 kHz to 16 kHz, by a polyphase filter without delay.

Letters: N samples at 24 kHz; M = ceil(2N / 3) at 16 kHz.
"""

from typing import Final

import numpy as np

from shared.audio import Floats

FROM_HZ: Final = 24_000
_CUTOFF_HZ: Final = 7_600
_SHARPNESS: Final = 8.0  # Kaiser's beta: all from 8 kHz on is attenuated by more than 80 dB
_REACH: Final = 48  # samples at 24 kHz on each side of an output: 2 ms
_BLOCK: Final = 8_192  # outputs of a phase at once; numpy copies their windows, 3 MB


def _filters() -> Floats:
    """(97, 2): input samples around 3k -> outputs 2k (at 3k) and 2k + 1 (at 3k + 1.5)."""
    taps = np.zeros((2 * _REACH + 1, 2))
    for phase, shift in enumerate((0.0, 1.5)):
        at = np.arange(-_REACH, _REACH + 1) - shift
        window = np.i0(_SHARPNESS * np.sqrt(np.maximum(0.0, 1 - (at / _REACH) ** 2)))
        taps[:, phase] = np.sinc(2 * _CUTOFF_HZ / FROM_HZ * at) * window * (np.abs(at) < _REACH)
        taps[:, phase] /= taps[:, phase].sum()
    return taps.astype(np.float32)


_FILTERS: Final = _filters()


def to_16_khz(samples: Floats) -> Floats:
    """(N,) float32 at 24 kHz -> (M,) float32 at 16 kHz."""
    count = -(-2 * len(samples) // 3)
    pairs = -(-count // 2)
    padded = np.zeros(3 * max(1, pairs) + 2 * _REACH, np.float32)
    padded[_REACH : _REACH + len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1)[::3][:pairs]
    parts = [windows[at : at + _BLOCK] @ _FILTERS for at in range(0, pairs, _BLOCK)]
    low: Floats = np.concatenate([np.zeros((0, 2), np.float32), *parts]).reshape(-1)[:count]
    return low
