"""Lists the precisions a model can run in, each with kernels that agree except for rounding.

A caller's reply must not depend on how many others speak. So all kernels of a grid multiply by the
same rounded weights. Timing decides which kernel serves which number of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from shared.errors import ConfigError
from workers.models.llama.kernels import (
    GROUP,
    Bfloat16,
    Float32,
    Int4Weights,
    Int8Both,
    Int8Weights,
    Kernel,
    available,
    int4_levels,
    int8_levels,
)
from workers.models.llama.smoothing import InputRecorder

Kinds = tuple[type[Kernel], ...]


def _as_is(weight: Tensor) -> Tensor:
    return weight


def _int8(weight: Tensor) -> Tensor:
    levels, scales = int8_levels(weight)
    return levels * scales


def _int4(weight: Tensor) -> Tensor:
    levels, steps, lows = int4_levels(weight)
    groups = levels.view(len(weight), -1, GROUP) * steps[..., None] + lows[..., None]
    return groups.view(weight.shape)


@dataclass(frozen=True, slots=True)
class Grid:
    """A precision: how weights are rounded, and the kernels for the layers and the head."""

    name: str
    rounded: Callable[[Tensor], Tensor]
    head_rounded: Callable[[Tensor], Tensor]
    layers: Kinds
    head: Kinds
    smooth: bool = False  # inputs are divided by measured factors, see smoothing.py

    def on(self, device: torch.device) -> "Grid":
        """The grid with the kernels that this machine has. Raises ConfigError if it has none."""
        layers, head = (
            tuple(kind for kind in kinds if available(kind, device))
            for kinds in (self.layers, self.head)
        )
        if not layers or not head:
            raise ConfigError(f"Expected a precision that this machine has, got {self.name}")
        return replace(self, layers=layers, head=head)


GRIDS: Final = {
    grid.name: grid
    for grid in (
        Grid(
            "int4",
            _int4,
            _int8,
            (Int4Weights, Bfloat16, Float32),
            (Int8Weights, Bfloat16, Float32),
        ),
        Grid("int8", _int8, _int8, *((Int8Weights, Bfloat16, Float32),) * 2),
        Grid("int8x8", _as_is, _as_is, (Int8Both,), (Int8Both,), smooth=True),
        Grid("bf16", _as_is, _as_is, (Bfloat16,), (Bfloat16,)),
        Grid("float32", _as_is, _as_is, (Float32,), (Float32,)),
    )
}
RECORDING: Final = Grid("watched", _as_is, _as_is, (InputRecorder,), (InputRecorder,))
