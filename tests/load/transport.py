"""Our whole path against its peers: the same callers, the same chunks, the same core, in turns."""

import statistics
import subprocess
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.load.cores import Cores
from tests.load.ladder import Rung, Start, Tell, climb, climb_one, largest
from tests.load.servers import ours, peer, prepare_peers

OURS: Final = "antiphon"
LEAN: Final = "pipecat, lean"
DEFAULT: Final = "pipecat, default"
FLOOR: Final = "bare websockets"
PEERS: Final = (LEAN, DEFAULT, FLOOR)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how far."""

    seconds: float  # measured at each rung, behind 2 s of warming up
    sizes: dict[str, tuple[int, ...]]
    bisections: dict[str, int]
    side_by_side: tuple[int, ...]  # callers at which all are measured in turns
    side_seconds: float
    repeats: int


# Seconds of `make bench`, a rung of N callers: about 8 (start, 2 warming up, 1.5 for the last
# echo), N / 100 to let them in, and what is measured.
SHORT: Final = Plan(
    seconds=6.0,
    sizes={
        OURS: (1, 50, 100, 200, 500, 1_000),
        LEAN: (80, 120, 160, 200),
        DEFAULT: (80, 120, 160),
        FLOOR: (500, 1_000),
    },
    bisections={OURS: 2, LEAN: 1, DEFAULT: 1, FLOOR: 1},
    side_by_side=(50,),
    side_seconds=5.0,
    repeats=2,
)
FULL: Final = Plan(
    seconds=20.0,
    sizes={
        OURS: (1, 10, 25, 50, 100, 150, 200, 300, 400, 500, 700, 1_000),
        LEAN: (1, 40, 80, 120, 160, 200),
        DEFAULT: (1, 40, 80, 120, 160),
        FLOOR: (1, 500, 1_000),
    },
    bisections={OURS: 3, LEAN: 2, DEFAULT: 2, FLOOR: 2},
    side_by_side=(50, 80),
    side_seconds=15.0,
    repeats=2,
)
# To see that all of it works, in a minute; no figures to publish.
SMOKE: Final = Plan(
    seconds=2.0,
    sizes={OURS: (1, 10, 20), LEAN: (8,), DEFAULT: (8,), FLOOR: (20,)},
    bisections={},
    side_by_side=(4,),
    side_seconds=2.0,
    repeats=1,
)


def peers() -> dict[str, Start]:
    """Every peer, by name."""
    return {
        LEAN: lambda core, _: peer("pipecat_echo", core, "lean"),
        DEFAULT: lambda core, _: peer("pipecat_echo", core, "default"),
        FLOOR: lambda core, _: peer("floor_echo", core),
    }


def measure(plan: Plan, cores: Cores, tell: Tell) -> list[Rung]:
    """Our own ladder."""
    one = partial(climb_one, ours, seconds=plan.seconds, cores=cores, tell=tell)
    return climb(
        lambda callers: one(callers=callers), plan.sizes[OURS], plan.bisections.get(OURS, 0)
    )


@dataclass(frozen=True, slots=True)
class Rivals:
    """The peers beside us."""

    side_by_side: dict[str, list[Rung]]  # by server: rungs of every number measured in turns
    ladders: dict[str, list[Rung]] = field(default_factory=dict)  # of the peers

    def cost(self, callers: int, name: str) -> float:
        """CPU ms a second a caller, the median of the side-by-side runs; NaN without any.

        A run that lost something does not count: what is not done is cheap.
        """
        known = self.side_by_side.get(name, [])
        rungs = [r for r in known if r.callers == callers and r.cpu and not r.lost]
        return statistics.median(r.cpu_per_caller for r in rungs) if rungs else float("nan")

    @property
    def sizes(self) -> list[int]:
        """The numbers of callers that were measured side by side."""
        return sorted({r.callers for rungs in self.side_by_side.values() for r in rungs})

    def most(self, name: str) -> int:
        """The largest number of callers that a peer held."""
        return largest(self.ladders.get(name, []))


def compare(plan: Plan, cores: Cores, tell: Tell) -> Rivals:
    """Side by side first, each in turn and again; then each peer up its ladder.

    Raises CalledProcessError when the peers' environment cannot be made.
    """
    tell("the peers' environment (the first time: a minute or two) ...")
    try:
        prepare_peers()
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"Expected pip to install the peers, got {error}") from error
    servers: dict[str, Start] = {OURS: ours, **peers()}
    together: dict[str, list[Rung]] = {name: [] for name in servers}
    for callers in plan.side_by_side:
        for _ in range(plan.repeats):
            for name, start in servers.items():
                tell(f"{name}, side by side:")
                rung = climb_one(start, callers, plan.side_seconds, cores, tell)
                together[name].append(rung)
    ladders = {}
    for name in PEERS:
        tell(f"{name}, its ladder:")
        ladders[name] = _ladder(plan, name, servers[name], together[name], cores, tell)
    return Rivals(together, ladders)


def _ladder(
    plan: Plan, name: str, start: Start, known: list[Rung], cores: Cores, tell: Tell
) -> list[Rung]:
    """A peer's own; the best of its runs side by side is its first rung."""
    one = partial(climb_one, start, seconds=plan.side_seconds, cores=cores, tell=tell)
    best = {r.callers: r for r in sorted(known, key=lambda r: -r.latency_p95)}
    return climb(
        lambda callers: one(callers=callers),
        [size for size in plan.sizes[name] if size not in best],
        plan.bisections.get(name, 0),
        list(best.values()),
    )
