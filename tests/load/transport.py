"""Compare the whole path with its peers: the same callers, chunks and core, in turns."""

import statistics
import subprocess
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.load.cores import Cores
from tests.load.ladder import Progress, Rung, Start, climb, largest, measure_rung
from tests.load.servers import ours, peer, prepare_peers

OURS: Final = "antiphon"
LEAN: Final = "pipecat, lean"
DEFAULT: Final = "pipecat, default"
FLOOR: Final = "bare websockets"
PEERS: Final = (LEAN, DEFAULT, FLOOR)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure, and with how many callers."""

    seconds: float  # of each rung, after 2 s of warm-up
    sizes: dict[str, tuple[int, ...]]
    bisections: dict[str, int]
    side_by_side: tuple[int, ...]  # numbers of callers at which all servers run in turns
    side_seconds: float
    repeats: int


# A rung of N callers takes about 8 s (start, 2 of warm-up, 1.5 for the last echoes). It takes
# N / 100 s more to begin the calls. Then come the measured seconds.
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
# Tries everything in a minute; its figures are not to be published.
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


def measure(plan: Plan, cores: Cores, progress: Progress) -> list[Rung]:
    """Measure the ladder of antiphon."""
    one = partial(measure_rung, ours, seconds=plan.seconds, cores=cores, progress=progress)
    return climb(
        lambda callers: one(callers=callers), plan.sizes[OURS], plan.bisections.get(OURS, 0)
    )


@dataclass(frozen=True, slots=True)
class PeerComparison:
    """The peers beside antiphon."""

    side_by_side: dict[str, list[Rung]]  # by server; the servers ran in turns
    ladders: dict[str, list[Rung]] = field(default_factory=dict)  # of the peers

    def cost(self, callers: int, name: str) -> float:
        """CPU ms a second for each caller, the median of the side-by-side runs; NaN for none.

        A run that lost frames does not count: lost work costs nothing.
        """
        known = self.side_by_side.get(name, [])
        rungs = [r for r in known if r.callers == callers and r.cpu and not r.lost]
        return statistics.median(r.cpu_per_caller for r in rungs) if rungs else float("nan")

    @property
    def sizes(self) -> list[int]:
        """The numbers of callers in the side-by-side runs."""
        return sorted({r.callers for rungs in self.side_by_side.values() for r in rungs})

    def most(self, name: str) -> int:
        """The largest number of callers that a peer holds."""
        return largest(self.ladders.get(name, []))


def compare(plan: Plan, cores: Cores, progress: Progress) -> PeerComparison:
    """Run all servers side by side, in turns and repeatedly; then measure each peer's ladder.

    Raises RuntimeError when pip cannot install the peers.
    """
    progress("the peers' environment (the first time: a minute or two) ...")
    try:
        prepare_peers()
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"Expected pip to install the peers, got {error}") from error
    servers: dict[str, Start] = {OURS: ours, **peers()}
    together: dict[str, list[Rung]] = {name: [] for name in servers}
    for callers in plan.side_by_side:
        for _ in range(plan.repeats):
            for name, start in servers.items():
                progress(f"{name}, side by side:")
                rung = measure_rung(start, callers, plan.side_seconds, cores, progress)
                together[name].append(rung)
    ladders = {}
    for name in PEERS:
        progress(f"{name}, its ladder:")
        ladders[name] = _ladder(plan, name, servers[name], together[name], cores, progress)
    return PeerComparison(together, ladders)


def _ladder(
    plan: Plan, name: str, start: Start, known: list[Rung], cores: Cores, progress: Progress
) -> list[Rung]:
    """Measure a peer's ladder; the best of its side-by-side runs is its first rung."""
    one = partial(measure_rung, start, seconds=plan.side_seconds, cores=cores, progress=progress)
    best = {r.callers: r for r in sorted(known, key=lambda r: -r.latency_p95)}
    return climb(
        lambda callers: one(callers=callers),
        [size for size in plan.sizes[name] if size not in best],
        plan.bisections.get(name, 0),
        list(best.values()),
    )
