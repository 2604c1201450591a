"""Hints between processes that a session's log has something new to read.

Whoever writes rings in the same pipeline, with the ids of the sessions written to; whoever reads
those streams looks at them at once and need not ask all the time. A ring may get lost: it is a
hint, so every reader also looks by itself now and then, and often while nobody can ring it.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.redis_client.pipeline import is_cluster, subscribed

logger = logging.getLogger(__name__)

INPUTS: Final = "c:bell:in"  # channel: somebody said something
OUTPUTS: Final = "c:bell:out"  # channel: somebody is to be told something
RETRY_S: Final = 0.2
MOST_RUNG: Final = 10_000  # sessions; who looks now and then finds the others too


def command(channel: str, sids: Iterable[str]) -> tuple[str, ...]:
    """The Redis command that rings for these sessions; empty for none."""
    named = " ".join(sids)
    return ("PUBLISH", channel, named) if named else ()


class Bell:
    """One process's ear for one channel."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self.redis = redis
        self.channel = channel
        self.heard = asyncio.Event()  # set by a ring, and by whoever else wants attention
        self.works = False  # rings would be heard now
        self._rung: set[str] = set()
        self._stopped = False

    def take(self) -> set[str]:
        """The sessions that were rung for since the last time."""
        rung, self._rung = self._rung, set()
        self.heard.clear()
        return rung

    def stop(self) -> None:
        """Let `run` return with the next ring; whoever cannot wait for that cancels it."""
        self._stopped = True
        self.heard.set()

    async def wait(self, timeout_s: float) -> None:
        """Until it rings, or so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.heard.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        """Listen until stopped. A Cluster tells every node of every ring: there, nobody rings."""
        while not (self._stopped or is_cluster(self.redis)):
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                logger.debug("the bell is out of order: %s", error)
            self.works = False
            if not self._stopped:
                await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        async with subscribed(self.redis, self.channel) as rings:
            self.works = True
            async for named in rings:
                if len(self._rung) < MOST_RUNG:  # nobody takes them where nobody calls
                    self._rung.update(named.decode().split())
                self.heard.set()
                if self._stopped:
                    return
