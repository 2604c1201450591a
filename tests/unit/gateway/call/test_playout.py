"""The playout: absolute deadlines, a small lead, numbers without gaps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call.playout import FRAME_S, MAX_QUEUED_FRAMES, Frame, Playout, TextAt
from shared.log.records import (
    Clear,
    OutputRecord,
    ReplyDone,
    ReplyStarted,
    Skip,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Text,
)

LEAD = 10


def speech(frame: int, frames: int = 4, generation: int = 1) -> Speech:
    pcm = b"".join((frame + i).to_bytes(2, "little") * 480 for i in range(frames))
    return Speech(frame, generation, pcm)


def reply(first: int, records: int, generation: int = 1) -> list[OutputRecord]:
    middle = [speech(first + 4 * i, generation=generation) for i in range(records)]
    end = first + 4 * records
    return [ReplyStarted(generation, first), *middle, ReplyDone(generation, end, "end")]


def play(playout: Playout, start: float, seconds: float) -> list[tuple[float, object]]:
    """Poll every millisecond; returns what left, and when."""
    left: list[tuple[float, object]] = []
    for tick in range(round(seconds * 1_000)):
        now = start + tick / 1_000
        left += [(now, item) for item in playout.due(now)]
    return left


def frames(left: list[tuple[float, object]]) -> list[tuple[float, Frame]]:
    return [(at, item) for at, item in left if isinstance(item, Frame)]


def test_a_reply_fills_the_buffer_and_then_sends_a_frame_every_20_ms() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed(reply(1, 20), 5.0)
    left = frames(play(playout, 5.0, 2.0))
    assert [f.number for _, f in left] == list(range(1, 81))
    for at, frame in left:
        due = 5.0 + max(0, frame.number - LEAD) * FRAME_S
        assert due <= at <= due + 0.0011
    assert max(playout.counts.late_s) <= 0.0011
    assert playout.counts.underruns == 0


def test_a_group_leaves_together_within_the_lead() -> None:
    playout = Playout(lead_frames=LEAD, group_frames=4)
    playout.feed(reply(1, 20), 5.0)
    left = frames(play(playout, 5.0, 2.0))
    assert [f.number for _, f in left] == list(range(1, 81))
    ahead = [frame.number - int((at - 5.0) / FRAME_S + 1e-6) for at, frame in left]
    assert max(ahead) == LEAD
    assert min(ahead[LEAD:]) == LEAD - 3, "the first of a group is not late"
    assert len({at for at, _ in left}) == 1 + 18, "the first ten, then four at a time"
    assert max(playout.counts.late_s) <= 0.0011


def test_a_late_poll_does_not_shift_the_rest() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed(reply(1, 20), 0.0)
    playout.due(0.0)
    assert len(playout.due(0.1001)) == 5
    assert playout.next_due(0.1001) == pytest.approx(0.12)


def test_flags_mark_the_first_and_last_frame_of_a_reply() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed(reply(1, 1), 0.0)
    left = playout.due(0.0)
    assert left[0] == ReplyStarted(1, 1)
    assert left[-1] == ReplyDone(1, 5, "end")
    assert [f.flags for f in left if isinstance(f, Frame)] == [1, 0, 0, 2]


def test_events_leave_with_the_frame_they_belong_to() -> None:
    playout = Playout(lead_frames=3)
    playout.feed([ReplyStarted(1, 1), Text(1, "one"), speech(1), Text(1, "two"), speech(5)], 0.0)
    assert playout.due(0.0)[:2] == [ReplyStarted(1, 1), TextAt(1, 1, "one")]
    left = play(playout, 0.0, 0.2)
    index = [item for _, item in left].index(TextAt(1, 5, "two"))
    assert left[index - 1][1].number == 4  # type: ignore[attr-defined] # a Frame
    assert left[index + 1][0] <= left[index][0] + 2 * FRAME_S


def test_speech_events_overtake_what_is_queued() -> None:
    playout = Playout(lead_frames=LEAD)
    assert playout.feed([*reply(1, 9), SpeechStarted(7), SpeechStopped(9)], 0.0) == [
        SpeechStarted(7),
        SpeechStopped(9),
    ]


def test_after_a_clear_no_frame_of_the_reply_leaves() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed(reply(1, 20), 0.0)
    playout.due(0.0)
    clear = Clear(1, 81)
    assert playout.feed([clear, *reply(81, 2, generation=2)], 0.1) == [clear]
    left = frames(play(playout, 0.1, 0.5))
    assert [(f.number, f.generation) for _, f in left] == [(n, 2) for n in range(81, 89)]
    assert left[-1][0] == 0.1  # the player's buffer is empty, so it is filled again
    assert playout.counts.missing == 0


def test_an_underrun_is_counted_and_the_buffer_filled_again() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed([ReplyStarted(1, 1), speech(1)], 0.0)
    playout.due(0.0)
    playout.feed([speech(5), speech(9), speech(13), speech(17)], 1.0)
    assert len(playout.due(1.0)) == LEAD
    assert playout.counts.underruns == 1


def test_a_new_reply_after_a_pause_is_no_underrun() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed(reply(1, 1), 0.0)
    playout.due(0.0)
    playout.feed(reply(5, 1, generation=2), 3.0)
    assert len(playout.due(3.0)) == 6
    assert playout.counts.underruns == 0


def test_missing_frames_are_reported_and_doubled_ones_dropped() -> None:
    playout = Playout(lead_frames=100)
    playout.feed([speech(1), speech(9), speech(9), speech(11)], 0.0)
    left = playout.due(0.0)
    assert Skip(5, 8, "missing") in left
    assert [f.number for f in left if isinstance(f, Frame)] == [1, 2, 3, 4, *range(9, 15)]
    assert (playout.counts.missing, playout.counts.doubled) == (4, 6)


def test_a_skip_moves_the_playhead() -> None:
    playout = Playout(lead_frames=3)
    playout.feed([speech(1), Skip(5, 104, "caught up"), speech(105)], 0.0)
    left = play(playout, 0.0, 0.2)
    numbers = [f.number for _, f in frames(left)]
    assert numbers == [1, 2, 3, 4, 105, 106, 107, 108]
    assert left[-1][0] <= 0.105
    assert playout.counts.missing == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=30))
def test_numbers_are_contiguous_except_after_a_clear(steps: list[tuple[int, bool]]) -> None:
    playout = Playout(lead_frames=LEAD)
    frame, generation, now, expected = 1, 1, 0.0, 1
    for count, interrupted in steps:
        records: list[OutputRecord] = [speech(frame, count, generation)]
        frame += count
        if interrupted:
            records.append(Clear(generation, frame))
            generation += 1
        playout.feed(records, now)
        if interrupted:
            expected = frame
        now += 0.05
        for item in playout.due(now):
            assert isinstance(item, Frame)
            assert item.number == expected
            assert item.pcm == item.number.to_bytes(2, "little") * 480
            expected += 1
    assert playout.counts.missing == playout.counts.doubled == 0


def test_the_estimated_playhead_follows_the_clock() -> None:
    playout = Playout(lead_frames=3)
    assert playout.playhead(9.0) == 0
    playout.feed(reply(1, 10), 10.0)
    playout.due(10.0)
    assert [playout.playhead(10.0 + t) for t in (0.0, 0.021, 0.041, 1.0)] == [0, 1, 2, 3]


def test_a_full_queue_takes_no_more() -> None:
    playout = Playout(lead_frames=LEAD)
    playout.feed([speech(1 + 4 * i) for i in range(MAX_QUEUED_FRAMES // 4 + 1)], 0.0)
    assert playout.full
    play(playout, 0.0, 0.1)
    assert not playout.full
