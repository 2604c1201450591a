"""How far a tuning is, by steps and by the clock, and the learning rate that follows from it."""

import math
import time
from dataclasses import dataclass, field
from typing import Final

WARM_UP_STEPS: Final = 20
LAST_SHARE: Final = 0.05  # of the learning rate, at the end


@dataclass(slots=True)
class Schedule:
    """Ends after `steps`, or after `minutes` by the clock, over all resumptions."""

    steps: int
    minutes: float
    rate: float
    spent_before_s: float = 0.0
    _started_s: float = field(default_factory=time.monotonic)

    @property
    def spent_s(self) -> float:
        """Seconds that it ran, over all resumptions."""
        return self.spent_before_s + time.monotonic() - self._started_s

    def fraction(self, step: int) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, max(step / self.steps, self.spent_s / (60 * self.minutes)))

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: a short rise, then half a cosine down."""
        cosine = (1 + math.cos(math.pi * self.fraction(step))) / 2
        down = LAST_SHARE + (1 - LAST_SHARE) * cosine
        return self.rate * down * min(1.0, (step + 1) / WARM_UP_STEPS)
