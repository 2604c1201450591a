"""Which precision a model runs in on this machine, and its decoder in it."""

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

# (rows, how often a second of talk has such a call, about): one caller's step, many, a prefill.
_LOAD: Final = ((1, 4), (8, 2), (32, 1))
_CLEARLY: Final = 0.85  # a coarser precision must take at most this share of a finer one's time
_REPEATS: Final = 2


def decoder_of(source: Source, precision: str, positions: int, device: torch.device) -> Decoder:
    """A decoder in a precision: a name of GRIDS, or auto. Raises ConfigError for another."""
    if precision not in (*GRIDS, "auto"):
        raise ConfigError(f"Expected a precision of auto, {', '.join(GRIDS)}, got {precision}")
    name = chosen(source, device) if precision == "auto" else precision
    grid = GRIDS[name].on(device)
    smoothings = watch(source, device) if grid.smooth else []
    return Decoder(source.config, source.tensors, grid, positions, device, smoothings)


def chosen(source: Source, device: torch.device) -> str:
    """The name of the fastest precision here that says about what float32 does.

    From the finest on, a coarser one is taken where it is clearly faster. 4 bits are for files that
    have no more: after an adapter was merged they undo it (divergence 0.73 of the 1.03 that it made
    on SmolLM2-135M; 8 bits 0.004).
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
    """What each matrix's inputs are to be divided by, found on a sample conversation."""
    tokens = talk_tokens(source.chat, source.tokenizer)
    decoder = Decoder(source.config, source.tensors, RECORDING, len(tokens), device)
    cache = KeyValueCache(source.config, 1, len(tokens), device)
    planned = plan(source.config, [0], [0], [len(tokens)], device)
    # The head too is to see every position: not only the last, as in a reply.
    decoder(torch.tensor(tokens, device=device), planned, cache, every=True)
    return decoder.watched()


@torch.inference_mode()
def _seconds_of(config: LlamaConfig, grid: Grid) -> float:
    """Processor time of a few layers under a usual load, with each number of rows' best kernel."""
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
