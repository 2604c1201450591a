"""Batches of utterances: lengths, targets, and splitting by padded size."""

import numpy as np

from workers.training.questions.listener_texts import characters
from workers.training.speech import utterances
from workers.training.speech.augment import SILENCE
from workers.training.speech.callers import CallerUtterance


def said(frames: int, text: str = "a cat") -> CallerUtterance:
    return CallerUtterance(text, "flite:x", np.zeros((frames, 80), np.float16))


def test_each_row_has_its_own_silence_around() -> None:
    batch = utterances.collate([said(10), said(6)], [2, 0], [3, 1])
    assert batch.mels.shape == (2, 15, 80)
    assert batch.lengths.tolist() == [15, 7]
    assert (batch.mels[0, :2] == SILENCE).all()
    assert (batch.mels[1, 6:] == SILENCE).all()
    assert (batch.mels[0, 2:12] == 0).all()
    assert batch.character_counts.tolist() == [5, 5]
    assert batch.characters.tolist() == 2 * characters("a cat")


def test_splitting_keeps_all_utterances_and_the_largest_size() -> None:
    rng = np.random.default_rng(0)
    given = [said(int(frames)) for frames in rng.integers(40, 700, size=90)]
    parts = list(utterances.split_by_length(given, 5000))
    assert sorted(id(h) for part in parts for h in part) == sorted(id(h) for h in given)
    assert all(len(part) * max(len(h.mels) for h in part) <= 5000 for part in parts)


def test_an_utterance_longer_than_a_batch_is_a_batch_of_its_own() -> None:
    assert [len(part) for part in utterances.split_by_length([said(900), said(100)], 500)] == [
        1,
        1,
    ]
