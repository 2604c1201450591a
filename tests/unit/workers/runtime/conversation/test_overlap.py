"""Short speech over a reply: "yeah" goes on listening, "wait" stops, "of France" goes on asking."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from shared.audio import CHUNK_SAMPLES, Pcm16
from shared.log.records import Clear, InputRecord, Played, SpeechStarted, Truncate
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import (
    Rehearsal,
    assert_deaths_change_nothing,
)
from workers.engines.base import Output, Traits
from workers.runtime.conversation.asides import is_listening, means_stop
from workers.runtime.conversation.state import Phase

READS = Traits(duplex=False, burst_frames=20, prepares=True, reads=True)
DEAF = replace(READS, reads=False)
TURN = [*silence(6), *voice(10), *silence(13)]
SHORT = [*voice(5, pitch_hz=190), *silence(8)]  # 400 ms
LONG = [*voice(10, pitch_hz=190), *silence(8)]  # 800 ms


def engine_with(aside: str, finished: float = 0.0, traits: Traits = READS) -> FakeEngine:
    engine = FakeEngine(traits)
    engine.aside, engine.finished = aside, finished
    return engine


def called(line: Sequence[InputRecord | Pcm16], engine: FakeEngine) -> Rehearsal:
    call = Rehearsal(engine=engine)
    for record in line:
        call.run(record)
    return call


def withdrawn(call: Rehearsal) -> bool:
    return any(isinstance(r, Truncate) and r.reopened for _, r in call.steps)


@pytest.mark.parametrize(
    "words",
    ["", "Yeah.", "Okay.", "Mm-hmm.", "MMHMM.", "Uh-huh", "Oh, right.", "I see.", "Okay, sure."],
)
def test_words_of_somebody_who_listens(words: str) -> None:
    assert is_listening(words)
    assert not means_stop(words)


@pytest.mark.parametrize("words", ["Wait.", "No.", "Stop!", "Okay, hold on.", "Excuse me"])
def test_words_that_ask_for_silence(words: str) -> None:
    assert means_stop(words)
    assert not is_listening(words)


@pytest.mark.parametrize("words", ["of France", "Plus 4.", "comes after Monday", "I'm hot."])
def test_words_that_go_on(words: str) -> None:
    assert not is_listening(words)
    assert not means_stop(words)


@pytest.mark.parametrize("over", [SHORT, LONG])
@pytest.mark.parametrize("played", [0, 20, 100])
def test_a_back_channel_leaves_the_reply_alone_however_long_it_is(
    played: int, over: list[Pcm16]
) -> None:
    call = called([*TURN, Played(played), *over, *over], engine_with("Mm-hmm."))
    assert call.of(Clear) == []
    assert len(call.of(SpeechStarted)) == 1


@pytest.mark.parametrize("played", [20, 100])
def test_one_word_that_asks_for_silence_ends_the_reply(played: int) -> None:
    call = called([*TURN, Played(played), *SHORT, *silence(2)], engine_with("Wait.", 1.0))
    assert len(call.of(Clear)) == 1
    assert withdrawn(call) == (played == 20)


def test_a_turn_of_one_short_word_has_its_beginning() -> None:
    call = called([*TURN, Played(100), *silence(20), *SHORT, *silence(2)], engine_with("Stop."))
    first = len(TURN) + 1 + 20 + 1
    assert call.of(SpeechStarted)[-1] == SpeechStarted(first)
    assert set(range(first - 3, first + 6)) <= set(call.heard)


@pytest.mark.parametrize("finished", [0.02, 0.09, 0.9])
def test_short_words_go_on_with_a_turn_that_sounded_unfinished(finished: float) -> None:
    call = called([*TURN, Played(20), *SHORT], engine_with("four is", finished))
    assert withdrawn(call) == (finished < 0.05)


def test_other_words_interrupt_when_they_are_long_enough() -> None:
    assert called([*TURN, Played(100), *SHORT], engine_with("the moon")).of(Clear) == []
    assert len(called([*TURN, Played(100), *LONG], engine_with("the moon")).of(Clear)) == 1


def test_speech_that_goes_on_interrupts_whatever_its_words_are() -> None:
    call = called([*TURN, Played(100), *voice(18, pitch_hz=190)], engine_with("yeah"))
    assert len(call.of(Clear)) == 1


def test_where_nobody_reads_the_length_decides() -> None:
    short = called([*TURN, Played(100), *SHORT], engine_with("wait", traits=DEAF))
    long = called([*TURN, Played(100), *LONG], engine_with("yeah", traits=DEAF))
    assert (len(short.of(Clear)), len(long.of(Clear))) == (0, 1)


@pytest.mark.parametrize(("aside", "reopens"), [("yeah", False), ("of France", True)])
def test_a_reply_does_not_begin_while_the_caller_speaks(aside: str, reopens: bool) -> None:
    engine = engine_with(aside, 0.9)
    sound = np.ones(CHUNK_SAMPLES, np.int16)
    engine.script = [
        Output(0, began=True),  # the engine still thinks
        *[Output(0, pcm=sound, words_at=((0, "word"),))] * 4,
        Output(0, ended=True),
    ]
    call = Rehearsal(engine=engine)
    line = iter(TURN)
    while call.phase() is not Phase.REPLYING:
        call.say(next(line))
        call.turn(1)
    for chunk in SHORT[:7]:
        call.say(chunk)
        call.turn(1)
        assert call.speech == []
    call.run(*SHORT[7:])
    assert withdrawn(call) == reopens
    assert {speech.generation for speech in call.speech} == {1 + reopens}
    assert call.of(Clear) == []  # nothing of it was announced


def test_a_death_while_the_engine_reads_changes_nothing() -> None:
    line: list[InputRecord | Pcm16]
    line = [*TURN, Played(20), *SHORT, Played(100), *SHORT, *LONG, *silence(20), *TURN, *SHORT]
    steady, mortal = (Rehearsal(engine=engine_with("four is", 0.02)) for _ in range(2))
    for call in (steady, mortal):
        call.say(*line)
    assert_deaths_change_nothing(steady, mortal)
    assert any(work.aside for work in steady.engine.works)  # type: ignore[attr-defined]
