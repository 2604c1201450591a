"""Spoken turns: pauses inside utterances."""

import random

import numpy as np
import pytest

from shared.audio import SAMPLE_RATE_HZ
from workers.training.samples import spoken_turns


def test_some_callers_pause_in_mid_question(monkeypatch: pytest.MonkeyPatch) -> None:
    said = np.ones(2 * SAMPLE_RATE_HZ, np.float32)
    rng = random.Random(1)
    lengths = [len(spoken_turns._with_thinking_pause(said, rng)) for _ in range(400)]
    paused = [(length - len(said)) / SAMPLE_RATE_HZ for length in lengths if length > len(said)]
    assert len(paused) / 400 == pytest.approx(spoken_turns.PAUSED, rel=0.4)
    assert spoken_turns.PAUSE_S[0] <= min(paused) < max(paused) <= spoken_turns.PAUSE_S[1] + 1e-3
    monkeypatch.setattr(spoken_turns, "PAUSED", 1.0)
    for _ in range(50):
        sound = np.flatnonzero(spoken_turns._with_thinking_pause(said, rng) == 0)
        assert 0 < sound[0] < sound[-1] < len(said) + len(sound) - 1
