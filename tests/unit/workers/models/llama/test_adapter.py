"""Low-rank adapters: writing, reading, merging, and the refusal of one that does not fit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from shared.errors import ConfigError
from tests.unit.workers.models.llama import tiny
from workers.models.llama.adapter import merge, read_adapter, write_adapter
from workers.models.llama.tensors import layer_name

NAME = layer_name(1, "mlp.down_proj")


def pair(outward: int = 64, inward: int = 96) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(4, inward, generator=generator).bfloat16().float(),
        torch.randn(outward, 4, generator=generator).bfloat16().float(),
    )


def test_it_changes_the_weights_it_names(tmp_path: Path) -> None:
    path, (a, b) = tmp_path / "adapter.safetensors", pair()
    write_adapter(path, {NAME: (a, b)}, 0.5)
    before, found = tiny.tensors(), tiny.tensors()
    merge(found, path)
    torch.testing.assert_close(found.pop(NAME), before.pop(NAME) + 0.5 * (b @ a))
    assert all(torch.equal(found[name], before[name]) for name in before)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_peft_keeps_names_and_scale_its_own_way(tmp_path: Path) -> None:
    a, b = pair()
    stem = "base_model.model." + NAME.removesuffix(".weight")
    path = tmp_path / "adapter_model.safetensors"
    save_file({f"{stem}.lora_A.weight": a, f"{stem}.lora_B.weight": b}, path)
    with pytest.raises(ConfigError, match="Expected a scale"):
        read_adapter(path)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": 16, "r": 4}))
    pairs, scale = read_adapter(path)
    assert scale == 4
    assert torch.equal(pairs[NAME][1], b)


def test_one_of_another_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "adapter.safetensors"
    with pytest.raises(ConfigError, match="is missing"):
        merge(tiny.tensors(), path)
    write_adapter(path, {NAME: pair(outward=32)}, 1.0)
    with pytest.raises(ConfigError, match=r"\(32, 96\)"):
        merge(tiny.tensors(), path)
    save_file({"x.lora_A.weight": torch.zeros(1, 1)}, path, metadata={"scale": "1.0"})
    with pytest.raises(ConfigError, match="lora_B"):
        read_adapter(path)
