"""The small parts of the runtime: endpoint, reply, guard, retention, scheduler, slots."""

import msgpack
import numpy as np
import pytest

from shared.audio import CHUNK_SAMPLES
from shared.errors import ConfigError, SessionLost
from shared.log.records import ReplyDone, ReplyStarted, Speech, Step, Text
from shared.log.writes import Answer, Receipt, StepCommit
from tests.commits import a_commit
from tests.sounds import noise, silence, talking, voice
from workers.audio.endpointing import Endpoint
from workers.audio.energy_vad import Vad
from workers.audio.silero_vad import SileroVad
from workers.engines.base import Output
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.limiter import CEILING, Guard
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.retention import Retention
from workers.runtime.conversation.speech_detector import SpeechDetector
from workers.runtime.conversation.step import Chunk
from workers.runtime.scheduler import (
    CATCH_UP_ROUNDS,
    TICK_MAX_S,
    TICK_MIN_S,
    TURN_BUDGET_MS,
    may_continue,
    rounds,
    tick_s,
)
from workers.runtime.slots import HeldSession, Slots

THRESHOLD = 0.001


@pytest.mark.parametrize("vad", [Vad, SileroVad])
def test_a_detector_keeps_its_vad_and_goes_on_without_one_that_is_not_here(
    vad: type[Vad] | type[SileroVad], monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = [Chunk(n, pcm) for n, pcm in enumerate([*noise(3), *talking(5)], 1)]
    detector = SpeechDetector(vad())
    for chunk in chunks:
        detector.hear(chunk, THRESHOLD)
    state = msgpack.unpackb(msgpack.packb(detector.state()))
    restored = SpeechDetector.restore(state)
    assert restored.state() == detector.state()
    assert (restored.batched_vad is None) == (vad is Vad)

    def missing() -> None:
        raise ConfigError("Expected the package silero-vad")

    monkeypatch.setattr("workers.audio.silero_vad.load_silero", missing)
    elsewhere = SpeechDetector.restore(state)
    assert elsewhere.batched_vad is None
    assert (elsewhere.onset, elsewhere.run_n) == (detector.onset, detector.run_n)


def test_endpoint_counts_a_run_over_short_gaps() -> None:
    endpoint = Endpoint()
    endpoint.hear([True] * 4 + [False] * 4 + [True] * 2)
    assert endpoint.speech_ms == 120
    assert endpoint.hear([False] * 5) == 120
    assert (endpoint.speech_ms, endpoint.silence_ms) == (0, 100)
    assert Endpoint.restore(endpoint.state()).state() == endpoint.state()


def test_guard_passes_ordinary_audio_bit_for_bit() -> None:
    chunk = noise(1)[0]
    assert Guard().check(chunk) is chunk


def test_guard_limits_without_clipping() -> None:
    loud = (np.sin(np.arange(1_920) / 10) * 3).astype(np.float32)
    guard = Guard()
    first = guard.check(loud)
    assert np.abs(first).max() <= round(CEILING * 32_767)
    quieter = [np.sqrt(np.mean(guard.check(loud).astype(float) ** 2)) for _ in range(10)][-1]
    assert quieter < 0.4 * 32_768  # the level guard holds it near -9 dBFS


def test_guard_heals_what_is_no_number() -> None:
    sick = np.array([np.nan, np.inf, -np.inf, 0.5], dtype=np.float32)
    assert Guard().check(sick).tolist() == [0, 0, 0, 16384]


def test_guard_goes_on_where_its_gain_stood() -> None:
    loud = [np.full(1_920, 30_000, dtype=np.int16), *noise(3)]
    whole = Guard()
    parts = [whole.check(chunk) for chunk in loud]
    half = Guard()
    half.check(loud[0])
    other = Guard(half.gain)
    assert all(
        np.array_equal(other.check(chunk), part)
        for chunk, part in zip(loud[1:], parts[1:], strict=True)
    )


def test_reply_fills_its_last_frame_and_cuts_at_four() -> None:
    reply = Reply(generation=3, first=11, before=0, kept=0)
    audio = np.ones(2_500, dtype=np.int16)
    records = reply.records(
        Output(0, pcm=audio, text="hi", ended=True), step=9, frame=10, most_steps=None
    )
    assert records[:2] == [ReplyStarted(3, 11), Text(3, "hi")]
    assert [r.frame for r in records if isinstance(r, Speech)] == [11, 15]
    assert records[-1] == ReplyDone(3, 17, "end")
    assert reply.done


def test_reply_knows_which_steps_were_heard() -> None:
    reply = Reply(generation=1, first=1, before=0, kept=4)
    chunk = np.ones(CHUNK_SAMPLES, dtype=np.int16)
    for step in (5, 6, 7):
        reply.records(Output(0, pcm=chunk), step, frame=(step - 5) * 4, most_steps=None)
    reply.note_played(7)
    assert reply.kept == 5
    reply.note_played(8)
    assert reply.kept == 6
    assert reply.lead(frame=12, played=8) == 4


def test_retention_keeps_two_seconds_of_what_was_played() -> None:
    retention = Retention()
    speech = [(m, Speech(m * 4 - 3, 1, bytes(3_840))) for m in range(1, 501)]
    retention.note(speech)
    assert retention.oldest_output(500, frame=2_000, played=1_900) == 437  # the newest 64
    assert retention.oldest_output(900, frame=2_000, played=1_900) == 451  # frame 1,801 on


def test_retention_of_a_caller_who_plays_nothing_is_bounded() -> None:
    retention = Retention()
    retention.note((m, Speech(m * 4 - 3, 1, bytes(3_840))) for m in range(1, 501))
    assert retention.oldest_output(500, frame=2_000, played=0) == 313  # 750 frames


def test_a_reply_that_is_ahead_waits_for_one_that_runs_dry() -> None:
    assert may_continue([None, 5, 100]) == [True, True, False]
    assert may_continue([None, 30, 100]) == [True, True, True]


def test_replies_that_are_all_well_ahead_wait_and_then_go_on_together() -> None:
    assert may_continue([None, 50, 70], enough=50) == [True, False, False]
    assert may_continue([None, 49, 70], enough=50) == [True, True, True]
    assert may_continue([None, None], enough=50) == [True, True]
    assert may_continue([50, 70]) == [True, True]  # an engine that gains nothing by it


def test_who_is_behind_catches_up_within_half_of_a_chunks_time() -> None:
    assert rounds(0.0) == rounds(10.0) == CATCH_UP_ROUNDS == 4
    assert rounds(15.0) == 2
    assert all(rounds(ms) * ms <= TURN_BUDGET_MS for ms in range(1, 41))
    assert rounds(500.0) == 1  # however slow a step is, everybody gets theirs


def test_the_tick_grows_with_the_load() -> None:
    assert TICK_MIN_S <= tick_s(1) < tick_s(10) < tick_s(1_000) == TICK_MAX_S


def commit(k: int) -> StepCommit:
    step = Step(cursor=k, generation=0)
    return a_commit(
        sid="s",
        owner="1:w:x",
        first_step=k,
        steps=(step,),
        outputs=(),
        cursor=k,
        frame=0,
        generation=0,
    )


def session_with(*pending: int) -> HeldSession:
    session = Slots(1).take("s", "1:w:x", Conversation(), now=0.0)
    session.pending.extend(commit(k) for k in pending)
    return session


def test_slots_give_the_lowest_free_one_and_take_it_back() -> None:
    slots = Slots(2)
    first = slots.take("a", "o", Conversation(), 0.0)
    slots.take("b", "o", Conversation(), 0.0)
    assert slots.free == 0
    with pytest.raises(IndexError):
        slots.take("c", "o", Conversation(), 0.0)
    slots.release(first)
    assert slots.take("c", "o", Conversation(), 0.0).slot == first.slot


def test_a_duplicate_is_success() -> None:
    session = session_with(1)
    session.receive(Receipt(Answer.DUPLICATE, 1), now=0.0)
    assert not session.pending


def test_a_gap_sends_again_what_the_log_lost_in_order() -> None:
    session = session_with(1, 2, 3, 4)
    for k in (1, 2, 3):
        session.receive(Receipt(Answer.STORED, k), now=0.0)
    session.receive(Receipt(Answer.GAP, 1), now=0.0)
    assert [c.first_step for c in session.pending] == [2, 3, 4]
    for k in (2, 3, 4):
        session.receive(Receipt(Answer.STORED, k), now=0.0)
    session.pending.append(commit(5))
    session.receive(Receipt(Answer.GAP, 1), now=0.0)
    assert [c.first_step for c in session.pending] == [2, 3, 4, 5]


def test_a_gap_older_than_what_is_kept_loses_the_session() -> None:
    session = session_with(1, 2, 3)
    session.receive(Receipt(Answer.STORED, 1), now=0.0)
    session.receive(Receipt(Answer.STORED, 2), now=10.0)
    with pytest.raises(SessionLost, match="too much is lost"):
        session.receive(Receipt(Answer.GAP, 0), now=10.0)


@pytest.mark.parametrize("answer", [Answer.FENCED, Answer.GONE])
def test_another_owner_or_none_loses_the_session(answer: Answer) -> None:
    with pytest.raises(SessionLost, match=str(answer)):
        session_with(1).receive(Receipt(answer, 0), now=0.0)


def test_speech_and_silence_are_what_they_seem() -> None:
    assert all(np.any(chunk) for chunk in voice(2))
    assert not any(np.any(chunk) for chunk in silence(2))
