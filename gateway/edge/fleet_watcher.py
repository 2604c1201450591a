"""Keeps the gateway's view of the workers fresh, and its sessions on the list of sessions."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError

from gateway.edge.fleet import Fleet
from shared.errors import ConfigError
from shared.log import formats
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.redis_client.trouble import TroubleLog

logger = logging.getLogger(__name__)

WATCH_EVERY_S: Final = 0.2
HURRY_EVERY_S: Final = 0.02  # while a caller waits for a slot
MEND_EVERY_S: Final = 1.0


class FleetWatcher:
    """Reads the workers' statuses five times a second, more often while a caller waits for a slot.

    The workers' sweeper finds a session only through the list. Redis may lose the list and keep the
    session, and the worker that would list it again may be dead. So each gateway lists its
    sessions too.
    """

    def __init__(
        self,
        registry: Registry,
        log: SessionLog,
        fleet: Fleet,
        connected: Callable[[], Collection[str]],
        trouble: TroubleLog,
        *,
        check: Callable[[], Awaitable[None]],
    ) -> None:
        """`check` raises ConfigError when Redis would drop calls.

        It runs until it succeeds once, and before that no worker is observed.
        """
        self._registry = registry
        self._log = log
        self._fleet = fleet
        self._trouble = trouble
        self._connected = connected  # ids of the sessions that have a connection here
        self._check = check
        self._checked = False
        self._mend_at = 0.0
        self._stopped = asyncio.Event()
        self._hurried = asyncio.Event()  # someone waits for it, or `stop`
        self._awaited: asyncio.Future[None] | None = None  # the end of the next look

    def stop(self) -> None:
        """Let `run` return. A cancellation alone can get lost inside a Redis call."""
        self._stopped.set()
        self._hurried.set()

    async def next_look(self) -> None:
        """Wait for the end of a look that begins after now."""
        if self._awaited is None:
            self._awaited = asyncio.get_running_loop().create_future()
            self._hurried.set()
        await asyncio.shield(self._awaited)

    async def run(self) -> None:
        """Watch until stopped."""
        while not self._stopped.is_set():
            awaited, self._awaited = self._awaited, None
            failed_pause_s = await self._try_look()
            if awaited is not None:
                awaited.set_result(None)
            if failed_pause_s is None:
                await self._pause()
            else:
                await _wait(self._stopped, failed_pause_s)

    async def _try_look(self) -> float | None:
        """Observe the workers once; how long to wait if Redis fails."""
        try:
            await self.look()
        except (RedisError, OSError, ConfigError) as error:
            if said := self._trouble.fail(error, time.monotonic()):
                logger.warning(said)
            return self._trouble.pause_s
        except Exception:  # one odd status must not end the watch
            logger.exception("the workers' statuses cannot be read")
        else:
            if said := self._trouble.succeed():
                logger.info(said)
        return None

    async def _pause(self) -> None:
        """Wait until the next look is due, or a caller waits for one."""
        looked_at = time.monotonic()
        if self._awaited is None:
            self._hurried.clear()
            await _wait(self._hurried, WATCH_EVERY_S)
        if self._awaited is not None:
            await _wait(self._stopped, looked_at + HURRY_EVERY_S - time.monotonic())

    async def look(self) -> None:
        """Observe the workers once. Raises RedisError, ConfigError."""
        if not self._checked:
            await self._check()
            self._checked = True
        statuses = await self._registry.workers()
        queued = await self._registry.queued()
        if statuses:
            self._log.writes = formats.common(statuses.values())
        now = time.monotonic()
        self._fleet.observe(statuses, queued, now)
        if now >= self._mend_at:
            self._mend_at = now + MEND_EVERY_S
            await self._registry.relist(self._connected())


async def _wait(event: asyncio.Event, at_most_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, at_most_s)):
            await event.wait()
