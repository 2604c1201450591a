"""Which workers live, as one observer sees it. Pure.

A worker is dead when its beat stood still for the lease by OUR monotonic clock, counting only time
in which we could look: while Redis is away, everybody's beat stands still. One whose process was
killed is known sooner: Redis closes its connections, and its beat stops. The fence makes a verdict
that was too early cost a rebuild and nothing else, but a verdict for everybody would cost them all.
"""

from collections.abc import Collection, Mapping
from typing import Final

WATCH_S: Final = 0.1
# Three beats that did not come: time to ask whether the worker's connection is still there. One
# that lives and was only cut off beats again through a new connection before that.
QUIET_S: Final = 0.25
_LOOK_GAP_S: Final = 3 * WATCH_S  # a longer pause between two looks does not count as standing


class Watch:
    """How long each worker's beat has stood still, by this process's clock."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._seen: dict[str, tuple[int | None, float]] = {}  # beat, seconds it stood still
        self._cut: set[str] = set()  # their connections are gone
        self._looked_at: float | None = None
        self._blind_until = 0.0

    def look(self, beats: Mapping[str, int | None], now: float) -> None:
        """The beats as Redis shows them now; None for a worker that shows none."""
        before = now if self._looked_at is None else self._looked_at
        passed = min(now - before, _LOOK_GAP_S)
        self._looked_at = now
        seen = {}
        for worker, beat in beats.items():
            known, still = self._seen.get(worker, (beat, -passed))
            seen[worker] = (beat, still + passed if beat == known else 0.0)
        self._seen = seen
        self._cut = {worker for worker in self._cut if worker in seen and seen[worker][1] > 0}

    def blind(self, now: float) -> None:
        """Redis did not answer us: whose connection is gone may have lost it as we lost ours.

        For a lease from now on only the lease counts: a Redis that restarts, or fails over, has
        closed everybody's connections and numbers the new ones from the beginning.
        """
        self._blind_until = now + self.lease_s

    def quiet(self, now: float) -> set[str]:
        """The workers that may be dead before the lease is over: ask for their connections."""
        if now < self._blind_until:
            return set()
        dead = self.dead()
        return {w for w, (_, still) in self._seen.items() if still >= QUIET_S and w not in dead}

    def cut(self, workers: Collection[str]) -> None:
        """Of these quiet ones the connections are gone: dead, unless they beat again."""
        self._cut |= set(workers)

    def dead(self, leases: float = 1) -> set[str]:
        """The workers that stood still for the lease, or for several, or were cut."""
        least_s = leases * self.lease_s
        still = {worker for worker, (_, still) in self._seen.items() if still >= least_s}
        return still | self._cut if leases <= 1 else still
