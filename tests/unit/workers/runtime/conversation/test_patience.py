"""How much silence ends a turn."""

from dataclasses import replace
from itertools import pairwise

import pytest

from shared.log.records import Audio, Commit, Options, ReplyStarted, SpeechStopped
from shared.modes import ReplyMode
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import (
    Rehearsal,
    assert_deaths_change_nothing,
)
from workers.engines.base import Speak, Traits
from workers.runtime.conversation.patience import silence_for, turn_silence_ms
from workers.runtime.conversation.tuning import Tuning

PREPARES = Traits(duplex=False, burst_frames=20, prepares=True)


def call_of(
    finished: float | None, mode: ReplyMode = ReplyMode.TURN, tuning: Tuning | None = None
) -> tuple[Rehearsal, FakeEngine]:
    engine = FakeEngine(PREPARES)
    engine.finished = finished
    return Rehearsal(mode, engine, tuning), engine


def test_the_more_finished_the_words_sound_the_sooner_the_turn_ends() -> None:
    assert [silence_for(p) for p in (1.0, 0.9, 0.05, 0.0)] == [250, 250, 900, 900]
    waits = [silence_for(p) for p in (0.8, 0.4, 0.2, 0.1)]
    assert [b - a for a, b in pairwise(waits)] == [156, 156, 156]


@pytest.mark.parametrize(
    ("fixed", "finished", "prepares", "stream", "expected"),
    [
        (None, None, False, False, 600),
        (None, None, False, True, 400),
        (None, None, True, False, 900),
        (None, None, True, True, 600),
        (None, 0.95, True, False, 250),
        (None, 0.95, True, True, 200),
        (300, 0.01, True, False, 300),
        (300, 0.01, True, True, 300),
    ],
)
def test_the_silence_that_ends_a_turn(
    fixed: int | None, finished: float | None, prepares: bool, stream: bool, expected: int
) -> None:
    assert turn_silence_ms(fixed, finished, prepares=prepares, stream=stream) == expected


@pytest.mark.parametrize(
    ("finished", "mode", "chunks"),
    [
        (1.0, ReplyMode.TURN, 4),
        (0.0, ReplyMode.TURN, 12),
        (None, ReplyMode.TURN, 12),
        (1.0, ReplyMode.STREAM, 3),  # the opinion comes with the second chunk: 160 ms
        (0.0, ReplyMode.STREAM, 8),
    ],
)
def test_an_engine_that_prepares_decides_how_long_the_caller_may_pause(
    finished: float | None, mode: ReplyMode, chunks: int
) -> None:
    call, _ = call_of(finished, mode)
    call.run(*silence(6), *voice(10), *silence(20))
    assert call.of(SpeechStopped) == [SpeechStopped(16 + chunks)]
    assert len(call.of(ReplyStarted)) == 1


def test_the_engine_knows_of_the_pause_until_the_caller_goes_on() -> None:
    call, engine = call_of(0.0)
    for chunk in [*silence(6), *voice(10), *silence(6), *voice(10, pitch_hz=190), *silence(12)]:
        call.run(chunk)
    heard = [work for work in engine.works if work.speak is not Speak.CONTINUE]
    # The VAD's last frame of speech is in a chunk of its own: one chunk of silence is no pause.
    assert [work.paused for work in heard] == [
        *[False] * 11,
        *[True] * 5,
        *[False] * 11,
        *[True] * 11,
    ]
    assert heard[-1].speak is Speak.BEGIN


def test_a_step_ends_where_a_pause_begins() -> None:
    call, engine = call_of(1.0)
    call.run(*silence(6), *voice(10), *silence(20))
    first = next(work for work in engine.works if work.paused)
    assert first.speak is Speak.NONE
    assert not first.hear[-1].any()


def test_what_is_no_speech_yet_is_not_prepared() -> None:
    call, engine = call_of(1.0)
    blip = voice(1)[0].copy()
    blip[1_440:] = 0
    call.run(*silence(6), blip, *silence(20))
    assert engine.works
    assert not any(work.paused for work in engine.works)


def test_push_to_talk_prepares_too_and_waits_for_its_commit() -> None:
    call, engine = call_of(1.0, tuning=Tuning(manual=True))
    call.run(*voice(10), *silence(20))
    assert any(work.paused for work in engine.works)
    assert call.of(SpeechStopped) == []
    call.run(Commit())
    assert engine.spoken(Speak.BEGIN)[0].paused


def test_a_caller_who_chooses_a_silence_gets_it() -> None:
    call, _ = call_of(0.0)
    call.run(Options(silence_ms=320), *silence(6), *voice(10), *silence(20))
    assert call.of(SpeechStopped) == [SpeechStopped(21)]


def test_an_engine_that_is_not_duplex_takes_turns_in_stream_mode() -> None:
    engine = FakeEngine(replace(PREPARES, prepares=False))
    call = Rehearsal(ReplyMode.STREAM, engine)
    call.run(*silence(6), *voice(10), *silence(20))
    assert call.of(SpeechStopped) == [SpeechStopped(21)]  # 400 ms
    assert {work.speak for work in engine.works} == {Speak.NONE, Speak.BEGIN, Speak.CONTINUE}


def test_a_death_in_a_pause_changes_nothing() -> None:
    steady, mortal = call_of(0.3)[0], call_of(0.3)[0]
    for call in (steady, mortal):
        call.say(*[Audio(c.tobytes()) for c in (*voice(10), *silence(6), *voice(9), *silence(15))])
    assert_deaths_change_nothing(steady, mortal)
