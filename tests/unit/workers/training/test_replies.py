"""Text tokens stand where their words begin, in order, one a step."""

import numpy as np
import pytest

from workers.models.vocabulary import EOS, PAD, Vocabulary
from workers.training.assistant import Utterance
from workers.training.replies import make_reply, spread


def test_words_stand_where_they_begin() -> None:
    tokens = spread([0.0, 0.30, 0.62], [[7], [8], [9]], 10)
    assert tokens.tolist() == [7, PAD, PAD, 8, PAD, PAD, PAD, 9, PAD, PAD, EOS]


def test_words_of_one_step_follow_each_other() -> None:
    assert spread([0.0, 0.01, 0.02], [[7], [8], [9]], 4).tolist() == [7, 8, 9, PAD, EOS]


def test_late_words_still_fit() -> None:
    assert spread([0.30, 0.31], [[7], [8, 9]], 4).tolist() == [PAD, 7, 8, 9, EOS]


def test_words_that_cannot_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="fit into 1 steps"):
        spread([0.0, 0.1], [[7], [8]], 1)


def test_a_reply_has_one_token_more_than_steps_of_sound() -> None:
    samples = np.zeros(24_000, dtype=np.int16)
    said = Utterance("Yes, sir.", samples, [("Yes", 0.0, 0.5), ("sir", 0.5, 1.0)])
    vocabulary = Vocabulary(["sir", "yes"])
    reply = make_reply(said, lambda pcm: np.zeros((len(pcm) // 1920, 8), np.int64), vocabulary)
    assert len(reply.codes) == 12
    assert len(reply.tokens) == 13
    assert vocabulary.text(reply.tokens.tolist()) == "yes sir"


def test_an_unknown_word_is_spelled() -> None:
    vocabulary = Vocabulary(["yes"])
    assert vocabulary.text([*vocabulary.encode("yes"), *vocabulary.encode("no")]) == "yes no"
