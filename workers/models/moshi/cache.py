"""Keeps all slots' keys and values: read in place, with positions and RoPE in float32 or wider.

Letters: S slots, N rows of a step, T positions, H heads, K head width, C capacity, U used places.
A step takes the slots `first` ... `first + N - 1`, and `kept` says how many of the T positions of
each are real. So a layer attends to a view of the cache. Copying rows of the ring into a batch was
estimated at 70 ms a step of 64 full calls on a GPU. A slot that is not stepped has `kept` 0: its
keys and values go to the place of its next position, which no query reaches.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


def rotation(
    positions: Tensor, head_width: int, period: float, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Positions (N, T) -> cosine and signed sine (N, T, 1, K) in `dtype`; the halves are pairs."""
    half = torch.arange(0, head_width, 2, device=positions.device, dtype=dtype)
    angle = positions[..., None, None].to(dtype) * period ** (-half / head_width)
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Apply RoPE to (N, T, H, K) in the dtype of `turn`. In bfloat16 a quarter of tokens flip."""
    wide = x.to(turn[0].dtype)
    return torch.addcmul(wide * turn[0], wide.roll(x.shape[-1] // 2, -1), turn[1]).to(x.dtype)


def halves(weight: Tensor, heads: int) -> Tensor:
    """Rows of Wq | Wk | Wv (3 D, D): RoPE's pairs (0, 1), (2, 3) ... -> (0, K/2), (1, K/2 + 1) ...

    Queries and keys are permuted alike, so no score changes.
    """
    D = weight.shape[1]
    K = D // heads
    turned = weight[: 2 * D].view(2 * heads, K // 2, 2, D).transpose(1, 2).reshape(2 * D, D)
    return torch.cat([turned, weight[2 * D :]])


@dataclass(frozen=True, slots=True)
class Span:
    """Where the new positions of one step lie."""

    first: int
    place: Tensor  # (N, T) index of each new position in the ring
    turn: tuple[Tensor, Tensor]  # RoPE of the new positions
    mask: Tensor  # (N, 1, T, U), 0 where a query may attend, else minus infinity
    used: int


class RowCache:
    """A ring for each slot. A step adds up to `piece` positions; attention reaches `window`."""

    def __init__(
        self,
        *,
        layers: int,
        slots: int,
        heads: int,
        head_width: int,
        window: int,
        piece: int,
        like: Tensor,
        period: float = 10_000.0,
        capacity: int | None = None,
    ) -> None:
        """`capacity`: the ring's places if no stream is ever longer; None: window + piece."""
        self.window, self.piece, self.period = window, piece, period
        self.capacity = window + piece if capacity is None else capacity
        shape = (layers, slots, self.capacity, heads, head_width)
        self.keys, self.values = like.new_zeros(shape), like.new_zeros(shape)
        self.length = torch.zeros(slots, dtype=torch.long, device=like.device)

    def reset(self, slot: int) -> None:
        """Begin a new stream in a slot."""
        self.length[slot] = 0

    def span(self, first: int, rows: int, steps: int, used: int | None = None) -> Span:
        """Plan `steps` positions of `rows` slots. `used`: places from the ring's start to read.

        The caller ensures that no row has written beyond `used`. None reads all places.
        """
        if steps > self.piece:
            raise ValueError(f"Expected at most {self.piece} positions a step, got {steps}")
        used = self.capacity if used is None else min(used, self.capacity)
        length, device = self.length[first : first + rows], self.length.device
        positions = length[:, None] + torch.arange(steps, device=device)  # (N, T)
        last = positions[:, -1:]
        held = last - (last - torch.arange(used, device=device)) % self.capacity  # (N, U)
        mask = self.seen(positions, held)
        wide = torch.promote_types(self.keys.dtype, torch.float32)
        hidden = torch.zeros(mask.shape, dtype=self.keys.dtype, device=device)
        return Span(
            first,
            positions % self.capacity,
            rotation(positions, self.keys.shape[-1], self.period, wide),
            hidden.masked_fill_(~mask, float("-inf"))[:, None],
            used,
        )

    def seen(self, positions: Tensor, held: Tensor) -> Tensor:
        """Queries at (N, T), keys at (N, U) -> (N, T, U), True where a query may attend."""
        gap = positions[:, :, None] - held[:, None, :]
        return (gap >= 0) & (gap < self.window) & (held >= 0)[:, None, :]

    def put(self, layer: int, span: Span, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store (N, T, H, K). Returns all keys and values of the rows, views (N, U, H, K)."""
        N = len(keys)
        rows = torch.arange(N, device=keys.device)[:, None]
        own = slice(span.first, span.first + N)
        self.keys[layer, own][rows, span.place] = keys
        self.values[layer, own][rows, span.place] = values
        return self.keys[layer, own, : span.used], self.values[layer, own, : span.used]

    def attend(self, mixed: Tensor, layer: int, span: Span) -> Tensor:
        """Store new keys and values and attend to all: Q | K | V (N, T, 3 D) -> (N, T, D)."""
        N, T, _ = mixed.shape
        H, K = self.keys.shape[-2:]
        mixed = mixed.view(N, T, 3 * H, K)
        query, key = rotate(mixed[:, :, : 2 * H], span.turn).chunk(2, dim=2)
        key, value = self.put(layer, span, key, mixed[:, :, 2 * H :])
        # (N, T, H, K) -> (N, H, T, K)
        seen = F.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=span.mask
        )
        return seen.transpose(1, 2).reshape(N, T, H * K)

    def advance(self, span: Span, kept: Tensor) -> None:
        """Count the first `kept` (N,) positions of each row as written."""
        self.length[span.first : span.first + len(kept)] += kept
