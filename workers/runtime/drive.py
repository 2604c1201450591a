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
from workers.runtime.slots import Seat
from workers.runtime.turn import Plan

WINDOW_S: Final = 10.0  # "recent", for the p99
MAX_TIMES: Final = 1_024  # 10 s of a loop that steps 100 times a second
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
        self._times: deque[tuple[float, float]] = deque(maxlen=MAX_TIMES)

    def note(self, taken_ms: float) -> None:
        """A step took so long."""
        self.smooth_ms += _SMOOTHING * (taken_ms - self.smooth_ms)
        self._times.append((self._clock(), taken_ms))

    @property
    def p99_ms(self) -> float:
        """Of the last 10 s; 0 when there were too few steps to say."""
        since = self._clock() - WINDOW_S
        while self._times and self._times[0][0] < since:
            self._times.popleft()
        if len(self._times) < MIN_TIMES:
            return 0.0
        ordered = sorted(ms for _, ms in self._times)
        return ordered[int(0.99 * (len(ordered) - 1))]


class Drive:
    """The only one that calls the engine, one call at a time, never on the event loop."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.times = StepTimes(clock)
        self._thread = ThreadPoolExecutor(1, "engine")
        self._closing: list[int] = []
        self._failed_alone: set[str] = set()  # since the last step that went well

    def leave(self, seat: Seat) -> None:
        """Its slot is to be closed before another session gets it."""
        self._closing.append(seat.slot)

    async def open(self, seats: Sequence[Seat]) -> list[tuple[Seat, Exception]]:
        """Open the slots of who has just come; who failed, and how.

        Of those with a past one at a time: to read it again takes long, and the neighbours must
        be stepped in between.
        """
        waiting = [(seat, seat.opening) for seat in seats if seat.opening is not None]
        pasts = [pair for pair in waiting if pair[1].history]
        # Who has just failed comes last: whether the others fail too says whose fault it is.
        pasts.sort(key=lambda pair: pair[0].sid in self._failed_alone)
        now = [pair for pair in waiting if not pair[1].history] + pasts[:1]
        closing, self._closing = self._closing, []
        if not (closing or now):
            return []
        job = partial(_open, self.engine, closing, [(s.slot, o) for s, o in now])
        errors = await self._run(job)
        for seat, _ in now:
            seat.opening = None
        return [(seat, e) for (seat, _), e in zip(now, errors, strict=True) if e is not None]

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

    def stop(self) -> None:
        """Call it no more; a call that hangs is not waited for."""
        self._thread.shutdown(wait=False)

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)


def _open(
    engine: Engine, closing: Sequence[int], openings: Sequence[tuple[int, Opening]]
) -> list[Exception | None]:
    """In the engine's thread: free slots, (re)build slots; what each slot's building failed of."""
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
