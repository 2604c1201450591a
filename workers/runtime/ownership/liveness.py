"""Decides which workers live, as one observer sees it. Pure.

A worker is dead when its beat stood still for the lease by OUR monotonic clock. Only time in which
we could look counts, because every beat stands still while Redis is away. A worker whose steps are
slow has a longer lease, up to a bound. Otherwise two slow workers would take each other's calls
again and again, and each takeover would slow them down more. A killed process is noticed sooner:
Redis closes its connections and its beat stops. Because of the fence, a wrong verdict costs only a
rebuild. Wrong verdicts on all workers would rebuild all sessions.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from shared.beats import Beats

WATCH_S: Final = 0.1
# After three missing beats we ask whether the worker's connection is still there. A living worker
# that was only cut off beats again through a new connection before that.
QUIET_S: Final = 0.25
_LOOK_GAP_S: Final = 3 * WATCH_S  # a longer pause between two looks counts as this much
_ANY_TIME_S: Final = 1e-9
# A beat stands still during a step, and the next step may be slower than the slowest so far.
STEPS_A_LEASE: Final = 2
MOST_LEASES: Final = 3  # what a slow worker's lease may grow to


class Watch:
    """How long each worker's beat has stood still, by this process's clock."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._beats = Beats(look_gap_s=_LOOK_GAP_S)
        self._slowest_s: Mapping[str, float] = {}  # worker -> its slowest recent step
        self._cut: set[str] = set()  # workers without their connections
        self._blind_until = 0.0

    def look(
        self,
        counts: Mapping[str, int | None],
        now: float,
        slowest_s: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Take the beats and slowest steps as Redis shows them; None: it shows no beat."""
        self._slowest_s = slowest_s
        self._beats.look(counts, now)
        self._cut &= self._beats.still(_ANY_TIME_S)

    def blind(self, now: float) -> None:
        """Redis did not answer us: other workers may have lost their connections as we did.

        For one lease from now only the beats count, because a Redis that restarts or fails over
        closes all connections and restarts their numbers.
        """
        self._blind_until = now + self.lease_s

    def quiet(self, now: float) -> set[str]:
        """Workers that may be dead before the lease is over: ask for their connections."""
        if now < self._blind_until:
            return set()
        return self._beats.still(QUIET_S) - self.dead()

    def cut(self, workers: Collection[str]) -> None:
        """These quiet workers have lost their connections: dead, unless they beat again."""
        self._cut |= set(workers)

    def dead(self, leases: float = 1) -> set[str]:
        """Workers that stood still for their lease (or `leases` of ours), or that are cut."""
        still = self._beats.still(leases * self.lease_s)
        if leases > 1:
            return still
        return {w for w in still if w in self._beats.still(self._lease_of(w))} | self._cut

    def _lease_of(self, worker: str) -> float:
        slow_s = STEPS_A_LEASE * self._slowest_s.get(worker, 0.0)
        return min(max(self.lease_s, slow_s), MOST_LEASES * self.lease_s)
