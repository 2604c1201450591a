"""Measures how long each process's beat has stood still, by the observer's own clock. Pure.

Workers and gateways publish a counter that grows while they work. No two clocks are compared: an
observer measures how long it has seen the same count.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

# A gateway writes into the log of a connected caller at least this often. If it does not, workers
# assume that the gateway died, and not that the caller is silent.
SIGN_OF_LIFE_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class _Beat:
    count: object
    still_s: float = 0.0
    moved: bool = False


class Beats:
    """The beats of many processes.

    `look_gap_s` caps how much of the time between two looks counts. So an observer that could not
    look for a while declares no process dead.
    """

    def __init__(self, look_gap_s: float = math.inf) -> None:
        self._look_gap_s = look_gap_s
        self._looked_at: float | None = None
        self._beats: dict[str, _Beat] = {}

    def look(self, counts: Mapping[str, object], now: float) -> None:
        """Take the counts as published now; forget every process that is missing from them.

        A process that publishes no count has the count None.
        """
        passed = self._passed_s(now)
        self._looked_at = now
        self._beats = {name: self._next(name, count, passed) for name, count in counts.items()}

    def _next(self, name: str, count: object, passed_s: float) -> _Beat:
        known = self._beats.get(name)
        if known is None:
            return _Beat(count=count)
        if known.count != count:
            return _Beat(count=count, moved=True)
        return replace(known, still_s=known.still_s + passed_s)

    def _passed_s(self, now: float) -> float:
        return 0.0 if self._looked_at is None else min(now - self._looked_at, self._look_gap_s)

    def moving(self, within_s: float, now: float) -> list[str]:
        """Processes that were seen to beat and have stood still for no more than this."""
        most = within_s - self._passed_s(now)
        return [name for name, beat in self._beats.items() if beat.moved and beat.still_s <= most]

    def still(self, for_s: float, now: float | None = None) -> set[str]:
        """Processes that have stood still for at least this long, by `now` or the last look."""
        least = for_s - (0.0 if now is None else self._passed_s(now))
        return {name for name, beat in self._beats.items() if beat.still_s >= least}
