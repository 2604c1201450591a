"""The audio format: sizes, and conversions to floats and back."""

import numpy as np
import pytest

from shared.audio import (
    CHUNK_BYTES,
    FRAME_BYTES,
    FRAMES_PER_CHUNK,
    floats_from_pcm16,
    pcm16_from_bytes,
    pcm16_from_floats,
)


def test_a_chunk_is_four_frames() -> None:
    assert CHUNK_BYTES == 3840
    assert FRAMES_PER_CHUNK * FRAME_BYTES == CHUNK_BYTES


def test_samples_survive_conversion_to_floats_and_back() -> None:
    samples = np.array([-32768, -1, 0, 1, 32767], dtype=np.int16)
    back = pcm16_from_floats(floats_from_pcm16(samples))
    assert np.abs(back.astype(int) - samples).max() <= 1


def test_samples_that_are_not_finite_or_too_loud_stay_in_range() -> None:
    out = pcm16_from_floats(np.array([np.nan, np.inf, -np.inf, 7.0, -7.0], dtype=np.float32))
    assert out.tolist() == [0, 32767, -32767, 32767, -32768]


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="whole 16-bit samples, got 3"):
        pcm16_from_bytes(b"abc")
