"""The mean of weights folders, which must match."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from shared.errors import ConfigError
from workers.models.checkpoint import read_part, write_part
from workers.models.voice.repertoire import FILE
from workers.training.stages.mean import main


@dataclass(frozen=True, slots=True)
class Sizes:
    inputs: int


def weights(folder: Path, value: float, steps: int = 1, inputs: int = 3, words: str = "a") -> Path:
    layer = nn.BatchNorm1d(inputs)
    nn.init.constant_(layer.weight, value)
    facts = {"steps": steps, "words": words, "checks": {"seen": value}}
    write_part(folder, "model", layer, Sizes(inputs), facts)
    fixed = nn.Linear(2, 2)
    nn.init.constant_(fixed.weight, 4.0)
    nn.init.zeros_(fixed.bias)
    write_part(folder, "codec", fixed, Sizes(2), {"silence": [1]})
    return folder


def test_every_tensor_is_the_mean(tmp_path: Path) -> None:
    one, other = weights(tmp_path / "1", 1.0, 5), weights(tmp_path / "2", 3.0, 9)
    (one / FILE).write_text("pitch_hz = 170.0\n")
    main([one, other, other, one], tmp_path / "mean")
    part = read_part(tmp_path / "mean", "model")
    assert torch.equal(part.tensors["weight"], torch.full((3,), 2.0))
    assert part.tensors["num_batches_tracked"].dtype == torch.int64
    assert part.facts == {"steps": 9, "words": "a", "checks": {}}
    assert (tmp_path / "mean" / FILE).read_text() == "pitch_hz = 170.0\n"


def test_a_folder_named_twice_counts_twice(tmp_path: Path) -> None:
    one, other = weights(tmp_path / "1", 0.0), weights(tmp_path / "2", 3.0)
    main([one, other, other], tmp_path / "mean")
    assert torch.equal(read_part(tmp_path / "mean", "model").tensors["weight"], torch.full((3,), 2))


def test_a_part_that_all_share_stays_unchanged(tmp_path: Path) -> None:
    one, other = weights(tmp_path / "1", 1.0), weights(tmp_path / "2", 3.0)
    main([one, other], tmp_path / "mean")
    codec = (tmp_path / "mean" / "codec.safetensors").read_bytes()
    assert codec == (one / "codec.safetensors").read_bytes()
    assert read_part(tmp_path / "mean", "codec").facts == {"silence": [1]}


def test_weights_that_do_not_match_are_refused(tmp_path: Path) -> None:
    one = weights(tmp_path / "1", 1.0)
    larger, others = weights(tmp_path / "2", 1.0, inputs=4), weights(tmp_path / "3", 1.0, words="b")
    with pytest.raises(ConfigError, match=r"'model' of .*2 .*differ in inputs, bias"):
        main([one, larger], tmp_path / "mean")
    with pytest.raises(ConfigError, match=r"differ in words: take weights that share their origin"):
        main([one, others], tmp_path / "mean")
    write_part(others, "more", nn.Linear(1, 1), Sizes(1), {})
    with pytest.raises(ConfigError, match=r"Expected the parts \['codec', 'model'\] in .*3, got"):
        main([one, others], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_a_mean_needs_two_folders_and_a_new_one(tmp_path: Path) -> None:
    one, other = weights(tmp_path / "1", 1.0), weights(tmp_path / "2", 3.0)
    with pytest.raises(ConfigError, match=r"at least two weights folders, got 1"):
        main([one], tmp_path / "mean")
    with pytest.raises(ConfigError, match=r"new folder for the mean, got .*2"):
        main([one, other], other)
