"""Makes a decoder's matrices and norms from a model's tensors, for one grid and device."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.models.llama.config import LlamaConfig
from workers.models.llama.grids import Grid
from workers.models.llama.linear import KernelChoice, Linear
from workers.models.llama.smoothing import Smoothing
from workers.models.llama.tensors import Tensors


@dataclass(frozen=True, slots=True)
class WeightMaker:
    """Makes matrices and norms from the tensors of one model."""

    tensors: Tensors
    grid: Grid
    choice: KernelChoice  # of the layers' kernels
    device: torch.device

    def norm(self, name: str, smoothing: Smoothing | None) -> Tensor:
        """A norm's weight (D,), divided by the factors of the matrix after it."""
        weight = self._of(name)
        return weight if smoothing is None else weight / smoothing.factors

    def head_norms(self, q: str, k: str, config: LlamaConfig) -> Tensor | None:
        """The weights (H + G, E) of the norms of q's heads, then of k's; None without norms."""
        if q not in self.tensors or k not in self.tensors:
            return None
        asking = self._of(q).expand(config.heads, -1)
        return torch.cat((asking, self._of(k).expand(config.kv_heads, -1)))

    def joined(self, names: Sequence[str], smoothing: Smoothing | None) -> Linear:
        """Concatenate matrices of the same input. The norm before has divided this input."""
        weight = torch.cat([self._of(name) for name in names])
        return self._linear(weight, self._bias(names), smoothing, None)

    def divided(self, name: str, smoothing: Smoothing | None) -> Linear:
        """A matrix that divides its input itself, as no norm comes before it."""
        factors = None if smoothing is None else 1 / smoothing.factors
        return self._linear(self._of(name), self._bias([name]), smoothing, factors)

    def head(self, choice: KernelChoice, smoothing: Smoothing | None) -> Linear:
        """The output head, which may share the embedding's weights."""
        own = "lm_head.weight" in self.tensors
        weight = self._of("lm_head.weight" if own else "model.embed_tokens.weight")
        if smoothing is not None:
            weight = smoothing.weight(weight)
        return Linear(self.grid.head_rounded(weight), None, choice)

    def _linear(
        self,
        weight: Tensor,
        bias: Tensor | None,
        smoothing: Smoothing | None,
        factors: Tensor | None,
    ) -> Linear:
        if smoothing is not None:
            weight = smoothing.weight(weight)
        return Linear(self.grid.rounded(weight), bias, self.choice, factors)

    def _bias(self, names: Sequence[str]) -> Tensor | None:
        biases = [name.removesuffix("weight") + "bias" for name in names]
        if not any(bias in self.tensors for bias in biases):
            return None
        return torch.cat(
            [
                self._of(bias)
                if bias in self.tensors
                else torch.zeros(len(self.tensors[name]), device=self.device)
                for name, bias in zip(names, biases, strict=True)
            ]
        )

    def _of(self, name: str) -> Tensor:
        return self.tensors[name].to(self.device).float()
