"""Chunks of made-up sound for the tests."""

from collections.abc import Iterable

import numpy as np

from shared.audio import CHUNK_SAMPLES, Pcm16


def joined(chunks: Iterable[Pcm16]) -> bytes:
    """Chunks as one run of bytes."""
    return b"".join(chunk.tobytes() for chunk in chunks)


def silence(chunks: int) -> list[Pcm16]:
    """Nothing: (1920,) int16 each."""
    return [np.zeros(CHUNK_SAMPLES, dtype=np.int16)] * chunks


def noise(chunks: int, seed: int = 0, level: int = 3_000) -> list[Pcm16]:
    """Chunks that are all different, and never speech: (1920,) int16 each."""
    rng = np.random.default_rng(seed)
    return list(rng.integers(-level, level, (chunks, CHUNK_SAMPLES), dtype=np.int16))


def voice(chunks: int, pitch_hz: float = 150.0, level: float = 0.3) -> list[Pcm16]:
    """A buzz with ten harmonics, which the VAD takes for speech: (1920,) int16 each."""
    t = np.arange(chunks * CHUNK_SAMPLES) / 24_000
    buzz = np.sum([np.sin(2 * np.pi * pitch_hz * h * t) / h for h in range(1, 11)], axis=0)
    pcm = (buzz * level / 2 * 32_767).astype(np.int16)
    return list(pcm.reshape(chunks, CHUNK_SAMPLES))


def talking(chunks: int) -> list[Pcm16]:
    """Words with short pauses, as speech has them: a steady tone would become background."""
    return [chunk for _ in range(chunks // 5) for chunk in (*voice(4), *silence(1))]
