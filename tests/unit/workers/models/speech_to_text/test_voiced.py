"""How much of a sound is speech."""

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays

from shared.audio import Floats, floats_from_pcm16
from workers.models.recorded_files import read_file
from workers.models.speech_to_text.silent_tail import FILE, FOLDER
from workers.models.speech_to_text.voiced import voiced_s


def _utterance() -> Floats:
    """A spoken question at 16 kHz."""
    arrays = load_arrays(read_file(FOLDER, FILE)[0])
    return floats_from_pcm16(arrays["spoken"])[: int(arrays["ends"][0])]


def _trill(hz: float) -> Floats:
    """Two seconds of an electronic phone."""
    t = np.arange(32_000) / 16_000
    pitch = np.where((t * 20).astype(int) % 2 == 0, hz, 1.2 * hz)
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / 16_000)
    hiss = 0.002 * np.random.default_rng(1).standard_normal(len(t))
    return (0.2 * (tone * (t % 1 < 0.6) + hiss)).astype(np.float32)


@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_speech_of_any_level_is_mostly_voiced(gain: float) -> None:
    sound = np.pad(_utterance(), 8_000) * np.float32(gain)
    assert 0.5 < voiced_s(sound) < len(sound) / 16_000 - 0.5


@pytest.mark.parametrize("hz", [500.0, 900.0, 1_600.0])
def test_ringing_is_not_voiced(hz: float) -> None:
    assert voiced_s(_trill(hz)) < 0.1


def test_silence_is_not_voiced() -> None:
    assert voiced_s(np.zeros(16_000, np.float32)) == 0
    assert voiced_s(np.zeros(0, np.float32)) == 0
