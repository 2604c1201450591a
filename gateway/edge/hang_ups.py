"""Says when a slot is likely to become free, by how often callers have hung up. Sans I/O."""

from collections import deque
from collections.abc import Mapping
from typing import Final

WINDOW_S: Final = 60.0
MAX_TIMES: Final = 1_000
MIN_RETRY_MS: Final = 500  # a sooner retry would meet the same callers
MAX_RETRY_MS: Final = 15_000
UNKNOWN_RETRY_MS: Final = 5_000  # nobody has hung up lately


class HangUps:
    """Counts the calls that have left their slots at all workers in the last minute."""

    def __init__(self) -> None:
        self._ended: dict[str, int] = {}  # by worker, since its start
        self._times: deque[float] = deque(maxlen=MAX_TIMES)

    def look(self, ended: Mapping[str, int], now: float) -> None:
        """Take each worker's count of ended calls."""
        for worker, count in ended.items():
            new = count - self._ended.get(worker, count)
            self._times.extend([now] * min(max(0, new), MAX_TIMES))
        self._ended = dict(ended)

    def likely_in_ms(self, now: float) -> int:
        """The mean time between two hang-ups in the last minute, within bounds."""
        while self._times and self._times[0] < now - WINDOW_S:
            self._times.popleft()
        if not self._times:
            return UNKNOWN_RETRY_MS
        mean_ms = round(1_000 * WINDOW_S / len(self._times))
        return min(MAX_RETRY_MS, max(MIN_RETRY_MS, mean_ms))
