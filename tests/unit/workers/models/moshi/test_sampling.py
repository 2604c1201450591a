"""Draws follow the model's probabilities, and depend on seed and step alone."""

import numpy as np
import torch
from torch.nn import functional as F

from workers.models.moshi.config import Sampling
from workers.models.moshi.sampling import PARTS, draws, greedy, sampler


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
