"""Keeps the last ten seconds of one kind of measurement, for percentiles. Pure."""

from collections import deque
from collections.abc import Iterable
from typing import Final

WINDOW_S: Final = 10.0
MOST: Final = 4_096  # at more than 400 measurements a second the window is shorter
# Sorting is repeated only after so many measurements, or so much time.
SORT_EVERY: Final = 10
SORT_WITHIN_S: Final = 0.5


class Recent:
    """Numbers, each with the monotonic time at which it was measured."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, float]] = deque(maxlen=MOST)
        self._new = 0  # numbers added since they were last sorted
        self._sorted: list[float] = []
        self._sorted_until = float("-inf")

    def add(self, numbers: Iterable[float], now: float) -> None:
        """Add measurements."""
        before = len(self._taken)
        self._taken.extend((now, number) for number in numbers)
        self._new += max(1, len(self._taken) - before)

    def percentiles(self, shares: Iterable[float], now: float, least: int = 1) -> list[float]:
        """The number below which each share of the last 10 s lies; [] with fewer than `least`."""
        if self._new >= SORT_EVERY or now >= self._sorted_until:
            self._sort(now)
        if len(self._sorted) < max(1, least):
            return []
        return [self._sorted[int(share * (len(self._sorted) - 1))] for share in shares]

    def _sort(self, now: float) -> None:
        self._new, self._sorted_until = 0, now + SORT_WITHIN_S
        while self._taken and self._taken[0][0] < now - WINDOW_S:
            self._taken.popleft()
        self._sorted = sorted(number for _, number in self._taken)
