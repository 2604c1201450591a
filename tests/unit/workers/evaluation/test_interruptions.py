"""Callers who interrupt an engine that echoes whole turns."""

import numpy as np
import pytest

from shared.audio import Pcm16
from tests.sounds import voice
from workers.engines.base import Traits
from workers.engines.echo import EchoEngine
from workers.evaluation.calls import run_calls
from workers.evaluation.interruptions import IN_TIME_S, InterruptingCall, onset_s


class Gated(EchoEngine):
    """An echo that acts like a model: it replies only after a turn has ended."""

    traits = Traits()


def said(chunks: int, pitch_hz: float) -> Pcm16:
    return np.concatenate(voice(chunks, pitch_hz))


def test_a_reply_is_cleared_and_the_interruption_is_answered() -> None:
    first, second = said(30, 110.0), said(14, 210.0)
    call = InterruptingCall((first, second), seed=1, listen_ms=1_600)
    run_calls(Gated(1), [call])
    assert call.interrupted
    assert call.cleared_s is not None
    assert 0.1 < call.cleared_s <= IN_TIME_S
    assert [answer.reason for answer in call.answers] == ["end", "end"]
    assert len(call.answers[0].pcm) > len(first)
    # No part of the first reply counts as an answer to the second question.
    assert len(second) < len(call.answers[1].pcm) < len(call.answers[0].pcm)


def test_a_reply_that_ends_earlier_is_not_interrupted() -> None:
    call = InterruptingCall((said(10, 110.0), said(14, 210.0)), seed=1, listen_ms=9_000)
    run_calls(Gated(1), [call])
    assert not call.interrupted
    assert call.cleared_s is None
    assert [answer.reason for answer in call.answers] == ["end", "none"]


@pytest.mark.parametrize("lead", [0, 4_800, 12_000])
def test_the_onset_is_the_first_loud_frame(lead: int) -> None:
    pcm = np.concatenate([np.full(lead, 9, np.int16), np.full(4_800, 9_000, np.int16)])
    assert onset_s(pcm) == lead / 24_000
