"""The worker's loop: fetch, schedule, one batched step, publish; again at once while there is work.

A turn reads every session's new input in one pipeline, lets the engine step all slots that have
work as one batch in its own thread, and writes every session's commit in one pipeline.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final

from redis.exceptions import RedisError

from shared.config import EngineName, Settings
from shared.errors import SchemaError, SessionLost
from shared.messages import InputRecord
from shared.streams import Receipt, SessionLog
from shared.telemetry import RECEIPTS, REDIS_ERRORS, SESSIONS, SESSIONS_ENDED, timed
from workers.engines.base import Engine, Opening, Output, Work
from workers.runtime.ownership import Ownership
from workers.runtime.scheduler import may_continue, tick_s
from workers.runtime.slots import Seat, Slots
from workers.runtime.turn import Plan

# The gateway gives a sign of life at least this often, so a caller is surely gone after more.
SIGN_OF_LIFE_S: Final = 10.0
CATCH_UP_ROUNDS: Final = 4  # steps a turn at most, for who is behind: 320 ms of input
BACK_OFF_MIN_S: Final = 0.05
BACK_OFF_MAX_S: Final = 1.0
_STEP_MS_SMOOTHING: Final = 0.1

log = logging.getLogger(__name__)


class WorkerLoop:
    """All sessions of one worker; the only one that calls the engine, one call at a time."""

    def __init__(
        self,
        sessions: SessionLog,
        ownership: Ownership,
        engine: Engine,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = sessions
        self.ownership = ownership
        self.engine = engine
        self.slots = Slots(engine.slots)
        self.turns = 0  # completed ones: what the others see of this worker's life
        self.step_ms = 0.0
        self._engine_name: EngineName = settings.engine
        self._away_s = settings.session_resume_s + SIGN_OF_LIFE_S
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "engine")
        self._closing: list[int] = []  # slots that the engine has yet to close
        self._opening: dict[int, Opening] = {}  # slots that it has yet to open

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then every session goes back to be claimed by another worker."""
        claiming = asyncio.create_task(
            self.ownership.run(self.status, lambda: set(self.slots.seats), stopping)
        )
        try:
            await self._turns(stopping, claiming)
        finally:
            # Whatever ended the loop, an engine's failure too: the others can go on at once.
            stopping.set()
            await claiming
            await self._hand_back()
            self._thread.shutdown(wait=False)

    async def _turns(self, stopping: asyncio.Event, claiming: "asyncio.Task[None]") -> None:
        back_off_s = BACK_OFF_MIN_S
        while not stopping.is_set():
            if claiming.done():
                claiming.result()
            try:
                busy = await self.turn()
            except (RedisError, OSError) as error:
                REDIS_ERRORS.inc()
                log.warning("the loop waits for Redis: %s", error)
                await _sleep(stopping, back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
                continue
            back_off_s = BACK_OFF_MIN_S
            await _sleep(stopping, 0 if busy else tick_s(len(self.slots.seats)))

    def status(self) -> dict[str, Any]:
        """What this worker publishes of itself."""
        return {
            "beat": self.turns,
            "slots": self.slots.count,
            "free": self.slots.free,
            "engine": str(self._engine_name),
            "step_ms": round(self.step_ms, 2),
            "pid": os.getpid(),
        }

    async def turn(self) -> bool:
        """One pass over all sessions; whether some session has more to do at once."""
        with timed("turn"):
            self._seat_arrivals()
            await self._fetch()
            await self._rounds([s for s in self.slots.seats.values() if not s.pending])
            await self._publish()
            await self._retire()
        self.turns += 1
        return any(seat.talk.ready or seat.pending for seat in self.slots.seats.values())

    def _seat_arrivals(self) -> None:
        while self.ownership.arrivals and self.slots.free:
            arrival = self.ownership.arrivals.pop(0)
            if old := self.slots.seats.get(arrival.sid):
                self._leave(old)  # we lost it, and did not know yet that we won it back
            seat = self.slots.take(arrival.sid, arrival.owner, arrival.talk, self._clock())
            self._opening[seat.slot] = arrival.opening
        SESSIONS.set(len(self.slots.seats))

    async def _fetch(self) -> None:
        seats = list(self.slots.seats.values())
        with timed("fetch"):
            try:
                found = await self.log.read_inputs([(seat.sid, seat.read_to) for seat in seats])
            except SchemaError:
                return await self._fetch_each(seats)
        for seat, records in zip(seats, found, strict=True):
            self._offer(seat, records)

    async def _fetch_each(self, seats: Sequence[Seat]) -> None:
        """Some session's input cannot be read: its neighbours' can, and it must end."""
        for seat in seats:
            try:
                self._offer(seat, (await self.log.read_inputs([(seat.sid, seat.read_to)]))[0])
            except SchemaError as error:
                log.warning("session %s cannot go on: %s", seat.sid, error)
                await self.ownership.give_up(seat.sid, seat.owner, "unreadable")
                self._leave(seat)

    def _offer(self, seat: Seat, records: Sequence[tuple[int, InputRecord]]) -> None:
        if records:
            seat.talk.offer(records)
            seat.read_to = records[-1][0]
            seat.alive_at = self._clock()

    async def _rounds(self, seats: Sequence[Seat]) -> None:
        """A step of each session; more at once of those that are behind with their input.

        Sessions whose last commit is not yet stored are left out: nothing runs ahead of the log.
        """
        for _ in range(CATCH_UP_ROUNDS):
            plans = self._plan(seats)
            self._settle(plans, await self._step(plans))
            seats = [seat for seat in seats if seat.talk.waiting]
            if not seats:
                return

    def _plan(self, seats: Sequence[Seat]) -> list[tuple[Seat, Plan]]:
        allowed = may_continue([seat.talk.lead for seat in seats])
        plans = []
        for seat, may in zip(seats, allowed, strict=True):
            if (plan := seat.talk.plan(may_continue=may)) is not None:
                plans.append((seat, plan))
        return plans

    async def _step(self, plans: Sequence[tuple[Seat, Plan]]) -> dict[int, Output]:
        """One call of the engine, off the event loop; its outputs by slot."""
        openings = dict(self._opening)
        for seat, plan in plans:
            if plan.opening is not None:
                openings[seat.slot] = plan.opening
        works = [plan.work(seat.slot) for seat, plan in plans if not plan.idle]
        closing, self._closing, self._opening = self._closing, [], {}
        if not (works or openings or closing):
            return {}
        job = partial(_advance, self.engine, closing, openings, works)
        start = time.perf_counter()
        with timed("step"):
            outputs = await asyncio.get_running_loop().run_in_executor(self._thread, job)
        if works:
            taken_ms = (time.perf_counter() - start) * 1_000
            self.step_ms += _STEP_MS_SMOOTHING * (taken_ms - self.step_ms)
        return {output.slot: output for output in outputs}

    def _settle(self, plans: Sequence[tuple[Seat, Plan]], outputs: dict[int, Output]) -> None:
        for seat, _ in plans:
            turn = seat.talk.settle(outputs.get(seat.slot))
            seat.pending.append(turn.commit(seat.sid, seat.owner))

    async def _publish(self) -> None:
        owing = [(s, c) for s in self.slots.seats.values() for c in s.pending]
        with timed("publish"):
            receipts = await self.log.commit([commit for _, commit in owing])
        for (seat, commit), receipt in zip(owing, receipts, strict=True):
            # After a gap the commits behind it are refused too; they stay pending in order.
            if seat.pending and seat.pending[0] is commit:
                self._receive(seat, receipt)

    def _receive(self, seat: Seat, receipt: Receipt | Exception) -> None:
        if isinstance(receipt, Exception):
            REDIS_ERRORS.inc()
            log.warning("a commit of %s failed, it is sent again: %s", seat.sid, receipt)
            return
        RECEIPTS.labels("commit", receipt.answer).inc()
        try:
            seat.received(receipt, self._clock())
        except SessionLost as error:
            log.warning("session %s is dropped: %s", seat.sid, error)
            SESSIONS_ENDED.labels(f"commit {receipt.answer}").inc()
            self._leave(seat)

    async def _retire(self) -> None:
        """End what its caller has ended, or has not been heard of for too long."""
        now = self._clock()
        for seat in list(self.slots.seats.values()):
            reason = "hung up" if seat.talk.ended else "away"
            if not seat.pending and (seat.talk.ended or now - seat.alive_at > self._away_s):
                await self.ownership.give_up(seat.sid, seat.owner, reason)
                log.info("session %s ended: %s", seat.sid, reason)
                self._leave(seat)

    def _leave(self, seat: Seat) -> None:
        self.slots.leave(seat)
        self._closing.append(seat.slot)
        self._opening.pop(seat.slot, None)

    async def _hand_back(self) -> None:
        held = {seat.sid: seat.owner for seat in self.slots.seats.values()}
        held |= {arrival.sid: arrival.owner for arrival in self.ownership.arrivals}
        await self.ownership.hand_back(held)


def _advance(
    engine: Engine, closing: Sequence[int], openings: dict[int, Opening], works: Sequence[Work]
) -> list[Output]:
    """The engine's part of a turn, in its thread: free slots, (re)build slots, step the batch."""
    for slot in closing:
        engine.close(slot)
    for slot, opening in openings.items():
        engine.open(slot, opening)
    return engine.step(works) if works else []


async def _sleep(stopping: asyncio.Event, seconds: float) -> None:
    """Rest, but not into a stop; zero lets the others run once."""
    if seconds == 0:
        await asyncio.sleep(0)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
