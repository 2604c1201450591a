"""Runs Mimi's streaming convolutions, with the state of all slots in fixed tensors.

Letters: N rows of a step, C channels, T positions. A step takes the slots `first` ...
`first + N - 1`; those that are not `active` (N,) keep their state.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Rows:
    """The slots of one step."""

    first: int
    active: Tensor  # (N,) bool

    @property
    def own(self) -> slice:
        """Their place in a state tensor."""
        return slice(self.first, self.first + len(self.active))

    def store(self, state: Tensor, new: Tensor) -> None:
        """Write the new state (N, ...) of the active rows."""
        active = self.active.view(-1, *[1] * (new.dim() - 1))
        state[self.own] = torch.where(active, new, state[self.own])


class StreamedConv(nn.Module):
    """A causal convolution. Its state is the end of the input, (S, C, kernel - stride)."""

    past: Tensor
    fresh: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        bias: bool = True,
        replicates: bool = False,
    ) -> None:
        """`replicates`: a stream is padded with its first input, not with silence."""
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, bias=bias)
        self.tail = kernel - stride
        self.replicates = replicates

    def allot(self, slots: int) -> None:
        """Make the state of this many slots."""
        weight = self.conv.weight
        shape = (slots, self.conv.in_channels, self.tail)
        self.register_buffer("past", weight.new_zeros(shape), persistent=False)
        fresh = torch.ones(slots, dtype=torch.bool, device=weight.device)
        self.register_buffer("fresh", fresh, persistent=False)

    def reset(self, slot: int) -> None:
        """Begin a new stream in a slot."""
        self.past[slot] = 0
        self.fresh[slot] = True

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, C, T), T a multiple of the stride -> (N, outputs, T / stride)."""
        if not self.tail:
            y: Tensor = self.conv(x)
            return y
        past = self.past[rows.own]
        if self.replicates:
            past = torch.where(self.fresh[rows.own][:, None, None], x[..., :1], past)
            rows.store(self.fresh, torch.zeros_like(rows.active))
        joined = torch.cat([past, x], dim=-1)
        rows.store(self.past, joined[..., -self.tail :])
        y = self.conv(joined)
        return y


class StreamedConvTranspose(nn.Module):
    """A causal transposed convolution. Its state is the output that later inputs add to."""

    part: Tensor

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, *, groups: int = 1, bias: bool
    ) -> None:
        super().__init__()
        self.convtr = nn.ConvTranspose1d(
            inputs, outputs, kernel, stride=stride, groups=groups, bias=bias
        )
        self.stride, self.groups, self.outputs = stride, groups, outputs
        self.tail = kernel - stride

    def allot(self, slots: int) -> None:
        """Make the state of this many slots."""
        shape = (slots, self.outputs, self.tail)
        self.register_buffer("part", self.convtr.weight.new_zeros(shape), persistent=False)

    def reset(self, slot: int) -> None:
        """Begin a new stream in a slot."""
        self.part[slot] = 0

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, C, T) -> (N, outputs, T * stride)."""
        y = F.conv_transpose1d(x, self.convtr.weight, None, self.stride, groups=self.groups)
        y[..., : self.tail] += self.part[rows.own]
        rows.store(self.part, y[..., -self.tail :])
        y = y[..., : -self.tail]
        return y if self.convtr.bias is None else y + self.convtr.bias[:, None]
