"""Runs the layers of a model of the Llama family over a flat batch of tokens of any rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.models.llama.attention import AttentionPlan, KeyValueCache
from workers.models.llama.config import LlamaConfig
from workers.models.llama.grids import Grid
from workers.models.llama.linear import KernelChoice, Linear, time_kernels
from workers.models.llama.making import WeightMaker
from workers.models.llama.rotary import angles, rotate
from workers.models.llama.smoothing import InputRecorder, Smoothing
from workers.models.llama.tensors import Tensors, layer_name

TIMED: Final = 16  # how many of the layers' matrices are timed


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

    @property
    def linears(self) -> tuple[Linear, Linear, Linear, Linear]:
        return self.qkv, self.output, self.gate_up, self.down


class Decoder:
    """A model's weights, in the forms that the kernels use. Holds no conversation's state."""

    def __init__(
        self,
        config: LlamaConfig,
        tensors: Tensors,
        grid: Grid,
        positions: int,
        device: torch.device,
        smoothings: Sequence[Smoothing] = (),
    ) -> None:
        """`smoothings`: four for each layer's matrices, then the head's, from `watched`."""
        self.config = config
        self._device = device
        self._epsilon = torch.tensor(config.norm_epsilon, device=device)
        self._cosines, self._sines = (
            table.to(device)[:, None] for table in angles(config, positions)
        )
        self._inner, self._outer = KernelChoice(grid.layers), KernelChoice(grid.head)
        making = WeightMaker(tensors, grid, self._inner, device)
        self._embedding = tensors["model.embed_tokens.weight"].to(torch.bfloat16).to(device)
        self._layers = [
            _layer(config, making, number, smoothings[4 * number : 4 * number + 4])
            for number in range(config.layers)
        ]
        last = smoothings[-1] if smoothings else None
        self._norm = making.norm("model.norm.weight", last)
        self._head = making.head(self._outer, last)

    @property
    def _linears(self) -> list[Linear]:
        return [*(one for layer in self._layers for one in layer.linears), self._head]

    def warm_up(self) -> None:
        """Time the kernels and keep the weights only in the fastest forms. Call it once."""
        # The timed matrices together exceed a processor's second-level cache.
        time_kernels(self._linears[:TIMED], self._inner, self._device)
        time_kernels([self._head], self._outer, self._device)
        for one in self._linears:
            one.settle()

    def watched(self) -> list[Smoothing]:
        """The divisors of the matrices' inputs, as found on the grid RECORDING by earlier calls."""
        kernels = [one.kernel(0) for one in self._linears]
        return [one.smoothing for one in kernels if isinstance(one, InputRecorder)]

    def __call__(
        self, tokens: Tensor, plan: AttentionPlan, cache: KeyValueCache, *, every: bool = False
    ) -> Tensor:
        """Run tokens (N,) int64, laid out as planned, and add them to the cache.

        Returns logits (rows, vocab) float32 after each row's last token, or with `every` after each
        token, (N, vocab).
        """
        x = F.embedding(tokens, self._embedding).float()
        turned = self._cosines[plan.positions], self._sines[plan.positions]
        for number, layer in enumerate(self._layers):
            x = self._through(layer, number, x, turned, plan, cache)
        if not every:
            x = x[[span.flat + span.count - 1 for span in plan.spans]]
        return self._head(self._normed(x, self._norm))

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


def _layer(
    config: LlamaConfig, making: WeightMaker, number: int, smoothings: Sequence[Smoothing]
) -> _Layer:
    qkv, output, gate_up, down = smoothings or (None,) * 4

    def name(part: str) -> str:
        return layer_name(number, part)

    return _Layer(
        making.norm(name("input_layernorm"), qkv),
        making.norm(name("post_attention_layernorm"), gate_up),
        making.head_norms(name("self_attn.q_norm"), name("self_attn.k_norm"), config),
        number not in config.unrotated,
        making.joined([name(f"self_attn.{one}_proj") for one in "qkv"], qkv),
        making.divided(name("self_attn.o_proj"), output),
        making.joined([name("mlp.gate_proj"), name("mlp.up_proj")], gate_up),
        making.divided(name("mlp.down_proj"), down),
    )
