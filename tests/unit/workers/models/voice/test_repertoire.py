"""voices.toml: its entries, and the errors for wrong ones."""

from pathlib import Path

import pytest

from shared.errors import ConfigError
from shared.voices import DEFAULT, Offer
from workers.models.voice.repertoire import FILE, Style, Timbre, read_repertoire

WEIGHTS = Path("workers/weights/tiny")


def test_a_folder_that_says_nothing_has_one_voice(tmp_path: Path) -> None:
    found = read_repertoire(tmp_path)
    assert found.offer == Offer((DEFAULT,), (DEFAULT,))
    assert found.voices[DEFAULT] == Timbre()


def test_the_shipped_one_begins_with_the_recorded_voice() -> None:
    found = read_repertoire(WEIGHTS)
    assert len(found.voices) >= 2
    assert next(iter(found.voices.values())) == Timbre()
    assert next(iter(found.styles.values())) == Style()
    assert {"calm", "neutral", "lively"} <= set(found.styles)


def test_what_cannot_be_shaped_is_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[voice.low]\npitch = 0.5\n[voice.own]\n[style.flat]\nrange = 0\n")
    assert read_repertoire(tmp_path).offer == Offer(("low", "own"), ("flat",))
    assert read_repertoire(tmp_path).plain().offer == Offer(("own",), (DEFAULT,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[voice", "TOML"),
        ("volume = 3", "pitch_hz, voice and style"),
        ("[voice.a]\nspeed = 2", r"\['formants', 'pitch'\] in \[voice.a\]"),
        ("[voice.a]\npitch = 'low'", "number as voice.a.pitch"),
        ("[voice.a]\npitch = 9", "from 0.3 to 2.5"),
        ("[voice]\n", "1 to 16 tables"),
        ("voice = 3", "1 to 16 tables"),
        ("[voice.'a b']", "with names of at most 32"),
        ("pitch_hz = true", "number as pitch_hz"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_repertoire(tmp_path)
