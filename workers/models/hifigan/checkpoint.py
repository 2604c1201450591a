"""Finds the public HiFi-GAN in MODEL_CACHE_DIR, converts its pickle once and checks it.

NVIDIA publishes `hifigan_gen_checkpoint_10000_ft.pt` (torch.hub `nvidia_hifigan`; NGC): a pickle
with `generator` (a state dict with weight norm), `config` and `train_setup`. `convert` reads it
without running code (`weights_only`), folds its weight norm and writes `hifigan.safetensors` with
its sha256 beside it. Later starts read only that file. Delete it to convert again.
"""

import hashlib
import json
import logging
import pickle
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from shared.errors import ConfigError
from workers.models.hifigan.generator import HifiGanConfig, HifiGanGenerator

PICKLE: Final = "hifigan*.pt"
CONVERTED: Final = "hifigan.safetensors"
# The mel parameters that the checkpoint was trained on. With others its output would be noise.
TRAINED_ON: Final = {
    "sampling_rate": 22_050,
    "filter_length": 1024,
    "hop_length": 256,
    "win_length": 1024,
    "num_mels": 80,
    "mel_fmin": 0.0,
    "mel_fmax": 8_000.0,
}
log = logging.getLogger(__name__)


class NoCheckpoint(ConfigError):
    """There is no HiFi-GAN file; the project's own vocoder needs none."""


def load_generator(cache: Path) -> HifiGanGenerator:
    """The generator of the cache folder, in evaluation mode on the CPU.

    Raises NoCheckpoint if there is no file, and ConfigError if a file cannot be used.
    """
    converted = cache / CONVERTED
    if not converted.exists():
        convert(_pickle(cache), converted)
    config, tensors = _read(converted)
    generator = HifiGanGenerator(config)
    try:
        generator.load_state_dict(tensors)
    except RuntimeError as error:
        raise ConfigError(f"Expected {converted} to fit its own config: {error}") from error
    return generator.eval().requires_grad_(False)


def _pickle(cache: Path) -> Path:
    found = sorted(cache.glob(PICKLE))
    if len(found) != 1:
        raise NoCheckpoint(
            f"Expected one {PICKLE} or {CONVERTED} in MODEL_CACHE_DIR {cache}, got "
            f"{[path.name for path in found]}: put NVIDIA's hifigan_gen_checkpoint_10000_ft.pt "
            "there, or set VOCODER=own"
        )
    return found[0]


def convert(source: Path, target: Path) -> None:
    """Write the pickle's generator to safetensors, weight norm folded, its sha256 beside it."""
    found = _unpickled(source)
    config = _config(source, found)
    tensors = {key: value.contiguous() for key, value in _folded(found["generator"]).items()}
    facts = {"config": json.dumps(asdict(config)), "source": source.name, "sha256": _sha(source)}
    partial = target.with_suffix(".partial")
    save_file(tensors, partial, facts)
    sum_file(target).write_text(f"{_sha(partial)}  {target.name}\n")
    partial.replace(target)
    log.info("converted %s to %s", source, target)


def sum_file(path: Path) -> Path:
    """The path of the file with the sha256, in `sha256sum`'s format."""
    return path.with_name(path.name + ".sha256")


def _unpickled(source: Path) -> Mapping[str, Any]:
    try:
        found = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise ConfigError(
            f"Expected {source} to be a checkpoint of tensors and plain values, got {error}: "
            "it is damaged or holds code; fetch it again from its publisher"
        ) from error
    if not isinstance(found, dict) or not isinstance(found.get("generator"), dict):
        got = sorted(map(str, found)) if isinstance(found, dict) else type(found).__name__
        raise ConfigError(
            f"Expected `generator` (and `config`) in {source}, got {got}: "
            "this is not HiFi-GAN's generator checkpoint"
        )
    return found


def _config(source: Path, found: Mapping[str, Any]) -> HifiGanConfig:
    """The sizes, by default those of V1. Raises ConfigError on other mel parameters."""
    setup = found.get("train_setup") or {}
    for name, wanted in TRAINED_ON.items():
        got = setup.get(name, wanted)
        if got != wanted:
            raise ConfigError(
                f"Expected {name} {wanted} in {source}, got {got}: "
                "only the 22.05 kHz checkpoint is supported"
            )
    known = {field.name for field in fields(HifiGanConfig)}
    given = {k: _frozen(v) for k, v in (found.get("config") or {}).items() if k in known}
    config = HifiGanConfig(**{**given, "resblock": str(given.get("resblock", "1"))})
    if config.hop != TRAINED_ON["hop_length"]:
        raise ConfigError(f"Expected a hop of 256 samples in {source}, got {config.hop}")
    return config


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _folded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with weight norm -> plain weights under our names, float32."""
    blocks = {int(m[1]) for key in state if (m := re.search(r"resblocks\.(\d+)\.convs", key))}
    stages = len({m[1] for key in state if (m := re.search(r"ups\.(\d+)\.", key))})
    per_stage = len(blocks) // max(1, stages)  # 0 if blocks are numbered by stage already
    plain: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.endswith("weight_g"):
            continue
        tensor = value.float()
        if key.endswith("weight_v"):
            gain = state[key.removesuffix("_v") + "_g"].float()
            lengths = tensor.flatten(1).norm(dim=1).view(-1, *[1] * (tensor.dim() - 1))
            tensor = tensor * gain.view_as(lengths) / lengths
        name = _name(key.replace("weight_v", "weight"), per_stage)
        # Trained channels-last, convolutions have a fourth, empty dimension.
        plain[name] = tensor.squeeze(-1) if tensor.dim() == 4 else tensor
    return plain


def _name(key: str, per_stage: int) -> str:
    """A checkpoint's name -> ours: distributed training's prefix, old numbering, block "2"."""
    key = key.replace("module.1.", "").replace("module.", "")
    if per_stage and (m := re.match(r"resblocks\.(\d+)\.(convs.*)", key)):
        stage, block = divmod(int(m[1]), per_stage)
        key = f"resblocks.{stage}.{block}.{m[2]}"
    return key.replace(".convs.", ".convs1.")


def _read(path: Path) -> tuple[HifiGanConfig, dict[str, Tensor]]:
    sums = sum_file(path)
    wanted = sums.read_text().split()[0] if sums.exists() else "none"
    if _sha(path) != wanted:
        raise ConfigError(
            f"Expected sha256 {wanted} of {path} (in {sums.name}), got {_sha(path)}: "
            "delete both files, they are made again from the checkpoint"
        )
    with safe_open(path, framework="pt") as file:
        given = json.loads((file.metadata() or {}).get("config", "{}"))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return HifiGanConfig(**{k: _frozen(v) for k, v in given.items()}), tensors


def _sha(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
