"""Draws follow the model's probabilities, and depend on seed and step alone."""

import numpy as np
import torch
from torch.nn import functional as F

from workers.models.moshi.config import Sampling
from workers.models.moshi.sampling import PARTS, draws, greedy, sampler, waits


def test_draws_follow_the_probabilities_among_the_likeliest() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    numbers = torch.from_numpy(np.stack([draws(seed, 0) for seed in range(4_000)]))
    chosen = sampler(Sampling(text_temperature=0.7, text_top=3), numbers)(
        logits.expand(4_000, 4), 0
    )
    expected = F.softmax(logits[:3] / 0.7, dim=-1)
    share = torch.bincount(chosen, minlength=4) / 4_000
    assert share[3] == 0
    assert (share[:3] - expected).abs().max() < 0.02


def test_the_tokens_of_a_step_race_independently() -> None:
    """Each token's time is exponential, and no two tokens or draws share theirs."""
    numbers = torch.from_numpy(np.stack([draws(seed, 0) for seed in range(1_000)]))
    tokens = torch.arange(2_000).expand(1_000, 2_000)
    found = waits(numbers[:, 1, None], tokens)
    assert found.min() > 0
    levels = torch.quantile(found[:, :1_000].flatten(), torch.tensor([0.1, 0.5, 0.9]))
    assert (levels - torch.tensor([0.1054, 0.6931, 2.3026])).abs().max() < 0.01
    for pairs in (found.T[:200], found[:200]):
        correlation = torch.corrcoef(pairs) - torch.eye(200)
        assert correlation.abs().max() < 0.2


def test_rounding_seldom_changes_a_draw() -> None:
    """Every second token is as likely as its neighbour, so rounding decides their order."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4_000, 64, generator=generator)
    logits[:, 1::2] = logits[:, ::2]
    numbers = torch.from_numpy(np.stack([draws(seed, 0) for seed in range(4_000)]))
    choose = sampler(Sampling(), numbers)
    noise = 1e-6 * torch.randn(4_000, 64, generator=generator)
    assert torch.equal(choose(logits, 3), choose(logits + noise, 3))


def test_a_draw_depends_on_seed_and_step_alone() -> None:
    numbers = np.stack([draws(seed, step) for seed in range(50) for step in range(50)])
    assert len(np.unique(numbers, axis=0)) == 2_500
    assert numbers.shape[1] == PARTS
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.array_equal(draws(7, 3), draws(7, 3))


def test_temperature_zero_is_greedy() -> None:
    logits = torch.randn(5, 9, generator=torch.Generator().manual_seed(1))
    numbers = torch.rand(5, PARTS)
    assert torch.equal(sampler(Sampling(0, 1, 0, 1), numbers)(logits, 2), greedy(logits, 2))
