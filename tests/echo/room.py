"""Simulate the echo of a loudspeaker in a room, as a microphone records it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import SAMPLE_RATE_HZ

Signal = NDArray[np.float64]  # full scale 1, 24 kHz

_TAIL_S: Final = 0.35  # the length of the simulated reverberation
_SMALL_SPEAKER_HZ: Final = (180.0, 7_000.0)


@dataclass(frozen=True, slots=True)
class AcousticPath:
    """The way of the sound from the loudspeaker to the microphone."""

    delay_ms: float
    gain_db: float  # the level of the echo over the played sound
    reverberation_s: float = 0.35  # RT60: the time to a level of -60 dB
    direct_db: float = 3.0  # the direct sound over all reflections together
    seed: int = 0

    def response(self) -> Signal:
        """The impulse response with the delay; its energy in the band of speech is the gain."""
        rng = np.random.default_rng(self.seed)
        tail = _reflections(self.reverberation_s, rng) * 10 ** (-self.direct_db / 20)
        room = np.concatenate([[1.0], tail]) / np.sqrt(1 + 10 ** (-self.direct_db / 10))
        coloured = np.convolve(room, _speaker(rng))
        silence = np.zeros(round(self.delay_ms * SAMPLE_RATE_HZ / 1_000))
        return np.concatenate([silence, coloured]) * 10 ** (self.gain_db / 20)


def _reflections(reverberation_s: float, rng: np.random.Generator) -> Signal:
    """Decaying noise of energy 1 that begins 2 ms after the direct sound."""
    time_s = np.arange(round(_TAIL_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail: Signal = rng.standard_normal(len(time_s)) * np.exp(-6.9 * time_s / reverberation_s)
    tail[: SAMPLE_RATE_HZ // 500] = 0
    return np.asarray(tail / np.sqrt(np.sum(tail**2)))


def _speaker(rng: np.random.Generator) -> Signal:
    """A small loudspeaker: a band-pass with a smooth response of some decibels up and down."""
    size = 512
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    low, high = _SMALL_SPEAKER_HZ
    band = 1 / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** 4) / np.sqrt(1 + (hertz / high) ** 6)
    octaves = np.log(np.maximum(hertz, 50) / 50) / np.log(240)
    waves = rng.standard_normal(4) * 2.0
    bumps_db = sum(w * np.cos(np.pi * (k + 1) * octaves) for k, w in enumerate(waves))
    response = np.fft.irfft(band * 10 ** (bumps_db / 20), size)
    return np.asarray(np.roll(response, 64)[:256] * np.hanning(512)[128:384] ** 0.25)


class Microphone:
    """Records the echo of a loudspeaker, chunk by chunk."""

    def __init__(self, path: AcousticPath) -> None:
        self._response = path.response()
        self._played: Signal = np.zeros(len(self._response) - 1)

    def record(self, played: Signal) -> Signal:
        """The echo in a chunk that plays this; both have the same length."""
        history = np.concatenate([self._played, played])
        size = 1 << (len(history) - 1).bit_length()
        spectrum = np.fft.rfft(history, size) * np.fft.rfft(self._response, size)
        self._played = history[len(played) :]
        whole = np.fft.irfft(spectrum, size)
        return np.asarray(whole[len(history) - len(played) : len(history)])
