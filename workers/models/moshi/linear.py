"""Linear layers without bias; their weights may have eight bits.

The loss (relative error of one layer's output on random inputs, `tests/unit/.../test_linear.py`):
int8 about 0.7 %, fp8 about 2.6 %. Both halve the memory of bfloat16 weights.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.modes import MoshiPrecision

INT8_MOST: Final = 127.0
FP8: Final = torch.float8_e4m3fn
FP8_MOST: Final = 448.0  # the largest number of that format
FP8_GRAIN: Final = 16  # torch._scaled_mm multiplies matrices of such multiples only


class Linear(nn.Module):
    """(..., inputs) -> (..., outputs). `scale` is None, or has one factor an output."""

    scale: Tensor | None

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs), requires_grad=False)
        self.register_buffer("scale", None)

    def hold(self, precision: MoshiPrecision) -> None:
        """Convert the weights, with one scale an output."""
        if precision is MoshiPrecision.FULL or self.scale is not None:
            return
        if precision is MoshiPrecision.FP8 and any(size % FP8_GRAIN for size in self.weight.shape):
            return  # the tiny layers of a test
        whole = precision is MoshiPrecision.INT8
        wide = self.weight.float()
        largest = wide.abs().amax(dim=1).clamp(min=1e-12)
        self.scale = largest / (INT8_MOST if whole else FP8_MOST)
        held = wide / self.scale[:, None]
        held = held.round().to(torch.int8) if whole else held.to(FP8)
        self.weight = nn.Parameter(held, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        if self.scale is None:
            return F.linear(x, self.weight)
        if self.weight.dtype is FP8 and x.is_cuda:
            return self._multiply_fp8(x, self.scale)
        return F.linear(x, self.weight.to(x.dtype)) * self.scale.to(x.dtype)

    def _multiply_fp8(self, x: Tensor, scale: Tensor) -> Tensor:
        """The product by the GPU's fp8 units; each row of x gets a scale of its own."""
        flat = x.reshape(-1, x.shape[-1])
        own = flat.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / FP8_MOST
        y = torch._scaled_mm(
            (flat.float() / own).to(FP8),
            self.weight.t(),
            scale_a=own,
            scale_b=scale[None],
            out_dtype=torch.bfloat16,
        )
        return y.to(x.dtype).view(*x.shape[:-1], -1)


def hold_all(module: nn.Module, precision: MoshiPrecision) -> None:
    """Convert all linear layers of a module."""
    for part in module.modules():
        if isinstance(part, Linear):
            part.hold(precision)
