"""Trimming and levelling of synthesised waveforms."""

import wave
from pathlib import Path

import numpy as np
import pytest

from shared.audio import Floats
from workers.training.speech.waveforms import PEAK, levelled, read_wave, sound_bounds


def speech(lead_s: float, sound_s: float, tail_s: float, level: float = 0.2) -> Floats:
    def silence(seconds: float) -> Floats:
        return np.zeros(round(seconds * 24_000), dtype=np.float32)

    at = np.arange(round(sound_s * 24_000), dtype=np.float32) / 24_000
    tone = np.float32(level) * np.sin(2 * np.pi * 200 * at, dtype=np.float32)
    return np.concatenate([silence(lead_s), tone, silence(tail_s)])


def test_silence_is_trimmed_except_for_its_margins() -> None:
    bounds = sound_bounds(speech(0.3, 1.0, 0.4), 0.02, head_s=0.03, tail_s=0.06)
    assert bounds.start / 24_000 == pytest.approx(0.3 - 0.03, abs=0.011)
    assert bounds.stop / 24_000 == pytest.approx(1.3 + 0.06, abs=0.011)
    assert sound_bounds(speech(0.0, 0.1, 0.0), 0.02, 0.03, 0.06) == slice(0, 2400)


def test_the_level_is_23_dbfs() -> None:
    found = levelled(speech(0, 1, 0, level=0.9))
    assert 20 * np.log10(np.sqrt(np.mean(found**2))) == pytest.approx(-23, abs=0.01)


def test_a_peak_limits_the_level() -> None:
    click = np.zeros(24_000, np.float32)
    click[0] = 0.5
    assert np.abs(levelled(click)).max() == pytest.approx(PEAK)


def test_a_file_is_read_with_its_rate(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(np.array([0, 16_384, -32_768], "<i2").tobytes())
    samples, rate_hz = read_wave(tmp_path / "a.wav")
    assert rate_hz == 16_000
    assert samples.tolist() == [0.0, 0.5, -1.0]
