"""Which listeners the cascade loads."""

from pathlib import Path

import pytest

from shared.settings import load_settings
from tests.unit.workers.engines.cascade.toys import ToyHear
from workers.engines.cascade import load
from workers.models.speech_to_text.two_listeners import TwoListeners


@pytest.fixture(autouse=True)
def whisper(monkeypatch: pytest.MonkeyPatch) -> ToyHear:
    toy = ToyHear()
    monkeypatch.setattr(load, "load_whisper", lambda *_, **__: toy)
    return toy


def test_whisper_hears_alone_without_the_second_listeners_package(
    whisper: ToyHear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "load_moonshine", lambda threads: None)
    assert load._hear(load_settings({})) is whisper


def test_the_second_listener_hears_beside_the_default_whisper_alone(
    whisper: ToyHear, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(load, "load_moonshine", lambda threads: object())
    assert isinstance(load._hear(load_settings({})), TwoListeners)
    assert load._hear(load_settings({"HEAR": str(tmp_path)})) is whisper
