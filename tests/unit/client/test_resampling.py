"""Resampling keeps what it should and folds nothing back."""

import numpy as np
import pytest

from client.resampling import resample


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_tone_keeps_pitch_and_level_at_any_rate(rate_hz: int) -> None:
    time_s = np.arange(rate_hz) / rate_hz
    found = resample((0.5 * np.sin(2 * np.pi * 1_000 * time_s)).astype(np.float32), rate_hz)
    want = 0.5 * 32_767 * np.sin(2 * np.pi * 1_000 * np.arange(len(found)) / 24_000)
    assert len(found) == 24_000
    assert np.abs(found - want)[500:-500].max() < 0.01 * 32_767


def test_a_tone_above_the_new_nyquist_rate_is_removed() -> None:
    time_s = np.arange(48_000) / 48_000
    found = resample((0.5 * np.sin(2 * np.pi * 15_000 * time_s)).astype(np.float32), 48_000)
    assert np.abs(found[500:-500].astype(np.int32)).max() < 33  # -60 dB of full scale


def test_an_offset_makes_no_click_at_the_edges() -> None:
    found = resample(np.full(44_100, 0.05, dtype=np.float32), 44_100)
    assert np.ptp(found) <= 1
