"""Tells other processes over Redis pub/sub which sessions' logs have new records.

Each write also publishes the affected session ids on a Redis channel. Subscribers then read those
sessions at once. Redis may lose a wakeup, so readers also poll all their sessions: now and then
while they are subscribed, often while they are not.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.redis_client.pipeline import is_cluster, subscribed
from shared.redis_client.trouble import MAX_LASTING_PAUSE_S, trouble_of

logger = logging.getLogger(__name__)

INPUTS: Final = "c:bell:in"  # channel: gateways wrote input records
OUTPUTS: Final = "c:bell:out"  # channel: workers wrote output records
RETRY_S: Final = 0.2
MAX_WOKEN: Final = 10_000  # sessions; the periodic look finds the others


def publish_command(channel: str, sids: Iterable[str]) -> tuple[str, ...]:
    """The Redis command that publishes these sessions; empty if there are none."""
    named = " ".join(sids)
    return ("PUBLISH", channel, named) if named else ()


class WakeupListener:
    """One process's subscription to one channel."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self.redis = redis
        self.channel = channel
        self.event = asyncio.Event()  # set by a wakeup, and by other tasks that want attention
        self.subscribed = False  # wakeups would arrive now
        self._woken: set[str] = set()
        self._stopped = asyncio.Event()

    def take(self) -> set[str]:
        """The sessions that were published since the last call."""
        woken, self._woken = self._woken, set()
        self.event.clear()
        return woken

    def stop(self) -> None:
        """Make `run` return at the next wakeup; cancel its task to end it sooner."""
        self._stopped.set()
        self.event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next wakeup, or after the time-out."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.event.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        """Listen until stopped. A Cluster sends every message to every node, so we publish none."""
        while not (self._stopped.is_set() or is_cluster(self.redis)):
            pause_s = RETRY_S
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                logger.debug("lost the subscription to %s: %s", self.channel, error)
                if trouble_of(error).lasting:  # such as a wrong password
                    pause_s = MAX_LASTING_PAUSE_S
            self.subscribed = False
            if not self._stopped.is_set():
                await asyncio.sleep(pause_s)

    async def _listen(self) -> None:
        async with subscribed(self.redis, self.channel) as messages:
            # Python 3.11's `wait_for`, which redis-py sends with, may swallow a cancellation.
            if self._stopped.is_set():
                return
            self.subscribed = True
            async for named in messages:
                if len(self._woken) < MAX_WOKEN:  # a process without calls takes nothing out
                    self._woken.update(named.decode().split())
                self.event.set()
                if self._stopped.is_set():
                    return
