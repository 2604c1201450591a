"""Two gateways and two workers beside one of each: what it costs to be several."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tests.load import toll
from tests.load.cores import Cores
from tests.load.ladder import Rung, Tell, climb_one
from tests.load.servers import ours
from tests.load.toll import Toll


@dataclass(frozen=True, slots=True)
class Fleet:
    """The same callers on the same core, in turns."""

    one: list[Rung]  # one gateway, one worker
    two: list[Rung]  # two and two
    toll: Toll

    @property
    def dearer(self) -> float:
        """CPU of two and two as a multiple of one and one; NaN when either was not measured."""
        ones, twos = _cpu(self.one), _cpu(self.two)
        return twos / ones if ones else float("nan")


def _cpu(rungs: Sequence[Rung]) -> float:
    known = [r.cpu_per_caller for r in rungs if r.cpu]
    return sum(known) / len(known) if known else float("nan")


def measure(callers: int, repeats: int, seconds: float, cores: Cores, tell: Tell) -> Fleet:
    """In turns, as often."""
    tell("the keys that all share:")
    tolls = toll.measure(cores)
    tell(str(tolls))
    one: list[Rung] = []
    two: list[Rung] = []
    for _ in range(repeats):
        for rungs, each in ((one, 1), (two, 2)):
            tell(f"{each} gateway(s), {each} worker(s):")
            start = partial(ours, gateways=each, workers=each)
            rungs.append(climb_one(start, callers, seconds, cores, tell))
    return Fleet(one, two, tolls)
