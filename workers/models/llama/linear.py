"""One layer's matrix product in torch."""

import torch
import torch.nn.functional as F
from torch import Tensor


class Linear:
    """x (N, in) float32 -> (N, out) float32, by a matrix (out, in) of either kind of float."""

    def __init__(self, weight: Tensor, bias: Tensor | None, kind: torch.dtype) -> None:
        """`kind` is float32, or bfloat16, which is fast on a GPU, AMX or AVX512-BF16."""
        self._weight = weight.to(kind).contiguous()
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        found = F.linear(x.to(self._weight.dtype), self._weight).float()
        return found if self._bias is None else found.add_(self._bias)
