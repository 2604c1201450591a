"""The one loop between this gateway's callers and the log.

Every tick costs one pipeline of append scripts and one of reads, for all sessions together: a task
or a blocking read per session collapses at a few hundred of them.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from redis.exceptions import RedisError

from gateway import metrics
from gateway.pacer import Pacer
from gateway.protocol import ErrorCode, WireError
from gateway.session import Session
from shared import telemetry
from shared.errors import SchemaError
from shared.messages import OutputRecord
from shared.streams import SessionLog

logger = logging.getLogger(__name__)

MIN_TICK_S: Final = 0.004  # a poll of a few sessions costs some 0.3 ms of CPU
MAX_TICK_S: Final = 0.020  # one frame
TICK_PER_SESSION_S: Final = 0.0001  # 20 ms from 200 sessions on
MAX_BACKOFF_S: Final = 0.5

_T = TypeVar("_T")


class Exchange:
    """All sessions of this process that have a connection."""

    def __init__(self, log: SessionLog) -> None:
        self.log = log
        self.pacer = Pacer()
        self.sessions: set[Session] = set()
        self._unclaimed: dict[str, asyncio.Future[bool]] = {}
        self._failures = 0
        self._stopped = False
        self._work = asyncio.Event()

    def add(self, session: Session, now: float) -> None:
        """Serve this session from now on."""
        self.sessions.add(session)
        telemetry.SESSIONS.set(len(self.sessions))
        self.pacer.arm(session, now)
        self._work.set()

    def remove(self, session: Session) -> None:
        """Serve it no more."""
        self.sessions.discard(session)
        telemetry.SESSIONS.set(len(self.sessions))
        metrics.absorb(session.playout)

    async def claimed(self, sid: str) -> bool:
        """Wait until a worker owns the session; False when its log is gone."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._unclaimed[sid] = future
        self._work.set()
        try:
            return await future
        finally:
            del self._unclaimed[sid]

    async def run(self) -> None:
        """Serve until stopped."""
        while not self._stopped:
            if not self.sessions and not self._unclaimed:
                self._work.clear()
                await self._work.wait()
            begun = time.monotonic()
            await self._guarded_tick()
            metrics.TICK.observe(time.monotonic() - begun)
            await asyncio.sleep(self._pause_s(time.monotonic() - begun))

    def stop(self) -> None:
        """Let `run` return. A cancellation alone can get lost inside a Redis call."""
        self._stopped = True
        self._work.set()
        self.pacer.stop()

    async def tick(self) -> None:
        """Write what waits, read what came, see who was claimed."""
        failed = await self._append()
        await self._read()
        await self._look_for_claims()
        if failed is not None:  # a Redis that is full, read-only or loading: the rings hold it
            raise failed

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

    def _pause_s(self, spent_s: float) -> float:
        if self._failures:
            return min(MAX_BACKOFF_S, MIN_TICK_S * 2.0**self._failures)
        load = len(self.sessions) * TICK_PER_SESSION_S
        return max(0.001, min(MAX_TICK_S, max(MIN_TICK_S, load)) - spent_s)

    async def _append(self) -> Exception | None:
        """Write for everybody; the failure when every write failed.

        One session's own failure must not slow its neighbours: its ring holds what it said.
        """
        now = time.monotonic()
        asked = []
        for session in list(self.sessions):
            wish = _on(session, session.append, now)
            if wish is not None:
                asked.append((session, wish))
        receipts = await self.log.append([wish for _, wish in asked])
        now = time.monotonic()
        failed: list[Exception] = []
        for (session, _), receipt in zip(asked, receipts, strict=True):
            if isinstance(receipt, Exception):
                failed.append(receipt)
            else:
                telemetry.RECEIPTS.labels("append", receipt.answer).inc()
                _on(session, session.settle, receipt, now)
        if failed and len(failed) == len(receipts):
            return failed[0]
        telemetry.REDIS_ERRORS.inc(len(failed))
        return None

    async def _read(self) -> None:
        reading = [s for s in self.sessions if not (s.error or s.leaving or s.playout.full)]
        wants = [(s.sid, s.position) for s in reading]
        try:
            found = await self.log.read_outputs(wants)
        except SchemaError:
            found = [await self._read_alone(session) for session in reading]
        now = time.monotonic()
        for session, entries in zip(reading, found, strict=True):
            if entries:
                _on(session, session.take, entries, now)
                self.pacer.arm(session, now)

    async def _read_alone(self, session: Session) -> list[tuple[int, OutputRecord]]:
        """One session's records; one that cannot be read ends its own session only."""
        try:
            return (await self.log.read_outputs([(session.sid, session.position)]))[0]
        except SchemaError as error:
            logger.error("session %s: unreadable record: %s", session.sid, error)  # noqa: TRY400
            session.fail(WireError(ErrorCode.INTERNAL, "The session's log cannot be read"))
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
    except WireError as error:
        session.fail(error)
    except Exception:  # a fault in one session must not reach its neighbours
        logger.exception("session %s failed", session.sid)
        session.fail(WireError(ErrorCode.INTERNAL, "The session failed"))
    return None


async def until(true: Callable[[], bool], within_s: float) -> bool:
    """Wait a little for something that the exchange brings about."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(MIN_TICK_S)
    return True
