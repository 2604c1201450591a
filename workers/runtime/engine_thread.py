"""The engine in its own thread: slots opened, stepped and closed, and how long a step takes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from shared.telemetry import timed
from workers.engines.base import Engine, Opening, Output, Work
from workers.runtime.conversation.turn import Plan
from workers.runtime.replay import ALONE_S, BUSY_S, Replay
from workers.runtime.slots import Seat

WINDOW_S: Final = 10.0  # "recent", for p95 and p99
MAX_TIMES: Final = 1_024  # 10 s of a loop that steps 100 times a second
SORT_EVERY: Final = 10  # steps
SORT_WITHIN_S: Final = 0.5
MIN_TIMES: Final = 20  # fewer tell nothing: the first steps after a start are slow
_SMOOTHING: Final = 0.1
# So many sessions that fail one after the other, each alone, and none that is stepped between
# them: it is the engine that is broken.
BROKEN_AFTER: Final = 2

Group = Sequence[tuple[Seat, Plan]]
_T = TypeVar("_T")


class StepTimes:
    """How long steps take, in ms. Pure but for its clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.smooth_ms = 0.0
        self._clock = clock
        self._news = 0  # steps noted since they were last sorted
        self._sorted: list[float] = []
        self._sorted_until = float("-inf")
        self._times: deque[tuple[float, float]] = deque(maxlen=MAX_TIMES)

    def note(self, taken_ms: float) -> None:
        """A step took so long."""
        self.smooth_ms += _SMOOTHING * (taken_ms - self.smooth_ms)
        self._times.append((self._clock(), taken_ms))
        self._news += 1

    @property
    def p95_ms(self) -> float:
        """Of the last 10 s; 0 when there were too few steps to say."""
        return self._at(0.95)

    @property
    def p99_ms(self) -> float:
        """As `p95_ms`."""
        return self._at(0.99)

    def _at(self, share: float) -> float:
        """Asked for fifty times a second, and sorted anew when there is news: every few steps."""
        now = self._clock()
        if self._news >= SORT_EVERY or now >= self._sorted_until:
            self._news, self._sorted_until = 0, now + SORT_WITHIN_S
            while self._times and self._times[0][0] < now - WINDOW_S:
                self._times.popleft()
            self._sorted = sorted(ms for _, ms in self._times)
        if len(self._sorted) < MIN_TIMES:
            return 0.0
        return self._sorted[int(share * (len(self._sorted) - 1))]


class Drive:
    """The only one that calls the engine, one call at a time, never on the event loop."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.times = StepTimes(clock)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "engine")
        self._closing: list[int] = []
        self._replay: Replay | None = None  # of the session whose past is being read again
        self._failed_alone: set[str] = set()  # since the last step that went well

    def leave(self, seat: Seat) -> None:
        """Its slot is to be closed before another session gets it."""
        self._closing.append(seat.slot)
        seat.opening = None

    async def open(self, seats: Sequence[Seat]) -> list[tuple[Seat, Exception]]:
        """Open the slots of who has just come; who failed, and how.

        A past is read again one session at a time, and in pieces while others are to be stepped.
        """
        fresh = [(s, s.opening) for s in seats if s.opening and not s.opening.history]
        replay = self._replay = self._next_replay(seats)
        closing, self._closing = self._closing, []
        if not (closing or fresh or replay):
            return []
        budget_s = BUSY_S if any(seat.able for seat in seats) else ALONE_S
        job = partial(_open, self.engine, closing, [(s.slot, o) for s, o in fresh])
        errors = await self._run(job)
        failed = [(seat, e) for (seat, _), e in zip(fresh, errors, strict=True) if e is not None]
        for seat, _ in fresh:
            seat.opening = None
        if replay is not None:
            failed += await self._advance(replay, budget_s)
        return failed

    def _next_replay(self, seats: Sequence[Seat]) -> Replay | None:
        """The one in hand; else the shortest past, so that most are back soonest."""
        if self._replay is not None and self._replay.wanted:
            return self._replay
        pasts = [(s, s.opening) for s in seats if s.opening is not None and s.opening.history]
        if not pasts:
            return None
        # Who has just failed comes last: whether the others fail too says whose fault it is.
        first = min(pasts, key=lambda p: (p[0].sid in self._failed_alone, len(p[1].history)))
        return Replay(*first, self._clock)

    async def _advance(self, replay: Replay, budget_s: float) -> list[tuple[Seat, Exception]]:
        seat = replay.seat
        try:
            with timed("replay"):
                whole = await self._run(partial(replay.advance, self.engine, budget_s))
        except Exception as error:  # whatever it is, it is this session's alone
            seat.opening = None
            return [(seat, error)]
        if whole:
            seat.opening = None
        return []

    async def step(self, group: Group) -> dict[int, Output]:
        """One step of the engine; its outputs by slot. Raises whatever the engine does."""
        openings = [(s.slot, plan.opening) for s, plan in group if plan.opening is not None]
        works = [plan.work(seat.slot) for seat, plan in group]
        start = time.perf_counter()
        with timed("step"):
            outputs = await self._run(partial(_step, self.engine, openings, works))
        self.times.note((time.perf_counter() - start) * 1_000)
        self._failed_alone.clear()
        return {output.slot: output for output in outputs}

    def blame(self, seat: Seat, error: Exception) -> None:
        """It failed alone. Raises the error when it is not the session that is at fault."""
        self._failed_alone.add(seat.sid)
        if len(self._failed_alone) >= BROKEN_AFTER:
            raise RuntimeError(
                f"Expected the engine to step some session, got a failure of each of "
                f"{len(self._failed_alone)}: it is broken"
            ) from error

    async def aside(self, job: Callable[[], None]) -> None:
        """Other work that is not for the event loop, between the engine's."""
        await self._run(job)

    def stop(self) -> None:
        """Call it no more; a call that hangs is not waited for."""
        self._thread.shutdown(wait=False)

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)


def _open(
    engine: Engine, closing: Sequence[int], openings: Sequence[tuple[int, Opening]]
) -> list[Exception | None]:
    """In the engine's thread: free slots, open others afresh; what each one's opening failed of."""
    for slot in closing:
        engine.close(slot)
    return [_opened(engine, slot, opening) for slot, opening in openings]


def _opened(engine: Engine, slot: int, opening: Opening) -> Exception | None:
    try:
        engine.open(slot, opening)
    except Exception as error:  # whatever it is, it is this session's alone
        return error
    return None


def _step(
    engine: Engine, openings: Sequence[tuple[int, Opening]], works: Sequence[Work]
) -> list[Output]:
    """In the engine's thread: new contexts first, then the batch."""
    for slot, opening in openings:
        engine.open(slot, opening)
    return engine.step(works)
