"""Runs Moshi's temporal transformer: reads a position of 17 tokens a step, gives its text token.

It follows the reference implementation (MIT, github.com/kyutai-labs/moshi). Parameters have the
names of the newer published files; `checkpoint.py` renames the older ones.
Letters: N rows, T positions, D width, H heads, K head width.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.moshi.cache import RowCache, Span
from workers.models.moshi.config import CODES, LmConfig
from workers.models.moshi.linear import Linear

NORM_EPSILON: Final = 1e-8


class RmsNorm(nn.Module):
    """RMS norm in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(width), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        wide = x.float()
        scale = torch.rsqrt(NORM_EPSILON + wide.square().mean(dim=-1, keepdim=True))
        return (wide * (self.alpha.float() * scale)).to(x.dtype)


class Gate(nn.Module):
    """The gated feed-forward part: SiLU(a) b."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear_in = Linear(width, 2 * hidden)
        self.linear_out = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        one, other = self.linear_in(x).chunk(2, dim=-1)
        y: Tensor = self.linear_out(F.silu(one) * other)
        return y


class Projections(nn.Module):
    """Attention's projections, one for each step of the depth transformer."""

    def __init__(self, width: int, count: int = 1) -> None:
        super().__init__()
        self.in_projs = nn.ModuleList(Linear(width, 3 * width) for _ in range(count))
        self.out_projs = nn.ModuleList(Linear(width, width) for _ in range(count))


class TemporalLayer(nn.Module):
    """One pre-norm layer."""

    def __init__(self, config: LmConfig) -> None:
        super().__init__()
        self.norm1, self.norm2 = RmsNorm(config.dim), RmsNorm(config.dim)
        self.self_attn = Projections(config.dim)
        self.gating = Gate(config.dim, config.hidden)

    def forward(self, x: Tensor, span: Span, cache: RowCache, layer: int) -> Tensor:
        """(N, T, D) -> (N, T, D)."""
        seen = cache.attend(self.self_attn.in_projs[0](self.norm1(x)), layer, span)
        x = x + self.self_attn.out_projs[0](seen)
        y: Tensor = x + self.gating(self.norm2(x))
        return y


class TemporalLayers(nn.Module):
    """The stack, under the name that the files give it."""

    def __init__(self, config: LmConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TemporalLayer(config) for _ in range(config.layers))


class Temporal(nn.Module):
    """Tokens in, states and text logits out."""

    def __init__(self, config: LmConfig) -> None:
        super().__init__()
        self.config = config
        self.emb = nn.ModuleList(
            nn.Embedding(config.card + 1, config.dim) for _ in range(2 * CODES)
        )
        self.text_emb = nn.Embedding(config.texts + 1, config.dim)
        self.transformer = TemporalLayers(config)
        self.out_norm = RmsNorm(config.dim)
        self.text_linear = Linear(config.dim, config.texts)

    def cache(self, slots: int, piece: int, capacity: int | None = None) -> RowCache:
        """An empty cache in the model's dtype."""
        config = self.config
        return RowCache(
            layers=config.layers,
            slots=slots,
            heads=config.heads,
            head_width=config.dim // config.heads,
            window=config.context,
            piece=piece,
            like=self.out_norm.alpha,
            period=config.max_period,
            capacity=capacity,
        )

    def read(self, tokens: Tensor, cache: RowCache, span: Span, kept: Tensor) -> Tensor:
        """The next T positions (N, 17, T), of which `kept` (N,) count -> states (N, T, D)."""
        return self.read_embedded(self.embed(tokens), cache, span, kept)

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (N, 17, T) -> (N, T, D)."""
        x: Tensor = self.text_emb(tokens[:, 0])
        codes: Tensor = self.emb[0](tokens[:, 1])
        for q in range(1, 2 * CODES):
            codes = codes + self.emb[q](tokens[:, q + 1])
        return codes + x

    def read_embedded(self, x: Tensor, cache: RowCache, span: Span, kept: Tensor) -> Tensor:
        """As `read`, of embedded positions (N, T, D)."""
        for number, layer in enumerate(self.transformer.layers):
            x = layer(x, span, cache, number)
        cache.advance(span, kept)
        y: Tensor = self.out_norm(x)
        return y

    def text(self, states: Tensor) -> Tensor:
        """States (..., D) -> text logits (..., texts), float32."""
        logits: Tensor = self.text_linear(states)
        return logits.float()
