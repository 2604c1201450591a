"""Computes Whisper's log-mel spectrogram in numpy: 16 kHz, windows of 25 ms, a frame each 10 ms.

Equals OpenAI's `log_mel_spectrogram`: Slaney's mel scale and norm, log10, at most 8 (80 dB) below
the loudest, then (x + 4) / 4. Letters: N samples, T frames, M mel bins (80; 128 in large-v3).
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Floats

RATE_HZ: Final = 16_000
WINDOW: Final = 400
HOP: Final = 160
_FLOOR: Final = 1e-10
_RANGE: Final = 8.0  # of log10 of power: 80 dB
_BEND_HZ: Final = 1_000.0  # Slaney's scale: linear below, logarithmic above
_LINEAR_HZ: Final = 200.0 / 3  # a mel below the bend
_STEP: Final = np.log(6.4) / 27.0  # a mel above it
_HANN: Final = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def log_mel(samples: Floats, bins: int) -> Floats:
    """(N,) float32 of full scale 1 at 16 kHz -> (M, N // 160) float32."""
    frames = len(samples) // HOP
    padded = np.pad(samples, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames] * _HANN
    power = np.abs(np.fft.rfft(windows, axis=1)).astype(np.float32) ** 2
    logs = np.log10(np.maximum(power @ _filters(bins), _FLOOR)).T  # (T, M) -> (M, T)
    mels: Floats = ((np.maximum(logs, logs.max() - _RANGE) + 4.0) / 4.0).astype(np.float32)
    return mels


def _mels(hz: float) -> float:
    if hz < _BEND_HZ:
        return hz / _LINEAR_HZ
    return _BEND_HZ / _LINEAR_HZ + float(np.log(hz / _BEND_HZ) / _STEP)


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    bend = _BEND_HZ / _LINEAR_HZ
    above = _BEND_HZ * np.exp(_STEP * (np.maximum(mels, bend) - bend))
    return np.where(mels < bend, mels * _LINEAR_HZ, above)


@cache
def _filters(bins: int) -> Floats:
    """(201, M): triangles of area 1 between equally spaced mels from 0 to 8 kHz."""
    edges = _hz(np.linspace(0.0, _mels(RATE_HZ / 2), bins + 2))
    hz = np.linspace(0.0, RATE_HZ / 2, WINDOW // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hz - low) / (middle - low), (high - hz) / (high - middle)
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    return triangles.astype(np.float32)
