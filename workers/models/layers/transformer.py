"""Causal layers that stream: what they give in chunks is what they give offline.

Letters: B rows of a batch, T positions, D width, H heads, K head width, C cache capacity.
A convolution's state is a tensor that the caller keeps and hands back; attention's is a `KvCache`
of fixed slots, of which any subset (rows) takes part in a step, each at its own position.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROPE_BASE: Final = 10_000.0
USED_GRAIN: Final = 32  # places: few shapes, so that libraries need not plan for each anew


def norm(width: int) -> nn.LayerNorm:
    """Layer norm without bias. RMS norm has no fused kernel on CPUs: it cost a fifth of a step."""
    return nn.LayerNorm(width, bias=False)


def rotation(positions: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """RoPE's cosine and signed sine of positions (B, T) -> two of shape (B, T, 1, K), float32."""
    half = torch.arange(0, head_width, 2, device=positions.device, dtype=torch.float32)
    angle = positions[..., None, None].float() * ROPE_BASE ** (-half / head_width)
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Apply RoPE to queries and keys (B, T, H, K) of any H; the halves of K are the pairs."""
    cos, sin = (part.to(x.dtype) for part in turn)
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin)


class CausalConv1d(nn.Module):
    """Convolution over time whose output t sees inputs up to (t + 1) * stride, and no later."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        if kernel < stride:
            raise ValueError(f"Expected kernel >= stride, got kernel {kernel}, stride {stride}")
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride=stride, groups=groups)
        self.past = kernel - stride

    def initial(self, rows: int) -> Tensor:
        """The state of fresh streams: zeros (rows, inputs, kernel - stride)."""
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
    """A causal transformer: `window` is how many positions, its own included, a position sees."""

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
    """Where one step's new positions lie in a cache: made by `KvCache.span`."""

    rows: Tensor  # (B,) slots taking part
    place: Tensor  # (B, T) index of each new position in the ring
    turn: tuple[Tensor, Tensor]  # RoPE of the new positions
    mask: Tensor  # (B, 1, T, U), 0 where a query may look, else minus infinity
    used: int = 0  # U: places of the ring, from its start, that any of the rows has written
    leading: bool = False  # the rows are slots 0, 1, 2 ...: a view of the cache serves, no copy


class KvCache:
    """Keys and values of `slots` streams, one ring a slot; a slot's positions count from 0.

    The window is seen whole as long as capacity >= window + T - 1, T the most positions that one
    step adds, or the stream is never longer than the capacity.
    """

    def __init__(self, config: TransformerConfig, slots: int, capacity: int, like: Tensor) -> None:
        """`like` gives device and dtype: a parameter of the transformer."""
        shape = (config.layers, slots, capacity, config.heads, config.head_width)
        self.keys = like.new_zeros(shape)
        self.values = like.new_zeros(shape)
        self.length = torch.zeros(slots, dtype=torch.long, device=like.device)
        self.capacity = capacity
        self._config = config

    def reset(self, rows: Tensor) -> None:
        """Begin the named slots afresh; others are not touched."""
        self.length[rows] = 0

    def truncate(self, rows: Tensor, length: Tensor) -> None:
        """Forget what lies behind the first `length` (B,) positions; they must still be cached."""
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
        held = last - (last - ring) % self.capacity  # (B, U) the position each place holds
        gap = positions[:, :, None] - held[:, None, :]  # (B, T, U)
        mask = (gap >= 0) & (gap < self._config.window) & (held >= 0)[:, None, :]
        cos, sin = rotation(positions, self._config.head_width)
        turn = cos.to(self.keys.dtype), sin.to(self.keys.dtype)
        return CacheSpan(
            rows, positions % self.capacity, turn, hidden(mask, self.keys), used, leading
        )

    def _extent(self, rows: Tensor, last: Tensor) -> tuple[int, bool]:
        """How much of the ring to look at, and whether the rows are the first slots in order.

        Most contexts fill a third of the ring: reading all of it was half of a step of 16 rows.
        A GPU would have to be waited for to know, and wants shapes that stay.
        """
        if rows.is_cuda:
            return self.capacity, False
        written = int(last.max()) + 1
        used = min(self.capacity, -(-written // USED_GRAIN) * USED_GRAIN)
        return used, rows.tolist() == list(range(len(rows)))

    def put(
        self, layer: int, span: CacheSpan, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Store new keys and values (B, T, H, K); return all of these rows' (B, U, H, K)."""
        rows = span.rows[:, None]
        self.keys[layer][rows, span.place] = keys
        self.values[layer][rows, span.place] = values
        keys, values = self.keys[layer, :, : span.used], self.values[layer, :, : span.used]
        if span.leading:
            return keys[: len(span.rows)], values[: len(span.rows)]
        return keys[span.rows], values[span.rows]

    def advance(self, span: CacheSpan, kept: Tensor | int | None = None) -> None:
        """Count the span's positions as written; `kept` (B,) counts only that many of each row.

        With `kept`, rows of different lengths share one padded step: what was written behind a
        row's length is never seen and is overwritten by its next step.
        """
        self.length[span.rows] += span.place.shape[1] if kept is None else kept


def hidden(mask: Tensor, like: Tensor) -> Tensor:
    """What attention adds to scores: (B, T, U) True where a query may look -> (B, 1, T, U)."""
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
        """(B, T, D) -> (B, T, D); with a cache the keys of earlier steps are seen too."""
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

        Written out it was faster to train with on CPUs here; to step with, the fused kernel is
        (one row of 96 positions: 16 us, written out 45).
        """
        if not torch.is_grad_enabled():
            return F.scaled_dot_product_attention(query, key, value, attn_mask=span.mask)
        score = (query * self.scale) @ key.transpose(-1, -2) + span.mask  # (B, H, T, U)
        seen: Tensor = score.softmax(-1).to(value.dtype) @ value
        return seen


class TransformerBlock(nn.Module):
    """One pre-norm transformer layer; ReLU, since GELU costs on CPUs and gave nothing here."""

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
    """A stack of blocks and a last norm. Offline: `forward`; streaming: `stream` with a cache."""

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
        """What each block gives, each (B, T, D); the last one's normed, which is `forward`'s.

        With `blocks`: of the first so many alone, none of them normed.
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

        `kept` (B,) says how many of the T positions are real in each row (the rest is padding).
        """
        return self.stream_layered(x, cache, rows, kept)[-1]

    def stream_layered(
        self, x: Tensor, cache: KvCache, rows: Tensor, kept: Tensor | None = None
    ) -> list[Tensor]:
        """What each block gives, each (B, T, D); the last one's normed, which is `stream`'s."""
        span = cache.span(rows, x.shape[1])
        given = []
        for layer, block in enumerate(self.blocks):
            x = block(x, span, cache, layer)
            given.append(x)
        cache.advance(span, kept)
        return [*given[:-1], self.norm(x)]
