"""Causal ConvNeXt blocks that stream, and fixed slots for their state.

Letters: B rows, T positions, C channels, S slots. A state is a flat tuple of tensors, rows first.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.layers.transformer import CausalConv1d

State = tuple[Tensor, ...]


class ConvNeXt(nn.Module):
    """Depthwise causal convolution, norm, two linear layers, residual. GELU is slower here."""

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.mix = CausalConv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up: nn.Module = nn.Linear(width, hidden)
        self.down: nn.Module = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    def initial(self, rows: int) -> Tensor:
        """The past of new streams: zeros (rows, kernel - 1, C)."""
        return self.norm.weight.new_zeros(rows, self.mix.past, self.norm.weight.shape[0])

    def stream(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, C) -> (B, T, C) and the new past (B, kernel - 1, C)."""
        joined = torch.cat([past, x], dim=1)
        y = self.norm(self._mixed(joined))
        y = x + self.scale * self.down(F.relu(self.up(y)))
        return y, joined[:, joined.shape[1] - self.mix.past :]

    def _mixed(self, joined: Tensor) -> Tensor:
        """The convolution of (B, kernel - 1 + T, C) -> (B, T, C).

        Without gradients, the products are written out: PyTorch's convolution takes 0.2 ms for one
        step of one row, of which 0.02 ms are arithmetic. With gradients, the written-out form would
        keep `kernel` copies of its input.
        """
        conv = self.mix.conv
        if torch.is_grad_enabled():
            mixed: Tensor = conv(joined.transpose(1, 2))  # (B, T, C) -> (B, C, T)
            return mixed.transpose(1, 2)  # (B, C, T) -> (B, T, C)
        seen = joined.unfold(1, conv.kernel_size[0], 1).transpose(2, 3)  # (B, T, kernel, C)
        mixed = (seen * conv.weight[:, 0].t()).sum(dim=2)
        return mixed if conv.bias is None else mixed + conv.bias


class ConvNeXtStack(nn.Module):
    """A stack of blocks. An output depends on blocks * (kernel - 1) earlier positions."""

    def __init__(self, width: int, hidden: int, blocks: int, kernel: int = 7) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ConvNeXt(width, hidden, kernel) for _ in range(blocks))

    def initial(self, rows: int) -> State:
        """The state of new streams."""
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
    """The streaming state of S fixed slots. A step may update any subset of them."""

    def __init__(self, fresh: State) -> None:
        """`fresh` is the state of S new streams, one row a slot."""
        self._fresh = tuple(part.clone() for part in fresh)
        self._now = fresh

    def reset(self, rows: Tensor) -> None:
        """Reset the slots rows (R,), int64, to new streams."""
        for now, fresh in zip(self._now, self._fresh, strict=True):
            now[rows] = fresh[rows]

    def take(self, rows: Tensor) -> State:
        """A copy of the state of the slots rows (R,)."""
        return tuple(part[rows] for part in self._now)

    def put(self, rows: Tensor, state: State) -> None:
        """Store the state of the slots rows (R,)."""
        for now, new in zip(self._now, state, strict=True):
            now[rows] = new
