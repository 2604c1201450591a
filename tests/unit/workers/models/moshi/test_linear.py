"""What eight-bit weights lose, and that it is what the module says."""

import pytest
import torch

from shared.modes import MoshiPrecision
from workers.models.moshi.linear import Linear


@pytest.mark.parametrize(
    ("precision", "most"),
    [(MoshiPrecision.INT8, 0.01), (MoshiPrecision.FP8, 0.03), (MoshiPrecision.FULL, 0.0)],
)
def test_eight_bits_lose_little(precision: MoshiPrecision, most: float) -> None:
    generator = torch.Generator().manual_seed(1)
    layer = Linear(256, 128)
    layer.weight.data = torch.randn(128, 256, generator=generator)
    x = torch.randn(16, 256, generator=generator)
    wanted = layer(x)
    layer.hold(precision)
    error = (layer(x) - wanted).pow(2).mean().sqrt() / wanted.pow(2).mean().sqrt()
    assert error <= most
    assert layer.weight.element_size() == (4 if precision is MoshiPrecision.FULL else 1)
