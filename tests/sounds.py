"""Synthetic sounds for the tests, in chunks of (1920,) int16."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from shared.audio import CHUNK_SAMPLES, Pcm16


def joined(chunks: Iterable[Pcm16]) -> bytes:
    """The bytes of all chunks together."""
    return b"".join(chunk.tobytes() for chunk in chunks)


def silence(chunks: int) -> list[Pcm16]:
    """So many chunks of silence."""
    return [np.zeros(CHUNK_SAMPLES, dtype=np.int16)] * chunks


def noise(chunks: int, seed: int = 0, level: int = 3_000) -> list[Pcm16]:
    """So many different chunks of noise, which no VAD takes for speech."""
    rng = np.random.default_rng(seed)
    return list(rng.integers(-level, level, (chunks, CHUNK_SAMPLES), dtype=np.int16))


def hum(chunks: int, pitch_hz: float = 150.0, level: float = 0.3) -> list[Pcm16]:
    """A steady buzz of ten harmonics, like mains hum."""
    phase = 2 * np.pi * pitch_hz * _time(chunks)
    return _buzz(phase, np.full(len(phase), level))


def voice(chunks: int, pitch_hz: float = 150.0, level: float = 0.3) -> list[Pcm16]:
    """The same buzz with a melody and five syllables a second, like speech."""
    time = _time(chunks)
    syllables = np.cos(2 * np.pi * 5 * time)
    phase = 2 * np.pi * pitch_hz * (time + 0.01 * np.sin(2 * np.pi * time))
    return _buzz(phase, level * (0.65 + 0.35 * syllables))


def _time(chunks: int) -> NDArray[np.float64]:
    return np.arange(chunks * CHUNK_SAMPLES) / 24_000


def _buzz(phase: NDArray[np.float64], level: NDArray[np.float64]) -> list[Pcm16]:
    buzz = np.sum([np.sin(h * phase) / h for h in range(1, 11)], axis=0)
    return list((buzz * level / 2 * 32_767).astype(np.int16).reshape(-1, CHUNK_SAMPLES))


def talking(chunks: int) -> list[Pcm16]:
    """A voice with short pauses: a VAD takes a sound that never pauses for background."""
    return [chunk for _ in range(chunks // 5) for chunk in (*voice(4), *silence(1))]
