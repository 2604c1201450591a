"""Decides whether one more caller fits, sans I/O: free slots of the live workers that keep up.

A worker lives while its beat counter moves, by this process's own monotonic clock. So a new gateway
knows a worker only after it has seen two beats.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.edge.hang_ups import HangUps
from gateway.protocol.errors import NoCapacity
from shared.audio import CHUNK_MS
from shared.beats import Beats
from shared.voices import Offer, common

# An older observation says nothing: Redis does not answer.
FRESH_S: Final = 2.0
SILENT: Final = "Redis does not answer"
FULL: Final = "every slot of every worker is taken"
FEW_SLOTS: Final = 8
OVERLOADED: Final = "the workers are at their limit"
NO_WORKER: Final = "no worker is running"
# When a refused caller may succeed. A new worker loads its models for seconds.
RETRY_WITHOUT_WORKER_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Worker:
    """What one worker last published."""

    status: Mapping[str, Any]

    def number(self, name: str) -> int:
        """A whole number of its status; 0 if it has none of that name."""
        value = self.status.get(name)
        return value if isinstance(value, int) else 0

    @property
    def step_p95_ms(self) -> float:
        """The 95th percentile of its step time; 0 if it publishes none."""
        value = self.status.get("step_p95_ms")
        return value if isinstance(value, int | float) else 0.0

    @property
    def offer(self) -> Offer:
        """The voices and styles that it has; the defaults if it publishes none."""
        found = {name: self.status.get(name) for name in ("voices", "styles")}
        return Offer(**{n: tuple(map(str, v)) for n, v in found.items() if isinstance(v, list)})

    def keeps_up(self, budget_ms: float) -> bool:
        """Whether its steps leave room for one more caller. An idle worker is always tried.

        `budget_ms` is for an engine with steps of up to 80 ms. An engine that may take longer gets
        a proportionally larger budget.

        One step in twenty may be slow, since players buffer 200 ms. The p99 was too strict: two
        slow steps in 10 s refused callers while only 4 of 30 slots were taken.
        """
        idle = self.number("free") >= self.number("slots")
        if idle:
            return True
        limit_ms = self.status.get("step_limit_ms")
        scale = limit_ms / CHUNK_MS if isinstance(limit_ms, int | float) else 1.0
        return self.step_p95_ms <= budget_ms * scale


class Fleet:
    """The workers as this process has seen them."""

    def __init__(
        self, *, lease_s: float, max_sessions: int, step_budget_ms: float = CHUNK_MS
    ) -> None:
        self.lease_s = lease_s
        self.max_sessions = max_sessions
        self.queued = 0
        self._step_budget_ms = step_budget_ms
        self._observed_at: float | None = None
        self._workers: dict[str, Worker] = {}
        self._beats = Beats()
        self._hang_ups = HangUps()
        self._admitted = 0  # since the last observation: no worker's status counts them yet

    def observe(self, statuses: Mapping[str, Mapping[str, Any]], queued: int, now: float) -> None:
        """Take what the workers have published, and how many sessions wait for one."""
        self._beats.look({name: status.get("beat") for name, status in statuses.items()}, now)
        self._workers = {name: Worker(status) for name, status in statuses.items()}
        self.queued, self._observed_at, self._admitted = queued, now, 0
        self._hang_ups.look({n: worker.number("ended") for n, worker in self._workers.items()}, now)

    def live(self, now: float) -> dict[str, Worker]:
        """Workers with a beat that moved within the lease."""
        return {name: self._workers[name] for name in self._beats.moving(self.lease_s, now)}

    def free(self, now: float) -> int:
        """How many more callers the workers that keep up could take."""
        live = self.live(now).values()
        slots = sum(w.number("free") for w in live if w.keeps_up(self._step_budget_ms))
        return max(0, slots - self.queued - self._admitted)

    def offer(self, now: float) -> Offer | None:
        """The voices and styles of every live worker; None without a live worker."""
        return common(worker.offer for worker in self.live(now).values())

    def engine(self, now: float) -> str | None:
        """The engine of the live workers; None without one, or if they run different ones."""
        names = {str(worker.status.get("engine")) for worker in self.live(now).values()}
        return names.pop() if len(names) == 1 else None

    def takes_text(self, now: float) -> bool:
        """Whether every live worker's engine takes typed turns."""
        live = self.live(now).values()
        return bool(live) and all(worker.status.get("text") is True for worker in live)

    def unready_reason(self, now: float) -> str | None:
        """Why no caller at all can be served now; None if one could."""
        if self._observed_at is None or now - self._observed_at > FRESH_S:
            return SILENT
        if not self.live(now):
            return NO_WORKER
        return None

    def scarce(self, now: float) -> bool:
        """Whether callers at other gateways may have taken the last slots since the last look."""
        return 0 < self.free(now) <= FEW_SLOTS

    def full(self, sessions: int, now: float) -> bool:
        """Whether one more caller only has to wait until another one hangs up."""
        if self.unready_reason(now) is not None:
            return False
        return sessions >= self.max_sessions or (self.free(now) < 1 and not self._slow(now))

    def admit(self, sessions: int, now: float) -> None:
        """Admit one more caller to a gateway that has `sessions`. Raises NoCapacity."""
        if unready := self.unready_reason(now):
            raise _refusal(unready, RETRY_WITHOUT_WORKER_MS if unready == NO_WORKER else None)
        if sessions >= self.max_sessions:
            taken = f"all {self.max_sessions} places of this gateway are taken"
            raise _refusal(taken, self.retry_after_ms(now))
        if self.free(now) < 1:
            reason = OVERLOADED if self._slow(now) else FULL
            raise _refusal(reason, self.retry_after_ms(now))
        self._admitted += 1

    def retry_after_ms(self, now: float) -> int:
        """When a slot is likely to become free, in milliseconds from now."""
        return self._hang_ups.likely_in_ms(now)

    def _slow(self, now: float) -> bool:
        """Whether some live worker does not keep up."""
        return any(not w.keeps_up(self._step_budget_ms) for w in self.live(now).values())


def _refusal(reason: str, retry_after_ms: int | None) -> NoCapacity:
    return NoCapacity(f"No room for a call: {reason}", retry_after_ms)


def public_name(worker: str) -> str:
    """A name for a worker that does not show its machine's name, as its own does."""
    return f"w-{hashlib.sha256(worker.encode()).hexdigest()[:6]}"
