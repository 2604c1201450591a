"""A finished adapter goes into the weights folder with its record; another file is refused."""

import json
from pathlib import Path

import pytest

from shared.errors import ConfigError
from workers.models.recorded_files import read_file
from workers.training.talk_tuning.ship import WEIGHTS, ship

ROOT = Path(__file__).parents[5]


def test_an_adapter_is_recorded_with_what_it_was_made_from(tmp_path: Path) -> None:
    run, weights = tmp_path / "run", tmp_path / "weights"
    run.mkdir()
    (run / "adapter.safetensors").write_bytes(b"weights")
    with pytest.raises(ConfigError, match=r"record\.json"):
        ship(run, weights)
    (run / "record.json").write_text(json.dumps({"steps": 7}))
    ship(run, weights)
    data, facts = read_file(weights, "adapter.safetensors")
    assert data == b"weights"
    assert facts["tuning"] == {"steps": 7}
    (weights / "adapter.safetensors").write_bytes(b"others")
    with pytest.raises(ConfigError, match="Expected sha256"):
        read_file(weights, "adapter.safetensors")


def test_the_shipped_adapter_is_the_recorded_one() -> None:
    data, facts = read_file(ROOT / WEIGHTS, "adapter.safetensors")
    assert len(data) <= 30_000_000
    assert "MIT" in facts["licences"]["adapter"]
