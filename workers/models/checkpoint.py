"""Reads and writes a weights folder: one safetensors file a part, in bfloat16, and parity.json.

parity.json records what the parts must agree on: the sample rate and the mel parameters. For each
part it holds the config, size and sha256. It also holds facts such as the vocabulary, the codes of
silence, the training data and its licences. `read_part` checks all of it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from shared.errors import ConfigError
from workers.models.mel import MelConfig
from workers.models.recorded_files import replace

PARITY: Final = "parity.json"
FORMAT: Final = 1

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a model in memory: its config as plain values, its facts, its float32 tensors."""

    name: str
    config: dict[str, Any]
    facts: dict[str, Any]
    tensors: dict[str, Tensor]


def write_part(
    folder: Path, name: str, module: nn.Module, config: object, facts: Mapping[str, Any]
) -> Path:
    """Write <folder>/<name>.safetensors in bfloat16 and its entry in parity.json, atomically.

    `config` is a dataclass instance, `facts` are JSON values. The entries of other parts stay.
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError(f"Expected a dataclass instance as config, got {config!r}")
    part = Part(name, dataclasses.asdict(config), dict(facts), module.state_dict())
    return put_part(folder, part)


def put_part(folder: Path, part: Part) -> Path:
    """Write a part that is already a `Part`, in the same way as `write_part`."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save_tensors({key: _stored(value) for key, value in part.tensors.items()})
    path = folder / f"{part.name}.safetensors"
    replace(path, data)
    parity = _parity(folder) if (folder / PARITY).exists() else _fresh()
    parity["parts"][part.name] = {
        "config": part.config,
        "parameters": sum(value.numel() for value in part.tensors.values()),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "facts": part.facts,
    }
    text = json.dumps(parity, indent=1, sort_keys=True) + "\n"
    replace(folder / PARITY, text.encode())
    return path


def parts_in(folder: Path) -> list[str]:
    """The names of a folder's parts. Raises ConfigError if it is not a weights folder."""
    return sorted(_parity(folder)["parts"])


def read_part(folder: Path, name: str) -> Part:
    """Read and check one part. Raises ConfigError, which says what was expected and what to do."""
    parity = _parity(folder)
    _check_sound(folder, parity)
    entry = parity["parts"].get(name)
    if entry is None:
        raise ConfigError(
            f"Expected a part {name!r} in {folder / PARITY}, got {sorted(parity['parts'])}: "
            "the weights folder is incomplete"
        )
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise ConfigError(f"Expected the weights {path}, but the file is missing")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry["sha256"]:
        raise ConfigError(
            f"Expected sha256 {entry['sha256']} of {path}, got {digest}: the file is damaged or "
            "comes from another training run; restore the whole folder"
        )
    tensors = {
        key: value.float() if value.is_floating_point() else value
        for key, value in load_tensors(data).items()
    }
    return Part(name, entry["config"], entry["facts"], tensors)


def fill(module: nn.Module, part: Part) -> None:
    """Load a part's tensors into a module, which is then in evaluation mode without gradients."""
    try:
        module.load_state_dict(part.tensors)
    except RuntimeError as error:
        raise ConfigError(
            f"Expected the weights of {part.name!r} to fit {type(module).__name__}: {error}"
        ) from error
    module.eval().requires_grad_(False)


def config_of(kind: type[ConfigT], part: Part) -> ConfigT:
    """Build a flat config dataclass from stored values. Raises ConfigError on a mismatch."""
    try:
        return kind(**part.config)
    except TypeError as error:
        raise ConfigError(
            f"Expected the config of {part.name!r} to be a {kind.__name__}: {error}; "
            "the weights are of another version of the code"
        ) from error


def _stored(value: Tensor) -> Tensor:
    kept = value.detach().cpu().contiguous()
    return kept.to(torch.bfloat16) if kept.is_floating_point() else kept


def _fresh() -> dict[str, Any]:
    return {"format": FORMAT, "mel": dataclasses.asdict(MelConfig()), "parts": {}}


def _parity(folder: Path) -> dict[str, Any]:
    path = folder / PARITY
    if not path.exists():
        raise ConfigError(
            f"Expected a weights folder with {PARITY}, got {folder}: weights that others publish "
            "for Moshi or PersonaPlex need ENGINE=moshi"
        )
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _check_sound(folder: Path, parity: Mapping[str, Any]) -> None:
    wanted = _fresh()
    for key in ("format", "mel"):
        if parity.get(key) != wanted[key]:
            raise ConfigError(
                f"Expected {key} {wanted[key]} in {folder / PARITY}, got {parity.get(key)}: "
                "the weights are of another version of the code"
            )
