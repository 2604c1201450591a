"""A model of the Llama family for training: whole batches at once, low-rank pairs or all weights.

The linear layers are computed in bfloat16; the stream between them, the norms and the loss in
float32. Frozen weights are kept in bfloat16. Embedding, norms and head are never trained.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.models.llama.config import LlamaConfig
from workers.models.llama.rotary import angles, rotate
from workers.models.llama.tensors import LINEAR, Tensors, layer_name
from workers.training.talk_tuning.packing import Batch, Block
from workers.training.talk_tuning.targets import losses_of

COMPUTED = torch.bfloat16


class TunedLinear(nn.Module):
    """A linear layer: frozen with a low-rank pair (rank > 0), or trained itself (rank 0)."""

    def __init__(self, weight: Tensor, bias: Tensor | None, rank: int, scale: float) -> None:
        super().__init__()
        outward, inward = weight.shape
        self.rank, self.scale = rank, scale
        self.weight: Tensor
        self.bias = None if bias is None else bias.to(COMPUTED)
        if not rank:
            self.weight = nn.Parameter(weight.float())
            return
        self.register_buffer("weight", weight.to(COMPUTED), persistent=False)
        self.a = nn.Parameter(torch.randn(rank, inward) / math.sqrt(inward))
        self.b = nn.Parameter(torch.zeros(outward, rank))

    def forward(self, x: Tensor) -> Tensor:
        """(T, in) bfloat16 -> (T, out) bfloat16."""
        frozen = F.linear(x, self.weight.to(COMPUTED), self.bias)
        if not self.rank:
            return frozen
        inner = F.linear(x, self.a.to(COMPUTED))
        return torch.addmm(frozen, inner, (self.scale * self.b).to(COMPUTED).t())


@dataclass(frozen=True, slots=True)
class Layout:
    """What all layers share in one batch."""

    cosines: Tensor  # (T, 1, E) bfloat16
    sines: Tensor
    system: int
    blocks: tuple[Block, ...]  # the system prompt is the first
    masks: tuple[Tensor, ...]  # 0 where a block's tokens see the prompt or each other, else -inf


class Layer(nn.Module):
    """Attention and feed-forward of one layer."""

    def __init__(
        self, config: LlamaConfig, tensors: Tensors, number: int, rank: int, scale: float
    ) -> None:
        super().__init__()
        self.config = config
        self.rotates = number not in config.unrotated

        def linear(part: str) -> TunedLinear:
            bias = tensors.get(layer_name(number, part, "bias"))
            return TunedLinear(tensors[layer_name(number, part)], bias, rank, scale)

        def norm(part: str) -> Tensor | None:
            found = tensors.get(layer_name(number, part))
            return None if found is None else found.float()

        self.linear = nn.ModuleDict({part.split(".")[1]: linear(part) for part in LINEAR})
        self.before, self.between = norm("input_layernorm"), norm("post_attention_layernorm")
        self.q_norm, self.k_norm = norm("self_attn.q_norm"), norm("self_attn.k_norm")

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """x (T, D) float32 -> the same after this layer."""
        linear = self.linear
        h = self._normed(x, self.before)
        q = self._headed(linear["q_proj"](h), self.q_norm, layout)
        k = self._headed(linear["k_proj"](h), self.k_norm, layout)
        v = linear["v_proj"](h).view(k.shape)
        x = x + linear["o_proj"](self._heard(q, k, v, layout))
        h = self._normed(x, self.between)
        out: Tensor = linear["down_proj"](F.silu(linear["gate_proj"](h)) * linear["up_proj"](h))
        return x + out

    def _normed(self, x: Tensor, weight: Tensor | None) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], weight, self.config.norm_epsilon).to(COMPUTED)

    def _headed(self, x: Tensor, norm: Tensor | None, layout: Layout) -> Tensor:
        """Heads (T, H, E): their norm where the family has one, and their rotation."""
        x = x.view(len(x), -1, self.config.head_size)
        if norm is not None:
            epsilon = self.config.norm_epsilon
            x = F.rms_norm(x.float(), x.shape[-1:], norm, epsilon).to(COMPUTED)
        return rotate(x, layout.cosines, layout.sines) if self.rotates else x

    def _heard(self, q: Tensor, k: Tensor, v: Tensor, layout: Layout) -> Tensor:
        """Attention of the system prompt in itself, of each block in the prompt and itself."""
        first = slice(layout.system)
        parts = []
        for block, mask in zip(layout.blocks, layout.masks, strict=True):
            own = [
                part[block.span].view(block.rows, block.size, *part.shape[1:]) for part in (q, k, v)
            ]
            if block.start:
                shared = [part[None, first].expand(block.rows, -1, -1, -1) for part in (k, v)]
                own[1:] = [torch.cat(pair, dim=1) for pair in zip(shared, own[1:], strict=True)]
            parts.append(_attend(own[0], own[1], own[2], mask))
        return torch.cat(parts)


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """q (R, L, H, E), k and v (R, S, G, E), mask (L, S) of 0 and -inf -> (R * L, H * E).

    By plain products: the backward pass of torch's fused attention takes six times as long here.
    """
    rows, size, heads, width = q.shape
    groups = k.shape[2]
    q = q.view(rows, size, groups, -1, width).permute(0, 2, 3, 1, 4)
    q = q.reshape(rows * groups, -1, width)
    k = k.permute(0, 2, 3, 1).flatten(0, 1)  # (R * G, E, S)
    v = v.transpose(1, 2).flatten(0, 1)  # (R * G, S, E)
    scores = torch.baddbmm(mask.repeat(heads // groups, 1), q, k, alpha=width**-0.5)
    heard = scores.softmax(-1) @ v
    heard = heard.view(rows, groups, -1, size, width).permute(0, 3, 1, 2, 4)
    return heard.reshape(rows * size, -1)


class Network(nn.Module):
    """The whole model."""

    def __init__(self, config: LlamaConfig, tensors: Tensors, rank: int, scale: float) -> None:
        super().__init__()
        self.config, self.rank = config, rank
        self.embedding = tensors["model.embed_tokens.weight"].to(COMPUTED)
        self.head = tensors.get("lm_head.weight", self.embedding).to(COMPUTED)
        self.norm = tensors["model.norm.weight"].float()
        self.layers = nn.ModuleList(
            Layer(config, tensors, number, rank, scale) for number in range(config.layers)
        )
        self._angles = [table.to(COMPUTED) for table in angles(config, config.context)]

    def forward(self, batch: Batch) -> Tensor:
        """States (N, D) bfloat16 after the batch's N sources, ready for the head."""
        x = F.embedding(batch.tokens, self.embedding).float()
        cosines, sines = (table[batch.positions][:, None] for table in self._angles)
        blocks = (Block(0, 1, batch.system), *batch.blocks)
        masks = tuple(_mask(batch.system if one.start else 0, one.size) for one in blocks)
        layout = Layout(cosines, sines, batch.system, blocks, masks)
        for layer in self.layers:
            x = layer(x, layout)
        x = x[batch.sources]
        return F.rms_norm(x, x.shape[-1:], self.norm, self.config.norm_epsilon).to(COMPUTED)

    def losses(self, batch: Batch) -> Tensor:
        """Cross entropy (N,) float32 of each target."""
        return losses_of(self(batch), self.head, batch.targets)

    def named_linear(self) -> Iterator[tuple[str, TunedLinear]]:
        """Every tuned layer by the name of its weight in the model's tensors."""
        for number, layer in enumerate(self.layers):
            for part in LINEAR:
                one = layer.get_submodule("linear." + part.split(".")[1])
                if isinstance(one, TunedLinear):
                    yield layer_name(number, part), one


def _mask(before: int, size: int) -> Tensor:
    """Every token sees all `before` and its own row's earlier ones: (size, before + size)."""
    seen = torch.ones(size, before + size).tril(before).bool()
    return torch.zeros(seen.shape, dtype=COMPUTED).masked_fill(~seen, float("-inf"))
