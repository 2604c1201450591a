"""Chooses the precision a model runs in on this machine, and makes its decoder."""

import time
from typing import Final

import torch

from shared.errors import ConfigError
from workers.models.llama.attention import KeyValueCache, plan
from workers.models.llama.config import LlamaConfig
from workers.models.llama.decoder import Decoder
from workers.models.llama.grids import GRIDS, RECORDING, Grid
from workers.models.llama.kernels import GROUP
from workers.models.llama.smoothing import Smoothing, talk_tokens
from workers.models.llama.source import Source

# (rows, calls in a second of conversation, about): one caller's step, many callers', a prefill.
_LOAD: Final = ((1, 4), (8, 2), (32, 1))
_CLEARLY: Final = 0.85  # a coarser precision must take at most this share of a finer one's time
_REPEATS: Final = 2


def decoder_of(source: Source, precision: str, positions: int, device: torch.device) -> Decoder:
    """Make a decoder in a precision: a name of GRIDS, or auto. Raises ConfigError for another."""
    if precision not in (*GRIDS, "auto"):
        raise ConfigError(f"Expected a precision of auto, {', '.join(GRIDS)}, got {precision}")
    name = chosen(source, device) if precision == "auto" else precision
    grid = GRIDS[name].on(device)
    smoothings = watch(source, device) if grid.smooth else []
    return Decoder(source.config, source.tensors, grid, positions, device, smoothings)


def chosen(source: Source, device: torch.device) -> str:
    """The name of the fastest precision here whose output is close to float32's.

    It starts with the finest and takes a coarser one if that is clearly faster. 4 bits are only for
    files that have no more. With a merged adapter they undo most of its change: a divergence of
    0.73 of the 1.03 that it made on SmolLM2-135M, against 0.004 for 8 bits.
    """
    if device.type != "cpu":
        return "bf16"
    config = source.config
    fits = config.width % GROUP == 0 and config.hidden % GROUP == 0
    best, best_s = "float32", _seconds_of(config, GRIDS["float32"])
    for name in ("bf16", "int8", "int8x8", "int4"):
        if name == "int4" and (source.adapted or not fits):
            continue
        try:
            spent_s = _seconds_of(config, GRIDS[name].on(device))
        except ConfigError:
            continue
        if spent_s < _CLEARLY * best_s:
            best, best_s = name, spent_s
    return best


@torch.inference_mode()
def watch(source: Source, device: torch.device) -> list[Smoothing]:
    """Find the divisors of each matrix's inputs on a sample conversation."""
    tokens = talk_tokens(source.chat, source.tokenizer)
    decoder = Decoder(source.config, source.tensors, RECORDING, len(tokens), device)
    cache = KeyValueCache(source.config, 1, len(tokens), device)
    planned = plan(source.config, [0], [0], [len(tokens)], device)
    # The head runs on every position, not only on the last one as in a reply.
    decoder(torch.tensor(tokens, device=device), planned, cache, every=True)
    return decoder.watched()


@torch.inference_mode()
def _seconds_of(config: LlamaConfig, grid: Grid) -> float:
    """Processor time of a few layers under a usual load, with the best kernel for each size."""
    shapes = (
        ((config.heads + 2 * config.kv_heads) * config.head_size, config.width),
        (config.width, config.heads * config.head_size),
        (2 * config.hidden, config.width),
        (config.width, config.hidden),
    )
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(shape, generator=generator) for shape in shapes * 2]
    forms = [[kind(weight) for weight in weights] for kind in grid.layers]
    total = 0.0
    for rows, often in _LOAD:
        inputs = [torch.randn(rows, weight.shape[1], generator=generator) for weight in weights]
        spent = []
        for kernels in forms:
            for _ in range(_REPEATS):
                began = time.process_time()
                for kernel, x in zip(kernels, inputs, strict=True):
                    kernel(x)
                spent.append(time.process_time() - began)
        total += often * min(spent)
    return total
