"""Makes a decoder's matrices and norms from a model's tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.models.llama.config import LlamaConfig
from workers.models.llama.tensors import Tensors, layer_name


@dataclass(frozen=True, slots=True)
class WeightMaker:
    """Reads and joins the tensors of one model, as float32."""

    tensors: Tensors

    def norm(self, name: str) -> Tensor:
        """A norm's weight (D,)."""
        return self.tensors[name].float()

    def head_norm(self, layer: int, name: str) -> Tensor | None:
        """The weight (E,) of the norm of the heads of `name`, q or k; None without one."""
        found = self.tensors.get(layer_name(layer, f"self_attn.{name}_norm"))
        return None if found is None else found.float()

    def head_norms(self, layer: int, config: LlamaConfig) -> Tensor | None:
        """The weights (H + G, E) of the norms of q's heads, then of k's; None without norms."""
        q, k = self.head_norm(layer, "q"), self.head_norm(layer, "k")
        if q is None or k is None:
            return None
        return torch.cat((q.expand(config.heads, -1), k.expand(config.kv_heads, -1)))

    def joined(self, layer: int, *parts: str) -> tuple[Tensor, Tensor | None]:
        """The matrix (out, in) of parts with the same input, and their bias (out,) if any has."""
        weights = [self.tensors[layer_name(layer, part)].float() for part in parts]
        biases = [self.tensors.get(layer_name(layer, part, "bias")) for part in parts]
        return torch.cat(weights), _joined_bias(weights, biases)

    def head(self) -> Tensor:
        """The output head (V, D), which may share the embedding's weights."""
        own = self.tensors.get("lm_head.weight")
        return (self.tensors["model.embed_tokens.weight"] if own is None else own).float()


def _joined_bias(weights: Sequence[Tensor], biases: Sequence[Tensor | None]) -> Tensor | None:
    if all(bias is None for bias in biases):
        return None
    return torch.cat(
        [
            weight.new_zeros(len(weight)) if bias is None else bias.float()
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )
