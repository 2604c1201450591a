"""Causal layers that stream: chunks give the same outputs as the whole sequence.

Letters: B rows of a batch, T positions, D width, H heads, K head width, C cache capacity.
The caller keeps a convolution's state, a tensor, and passes it to the next call. Attention keeps
its state in a `KvCache` of fixed slots. A step may use any subset of them (rows), each at its own
position.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROPE_BASE: Final = 10_000.0
USED_GRAIN: Final = 32  # places; few distinct shapes, since libraries plan for each new one


def norm(width: int) -> nn.LayerNorm:
    """Layer norm without bias. RMS norm, not fused on CPUs, took a fifth of a step."""
    return nn.LayerNorm(width, bias=False)


def rotation(positions: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """Positions (B, T) -> RoPE's cosine and signed sine, each (B, T, 1, K), float32."""
    half = torch.arange(0, head_width, 2, device=positions.device, dtype=torch.float32)
    angle = positions[..., None, None].float() * ROPE_BASE ** (-half / head_width)
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Apply RoPE to queries and keys (B, T, H, K) of any H; the halves of K are the pairs."""
    cos, sin = (part.to(x.dtype) for part in turn)
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)


class CausalConv1d(nn.Module):
    """Convolution over time. Output t depends on inputs up to (t + 1) * stride only."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        if kernel < stride:
            raise ValueError(f"Expected kernel >= stride, got kernel {kernel}, stride {stride}")
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, groups=groups)
        self.past = kernel - stride

    def initial(self, rows: int) -> Tensor:
        """The state of new streams: zeros (rows, inputs, kernel - stride)."""
        return self.conv.weight.new_zeros(rows, self.conv.in_channels, self.past)

    def stream(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """(B, inputs, T), T a multiple of stride -> (B, outputs, T / stride), new past."""
        joined = torch.cat([past, x], dim=-1)
        return self.conv(joined), joined[..., joined.shape[-1] - self.past :]

    def forward(self, x: Tensor) -> Tensor:
        """A whole sequence (B, inputs, T) -> (B, outputs, T / stride)."""
        y: Tensor = self.conv(F.pad(x, (self.past, 0)))
        return y


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """A causal transformer. A position attends to `window` positions, its own included."""

    width: int
    layers: int
    heads: int
    window: int
    expansion: int = 4
    dropout: float = 0.0  # training only: after attention and after the feed-forward part

    @property
    def head_width(self) -> int:
        """Width of one head; must be even (RoPE)."""
        return self.width // self.heads


@dataclass(frozen=True, slots=True)
class CacheSpan:
    """Where the new positions of one step lie in a cache. `KvCache.span` makes it."""

    rows: Tensor  # (B,) slots of the step
    place: Tensor  # (B, T) index of each new position in the ring
    turn: tuple[Tensor, Tensor]  # RoPE of the new positions
    mask: Tensor  # (B, 1, T, U), 0 where a query may attend, else minus infinity
    used: int = 0  # U: places from the ring's start that some row has written
    leading: bool = False  # the rows are slots 0, 1, 2 ...: a view replaces the copy


class KvCache:
    """Keys and values of `slots` streams, one ring a slot. Each slot counts its positions from 0.

    A query reaches its whole window if no stream is longer than the capacity, or if capacity >=
    window + T - 1. T is the most positions that one step adds.
    """

    def __init__(self, config: TransformerConfig, slots: int, capacity: int, like: Tensor) -> None:
        """`like` is a parameter of the transformer; the cache takes its device and dtype."""
        shape = (config.layers, slots, capacity, config.heads, config.head_width)
        self.keys = like.new_zeros(shape)
        self.values = like.new_zeros(shape)
        self.length = torch.zeros(slots, dtype=torch.long, device=like.device)
        self.capacity = capacity
        self._config = config

    def reset(self, rows: Tensor) -> None:
        """Reset the named slots to new streams."""
        self.length[rows] = 0

    def truncate(self, rows: Tensor, length: Tensor) -> None:
        """Keep only the first `length` (B,) positions, which must still be cached."""
        self.length[rows] = length

    def span(self, rows: Tensor, steps: int) -> CacheSpan:
        """Plan `steps` new positions in each of the slots `rows` (B,), no slot twice."""
        if steps > self.capacity:
            raise ValueError(f"Expected at most {self.capacity} positions a step, got {steps}")
        ahead = torch.arange(steps, device=rows.device)
        positions = self.length[rows][:, None] + ahead  # (B, T)
        last = positions[:, -1:]
        used, leading = self._extent(rows, last)
        ring = torch.arange(used, device=rows.device)
        held = last - (last - ring) % self.capacity  # (B, U) the position in each place
        gap = positions[:, :, None] - held[:, None, :]  # (B, T, U)
        mask = (gap >= 0) & (gap < self._config.window) & (held >= 0)[:, None, :]
        cos, sin = rotation(positions, self._config.head_width)
        turn = cos.to(self.keys.dtype), sin.to(self.keys.dtype)
        return CacheSpan(
            rows, positions % self.capacity, turn, hidden(mask, self.keys), used, leading
        )

    def _extent(self, rows: Tensor, last: Tensor) -> tuple[int, bool]:
        """How much of the ring to read, and whether the rows are the first slots in order.

        Most contexts fill a third of the ring; reading all of it took half of a step of 16 rows.
        On a GPU the answer would need a wait, and the shapes must stay fixed.
        """
        if rows.is_cuda:
            return self.capacity, False
        written = int(last.max()) + 1
        used = min(self.capacity, -(-written // USED_GRAIN) * USED_GRAIN)
        return used, rows.tolist() == list(range(len(rows)))

    def put(
        self, layer: int, span: CacheSpan, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Store new keys and values (B, T, H, K). Returns all those of the rows, (B, U, H, K)."""
        rows = span.rows[:, None]
        self.keys[layer][rows, span.place] = keys
        self.values[layer][rows, span.place] = values
        keys, values = self.keys[layer, :, : span.used], self.values[layer, :, : span.used]
        if span.leading:
            return keys[: len(span.rows)], values[: len(span.rows)]
        return keys[span.rows], values[span.rows]

    def advance(self, span: CacheSpan, kept: Tensor | int | None = None) -> None:
        """Count the span's positions as written, or only the first `kept` (B,) of each row.

        With `kept`, rows of different lengths share one padded step. No query attends to the
        padding after a row's length, and the row's next step overwrites it.
        """
        self.length[span.rows] += span.place.shape[1] if kept is None else kept


def hidden(mask: Tensor, like: Tensor) -> Tensor:
    """Mask (B, T, U), True where a query may attend -> (B, 1, T, U) to add to the scores."""
    return like.new_zeros(mask.shape).masked_fill_(~mask, float("-inf"))[:, None]


class Attention(nn.Module):
    """Multi-head causal attention with RoPE."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        if config.width % config.heads or config.head_width % 2:
            raise ValueError(f"Expected an even head width, got {config.width}/{config.heads}")
        self.heads = config.heads
        self.scale = config.head_width**-0.5
        self.into = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(
        self, x: Tensor, span: CacheSpan, cache: KvCache | None = None, layer: int = 0
    ) -> Tensor:
        """(B, T, D) -> (B, T, D). With a cache, queries attend to earlier steps too."""
        B, T, D = x.shape
        mixed = self.into(x).view(B, T, 3 * self.heads, D // self.heads)
        turned = rotate(mixed[:, :, : 2 * self.heads], span.turn)
        query, key = turned.chunk(2, dim=2)  # each (B, T, H, K)
        value = mixed[:, :, 2 * self.heads :]
        if cache is not None:
            key, value = cache.put(layer, span, key, value)
        # (B, T, H, K) -> (B, H, T, K)
        seen = self._see(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), span)
        y: Tensor = self.out(seen.transpose(1, 2).reshape(B, T, D))
        return y

    def _see(self, query: Tensor, key: Tensor, value: Tensor, span: CacheSpan) -> Tensor:
        """(B, H, T, K) and twice (B, H, U, K) -> (B, H, T, K).

        For training on CPUs the written-out form was faster here. For steps the fused kernel is
        faster: 16 us instead of 45 for one row of 96 positions.
        """
        if not torch.is_grad_enabled():
            return F.scaled_dot_product_attention(query, key, value, attn_mask=span.mask)
        score = (query * self.scale) @ key.transpose(-1, -2) + span.mask  # (B, H, T, U)
        seen: Tensor = score.softmax(-1).to(value.dtype) @ value
        return seen


class TransformerBlock(nn.Module):
    """One pre-norm transformer layer. ReLU, since GELU is slower on CPUs and was no better here."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm_attention = norm(config.width)
        self.attention = Attention(config)
        self.norm_feedforward = norm(config.width)
        self.feedforward = nn.Sequential(
            nn.Linear(config.width, config.expansion * config.width),
            nn.ReLU(),
            nn.Linear(config.expansion * config.width, config.width),
        )
        self.drop = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, span: CacheSpan, cache: KvCache | None = None, layer: int = 0
    ) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        x = x + self.drop(self.attention(self.norm_attention(x), span, cache, layer))
        y: Tensor = x + self.drop(self.feedforward(self.norm_feedforward(x)))
        return y


class Transformer(nn.Module):
    """A stack of blocks and a final norm. `forward` takes sequences, `stream` uses a cache."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.layers))
        self.norm = norm(config.width)

    def cache(self, slots: int, capacity: int) -> KvCache:
        """An empty cache for `slots` streams on this module's device and in its dtype."""
        return KvCache(self.config, slots, capacity, next(self.parameters()))

    def forward(self, x: Tensor) -> Tensor:
        """Whole sequences (B, T, D) from their start -> (B, T, D). Pad on the right only."""
        return self.layered(x)[-1]

    def layered(self, x: Tensor, blocks: int | None = None) -> list[Tensor]:
        """The output of each block, each (B, T, D). The last one, normed, is `forward`'s result.

        `blocks` limits this to the first so many blocks, without the norm.
        """
        T = x.shape[1]
        positions = torch.arange(T, device=x.device)
        gap = positions[:, None] - positions[None, :]
        mask = hidden(((gap >= 0) & (gap < self.config.window))[None], x)
        turn = rotation(positions[None], self.config.head_width)
        span = CacheSpan(positions[:0], positions[None], turn, mask)
        given = []
        for block in self.blocks[:blocks]:
            x = block(x, span)
            given.append(x)
        return given if blocks is not None else [*given[:-1], self.norm(x)]

    def stream(self, x: Tensor, cache: KvCache, rows: Tensor, kept: Tensor | None = None) -> Tensor:
        """The next T positions (B, T, D) of the slots `rows` (B,) -> (B, T, D).

        `kept` (B,) is how many of the T positions of each row are real; the rest is padding.
        """
        return self.stream_layered(x, cache, rows, kept)[-1]

    def stream_layered(
        self, x: Tensor, cache: KvCache, rows: Tensor, kept: Tensor | None = None
    ) -> list[Tensor]:
        """The output of each block, each (B, T, D). The last one, normed, is `stream`'s result."""
        span = cache.span(rows, x.shape[1])
        given = []
        for layer, block in enumerate(self.blocks):
            x = block(x, span, cache, layer)
            given.append(x)
        cache.advance(span, kept)
        return [*given[:-1], self.norm(x)]
