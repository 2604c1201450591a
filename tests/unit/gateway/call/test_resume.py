"""What a resumed caller has missed."""

import pytest

from gateway.call.playout import Frame, Playout, TextAt
from gateway.call.resume import Outcome, missed
from shared.log.records import Clear, OutputRecord, ReplyDone, ReplyStarted, Skip, Speech, Text


def speech(frame: int, generation: int = 1) -> Speech:
    return Speech(frame, generation, bytes(4 * 960))


LOG: list[OutputRecord] = [
    ReplyStarted(1, 1),
    Text(1, "a"),
    speech(1),
    Text(1, "b"),
    speech(5),
    speech(9),
    ReplyDone(1, 13, "end"),
]


def resumed(records: list[OutputRecord], frame: int, last: int) -> tuple[Outcome, list[object]]:
    found = missed(records, frame, last)
    playout = Playout(lead_frames=1_000, next_frame=found.next_frame)
    urgent = playout.feed(found.records, 0.0)
    return found.outcome, [*urgent, *playout.due(0.0)]


@pytest.mark.parametrize("frame", range(13))
def test_every_later_frame_comes_once_and_in_order(frame: int) -> None:
    outcome, left = resumed(LOG, frame, 12)
    assert outcome is Outcome.RECOVERED
    assert [f.number for f in left if isinstance(f, Frame)] == list(range(frame + 1, 13))
    assert left[-1] == ReplyDone(1, 13, "end")


@pytest.mark.parametrize("frame", [1, 2, 4, 6])
def test_text_from_before_the_last_frame_is_not_sent_again(frame: int) -> None:
    found = missed(LOG, frame, 12)
    playout = Playout(lead_frames=1_000, next_frame=found.next_frame)
    playout.feed(found.records, 0.0)
    assert playout.counts.doubled == 0
    words = [item.text for item in playout.due(0.0) if isinstance(item, TextAt)]
    assert words == (["b"] if frame <= 4 else [])


def test_trimmed_frames_are_reported_as_a_skip() -> None:
    outcome, left = resumed(LOG[4:], 2, 12)
    assert outcome is Outcome.SKIPPED
    assert left[0] == Skip(3, 4, "trimmed")
    assert [f.number for f in left if isinstance(f, Frame)] == list(range(5, 13))


def test_a_log_without_records_continues_after_its_last_frame() -> None:
    outcome, left = resumed([], 2, 12)
    assert (outcome, left) == (Outcome.SKIPPED, [Skip(3, 12, "trimmed")])


def test_a_log_that_ends_before_the_callers_frame_is_not_recovered() -> None:
    found = missed(LOG, 40, 12)
    assert (found.outcome, found.next_frame) == (Outcome.NOT_RECOVERED, 13)


def test_an_interrupted_reply_is_not_continued() -> None:
    log = [*LOG[:-1], Clear(1, 13), ReplyStarted(2, 13), speech(13, generation=2)]
    outcome, left = resumed(log, 6, 16)
    assert outcome is Outcome.RECOVERED
    assert left[0] == Clear(1, 13)
    assert [f.generation for f in left if isinstance(f, Frame)] == [2] * 4


def test_frames_trimmed_before_a_clear_are_no_loss() -> None:
    log: list[OutputRecord] = [Clear(1, 13), ReplyStarted(2, 13), speech(13, generation=2)]
    outcome, left = resumed(log, 6, 16)
    assert outcome is Outcome.RECOVERED
    assert Skip not in {type(item) for item in left}
