"""A weights folder returns what was written, and refuses what does not agree, with reasons."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from shared.errors import ConfigError
from workers.models.checkpoint import PARITY, config_of, fill, read_part, write_part


@dataclass(frozen=True, slots=True)
class Sizes:
    inputs: int
    outputs: int


def layer(seed: int = 0) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_part(tmp_path, "first", layer(), Sizes(3, 2), {"silence": [4, 7]})
    write_part(tmp_path, "second", layer(1), Sizes(3, 2), {})
    return tmp_path


def test_a_part_comes_back_in_bfloat16_precision(folder: Path) -> None:
    part = read_part(folder, "first")
    assert config_of(Sizes, part) == Sizes(3, 2)
    assert part.facts == {"silence": [4, 7]}
    made = layer(5)
    fill(made, part)
    wanted = layer().weight.detach().to(torch.bfloat16).float()
    assert torch.equal(made.weight.detach(), wanted)
    assert not made.training
    assert not made.weight.requires_grad


def test_a_damaged_file_is_refused(folder: Path) -> None:
    path = folder / "first.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(ConfigError, match=r"Expected sha256 .* got"):
        read_part(folder, "first")
    read_part(folder, "second")


def test_a_missing_part_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"Expected a part 'third' .* got \['first', 'second'\]"):
        read_part(folder, "third")


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "second.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"second\.safetensors, but the file is missing"):
        read_part(folder, "second")


def test_a_folder_without_parity_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Expected a weights folder with parity\.json"):
        read_part(tmp_path, "first")


def test_other_mel_parameters_are_refused(folder: Path) -> None:
    parity = json.loads((folder / PARITY).read_text())
    parity["mel"]["hop"] = 256
    (folder / PARITY).write_text(json.dumps(parity))
    with pytest.raises(ConfigError, match=r"Expected mel .*'hop': 240.* got .*'hop': 256"):
        read_part(folder, "first")


def test_a_config_of_another_version_is_refused(folder: Path) -> None:
    part = read_part(folder, "first")
    part.config["layers"] = 4
    with pytest.raises(ConfigError, match="layers"):
        config_of(Sizes, part)


def test_tensors_of_another_shape_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Expected the weights of 'first' to fit Linear"):
        fill(nn.Linear(4, 2), read_part(folder, "first"))
