"""The worker's loop: fetch, schedule, one batched step, publish; again at once while there is work.

A turn reads every session's new input in one pipeline, lets the engine step all slots that have
work as one batch in its own thread, and writes every session's commit in one pipeline.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from redis.exceptions import RedisError

from shared.errors import SchemaError, SessionLost
from shared.log import wakeups as bell
from shared.log.meta import TRIAL_STEPS
from shared.log.records import InputRecord
from shared.log.session_log import SessionLog
from shared.log.wakeups import Bell
from shared.log.writes import Receipt
from shared.modes import EngineName
from shared.settings import Settings
from shared.telemetry import REDIS_ERRORS, SESSIONS, SESSIONS_ENDED, count_receipts, timed
from workers.audio.silero_vad import listen_ahead
from workers.engines.base import Engine, Output
from workers.runtime.conversation.turn import Plan
from workers.runtime.engine_thread import Drive, Group
from workers.runtime.handover import Departure
from workers.runtime.ownership.claims import Ownership
from workers.runtime.scheduler import may_continue, rounds, tick_s
from workers.runtime.slots import Seat, Slots

# The gateway gives a sign of life at least this often, so a caller is surely gone after more.
SIGN_OF_LIFE_S: Final = 10.0
SWEEP_EVERY_S: Final = 0.1  # the input that was not read meanwhile is, rung for or not
# A turn without a ring: it is cheap, and the beat that others see of us counts turns.
IDLE_TURN_S: Final = 0.05
BACK_OFF_MIN_S: Final = 0.05
BACK_OFF_MAX_S: Final = 0.2  # well under a lease: who comes back late from an outage looks dead
log = logging.getLogger(__name__)


class WorkerLoop:
    """All sessions of one worker."""

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
        self.drive = Drive(engine, clock)
        self.slots = Slots(engine.slots)
        self.bell = Bell(sessions.redis, bell.INPUTS)
        self._sweep_at = 0.0
        self._read: set[str] = set()  # sessions whose input was read since the last sweep
        self.turns = 0  # completed ones: what the others see of this worker's life
        self._engine_name: EngineName = settings.engine
        self._away_s = settings.session_resume_s + SIGN_OF_LIFE_S
        self._clock = clock
        self._strikes: list[tuple[Seat, str]] = []  # failed alone, and why: yet to be written down

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; then every session goes to another worker, within 1.6 s.

        Raises what ended the loop before; TimeoutError when the engine is in a step that does not
        end, and its thread with it.
        """
        claiming = asyncio.create_task(self.ownership.run(self.status, self.held, stopping))
        turning = asyncio.create_task(self._turns(stopping))
        listening = asyncio.create_task(self.bell.run())
        try:
            await asyncio.wait({claiming, turning}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Whatever ended the loop, an engine's failure too: the others can go on at once.
            stopping.set()
            self.bell.stop()
            try:
                await Departure(self, self._clock).leave(turning, claiming)
            finally:
                self.drive.stop()
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _turns(self, stopping: asyncio.Event) -> None:
        back_off_s = BACK_OFF_MIN_S
        while not stopping.is_set():
            begun = time.monotonic()
            try:
                busy = await self.turn()
            except (RedisError, OSError) as error:
                REDIS_ERRORS.inc()
                log.warning("the loop waits for Redis: %s", error)
                self._hear_of_all()
                await _sleep(stopping, back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_MAX_S)
                continue
            back_off_s = BACK_OFF_MIN_S
            rest_s = begun + tick_s(len(self.slots.seats)) - time.monotonic()
            await asyncio.sleep(0 if busy else max(0.0, rest_s))
            if not busy:
                await self.bell.wait(IDLE_TURN_S)

    def _hear_of_all(self) -> None:
        """Redis is away, not the callers: when it is back, each has the whole time to be heard."""
        now = self._clock()
        for seat in self.slots.seats.values():
            seat.alive_at = now

    def status(self) -> dict[str, Any]:
        """What this worker publishes of itself."""
        return {
            "beat": self.turns,
            "slots": self.slots.count,
            "free": self.slots.free,
            "engine": str(self._engine_name),
            "step_ms": round(self.drive.times.smooth_ms, 2),
            "step_p95_ms": round(self.drive.times.p95_ms, 2),
            "step_p99_ms": round(self.drive.times.p99_ms, 2),
            "takeovers": self.ownership.takeovers,
            "pid": os.getpid(),
            "voices": self.drive.engine.offer.voices,
            "styles": self.drive.engine.offer.styles,
        }

    def held(self) -> dict[str, str]:
        """The sessions that have a seat, and the owner that we are of each."""
        return {seat.sid: seat.owner for seat in self.slots.seats.values()}

    async def turn(self) -> bool:
        """One pass over all sessions; whether some session has more to do at once."""
        with timed("turn"):
            self._seat_arrivals()
            self._drop_lost()
            await self._open()
            await self._fetch()
            await self._listen()
            await self._rounds([s for s in self.slots.seats.values() if s.able])
            await self._publish()
            await self._recall()
            await self._retire()
        self.turns += 1
        return any(map(_hurries, self.slots.seats.values()))

    def _seat_arrivals(self) -> None:
        while self.ownership.arrivals and self.slots.free:
            arrival = self.ownership.arrivals.pop(0)
            if old := self.slots.seats.get(arrival.sid):
                self.leave(old)  # we lost it, and did not know yet that we won it back
            who = (arrival.sid, arrival.owner, arrival.talk)
            self.slots.take(*who, self._clock(), arrival.opening)
        SESSIONS.set(len(self.slots.seats))

    def _drop_lost(self) -> None:
        """Free the slots of sessions that are gone or another's, though they have been silent."""
        for sid, owner in self.ownership.lost:
            seat = self.slots.seats.get(sid)
            if seat is not None and seat.owner == owner:
                log.warning("session %s is dropped: it is gone or another worker's", sid)
                SESSIONS_ENDED.labels("lost").inc()
                self.leave(seat)
        self.ownership.lost.clear()

    async def _open(self) -> None:
        for seat, error in await self.drive.open(list(self.slots.seats.values())):
            self._blame(seat, error)

    async def _fetch(self) -> None:
        """Read the input of whom the bell rang for, and now and then of everybody."""
        wanted, now = self.bell.take(), self._clock()
        if sweeping := now >= self._sweep_at:
            self._sweep_at = now + (SWEEP_EVERY_S if self.bell.works else 0.0)
            wanted |= self.slots.seats.keys() - self._read
            self._read.clear()
        seats = [s for s in self.slots.seats.values() if s.sid in wanted or not s.fetched]
        with timed("fetch"):
            try:
                found = await self.log.read_inputs([(seat.sid, seat.read_to) for seat in seats])
            except SchemaError:
                return await self._fetch_each(seats)
        for seat, records in zip(seats, found, strict=True):
            self._offer(seat, records)
        if not sweeping:
            self._read |= wanted

    async def _fetch_each(self, seats: Sequence[Seat]) -> None:
        """Some session's input cannot be read: its neighbours' can, and it must end."""
        for seat in seats:
            try:
                self._offer(seat, (await self.log.read_inputs([(seat.sid, seat.read_to)]))[0])
            except SchemaError as error:
                log.warning("session %s cannot go on: %s", seat.sid, error)
                await self.ownership.give_up(seat.sid, seat.owner, "unreadable")
                self.leave(seat)

    def _offer(self, seat: Seat, records: Sequence[tuple[int, InputRecord]]) -> None:
        seat.fetched = True
        if records:
            seat.talk.offer(records)
            seat.read_to = records[-1][0]
            seat.alive_at = self._clock()

    async def _listen(self) -> None:
        """A trained VAD hears what is new of all sessions as one batch, off the event loop."""
        waiting = [u for s in self.slots.seats.values() if s.able and (u := s.talk.unheard)]
        if waiting:
            try:
                with timed("vad"):
                    await self.drive.aside(partial(listen_ahead, waiting))
            except Exception:  # a fault in one session: it is found again when that one is planned
                log.exception("the VAD cannot hear %d sessions ahead", len(waiting))

    async def _rounds(self, seats: Sequence[Seat]) -> None:
        """A step of each session; more at once of those that are behind with their input.

        Sessions whose last commit is not yet stored are left out: nothing runs ahead of the log.
        """
        for _ in range(rounds(self.drive.times.smooth_ms)):
            plans = self._plan(seats)
            self._settle([pair for pair in plans if pair[1].idle], {})
            for group in _groups([pair for pair in plans if not pair[1].idle]):
                await self._step(group)
            seats = [seat for seat in seats if seat.talk.waiting and not seat.stale]
            if not seats:
                return

    def _plan(self, seats: Sequence[Seat]) -> list[tuple[Seat, Plan]]:
        allowed = may_continue([seat.talk.lead for seat in seats])
        plans: list[tuple[Seat, Plan]] = []
        for seat, may in zip(seats, allowed, strict=True):
            try:
                plan = seat.talk.plan(may_continue=may)
            except Exception as error:  # a fault in one session must not reach its neighbours
                log.exception("session %s cannot be planned", seat.sid)
                self._strike(seat, error)
            else:
                plans += [(seat, plan)] if plan is not None else []
        return plans

    async def _step(self, group: Group) -> None:
        """One call of the engine. When it fails, each of the group is tried alone."""
        try:
            outputs = await self.drive.step(group)
        except Exception as error:  # whatever it is: an engine's fault must not end the calls
            log.exception("the engine failed at a step of %d sessions", len(group))
            for seat, _ in group:
                seat.stale = True
                seat.alone_until = seat.talk.step + TRIAL_STEPS
            if len(group) == 1:
                self._blame(group[0][0], error)
        else:
            self._settle(group, outputs)

    def _blame(self, seat: Seat, error: Exception) -> None:
        """The engine failed at it alone. Raises when it is the engine that is broken."""
        self._strike(seat, error)
        self.drive.blame(seat, error)

    def _strike(self, seat: Seat, error: Exception) -> None:
        """It failed by itself: it is to go on from its log, if it may."""
        seat.stale = True
        self._strikes.append((seat, repr(error)))

    def _settle(self, plans: Group, outputs: dict[int, Output]) -> None:
        for seat, _ in plans:
            try:
                turn = seat.talk.settle(outputs.get(seat.slot))
                seat.pending.append(turn.commit(seat.sid, seat.owner))
            except Exception as error:  # a fault in one session must not reach its neighbours
                log.exception("session %s cannot settle its step", seat.sid)
                self._strike(seat, error)

    async def _publish(self) -> None:
        owing = [(s, c) for s in self.slots.seats.values() for c in s.pending]
        with timed("publish"):
            receipts = await self.log.commit([commit for _, commit in owing])
        count_receipts("commit", (r.answer for r in receipts if isinstance(r, Receipt)))
        for (seat, commit), receipt in zip(owing, receipts, strict=True):
            # After a gap the commits behind it are refused too; they stay pending in order.
            if seat.pending and seat.pending[0] is commit:
                self._receive(seat, receipt)
        failed = [receipt for receipt in receipts if isinstance(receipt, Exception)]
        if failed and len(failed) == len(receipts):
            raise failed[0]  # Redis is full or read-only: the loop backs off

    async def _recall(self) -> None:
        """Sessions at which the engine failed go on from the log, or are given up."""
        while self._strikes:
            # Off the list first: an answer that is lost must not make one failure two strikes.
            seat, reason = self._strikes.pop(0)
            kept = await self.ownership.strike(seat.sid, seat.owner, reason)
            if not kept and self.slots.seats.get(seat.sid) is seat:
                self.leave(seat)
        for seat in [s for s in self.slots.seats.values() if s.stale and not s.pending]:
            found = await self.ownership.recall(seat.sid, seat.owner)
            if found is None:
                self.leave(seat)
            else:
                seat.again(*found)

    def _receive(self, seat: Seat, receipt: Receipt | Exception) -> None:
        seat.refused = isinstance(receipt, Exception)
        if isinstance(receipt, Exception):
            REDIS_ERRORS.inc()
            log.warning("a commit of %s failed, it is sent again: %s", seat.sid, receipt)
            return
        try:
            seat.received(receipt, self._clock())
        except SessionLost as error:
            log.warning("session %s is dropped: %s", seat.sid, error)
            SESSIONS_ENDED.labels(f"commit {receipt.answer}").inc()
            self.leave(seat)

    async def _retire(self) -> None:
        """End what its caller has ended, or has not been heard of for too long."""
        now = self._clock()
        for seat in list(self.slots.seats.values()):
            reason = "hung up" if seat.talk.ended else "away"
            if not seat.pending and (seat.talk.ended or now - seat.alive_at > self._away_s):
                await self.ownership.give_up(seat.sid, seat.owner, reason)
                log.info("session %s ended: %s", seat.sid, reason)
                self.leave(seat)

    def leave(self, seat: Seat) -> None:
        """It has no seat here any more."""
        self.slots.leave(seat)
        self.drive.leave(seat)


def _groups(plans: Group) -> list[Group]:
    """One batch of all, but for those that are to be stepped alone."""
    batch = [pair for pair in plans if not pair[0].alone]
    alone = [[pair] for pair in plans if pair[0].alone]
    return [batch, *alone] if batch else [*alone]


def _hurries(seat: Seat) -> bool:
    """Whether the next turn can do something for it at once."""
    if seat.pending:
        return not seat.refused
    return seat.opening is not None or seat.stale or seat.talk.ready


async def _sleep(stopping: asyncio.Event, seconds: float) -> None:
    """Rest, but not into a stop; zero lets the others run once."""
    if seconds == 0:
        await asyncio.sleep(0)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
