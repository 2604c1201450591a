"""The engine's thread: what is opened when, whose fault a failure is, how long steps take."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from shared.recent import WINDOW_S
from workers.engines.base import Opening, Output, Past, Work
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.engine_thread import HALF_LIFE_S, MIN_TIMES, EngineThread, StepTimes
from workers.runtime.replay import ALONE_S
from workers.runtime.slots import HeldSession, Slots

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


def sessions(*openings: Opening | None) -> list[HeldSession]:
    slots = Slots(len(openings))
    return [slots.take(f"s{i}", "o", Conversation(), 0.0, o) for i, o in enumerate(openings)]


def slow_thread(engine: NotingEngine) -> EngineThread:
    """Its every look at the clock is a second later: a piece takes all the time there is."""
    return EngineThread(engine, itertools.count().__next__)


async def test_all_fresh_slots_are_opened_and_one_past_a_piece_at_a_time() -> None:
    engine = NotingEngine(4)
    thread, here = slow_thread(engine), sessions(LONG, FRESH, PAST, FRESH)
    assert await thread.open(here) == []
    assert engine.calls == [("open", 1), ("open", 3), ("open", 2), ("past", 2)]
    assert [session.steppable for session in here] == [False, True, False, True]
    engine.calls.clear()
    thread.close_later(here[1])
    await thread.open(here)
    assert engine.calls == [("close", 1)]
    assert here[2].steppable
    engine.calls.clear()
    for pieces in range(1, 4):
        await thread.open(here)
        assert engine.calls == [("open", 0), *[("past", 0)] * pieces]
        assert not here[0].steppable
    await thread.open(here)
    assert here[0].steppable
    assert len(engine.calls) == 4
    thread.stop()


async def test_who_leaves_in_the_middle_of_its_past_leaves_no_piece_behind() -> None:
    engine = NotingEngine(2)
    thread, here = slow_thread(engine), sessions(LONG, LONG)
    await thread.open(here)
    thread.close_later(here[0])
    engine.calls.clear()
    await thread.open(here[1:])
    assert engine.calls == [("close", 0), ("open", 1), ("past", 1)]
    thread.stop()


async def test_nobody_to_wait_for_it_lets_a_past_be_read_in_one_go() -> None:
    engine = NotingEngine(1)
    now = iter([0.0, ALONE_S / 3, ALONE_S / 2, ALONE_S * 0.9])
    thread, (session,) = EngineThread(engine, now.__next__), sessions(LONG)
    await thread.open([session])
    assert session.steppable
    thread.stop()


async def test_who_has_just_failed_is_opened_last() -> None:
    engine = NotingEngine(2)
    thread, here = EngineThread(engine), sessions(PAST, LONG)
    thread.note_failure(here[0], ValueError("fault"))
    await thread.open(here)
    await thread.open(here)
    assert [slot for call, slot in engine.calls if call == "open"] == [1, 0]
    thread.stop()


async def test_who_cannot_be_opened_is_named_and_the_others_are_open() -> None:
    engine = NotingEngine(3)
    engine.bad_slot = 1
    thread, here = EngineThread(engine), sessions(FRESH, FRESH, FRESH)
    ((session, error),) = await thread.open(here)
    assert (session.sid, str(error)) == ("s1", "bad past")
    assert len(engine.calls) == 3
    thread.stop()


async def test_a_past_that_cannot_be_read_is_its_sessions_fault() -> None:
    engine = NotingEngine(2)
    engine.bad_slot = 0
    thread, here = EngineThread(engine), sessions(PAST, LONG)
    ((session, error),) = await thread.open(here)
    assert (session.sid, str(error)) == ("s0", "bad past")
    await thread.open(here)
    assert [s.steppable for s in here] == [True, True]
    thread.stop()


async def test_two_failures_without_a_good_step_between_them_are_the_engines() -> None:
    thread, (one, two) = EngineThread(NotingEngine(2)), sessions(None, None)
    fault = ValueError("fault")
    thread.note_failure(one, fault)
    thread.note_failure(one, fault)
    await thread.step([])
    thread.note_failure(two, fault)
    with pytest.raises(RuntimeError, match="broken"):
        thread.note_failure(one, fault)
    thread.stop()


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


def test_a_pause_does_not_forget_how_slow_steps_were() -> None:
    now = 0.0
    times = StepTimes(lambda: now)
    for _ in range(MIN_TIMES):
        times.note(80.0)
    assert times.p95_ms == 80.0
    now = WINDOW_S + 1
    assert times.p95_ms == pytest.approx(80.0 * 0.5 ** (now / HALF_LIFE_S))
    now = 10 * HALF_LIFE_S
    assert times.p95_ms < 0.1
    assert times.slowest_ms == 0.0
    for _ in range(MIN_TIMES):
        times.note(8.0)
    assert (times.p95_ms, times.slowest_ms) == (8.0, 8.0)


def test_the_p95_does_not_mind_one_slow_step_in_twenty() -> None:
    times = StepTimes(lambda: 0.0)
    for number in range(120):
        times.note(100.0 if number % 30 == 0 else 40.0)
    assert (times.p95_ms, times.p99_ms) == (40.0, 100.0)
