"""Our whole path against its peers: the same callers, the same chunks, the same core, in turns."""

import statistics
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.load.cores import Cores
from tests.load.ladder import Rung, Start, climb, climb_one, largest
from tests.load.servers import ours, peer, prepare_peers

OURS: Final = "antiphon"
LEAN: Final = "pipecat, lean"
DEFAULT: Final = "pipecat, default"
FLOOR: Final = "bare websockets"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how far."""

    seconds: float
    sizes: dict[str, tuple[int, ...]]
    side_by_side: tuple[int, ...]  # callers at which all are measured in turns
    repeats: int


SHORT: Final = Plan(
    seconds=6.0,
    sizes={
        OURS: (1, 50, 100, 200, 300, 400, 500, 700, 1_000),
        LEAN: (1, 40, 80, 120, 160, 200),
        DEFAULT: (1, 40, 80, 120),
        FLOOR: (1, 200, 400, 800),
    },
    side_by_side=(50,),
    repeats=2,
)
FULL: Final = Plan(
    seconds=30.0,
    sizes={
        OURS: (1, 10, 25, 50, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1_000),
        LEAN: (1, 10, 20, 40, 60, 80, 100, 120, 160, 200),
        DEFAULT: (1, 10, 20, 40, 60, 80, 100, 120),
        FLOOR: (1, 100, 200, 300, 400, 600, 800, 1_000),
    },
    side_by_side=(1, 50, 80),
    repeats=3,
)


def starts() -> dict[str, Start]:
    """Every server, by name."""
    return {
        OURS: ours,
        LEAN: lambda core, _: peer("pipecat_echo", core, "lean"),
        DEFAULT: lambda core, _: peer("pipecat_echo", core, "default"),
        FLOOR: lambda core, _: peer("floor_echo", core),
    }


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured."""

    ladders: dict[str, list[Rung]]
    side_by_side: dict[int, dict[str, list[Rung]]]  # by callers and server

    def most(self, name: str) -> int:
        """The largest number of callers that a server held."""
        return largest(self.ladders.get(name, []))

    def cost(self, callers: int, name: str) -> float:
        """CPU ms a second a caller, the median of the side-by-side runs; NaN without any."""
        rungs = self.side_by_side.get(callers, {}).get(name, [])
        return statistics.median(r.cpu_per_caller for r in rungs) if rungs else float("nan")


def measure(plan: Plan, cores: Cores, *, peers: bool) -> Found:
    """Side by side first, each in turn and again; then each up its ladder."""
    servers = starts()
    if peers:
        prepare_peers()
    else:
        servers = {OURS: servers[OURS]}
    together: dict[int, dict[str, list[Rung]]] = {}
    for callers in plan.side_by_side:
        rungs: dict[str, list[Rung]] = {name: [] for name in servers}
        for _ in range(plan.repeats):
            for name, start in servers.items():
                rungs[name].append(climb_one(start, callers, plan.seconds, cores))
        together[callers] = rungs
    step = partial(climb, seconds=plan.seconds, cores=cores)
    return Found({n: step(start, plan.sizes[n]) for n, start in servers.items()}, together)
