"""Measure what two gateways and two workers cost compared with one of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tests.load import shared_keys
from tests.load.cores import Cores
from tests.load.ladder import Progress, Rung, measure_rung
from tests.load.servers import ours
from tests.load.shared_keys import SharedKeyCosts


@dataclass(frozen=True, slots=True)
class Fleet:
    """Both measured in turns, with the same callers on the same core."""

    one: list[Rung]  # one gateway, one worker
    two: list[Rung]  # two and two
    shared_keys: SharedKeyCosts

    @property
    def cost_ratio(self) -> float:
        """The CPU time of two and two over that of one and one; NaN when one is missing."""
        ones, twos = _cpu(self.one), _cpu(self.two)
        return twos / ones if ones else float("nan")


def _cpu(rungs: Sequence[Rung]) -> float:
    known = [r.cpu_per_caller for r in rungs if r.cpu]
    return sum(known) / len(known) if known else float("nan")


def measure(callers: int, repeats: int, seconds: float, cores: Cores, progress: Progress) -> Fleet:
    """Measure the shared keys, then both fleets in turns."""
    progress("the keys that all processes share:")
    costs = shared_keys.measure(cores)
    progress(str(costs))
    one: list[Rung] = []
    two: list[Rung] = []
    for _ in range(repeats):
        for rungs, each in ((one, 1), (two, 2)):
            progress(f"{each} gateway(s), {each} worker(s):")
            start = partial(ours, gateways=each, workers=each)
            rungs.append(measure_rung(start, callers, seconds, cores, progress))
    return Fleet(one, two, costs)
