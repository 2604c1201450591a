"""Reads a folder with a published checkpoint: Moshi or PersonaPlex, Mimi and the text tokenizer.

Published files come in two styles of names. The older holds the projections of all depth steps in
one tensor (`in_proj_weight`), the newer has one for each (`in_projs.0.weight`). Both load, and so
do the files whose linear layers are int8 (`weight_scb`). Nothing is downloaded.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from shared.errors import ConfigError
from shared.modes import MoshiPrecision
from workers.models.moshi.cache import halves
from workers.models.moshi.config import CODES, LmConfig, MimiConfig
from workers.models.moshi.depth import Depth
from workers.models.moshi.linear import INT8_MOST, hold_all
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.temporal import Temporal

CONFIG: Final = "config.json"
LM_FILES: Final = ("model.safetensors", "model.q8.safetensors")
MIMI_FILE: Final = "tokenizer-e351c8d8-checkpoint125.safetensors"
TEXT_FILE: Final = "tokenizer_spm_32k_3.model"
WHERE: Final = (
    "Moshi is published by Kyutai as moshiko-pytorch-bf16, moshika-pytorch-bf16 and "
    "moshiko-pytorch-q8 (CC BY 4.0). PersonaPlex is published by NVIDIA as personaplex-7b-v1 "
    "(NVIDIA Open Model License; accept it there first). Copy all files of one of them into the "
    "folder that MODEL names; docs/moshi.md says more"
)

POINTER: Final = b"version https://git-lfs"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the parts of a checkpoint lie, and what its config says."""

    lm: Path
    mimi: Path
    text: Path
    config: LmConfig
    mimi_config: MimiConfig
    persona: bool  # PersonaPlex: calls begin with a voice and a text prompt


def open_folder(folder: Path) -> Folder:
    """Find the files. Raises ConfigError that says what is missing and where it is published."""
    found = _config(folder)
    names = (found.get("moshi_name", LM_FILES[0]), found.get("mimi_name", MIMI_FILE))
    lm, mimi = folder / names[0], folder / names[1]
    if "moshi_name" not in found and not lm.exists() and (folder / LM_FILES[1]).exists():
        lm = folder / LM_FILES[1]
    text = folder / found.get("tokenizer_name", TEXT_FILE)
    missing = [path.name for path in (lm, mimi, text) if not path.is_file()]
    if missing:
        kind = f" of model_type {found['model_type']!r}" if found.get("model_type") else ""
        got = f"a folder{kind} without" if folder.is_dir() else "no such folder; it needs"
        raise ConfigError(
            f"Expected a Moshi or PersonaPlex checkpoint in {folder}, got {got} "
            f"{', '.join(missing)}. {WHERE}"
        )
    config = _parsed(LmConfig.from_json, folder / CONFIG, found)
    mimi_config = MimiConfig()
    if name := found.get("mimi_config_name"):
        mimi_config = _parsed(MimiConfig.from_json, folder / name, _json(folder / name))
    persona = found.get("model_type") == "personaplex"
    return Folder(lm, mimi, text, config, mimi_config, persona)


def _parsed(parse: Callable[[Mapping[str, Any]], T], path: Path, found: Mapping[str, Any]) -> T:
    """The config that a file holds. Raises ConfigError that names the file."""
    try:
        return parse(found)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"Expected the published sizes in {path}, got {type(error).__name__}: {error}"
        ) from error


def _config(folder: Path) -> Mapping[str, Any]:
    """config.json; {} for the oldest checkpoints, which have none and are Moshi 7B."""
    if (folder / CONFIG).exists():
        return _json(folder / CONFIG)
    return {}


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"Expected JSON in {path}, got an error: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"Expected a JSON object in {path}, got {type(found).__name__}")
    return found


def load_lm(
    folder: Folder,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    precision: MoshiPrecision = MoshiPrecision.FULL,
) -> tuple[Temporal, Depth]:
    """Both transformers, ready for inference. Raises ConfigError if a tensor is missing."""
    tensors = _wide(dict(_renamed(_loaded(folder.lm))), dtype)
    _check_layers(folder, tensors)
    for number in range(folder.config.layers):
        name = f"transformer.layers.{number}.self_attn.in_projs.0.weight"
        if name in tensors:
            tensors[name] = halves(tensors[name], folder.config.heads)
    with torch.device("meta"):
        temporal, depth = Temporal(folder.config), Depth(folder.config)
    for module in (temporal, depth):
        _fill(module, {n: tensors[n] for n in module.state_dict() if n in tensors}, folder.lm)
        hold_all(module, precision)  # before it goes to the GPU, which may be too small for more
        module.to(device)
    return temporal.eval(), depth.eval()


def _check_layers(folder: Folder, tensors: Mapping[str, Tensor]) -> None:
    """Raises ConfigError if the file has more layers than its config: they would be left out."""
    config = folder.config
    for name, count in (("transformer", config.layers), ("depformer", config.depth_layers)):
        if any(tensor.startswith(f"{name}.layers.{count}.") for tensor in tensors):
            raise ConfigError(
                f"Expected the config.json of {folder.lm}, got one of a smaller model: with "
                f"{count} layers in the {name}. {WHERE}"
            )


def _loaded(path: Path, device: str = "cpu") -> dict[str, Tensor]:
    """A file's tensors. Raises ConfigError for one that was not copied whole."""
    try:
        return load_file(path, device=device)
    except (SafetensorError, OSError) as error:
        with path.open("rb") as file:
            pointer = file.read(len(POINTER)) == POINTER
        got = "a Git LFS pointer" if pointer else f"{path.stat().st_size} bytes ({error})"
        raise ConfigError(
            f"Expected the tensors of a published model in {path}, got {got}: copy the whole file "
            f"again. {WHERE}"
        ) from error


def _renamed(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The newer style's names and shapes; depth steps from the ninth on are left out."""
    for name, value in tensors.items():
        for old, new, height in (
            (".in_proj_weight", ".in_projs", 3),
            (".in_proj.weight", ".in_projs", 3),
            (".out_proj.weight", ".out_projs", 1),
        ):
            if name.endswith(old):
                head = name.removesuffix(old) + new
                for step, part in enumerate(torch.split(value, height * value.shape[1])[:CODES]):
                    yield f"{head}.{step}.weight", part
                break
        else:
            yield name, value


def _wide(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Floating tensors in `dtype`; int8 weights are multiplied out; alphas (1, 1, D) -> (D,)."""
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name.endswith("_scb"):
            continue
        scale = tensors.get(name + "_scb")
        if scale is not None:
            value = value.float() * (scale.float().view(-1, 1) / INT8_MOST)
        found[name] = value.view(-1).to(dtype) if name.endswith(".alpha") else value.to(dtype)
    return found


def _fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    missing = [name for name in module.state_dict() if name not in tensors]
    if missing:
        raise ConfigError(
            f"Expected {len(missing)} more tensors in {path}, such as {missing[0]}: the file is "
            f"of another model or damaged. {WHERE}"
        )
    try:
        module.load_state_dict(dict(tensors), assign=True)
    except RuntimeError as error:
        raise ConfigError(f"Expected weights that fit config.json in {path}: {error}") from error
    module.requires_grad_(requires_grad=False)


def load_mimi(folder: Folder, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Mimi:
    """The codec; it still needs `Mimi.allot` before inference."""
    tensors = {_codec_name(n): v.to(dtype) for n, v in _renamed(_loaded(folder.mimi, device))}
    try:
        sizes = {
            "filters": tensors["encoder.model.0.conv.conv.weight"].shape[0],
            "hidden": tensors["encoder_transformer.transformer.layers.0.linear1.weight"].shape[0],
            "entries": tensors["rvq_first.books.0.embedding_sum"].shape[0],
            "inner": tensors["rvq_first.books.0.embedding_sum"].shape[1],
        }
    except KeyError as error:
        raise ConfigError(
            f"Expected the codec Mimi in {folder.mimi}, got no {error}. {WHERE}"
        ) from error
    mimi = Mimi(folder.mimi_config, **sizes)
    for side in ("encoder", "decoder"):
        for layer in range(folder.mimi_config.layers):
            name = f"{side}_transformer.transformer.layers.{layer}.self_attn.in_projs.0.weight"
            tensors[name] = halves(tensors[name], folder.mimi_config.heads)
    _fill(mimi, {n: v for n, v in tensors.items() if n in mimi.state_dict()}, folder.mimi)
    return mimi.to(device).eval()


def _codec_name(name: str) -> str:
    """The names of Mimi's codebooks in this code."""
    name = name.removeprefix("quantizer.").replace(".vq.layers.", ".books.")
    name = name.replace("._codebook.embed_sum", "._codebook.embedding_sum")
    return name.replace("._codebook.", ".")
