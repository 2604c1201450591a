"""Measures a sound's power in twenty bands, every 10 ms."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ, Pcm16

BANDS: Final = 20
LOW_HZ: Final = 120.0  # small loudspeakers play nothing below
HIGH_HZ: Final = 6_500.0
HOP: Final = 240  # 10 ms
FRAME_HOPS: Final = FRAME_SAMPLES // HOP  # 2
CHUNK_HOPS: Final = CHUNK_SAMPLES // HOP  # 8
SILENCE_DB: Final = -100.0  # of full scale

_WINDOW: Final = 2 * HOP
_FFT: Final = 512
_MEL: Final = 2_595.0

Power = NDArray[np.float32]  # (hops, BANDS), full scale is 1
Levels = NDArray[np.float32]  # (hops, BANDS), decibels of full scale


def _mel(hertz: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return np.asarray(_MEL * np.log10(1 + hertz / 700))


def _pooling() -> NDArray[np.float32]:
    """(FFT bins, BANDS): sums a PCM16 spectrum's power over each band; full scale is 1."""
    low, high = _mel(np.array([LOW_HZ, HIGH_HZ]))
    place = (_mel(np.arange(_FFT // 2 + 1) * (SAMPLE_RATE_HZ / _FFT)) - low) / (high - low) * BANDS
    inside = np.floor(place)[:, None] == np.arange(BANDS)
    return np.asarray(inside / (32_768.0 * _WINDOW / 2) ** 2, dtype=np.float32)


_POOLING: Final = _pooling()
_HANN: Final = np.hanning(_WINDOW).astype(np.float32)


class Bands:
    """The analysis of one sound. Each hop is measured over the 20 ms that end with it."""

    def __init__(self, rest: Pcm16 | None = None) -> None:
        self.rest: Pcm16 = np.zeros(HOP, np.int16) if rest is None else rest  # the last 10 ms

    def hear(self, pcm: Pcm16) -> Power:
        """Take more of the sound, a whole number of hops -> (hops, BANDS)."""
        samples = np.concatenate([self.rest, pcm]).astype(np.float32)
        self.rest = pcm[-HOP:]
        windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::HOP] * _HANN
        spectrum = np.fft.rfft(windows, _FFT, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        return np.asarray(power @ _POOLING, dtype=np.float32)


def decibels(power: Power) -> Levels:
    """Power -> levels, none below SILENCE_DB."""
    return np.asarray(10 * np.log10(power + np.float32(1e-10)), dtype=np.float32)
