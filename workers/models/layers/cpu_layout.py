"""Weights laid out in memory as the kernels of a CPU like to read them; names and values stay.

A batch of a few rows is bound by how the weights are read: a linear layer of 16 rows takes 135 us
instead of 165 with its inputs outermost (256 -> 768, float32, one core of a Sapphire Rapids), and a
depthwise convolution that is written out needs its channels innermost to be vectorised at all.
A batch of many rows is bound by the products: those of 128 rows take 145 us instead of 570 in
bfloat16, where the CPU multiplies tiles of them (AMX).
"""

from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.layers.convnext import ConvNeXt

# Products of a layer from which bfloat16 pays (64 rows of 256 -> 512); with half of them it loses.
TILED_FROM: Final = 8_000_000

M = TypeVar("M", bound=nn.Module)


class TiledLinear(nn.Module):
    """A linear layer of float32 that multiplies in bfloat16 when there is much to multiply."""

    weight: Tensor
    bias: Tensor
    narrow_weight: Tensor
    narrow_bias: Tensor

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        if not isinstance(linear, nn.Linear):
            raise TypeError(f"Expected a linear layer, got {type(linear).__name__}")
        self.register_buffer("weight", linear.weight.detach(), persistent=False)
        self.register_buffer("bias", linear.bias.detach(), persistent=False)
        narrow = linear.weight.detach().to(torch.bfloat16).contiguous()
        self.register_buffer("narrow_weight", narrow, persistent=False)
        self.register_buffer("narrow_bias", linear.bias.detach().bfloat16(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs), both float32."""
        if x.numel() * len(self.weight) < TILED_FROM:
            return F.linear(x, self.weight, self.bias)
        return F.linear(x.bfloat16(), self.narrow_weight, self.narrow_bias).float()


def tiles() -> bool:
    """Whether this CPU multiplies tiles of bfloat16."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def lay_out(module: M) -> M:
    """The module, in place, as stepping on a CPU wants it; elsewhere as it is.

    It computes as before and its weights may be copied, but not saved (safetensors wants the
    usual order).
    """
    for part in module.modules():
        weight = getattr(part, "weight", None)
        if not isinstance(weight, nn.Parameter) or weight.device.type != "cpu":
            continue
        if isinstance(part, nn.Linear) and weight.dtype == torch.float32:
            weight.data = weight.data.t().contiguous().t()
        elif isinstance(part, nn.Conv1d) and part.groups == part.in_channels:
            weight.data = weight.data.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    return module


def tile(module: M) -> M:
    """The module with its ConvNeXt blocks' products in bfloat16 where that pays, in place.

    What reads and what decides (a voice's pitch) stays as exact as it was.
    """
    for part in module.modules():
        if isinstance(part, ConvNeXt):
            part.up, part.down = TiledLinear(part.up), TiledLinear(part.down)
    return module
