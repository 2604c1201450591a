"""Multiplies by a fixed weight matrix in several ways: x (N, in) float32 -> (N, out) float32.

Each kernel takes the weights W (out, in) float32 and keeps them in its own form. `available` tries
which kernels a processor has, and `time_kernels` (linear.py) finds the fastest.
"""

from typing import Final, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

GROUP: Final = (
    32  # numbers of a row that share an int4 scale; as in llama.cpp, whose files so lose nothing
)
_INT4_LEVELS: Final = 15
_INT8_MOST: Final = 127


class Kernel(Protocol):
    """One weight matrix in one form."""

    def __init__(self, weight: Tensor) -> None: ...

    def __call__(self, x: Tensor) -> Tensor: ...


class Float32:
    """Weights and inputs in float32."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight.contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self._weight)


class Bfloat16:
    """Weights and inputs in bfloat16, which is fast on a GPU, AMX or AVX512-BF16."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight.to(torch.bfloat16).contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x.to(torch.bfloat16), self._weight).float()


class Int8Weights:
    """Weights of 8 bits with a scale for each row; inputs in bfloat16."""

    def __init__(self, weight: Tensor) -> None:
        levels, scales = int8_levels(weight)
        self._levels, self._scales = levels, scales[:, 0].to(torch.bfloat16)

    def __call__(self, x: Tensor) -> Tensor:
        given = x.to(torch.bfloat16).contiguous()
        return torch._weight_int8pack_mm(given, self._levels, self._scales).float()


class Int8Both:
    """Weights and inputs of 8 bits, with a scale for each row and each token. Sums are exact."""

    def __init__(self, weight: Tensor) -> None:
        levels, scales = int8_levels(weight)
        self._levels, self._scales = levels.t(), scales[:, 0]

    def __call__(self, x: Tensor) -> Tensor:
        most = torch.linalg.vector_norm(x, torch.inf, dim=1, keepdim=True)
        scales = most.clamp_(min=1e-8).div_(_INT8_MOST)
        levels = (x / scales).round_().to(torch.int8)
        return torch._int_mm(levels, self._levels).mul(scales).mul_(self._scales)


class Int4Weights:
    """Weights of 4 bits with a scale and an offset for each group; inputs in bfloat16."""

    def __init__(self, weight: Tensor) -> None:
        levels, steps, lows = int4_levels(weight)
        # The kernel's numbers are (level - 8) * step + zero.
        zeros = lows + steps * 8
        packed = torch._convert_weight_to_int4pack_for_cpu(levels.to(torch.int32), 1)
        # (out, in / GROUP, 2) -> (in / GROUP, out, 2)
        scales = torch.stack([steps, zeros], dim=-1).transpose(0, 1)
        self._packed, self._scales = packed, scales.contiguous().to(torch.bfloat16)

    def __call__(self, x: Tensor) -> Tensor:
        given = x.to(torch.bfloat16).contiguous()
        out = torch._weight_int4pack_mm_for_cpu(given, self._packed, GROUP, self._scales)
        return out.float()


def int8_levels(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Levels int8 (out, in), scales float32 (out, 1): weight = levels * scales."""
    scales = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / _INT8_MOST
    return (weight / scales).round().to(torch.int8), scales


def int4_levels(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Levels 0..15 (out, in), steps and lows (out, in / GROUP): weight = levels * step + low."""
    groups = weight.reshape(len(weight), -1, GROUP)
    lows, highs = groups.aminmax(dim=-1)
    steps = ((highs - lows) / _INT4_LEVELS).clamp(min=1e-12)
    levels = ((groups - lows[..., None]) / steps[..., None]).round().clamp(0, _INT4_LEVELS)
    return levels.flatten(1), steps, lows


def available(kind: type[Kernel], device: torch.device) -> bool:
    """Whether this machine has the kernel and it computes correctly."""
    if device.type != "cpu":
        return kind in (Bfloat16, Float32)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(64, 128, generator=generator)
    x = torch.randn(3, 128, generator=generator)
    try:
        found = kind(weight)(x)
    except (RuntimeError, NotImplementedError, AttributeError):
        return False
    wanted = F.linear(x, weight)
    return bool((found - wanted).norm() < 0.2 * wanted.norm())
