"""The one loop between this gateway's callers and the log.

A tick costs one pipeline, of append scripts or of reads, for all sessions together: a task or a
blocking read per session collapses at a few hundred of them. It takes part who has something to say
and the sessions that a wakeup named, and from time to time all of them.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from redis.exceptions import RedisError

from gateway.call.pacer import TIMER_RESOLUTION_S, Pacer
from gateway.call.session import Session
from gateway.protocol.errors import CallError, ErrorCode
from gateway.telemetry import metrics
from shared import telemetry
from shared.errors import SchemaError
from shared.log import wakeups
from shared.log.records import OutputRecord
from shared.log.session_log import SessionLog
from shared.log.wakeups import WakeupListener
from shared.log.writes import Receipt

logger = logging.getLogger(__name__)

# What is said waits so long for others to go along: a trip costs some ten system calls.
MAX_TICK_S: Final = 0.020  # one frame
TICK_PER_SESSION_S: Final = 0.001
# A worker's ring stands for all its sessions of a turn: with few callers it is answered sooner.
RING_PER_SESSION_S: Final = 0.00025
LOOK_S: Final = 0.004
MAX_TRIES: Final = 10  # doublings of the pause after a failure
CLAIM_EVERY_S: Final = 0.005  # while somebody waits for a worker
SWEEP_EVERY_S: Final = 0.1  # who was not looked at meanwhile takes part, rung for or not
DEAF_EVERY_S: Final = 0.01  # ... while no wakeups arrive
MAX_BACKOFF_S: Final = 0.5

_T = TypeVar("_T")


class Exchange:
    """All sessions of this process that have a connection."""

    def __init__(self, log: SessionLog) -> None:
        self.log = log
        self.pacer = Pacer()
        self.sessions: set[Session] = set()
        self.wakeups = WakeupListener(log.redis, wakeups.OUTPUTS)
        self._unclaimed: dict[str, asyncio.Future[bool]] = {}
        self._spoke: set[Session] = set()  # they have something to append
        self._by_sid: dict[str, Session] = {}
        self._rung: set[str] = set()  # they have something to read
        self._seen: set[Session] = set()  # read since the last sweep
        self._append_at = self._read_at = self._sweep_at = 0.0  # not before
        self._alarm: asyncio.TimerHandle | None = None  # when what was said is to go out
        self._failures = 0
        self._stopped = False
        self._work = asyncio.Event()

    def add(self, session: Session, now: float) -> None:
        """Serve this session from now on."""
        self.sessions.add(session)
        self._by_sid[session.sid] = session
        telemetry.SESSIONS.set(len(self.sessions))
        self.pacer.schedule(session, now)
        self._work.set()
        self._sweep_at = 0.0
        self.wakeups.event.set()

    def present(self) -> list[str]:
        """The sessions that are served."""
        return [session.sid for session in self.sessions]

    def spoke(self, session: Session) -> None:
        """It may have something to append: soon, together with others."""
        if session.unwritten:
            self._spoke.add(session)
            if self._alarm is None:
                due = self._append_at - time.monotonic()
                loop = asyncio.get_running_loop()
                self._alarm = loop.call_later(max(0.0, due), self.wakeups.event.set)

    def remove(self, session: Session) -> None:
        """Serve it no more."""
        self.sessions.discard(session)
        self._spoke.discard(session)
        self._seen.discard(session)
        if self._by_sid.get(session.sid) is session:
            del self._by_sid[session.sid]
        telemetry.SESSIONS.set(len(self.sessions))
        metrics.add_counts(session.take_counts())

    async def claimed(self, sid: str) -> bool:
        """Wait until a worker owns the session; False when its log is gone."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._unclaimed[sid] = future
        self._work.set()
        self.wakeups.event.set()
        try:
            return await future
        finally:
            del self._unclaimed[sid]

    async def run(self) -> None:
        """Serve until stopped."""
        listening = asyncio.create_task(self.wakeups.run())
        while not self._stopped:
            if not self.sessions and not self._unclaimed:
                self._work.clear()
                await self._work.wait()
            begun = time.monotonic()
            await self._guarded_tick()
            metrics.TICK.observe(time.monotonic() - begun)
            if self._failures:
                tries = min(self._failures, MAX_TRIES)
                await asyncio.sleep(min(MAX_BACKOFF_S, LOOK_S * 2.0**tries))
            else:
                await self.wakeups.wait(self._patience_s(time.monotonic()))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    def stop(self) -> None:
        """Let `run` return. A cancellation alone can get lost inside a Redis call."""
        self._stopped = True
        self._work.set()
        self.wakeups.stop()
        self.pacer.stop()

    async def tick(self) -> None:
        """Write what waits, read what came, see who was claimed."""
        self._rung |= self.wakeups.take()
        now = time.monotonic()
        spoke, reading = self._due(now)
        failed = await self._append(spoke)
        await self._read(reading)
        await self._look_for_claims()
        if failed is not None:  # a Redis that is full, read-only or loading: the rings hold it
            raise failed

    def _due(self, now: float) -> tuple[set[Session], set[Session]]:
        """Whose turn it is to write, and to read."""
        sweeping = self._failures > 0 or now >= self._sweep_at
        spoke = self._speakers(now, everybody=sweeping)
        reading = self._readers(now, everybody=sweeping)
        if sweeping:
            self._seen.clear()
            self._sweep_at = now + (SWEEP_EVERY_S if self.wakeups.subscribed else DEAF_EVERY_S)
        else:
            self._seen |= reading
        return spoke, reading

    def _speakers(self, now: float, *, everybody: bool) -> set[Session]:
        if not everybody and (not self._spoke or now + TIMER_RESOLUTION_S < self._append_at):
            return set()
        spoke, self._spoke = set(self.sessions) if everybody else self._spoke, set()
        self._append_at = now + self._tick_s(TICK_PER_SESSION_S)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        return spoke

    def _readers(self, now: float, *, everybody: bool) -> set[Session]:
        if not everybody and (not self._rung or now + TIMER_RESOLUTION_S < self._read_at):
            return set()
        found = {s for sid in self._rung if (s := self._by_sid.get(sid)) is not None}
        self._rung.clear()
        self._read_at = now + self._tick_s(RING_PER_SESSION_S)
        if not everybody:
            return found
        return set(self.sessions) if self._failures else found | (self.sessions - self._seen)

    async def _guarded_tick(self) -> None:
        try:
            await self.tick()
        except (RedisError, OSError) as error:
            telemetry.REDIS_ERRORS.inc()
            if not self._failures:
                logger.warning("Redis fails or refuses: %s; retrying", error)
            self._failures += 1
        except Exception:  # the loop of every caller must outlive a fault in one tick
            logger.exception("tick failed")
            self._failures += 1
        else:
            self._failures = 0

    def _tick_s(self, per_session_s: float) -> float:
        return min(MAX_TICK_S, len(self.sessions) * per_session_s)

    def _patience_s(self, now: float) -> float:
        """How long a tick may wait for a ring."""
        until = self._sweep_at
        if self._rung:
            until = min(until, self._read_at)
        if self._spoke:
            until = min(until, self._append_at)
        if self._unclaimed:
            until = min(until, now + CLAIM_EVERY_S)
        return max(0.0, until - now)

    async def _append(self, sessions: Iterable[Session]) -> Exception | None:
        """Write for these; the failure when every write failed.

        One session's own failure must not slow its neighbours: its ring holds what it said.
        """
        now = time.monotonic()
        asked = []
        for session in sessions:
            wish = _on(session, session.next_append, now)
            if wish is not None:
                asked.append((session, wish))
        receipts = await self.log.append([wish for _, wish in asked])
        now = time.monotonic()
        failed: list[Exception] = []
        for (session, _), receipt in zip(asked, receipts, strict=True):
            if isinstance(receipt, Exception):
                failed.append(receipt)
            else:
                _on(session, session.take_receipt, receipt, now)
                if not session.log_full:  # a full log is asked again by the sweep
                    self.spoke(session)
        stored = (receipt.answer for receipt in receipts if isinstance(receipt, Receipt))
        telemetry.count_receipts("append", stored)
        if failed and len(failed) == len(receipts):
            return failed[0]
        telemetry.REDIS_ERRORS.inc(len(failed))
        return None

    async def _read(self, sessions: Iterable[Session]) -> None:
        reading = [s for s in sessions if s.wants_records]
        wants = [(s.sid, s.position) for s in reading]
        try:
            found = await self.log.read_outputs(wants)
        except SchemaError:
            found = [await self._read_alone(session) for session in reading]
        now = time.monotonic()
        for session, entries in zip(reading, found, strict=True):
            if entries:
                _on(session, session.take_records, entries, now)
                _on(session, session.send_due, now)  # needs no timer: most of it is due now
                self.pacer.schedule(session, now)

    async def _read_alone(self, session: Session) -> list[tuple[int, OutputRecord]]:
        """One session's records; one that cannot be read ends its own session only."""
        try:
            return (await self.log.read_outputs([(session.sid, session.position)]))[0]
        except SchemaError as error:
            logger.error("session %s: unreadable record: %s", session.sid, error)  # noqa: TRY400
            session.fail(CallError(ErrorCode.INTERNAL, "The session's log cannot be read"))
            return []

    async def _look_for_claims(self) -> None:
        if not self._unclaimed:
            return
        sids = list(self._unclaimed)
        for sid, meta in zip(sids, await self.log.metas(sids), strict=True):
            future = self._unclaimed.get(sid)
            if future and not future.done() and (meta is None or meta.owner):
                future.set_result(meta is not None)


def _on(session: Session, call: Callable[..., _T], *args: Any) -> _T | None:
    """Call on one session; its errors are its own."""
    try:
        return call(*args)
    except CallError as error:
        session.fail(error)
    except Exception:  # a fault in one session must not reach its neighbours
        logger.exception("session %s failed", session.sid)
        session.fail(CallError(ErrorCode.INTERNAL, "The session failed"))
    return None


async def until(true: Callable[[], bool], within_s: float) -> bool:
    """Wait a little for something that the exchange brings about."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(LOOK_S)
    return True
