"""Calls the engine in a thread of its own: opens, steps and closes slots, and times the steps."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from shared.recent import Recent
from shared.telemetry import timed
from workers.engines.base import Engine, Opening, Output, Work
from workers.runtime.conversation.step import Plan
from workers.runtime.replay import ALONE_S, Replay
from workers.runtime.slots import HeldSession

MIN_TIMES: Final = 20  # fewer say nothing: the first steps after a start are slow
_SMOOTHING: Final = 0.1
# Without new steps a percentile halves in this time. Silent callers may all speak again at once,
# and a worker that forgot how slow it was would take more callers just before.
HALF_LIFE_S: Final = 20.0
# If this many sessions fail alone, one after the other, and no step succeeds between them, then the
# engine is broken, not a session.
BROKEN_AFTER: Final = 2

Group = Sequence[tuple[HeldSession, Plan]]
_T = TypeVar("_T")


def batches(plans: Group) -> list[Group]:
    """One batch of all sessions but the isolated ones, and each of these alone."""
    batch = [pair for pair in plans if not pair[0].isolated]
    alone = [[pair] for pair in plans if pair[0].isolated]
    return [batch, *alone] if batch else [*alone]


class StepTimes:
    """How long steps take, in ms. Pure, except for its clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.smooth_ms = 0.0
        self._clock = clock
        self._recent = Recent()
        self._known: dict[float, tuple[float, float]] = {}  # share -> its percentile, and when

    def note(self, taken_ms: float) -> None:
        """Add a step's duration."""
        self.smooth_ms += _SMOOTHING * (taken_ms - self.smooth_ms)
        self._recent.add((taken_ms,), self._clock())

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of the last 10 s, or the last one known, halved every 20 s.

        0 when there never were enough steps to say.
        """
        return self._percentile(0.95)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile, as `p95_ms`."""
        return self._percentile(0.99)

    @property
    def slowest_ms(self) -> float:
        """The slowest step of the last 10 s; 0 without one."""
        return max(self._recent.percentiles((1.0,), self._clock()), default=0.0)

    def _percentile(self, share: float) -> float:
        now = self._clock()
        if found := self._recent.percentiles((share,), now, least=MIN_TIMES):
            self._known[share] = found[0], now
        known, at = self._known.get(share, (0.0, now))
        return known * math.exp2(-(now - at) / HALF_LIFE_S)


class EngineThread:
    """The engine's only caller: one call at a time, never on the event loop."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.times = StepTimes(clock)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "engine")
        self._closing: list[int] = []
        self._replay: Replay | None = None  # the history that is being replayed
        self._failed_alone: set[str] = set()  # since the last successful step

    def close_later(self, session: HeldSession) -> None:
        """Close a session's slot before another session gets it."""
        self._closing.append(session.slot)
        session.opening = None

    async def open(self, sessions: Sequence[HeldSession]) -> list[tuple[HeldSession, Exception]]:
        """Open the slots of new sessions; return those that failed, and how.

        It replays histories one session at a time, in pieces while other sessions need steps.
        """
        fresh = [(s, s.opening) for s in sessions if s.opening and not s.opening.history]
        replay = self._replay = self._next_replay(sessions)
        closing, self._closing = self._closing, []
        if not (closing or fresh or replay):
            return []
        busy = any(session.steppable for session in sessions)
        budget_s = self.engine.traits.replay_ms / 1_000 if busy else ALONE_S
        job = partial(_open, self.engine, closing, [(s.slot, o) for s, o in fresh])
        errors = await self._run(job)
        failed = [(s, e) for (s, _), e in zip(fresh, errors, strict=True) if e is not None]
        for session, _ in fresh:
            session.opening = None
        if replay is not None:
            failed += await self._advance(replay, budget_s)
        return failed

    def _next_replay(self, sessions: Sequence[HeldSession]) -> Replay | None:
        """The current replay, else the shortest history, so that most sessions are back soonest."""
        if self._replay is not None and self._replay.wanted:
            return self._replay
        pasts = [(s, s.opening) for s in sessions if s.opening is not None and s.opening.history]
        if not pasts:
            return None
        # A session that just failed comes last: if others fail as well, the engine is at fault.
        first = min(pasts, key=lambda p: (p[0].sid in self._failed_alone, len(p[1].history)))
        return Replay(*first, self._clock)

    async def _advance(
        self, replay: Replay, budget_s: float
    ) -> list[tuple[HeldSession, Exception]]:
        session = replay.session
        try:
            with timed("replay"):
                whole = await self._run(partial(replay.advance, self.engine, budget_s))
        except Exception as error:  # whatever it is, it concerns this session alone
            session.opening = None
            return [(session, error)]
        if whole:
            session.opening = None
        return []

    async def step(self, group: Group) -> dict[int, Output]:
        """Step the engine once; return its outputs by slot. Raises whatever the engine does."""
        openings = [(s.slot, plan.opening) for s, plan in group if plan.opening is not None]
        works = [plan.work(session.slot) for session, plan in group]
        start = time.perf_counter()
        with timed("step"):
            outputs = await self._run(partial(_step, self.engine, openings, works))
        self.times.note((time.perf_counter() - start) * 1_000)
        self._failed_alone.clear()
        return {output.slot: output for output in outputs}

    def note_failure(self, session: HeldSession, error: Exception) -> None:
        """The engine failed at this session alone. Raises RuntimeError if the engine is broken."""
        self._failed_alone.add(session.sid)
        if len(self._failed_alone) >= BROKEN_AFTER:
            raise RuntimeError(
                f"Expected the engine to step some session, got failures of "
                f"{len(self._failed_alone)} sessions in a row: it is broken"
            ) from error

    async def run_between(self, job: Callable[[], None]) -> None:
        """Run other heavy work in the engine's thread, between the engine's calls."""
        await self._run(job)

    def stop(self) -> None:
        """Call the engine no more; do not wait for a call that hangs."""
        self._thread.shutdown(wait=False)

    async def _run(self, job: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)


def _open(
    engine: Engine, closing: Sequence[int], openings: Sequence[tuple[int, Opening]]
) -> list[Exception | None]:
    """In the engine's thread: close slots, open others; return each opening's error, or None."""
    for slot in closing:
        engine.close(slot)
    return [_opened(engine, slot, opening) for slot, opening in openings]


def _opened(engine: Engine, slot: int, opening: Opening) -> Exception | None:
    try:
        engine.open(slot, opening)
    except Exception as error:  # whatever it is, it concerns this session alone
        return error
    return None


def _step(
    engine: Engine, openings: Sequence[tuple[int, Opening]], works: Sequence[Work]
) -> list[Output]:
    """In the engine's thread: open new contexts, then step the batch."""
    for slot, opening in openings:
        engine.open(slot, opening)
    return engine.step(works)
