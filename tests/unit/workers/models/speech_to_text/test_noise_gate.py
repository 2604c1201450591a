"""The spectral gate lowers steady noise and keeps what rises over it."""

import numpy as np
import pytest

from workers.models.speech_to_text.noise_gate import FLOOR, HOP, quietened

RATE_HZ = 16_000


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


def test_steady_noise_is_lowered_and_a_tone_stays() -> None:
    rng = np.random.default_rng(1)
    noise = 0.03 * rng.standard_normal(2 * RATE_HZ).astype(np.float32)
    tone = np.zeros_like(noise)
    at = np.arange(RATE_HZ // 2) / RATE_HZ
    tone[RATE_HZ : RATE_HZ + len(at)] = 0.2 * np.sin(2 * np.pi * 500 * at)
    found = quietened(noise + tone)
    assert _rms(found[: RATE_HZ // 2]) < 0.8 * _rms(noise)
    inside = slice(RATE_HZ + 1_000, RATE_HZ + len(at) - 1_000)
    assert _rms(found[inside]) == pytest.approx(_rms(tone[inside]), rel=0.05)


@pytest.mark.parametrize("count", [0, 1, HOP - 1, HOP, 5 * HOP + 3, RATE_HZ])
def test_any_length_keeps_its_length_and_gains_nothing(count: int) -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, count).astype(np.float32)
    found = quietened(sound)
    assert found.shape == sound.shape
    assert _rms(found) <= _rms(sound) * 1.01 if count else True
    assert count < RATE_HZ or _rms(found) > FLOOR * _rms(sound)


def test_sound_over_silence_passes_unchanged() -> None:
    sound = np.zeros(RATE_HZ, np.float32)
    at = np.arange(RATE_HZ // 4) / RATE_HZ
    sound[8_000 : 8_000 + len(at)] = 0.3 * np.sin(2 * np.pi * 700 * at)
    np.testing.assert_allclose(quietened(sound), sound, atol=2e-3)
