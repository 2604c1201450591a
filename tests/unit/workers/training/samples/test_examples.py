"""Recorded conversations become questions and replies for training."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.workers.training.tuning.people import CODEC, LISTENER, conversation
from workers.models.speech_to_speech.vocabulary import EOS, Vocabulary
from workers.models.tokenizer.codec import SpeechCodec
from workers.models.tokenizer.listener import Listener
from workers.training.samples.examples import (
    COPIES,
    TOO_LONG,
    UNASKED,
    RecordedExchange,
    all_exchanges,
    examples,
    exchanges,
    make_reply,
)
from workers.training.samples.stereo import DataError, StereoRecording, TimedWord, read_folder


@pytest.fixture
def found(tmp_path: Path) -> list[RecordedExchange]:
    conversation(tmp_path, "a", [90.0, 300.0, 90.0])
    return list(exchanges(read_folder(tmp_path)[0], Counter()))


def test_each_reply_has_the_question_before_it(found: list[RecordedExchange]) -> None:
    texts = [[word.text for word in exchange.reply] for exchange in found]
    assert texts == [["yes"], ["zebra", "crossing"], ["yes"]]
    for exchange in found:
        assert exchange.end_s == pytest.approx(0.4 + 0.8, abs=0.1)
        assert len(exchange.question) / 24_000 == pytest.approx(exchange.end_s + 0.96, abs=0.01)
    assert len(found[1].sound) / 24_000 == pytest.approx(0.54 + 0.16, abs=0.01)


def test_a_reply_without_a_question_is_left_out(found: list[RecordedExchange]) -> None:
    silent = np.zeros(48_000, dtype=np.float32)
    recording = StereoRecording("x", silent, silent, (TimedWord("hello", 1.0, 1.5),))
    left_out: Counter[str] = Counter()
    assert list(exchanges(recording, left_out)) == []
    assert left_out == {UNASKED: 1}
    with pytest.raises(
        DataError, match=r"1 without speech of the caller.*are the channels swapped"
    ):
        all_exchanges([recording])


def test_a_reply_that_is_too_long_is_left_out_and_counted(
    found: list[RecordedExchange],
) -> None:
    words = tuple(TimedWord("on", 2.0 + s, 2.9 + s) for s in range(11))
    recording = StereoRecording("x", np.zeros(320_000, np.float32), found[0].question, words)
    left_out: Counter[str] = Counter()
    assert list(exchanges(recording, left_out)) == []
    assert left_out == {TOO_LONG: 1}


def test_copies_share_a_reply_and_differ_in_their_states(found: list[RecordedExchange]) -> None:
    torch.manual_seed(0)
    listener, codec = Listener(LISTENER).eval(), SpeechCodec(CODEC).eval()
    vocabulary = Vocabulary(["yes", "zebra", "crossing"])
    made = examples(found[1:2], listener, codec, vocabulary, seed=1)
    assert len(made) in (1, 1 + COPIES)
    assert len({id(example.reply) for example in made}) == 1
    reply = made[0].reply
    assert vocabulary.text(reply.tokens[:-1].tolist()) == "zebra crossing"
    assert reply.tokens[-1] == EOS
    assert reply.codes.shape == (len(reply.tokens) - 1, 2)
    assert made[0].end in (15, 16)  # 0.4 s before the question, 0.8 s of it; the VAD may lag
    assert not any(np.array_equal(made[0].states, other.states) for other in made[1:])


def test_more_words_than_steps_are_refused(found: list[RecordedExchange]) -> None:
    codec = SpeechCodec(CODEC).eval()
    with pytest.raises(DataError, match=r"a\.wav#1: Expected a word to take about 80 ms"):
        make_reply(found[1], codec, Vocabulary([]))
