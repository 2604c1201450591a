"""What one step's output becomes in the output log."""

from dataclasses import replace

import numpy as np
import pytest

from shared.audio import FRAME_SAMPLES
from shared.log.records import (
    Clear,
    NoReply,
    OutputRecord,
    ReplyDone,
    ReplyStarted,
    Speech,
    Text,
)
from tests.sounds import silence, voice
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Output, Speak, Traits
from workers.runtime.conversation.reply import Reply

QUESTION = [*silence(6), *voice(10), *silence(12)]


def sound(frames: int) -> np.ndarray:
    """Every frame is unlike every other."""
    return np.repeat(np.arange(1, frames + 1, dtype=np.int16), FRAME_SAMPLES)


def shape(records: list[OutputRecord]) -> list[object]:
    """Words, and each Speech record as (first frame, frames)."""
    return [
        (r.frame, r.frames) if isinstance(r, Speech) else r.text if isinstance(r, Text) else type(r)
        for r in records
    ]


def test_a_burst_is_cut_into_records_of_four_frames() -> None:
    reply = Reply(generation=1, first=11, before=0, kept=0)
    records = reply.records(Output(0, pcm=sound(10)), 5, 10, most_steps=None)
    assert shape(records) == [ReplyStarted, (11, 4), (15, 4), (19, 2)]
    assert b"".join(r.pcm for r in records if isinstance(r, Speech)) == sound(10).tobytes()
    assert reply.lead(frame=20, played=10) == 10


def test_a_word_comes_right_before_its_frame() -> None:
    reply = Reply(generation=1, first=1, before=0, kept=0)
    words = ((0, "Yes,"), (6, "of"), (6, "course"), (8, "I"), (12, "can."))
    records = reply.records(Output(0, pcm=sound(12), words_at=words), 5, 0, most_steps=None)
    assert shape(records) == [
        *(ReplyStarted, "Yes,", (1, 4), (5, 2), " of", " course", (7, 2)),
        *(" I", (9, 4), " can."),
    ]


def test_a_burst_is_played_when_all_of_it_is() -> None:
    reply = Reply(generation=1, first=1, before=0, kept=4)
    reply.records(Output(0, pcm=sound(60)), 5, 0, most_steps=None)
    reply.records(Output(0), 6, 60, most_steps=None)  # a step without sound
    reply.records(Output(0, pcm=sound(8)), 7, 60, most_steps=None)
    reply.note_played(59)
    assert reply.kept == 4
    reply.note_played(60)
    assert reply.kept == 5


def test_a_reply_ends_after_the_steps_that_it_may_have() -> None:
    reply = Reply(generation=1, first=1, before=0, kept=0)
    for step in range(3):
        records = reply.records(Output(0, pcm=sound(4)), step, 4 * step, most_steps=3)
    assert records[-1] == ReplyDone(1, 13, "length")


def test_sound_that_goes_on_after_the_last_word_is_ended() -> None:
    reply = Reply(generation=1, first=1, before=0, kept=0)
    texts = ["", "the", "", "", "moon", "", "", "", ""]
    ends = [
        reply.records(
            Output(0, pcm=sound(4), text=text), at, 4 * at, most_steps=128, most_wordless=3
        )[-1]
        for at, text in enumerate(texts)
        if not reply.done
    ]
    assert len(ends) == 8
    assert ends[-1] == ReplyDone(1, 33, "length")


def test_a_lazy_reply_is_announced_with_its_first_word_or_sound() -> None:
    reply = Reply(generation=1, first=1, before=0, kept=0)
    assert reply.records(Output(0, began=True), 1, 0, most_steps=None, lazy=True) == []
    records = reply.records(Output(0, pcm=sound(1)), 2, 0, most_steps=None, lazy=True)
    assert shape(records) == [ReplyStarted, (1, 1)]
    silent = replace(Reply(generation=2, first=2, before=0, kept=0))
    assert silent.records(Output(0, ended=True), 3, 1, most_steps=None, lazy=True) == [NoReply(2)]
    assert silent.done


BURSTS = Traits(duplex=False, burst_frames=120, max_reply_steps=1_000, prepares=True)


def test_a_reply_goes_on_only_while_another_burst_fits_into_the_lead() -> None:
    engine = FakeEngine(BURSTS, [Output(0, pcm=sound(70)) for _ in range(20)])
    call = Rehearsal(engine=engine)
    call.run(*QUESTION)
    assert call.conversation.state.frame == 140  # 70 + 120 fit into 200 frames, 140 + 120 do not
    assert len(engine.spoken(Speak.CONTINUE)) == 1


def test_a_reply_that_may_not_go_on_has_nothing_to_do() -> None:
    engine = FakeEngine(BURSTS, [Output(0, pcm=sound(15)) for _ in range(3)])
    call = Rehearsal(engine=engine)
    call.say(*QUESTION)
    while not engine.spoken(Speak.BEGIN):
        call.turn(1)
    call.conversation._inbox.clear()
    assert call.conversation.ready(may_continue=True)
    assert not call.conversation.ready(may_continue=False)
    assert call.conversation.plan(may_continue=False) is None
    plan = call.conversation.plan()
    assert plan is not None
    assert plan.work(0).lead == 15  # frames that the caller has yet to hear


def test_steps_without_sound_are_made_at_once_and_an_empty_reply_is_never_mentioned() -> None:
    outputs = [Output(0) for _ in range(5)]
    engine = FakeEngine(BURSTS, [*outputs, Output(0, ended=True)])
    call = Rehearsal(engine=engine)
    call.run(*QUESTION)
    assert len(engine.spoken(Speak.CONTINUE)) == 5
    assert call.of(ReplyStarted, ReplyDone) == []
    call.run(*voice(10), *silence(4))
    assert call.of(Clear) == []


@pytest.mark.parametrize("prepares", [False, True])
def test_only_an_announced_reply_is_cleared(prepares: bool) -> None:
    traits = replace(BURSTS, prepares=prepares)
    call = Rehearsal(engine=FakeEngine(traits, [Output(0)] * 5_000))
    call.say(*QUESTION)
    for _ in range(40):
        call.turn(1)
    call.say(*voice(12))
    while call.turn(1) and not call.of(Clear) and len(call.heard) < 40:
        pass
    assert bool(call.of(Clear)) == (not prepares)
