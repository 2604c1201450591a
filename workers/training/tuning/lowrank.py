"""LoRA (Hu et al. 2021): trains a low-rank product beside each weight, then adds it to the weight.

W x becomes (W + B A s) x, with trained A (rank, inputs) and B (outputs, rank), which starts as
zero. A merged model has its former shapes, so serving it needs no further code.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

SCALE: Final = 2.0  # alpha / rank


class LowRank(nn.Module):
    """Adds the product to one weight."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        rank = min(rank, outputs, inputs)
        self.a = nn.Parameter(torch.randn(rank, inputs) * inputs**-0.5)
        self.b = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """(outputs, inputs) -> the same shape."""
        return weight + SCALE * (self.b @ self.a)


def _linears(module: nn.Module) -> list[nn.Linear]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def add(module: nn.Module, rank: int) -> None:
    """Freeze the module, and give every linear layer in it a trainable product."""
    module.requires_grad_(False)
    for layer in _linears(module):
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank))


def merge(module: nn.Module) -> None:
    """Add the products to the weights, and remove the parametrisations."""
    for layer in _linears(module):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
