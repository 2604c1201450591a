"""From what was measured on one machine to fleets: how many of each, and where one ends.

Nothing here is measured; every cost is, but for those of `GPU`, which are stated.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.load.engine import Pace
from tests.load.fleet import Fleet
from tests.load.ladder import Rung
from tests.load.simulation import CHUNK_US, Shape
from tests.load.toll import Toll

FULL: Final = 0.7  # of a core or card: what a plan may use of it
CHUNKS_PER_S: Final = 1e6 / CHUNK_US  # 12.5, of each caller
LOOKS_PER_S: Final = 10  # of a worker or gateway at the workers; of a worker's beat
SWEEPS_PER_S: Final = 1
CELL_SHARE: Final = 0.1  # of a worker's core that the shared keys may take in a cell
LARGEST: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Engine:
    """What a batch costs: a straight line."""

    name: str
    batch_us: float
    row_us: float
    card: bool  # beside the worker's core, and shared by several workers


ECHO: Final = Engine("echo", 0.0, 0.0, card=False)
# Stated: a step of 2,000 rows in 70 ms, the goal, of which 10 ms whatever the batch.
GPU: Final = Engine("base, H200 (stated)", 10_000.0, 30.0, card=True)


@dataclass(frozen=True, slots=True)
class Costs:
    """us a chunk of one caller, both ways; of a rung at which the promises held."""

    callers: int
    gateway_us: float
    primary_us: float
    worker_us: float
    way_us: float
    toll: Toll

    @classmethod
    def of(cls, rungs: Sequence[Rung], fleet: Fleet) -> "Costs":
        """Of the largest that held, or where none did (a busy machine: latencies suffer, CPU does
        not) that lost nothing. Raises ValueError when there is none.
        """
        whole = [rung for rung in rungs if rung.cpu and not rung.lost]
        held = [rung for rung in whole if rung.holds] or whole
        if not held:
            raise ValueError("Expected a rung of our ladder that lost nothing, got none")
        last, first = held[-1], held[0]
        gateway_us, primary_us, worker_us = (
            last.cpu_of(kind) * 1_000 / CHUNKS_PER_S for kind in ("gateway", "redis", "worker")
        )
        way_us = max(0.0, first.latency_p50 * 1_000 - gateway_us - primary_us - worker_us)
        return cls(last.callers, gateway_us, primary_us, worker_us, way_us, fleet.toll)

    def shape(
        self, engine: Engine, gateways: int, primaries: int, workers: int, *, one_core: bool = False
    ) -> Shape:
        """A fleet at these costs."""
        return Shape(
            gateways=gateways,
            primaries=primaries,
            workers=workers,
            gateway_us=self.gateway_us / 2,
            primary_us=self.primary_us / 2,
            worker_us=self.worker_us + engine.row_us,
            batch_us=engine.batch_us,
            way_us=self.way_us,
            one_core=one_core,
        )


@dataclass(frozen=True, slots=True)
class Size:
    """A fleet that holds so many callers."""

    callers: int
    gateways: int
    primaries: int
    workers: int
    cards: int
    shared_share: float  # of each worker's core: what goes to the keys that all share
    hub_share: float  # of the core of the primary that has those keys


def cpu_engine(paces: Sequence[Pace]) -> Engine:
    """The straight line through the measured steps of the mix. Raises ValueError without two."""
    known = [(p.batch, p.step_ms * 1_000) for p in paces if p.scene == "mix" and p.batch > 1]
    if len(known) < 2:
        raise ValueError("Expected the engine's steps at two batches, got fewer")
    count = len(known)
    mean_x, mean_y = (sum(axis) / count for axis in zip(*known, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in known)
    row_us = sum((x - mean_x) * (y - mean_y) for x, y in known) / spread
    return Engine("tiny, a core", max(0.0, mean_y - row_us * mean_x), row_us, card=False)


def a_worker_holds(costs: Costs, engine: Engine, share: float = FULL) -> int:
    """Callers of one worker process: its turn must fit into that share of a chunk's time."""
    room_us = share * CHUNK_US - engine.batch_us
    return max(0, int(room_us / (costs.worker_us + engine.row_us)))


def a_card_holds(engine: Engine, a_worker: int) -> int:
    """Worker processes of one card: their steps follow one another."""
    return max(1, int(FULL * CHUNK_US / (engine.batch_us + a_worker * engine.row_us)))


def size(costs: Costs, engine: Engine, callers: int) -> Size | None:
    """How many of each hold so many callers in one fleet; None: no number of them does."""
    toll, workers = costs.toll, 1
    gateways = math.ceil(callers * costs.gateway_us / (FULL * CHUNK_US))
    for _ in range(200):
        shared = _shared_share(toll, callers, workers)
        each = a_worker_holds(costs, engine, FULL - shared)
        if each < 1:
            return None
        needed = math.ceil(callers / each)
        if needed <= workers:
            break
        workers = needed
    else:
        return None
    hub = _hub_share(toll, workers, gateways)
    if hub > FULL:
        return None
    swept_us = SWEEPS_PER_S * workers * callers * toll.sweep_redis  # a second, over all primaries
    data_us = callers * CHUNKS_PER_S * costs.primary_us
    primaries = math.ceil((data_us + swept_us) / (FULL * 1e6))
    cards = math.ceil(workers / a_card_holds(engine, each)) if engine.card else 0
    return Size(callers, gateways, primaries, workers, cards, shared, hub)


def _shared_share(toll: Toll, callers: int, workers: int) -> float:
    """Of a worker's core: sweeps, watches and its own beat."""
    swept = SWEEPS_PER_S * callers * toll.sweep_worker
    watched = LOOKS_PER_S * (workers * toll.watch_worker + toll.beat_worker)
    return (swept + watched) / 1e6


def _hub_share(toll: Toll, workers: int, gateways: int) -> float:
    """Of the primary with the shared keys: everybody looks at every worker, every worker beats."""
    looks = LOOKS_PER_S * (workers + gateways) * workers * toll.watch_redis
    return (looks + LOOKS_PER_S * workers * toll.beat_redis) / 1e6


def ends_at(costs: Costs, engine: Engine) -> int:
    """The most callers of one fleet, found by halving; 0 for none."""
    return _most(lambda found: found is not None, costs, engine)


def cell(costs: Costs, engine: Engine) -> int:
    """The most callers of a fleet whose shared keys cost no more than `CELL_SHARE` of a core."""
    return _most(
        lambda found: found is not None and max(found.shared_share, found.hub_share) <= CELL_SHARE,
        costs,
        engine,
    )


def _most(good: Callable[[Size | None], bool], costs: Costs, engine: Engine) -> int:
    low, high = 0, LARGEST
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if good(size(costs, engine, middle)):
            low = middle
        else:
            high = middle
    return low
