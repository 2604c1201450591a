"""The polyphase filter from 24 to 16 kHz."""

import numpy as np
import pytest

from shared.audio import Floats
from workers.models.speech_to_text.resample import to_16_khz


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> Floats:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz).astype("f4")


@pytest.mark.parametrize("hz", [50, 440, 3_000, 6_500])
def test_a_tone_below_the_cutoff_passes_without_delay(hz: float) -> None:
    error = np.abs(to_16_khz(tone(hz, 24_000)) - tone(hz, 16_000))
    assert error[100:-100].max() < 1e-3


@pytest.mark.parametrize("hz", [8_400, 9_500, 11_500])
def test_what_16_khz_cannot_hold_is_gone(hz: float) -> None:
    assert np.abs(to_16_khz(tone(hz, 24_000)))[100:-100].max() < 2e-4


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 1_920, 99_999])
def test_the_length_is_two_thirds_rounded_up(count: int) -> None:
    assert len(to_16_khz(np.ones(count, np.float32))) == -(-2 * count // 3)
