"""Moves records between this gateway's sessions and their logs, in one loop.

A tick costs at most one pipeline of appends and one of reads for all sessions together. A task or a
blocking read for each session would not scale beyond a few hundred. A tick serves the sessions that
have records to append and those with new records to read. A periodic sweep serves all.
"""

import asyncio
import logging
import time
from typing import Final

from redis.exceptions import RedisError

from gateway.call.backoff import Backoff
from gateway.call.claim_waiter import ClaimWaiter
from gateway.call.connected_sessions import ConnectedSessions
from gateway.call.log_reader import LogReader
from gateway.call.log_writer import LogWriter
from gateway.call.pacer import Pacer
from gateway.call.session import Session
from gateway.telemetry import metrics
from shared import telemetry
from shared.log import wakeups
from shared.log.session_log import SessionLog
from shared.log.wakeups import WakeupListener

logger = logging.getLogger(__name__)

CLAIM_EVERY_S: Final = 0.005  # while a caller waits for a worker
SWEEP_EVERY_S: Final = 0.1  # serves sessions after a lost wakeup
SWEEP_UNSUBSCRIBED_EVERY_S: Final = 0.01  # while no wakeups arrive


class LogExchange:
    """Ticks while any session is connected or waits for a worker."""

    def __init__(self, log: SessionLog) -> None:
        self.sessions = ConnectedSessions()
        self.writer = LogWriter(log, self.sessions, self._wake)
        self.claims = ClaimWaiter(log, self._wake)
        self._pacer = Pacer()
        self._reader = LogReader(log, self.sessions, self._pacer)
        self._backoff = Backoff()
        self._wakeups = WakeupListener(log.redis, wakeups.OUTPUTS)
        self._sweep_at = 0.0
        self._stopped = False
        self._work = asyncio.Event()

    def serve(self, session: Session, now: float) -> None:
        """Serve this session from now on."""
        self.sessions.add(session)
        self._pacer.schedule(session, now)
        self._sweep_at = 0.0
        self._wake()

    def stop_serving(self, session: Session) -> None:
        """Stop serving this session."""
        self.sessions.remove(session)
        self.writer.forget(session)
        self._reader.forget(session)

    async def run(self) -> None:
        """Serve until stopped."""
        listening = asyncio.create_task(self._wakeups.run())
        while not self._stopped:
            if not self.sessions and not self.claims:
                self._work.clear()
                await self._work.wait()
                continue  # it may be `stop` that woke us
            started = time.monotonic()
            await self._tick_and_note_failures()
            metrics.TICK.observe(time.monotonic() - started)
            if self._backoff.failures:
                await asyncio.sleep(self._backoff.pause_s)
            else:
                await self._wakeups.wait(self._idle_s(time.monotonic()))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    def stop(self) -> None:
        """Let `run` return. A cancellation alone can get lost inside a Redis call."""
        self._stopped = True
        self._work.set()
        self._wakeups.stop()
        self._pacer.stop()

    async def tick(self) -> None:
        """Append waiting records, read new ones, look for claims. Raises RedisError."""
        self._reader.note_wakeups(self._wakeups.take())
        now = time.monotonic()
        failing = self._backoff.failures > 0
        sweep = failing or now >= self._sweep_at
        writing = self.writer.take_due(now, sweep=sweep)
        reading = self._reader.take_due(now, sweep=sweep, failing=failing)
        if sweep:
            subscribed = self._wakeups.subscribed
            self._sweep_at = now + (SWEEP_EVERY_S if subscribed else SWEEP_UNSUBSCRIBED_EVERY_S)
        error = await self.writer.append(writing)
        await self._reader.read(reading)
        await self.claims.look()
        if error is not None:  # Redis is full, read-only or loading: the rings keep the records
            raise error

    def _wake(self) -> None:
        self._work.set()
        self._wakeups.event.set()

    async def _tick_and_note_failures(self) -> None:
        try:
            await self.tick()
        except (RedisError, OSError) as error:
            telemetry.REDIS_ERRORS.inc()
            if not self._backoff.failures:
                logger.warning("Redis fails or refuses: %s; retrying", error)
            self._backoff.fail()
        except Exception:  # the loop of every caller must outlive a fault in one tick
            logger.exception("tick failed")
            self._backoff.fail()
        else:
            self._backoff.succeed()

    def _idle_s(self, now: float) -> float:
        """How long to wait for a wakeup before the next tick."""
        times = [self._sweep_at, self._reader.due_at, self.writer.due_at]
        if self.claims:
            times.append(now + CLAIM_EVERY_S)
        return max(0.0, min(at for at in times if at is not None) - now)
