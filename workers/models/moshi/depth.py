"""Runs Moshi's depth transformer: it gives the eight codes of a step, one after the other.

It keeps nothing between steps. Each of its eight steps has weights of its own. PersonaPlex has
sixteen steps, of which the last eight would predict the caller's codes: eight suffice.
Letters: N rows, E width, H heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.moshi.config import CODES, LmConfig
from workers.models.moshi.linear import Linear
from workers.models.moshi.sampling import Choice
from workers.models.moshi.temporal import Gate, Projections, RmsNorm


class DepthLayer(nn.Module):
    """One pre-norm layer, with projections and gates for each step."""

    def __init__(self, config: LmConfig) -> None:
        super().__init__()
        width = config.depth_dim
        self.heads = config.depth_heads
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)
        self.self_attn = Projections(width, CODES)
        self.gating = nn.ModuleList(Gate(width, config.depth_hidden) for _ in range(CODES))

    def forward(self, x: Tensor, step: int, keys: Tensor, values: Tensor) -> Tensor:
        """(N, E) -> (N, E). `keys` and `values` (N, H, 8, K) hold the steps before this one."""
        N, E = x.shape
        mixed = self.self_attn.in_projs[step](self.norm1(x)).view(N, 3, self.heads, -1)
        keys[:, :, step], values[:, :, step] = mixed[:, 1], mixed[:, 2]
        seen = F.scaled_dot_product_attention(
            mixed[:, 0, :, None], keys[:, :, : step + 1], values[:, :, : step + 1]
        )
        x = x + self.self_attn.out_projs[step](seen.reshape(N, E))
        y: Tensor = x + self.gating[step](self.norm2(x))
        return y


class DepthLayers(nn.Module):
    """The stack, under the name that the files give it."""

    def __init__(self, config: LmConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DepthLayer(config) for _ in range(config.depth_layers))


class Depth(nn.Module):
    """A state and a text token in, eight codes out."""

    def __init__(self, config: LmConfig) -> None:
        super().__init__()
        self.config = config
        width = config.depth_dim
        self.depformer = DepthLayers(config)
        self.depformer_text_emb = nn.Embedding(config.texts + 1, width)
        self.depformer_emb = nn.ModuleList(
            nn.Embedding(config.card + 1, width) for _ in range(CODES - 1)
        )
        self.depformer_in = nn.ModuleList(Linear(config.dim, width) for _ in range(CODES))
        self.linears = nn.ModuleList(Linear(width, config.card) for _ in range(CODES))

    def codes(self, states: Tensor, text: Tensor, choose: Choice) -> Tensor:
        """States (N, D) and text tokens (N,) -> codes (N, 8)."""
        config, N = self.config, len(states)
        head = config.depth_dim // config.depth_heads
        keys = states.new_empty(config.depth_layers, N, config.depth_heads, CODES, head)
        values = torch.empty_like(keys)
        chosen: list[Tensor] = []
        before = self.depformer_text_emb(text)
        for step in range(CODES):
            if step:
                before = self.depformer_emb[step - 1](chosen[-1])
            x = self.depformer_in[step](states) + before
            for number, layer in enumerate(self.depformer.layers):
                x = layer(x, step, keys[number], values[number])
            chosen.append(choose(self.linears[step](x).float(), step + 1))
        return torch.stack(chosen, dim=-1)
