"""Turns: when they begin and end, what interrupts them, what is written of them."""

from collections.abc import Sequence

import numpy as np
import pytest

from shared.audio import CHUNK_SAMPLES
from shared.log.records import (
    Base,
    Cancel,
    Clear,
    Commit,
    Detach,
    End,
    Mode,
    Options,
    OutputRecord,
    Played,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Step,
    Truncate,
)
from shared.modes import ReplyMode
from tests.sounds import joined, noise, silence, talking, voice
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Output, Speak, Traits, Work
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.state import Phase
from workers.runtime.conversation.tuning import Tuning

A_TURN = [*silence(6), *voice(10), *silence(9)]


class Silent(EchoEngine):
    """A gated engine that never speaks."""

    traits = Traits()

    def __init__(self) -> None:
        super().__init__(1)

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Nothing is said."""
        return [Output(work.slot, (b"",) * len(work.hear)) for work in batch]


def kinds(records: list[OutputRecord]) -> list[str]:
    return [type(record).__name__ for record in records]


def test_a_turn_is_answered_with_all_of_it_and_its_pre_roll() -> None:
    call = Rehearsal()
    call.run(*A_TURN)
    assert call.events == [
        SpeechStarted(7),
        SpeechStopped(24),
        ReplyStarted(1, 1),
        ReplyDone(1, len(call.pcm) // 960 + 1, "end"),
    ]
    assert call.heard == list(range(2, 25))  # five chunks before the onset, to the decision
    assert call.pcm == joined(A_TURN[1:24])


def test_a_turn_ends_after_the_silence_that_was_asked_for() -> None:
    call = Rehearsal(tuning=Tuning(silence_ms=240))
    call.run(*voice(10), *silence(9))
    assert call.events[1] == SpeechStopped(13)


def test_a_blip_starts_no_turn() -> None:
    call = Rehearsal()
    blip = voice(1)[0].copy()
    blip[1_440:] = 0  # 60 ms of 80
    call.run(*silence(6), blip, *silence(10))
    assert call.outputs == []
    assert call.phase() is Phase.ASLEEP
    assert call.heard  # it woke the engine, though


@pytest.mark.parametrize("level", [300, 3_000, 20_000])
def test_noise_without_speech_starts_no_turn(level: int) -> None:
    call = Rehearsal()
    call.run(*silence(10), *noise(60, level=level), *silence(10))
    assert call.outputs == []
    assert call.heard == []


def test_a_turn_that_will_not_end_is_ended_when_its_context_is_full() -> None:
    call = Rehearsal()
    call.run(*talking(300))
    assert call.of(SpeechStopped)
    assert len([n for n in call.heard if n <= call.of(SpeechStopped)[0].n]) == 250  # type: ignore[union-attr]


def test_a_reply_goes_no_further_ahead_of_the_caller_than_it_may() -> None:
    call = Rehearsal()
    call.run(*talking(60), *silence(8))
    assert call.conversation.state.frame == 200
    assert call.phase() is Phase.REPLYING
    call.run(Played(41))
    assert call.conversation.state.frame == 240


def test_a_reply_of_more_steps_than_it_may_have_ends_there() -> None:
    call = Rehearsal()
    call.run(*talking(150), *silence(8))
    while call.phase() is Phase.REPLYING:
        call.run(Played(call.conversation.state.frame))
    assert call.conversation.state.frame == 128 * 4
    assert call.of(ReplyDone) == [ReplyDone(1, 513, "length")]


def test_speaking_over_a_reply_clears_it_and_keeps_what_was_heard_of_it() -> None:
    call = Rehearsal()
    call.run(*A_TURN)
    last = call.conversation.state.frame
    call.run(Played(82), *voice(11, pitch_hz=190))
    assert kinds(call.events)[-2:] == ["Clear", "SpeechStarted"]
    assert call.of(Clear) == [Clear(1, last + 1)]
    # Frames 1 to 82 were heard: the first 20 steps of the reply wholly, the next in part.
    begin = next(k for k, s in call.steps if isinstance(s, Step) and s.speak == Speak.BEGIN)
    assert [s for _, s in call.steps if isinstance(s, Truncate)] == [Truncate(1, begin + 19)]
    call.run(*silence(9))
    assert call.of(ReplyStarted)[1] == ReplyStarted(2, last + 1)
    assert joined(voice(11, pitch_hz=190)) in call.pcm


def test_a_reply_in_the_making_is_cancelled_when_it_is_spoken_over() -> None:
    call = Rehearsal()
    call.run(*talking(60), *silence(8))
    call.run(*voice(6, pitch_hz=190))
    assert kinds(call.events)[-3:] == ["Clear", "ReplyDone", "SpeechStarted"]
    assert call.of(ReplyDone) == [ReplyDone(1, 201, "cancelled")]


@pytest.mark.parametrize("gain", [0.03, 0.3])
def test_the_assistant_coming_back_interrupts_nothing(gain: float) -> None:
    call = Rehearsal()
    call.run(*A_TURN)
    reply = np.frombuffer(call.pcm, "<i2").reshape(-1, CHUNK_SAMPLES)
    for index, chunk in enumerate([*silence(2), *reply]):  # 160 ms behind the playhead
        call.run(
            Played(min(4 * index + 1, call.conversation.state.frame)),
            (gain * chunk).astype(np.int16),
        )
    assert call.of(Clear) == []
    assert len(call.of(SpeechStarted)) == 1


def test_a_reply_that_was_heard_to_its_end_cannot_be_interrupted() -> None:
    call = Rehearsal()
    call.run(*A_TURN)
    call.run(Played(call.conversation.state.frame), *voice(6))
    assert call.of(Clear) == []
    assert call.phase() is Phase.HEARING


def test_a_reply_counts_as_heard_when_its_time_and_two_seconds_have_passed() -> None:
    call = Rehearsal()
    call.run(*A_TURN)
    frames = call.conversation.state.frame
    call.run(*silence(frames // 4 + 25))
    assert call.phase() is Phase.PLAYING
    call.run(*silence(1))
    assert call.phase() is Phase.ASLEEP


def test_cancel_stops_the_reply_and_nothing_else() -> None:
    call = Rehearsal()
    call.run(Cancel(), *A_TURN)
    call.run(Cancel(), Cancel())
    assert kinds(call.events)[-1] == "Clear"
    assert len(call.of(Clear)) == 1
    assert call.phase() is Phase.ASLEEP


def test_push_to_talk_hears_everything_and_ends_at_the_commit_alone() -> None:
    call = Rehearsal()
    quiet = noise(20, level=20)  # nothing that a VAD would hear
    call.run(Options(manual=True), *quiet[:10])
    assert call.outputs == []
    call.run(*quiet[10:], Commit())
    assert call.pcm == joined(quiet)
    call.run(Played(call.conversation.state.frame), Commit())
    assert len(call.of(ReplyStarted)) == 1  # nothing was said since


def test_push_to_talk_over_a_reply_interrupts_it_and_is_answered() -> None:
    call = Rehearsal(tuning=Tuning(manual=True))
    faint = noise(20, level=20)  # nothing that a VAD would hear over a reply
    call.run(*voice(60), Commit())
    call.run(*faint)
    assert call.of(Clear) == []
    call.run(Commit())
    assert call.of(Clear) == [Clear(1, 201)]
    assert kinds(call.events)[-3:] == ["SpeechStopped", "ReplyStarted", "ReplyDone"]
    assert call.pcm.endswith(joined(faint))


def test_push_to_talk_over_a_reply_is_answered_by_the_next_worker_too() -> None:
    call = Rehearsal(tuning=Tuning(manual=True))
    faint = noise(20, level=20)
    call.run(*voice(60), Commit(), *faint)
    call.die()
    call.run(Commit())
    assert call.pcm.endswith(joined(faint))


def test_push_to_talk_answers_the_last_two_seconds_that_were_said_over_a_reply() -> None:
    call = Rehearsal(tuning=Tuning(manual=True))
    faint = noise(40, level=20)
    call.run(*voice(60), Commit(), *faint, Commit())
    assert call.pcm.endswith(joined(faint[-25:]))
    assert joined(faint[-26:]) not in call.pcm


def test_a_key_that_bounces_interrupts_nothing() -> None:
    call = Rehearsal(tuning=Tuning(manual=True))
    call.run(*voice(60), Commit(), *silence(1), Commit(), Commit())
    assert call.of(Clear) == []
    assert len(call.of(ReplyStarted)) == 1


def test_a_commit_in_a_reply_whose_turn_the_vad_ended_interrupts_nothing() -> None:
    call = Rehearsal()
    call.run(*talking(60), *silence(8), *noise(10, level=20), Commit())
    assert call.of(Clear) == []


def test_push_to_talk_survives_its_silences() -> None:
    call = Rehearsal(tuning=Tuning(manual=True))
    call.run(*silence(600), *voice(10), *silence(20), Commit())
    assert joined(voice(10)) in call.pcm


def test_push_to_talk_keeps_the_question_of_who_pauses_in_it() -> None:
    call = Rehearsal(tuning=Tuning(manual=True))
    first, second = voice(10), voice(6, pitch_hz=190)
    call.run(*silence(30), *first, *silence(25), *second, Commit())
    call.run(Played(call.conversation.state.frame))
    assert joined(first) in call.pcm
    assert joined(second) in call.pcm


def test_push_to_talk_means_nothing_in_stream_mode() -> None:
    call = Rehearsal(ReplyMode.STREAM, Silent(), Tuning(manual=True))
    call.run(*silence(20), Commit())
    assert call.heard == []
    assert call.outputs == []


def test_commit_ends_a_turn_at_once() -> None:
    call = Rehearsal()
    call.run(*voice(5), Commit())
    assert call.of(SpeechStopped) == [SpeechStopped(6)]
    assert call.pcm == joined(voice(5))


def test_echo_streams_every_chunk_in_one_endless_reply() -> None:
    call = Rehearsal(ReplyMode.STREAM)
    chunks = noise(600)
    call.run(*chunks)
    assert call.pcm == joined(chunks)
    assert call.events == [ReplyStarted(1, 1)]
    assert sum(isinstance(step, Base) for _, step in call.steps) == 3  # bounded context


def test_mode_switches_end_what_goes_on() -> None:
    call = Rehearsal(ReplyMode.STREAM)
    call.run(*noise(4), Mode("turn"), *A_TURN)
    call.run(Mode("turn"), Mode("stream"), *noise(2))
    assert kinds(call.events) == [
        *("ReplyStarted", "ReplyDone"),
        *("SpeechStarted", "SpeechStopped", "ReplyStarted", "ReplyDone"),
        "ReplyStarted",
    ]
    assert [record.generation for record in call.of(ReplyStarted)] == [1, 2, 3]  # type: ignore[union-attr]


def test_a_mode_switch_clears_a_reply_in_the_making() -> None:
    call = Rehearsal()
    call.run(*talking(60), *silence(8))
    call.run(Mode("stream"))
    assert call.of(Clear) == [Clear(1, 201)]


def test_detach_changes_nothing_and_end_ends() -> None:
    call = Rehearsal()
    call.run(Detach(), *A_TURN)
    assert call.pcm
    call.run(End())
    assert call.conversation.state.ended


def test_asleep_all_that_waits_is_one_step() -> None:
    call = Rehearsal()
    call.run(*silence(40), Played(0))
    assert len(call.writes) == 1
    assert call.writes[0].cursor == 41
    assert call.writes[0].keep_inputs == 36  # the pre-roll


def test_frames_are_contiguous_through_everything() -> None:
    call = Rehearsal()
    call.run(*A_TURN, *voice(5), *silence(9), Mode("stream"), *noise(7), Mode("turn"), *A_TURN)
    expected = 1
    for record in call.speech:
        assert record.frame == expected
        expected += record.frames
    assert call.conversation.state.frame == expected - 1


def test_a_conversation_rests_while_no_record_waits_and_no_reply_is_in_the_making() -> None:
    conversation = Rehearsal().conversation
    rests = [conversation.resting]
    assert conversation.plan() is None
    conversation.offer([(1, Cancel())])
    rests.append(conversation.resting)
    conversation.plan()
    conversation.settle(None)
    rests.append(conversation.resting)
    assert rests == [True, False, True]


def test_a_reply_that_waits_for_its_playhead_does_not_rest() -> None:
    call = Rehearsal()
    call.run(*talking(60), *silence(8))
    assert call.conversation.plan() is None
    assert not call.conversation.resting


def test_settle_wants_a_plan() -> None:
    with pytest.raises(RuntimeError, match="plan"):
        Rehearsal().conversation.settle(None)
