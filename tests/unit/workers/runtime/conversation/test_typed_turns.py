"""Turns that the caller typed: alone, over a reply, and after speech."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.audio import Pcm16
from shared.log.records import (
    Base,
    Clear,
    Heard,
    InputRecord,
    Options,
    Played,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Truncate,
    Typed,
)
from shared.modes import ReplyMode
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import REPLY_STEPS, FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import (
    Rehearsal,
    assert_deaths_change_nothing,
)
from workers.engines.base import Speak, Traits
from workers.runtime.conversation.state import Phase

READS = Traits(duplex=False, burst_frames=20, prepares=True, reads=True, folds=True)
HEARD = Heard("0 tens of chunks hello", final=True)
TURN = [*silence(6), *voice(10), *silence(13)]


def called(
    line: Sequence[InputRecord | Pcm16],
    traits: Traits = READS,
    mode: ReplyMode = ReplyMode.TURN,
) -> Rehearsal:
    call = Rehearsal(mode, FakeEngine(traits))
    for record in line:
        call.run(record)
    return call


@pytest.mark.parametrize("mode", ReplyMode)
@pytest.mark.parametrize("before", [[], silence(30), [Options(manual=True), *silence(30)]])
def test_a_typed_turn_is_answered_at_once_and_told_as_heard(
    before: list[InputRecord | Pcm16], mode: ReplyMode
) -> None:
    call = called([*before, Typed("hello")], mode=mode)
    assert call.events[0] == HEARD
    assert call.of(Heard) == [HEARD]
    assert call.of(SpeechStarted, SpeechStopped) == []
    assert len(call.of(ReplyStarted)) == 1
    begun = call.engine.spoken(Speak.BEGIN)  # type: ignore[attr-defined]
    assert [work.typed for work in begun] == ["hello"]
    assert not begun[0].hear


def test_typed_words_interrupt_a_reply_and_are_the_next_turn() -> None:
    call = called([*TURN, Played(20), Typed("hello"), Played(10_000), *silence(2), *TURN])
    assert len(call.of(Clear)) == 1
    assert [r.reopened for _, r in call.steps if isinstance(r, Truncate)] == [False]
    turns = [turn for _, turn, _ in call.engine.folds]  # type: ignore[attr-defined]
    assert len(turns) == 2
    assert sum(past.said is not None for past in turns[1]) == REPLY_STEPS


def test_typed_words_end_the_turn_that_is_being_spoken() -> None:
    call = called([*silence(6), *voice(20), Typed("hello")])
    assert call.of(SpeechStopped) == [SpeechStopped(27)]
    (heard,) = [r for r in call.of(Heard) if isinstance(r, Heard) and r.final]
    assert heard.text == "2 tens of chunks hello"
    assert sum(isinstance(r, Base) for _, r in call.steps) == 1


def test_a_noise_before_typed_words_is_not_in_their_turn() -> None:
    call = called([*silence(6), *voice(1), Typed("hello")])
    assert call.of(Heard) == [HEARD]


def test_speech_after_a_typed_turn_is_a_turn_of_its_own() -> None:
    call = called([Typed("hello"), *voice(20, pitch_hz=190)])
    assert len(call.of(Clear)) == 1
    assert not any(isinstance(r, Truncate) and r.reopened for _, r in call.steps)
    assert call.phase() is Phase.HEARING


def test_an_engine_that_does_not_read_takes_no_notice() -> None:
    call = called([Typed("hello"), *TURN], replace(READS, reads=False))
    assert len(call.of(ReplyStarted)) == 1


def test_a_death_after_any_turn_changes_nothing() -> None:
    line: list[InputRecord | Pcm16]
    line = [Typed("a"), *TURN, Played(20), Typed("b"), Typed("c"), *silence(3), Played(10_000)]
    line += [*silence(6), *voice(12), Typed("d"), *silence(30), *TURN, Typed("e")]
    steady, mortal = (Rehearsal(engine=FakeEngine(READS)) for _ in range(2))
    for call in (steady, mortal):
        call.say(*line)
    assert_deaths_change_nothing(steady, mortal)
    assert len(steady.of(ReplyStarted)) >= 5
