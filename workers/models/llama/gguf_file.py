"""Reads a GGUF file: metadata, and tensors dequantised under Hugging Face's names."""

import mmap
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shared.errors import ConfigError
from workers.models.llama.config import GGUF_INTERLEAVED, LlamaConfig, from_gguf
from workers.models.llama.gguf_header import TensorPlace, read_header
from workers.models.llama.tensors import Tensors, hf_name, to_halves


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A file's content. `fields` is the metadata, which includes tokenizer and chat template."""

    config: LlamaConfig
    fields: dict[str, Any]
    tensors: Tensors


def read_gguf(path: Path) -> GgufFile:
    """Read a whole file. Raises ConfigError if the model is not of the Llama family."""
    if path.stat().st_size == 0:
        raise ConfigError(f"Expected a GGUF file, got {path}, which is empty")
    with path.open("rb") as file:
        data = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    header = read_header(data.data)
    raw = {place.name: _values(place, data) for place in header.tensors}
    if "token_embd.weight" not in raw:
        raise ConfigError(f"Expected a language model in {path}: token_embd.weight is missing")
    return _family(header.fields, raw)


def _values(place: TensorPlace, data: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    try:
        import gguf
    except ImportError as error:
        raise ConfigError(
            "Expected the package gguf to read a .gguf file: pip install 'antiphon[cascade]'"
        ) from error
    try:
        kind = gguf.GGMLQuantizationType(place.kind)
        block, size = gguf.GGML_QUANT_SIZES[kind]
        count = prod(place.shape)
        stored = data[place.start : place.start + count // block * size]
        rows = stored.reshape(-1, place.shape[-1] // block * size)
        values = gguf.quants.dequantize(rows.view(_plain(kind.name)), kind)
    except (ValueError, NotImplementedError) as error:
        raise ConfigError(
            f"Expected {place.name} to be whole and of a known quantisation: {error}"
        ) from error
    return torch.from_numpy(np.array(values, np.float32).reshape(place.shape))


def _plain(kind: str) -> np.dtype[Any]:
    """The numpy type of a kind that is not quantised; all other kinds are bytes."""
    return np.dtype({"F32": "<f4", "F16": "<f2"}.get(kind, "u1"))


def _family(fields: dict[str, Any], raw: Tensors) -> GgufFile:
    factors = raw["rope_freqs.weight"].tolist() if "rope_freqs.weight" in raw else []
    config = from_gguf(fields, raw["token_embd.weight"].shape[0], tuple(factors))
    swapped = fields["general.architecture"] in GGUF_INTERLEAVED
    tensors: Tensors = {}
    for name, value in raw.items():
        known = hf_name(name)
        if known is None:
            continue
        if swapped and ".q_proj." in known:
            value = to_halves(value, config.heads)
        elif swapped and ".k_proj." in known:
            value = to_halves(value, config.kv_heads)
        tensors[known] = value.contiguous()
    return GgufFile(config, fields, tensors)
