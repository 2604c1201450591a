"""Low-rank changes start as nothing, and merging keeps their effect."""

import torch
from torch import nn

from tests.tolerances import FLOAT32_ROUNDING
from workers.training.tuning import lowrank


def test_products_change_nothing_until_trained_and_merging_keeps_the_output() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 4))
    names = set(net.state_dict())
    x = torch.randn(5, 8)
    before = net(x)
    lowrank.add(net, 3)
    assert torch.allclose(net(x), before)
    trained = [p for p in net.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trained) == 3 * (8 + 12) + 3 * (12 + 4)
    optimiser = torch.optim.SGD(trained, 0.1)
    for _ in range(5):
        optimiser.zero_grad()
        torch.autograd.backward(net(x).square().mean())
        optimiser.step()
    tuned = net(x)
    assert tuned.square().mean() < before.square().mean()
    lowrank.merge(net)
    assert torch.allclose(net(x), tuned, atol=FLOAT32_ROUNDING)
    assert set(net.state_dict()) == names
