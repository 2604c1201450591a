"""Causal ConvNeXt blocks that stream, and the fixed slots that hold streaming state.

Letters: B rows, T positions, C channels, S slots. A state is a flat tuple of tensors, rows first.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.layers.transformer import CausalConv1d

State = tuple[Tensor, ...]


class ConvNeXt(nn.Module):
    """Depthwise causal convolution, norm, two linear layers, residual. ReLU: GELU is slow here."""

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.mix = CausalConv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up: nn.Module = nn.Linear(width, hidden)
        self.down: nn.Module = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    def initial(self, rows: int) -> Tensor:
        """The past of fresh streams: zeros (rows, kernel - 1, C)."""
        return self.norm.weight.new_zeros(rows, self.mix.past, self.norm.weight.shape[0])

    def stream(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, C) -> (B, T, C) and the new past (B, kernel - 1, C)."""
        joined = torch.cat([past, x], dim=1)
        y = self.norm(self._mixed(joined))
        y = x + self.scale * self.down(F.relu(self.up(y)))
        return y, joined[:, joined.shape[1] - self.mix.past :]

    def _mixed(self, joined: Tensor) -> Tensor:
        """The convolution of (B, kernel - 1 + T, C) -> (B, T, C).

        Written out where no gradient is wanted: the library's own takes 0.2 ms for one step of one
        row, which are 0.02 ms of arithmetic. With gradients it would keep `kernel` copies.
        """
        conv = self.mix.conv
        if torch.is_grad_enabled():
            mixed: Tensor = conv(joined.transpose(1, 2))  # (B, T, C) -> (B, C, T)
            return mixed.transpose(1, 2)  # (B, C, T) -> (B, T, C)
        seen = joined.unfold(1, conv.kernel_size[0], 1).transpose(2, 3)  # (B, T, kernel, C)
        mixed = (seen * conv.weight[:, 0].t()).sum(dim=2)
        return mixed if conv.bias is None else mixed + conv.bias


class ConvNeXtStack(nn.Module):
    """Blocks one after another; it sees blocks * (kernel - 1) positions of the past."""

    def __init__(self, width: int, hidden: int, blocks: int, kernel: int = 7) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ConvNeXt(width, hidden, kernel) for _ in range(blocks))

    def initial(self, rows: int) -> State:
        """The state of fresh streams."""
        return tuple(self._block(i).initial(rows) for i in range(len(self.blocks)))

    def stream(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """(B, T, C) -> (B, T, C) and the new state."""
        pasts = []
        for i, past in enumerate(state):
            x, past = self._block(i).stream(x, past)
            pasts.append(past)
        return x, tuple(pasts)

    def _block(self, i: int) -> ConvNeXt:
        block = self.blocks[i]
        assert isinstance(block, ConvNeXt)  # noqa: S101 - narrows ModuleList's type
        return block


class StreamSlots:
    """The streaming state of S fixed slots, of which any subset of rows takes part in a step."""

    def __init__(self, fresh: State) -> None:
        """`fresh` is the state of one new stream (one row) per slot: rows = S."""
        self._fresh = tuple(part.clone() for part in fresh)
        self._now = fresh

    def reset(self, rows: Tensor) -> None:
        """Make the slots named by rows (R,), int64, fresh again."""
        for now, fresh in zip(self._now, self._fresh, strict=True):
            now[rows] = fresh[rows]

    def take(self, rows: Tensor) -> State:
        """The state of some slots, copied."""
        return tuple(part[rows] for part in self._now)

    def put(self, rows: Tensor, state: State) -> None:
        """Store the state of some slots."""
        for now, new in zip(self._now, state, strict=True):
            now[rows] = new
