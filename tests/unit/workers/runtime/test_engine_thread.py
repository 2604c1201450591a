"""The engine's thread: what is opened when, whose fault a failure is, how long steps take."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from workers.engines.base import Opening, Output, Past, Work
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.engine_thread import MIN_TIMES, WINDOW_S, Drive, StepTimes
from workers.runtime.replay import ALONE_S
from workers.runtime.slots import Seat, Slots

STEP = Past((np.zeros(1_920, dtype=np.int16),))
PAST = Opening(1, (STEP,))
LONG = Opening(1, (STEP,) * 3)
FRESH = Opening(1)


class NotingEngine(EchoEngine):
    """Notes what it is asked."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.calls: list[tuple[str, int]] = []
        self.bad_slot = -1

    def open(self, slot: int, opening: Opening) -> None:
        """Note, or fail."""
        self.calls.append(("open", slot))
        if slot == self.bad_slot:
            raise ValueError("bad past")

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Note each piece."""
        for past in history:
            self.calls.append(("past", slot))
            yield from super().replay(slot, (past,))

    def close(self, slot: int) -> None:
        """Note."""
        self.calls.append(("close", slot))

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Nothing."""
        return []


def seats(*openings: Opening | None) -> list[Seat]:
    slots = Slots(len(openings))
    return [slots.take(f"s{i}", "o", Conversation(), 0.0, o) for i, o in enumerate(openings)]


def slow_drive(engine: NotingEngine) -> Drive:
    """Its every look at the clock is a second later: a piece takes all the time there is."""
    return Drive(engine, itertools.count().__next__)


async def test_all_fresh_slots_are_opened_and_one_past_a_piece_at_a_time() -> None:
    engine = NotingEngine(4)
    drive, here = slow_drive(engine), seats(LONG, FRESH, PAST, FRESH)
    assert await drive.open(here) == []
    assert engine.calls == [("open", 1), ("open", 3), ("open", 2), ("past", 2)]
    assert [seat.able for seat in here] == [False, True, False, True]
    engine.calls.clear()
    drive.leave(here[1])
    await drive.open(here)
    assert engine.calls == [("close", 1)]
    assert here[2].able
    engine.calls.clear()
    for pieces in range(1, 4):
        await drive.open(here)
        assert engine.calls == [("open", 0), *[("past", 0)] * pieces]
        assert not here[0].able
    await drive.open(here)
    assert here[0].able
    assert len(engine.calls) == 4
    drive.stop()


async def test_who_leaves_in_the_middle_of_its_past_leaves_no_piece_behind() -> None:
    engine = NotingEngine(2)
    drive, here = slow_drive(engine), seats(LONG, LONG)
    await drive.open(here)
    drive.leave(here[0])
    engine.calls.clear()
    await drive.open(here[1:])
    assert engine.calls == [("close", 0), ("open", 1), ("past", 1)]
    drive.stop()


async def test_nobody_to_wait_for_it_lets_a_past_be_read_in_one_go() -> None:
    engine = NotingEngine(1)
    now = iter([0.0, ALONE_S / 3, ALONE_S / 2, ALONE_S * 0.9])
    drive, (seat,) = Drive(engine, now.__next__), seats(LONG)
    await drive.open([seat])
    assert seat.able
    drive.stop()


async def test_who_has_just_failed_is_opened_last() -> None:
    engine = NotingEngine(2)
    drive, here = Drive(engine), seats(PAST, LONG)
    drive.blame(here[0], ValueError("fault"))
    await drive.open(here)
    await drive.open(here)
    assert [slot for call, slot in engine.calls if call == "open"] == [1, 0]
    drive.stop()


async def test_who_cannot_be_opened_is_named_and_the_others_are_open() -> None:
    engine = NotingEngine(3)
    engine.bad_slot = 1
    drive, here = Drive(engine), seats(FRESH, FRESH, FRESH)
    ((seat, error),) = await drive.open(here)
    assert (seat.sid, str(error)) == ("s1", "bad past")
    assert len(engine.calls) == 3
    drive.stop()


async def test_a_past_that_cannot_be_read_is_its_sessions_fault() -> None:
    engine = NotingEngine(2)
    engine.bad_slot = 0
    drive, here = Drive(engine), seats(PAST, LONG)
    ((seat, error),) = await drive.open(here)
    assert (seat.sid, str(error)) == ("s0", "bad past")
    await drive.open(here)
    assert [s.able for s in here] == [True, True]
    drive.stop()


async def test_two_failures_without_a_good_step_between_them_are_the_engines() -> None:
    drive, (one, two) = Drive(NotingEngine(2)), seats(None, None)
    fault = ValueError("fault")
    drive.blame(one, fault)
    drive.blame(one, fault)
    await drive.step([])
    drive.blame(two, fault)
    with pytest.raises(RuntimeError, match="broken"):
        drive.blame(one, fault)
    drive.stop()


def test_the_p99_is_that_of_the_last_seconds_and_forgives_one_outlier() -> None:
    now = 0.0
    times = StepTimes(lambda: now)
    times.note(500.0)
    assert times.p99_ms == 0.0, "one step tells nothing"
    for _ in range(MIN_TIMES):
        times.note(10.0)
    assert times.p99_ms == 10.0
    for _ in range(MIN_TIMES):
        times.note(90.0)
    assert times.p99_ms == 90.0
    now = WINDOW_S + 1
    assert times.p99_ms == 0.0


def test_the_p95_does_not_mind_one_slow_step_in_twenty() -> None:
    times = StepTimes(lambda: 0.0)
    for number in range(120):
        times.note(100.0 if number % 30 == 0 else 40.0)
    assert (times.p95_ms, times.p99_ms) == (40.0, 100.0)
