"""Runs the layers of a model of the Llama family over a flat batch of tokens of any rows."""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.models.llama.attention import AttentionPlan, KeyValueCache
from workers.models.llama.config import LlamaConfig
from workers.models.llama.linear import Linear
from workers.models.llama.making import WeightMaker
from workers.models.llama.rotary import angles, rotate
from workers.models.llama.tensors import Tensors, layer_name


class Decoder(Protocol):
    """A model's weights in some form. Holds no conversation's state."""

    def __call__(
        self, tokens: Tensor, plan: AttentionPlan, cache: KeyValueCache, wanted: Tensor
    ) -> Tensor:
        """Run tokens (N,) int64, laid out as planned, and add them to the cache.

        Returns logits (W, vocab) float32 after the tokens at `wanted` (W,) int64.
        """


@dataclass(frozen=True, slots=True)
class _Layer:
    before: Tensor  # norms' weights (D,)
    between: Tensor
    head_norms: Tensor | None  # (H + G, E): of q's heads, then of k's
    rotates: bool
    qkv: Linear
    output: Linear
    gate_up: Linear
    down: Linear


class TorchDecoder:
    """A `Decoder` with weights in float32 or bfloat16, on a CPU or a GPU."""

    def __init__(
        self,
        config: LlamaConfig,
        tensors: Tensors,
        kind: torch.dtype,
        positions: int,
        device: torch.device,
    ) -> None:
        self.config = config
        self._epsilon = torch.tensor(config.norm_epsilon, device=device)
        self._cosines, self._sines = (
            table.to(device)[:, None] for table in angles(config, positions)
        )
        making = WeightMaker({name: value.to(device) for name, value in tensors.items()})
        self._embedding = making.tensors["model.embed_tokens.weight"].to(torch.bfloat16)
        self._layers = [_layer(config, making, number, kind) for number in range(config.layers)]
        self._norm = making.norm("model.norm.weight")
        self._head = Linear(making.head(), None, kind)

    def __call__(
        self, tokens: Tensor, plan: AttentionPlan, cache: KeyValueCache, wanted: Tensor
    ) -> Tensor:
        """See `Decoder`."""
        x = F.embedding(tokens, self._embedding).float()
        turned = self._cosines[plan.positions], self._sines[plan.positions]
        for number, layer in enumerate(self._layers):
            x = self._through(layer, number, x, turned, plan, cache)
        return self._head(self._normed(x[wanted], self._norm))

    def _through(
        self,
        layer: _Layer,
        number: int,
        x: Tensor,
        turned: tuple[Tensor, Tensor],
        plan: AttentionPlan,
        cache: KeyValueCache,
    ) -> Tensor:
        config = self.config
        h = layer.qkv(self._normed(x, layer.before))
        heads = h.view(len(h), -1, config.head_size)  # (N, H + 2 G, E)
        asking, v = torch.split(heads, [config.heads + config.kv_heads, config.kv_heads], dim=1)
        if layer.head_norms is not None:
            asking = self._normed(asking, layer.head_norms)
        if layer.rotates:
            asking = rotate(asking, *turned)
        q, k = torch.split(asking, [config.heads, config.kv_heads], dim=1)
        x = x + layer.output(cache.attend(number, q, k, v, plan))
        gate, up = layer.gate_up(self._normed(x, layer.between)).chunk(2, dim=1)
        return x + layer.down(F.silu(gate).mul_(up))

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        """RMS norm over the last axis, with fewer calls than F.rms_norm."""
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        mean = torch.addcmul(self._epsilon, length, length, value=1 / x.shape[-1])
        return (x * mean.rsqrt_()).mul_(weight)


def _layer(config: LlamaConfig, making: WeightMaker, number: int, kind: torch.dtype) -> _Layer:
    def linear(*parts: str) -> Linear:
        return Linear(*making.joined(number, *parts), kind)

    return _Layer(
        making.norm(layer_name(number, "input_layernorm")),
        making.norm(layer_name(number, "post_attention_layernorm")),
        making.head_norms(number, config),
        number not in config.unrotated,
        linear(*(f"self_attn.{one}_proj" for one in "qkv")),
        linear("self_attn.o_proj"),
        linear("mlp.gate_proj", "mlp.up_proj"),
        linear("mlp.down_proj"),
    )
