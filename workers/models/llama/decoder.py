"""The layers of a model of the Llama family over a flat batch of tokens of any rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.models.llama.attention import Cache, Span
from workers.models.llama.config import LlamaConfig
from workers.models.llama.grids import Grid
from workers.models.llama.linear import Choice, Linear, time_kernels
from workers.models.llama.making import Making
from workers.models.llama.rotary import angles, rotate
from workers.models.llama.smoothing import Smoothing, Watching
from workers.models.llama.tensors import Tensors, layer_name

TIMED: Final = 16  # layers' matrices whose forms are timed


@dataclass(frozen=True, slots=True)
class _Layer:
    before: Tensor  # norms' weights (D,)
    between: Tensor
    q_norm: Tensor | None  # (E,)
    k_norm: Tensor | None
    rotates: bool
    qkv: Linear
    output: Linear
    gate_up: Linear
    down: Linear

    @property
    def linears(self) -> tuple[Linear, Linear, Linear, Linear]:
        return self.qkv, self.output, self.gate_up, self.down


class Decoder:
    """All weights in their forms; holds no conversation's state."""

    def __init__(
        self,
        config: LlamaConfig,
        tensors: Tensors,
        grid: Grid,
        positions: int,
        device: torch.device,
        smoothings: Sequence[Smoothing] = (),
    ) -> None:
        """`smoothings`: of each layer's four matrices and of the head, as `watched` gives them."""
        self.config = config
        self._device = device
        self._cosines, self._sines = (
            table.to(device)[:, None] for table in angles(config, positions)
        )
        self._inner, self._outer = Choice(grid.layers), Choice(grid.head)
        making = Making(tensors, grid, self._inner, device)
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
        """Time the forms of the weights, keep the fastest. To be called once."""
        # Enough of them that their weights do not fit into a processor's second cache.
        time_kernels(self._linears[:TIMED], self._inner, self._device)
        time_kernels([self._head], self._outer, self._device)
        for one in self._linears:
            one.settle()

    def watched(self) -> list[Smoothing]:
        """What the matrices' inputs are to be divided by; on the grid WATCHED, after some calls."""
        kernels = [one.kernel(0) for one in self._linears]
        return [one.smoothing for one in kernels if isinstance(one, Watching)]

    def __call__(
        self,
        tokens: Tensor,
        positions: Tensor,
        spans: Sequence[Span],
        cache: Cache,
        *,
        every: bool = False,
    ) -> Tensor:
        """Tokens and positions (N,) int64, laid out as spans -> logits (len(spans), vocab) float32
        behind each span's last token, or behind every token; the cache holds the tokens then."""
        x = F.embedding(tokens, self._embedding).float()
        turned = self._cosines[positions], self._sines[positions]
        for number, layer in enumerate(self._layers):
            x = self._through(layer, number, x, turned, spans, cache)
        if not every:
            x = x[[span.flat + span.count - 1 for span in spans]]
        return self._head(self._normed(x, self._norm))

    def _through(
        self,
        layer: _Layer,
        number: int,
        x: Tensor,
        turned: tuple[Tensor, Tensor],
        spans: Sequence[Span],
        cache: Cache,
    ) -> Tensor:
        config = self.config
        h = layer.qkv(self._normed(x, layer.before))
        heads = h.view(len(h), -1, config.head_size)  # (N, H + 2 G, E)
        q, k, v = torch.split(heads, [config.heads, config.kv_heads, config.kv_heads], dim=1)
        if layer.q_norm is not None and layer.k_norm is not None:
            q, k = self._normed(q, layer.q_norm), self._normed(k, layer.k_norm)
        if layer.rotates:
            q, k = rotate(q, *turned), rotate(k, *turned)
        x = x + layer.output(cache.attend(number, q, k, v, spans))
        gate, up = layer.gate_up(self._normed(x, layer.between)).chunk(2, dim=1)
        return x + layer.down(F.silu(gate) * up)

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], weight, self.config.norm_epsilon)


def _layer(
    config: LlamaConfig, making: Making, number: int, smoothings: Sequence[Smoothing]
) -> _Layer:
    qkv, output, gate_up, down = smoothings or (None,) * 4

    def name(part: str) -> str:
        return layer_name(number, part)

    return _Layer(
        making.norm(name("input_layernorm"), qkv),
        making.norm(name("post_attention_layernorm"), gate_up),
        making.optional_norm(name("self_attn.q_norm")),
        making.optional_norm(name("self_attn.k_norm")),
        number not in config.unrotated,
        making.joined([name(f"self_attn.{one}_proj") for one in "qkv"], qkv),
        making.divided(name("self_attn.o_proj"), output),
        making.joined([name("mlp.gate_proj"), name("mlp.up_proj")], gate_up),
        making.divided(name("mlp.down_proj"), down),
    )
