"""The engine's thread: what is opened when, whose fault a failure is, how long steps take."""

from collections.abc import Sequence

import numpy as np
import pytest

from workers.engines.base import Opening, Output, Past, Work
from workers.engines.echo import EchoEngine
from workers.runtime.conversation import Conversation
from workers.runtime.drive import MIN_TIMES, WINDOW_S, Drive, StepTimes
from workers.runtime.slots import Seat, Slots

PAST = Opening(1, (Past((np.zeros(1_920, dtype=np.int16),)),))
FRESH = Opening(1)


class NotingEngine(EchoEngine):
    """Notes what it is asked."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.calls: list[tuple[str, int]] = []
        self.bad_slot = -1

    def open(self, slot: int, opening: Opening) -> None:
        """Note, or fail."""
        self.calls.append(("past" if opening.history else "fresh", slot))
        if slot == self.bad_slot:
            raise ValueError("bad past")

    def close(self, slot: int) -> None:
        """Note."""
        self.calls.append(("close", slot))

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Nothing."""
        return []


def seats(*openings: Opening | None) -> list[Seat]:
    slots = Slots(len(openings))
    return [slots.take(f"s{i}", "o", Conversation(), 0.0, o) for i, o in enumerate(openings)]


async def test_all_fresh_slots_and_one_with_a_past_are_opened_at_a_time() -> None:
    engine = NotingEngine(4)
    drive, here = Drive(engine), seats(PAST, FRESH, PAST, FRESH)
    assert await drive.open(here) == []
    assert engine.calls == [("fresh", 1), ("fresh", 3), ("past", 0)]
    assert [seat.able for seat in here] == [True, True, False, True]
    engine.calls.clear()
    drive.leave(here[1])
    await drive.open(here)
    assert engine.calls == [("close", 1), ("past", 2)]
    engine.calls.clear()
    await drive.open(here)
    assert engine.calls == []
    drive.stop()


async def test_who_has_just_failed_is_opened_last() -> None:
    engine = NotingEngine(2)
    drive, here = Drive(engine), seats(PAST, PAST)
    drive.blame(here[0], ValueError("fault"))
    await drive.open(here)
    await drive.open(here)
    assert engine.calls == [("past", 1), ("past", 0)]
    drive.stop()


async def test_who_cannot_be_opened_is_named_and_the_others_are_open() -> None:
    engine = NotingEngine(3)
    engine.bad_slot = 1
    drive, here = Drive(engine), seats(FRESH, FRESH, FRESH)
    ((seat, error),) = await drive.open(here)
    assert (seat.sid, str(error)) == ("s1", "bad past")
    assert len(engine.calls) == 3
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
