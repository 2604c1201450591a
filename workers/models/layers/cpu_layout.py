"""Lays weights out in memory in the order that CPU kernels read fastest. Names and values stay.

Reading the weights limits a batch of a few rows. With its inputs outermost, a linear layer takes
135 us for 16 rows instead of 165 (256 -> 768, float32, one core of a Sapphire Rapids). A
written-out depthwise convolution is vectorised only with its channels innermost.
The products limit a batch of many rows. In bfloat16, those of 128 rows take 145 us instead of 570
if the CPU multiplies tiles (AMX).
"""

from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.layers.convnext import ConvNeXt

# The number of products from which bfloat16 is faster (64 rows of 256 -> 512). At half of it,
# bfloat16 is slower.
TILED_FROM: Final = 8_000_000

M = TypeVar("M", bound=nn.Module)


class TiledLinear(nn.Module):
    """A float32 linear layer that multiplies large batches in bfloat16."""

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
    """Reorder the weights of a module for steps on a CPU, in place. On a GPU it changes nothing.

    The results stay the same. The weights may be copied but not saved: safetensors requires the
    usual order.
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
    """Let the module's ConvNeXt blocks multiply in bfloat16 where that is faster, in place.

    The input and output layers, which decide a voice's pitch, stay in float32.
    """
    for part in module.modules():
        if isinstance(part, ConvNeXt):
            part.up, part.down = TiledLinear(part.up), TiledLinear(part.down)
    return module
