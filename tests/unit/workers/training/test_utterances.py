"""Batches: each row in its own silence, one length, engines mixed, short ones first."""

import random

import numpy as np
import pytest

from workers.training import utterances
from workers.training.augment import SILENCE
from workers.training.callers import Heard
from workers.training.words import characters


def heard(frames: int, voice: str = "flite:x", text: str = "a cat") -> Heard:
    return Heard(text, voice, np.zeros((frames, 80), np.float16))


def test_a_batch_holds_each_row_in_its_own_silence() -> None:
    batch = utterances.collate([heard(10), heard(6)], [2, 0], [3, 1])
    assert batch.mels.shape == (2, 15, 80)
    assert batch.lengths.tolist() == [15, 7]
    assert (batch.mels[0, :2] == SILENCE).all()
    assert (batch.mels[1, 6:] == SILENCE).all()
    assert (batch.mels[0, 2:12] == 0).all()
    assert batch.character_counts.tolist() == [5, 5]
    assert batch.characters.tolist() == 2 * characters("a cat")


def test_a_pool_gives_utterances_of_about_the_length_and_none_longer() -> None:
    pool = utterances.Pool([heard(frames) for frames in range(20, 420)])
    near = pool.near(200, 5, random.Random(0))
    assert len(near) == 5
    assert all(150 < len(h.mels) <= 200 for h in near)


def test_the_engines_are_mixed_in_every_batch_and_short_ones_come_first() -> None:
    both = [heard(f, v) for f in range(60, 600) for v in ("flite:a", "espeak:b")]
    corpus = utterances.Corpus(both, seed=0)
    early = [corpus.draw(0.0).lengths.max() for _ in range(10)]
    late = [corpus.draw(1.0).lengths.max() for _ in range(10)]
    assert max(early) < utterances.SHORTEST_LIMIT + 130
    assert max(late) > max(early)


def test_one_engine_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="both engines"):
        utterances.Corpus([heard(50)], seed=0)
