"""Acoustic scenes: levels and distances are as stated, and each rendition differs."""

import numpy as np
import pytest

from workers.training.speech import acoustics
from workers.training.speech.acoustics import AcousticScene
from workers.training.speech.waveforms import LEVEL

NOTHING = AcousticScene(room=0, line=0, narrow=0, noise=0, clip=0, gain_db=(0.0, 0.0))
RNG = np.random.default_rng(3)
VOICE = (np.sin(np.arange(24_000) * 0.05) * LEVEL * 2**0.5).astype(np.float32)


def db(ratio: float) -> float:
    return float(20 * np.log10(ratio))


def test_an_empty_scene_changes_nothing() -> None:
    assert np.array_equal(acoustics.apply_scene(VOICE, NOTHING, [], RNG), VOICE)


@pytest.mark.parametrize("distance_db", [5.0, 10.0, 30.0])
def test_noise_lies_at_its_distance_below_speech(distance_db: float) -> None:
    noise = acoustics.with_fixed_noise(VOICE, distance_db, seed=1) - VOICE
    assert db(LEVEL / float(noise.std())) == pytest.approx(distance_db, abs=3.0)


def test_a_pause_lies_at_the_quietest_place() -> None:
    sound = np.ones(24_000, np.float32)
    sound[2_400:3_360] = 0.0
    sound[12_000:12_960] = 0.1
    paused = acoustics.with_pause(sound, 0.5, (1 / 3, 2 / 3))
    assert len(paused) == 24_000 + 12_000
    quiet = np.flatnonzero(paused == 0)[960:]
    assert len(quiet) == 12_000
    assert (np.diff(quiet) == 1).all()
    assert 12_000 <= quiet[0] <= 12_960


def test_noise_depends_on_its_seed() -> None:
    one, same = (acoustics.with_fixed_noise(VOICE, 10.0, seed=4) for _ in range(2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, acoustics.with_fixed_noise(VOICE, 10.0, seed=5))


def test_a_room_keeps_the_time_of_the_direct_sound() -> None:
    click = np.zeros(12_000, np.float32)
    click[1000] = 0.5
    rendered = acoustics.apply_scene(
        click, AcousticScene(room=1, line=0, narrow=0, noise=0, clip=0, gain_db=(0.0, 0.0)), [], RNG
    )
    assert abs(rendered[:990]).max() < 1e-4
    assert int(abs(rendered).argmax()) == 1000
    assert abs(rendered[1100:]).max() > 1e-4


def test_renditions_of_one_utterance_differ() -> None:
    rendered = [acoustics.apply_scene(VOICE, AcousticScene(), [VOICE[::-1]], RNG) for _ in range(8)]
    assert all(y.dtype == np.float32 and len(y) == len(VOICE) for y in rendered)
    assert all(abs(y).max() <= 1.0 for y in rendered)
    assert len({y.tobytes() for y in rendered}) == 8


def test_sounds_without_speech_are_silence_noise_or_tones() -> None:
    sounds = [acoustics.sound_alone(24_000, np.random.default_rng(seed)) for seed in range(60)]
    assert all(len(y) == 24_000 and y.dtype == np.float32 for y in sounds)
    silent = [y for y in sounds if not y.any()]
    assert 6 <= len(silent) <= 32
    # A tone's power lies at few frequencies, that of noise at all.
    spread = [np.sort(np.abs(np.fft.rfft(y)) ** 2)[::-1] for y in sounds if y.any()]
    tonal = [power[:200].sum() / power.sum() > 0.9 for power in spread]
    assert any(tonal)
    assert not all(tonal)
