"""Tells an orchestrator's probes whether a worker has started, lives and can take a call. Pure.

The loop reports each of its turns here; the probes' server reads from a thread of its own. So it
notices a loop that hangs, or an engine whose step never ends: the next turn does not come.
"""

import time
from collections.abc import Callable
from typing import Final

# Other workers take the calls after one lease. A restart also loads the weights again, so a worker
# that is only slow gets more time.
HUNG_LEASES: Final = 5


class Probes:
    """Each probe returns why it fails, or None. `lease_s`: the lease of LEASE_MS in seconds."""

    def __init__(self, lease_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._hung_after_s = HUNG_LEASES * lease_s
        self._clock = clock
        self._turned_at: float | None = None  # None until the weights are loaded
        self._redis_answers = False
        self._leaving = False

    def turned(self, *, redis_answers: bool) -> None:
        """The loop completed a turn. Without Redis the worker lives, but can take no call."""
        self._redis_answers = redis_answers
        self._turned_at = self._clock()

    def leave(self) -> None:
        """The worker takes no more calls: it hands over those that it has."""
        self._leaving = True

    def startup(self) -> str | None:
        """Fails until the weights are loaded."""
        return "the weights are being loaded" if self._turned_at is None else None

    def health(self) -> str | None:
        """Fails when the loop stands still. It passes while weights load, and without Redis."""
        if self._turned_at is None:
            return None
        still_s = self._clock() - self._turned_at
        if still_s <= self._hung_after_s:
            return None
        limit_s = self._hung_after_s
        return f"expected a turn of the loop within {limit_s} s, got none for {still_s:.1f} s"

    def ready(self) -> str | None:
        """Fails while the worker can take no call, free slots aside.

        A worker without a free slot is ready. Otherwise a full fleet would count as unavailable,
        and its roll-out and its disruption budget would block.
        """
        if self._leaving:
            return "the worker is leaving"
        if reason := self.startup() or self.health():
            return reason
        return None if self._redis_answers else "Redis does not answer"
