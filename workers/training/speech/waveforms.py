"""What every synthesised waveform needs: reading, trimming and levelling."""

import wave
from pathlib import Path
from typing import Final

import numpy as np

from shared.audio import SAMPLE_RATE_HZ, Floats

LEVEL: Final = 10 ** (-23 / 20)  # RMS of every utterance: -23 dBFS
PEAK: Final = 0.95  # at most


def read_wave(path: Path) -> tuple[Floats, int]:
    """A PCM16 WAV file as float32 in [-1, 1), and its sample rate in Hertz."""
    with wave.open(str(path)) as source:
        raw = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
        return raw.astype(np.float32) / np.float32(32768.0), source.getframerate()


def sound_bounds(samples: Floats, floor: float, head_s: float, tail_s: float) -> slice:
    """The slice of the sound in samples at 24 kHz, with so much silence kept before and after.

    Each 10 ms whose peak is above `floor` times the loudest one's counts as sound.
    """
    hop = SAMPLE_RATE_HZ // 100
    loud = np.abs(samples[: len(samples) // hop * hop].reshape(-1, hop)).max(axis=1)
    active = np.flatnonzero(loud > floor * loud.max())
    start = int(active[0]) * hop - round(head_s * SAMPLE_RATE_HZ)
    end = (int(active[-1]) + 1) * hop + round(tail_s * SAMPLE_RATE_HZ)
    return slice(max(0, start), min(len(samples), end))


def levelled(samples: Floats) -> Floats:
    """The samples at an RMS of LEVEL, or quieter where their peak would exceed PEAK."""
    rms = float(np.sqrt(np.mean(samples**2)))
    found: Floats = samples * np.float32(min(LEVEL / rms, PEAK / float(np.abs(samples).max())))
    return found
