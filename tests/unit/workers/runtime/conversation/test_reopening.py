"""Callers who go on after a pause that ended their turn, and callers who only say "mm hmm"."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.audio import Pcm16
from shared.log.records import (
    Base,
    Clear,
    Commit,
    Heard,
    InputRecord,
    Options,
    Played,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Step,
    Truncate,
)
from shared.modes import ReplyMode
from tests.sounds import joined, silence, talking, voice
from tests.unit.workers.runtime.conversation.fake_engine import REPLY_STEPS, FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import (
    Rehearsal,
    assert_deaths_change_nothing,
)
from workers.engines.base import Engine, Speak, Traits
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.state import Phase
from workers.runtime.conversation.transcript import Transcript
from workers.runtime.conversation.tuning import Tuning

TURNS = Traits(duplex=False, burst_frames=20)
FIRST = [*silence(6), *voice(10), *silence(8)]  # the last of them ends the turn
SECOND = [*voice(4, 190), *silence(1), *voice(4, 130), *silence(1), *voice(4, 170)]
END = silence(12)

Line = Sequence[InputRecord | Pcm16]


def called(line: Line, engine: Engine | None = None, **tuning: bool) -> Rehearsal:
    call = Rehearsal(ReplyMode.TURN, engine or FakeEngine(TURNS), Tuning(**tuning))  # type: ignore[arg-type]
    tell(call, line)
    return call


def tell(call: Rehearsal, line: Line) -> None:
    """Record by record, as it comes in a call."""
    for record in line:
        call.run(record)


def withdrawals(call: Rehearsal) -> list[Truncate]:
    return [r for _, r in call.steps if isinstance(r, Truncate) and r.reopened]


def bases(call: Rehearsal) -> int:
    return sum(isinstance(record, Base) for _, record in call.steps)


def test_a_caller_who_goes_on_is_answered_once_with_all_of_it() -> None:
    call = called([*FIRST, *SECOND, *END], EchoEngine(1))
    first, second = (
        b"".join(s.pcm for s in call.speech if s.generation == number) for number in (1, 2)
    )
    assert first == joined(FIRST[1:])[: len(first)]
    assert second == joined([*FIRST[1:], *SECOND, *END[:8]])
    assert bases(call) == len(withdrawals(call)) == 1
    frames = len(first) // 960
    assert call.events == [
        SpeechStarted(7),
        SpeechStopped(24),
        ReplyStarted(1, 1),
        *(ReplyDone(1, frames + 1, "end"), Clear(1, frames + 1)),
        SpeechStarted(7),  # the same turn
        SpeechStopped(46),
        ReplyStarted(2, frames + 1),
        ReplyDone(2, frames + len(second) // 960 + 1, "end"),
    ]


@pytest.mark.parametrize(("played", "reopens"), [(0, True), (1, True), (75, True), (76, False)])
def test_only_speech_that_begins_soon_after_the_answer_does_belongs_to_the_turn(
    played: int, reopens: bool
) -> None:
    call = called([*FIRST, Played(played), *SECOND])
    assert len(call.of(Clear)) == 1
    assert bool(withdrawals(call)) == reopens
    assert bases(call) == 2 - reopens
    tell(call, END)
    assert [r.generation for r in call.of(ReplyStarted)] == [1, 2]  # type: ignore[union-attr]


def test_the_playhead_counts_where_the_speech_began() -> None:
    call = called([*FIRST, Played(70), *SECOND[:3], Played(84), *SECOND[3:]])
    assert withdrawals(call)


@pytest.mark.parametrize("folds", [False, True])
def test_the_slot_is_rebuilt_without_the_withdrawn_reply(folds: bool) -> None:
    engine = FakeEngine(replace(TURNS, folds=folds))
    call = called([*FIRST, Played(10_000), *silence(6), *FIRST, *SECOND], engine)
    before, reopened = engine.openings[-2:]
    assert (reopened.seed, reopened.memory) == (before.seed, before.memory)
    assert tuple(reopened.earlier) == tuple(before.earlier)
    assert bool(reopened.memory) == folds != bool(reopened.earlier)
    assert {past.speak for past in reopened.history} == {Speak.NONE}
    assert joined([c for past in reopened.history for c in past.hear]) == joined(FIRST[1:])
    first_new = next(w for w in engine.works[::-1] if len(w.hear) > 1)
    assert joined(first_new.hear) == joined(SECOND[: len(first_new.hear)])
    assert call.phase() is Phase.HEARING


def test_a_withdrawn_reply_is_not_remembered() -> None:
    engine = FakeEngine(replace(TURNS, folds=True))
    called([*FIRST, *SECOND, *END, Played(10_000), *silence(9), *FIRST], engine)
    ((_, turn, frames),) = engine.folds
    assert frames is None
    assert sum(past.began for past in turn) == 1
    assert sum(past.said is not None for past in turn) == REPLY_STEPS
    assert sum(len(past.heard) for past in turn) == len([*FIRST[1:], *SECOND, *END[:8]])


@pytest.mark.parametrize("pause", [0, 1, 6, 12])
def test_it_is_one_turn_however_often_the_caller_pauses(pause: int) -> None:
    between = silence(8 + pause)
    parts = [voice(8, pitch_hz=150 + 20 * i) for i in range(4)]
    engine = EchoEngine(1)
    call = called([*silence(6), *[c for part in parts for c in (*part, *between)]], engine)
    last = call.of(ReplyStarted)[-1]
    assert isinstance(last, ReplyStarted)
    tell(call, [Played(call.conversation.state.frame - 4)])
    answer = b"".join(s.pcm for s in call.speech if s.generation == last.generation)
    assert all(joined(part) in answer for part in parts)
    assert bases(call) == 1
    assert {r.n for r in call.of(SpeechStarted)} == {7}  # type: ignore[union-attr]


def test_a_turn_that_would_become_too_long_is_not_reopened() -> None:
    call = called([*silence(6), *talking(205), *silence(8), *SECOND])
    assert withdrawals(call) == []
    assert bases(call) == 2


def test_a_committed_turn_is_reopened_by_speech_and_not_by_a_commit() -> None:
    spoken = called([*voice(10), Commit(), *silence(3), *SECOND, Commit()], manual=True)
    assert len(withdrawals(spoken)) == 1
    faint = called([*voice(10), Commit(), *silence(5), Commit()], manual=True)
    assert withdrawals(faint) == []
    assert len(faint.of(Clear)) == 1


def test_the_transcript_goes_on_from_the_first_part() -> None:
    transcript = Transcript()
    transcript.set_words("how much is three plus")
    assert transcript.end() == [Heard("how much is three plus", final=True)]
    transcript.reopen()
    transcript.set_words("how much is three plus four")
    assert transcript.running() == [Heard("how much is three plus", final=False)]
    assert transcript.end() == [Heard("how much is three plus four", final=True)]
    letters = Transcript()
    letters.add_letters("haw mach is")
    letters.end()
    letters.reopen()
    letters.add_letters(" thri")
    assert letters.end() == [Heard("haw mach is thri", final=True, rough=True)]


@pytest.mark.parametrize("played", [8, 100])
@pytest.mark.parametrize("chunks", [2, 8])
def test_short_speech_over_a_reply_leaves_it_alone_and_is_in_no_turn(
    chunks: int, played: int
) -> None:
    call = called([*FIRST, Played(played), *voice(chunks, pitch_hz=190), *silence(20)])
    assert call.of(Clear) == []
    assert len(call.of(SpeechStarted)) == 1
    steps = [record for _, record in call.steps if isinstance(record, Step)]
    assert max(n for step in steps for n in step.hear) == len(FIRST)


def test_a_caller_may_choose_how_much_speech_interrupts() -> None:
    call = called([Options(interrupt_ms=120), *FIRST, Played(100), *SECOND[:7]])
    assert len(call.of(Clear)) == 1


def test_a_turn_that_interrupts_has_its_beginning() -> None:
    call = called([*FIRST, Played(100), *silence(9), *SECOND, *END], EchoEngine(1))
    assert joined([*silence(4), *SECOND]) in call.pcm


def test_speech_that_outlasts_the_reply_is_a_turn_with_its_beginning() -> None:
    call = called([*FIRST, Played(80), *silence(4), *SECOND[:5]], EchoEngine(1))
    assert call.of(Clear) == []
    tell(call, [Played(10_000), *SECOND[5:], *END])
    assert joined([*silence(2), *SECOND]) in call.pcm


@pytest.mark.parametrize("traits", [TURNS, replace(TURNS, folds=True, prepares=True)])
@pytest.mark.parametrize("mode", ReplyMode)
def test_a_death_after_any_turn_changes_nothing(traits: Traits, mode: ReplyMode) -> None:
    line = [
        *(*FIRST, *SECOND, *END, Played(20), *voice(9, pitch_hz=150), *END),
        *(Played(60), *voice(3), *silence(4), Played(150), *silence(2), *voice(9), *END),
        *(Played(10_000), *silence(30), *FIRST, *silence(3), *SECOND, *END),
    ]
    steady, mortal = (Rehearsal(mode, FakeEngine(traits)) for _ in range(2))
    for call in (steady, mortal):
        call.engine.finished = 0.4  # type: ignore[attr-defined]
    for record in line:
        for call in (steady, mortal):
            call.say(record)  # type: ignore[arg-type]
        assert_deaths_change_nothing(steady, mortal)
    assert len(withdrawals(steady)) >= 2


def test_every_opening_has_the_instructions_of_the_call() -> None:
    engine = FakeEngine(TURNS)
    call = Rehearsal(engine=engine, instructions="Be a pirate.")
    tell(call, [*FIRST, *SECOND])
    call.die()
    tell(call, [*END, Played(10_000), *FIRST])
    assert (
        len(engine.openings) == 5
    )  # the rehearsal's own, a turn, its reopening, the rebuild, a turn
    assert {o.instructions for o in engine.openings[1:]} == {"Be a pirate."}
