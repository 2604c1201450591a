"""Stream mode with an engine that decides for itself when to speak."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from shared.audio import CHUNK_SAMPLES
from shared.log.records import (
    Clear,
    Commit,
    Heard,
    Mode,
    Played,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Text,
    Truncate,
)
from shared.modes import ReplyMode
from shared.voices import Offer
from tests.sounds import silence, talking, voice
from tests.unit.workers.runtime.conversation.rehearsal import (
    Rehearsal,
    assert_deaths_change_nothing,
)
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work
from workers.runtime.conversation.state import Phase


class Talker:
    """Hears `patience` steps of a context, then speaks `length` steps; counts what it is asked."""

    slots = 1
    traits = Traits()
    offer = Offer()

    def __init__(self, patience: int = 12, length: int = 5, words: str = "") -> None:
        self.patience = patience
        self.length = length
        self.words = words.split()  # heard one a step
        self.opened = 0
        self.asked = 0
        self.chunks: list[int] = []  # heard in each step
        self._step = 0

    def open(self, slot: int, opening: Opening) -> None:
        """Forget."""
        self.opened += 1
        self._step = 0
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """A history counts its steps, but those of a reply that was withdrawn."""
        for past in history:
            self._step += past.speak is Speak.DUPLEX
            yield

    def close(self, slot: int) -> None:
        """Nothing to do."""

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Nothing: it remembers one turn at most, step by step."""
        return b""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """One output for the one slot."""
        (work,) = batch
        if work.speak is Speak.NONE:
            return [Output(0, (b"h",) * len(work.hear))]
        assert work.speak is Speak.DUPLEX
        self.asked += 1
        self.chunks.append(len(work.hear))
        self._step += 1
        at = self._step - self.patience
        heard = (b"h",) * len(work.hear)
        if at < 1:
            return [Output(0, heard, b"-", words=" ".join(self.words[: self._step]))]
        if at > self.length:
            return [Output(0, heard, b"-")]
        pcm = np.full(CHUNK_SAMPLES, at, dtype=np.int16)
        text = "hello" if at == 1 else ""
        return [Output(0, heard, b"s", pcm, text, began=at == 1, ended=at == self.length)]


def call_with(engine: Talker) -> Rehearsal:
    return Rehearsal(ReplyMode.STREAM, engine)


def test_the_engine_sleeps_until_somebody_speaks() -> None:
    engine = Talker()
    call = call_with(engine)
    call.run(*silence(50))
    assert engine.asked == 0
    call.run(*voice(2))
    assert engine.opened == 2
    assert engine.chunks == [6, 1]  # the pre-roll and the onset, then a chunk a step


def test_a_reply_begins_and_ends_as_the_engine_decides() -> None:
    engine = Talker()
    call = call_with(engine)
    call.run(*silence(6), *voice(5), *silence(20))
    assert call.events == [
        SpeechStarted(7),
        SpeechStopped(19),
        ReplyStarted(1, 1),
        Text(1, "hello"),
        ReplyDone(1, 21, "end"),
    ]
    assert call.phase() is Phase.PLAYING
    asked = engine.asked
    call.run(Played(20), *silence(20))
    assert call.phase() is Phase.ASLEEP
    assert engine.asked == asked


@pytest.mark.parametrize("patience", [6, 8, 12, 15])
def test_all_words_are_told_before_the_reply_whoever_ends_the_turn(patience: int) -> None:
    """The model says that it is over after 560 ms, the VAD after 600 ms or what it is set to."""
    call = call_with(Talker(patience, words="what is two plus two"))
    call.run(*silence(6), *voice(5), *silence(20))
    told = call.of(SpeechStarted, SpeechStopped, Heard, ReplyStarted)
    assert [type(r) for r in told if not isinstance(r, Heard) or r.final] == [
        SpeechStarted,
        SpeechStopped,
        Heard,
        ReplyStarted,
    ]
    texts = [r.text for r in told if isinstance(r, Heard)]
    assert texts[-1] == "what is two plus two"
    assert all(texts[-1].startswith(text) for text in texts)


def test_it_sleeps_again_after_a_silence_that_nothing_came_of() -> None:
    engine = Talker(patience=10_000)
    call = call_with(engine)
    call.run(*voice(5), *silence(100))
    assert call.phase() is Phase.ASLEEP
    assert engine.asked < 60  # 4 s of silence are 50 chunks
    assert [type(event) for event in call.events] == [SpeechStarted, SpeechStopped]


def test_its_context_is_bounded() -> None:
    engine = Talker(patience=10_000)
    call = call_with(engine)
    call.run(*talking(600))
    assert engine.opened >= 3
    last = call.writes[-1]
    assert last.cursor - last.keep_inputs < 260


def test_an_endless_reply_is_ended() -> None:
    call = call_with(Talker(length=10_000))
    call.run(*voice(5), *silence(200))
    assert call.of(ReplyDone) == [ReplyDone(1, 513, "length")]


def test_speaking_over_a_reply_clears_it_and_begins_a_context() -> None:
    engine = Talker(length=100)
    call = call_with(engine)
    call.run(*voice(5), *silence(40), Played(80), *silence(4))
    opened = engine.opened
    assert call.phase() is Phase.REPLYING
    call.run(*voice(11, pitch_hz=190))
    assert len(call.of(Clear)) == 1
    assert engine.opened == opened + 1
    assert call.phase() is Phase.HEARING
    call.run(*silence(14))
    assert call.of(ReplyStarted)[-1] == ReplyStarted(2, call.of(Clear)[0].next_frame)  # type: ignore[union-attr]


def test_a_caller_who_goes_on_takes_the_turn_back_and_is_answered_with_all_of_it() -> None:
    engine = Talker(length=100)
    call = call_with(engine)
    call.run(*silence(6), *voice(5), *silence(12))
    assert call.phase() is Phase.REPLYING
    call.run(*voice(6, pitch_hz=190))
    withdrawn = [r for _, r in call.steps if isinstance(r, Truncate)]
    assert [r.reopened for r in withdrawn] == [True]
    assert {r.n for r in call.of(SpeechStarted)} == {7}  # type: ignore[union-attr]
    call.run(*silence(14))
    assert len(call.of(ReplyStarted)) == len(call.of(Clear)) + 1
    assert call.heard == list(range(2, call.heard[-1] + 1))


def test_a_commit_says_nothing_to_an_engine_that_decides_for_itself() -> None:
    call = call_with(Talker())
    call.run(*voice(5), Commit())
    assert call.of(ReplyStarted) == []


def test_a_mode_switch_clears_its_reply() -> None:
    call = call_with(Talker(length=100))
    call.run(*voice(5), *silence(12), Mode("turn"))
    assert len(call.of(Clear)) == 1
    assert call.phase() is Phase.ASLEEP


def test_a_death_in_a_reply_changes_nothing() -> None:
    steady, mortal = call_with(Talker()), call_with(Talker())
    for call in (steady, mortal):
        call.say(*silence(6), *voice(5), *silence(9), *voice(6, pitch_hz=190), *silence(20))
    assert_deaths_change_nothing(steady, mortal)
