"""Rotary positions: pairs of a head's numbers turn by angles that grow with the position."""

import torch
from torch import Tensor

from workers.models.llama.config import LlamaConfig


def angles(config: LlamaConfig, positions: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (positions, E) float32; both halves of a head have the same angles."""
    size = config.head_size
    frequencies = config.rope_theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    if config.rope_factors:
        frequencies = frequencies / torch.tensor(config.rope_factors, dtype=torch.float64)
    turned = torch.outer(torch.arange(positions, dtype=torch.float64), frequencies).repeat(1, 2)
    return turned.cos().float(), turned.sin().float()


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn heads x (..., E) by angles that broadcast to it; pairs lie half a head apart."""
    low, high = x.chunk(2, dim=-1)
    return x * cosines + torch.cat((-high, low), dim=-1) * sines
