"""Recordings of a user's own, and what is counted of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.errors import ConfigError
from tests.sounds import voice
from workers.engines.base import Traits
from workers.engines.echo import EchoEngine
from workers.evaluation.progress_bar import ProgressBar
from workers.evaluation.recordings import Understood, read_folder, table_row, understand


class Deaf(EchoEngine):
    """An engine that answers every turn and understands no word."""

    traits = Traits()


def recorded(folder: Path, name: str, rate_hz: int = 8_000) -> Path:
    samples = np.concatenate(voice(20))[:: 24_000 // rate_hz]
    soundfile.write(folder / name, samples, rate_hz)
    return (folder / name).with_suffix(".txt")


def test_recordings_of_any_rate_are_read_with_their_words(tmp_path: Path) -> None:
    recorded(tmp_path, "b.wav", 8_000).write_text("Good evening.\n")
    recorded(tmp_path, "a.flac", 12_000).write_text("hello")
    first, second = read_folder(tmp_path)
    assert (first.said, second.said) == ("hello", "Good evening.")
    assert first.pcm.size == second.pcm.size == 20 * 1_920


def test_a_recording_without_words_or_sound_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Expected sound files \(.flac"):
        read_folder(tmp_path)
    words = recorded(tmp_path, "a.wav")
    with pytest.raises(ConfigError, match=r"got none for \['a.wav'\]"):
        read_folder(tmp_path)
    words.write_text("hello")
    (tmp_path / "a.wav").write_bytes(b"no sound")
    with pytest.raises(ConfigError, match=r"readable sound file, got .*a\.wav"):
        read_folder(tmp_path)


def test_a_word_that_nobody_understood_is_an_error(tmp_path: Path) -> None:
    recorded(tmp_path, "a.wav").write_text("Good evening to you.")
    (found,) = understand(Deaf(2), read_folder(tmp_path), ProgressBar(1))
    assert (found.transcript, found.errors, found.words) == ("", 4, 4)


def test_a_folder_is_one_row() -> None:
    rows = [Understood("a", "a b", "a b", 0, 2), Understood("b", "a b", "", 2, 2)]
    assert table_row("calls", rows) == "| calls | 2 | 4 | 50.0% | 1 |"
