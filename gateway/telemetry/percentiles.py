"""The most recent measurements of one kind, for percentiles of the last few seconds. Sans I/O."""

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np

WINDOW_S: Final = 10.0
MOST: Final = 4_096  # at more than 400 measurements a second the window is shorter


class Window:
    """Durations in seconds, each with the monotonic time at which it was taken."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, float]] = deque(maxlen=MOST)

    def add(self, seconds: Iterable[float], now: float) -> None:
        """Take measurements."""
        self._taken.extend((now, each) for each in seconds)

    def percentiles_ms(self, now: float) -> tuple[float | None, float | None]:
        """Median and 99th percentile of the last 10 s, in milliseconds; None without any."""
        while self._taken and self._taken[0][0] < now - WINDOW_S:
            self._taken.popleft()
        if not self._taken:
            return None, None
        p50, p99 = np.percentile([each for _, each in self._taken], (50, 99)) * 1_000
        return round(float(p50), 2), round(float(p99), 2)
