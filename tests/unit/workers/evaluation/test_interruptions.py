"""Callers who speak over the assistant, against an engine that echoes whole turns."""

import numpy as np
import pytest

from shared.audio import Pcm16
from tests.sounds import voice
from workers.engines.base import Traits
from workers.engines.echo import EchoEngine
from workers.evaluation.calls import run_calls
from workers.evaluation.interruptions import IN_TIME_S, InterruptingCall, onset_s


class Gated(EchoEngine):
    """Echo that counts as a model: it speaks only when a turn has ended."""

    traits = Traits()


def said(chunks: int, pitch_hz: float) -> Pcm16:
    return np.concatenate(voice(chunks, pitch_hz))


def test_a_reply_is_cleared_and_what_was_said_over_it_is_answered() -> None:
    first, second = said(30, 110.0), said(14, 210.0)
    call = InterruptingCall((first, second), seed=1, listen_ms=1_600)
    run_calls(Gated(1), [call])
    assert call.interrupted
    assert call.cleared_s is not None
    assert 0.1 < call.cleared_s <= IN_TIME_S
    assert [answer.reason for answer in call.answers] == ["end", "end"]
    assert len(call.answers[0].pcm) > len(first)
    # Of the first reply nothing counts as an answer to the second question.
    assert len(second) < len(call.answers[1].pcm) < len(call.answers[0].pcm)


def test_a_reply_that_is_over_sooner_is_not_interrupted() -> None:
    call = InterruptingCall((said(10, 110.0), said(14, 210.0)), seed=1, listen_ms=9_000)
    run_calls(Gated(1), [call])
    assert not call.interrupted
    assert call.cleared_s is None
    assert [answer.reason for answer in call.answers] == ["end", "none"]


@pytest.mark.parametrize("lead", [0, 4_800, 12_000])
def test_the_onset_is_where_it_is_loud(lead: int) -> None:
    pcm = np.concatenate([np.full(lead, 9, np.int16), np.full(4_800, 9_000, np.int16)])
    assert onset_s(pcm) == lead / 24_000
