"""How the comparison counts turn ends, delays and false ends."""

import numpy as np
import pytest

from shared.settings import Settings
from workers.audio.energy_vad import Vad
from workers.evaluation.vad_comparison import NOISES, NoisyCall, judge, turn_ends

SETTINGS = Settings.model_construct()


def frames(*runs: tuple[int, bool]) -> np.ndarray:
    """Runs of 20 ms frames, padded to whole chunks."""
    flat = np.concatenate([np.full(count, value) for count, value in runs])
    return np.pad(flat, (0, -len(flat) % 4)).reshape(-1, 4)


def test_a_turn_ends_after_silence_and_a_click_begins_none() -> None:
    found = frames((20, False), (30, True), (40, False), (2, True), (50, False))
    assert turn_ends(found, SETTINGS) == [pytest.approx(0.4 + 0.6 + 0.6, abs=0.08)]


def test_only_a_long_pause_within_speech_ends_the_turn() -> None:
    short = frames((30, True), (25, False), (30, True), (40, False))
    long = frames((30, True), (45, False), (30, True), (40, False))
    assert len(turn_ends(short, SETTINGS)) == 1
    assert len(turn_ends(long, SETTINGS)) == 2


class Scripted(Vad):
    """A VAD that returns prepared results."""

    def __init__(self, found: np.ndarray) -> None:
        super().__init__()
        self._rows = iter(found.tolist())

    def hear(self, pcm: object, threshold: float) -> tuple[bool, ...]:
        return tuple(next(self._rows))


def test_a_perfect_vad_scores_best_and_a_bad_one_worse() -> None:
    truth = frames((20, False), (40, True), (60, False), (60, True), (300, False))
    call = NoisyCall(
        np.zeros(truth.size * 480, dtype=np.int16), truth.reshape(-1), ((0.4, 1.2), (2.4, 3.6))
    )
    best = judge(Scripted(truth), call, SETTINGS, "none", 30)
    assert (best.f1, best.missed_ends, best.false_ends, best.false_turns_min) == (1, 0, 0, 0)
    assert best.end_delay_ms in range(600, 681)
    runs = (20, 40, 60, 10, 40, 10, 140, 20, 140)  # silence and speech, alternating
    broken = frames(*((count, i % 2 == 1) for i, count in enumerate(runs)))
    worse = judge(Scripted(broken), call, SETTINGS, "none", 30)
    assert worse.f1 < 0.9
    assert worse.false_ends == 0.5
    assert worse.false_turns_min > 0
    deaf = judge(Scripted(np.zeros_like(truth)), call, SETTINGS, "none", 30)
    assert (deaf.f1, deaf.missed_ends) == (0, 1)


@pytest.mark.parametrize("name", ["white", "pink", "hum", "keys"])
def test_noises_depend_on_their_seed_and_are_audible(name: str) -> None:
    one, again, other = (NOISES[name](24_000, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.isfinite(one).all()
    assert one.std() > 0
