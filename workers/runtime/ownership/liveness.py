"""Which workers live, as one observer sees it. Pure.

A worker is dead when its beat stood still for the lease by OUR monotonic clock, counting only time
in which we could look: while Redis is away, every worker's beat stands still. A killed process is
known sooner: Redis closes its connections and its beat stops. Because of the fence, a wrong verdict
costs no more than a rebuild; wrong verdicts on all workers would cost all sessions one.
"""

from collections.abc import Collection, Mapping
from typing import Final

from shared.beats import Beats

WATCH_S: Final = 0.1
# After three missing beats we ask whether the worker's connection is still there. A living worker
# that was only cut off beats again through a new connection before that.
QUIET_S: Final = 0.25
_LOOK_GAP_S: Final = 3 * WATCH_S  # of a longer pause between two looks only so much counts
_ANY_TIME_S: Final = 1e-9


class Watch:
    """How long each worker's beat has stood still, by this process's clock."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._beats = Beats(look_gap_s=_LOOK_GAP_S)
        self._cut: set[str] = set()  # workers whose connections are gone
        self._blind_until = 0.0

    def look(self, counts: Mapping[str, int | None], now: float) -> None:
        """Take the beats as Redis shows them now; None for a worker that shows none."""
        self._beats.look(counts, now)
        self._cut &= self._beats.still(_ANY_TIME_S)

    def blind(self, now: float) -> None:
        """Redis did not answer us: other workers may have lost their connections as we did.

        For a lease from now on only the lease counts: a Redis that restarts or fails over has
        closed all connections and numbers the new ones from the beginning.
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
        """Workers that stood still for the lease, or for several, or were cut."""
        still = self._beats.still(leases * self.lease_s)
        return still | self._cut if leases <= 1 else still
