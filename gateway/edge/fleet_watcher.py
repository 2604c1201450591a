"""Keeps the gateway's view of the workers fresh, and its sessions on the list of sessions."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError

from gateway.edge.fleet import Fleet
from shared.log.registry import Registry
from shared.redis_client.trouble import TroubleLog

logger = logging.getLogger(__name__)

WATCH_EVERY_S: Final = 0.2
MEND_EVERY_S: Final = 1.0


class FleetWatcher:
    """Reads the workers' statuses five times a second.

    The workers' sweeper finds a session by the list alone. Redis may lose the list and keep the
    session, and the worker that would add it again may be dead. So each gateway adds its sessions.
    """

    def __init__(
        self,
        registry: Registry,
        fleet: Fleet,
        connected: Callable[[], Collection[str]],
        trouble: TroubleLog,
    ) -> None:
        self._registry = registry
        self._fleet = fleet
        self._trouble = trouble
        self._connected = connected  # ids of the sessions that have a connection here
        self._mend_at = 0.0
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Let `run` return. A cancellation alone can get lost inside a Redis call."""
        self._stopped.set()

    async def run(self) -> None:
        """Watch until stopped."""
        while not self._stopped.is_set():
            pause_s = WATCH_EVERY_S
            try:
                await self.look()
            except (RedisError, OSError) as error:
                if said := self._trouble.fail(error, time.monotonic()):
                    logger.warning(said)
                pause_s = self._trouble.pause_s
            except Exception:  # one odd status must not end the watch
                logger.exception("the workers' statuses cannot be read")
            else:
                if said := self._trouble.succeed():
                    logger.info(said)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause_s)

    async def look(self) -> None:
        """Observe the workers once. Raises RedisError."""
        statuses = await self._registry.workers()
        queued = await self._registry.queued()
        now = time.monotonic()
        self._fleet.observe(statuses, queued, now)
        if now >= self._mend_at:
            self._mend_at = now + MEND_EVERY_S
            await self._registry.relist(self._connected())
