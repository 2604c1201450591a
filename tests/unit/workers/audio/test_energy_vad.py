"""What the VAD takes for speech, and what not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.audio import CHUNK_SAMPLES, Pcm16
from tests.sounds import hum, noise, silence, talking, voice
from workers.audio.endpointing import Endpoint
from workers.audio.energy_vad import Vad

THRESHOLD = 0.001
TIME = np.arange(60 * 24_000) / 24_000

Signal = NDArray[np.float64]


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


def test_speech_does_not_become_background() -> None:
    vad = Vad()
    share(vad, talking(200))
    assert share(vad, talking(50)) > 0.6


@pytest.mark.parametrize("offset", [0.005, 0.02, 0.05])
def test_an_offset_of_the_microphone_neither_hides_speech_nor_sounds_like_it(offset: float) -> None:
    def shifted(chunks: list[Pcm16]) -> list[Pcm16]:
        return [(chunk + round(offset * 32_768)).astype(np.int16) for chunk in chunks]

    vad = Vad()
    assert share(vad, shifted(silence(40))) == 0
    assert share(vad, shifted(voice(10, 150, 0.02))) > 0.9


def longest_run_ms(sound: Signal, dbfs: float) -> int:
    """What of a sound, faint noise with it, is taken for the longest run of speech."""
    rng = np.random.default_rng(3)
    sound = sound / np.sqrt(np.mean(sound[sound != 0] ** 2)) * 10 ** (dbfs / 20)
    sound = sound + 10 ** (-70 / 20) * rng.standard_normal(len(sound))
    vad, endpoint = Vad(), Endpoint()
    chunks = (sound * 32_767).astype(np.int16).reshape(-1, CHUNK_SAMPLES)
    return max(endpoint.hear(vad.hear(chunk, THRESHOLD)) for chunk in chunks)


def tones(*hertz: float, seed: int = 5) -> Signal:
    """A minute of them, of different loudness and phase."""
    rng = np.random.default_rng(seed)
    parts = [rng.uniform(0.3, 1) * np.sin(2 * np.pi * f * TIME + rng.uniform(0, 6)) for f in hertz]
    return np.asarray(np.sum(parts, axis=0))


def hums(hertz: float) -> Signal:
    """Mains: a fundamental and eleven harmonics, the higher the fainter."""
    return np.asarray(sum(tones(hertz * h, seed=h) / h for h in range(1, 13)))


def fan() -> Signal:
    """Rushing, and the hum of its blades."""
    rng = np.random.default_rng(6)
    rush = np.convolve(rng.standard_normal(len(TIME)), np.exp(-np.arange(200) / 20), "same")
    return np.asarray(rush / rush.std() + 0.5 * hums(87.0))


def clicks() -> Signal:
    """Some two a second."""
    rng = np.random.default_rng(7)
    sound = np.zeros(len(TIME))
    for at in rng.integers(0, len(TIME) - 240, 120):
        sound[at : at + 240] += rng.standard_normal(240) * np.exp(-np.arange(240) / 40)
    return sound


STEADY: dict[str, Signal] = {
    **{f"hum of {hertz} Hz": hums(hertz) for hertz in (50, 60, 100, 120)},
    **{f"tone of {hertz} Hz": tones(hertz) for hertz in (200, 440, 1_000, 3_000)},
    "dial tone": tones(350, 440),
    "busy tone": tones(425) * (TIME % 1 < 0.5),
    "refrigerator": hums(50.0) * (TIME % 12 < 7),
    "fan": fan(),
    "clicks": clicks(),
}


@pytest.mark.parametrize("dbfs", [-25, -50])
@pytest.mark.parametrize("name", STEADY)
def test_a_minute_of_what_stands_still_starts_no_turn(name: str, dbfs: float) -> None:
    assert longest_run_ms(STEADY[name], dbfs) < 120


def test_speech_over_a_hum_is_found_at_once() -> None:
    vad = Vad()
    over = [a + b for a, b in zip(hum(10, 100, 0.02), voice(10), strict=True)]
    share(vad, hum(10, 100, 0.02))
    assert share(vad, over) > 0.9


def test_it_goes_on_from_its_state() -> None:
    chunks = [*noise(20), *talking(30), *silence(10), *talking(20)]
    whole = Vad()
    expected = [whole.hear(chunk, THRESHOLD) for chunk in chunks]
    vad, heard = Vad(), []
    for chunk in chunks:
        heard.append(vad.hear(chunk, THRESHOLD))
        vad = Vad.restore(vad.state())
    assert heard == expected
