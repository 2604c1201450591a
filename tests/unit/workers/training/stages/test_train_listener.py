"""The parts of the listener's training whose errors a run would not show."""

import numpy as np
import pytest
import torch

from workers.models.tokenizer.listener import Listener, ListenerConfig
from workers.training.speech.callers import CallerUtterance
from workers.training.speech.utterances import collate
from workers.training.stages import train_listener

SMALL = ListenerConfig(channels=(8, 8, 12), width=16, layers=2, heads=2, window=5)


def test_training_on_one_utterance_learns_it() -> None:
    torch.manual_seed(0)
    listener = Listener(SMALL)
    mels = torch.randn(1, 80, 80) - 6
    batch = collate([CallerUtterance("a cat", "x", mels[0].numpy().astype(np.float16))], [0], [0])
    optimiser = torch.optim.Adam(listener.parameters(), 0.01)
    seen = []
    for _ in range(25):
        phone, character = train_listener.losses(listener(mels), batch, batch.lengths)
        optimiser.zero_grad()
        (phone + character).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        seen.append(float(character.detach()))
    assert seen[-1] < 0.6 * seen[0]


def test_the_learning_rate_warms_up_stays_and_ends_low() -> None:
    rates = [
        train_listener.learning_rate(10_000, fraction, 1.0) for fraction in (0.0, 0.69, 0.85, 1.0)
    ]
    assert rates[:2] == [1.0, 1.0]
    assert rates[2] == pytest.approx(0.51)
    assert rates[3] == pytest.approx(0.01)
    assert train_listener.learning_rate(1, 0.0, 1.0) < 0.01
