"""The assistant on loudspeakers: its echo does not interrupt a reply, a caller over it does."""

from functools import cache

import numpy as np
import pytest

from shared.audio import pcm16_from_floats
from tests.echo.table import Voices, measure
from workers.audio.echo_path import EchoPath
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

CALLERS = ("gmw/en-US+m4", "gmw/en+f4", "gmw/en-US+linda", "gmw/en+grandpa")
OVER = ("no wait stop please", "can you say that again", "one more question for you")


@cache
def voices() -> Voices:
    said = speak(
        [
            SpeechJob(TtsVoice("flite", "cmu_us_slt"), text)
            for text in (
                "a long time ago a small voice lived in a machine and answered every question",
                "one two three four five six seven eight nine ten",
                "you can ask me about numbers days months colours and capitals",
                "the capital of france is paris",
            )
        ]
    )
    callers = speak(
        [SpeechJob(TtsVoice("espeak", name), text) for name in CALLERS for text in OVER]
    )
    return Voices([pcm16_from_floats(reply) for reply in said], callers)


@pytest.mark.parametrize("gain_db", [-6.0, -15.0])
@pytest.mark.parametrize("delay_ms", [40.0, 400.0])
def test_a_caller_interrupts_a_reply_and_its_echo_does_not(gain_db: float, delay_ms: float) -> None:
    row = measure(gain_db, delay_ms, voices(), range(2))
    assert row.self_interruptions == 0
    assert row.in_time >= len(row.over) - 1


@pytest.mark.parametrize("delay_ms", [40.0, 400.0])
def test_a_faint_echo_does_not_interrupt_a_reply(delay_ms: float) -> None:
    assert measure(-30.0, delay_ms, voices(), range(2)).self_interruptions == 0


def test_without_an_echo_a_caller_interrupts_at_once() -> None:
    row = measure(-120.0, 100.0, voices(), range(2))
    assert row.self_interruptions == 0
    assert np.median(row.delays_ms) < 300


def test_a_takeover_continues_with_the_same_echo_path() -> None:
    """The state and the logged reply are all that a takeover needs."""
    reply = voices().replies[0][: 1_920 * 20]
    heard = np.roll(reply, 4_000).reshape(-1, 1_920) // 4
    path = EchoPath()
    path.begin(1)
    path.playback.say(1, reply)
    for index, chunk in enumerate(heard):
        path.playback.played(4 * index + 1)
        other = EchoPath()
        other.playback.recall(1, reply)
        other.restore(path.state())
        assert path.hear(chunk) == other.hear(chunk)
        assert path.state() == other.state()
    assert path.trust > 0


def test_a_cleared_reply_has_no_more_echo() -> None:
    path = EchoPath()
    path.begin(1)
    path.playback.say(1, voices().replies[0][: 1_920 * 20])
    path.playback.played(8)
    path.playback.stop()
    for _ in range(20):
        path.hear(np.zeros(1_920, np.int16))
    assert not path.playback.lasts(0)
