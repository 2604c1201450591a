"""Draws depend on their counters alone and have the right shares."""

import numpy as np
import pytest

from workers.models.llama.sampling import Draw, Sampling, choose

FREE = Sampling(temperature=1.0, top_p=1.0, repetition=0.0)


def logits(*shares: float) -> np.ndarray:
    found = np.full(1000, -50, np.float32)
    found[100 : 100 + len(shares)] = np.log(shares)
    return found


def drawn(sampling: Sampling, given: np.ndarray, count: int = 2000) -> np.ndarray:
    tokens = [choose(given, [], sampling, Draw(3, 1, number)) for number in range(count)]
    return np.bincount(tokens, minlength=1000)[100:104] / count


def test_a_draw_is_a_function_of_seed_turn_and_number() -> None:
    given = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    draws = [Draw(seed, turn, number) for seed in (1, 2) for turn in (1, 2) for number in range(9)]
    once = [choose(given, [], FREE, draw) for draw in draws]
    other = [choose(given, [], FREE, draw) for draw in reversed(draws)]
    assert once == other[::-1]
    assert len(set(once)) > 20


def test_tokens_come_as_often_as_their_shares_say() -> None:
    assert drawn(FREE, logits(0.5, 0.3, 0.15, 0.05)) == pytest.approx(
        [0.5, 0.3, 0.15, 0.05], abs=0.04
    )


def test_a_lower_temperature_sharpens_and_none_takes_the_likeliest() -> None:
    given = logits(0.4, 0.6)
    cooler = drawn(Sampling(temperature=0.5, top_p=1.0, repetition=0.0), given)
    assert cooler[:2] == pytest.approx([0.16 / 0.52, 0.36 / 0.52], abs=0.04)
    assert choose(given, [], Sampling(temperature=0.0), Draw(1, 1, 1)) == 101


def test_top_p_leaves_the_tail_out() -> None:
    found = drawn(
        Sampling(temperature=1.0, top_p=0.75, repetition=0.0), logits(0.5, 0.3, 0.15, 0.05)
    )
    assert found == pytest.approx([0.625, 0.375, 0, 0], abs=0.04)


def test_what_was_lately_said_is_less_likely() -> None:
    given = logits(0.5, 0.4)
    settings = Sampling(temperature=0.0, repetition=0.6, window=3)
    assert choose(given, [], settings, Draw(1, 1, 1)) == 100
    assert choose(given, [100], settings, Draw(1, 1, 1)) == 101
    assert choose(given, [100, 7, 8, 9], settings, Draw(1, 1, 1)) == 100
    assert given[100] == np.float32(np.log(0.5))
