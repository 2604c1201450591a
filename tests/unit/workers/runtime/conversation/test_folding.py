"""What an engine remembers of the whole call, folded when the next turn begins."""

import pytest

from shared.audio import Pcm16
from shared.log.records import Base, Cancel, InputRecord, Mode, Played, ReplyDone
from shared.modes import ReplyMode
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import REPLY_STEPS, FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import (
    Rehearsal,
    assert_deaths_change_nothing,
)
from workers.engines.base import Speak, Traits
from workers.runtime.conversation.memory import MAX_FOLDED_BYTES, MEMORY_STEPS

FOLDING = Traits(duplex=False, burst_frames=20, folds=True)
QUESTION: list[InputRecord | Pcm16] = [*silence(6), *voice(10), *silence(9)]
ANOTHER = [*silence(6), *voice(6, pitch_hz=190), *silence(9)]
ALL = Played(10_000)


def called(*line: object) -> tuple[Rehearsal, FakeEngine]:
    engine = FakeEngine(FOLDING)
    call = Rehearsal(engine=engine)
    tell(call, *line)
    return call, engine


def tell(call: Rehearsal, *line: object) -> None:
    """Record by record, as it comes in a call."""
    for record in line:
        call.run(record)  # type: ignore[arg-type]


def memories(call: Rehearsal) -> list[bytes]:
    """What each base record holds."""
    return [record.memory for _, record in call.steps if isinstance(record, Base)]


def test_each_turn_begins_with_all_earlier_ones() -> None:
    call, engine = called(*QUESTION)
    assert memories(call) == [b""]
    tell(call, ALL, *ANOTHER, ALL, *QUESTION)
    assert memories(call) == [opening.memory for opening in engine.openings[1:]]
    assert len(set(memories(call))) == 3
    assert [memory for memory, _, _ in engine.folds] == memories(call)[:2]
    assert all(opening.earlier == () for opening in engine.openings)


def test_a_turn_is_folded_with_all_its_steps() -> None:
    _, engine = called(*QUESTION, ALL, *ANOTHER)
    ((_, turn, frames),) = engine.folds
    assert frames is None
    assert sum(len(past.heard) for past in turn) == 23
    spoken = [past for past in turn if past.said is not None]
    assert len(spoken) == REPLY_STEPS
    assert (spoken[0].speak, spoken[0].began, spoken[-1].ended) == (Speak.BEGIN, True, True)
    assert not any(past.hear for past in turn)


def test_an_interrupted_turn_is_folded_with_the_frames_that_were_played() -> None:
    call, engine = called(*QUESTION, Played(80), *voice(10, pitch_hz=190))
    ((_, turn, frames),) = engine.folds
    assert frames == 80
    assert sum(past.said is not None for past in turn) == REPLY_STEPS
    tell(call, *silence(12), Played(130), Cancel(), *QUESTION)
    assert engine.folds[1][2] == 10  # of frames 121 to 240


def test_a_false_start_and_another_mode_and_time_lose_nothing() -> None:
    call, engine = called(*QUESTION, ALL)
    blip = voice(1)[0].copy()
    blip[1_440:] = 0
    tell(call, *silence(5), blip, *silence(10), *silence(MEMORY_STEPS + 20))
    tell(call, Mode("stream"), *silence(3), Mode("turn"), *ANOTHER)
    first, false_start, another = memories(call)
    assert (first, len(engine.folds)) == (b"", 1)
    assert false_start == another != b""


def test_a_memory_is_bounded() -> None:
    class Greedy(FakeEngine):
        def fold(self, memory: bytes, turn: object, frames: int | None) -> bytes:
            """More than is allowed."""
            return bytes(MAX_FOLDED_BYTES + 1)

    call = Rehearsal(engine=Greedy(FOLDING))
    tell(call, *QUESTION, ALL)
    with pytest.raises(ValueError, match="16384"):
        call.run(*ANOTHER)


def test_of_a_long_pause_the_log_keeps_the_memory_alone() -> None:
    call, _ = called(*QUESTION, ALL, *ANOTHER, ALL)
    blip = voice(1)[0].copy()
    blip[1_440:] = 0
    tell(call, *silence(5), blip, *silence(300))
    dropped = {write.drop_step for write in call.writes}
    kept = [k for k, _ in call.steps if k >= call.writes[-1].keep_steps and k not in dropped]
    assert len(kept) < 15
    call.die()
    assert call.conversation.state.memory.folded == memories(call)[-1] != b""


@pytest.mark.parametrize("mode", ReplyMode)
def test_a_death_after_any_turn_changes_nothing(mode: ReplyMode) -> None:
    parts: list[list[InputRecord | Pcm16]] = [
        QUESTION,
        [Played(80), *voice(10, pitch_hz=190), *silence(10)],
        [Played(190), Mode("stream"), *voice(7), *silence(12), ALL],
        [Mode("turn"), *silence(30), *ANOTHER, Cancel(), *QUESTION, ALL, *ANOTHER],
    ]
    steady, mortal = (Rehearsal(mode, FakeEngine(FOLDING)) for _ in range(2))
    for record in [record for part in parts for record in part]:
        for call in (steady, mortal):
            call.say(record)
        assert_deaths_change_nothing(steady, mortal)
    assert len(steady.of(ReplyDone)) >= 3
    assert len(set(memories(steady))) >= 4
