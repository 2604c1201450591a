"""Questions and replies on the model's positions: each input is the previous target."""

import numpy as np

from workers.models.speech_to_speech.hybrid_s2s import S2SConfig
from workers.models.speech_to_speech.vocabulary import EOS, GO, PAD
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import (
    AFTER_REPLY,
    PAD_INSIDE,
    PAD_OUTSIDE,
    Sample,
    collate,
    disturbed,
    interrupted,
    joined,
    stream_sample,
    stumbled,
    turn_sample,
)

CONFIG = S2SConfig(heard_width=4, texts=40, codebooks=2, codes=9)
REPLY = TargetReply("a b", np.array([33, PAD, 34, EOS]), np.array([[1, 2], [3, 4], [5, 6]]))
STATES = np.arange(24, dtype=np.float32).reshape(6, 4)


def check_inputs_follow_targets(sample: Sample, first: int) -> None:
    """From `first` on, each input is the target of the previous position."""
    assert sample.text[first] == GO
    assert sample.codes[first].tolist() == [CONFIG.quiet] * 2
    for place in range(first + 1, len(sample.text)):
        assert sample.text[place] == sample.next_text[place - 1]
        if sample.speaks[place - 1]:
            assert sample.codes[place].tolist() == sample.next_codes[place - 1].tolist()
        else:
            assert sample.codes[place].tolist() == [CONFIG.quiet] * 2


def test_turn_mode_listens_first_and_then_speaks() -> None:
    sample = turn_sample(STATES, REPLY, CONFIG)
    check_inputs_follow_targets(sample, 6)
    assert sample.has_states.tolist() == [True] * 6 + [False] * 4
    assert sample.speaks.tolist() == [False] * 6 + [True] * 3 + [False]
    assert sample.next_text[6:].tolist() == [33, PAD, 34, EOS]
    assert sample.text_weight[:6].sum() == 0
    assert np.allclose(sample.text_weight[6:], [1, PAD_INSIDE, 1, 1])


def test_stream_mode_says_go_itself_and_listens_throughout() -> None:
    sample = stream_sample(STATES, 4, REPLY, CONFIG)
    check_inputs_follow_targets(sample, 5)
    assert sample.has_states.all()
    assert sample.next_text[4] == GO
    assert sample.text_weight[4] == 1
    assert np.allclose(sample.text_weight[:4], PAD_OUTSIDE)
    assert len(sample.text) == 5 + 4 + AFTER_REPLY
    assert np.allclose(sample.text_weight[-AFTER_REPLY:], PAD_OUTSIDE)
    assert set(map(tuple, sample.states)) == set(map(tuple, STATES))


def test_padding_has_no_weight() -> None:
    short, long = turn_sample(STATES[:3], REPLY, CONFIG), turn_sample(STATES, REPLY, CONFIG)
    batch = collate([short, long])
    assert batch.next_text.shape == (2, 10)
    assert batch.text_weight[0, 7:].sum() == 0
    assert not batch.speaks[0, 7:].any()


def test_disturbance_keeps_targets_and_go() -> None:
    sample = turn_sample(STATES, REPLY, CONFIG)
    rng = np.random.default_rng(0)
    for _ in range(50):
        changed = disturbed(sample, CONFIG, np.ones(4, np.float32), rng)
        assert changed.text[6] == GO
        assert np.array_equal(changed.next_text, sample.next_text)
        assert not changed.has_states[6:].any()


def test_stumbling_keeps_the_order() -> None:
    states = np.arange(400, dtype=np.float32)[:, None]
    changed = stumbled(states, np.random.default_rng(1))[:, 0]
    assert (np.diff(changed) >= 0).all()
    assert len(set(changed.tolist())) < 400


def test_two_turns_lie_one_after_the_other() -> None:
    first, second = turn_sample(STATES[:2], REPLY, CONFIG), turn_sample(STATES, REPLY, CONFIG)
    both = joined(first, second)
    assert len(both.text) == len(first.text) + len(second.text)
    assert np.array_equal(both.next_text[len(first.text) :], second.next_text)
    assert both.text[len(first.text)] == PAD


def test_an_interrupted_reply_has_no_end_and_keeps_its_beginning() -> None:
    long = TargetReply(
        "a b", np.array([33, PAD, 34, PAD, PAD, PAD, EOS]), np.ones((6, 2), np.int64)
    )
    sample = turn_sample(STATES, long, CONFIG)
    for seed in range(20):
        cut = interrupted(sample, np.random.default_rng(seed))
        assert 6 < len(cut.text) < len(sample.text)
        assert EOS not in cut.next_text
        assert np.array_equal(cut.text, sample.text[: len(cut.text)])


def test_an_empty_reply_ends_at_once() -> None:
    nothing = TargetReply("", np.array([EOS]), np.zeros((0, 2), np.int64))
    sample = turn_sample(STATES, nothing, CONFIG)
    assert sample.next_text[6:].tolist() == [EOS]
    assert sample.text_weight[6] == 1
    assert not sample.speaks.any()
