"""Chooses the precision a model runs in on this machine, and makes its decoder."""

import time
from dataclasses import replace
from typing import Final

import torch

from shared.errors import ConfigError
from workers.models.llama.attention import KeyValueCache, plan
from workers.models.llama.config import LlamaConfig
from workers.models.llama.decoder import Decoder, TorchDecoder
from workers.models.llama.onnx_decoder import OnnxDecoder
from workers.models.llama.onnx_graphs import GROUP
from workers.models.llama.source import Source

# The finest first.
PRECISIONS: Final = ("float32", "bf16", "int8", "int4")
_FLOATS: Final = {"float32": torch.float32, "bf16": torch.bfloat16}
_BITS: Final = {"int8": 8, "int4": 4}
# (rows, tokens of each, calls in a second of conversation, about): one caller's step, many
# callers', a prefill.
_LOAD: Final = ((1, 1, 4), (8, 1, 2), (1, 32, 1))
_CLEARLY: Final = 0.85  # a coarser precision must take at most this share of a finer one's time
_LAYERS: Final = 3  # that are timed, without the head
_REPEATS: Final = 3


def decoder_of(source: Source, precision: str, positions: int, device: torch.device) -> Decoder:
    """Make a decoder in one of PRECISIONS, or auto. Raises ConfigError for another."""
    if precision not in (*PRECISIONS, "auto"):
        raise ConfigError(f"Expected a precision of auto, {', '.join(PRECISIONS)}, got {precision}")
    name = chosen(source, device) if precision == "auto" else precision
    if name in _FLOATS:
        return TorchDecoder(source.config, source.tensors, _FLOATS[name], positions, device)
    if device.type != "cpu" or not _fits(source.config):
        raise ConfigError(
            f"Expected bf16 or float32 on {device} or for sizes that are no multiple of {GROUP}, "
            f"got {name}"
        )
    return OnnxDecoder(source.config, source.tensors, _BITS[name], positions)


def chosen(source: Source, device: torch.device) -> str:
    """The name of the fastest precision here with outputs close to float32's.

    It starts with the finest and takes a coarser one if that is clearly faster. A model with a
    merged adapter never runs in 4 bits, which undo most of the adapter's change. On SmolLM2-135M
    the adapter made a divergence of 1.03. 4 bits made one of 0.73, and 8 bits one of 0.003.
    """
    if device.type != "cpu":
        return "bf16"
    names = ["float32", "bf16"]
    if _fits(source.config):
        names += ["int8"] if source.adapted else ["int8", "int4"]
    shortened = _shortened(source)
    best, best_s = names[0], _seconds_of(shortened, names[0])
    for name in names[1:]:
        spent_s = _seconds_of(shortened, name)
        if spent_s < _CLEARLY * best_s:
            best, best_s = name, spent_s
    return best


def _fits(config: LlamaConfig) -> bool:
    inputs = (config.width, config.heads * config.head_size, config.hidden)
    return all(size % GROUP == 0 for size in inputs)


def _shortened(source: Source) -> Source:
    """The model's first layers, with a head of few words."""
    words = min(source.config.vocab, GROUP)
    config = replace(source.config, layers=min(_LAYERS, source.config.layers), vocab=words)
    outer = ("model.embed_tokens.weight", "lm_head.weight")
    tensors = {
        name: value[:words] if name in outer else value for name, value in source.tensors.items()
    }
    return replace(source, config=config, tensors=tensors)


@torch.inference_mode()
def _seconds_of(source: Source, name: str) -> float:
    """Processor time of a usual load, which leaves out other processes."""
    config, cpu = source.config, torch.device("cpu")
    positions = max(tokens for _, tokens, _ in _LOAD)
    decoder = decoder_of(source, name, positions, cpu)
    cache = KeyValueCache(config, max(rows for rows, _, _ in _LOAD), positions, cpu)
    total = 0.0
    for rows, each, often in _LOAD:
        planned = plan(config, range(rows), [0] * rows, [each] * rows, cpu)
        tokens = torch.zeros(rows * each, dtype=torch.int64)
        spent = []
        for _ in range(_REPEATS):
            began = time.process_time()
            decoder(tokens, planned, cache, tokens[:1])
            spent.append(time.process_time() - began)
        total += often * min(spent)
    return total
