"""Recording prompts: what counts as an utterance, what is kept, and the errors."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, cycle, repeat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Pcm16
from shared.errors import ConfigError
from workers.audio.energy_vad import Vad
from workers.training.speech.recording import (
    AFTER,
    BEFORE,
    PATIENCE,
    THRESHOLD,
    microphone,
    record,
    utterance,
)

QUIET = np.zeros(CHUNK_SAMPLES, np.int16)


def voice(chunks: int) -> list[Pcm16]:
    """A buzz with a gliding pitch and formant, like a long vowel that moves."""
    time = np.arange(chunks * CHUNK_SAMPLES) / SAMPLE_RATE_HZ
    pitch = 120 + 30 * np.sin(2 * np.pi * 1.5 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    centre = 700 + 500 * np.sin(2 * np.pi * 3 * time)
    weights = [np.exp(-(((k * pitch - centre) / 300) ** 2)) for k in range(1, 25)]
    sound = sum(w * np.sin(k * phase) for k, w in enumerate(weights, 1))
    pcm = np.rint(np.asarray(sound) * 4000).astype(np.int16)
    return list(pcm.reshape(chunks, CHUNK_SAMPLES))


COUGH = voice(1)[0]


def after(*chunks: Pcm16) -> Iterator[Pcm16]:
    """These chunks, then endless quiet."""
    return chain(chunks, repeat(QUIET))


def test_an_utterance_has_quiet_around_it_and_ends_with_a_pause() -> None:
    recorded = utterance(after(*[QUIET] * 20, *voice(12)))
    assert recorded is not None
    assert len(recorded) // CHUNK_SAMPLES in range(BEFORE + 11 + AFTER, BEFORE + 14 + AFTER)
    assert not recorded[: (BEFORE - 1) * CHUNK_SAMPLES].any()


def test_silence_a_cough_and_endless_speech_are_no_utterance() -> None:
    assert any(Vad().hear(COUGH, THRESHOLD))
    assert utterance(after(COUGH)) is None
    assert utterance(repeat(QUIET)) is None
    assert utterance(cycle([*voice(10), *[QUIET] * 4])) is None


def test_a_cough_before_speech_is_ignored() -> None:
    recorded = utterance(after(COUGH, *[QUIET] * 30, *voice(10)))
    assert recorded is not None
    assert len(recorded) < (BEFORE + 13 + AFTER) * CHUNK_SAMPLES


def test_recordings_are_kept_and_a_silent_prompt_is_repeated(tmp_path: Path) -> None:
    sheet = [("01.wav", "one"), ("02.wav", "two"), ("03.wav", "three")]
    soundfile.write(tmp_path / "02.wav", np.ones(10, np.int16), SAMPLE_RATE_HZ)
    opened = 0

    @contextmanager
    def source() -> Iterator[Iterator[Pcm16]]:
        nonlocal opened
        opened += 1
        yield after(*[QUIET] * (PATIENCE + 20), *voice(9), *[QUIET] * 30, *voice(15))

    said: list[str] = []
    record(tmp_path, sheet, source, said.append)
    record(tmp_path, sheet, source, said.append)  # no line is missing
    assert opened == 1
    assert len(soundfile.read(tmp_path / "02.wav")[0]) == 10
    lengths = [len(soundfile.read(tmp_path / name)[0]) for name, _ in (sheet[0], sheet[2])]
    assert lengths[1] - lengths[0] == 6 * CHUNK_SAMPLES
    assert [line.split("  ")[-1] for line in said if "/2" in line] == ["one", "three"]
    assert any("Recorded no speech" in line for line in said)


def test_the_error_without_portaudio_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigError, match="libportaudio2"), microphone():
        pass
