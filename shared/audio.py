"""The audio format of every process: 24 kHz mono PCM16, in chunks of 80 ms and frames of 20 ms."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ: Final = 24_000
CHUNK_MS: Final = 80
FRAME_MS: Final = 20
CHUNK_SAMPLES: Final = SAMPLE_RATE_HZ * CHUNK_MS // 1000  # 1,920
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000  # 480
SAMPLE_BYTES: Final = 2
CHUNK_BYTES: Final = CHUNK_SAMPLES * SAMPLE_BYTES  # 3,840
FRAME_BYTES: Final = FRAME_SAMPLES * SAMPLE_BYTES  # 960
FRAMES_PER_CHUNK: Final = CHUNK_MS // FRAME_MS  # 4

Pcm16 = NDArray[np.int16]
Floats = NDArray[np.float32]


def pcm16_from_bytes(data: bytes) -> Pcm16:
    """Little-endian PCM16 bytes -> samples, shape (len(data) // 2,). Raises ValueError."""
    if len(data) % SAMPLE_BYTES:
        raise ValueError(f"Expected whole 16-bit samples, got {len(data)} bytes")
    return np.frombuffer(data, dtype="<i2")


def floats_from_pcm16(samples: Pcm16) -> Floats:
    """int16 -> float32 in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(32768.0)


def pcm16_from_floats(samples: Floats) -> Pcm16:
    """float32 -> int16 with rounding; values outside [-1, 1] saturate, NaN becomes silence."""
    clean = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    pcm: Pcm16 = np.clip(np.rint(clean * 32767.0), -32768, 32767).astype(np.int16)
    return pcm
