"""The result of a scaling run: the curve, and what callers lost."""

import os
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FleetSample:
    """One second of the run."""

    at_s: float
    callers: int  # who talk or try to
    wanted: float  # calls and waiting callers, as Prometheus has them
    slots: float
    workers: int  # processes


@dataclass
class ScalingRun:
    """The curve, and what callers lost."""

    seconds: float
    cores: int = field(default_factory=lambda: os.cpu_count() or 0)
    samples: list[FleetSample] = field(default_factory=list)
    calls: int = 0
    frames: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    ended: int = 0

    @property
    def good(self) -> bool:
        """Nobody was refused and nothing was lost, and the fleet grew and shrank."""
        workers = [sample.workers for sample in self.samples]
        moved = max(workers) > workers[0] and workers[-1] < max(workers)
        return moved and not (self.refused or self.lost or self.doubled or self.ended)
