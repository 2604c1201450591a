"""Reads, writes and merges low-rank adapters (LoRA): pairs A, B that change W to W + scale * B A.

The file is safetensors with PEFT's names. Its metadata holds `scale` (alpha / rank).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from shared.errors import ConfigError
from workers.models.llama.tensors import Tensors

_PREFIX: Final = "base_model.model."  # names in PEFT's own files begin with it
_A, _B = ".lora_A.weight", ".lora_B.weight"


def write_adapter(path: Path, pairs: Mapping[str, tuple[Tensor, Tensor]], scale: float) -> None:
    """Write pairs A (rank, in), B (out, rank), by layer name, in bfloat16 and atomically."""
    tensors: Tensors = {}
    for name, (a, b) in pairs.items():
        stem = name.removesuffix(".weight")
        tensors[stem + _A] = a.detach().cpu().to(torch.bfloat16).contiguous()
        tensors[stem + _B] = b.detach().cpu().to(torch.bfloat16).contiguous()
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, metadata={"scale": repr(float(scale)), "format": "pt"})
    partial.replace(path)


def read_adapter(path: Path) -> tuple[dict[str, tuple[Tensor, Tensor]], float]:
    """The pairs by the name of the weight that they change, and the scale. Raises ConfigError."""
    if not path.exists():
        raise ConfigError(f"Expected the adapter {path}, but the file is missing")
    with safe_open(path, "pt") as file:
        found = {key.removeprefix(_PREFIX): file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - not a dict
        scale = _scale(path, file.metadata() or {})
    pairs = {}
    for name in [name for name in found if name.endswith(_A)]:
        stem = name.removesuffix(_A)
        if stem + _B not in found:
            raise ConfigError(f"Expected {stem + _B} in {path}, but it is missing")
        pairs[stem + ".weight"] = (found.pop(name), found.pop(stem + _B))
    if found or not pairs:
        raise ConfigError(f"Expected pairs of lora_A and lora_B in {path}, got {sorted(found)[:3]}")
    return pairs, scale


def merge(tensors: Tensors, path: Path) -> None:
    """Add the adapter's changes to the weights, in place. Raises ConfigError if it does not fit."""
    pairs, scale = read_adapter(path)
    for name, (a, b) in pairs.items():
        weight = tensors.get(name)
        if weight is None or weight.shape != (b.shape[0], a.shape[1]):
            raise ConfigError(
                f"Expected an adapter of this model, got {path} with {name} "
                f"{(b.shape[0], a.shape[1])}; the model has "
                f"{'none of that name' if weight is None else tuple(weight.shape)}"
            )
        tensors[name] = (weight.float() + scale * (b @ a)).to(weight.dtype)


def _scale(path: Path, metadata: dict[str, str]) -> float:
    if "scale" in metadata:
        return float(metadata["scale"])
    beside = path.with_name("adapter_config.json")  # PEFT keeps it there
    if not beside.exists():
        raise ConfigError(f"Expected a scale in {path}'s metadata or {beside}: there is neither")
    given = json.loads(beside.read_text())
    return float(given["lora_alpha"]) / float(given["r"])
