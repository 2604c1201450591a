"""Calls without sockets: each caller gets their own answer, whatever the others do."""

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec import structs

from shared.audio import SAMPLE_RATE_HZ, Pcm16
from shared.modes import ReplyMode
from tests.sounds import voice
from workers.engines.base import Output, Speak, Traits, Work
from workers.engines.echo import EchoEngine
from workers.evaluation.calls import OfflineCall, converse, run_calls


def said(chunks: int, pitch_hz: float) -> Pcm16:
    """A sound that the VAD takes for speech."""
    return np.concatenate(voice(chunks, pitch_hz))


class Gated(EchoEngine):
    """An echo that acts like a model: it replies only after a turn has ended."""

    traits = Traits()


def test_each_caller_gets_their_own_reply() -> None:
    questions = [said(8, 110.0), said(15, 150.0), said(11, 200.0)]
    answers = converse(Gated(2), questions)
    assert [answer.reason for answer in answers] == ["end"] * 3
    for question, answer in zip(questions, answers, strict=True):
        # The echo of a turn: pre-roll, question and the silence that ended it.
        assert len(question) < len(answer.pcm) < len(question) + 2 * SAMPLE_RATE_HZ


def test_silence_gets_no_reply() -> None:
    (answer,) = converse(Gated(1), [np.zeros(SAMPLE_RATE_HZ, dtype=np.int16)])
    assert answer.reason == "none"
    assert answer.pcm.size == 0


class Cued(EchoEngine):
    """A model in stream mode that says two words some steps after the first chunk."""

    traits = Traits()

    def step(self, batch: Sequence[Work]) -> list[Output]:
        return [self._cued(work) for work in batch]

    def _cued(self, work: Work) -> Output:
        assert work.speak is Speak.DUPLEX
        self._heard[work.slot].append(work.hear[-1])
        steps = len(self._heard[work.slot])
        if not 20 <= steps <= 22:
            return Output(work.slot, (b"",) * len(work.hear))
        text = {20: "oh", 21: " yes"}.get(steps, "")
        sound = np.full(1920, 100, dtype=np.int16)
        return Output(work.slot, (b"",), b"", sound, text, began=steps == 20, ended=steps == 22)


def test_stream_mode_collects_the_reply_until_it_ends() -> None:
    (answer,) = converse(Cued(1), [said(8, 120.0)], ReplyMode.STREAM)
    assert answer.text == "oh yes"
    assert answer.reason == "end"
    assert answer.pcm.size == 3 * 1920


def test_a_second_question_is_asked_and_answered_in_the_same_call() -> None:
    first, second = said(8, 110.0), said(15, 150.0)
    call = OfflineCall([first, second])
    ended: list[int] = []
    run_calls(Gated(1), [call], ended.append)
    assert ended == [1]
    assert [answer.reason for answer in call.answers] == ["end"] * 2
    lengths = [len(answer.pcm) for answer in call.answers]
    assert lengths[1] - lengths[0] == pytest.approx(len(second) - len(first), abs=4 * 1920)


class Transcribing(Gated):
    """An engine that returns a transcript when the turn ends."""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        ends = {work.slot for work in batch if work.speak is Speak.BEGIN}
        return [
            structs.replace(o, words="two words") if o.slot in ends else o
            for o in super().step(batch)
        ]


def test_an_answer_has_the_transcript_of_its_question() -> None:
    (answer,) = converse(Transcribing(1), [said(10, 130.0)])
    assert answer.transcript == "two words"


def test_an_answer_has_the_time_at_which_its_turn_ended() -> None:
    (answer,) = converse(Gated(1), [said(10, 130.0)])
    assert answer.decided_s == answer.began_s
    assert answer.decided_s is not None
    assert 0.5 < answer.decided_s < 0.9  # 600 ms of silence, and whole chunks
    assert answer.steps == 0


def test_a_background_lies_under_the_whole_call() -> None:
    hiss = np.random.default_rng(0).integers(-300, 300, 24_000, dtype=np.int16)
    quiet, loud = OfflineCall([said(8, 110.0)]), OfflineCall([said(8, 110.0)], background=hiss)
    levels = []
    for call in (quiet, loud):
        run_calls(Gated(1), [call])
        tail = call.answers[0].pcm[-4 * 1920 :].astype(np.float64)  # the silence that ended it
        levels.append(float(np.sqrt(np.mean(tail**2))))
    assert levels[0] < 5
    assert levels[1] == pytest.approx(300 / 3**0.5, rel=0.1)
