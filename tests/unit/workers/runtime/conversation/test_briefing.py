"""What the caller's side changes in mid-call: the brief, the remembered turns, what was said."""

import pytest

from shared.log.records import (
    Brief,
    Cancel,
    Clear,
    Commit,
    Discard,
    History,
    NoReply,
    Options,
    Played,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
)
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Output, Traits
from workers.runtime.conversation.tuning import Tuning

FOLDING = Traits(duplex=False, burst_frames=20, folds=True)
LAZY = Traits(duplex=False, folds=True, prepares=True)
ALL = Played(10_000)
MANUAL = Tuning(manual=True, interrupts=False)
TURNS = b"\x91\x92\xa2hi\xa5hello"


def called(*line: object, tuning: Tuning = MANUAL) -> tuple[Rehearsal, FakeEngine]:
    engine = FakeEngine(FOLDING)
    call = Rehearsal(engine=engine, tuning=tuning, instructions="first")
    tell(call, *line)
    return call, engine


def tell(call: Rehearsal, *line: object) -> None:
    """Record by record, as it comes in a call."""
    for record in line:
        call.run(record)  # type: ignore[arg-type]


@pytest.mark.parametrize("dies", [False, True])
def test_a_brief_counts_from_the_next_turn_on(dies: bool) -> None:
    call, engine = called(*voice(10), Commit(), ALL, Brief(instructions="second", voice="low"))
    if dies:
        call.die()
    tell(call, *voice(10), Commit())
    first, last = engine.openings[1], engine.openings[-1]
    assert (first.instructions, first.persona.voice) == ("first", "")
    assert (last.instructions, last.persona.voice) == ("second", "low")


def test_a_brief_within_a_turn_counts_for_its_answer() -> None:
    call, engine = called(*voice(10), Brief(instructions="second"), Commit())
    opening = engine.openings[-1]
    assert opening.instructions == "second"
    assert sum(len(past.hear) for past in opening.history) == 10
    assert len(call.of(ReplyDone)) == 1


def test_a_takeover_goes_on_with_the_brief_that_the_answer_began_with() -> None:
    call, engine = called(*voice(10), Commit(), Brief(instructions="second"))
    call.die()
    assert engine.openings[-1].instructions == "first"


@pytest.mark.parametrize("dies", [False, True])
def test_the_caller_s_side_replaces_the_remembered_turns(dies: bool) -> None:
    call, engine = called(*voice(10), Commit(), ALL, History(1, TURNS))
    if dies:
        call.die()
    tell(call, *voice(10), Commit())
    assert engine.openings[-1].memory == TURNS  # the turn that it covers is not folded again
    assert engine.folds == []


def test_a_later_turn_is_folded_on_top_of_the_replaced_ones() -> None:
    call, engine = called(*voice(10), Commit(), ALL, History(1, TURNS))
    tell(call, *voice(10), Commit(), ALL, *voice(10), Commit())
    ((memory, _, _),) = engine.folds
    assert memory == TURNS


def test_a_history_that_covers_the_reply_in_progress_counts_when_it_is_cancelled() -> None:
    call, engine = called(*voice(60), Commit(), History(1, TURNS), Cancel())
    tell(call, *voice(10), Commit())
    assert engine.openings[-1].memory == TURNS
    assert engine.folds == []


def test_a_history_within_a_turn_counts_for_its_answer() -> None:
    call, engine = called(*voice(10), Commit(), ALL, *voice(10), History(1, TURNS))
    call.die()
    tell(call, Commit())
    assert engine.openings[-1].memory == TURNS


def test_an_engine_that_folds_nothing_forgets_the_turns_that_were_replaced() -> None:
    engine = FakeEngine(Traits())
    call = Rehearsal(engine=engine, tuning=MANUAL)
    tell(call, *voice(10), Commit(), ALL, History(1, TURNS), *voice(10), Commit())
    assert (engine.openings[-1].memory, engine.openings[-1].earlier) == (b"", ())


def test_what_the_caller_takes_back_is_not_answered() -> None:
    wrong, right = voice(10, pitch_hz=190), voice(10)
    call = Rehearsal(tuning=MANUAL)
    call.run(*wrong, Discard(), *right, Commit())
    assert call.pcm == b"".join(chunk.tobytes() for chunk in right)


def test_speech_interrupts_no_reply_where_the_caller_does_not_want_it() -> None:
    call, _ = called(*voice(10), *silence(9), *voice(20), tuning=Tuning(interrupts=False))
    assert call.of(Clear) == []
    call, _ = called(
        *voice(10), *silence(9), Options(interrupts=False), *voice(20), tuning=Tuning()
    )
    assert call.of(Clear) == []


def test_a_reply_without_words_or_sound_is_reported() -> None:
    call = Rehearsal(engine=FakeEngine(LAZY, [Output(0, ended=True)]), tuning=MANUAL)
    call.run(*voice(10), Commit())
    assert call.of(NoReply) == [NoReply(1)]
    assert call.of(ReplyStarted, ReplyDone) == []


def test_a_reply_that_is_cancelled_before_its_first_word_is_reported() -> None:
    call = Rehearsal(engine=FakeEngine(LAZY, [Output(0)] * 50), tuning=MANUAL)
    call.say(*[voice(1)[0]] * 10, Commit())
    while not call.conversation.state.reply:
        call.turn()
    call.say(Cancel())
    call.turn()
    assert call.of(NoReply) == [NoReply(1)]
    assert call.of(SpeechStarted) == call.of(SpeechStarted)[:1]
