"""Moonshine, with the weights of the package moonshine-voice where it is installed."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from scipy.signal import resample_poly

from shared.audio import Floats, floats_from_pcm16
from shared.errors import ConfigError
from workers.models.recorded_files import read_file
from workers.models.speech_to_text import moonshine_package, two_listeners
from workers.models.speech_to_text.moonshine import Moonshine, load_moonshine
from workers.models.speech_to_text.moonshine_package import PINNED, packaged
from workers.models.speech_to_text.silent_tail import FILE, FOLDER
from workers.models.speech_to_text.whisper import load_whisper

needs_weights = pytest.mark.skipif(packaged() is None, reason="needs moonshine-voice")


class _Installed:
    """A distribution whose files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def locate_file(self, name: str) -> Path:
        return self._folder / name


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    found = load_moonshine()
    assert found is not None
    return found


def _spoken() -> tuple[list[str], list[Floats]]:
    """Stored questions, float32 at 16 kHz, with silence after them."""
    data, facts = read_file(FOLDER, FILE)
    arrays = load_arrays(data)
    parts = np.split(floats_from_pcm16(arrays["spoken"]), arrays["ends"][:-1])
    texts = [line.partition(": ")[2] for line in facts["spoken"]]
    return texts, [np.pad(part, (0, 8_000)) for part in parts]


@needs_weights
def test_it_hears_what_was_said(moonshine: Moonshine) -> None:
    texts, sounds = _spoken()
    heard = [moonshine.hear(sound).text for sound in sounds]
    assert sum(text in heard for text in texts) > len(texts) / 2


@needs_weights
def test_what_was_said_is_the_likeliest(moonshine: Moonshine) -> None:
    texts, sounds = _spoken()
    opinion = moonshine.hear(sounds[0])
    found = opinion.log_probs([*texts, opinion.text])
    assert found[0] == max(found)
    assert found[0] > -0.5
    assert max(found[1:-1]) < -2.0
    assert opinion.log_probs(texts[:1]) == pytest.approx(found[:1], abs=0.05)


@needs_weights
def test_both_listeners_hear_what_was_said(
    moonshine: Moonshine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_listeners, "DOUBTED", 0.0)
    both = two_listeners.TwoListeners(load_whisper(), moonshine)
    both.warm_up()
    texts, sounds = _spoken()
    turns = [resample_poly(sound, 3, 2).astype(np.float32) for sound in (sounds[0], sounds[2])]
    assert [found.text for found in both.transcribe(turns)] == [texts[0], texts[2]]


@needs_weights
def test_a_sound_of_no_length_is_heard_too(moonshine: Moonshine) -> None:
    assert isinstance(moonshine.hear(np.zeros(0, np.float32)).text, str)


def test_without_the_package_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moonshine_package, "PACKAGE", "no-such-package-is-installed")
    assert load_moonshine() is None


def test_files_that_differ_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moonshine_package, "distribution", lambda name: _Installed(tmp_path))
    with pytest.raises(ConfigError, match=r"Expected encoder_model\.ort and .* got none"):
        packaged()
    folder = tmp_path / moonshine_package.FOLDER
    folder.mkdir(parents=True)
    for name in PINNED:
        (folder / name).write_bytes(b"another")
    with pytest.raises(ConfigError, match=r"Expected sha256 .* moonshine-voice==0\.1\.0"):
        packaged()
