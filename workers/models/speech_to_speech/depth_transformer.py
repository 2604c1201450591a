"""The depth transformer generates the codes of one step, codebook by codebook, as in Moshi.

Letters: N steps, Q codebooks, S codes a codebook, D depth width.
Position q takes the temporal state, the step's text token and the codes before q. It gives code q.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.layers.transformer import norm


class DepthBlock(nn.Module):
    """One layer over at most Q positions. It has no RoPE: each codebook has its own embedding."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = norm(width)
        self.into = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_feedforward = norm(width)
        self.up = nn.Linear(width, 3 * width)
        self.down = nn.Linear(3 * width, width)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, T, D) -> query, key, value, each (N, H, T, K)."""
        N, T, D = x.shape
        mixed = self.into(self.norm_attention(x)).view(N, T, 3, self.heads, D // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        return query * (D // self.heads) ** -0.5, key, value

    def _finish(self, x: Tensor, seen: Tensor) -> Tensor:
        """Add attention's output (N, H, T, K) and the feed-forward part to x (N, T, D)."""
        x = x + self.out(seen.transpose(1, 2).reshape(x.shape))
        y: Tensor = x + self.down(F.relu(self.up(self.norm_feedforward(x))))
        return y

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """All positions (N, T, D) -> (N, T, D); `mask` (T, T) is True where a query may attend."""
        query, key, value = self._heads(x)
        score = (query @ key.transpose(-1, -2)).masked_fill(~mask, float("-inf"))
        return self._finish(x, score.softmax(-1).to(value.dtype) @ value)

    def step(self, x: Tensor, q: int, keys: Tensor, values: Tensor) -> Tensor:
        """Position q: (N, D) -> (N, D). Writes place q of keys and values (N, H, Q, K)."""
        N, D = x.shape
        mixed = self.into(self.norm_attention(x)).view(N, 3, self.heads, D // self.heads)
        keys[:, :, q], values[:, :, q] = mixed[:, 1], mixed[:, 2]
        query, past = mixed[:, 0, :, None], slice(0, q + 1)
        seen = F.scaled_dot_product_attention(query, keys[:, :, past], values[:, :, past])
        x = torch.addmm(x, seen.view(N, D), self.out.weight.t())
        y: Tensor = x + self.down(F.relu(self.up(self.norm_feedforward(x))))
        return y


class DepthTransformer(nn.Module):
    """Gives the codes of a step. The caller passes the codes' embeddings: the input shares them."""

    def __init__(
        self,
        state_width: int,
        width: int,
        layers: int,
        heads: int,
        codebooks: int,
        codes: int,
        texts: int,
    ) -> None:
        super().__init__()
        self.codebooks = codebooks
        self.from_state = nn.Linear(state_width, width)
        self.text = nn.Embedding(texts, width)
        self.place = nn.Parameter(torch.randn(codebooks, width) * 0.02)
        self.blocks = nn.ModuleList(DepthBlock(width, heads) for _ in range(layers))
        self.norm = norm(width)
        self.heads = nn.Parameter(torch.randn(codebooks, width, codes) * width**-0.5)

    def start(self, state: Tensor, text: Tensor) -> Tensor:
        """Temporal states (N, state width) and text tokens (N,) -> condition (N, D)."""
        condition: Tensor = self.from_state(state) + self.text(text)
        return condition

    def forward(self, condition: Tensor, embedded: Tensor) -> Tensor:
        """Teacher-forced: embeddings (N, Q - 1, D) of the true codes -> logits (N, Q, S)."""
        shifted = F.pad(embedded, (0, 0, 1, 0))  # (N, Q, D)
        x = shifted + condition[:, None] + self.place
        Q = self.codebooks
        mask = torch.ones(Q, Q, dtype=torch.bool, device=x.device).tril()
        for block in self.blocks:
            x = block(x, mask)
        return torch.einsum("nqd,qds->nqs", self.norm(x), self.heads.to(x.dtype))

    def cache(self, rows: int) -> Tensor:
        """An empty cache for one step's keys and values: (layers, 2, N, H, Q, K)."""
        width, heads = self.place.shape[1], self._block(0).heads
        shape = (len(self.blocks), 2, rows, heads, self.codebooks, width // heads)
        return self.place.new_empty(shape)

    def step(self, q: int, condition: Tensor, embedded: Tensor | None, cache: Tensor) -> Tensor:
        """Logits (N, S) of codebook q; `embedded` (N, D) is code q - 1's."""
        x = condition + self.place[q]
        if embedded is not None:
            x = x + embedded
        for layer, (keys, values) in enumerate(cache):
            x = self._block(layer).step(x, q, keys, values)
        logits: Tensor = self.norm(x) @ self.heads[q]
        return logits

    def _block(self, layer: int) -> DepthBlock:
        return cast(DepthBlock, self.blocks[layer])
