"""Keeps the gateway's view of the workers fresh, and its sessions on the list of sessions."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Final

from redis.exceptions import RedisError

from gateway.edge.fleet import Fleet
from shared.log.registry import Registry

logger = logging.getLogger(__name__)

WATCH_EVERY_S: Final = 0.2
MEND_EVERY_S: Final = 1.0


class FleetWatcher:
    """Reads the workers' statuses five times a second.

    The workers' sweeper finds a session by the list alone. Redis may lose the list and keep the
    session, and the worker that would add it again may be dead. So each gateway adds its sessions.
    """

    def __init__(
        self, registry: Registry, fleet: Fleet, connected: Callable[[], Collection[str]]
    ) -> None:
        self._registry = registry
        self._fleet = fleet
        self._connected = connected  # ids of the sessions that have a connection here
        self._mend_at = 0.0
        self._stopped = False

    def stop(self) -> None:
        """Let `run` return. A cancellation alone can get lost inside a Redis call."""
        self._stopped = True

    async def run(self) -> None:
        """Watch until stopped."""
        while not self._stopped:
            try:
                await self.look()
            except (RedisError, OSError) as error:
                logger.debug("the workers cannot be observed: %s", error)
            except Exception:  # one odd status must not end the watch
                logger.exception("the workers' statuses cannot be read")
            await asyncio.sleep(WATCH_EVERY_S)

    async def look(self) -> None:
        """Observe the workers once. Raises RedisError."""
        statuses = await self._registry.workers()
        queued = await self._registry.queued()
        now = time.monotonic()
        self._fleet.observe(statuses, queued, now)
        if now >= self._mend_at:
            self._mend_at = now + MEND_EVERY_S
            await self._registry.relist(self._connected())
