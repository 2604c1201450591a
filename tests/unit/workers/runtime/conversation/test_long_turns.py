"""Turns that last: monologues, and silence long after a question."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.audio import Pcm16
from shared.log.records import (
    Clear,
    Commit,
    InputRecord,
    Played,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Truncate,
)
from tests.sounds import joined, silence, talking, voice
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal, same
from workers.engines.base import Speak, Traits
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.tuning import Tuning
from workers.runtime.conversation.turn_taking import MAX_TURN_CHUNKS

TURNS = Traits(duplex=False, burst_frames=20)
QUESTION = [*silence(6), *voice(10)]


def settling(keeps: int = 120, traits: Traits = TURNS) -> FakeEngine:
    engine = FakeEngine(traits)
    engine.keeps = keeps
    return engine


def called(line: Sequence[InputRecord | Pcm16], engine: FakeEngine, **tuning: bool) -> Rehearsal:
    call = Rehearsal(engine=engine, tuning=Tuning(**tuning))  # type: ignore[arg-type]
    for record in line:
        call.run(record)
    return call


@pytest.mark.parametrize("manual", [False, True])
def test_a_monologue_is_one_turn_and_nobody_speaks_over_it(manual: bool) -> None:
    engine = settling()
    call = called([*silence(3), *talking(700)], engine, manual=manual)
    assert call.of(SpeechStopped, ReplyStarted) == []
    assert len(call.of(SpeechStarted)) == 1
    assert len([o for o in engine.openings if o.seed != 7]) == 1
    call.run(*silence(9), Commit())
    assert len(call.of(ReplyStarted)) == 1
    assert call.heard == list(range(call.heard[0], call.heard[-1] + 1))


def test_the_log_keeps_only_the_audio_that_is_not_settled() -> None:
    call = called([*silence(6), *talking(600)], settling(keeps=120))
    last = call.writes[-1]
    assert 120 <= last.cursor + 1 - last.keep_inputs <= 122
    assert all(w.cursor - w.keep_inputs <= TURNS.context_chunks for w in call.writes)


def test_a_turn_has_a_limit_of_two_minutes() -> None:
    call = called([*silence(6), *talking(MAX_TURN_CHUNKS + 20)], settling())
    (stopped,) = call.of(SpeechStopped)
    assert isinstance(stopped, SpeechStopped)
    assert stopped.n == pytest.approx(MAX_TURN_CHUNKS, abs=10)


def test_a_caller_who_goes_on_after_a_long_turn_reopens_it() -> None:
    engine = settling()
    line = [*silence(6), *talking(400), *silence(9), *voice(8, pitch_hz=190)]
    call = called(line, engine)
    assert any(isinstance(r, Truncate) and r.reopened for _, r in call.steps)
    reopened = engine.openings[-1]
    assert len([s for past in reopened.history for s in past.heard]) > 400
    assert len([c for past in reopened.history for c in past.hear]) <= 125


def test_a_death_in_a_long_turn_changes_nothing() -> None:
    line = [*silence(6), *talking(330), *silence(9), *voice(8, pitch_hz=190), *silence(9)]
    line += [*silence(20), *QUESTION, *silence(9)]
    steady, mortal = (Rehearsal(engine=settling(keeps=60)) for _ in range(2))
    for call in (steady, mortal):
        call.say(*line)
    for count in range(10_000):
        if not steady.turn(1):
            break
        assert mortal.turn(1)
        if count % 5 == 0:
            mortal.die()
    assert same(mortal.outputs, steady.outputs)
    assert same(mortal.steps, steady.steps)


@pytest.mark.parametrize("rest", [70, 130, 300])
@pytest.mark.parametrize("manual", [False, True])
def test_silence_after_a_question_changes_no_answer(rest: int, manual: bool) -> None:
    engine = settling()
    call = Rehearsal(engine=engine, tuning=Tuning(manual=manual, silence_ms=5_000))
    for chunk in [*QUESTION, *silence(rest)]:
        call.run(chunk)
    if manual:
        call.run(Commit())
    heard = joined(chunk for work in engine.works for chunk in work.hear)
    assert heard.endswith(joined([*voice(10), *silence(12)]))
    assert not heard.endswith(joined(silence(14)))
    assert len(engine.spoken(Speak.BEGIN)) == 1


def test_a_pause_in_a_question_is_shortened_and_nothing_of_the_rest_is_lost() -> None:
    engine = EchoEngine(1)
    call = Rehearsal(engine=engine, tuning=Tuning(manual=True))
    second = voice(6, pitch_hz=190)
    for chunk in [*QUESTION, *silence(200), *second, *silence(3)]:
        call.run(chunk)
    call.run(Commit(), Played(10_000))
    assert joined([*silence(5), *second]) in call.pcm
    assert len(call.pcm) < len(joined(silence(60)))


def test_a_question_whose_button_is_held_for_minutes_is_answered() -> None:
    engine = settling()
    call = called([*QUESTION, *silence(MAX_TURN_CHUNKS + 50)], engine, manual=True)
    assert len(call.of(ReplyStarted)) == 1
    assert call.of(Clear) == []


def test_an_engine_that_settles_nothing_answers_after_twenty_seconds() -> None:
    call = called([*silence(6), *talking(300)], FakeEngine(replace(TURNS, folds=True)))
    assert len(call.of(SpeechStopped)) == 1
