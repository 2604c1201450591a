"""Decides how many workers a load needs, by the chart's trigger and policies. Pure."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

BUSY_SHARE: Final = 0.7  # of a worker's slots; the rest takes over the calls of one that dies


@dataclass
class Autoscaler:
    """Grows at once; shrinks by one worker a period, after a quiet window, with slots to spare."""

    slots: int  # of one worker
    least: int
    most: int
    quiet_s: float  # the window in which no greater need was seen
    period_s: float  # between two workers that leave
    _needs: deque[tuple[float, int]] = field(default_factory=deque)
    _shrunk_at: float = -math.inf

    def need(self, callers: float) -> int:
        """Workers for so many calls and waiting callers."""
        each = math.floor(self.slots * BUSY_SHARE)
        return min(self.most, max(self.least, math.ceil(callers / each)))

    def change(self, callers: float, free: float, workers: int, now: float) -> int:
        """How many workers to start; -1: one leaves; 0: nothing."""
        need = self.need(callers)
        self._needs.append((now, need))
        while self._needs[0][0] < now - self.quiet_s:
            self._needs.popleft()
        if need > workers:
            return need - workers
        rested = now - self._shrunk_at >= self.period_s
        if max(n for _, n in self._needs) < workers and rested and free >= self.slots:
            self._shrunk_at = now
            return -1
        return 0
