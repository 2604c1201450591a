"""Whether one more caller fits: free slots of live workers that keep up, less who waits for one.

`Fleet` decides and has no I/O; `Watcher` keeps it fed. A worker lives while its beat counter moves
by this process's own monotonic clock: a fresh gateway therefore knows a worker only after it saw
two beats.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from gateway.protocol.errors import NoCapacity
from shared.audio import CHUNK_MS
from shared.beats import Beats
from shared.log.registry import Registry
from shared.voices import Offer, common

logger = logging.getLogger(__name__)

WATCH_EVERY_S: Final = 0.2
MEND_EVERY_S: Final = 1.0
# A look at the fleet that is older tells nothing: Redis does not answer.
FRESH_S: Final = 2.0
FULL: Final = "every slot of every worker is taken"


@dataclass(slots=True)
class Worker:
    """What is known of one worker."""

    status: Mapping[str, Any]

    def number(self, name: str) -> int:
        """A whole number of its status; 0 when it is missing or none."""
        value = self.status.get(name)
        return value if isinstance(value, int) else 0

    @property
    def offer(self) -> Offer:
        """What it can sound like; of one that does not say, the defaults."""
        found = {name: self.status.get(name) for name in ("voices", "styles")}
        return Offer(**{n: tuple(map(str, v)) for n, v in found.items() if isinstance(v, list)})

    def keeps_up(self, budget_ms: float) -> bool:
        """Whether its steps leave room for one more caller. Without any, only a try can tell.

        One step in twenty may be slow, as on a machine that others use too: who listens is 200 ms
        ahead. By the p99 two slow steps in 10 s refused callers beside four, of 30 that fit.
        """
        taken_ms = self.status.get("step_p95_ms")
        idle = self.number("free") >= self.number("slots")
        return idle or not isinstance(taken_ms, int | float) or taken_ms <= budget_ms


class Fleet:
    """The workers as this process has seen them."""

    def __init__(
        self, *, lease_s: float, max_sessions: int, step_budget_ms: float = CHUNK_MS
    ) -> None:
        self.lease_s = lease_s
        self.step_budget_ms = step_budget_ms
        self.max_sessions = max_sessions
        self.queued = 0
        self.seen_at: float | None = None
        self._workers: dict[str, Worker] = {}
        self._beats = Beats()
        self._admitted = 0  # since the last look: not in any worker's status yet

    def observe(self, statuses: Mapping[str, Mapping[str, Any]], queued: int, now: float) -> None:
        """Take a look at what the workers published."""
        self._beats.look({name: status.get("beat") for name, status in statuses.items()}, now)
        self._workers = {name: Worker(status) for name, status in statuses.items()}
        self.queued, self.seen_at, self._admitted = queued, now, 0

    def live(self, now: float) -> dict[str, Worker]:
        """Workers whose beat moved within the lease."""
        return {name: self._workers[name] for name in self._beats.moving(self.lease_s, now)}

    def free(self, now: float) -> int:
        """Slots that nobody holds or waits for, of workers that keep up with who they have."""
        live = self.live(now).values()
        slots = sum(w.number("free") for w in live if w.keeps_up(self.step_budget_ms))
        return max(0, slots - self.queued - self._admitted)

    def offer(self, now: float) -> Offer | None:
        """What a call may sound like wherever it goes; None while no worker is known to live."""
        return common(worker.offer for worker in self.live(now).values())

    def blocked(self, now: float) -> str | None:
        """Why no caller at all can be served now; None when one could."""
        if self.seen_at is None or now - self.seen_at > FRESH_S:
            return "Redis does not answer"
        if not self.live(now):
            return "no worker is running"
        return None

    def admit(self, sessions: int, now: float) -> None:
        """Take one more caller over the `sessions` that are here. Raises NoCapacity."""
        reason = self.blocked(now)
        if reason is None and sessions >= self.max_sessions:
            reason = f"all {self.max_sessions} places of this gateway are taken"
        if reason is None and self.free(now) < 1:
            slow = any(not w.keeps_up(self.step_budget_ms) for w in self.live(now).values())
            reason = "the workers are at their limit" if slow else FULL
        if reason is not None:
            raise NoCapacity(f"No room for a call: {reason}")
        self._admitted += 1


def alias(worker: str) -> str:
    """A worker's name for the public: its own holds the name of its machine."""
    return f"w-{hashlib.sha256(worker.encode()).hexdigest()[:6]}"


class Watcher:
    """Looks at the fleet again and again, and keeps the calls that are here on the list.

    The workers' sweeper finds a call by that list alone. Redis may lose it while it keeps the call,
    and the call's own worker, which would mend it too, may be the one that died.
    """

    def __init__(
        self, registry: Registry, fleet: Fleet, present: Callable[[], Collection[str]]
    ) -> None:
        self.registry = registry
        self.fleet = fleet
        self.present = present  # the sessions that have a connection here
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
                logger.debug("the fleet cannot be seen: %s", error)
            except Exception:  # the task's boundary: one odd status must not end the watch
                logger.exception("the fleet cannot be read")
            await asyncio.sleep(WATCH_EVERY_S)

    async def look(self) -> None:
        """One look."""
        statuses = await self.registry.workers()
        queued = await self.registry.queued()
        now = time.monotonic()
        self.fleet.observe(statuses, queued, now)
        if now >= self._mend_at:
            self._mend_at = now + MEND_EVERY_S
            await self.registry.relist(self.present())
