"""When a turn's words are reported by an engine that needs time to transcribe it."""

from collections.abc import Sequence

import pytest
from msgspec import structs

from shared.log.records import Cancel, Heard, ReplyStarted, SpeechStarted, SpeechStopped
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Output, Speak, Traits, Work

QUESTION = [*silence(6), *voice(10), *silence(12)]


class Transcriber(FakeEngine):
    """Gives a turn's words some steps after its end; before that, a partial guess."""

    def __init__(self, late: int, words: str = "How much is three plus four?") -> None:
        super().__init__(Traits(duplex=False, burst_frames=20, prepares=True))
        self.late = late
        self.words = words

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """The fake's step, without sound until the words are there."""
        (output,) = super().step(batch)
        spoken = self._slot.spoken or 0
        if batch[0].speak is Speak.NONE:
            return [structs.replace(output, words="How much" if self._slot.chunks > 8 else "")]
        if spoken <= self.late:
            return [structs.replace(output, words="", words_at=(), pcm=None)]
        return [structs.replace(output, words=self.words if spoken == self.late + 1 else "")]


def reports(call: Rehearsal) -> list[object]:
    found = call.of(SpeechStarted, SpeechStopped, Heard, ReplyStarted)
    return [(r.text, r.final) if isinstance(r, Heard) else type(r) for r in found]


@pytest.mark.parametrize("late", [0, 1, 4])
def test_the_whole_turn_is_reported_once_before_its_answer(late: int) -> None:
    call = Rehearsal(engine=Transcriber(late))
    call.run(*QUESTION)
    assert reports(call) == [
        SpeechStarted,
        ("How", False),
        SpeechStopped,
        ("How much is three plus four?", True),
        ReplyStarted,
    ]


def test_words_that_never_come_are_reported_as_far_as_they_are_known() -> None:
    call = Rehearsal(engine=Transcriber(100))
    call.run(*QUESTION)
    assert reports(call)[2:] == [SpeechStopped, ("How much", True)]


def test_a_reply_that_is_stopped_while_its_turn_is_transcribed_loses_no_words() -> None:
    call = Rehearsal(engine=Transcriber(4))
    call.say(*QUESTION, Cancel())
    while call.turn(1):
        pass
    assert reports(call)[2:] == [SpeechStopped, ("How much", True)]


def test_a_turn_that_goes_on_while_it_is_transcribed_is_reported_once() -> None:
    call = Rehearsal(engine=Transcriber(200))
    call.say(*QUESTION[:-1], *voice(12, pitch_hz=190), *silence(14))
    while call.turn(1):
        pass
    assert reports(call)[-2:] == [SpeechStopped, ("How much", True)]
    assert sum(isinstance(r, Heard) and r.final for r in call.of(Heard)) == 1
