"""ENGINE=moshi loads a folder; a missing or wrong setting says what to do."""

import json
from pathlib import Path

import pytest

from shared.errors import ConfigError
from shared.modes import MoshiPrecision, ReplyMode
from shared.settings import Settings, load_settings
from tests.moshi.tiny import tiny_folder
from tests.unit.workers.engines.moshi.made import shared_folder
from workers.engines import load_engine
from workers.engines.moshi import load


def settings(model: Path, **given: str) -> Settings:
    return load_settings({"ENGINE": "moshi", "DEVICE": "cpu", "MODEL": str(model), **given})


@pytest.mark.parametrize("precision", MoshiPrecision)
def test_a_folder_loads_in_every_precision(precision: MoshiPrecision) -> None:
    chosen = settings(shared_folder(), WORKER_SLOTS="2", MOSHI_PRECISION=str(precision))
    engine = load_engine(chosen)
    assert engine.slots == 2
    assert engine.traits.modes == (ReplyMode.STREAM,)
    assert engine.traits.context_chunks == 40
    assert engine.traits.rehear_chunks == 28


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PersonaPlex is published by NVIDIA"):
        load_engine(settings(tmp_path))


def test_only_moshi_counts_its_seats() -> None:
    with pytest.raises(ConfigError, match="only ENGINE=moshi counts its seats"):
        load_engine(load_settings({"ENGINE": "echo", "WORKER_SLOTS": "0"}))


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "text_card": 90}))
    with pytest.raises(ConfigError, match=r"at most 90 tokens in .*tokenizer\.model.* got 100"):
        load_engine(settings(folder))


def test_memory_that_holds_files_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(
        "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 5000 kB\nCached: 4990 kB\n"
    )
    monkeypatch.setattr(load, "MEMORY", meminfo)
    assert load.free_memory("cpu") == 5000 * 1024
