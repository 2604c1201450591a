"""What the VAD takes for speech, and what not."""

import numpy as np
import pytest

from shared.audio import CHUNK_SAMPLES, Pcm16
from tests.sounds import noise, silence, talking, voice
from workers.models.vad import Vad

THRESHOLD = 0.001


def share(vad: Vad, chunks: list[Pcm16]) -> float:
    """The share of frames that are speech."""
    heard = [vad.hear(chunk, THRESHOLD) for chunk in chunks]
    return float(np.mean(heard))


@pytest.mark.parametrize("level", [0.01, 0.05, 0.9])
@pytest.mark.parametrize("pitch_hz", [80, 150, 300])
def test_voices_of_any_pitch_and_level_are_speech(level: float, pitch_hz: float) -> None:
    assert share(Vad(), voice(10, pitch_hz, level)) > 0.9


@pytest.mark.parametrize("level", [100, 3_000, 30_000])
def test_white_noise_of_any_level_is_none(level: int) -> None:
    assert share(Vad(), noise(50, level=level)) == 0


def test_rumble_is_none() -> None:
    steps = np.random.default_rng(1).standard_normal(60 * CHUNK_SAMPLES)
    rumble = np.cumsum(steps)
    rumble -= np.convolve(rumble, np.ones(2_400) / 2_400, "same")
    pcm = (rumble / np.abs(rumble).max() * 20_000).astype(np.int16)
    assert share(Vad(), list(pcm.reshape(-1, CHUNK_SAMPLES))) < 0.02


def test_speech_is_found_above_a_background() -> None:
    vad = Vad()
    background = noise(40, level=500)
    assert share(vad, background) == 0
    mixed = [v + n for v, n in zip(voice(10), noise(10, 5, level=500), strict=True)]
    assert share(vad, mixed) > 0.8
    assert share(vad, background[3:]) < 0.1


def test_a_hum_becomes_background_and_speech_does_not() -> None:
    hum = voice(100, pitch_hz=100, level=0.02)
    vad = Vad()
    share(vad, hum[:50])
    assert share(vad, hum[50:]) == 0
    vad = Vad()
    share(vad, talking(200))
    assert share(vad, talking(50)) > 0.6


def test_it_goes_on_from_its_state() -> None:
    chunks = [*noise(20), *talking(30), *silence(10), *talking(20)]
    whole = Vad()
    expected = [whole.hear(chunk, THRESHOLD) for chunk in chunks]
    vad, heard = Vad(), []
    for chunk in chunks:
        heard.append(vad.hear(chunk, THRESHOLD))
        vad = Vad.restore(vad.state())
    assert heard == expected
