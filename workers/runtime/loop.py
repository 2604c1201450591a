"""Runs the worker's loop: fetch, schedule, one batched step, publish; at once again while busy.

A turn reads every session's new input in one pipeline. The engine, in its own thread, steps all
slots that have work as one batch. A second pipeline writes every session's commit.
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

from shared.beats import SIGN_OF_LIFE_S
from shared.errors import SchemaError, SessionLost
from shared.log import formats, wakeups
from shared.log.meta import TRIAL_STEPS
from shared.log.records import InputRecord
from shared.log.session_log import SessionLog
from shared.log.wakeups import WakeupListener
from shared.log.writes import Receipt
from shared.modes import EngineName
from shared.redis_client.trouble import TroubleLog
from shared.settings import Settings
from shared.telemetry import REDIS_ERRORS, SESSIONS, SESSIONS_ENDED, count_receipts, timed
from workers.audio.silero_vad import listen_ahead
from workers.engines.base import Engine, Output
from workers.monitoring.probes import Probes
from workers.runtime.conversation.step import Plan
from workers.runtime.engine_thread import EngineThread, Group, batches
from workers.runtime.handover import Handover
from workers.runtime.ownership.claims import Ownership
from workers.runtime.scheduler import may_continue, rounds, tick_s
from workers.runtime.slots import HeldSession, Slots

# A caller is away when this many of the gateway's signs of life are missing: 10 s.
MISSED_SIGNS: Final = 2.5
SWEEP_EVERY_S: Final = 0.1  # reads sessions after a lost wakeup
IDLE_TURN_S: Final = 0.05  # the longest rest: a turn is cheap, and the beat counts turns
BACK_OFF_MIN_S: Final = 0.05
# Well under a lease, because a worker that returns late from an outage looks dead.
BACK_OFF_MAX_S: Final = 0.2

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
        probes: Probes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = sessions
        self.probes = probes or Probes(settings.lease_ms / 1_000)
        self.ownership = ownership
        self.engine_thread = EngineThread(engine, clock)
        self.slots = Slots(engine.slots)
        self.wakeups = WakeupListener(sessions.redis, wakeups.INPUTS)
        self._sweep_at = 0.0
        self._read: set[str] = set()  # sessions with input that was read since the last sweep
        self.turns = 0  # completed ones: the beat by which other workers see this one live
        self._engine_name: EngineName = settings.engine
        self._away_s = settings.session_resume_s + MISSED_SIGNS * SIGN_OF_LIFE_S
        self._clock = clock
        # Sessions that failed alone and why; not yet written into their logs.
        self._strikes: list[tuple[HeldSession, str]] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping`; then hand every session to another worker, within 1.6 s.

        Raises the error that ended the loop; TimeoutError when a step of the engine does not end.
        """
        claiming = asyncio.create_task(self.ownership.run(self.status, self.slots.owners, stopping))
        turning = asyncio.create_task(self._turns(stopping))
        listening = asyncio.create_task(self.wakeups.run())
        try:
            await asyncio.wait({claiming, turning}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Even after an engine's failure the other workers can go on at once.
            stopping.set()
            self.probes.leave()
            self.wakeups.stop()
            try:
                await self._handover().run(turning, claiming)
            finally:
                self.engine_thread.stop()
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    def _handover(self) -> Handover:
        return Handover(
            self.slots,
            self.ownership,
            turn=self.turn,
            release=self.release,
            clock=self._clock,
        )

    async def _turns(self, stopping: asyncio.Event) -> None:
        trouble = TroubleLog(BACK_OFF_MIN_S, BACK_OFF_MAX_S)
        while not stopping.is_set():
            begun = time.monotonic()
            try:
                busy = await self.turn()
            except (RedisError, OSError) as error:
                REDIS_ERRORS.inc()
                if said := trouble.fail(error, begun):
                    log.warning(said)
                self._excuse_all()
                self.probes.turned(redis_answers=False)
                await _sleep(stopping, trouble.pause_s)
                continue
            if said := trouble.succeed():
                log.info(said)
            rest_s = begun + tick_s(len(self.slots.sessions)) - time.monotonic()
            await asyncio.sleep(0 if busy else max(0.0, rest_s))
            if not busy:
                await self.wakeups.wait(IDLE_TURN_S)

    def _excuse_all(self) -> None:
        """Redis is away, not the callers: once it is back, each has the full time limit again."""
        now = self._clock()
        for session in self.slots.sessions.values():
            session.alive_at = now

    def status(self) -> dict[str, Any]:
        """What this worker publishes of itself."""
        return {
            "beat": self.turns,
            "reads": formats.READS,
            "slots": self.slots.count,
            "free": self.slots.free,
            "ended": self.slots.released,
            "engine": str(self._engine_name),
            "step_ms": round(self.engine_thread.times.smooth_ms, 2),
            "step_p95_ms": round(self.engine_thread.times.p95_ms, 2),
            "step_p99_ms": round(self.engine_thread.times.p99_ms, 2),
            "slowest_step_ms": round(self.engine_thread.times.slowest_ms, 2),
            "step_limit_ms": self.engine_thread.engine.traits.step_limit_ms,
            "takeovers": self.ownership.takeovers,
            "pid": os.getpid(),
            "text": self.engine_thread.engine.traits.reads,
            "voices": self.engine_thread.engine.offer.voices,
            "styles": self.engine_thread.engine.offer.styles,
        }

    async def turn(self) -> bool:
        """Make one pass over all sessions; return whether one of them has more to do at once."""
        with timed("turn"):
            self._place_arrivals()
            self._drop_lost()
            await self._open()
            await self._fetch()
            awake = [s for s in self._awake() if s.steppable]
            await self._detect_ahead(awake)
            await self._rounds(awake)
            await self._publish()
            await self._rebuild_failed()
            await self._retire()
        self.turns += 1
        self.probes.turned(redis_answers=True)
        awake = self._awake()
        return any(map(HeldSession.hurries, awake, self._may_continue(awake)))

    def _awake(self) -> list[HeldSession]:
        """The sessions that may have work: at each moment most callers' are at rest."""
        return [s for s in self.slots.sessions.values() if not s.resting]

    def _place_arrivals(self) -> None:
        while self.ownership.arrivals and self.slots.free:
            arrival = self.ownership.arrivals.pop(0)
            if old := self.slots.sessions.get(arrival.sid):
                self.release(old)  # we lost it and claimed it back before we noticed
            self.slots.take(
                sid=arrival.sid,
                owner=arrival.owner,
                conversation=arrival.rebuilt.conversation,
                now=self._clock(),
                opening=arrival.rebuilt.opening,
            )
        SESSIONS.set(len(self.slots.sessions))

    def _drop_lost(self) -> None:
        """Free the slots of sessions that are gone or another worker's, even silent ones."""
        for sid, owner in self.ownership.lost:
            session = self.slots.sessions.get(sid)
            if session is not None and session.owner == owner:
                log.warning("session %s is dropped: it is gone or another worker's", sid)
                SESSIONS_ENDED.labels("lost").inc()
                self.release(session)
        self.ownership.lost.clear()

    async def _open(self) -> None:
        for session, error in await self.engine_thread.open(list(self.slots.sessions.values())):
            self._note_failure(session, error)

    async def _fetch(self) -> None:
        """Read the input of sessions that a wakeup named, and every 100 ms of all others."""
        wanted, now = self.wakeups.take(), self._clock()
        if sweeping := now >= self._sweep_at:
            self._sweep_at = now + (SWEEP_EVERY_S if self.wakeups.subscribed else 0.0)
            wanted |= self.slots.sessions.keys() - self._read
            self._read.clear()
        sessions = [s for s in self.slots.sessions.values() if s.sid in wanted or not s.fetched]
        with timed("fetch"):
            try:
                found = await self.log.read_inputs(
                    [(session.sid, session.read_to) for session in sessions]
                )
            except SchemaError:
                return await self._fetch_each(sessions)
        for session, records in zip(sessions, found, strict=True):
            self._offer(session, records)
        if not sweeping:
            self._read |= wanted

    async def _fetch_each(self, sessions: Sequence[HeldSession]) -> None:
        """Read each session alone, since the input of one cannot be read; end that one."""
        for session in sessions:
            try:
                self._offer(
                    session, (await self.log.read_inputs([(session.sid, session.read_to)]))[0]
                )
            except SchemaError as error:
                log.warning("session %s cannot go on: %s", session.sid, error)
                await self.ownership.give_up(session.sid, session.owner, "unreadable")
                self.release(session)

    def _offer(self, session: HeldSession, records: Sequence[tuple[int, InputRecord]]) -> None:
        session.fetched = True
        if records:
            session.conversation.offer(records)
            session.read_to = records[-1][0]
            session.alive_at = self._clock()

    async def _detect_ahead(self, sessions: Sequence[HeldSession]) -> None:
        """Let a trained VAD take these sessions' new audio as one batch, off the event loop."""
        waiting = [backlog for s in sessions if (backlog := s.conversation.vad_backlog)]
        if waiting:
            try:
                with timed("vad"):
                    await self.engine_thread.run_between(partial(listen_ahead, waiting))
            except Exception:  # one session's fault: planning that session finds it again
                log.exception("the VAD cannot take the audio of %d sessions ahead", len(waiting))

    async def _rounds(self, sessions: Sequence[HeldSession]) -> None:
        """Step each session once; step lagging sessions more often.

        It leaves out sessions until their last commit is stored: nothing runs ahead of the log.
        """
        for _ in range(rounds(self.engine_thread.times.smooth_ms)):
            plans = self._plan(sessions)
            self._settle([pair for pair in plans if pair[1].idle], {})
            for group in batches([pair for pair in plans if not pair[1].idle]):
                await self._step(group)
            sessions = [
                session
                for session in sessions
                if session.conversation.waiting and not (session.stale or session.opening)
            ]
            if not sessions:
                return

    def _plan(self, sessions: Sequence[HeldSession]) -> list[tuple[HeldSession, Plan]]:
        allowed = self._may_continue(sessions)
        plans: list[tuple[HeldSession, Plan]] = []
        for session, may in zip(sessions, allowed, strict=True):
            try:
                plan = session.planned or session.conversation.plan(may_continue=may)
            except Exception as error:  # a fault in one session must not reach the others
                log.exception("session %s cannot be planned", session.sid)
                self._strike(session, error)
                continue
            session.planned = None
            if plan is not None and plan.opening is not None and plan.opening.history:
                session.open_first(plan)  # a whole history at once would stall other sessions
            elif plan is not None:
                plans.append((session, plan))
        return plans

    def _may_continue(self, sessions: Sequence[HeldSession]) -> list[bool]:
        leads = [session.conversation.lead for session in sessions]
        return may_continue(leads, self.engine_thread.engine.traits.enough_frames)

    async def _step(self, group: Group) -> None:
        """Call the engine once. If it fails, try each session of the group alone."""
        try:
            outputs = await self.engine_thread.step(group)
        except Exception as error:  # whatever it is: an engine's fault must not end the calls
            log.exception("the engine failed at a step of %d sessions", len(group))
            for session, _ in group:
                session.stale = True
                session.isolated_until = session.conversation.state.step + TRIAL_STEPS
            if len(group) == 1:
                self._note_failure(group[0][0], error)
        else:
            self._settle(group, outputs)

    def _note_failure(self, session: HeldSession, error: Exception) -> None:
        """The engine failed at this session alone. Raises RuntimeError if the engine is broken."""
        self._strike(session, error)
        self.engine_thread.note_failure(session, error)

    def _strike(self, session: HeldSession, error: Exception) -> None:
        """The session failed by itself: rebuild it, unless that was its last strike."""
        session.stale = True
        self._strikes.append((session, repr(error)))

    def _settle(self, plans: Group, outputs: dict[int, Output]) -> None:
        for session, _ in plans:
            try:
                write = session.conversation.settle(outputs.get(session.slot), self.log.writes)
                session.pending.append(write.commit(session.sid, session.owner))
            except Exception as error:  # a fault in one session must not reach the others
                log.exception("session %s cannot settle its step", session.sid)
                self._strike(session, error)

    async def _publish(self) -> None:
        owing = [(s, c) for s in self.slots.sessions.values() for c in s.pending]
        with timed("publish"):
            receipts = await self.log.commit([commit for _, commit in owing])
        count_receipts("commit", (r.answer for r in receipts if isinstance(r, Receipt)))
        for (session, commit), receipt in zip(owing, receipts, strict=True):
            # After a gap the later commits are refused too; they stay pending in order.
            if session.pending and session.pending[0] is commit:
                self._receive(session, receipt)
        failed = [receipt for receipt in receipts if isinstance(receipt, Exception)]
        if failed and len(failed) == len(receipts):
            raise failed[0]  # Redis is full or read-only: the loop backs off

    async def _rebuild_failed(self) -> None:
        """Rebuild the sessions at which the engine failed from their logs, or give them up."""
        while self._strikes:
            # Off the list first: a lost answer must not make one failure two strikes.
            session, reason = self._strikes.pop(0)
            kept = await self.ownership.strike(session.sid, session.owner, reason)
            if not kept and self.slots.sessions.get(session.sid) is session:
                self.release(session)
        for session in [s for s in self.slots.sessions.values() if s.stale and not s.pending]:
            rebuilt = await self.ownership.rebuild(session.sid, session.owner)
            if rebuilt is None:
                self.release(session)
            else:
                session.restart(rebuilt.conversation, rebuilt.opening)

    def _receive(self, session: HeldSession, receipt: Receipt | Exception) -> None:
        session.refused = isinstance(receipt, Exception)
        if isinstance(receipt, Exception):
            REDIS_ERRORS.inc()
            log.warning("a commit of %s failed, it is sent again: %s", session.sid, receipt)
            return
        try:
            session.receive(receipt, self._clock())
        except SessionLost as error:
            log.warning("session %s is dropped: %s", session.sid, error)
            SESSIONS_ENDED.labels(f"commit {receipt.answer}").inc()
            self.release(session)

    async def _retire(self) -> None:
        """End sessions if their callers hung up or have been away for too long."""
        now = self._clock()
        for session in list(self.slots.sessions.values()):
            ended = session.conversation.state.ended
            reason = "hung up" if ended else "away"
            if not session.pending and (ended or now - session.alive_at > self._away_s):
                await self.ownership.give_up(session.sid, session.owner, reason)
                log.info("session %s ended: %s", session.sid, reason)
                self.release(session)

    def release(self, session: HeldSession) -> None:
        """Free a session's slot."""
        self.slots.release(session)
        self.engine_thread.close_later(session)


async def _sleep(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep until a stop at most; zero lets the other tasks run once."""
    if seconds == 0:
        await asyncio.sleep(0)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
