"""Rotary positions: turns pairs of a head's numbers by an angle that grows with the position."""

import torch
from torch import Tensor

from workers.models.llama.config import LlamaConfig


def angles(config: LlamaConfig, positions: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (positions, E) float32 for `rotate`, with half the sines negated."""
    size = config.head_size
    frequencies = config.rope_theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    if config.rope_factors:
        frequencies = frequencies / torch.tensor(config.rope_factors, dtype=torch.float64)
    turned = torch.outer(torch.arange(positions, dtype=torch.float64), frequencies)
    cosines, sines = turned.cos().float(), turned.sin().float()
    return cosines.repeat(1, 2), torch.cat((-sines, sines), dim=1)


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn heads x (..., E) by angles that broadcast to it; pairs lie half a head apart."""
    return torch.addcmul(x * cosines, x.roll(x.shape[-1] // 2, -1), sines)
