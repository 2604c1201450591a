"""Calculate fleets from costs of one machine: how many of each process, and the largest fleet.

All costs are measured, except those of `GPU`, which are assumed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.load.engine import StepTime
from tests.load.fleet import Fleet
from tests.load.ladder import Rung
from tests.load.shared_keys import SharedKeyCosts
from tests.load.simulation import CHUNK_US, FleetShape

FULL: Final = 0.7  # the most of a core or card that a plan may use
CHUNKS_PER_S: Final = 1e6 / CHUNK_US  # 12.5, of each caller
LOOKS_PER_S: Final = 10  # of each worker and gateway at all beats; beats of each worker
SWEEPS_PER_S: Final = 1
CELL_SHARE: Final = 0.1  # the most of a core that the shared keys may take in a cell
LARGEST: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Engine:
    """The cost of a step, linear in its batch."""

    name: str
    batch_us: float
    row_us: float
    card: bool  # runs on a card that several workers share


ECHO: Final = Engine("echo", 0.0, 0.0, card=False)
# Assumed: 70 ms for a step of 2,000 rows, the goal; 10 ms of it for any batch.
GPU: Final = Engine("base, H200 (assumed)", 10_000.0, 30.0, card=True)


@dataclass(frozen=True, slots=True)
class Costs:
    """us a chunk of one caller, both ways, at a rung that held."""

    callers: int
    gateway_us: float
    primary_us: float
    worker_us: float
    other_us: float
    shared_keys: SharedKeyCosts

    @classmethod
    def of(cls, rungs: Sequence[Rung], fleet: Fleet) -> "Costs":
        """The costs at the largest rung that held, or else at the largest that lost no frame.

        On a busy machine latencies break promises, but CPU times stay right. Raises ValueError
        without such a rung.
        """
        whole = [rung for rung in rungs if rung.cpu and not rung.lost]
        held = [rung for rung in whole if rung.holds] or whole
        if not held:
            raise ValueError("Expected a rung of our ladder that lost nothing, got none")
        last, first = held[-1], held[0]
        gateway_us, primary_us, worker_us = (
            last.cpu_of(kind) * 1_000 / CHUNKS_PER_S for kind in ("gateway", "redis", "worker")
        )
        other_us = max(0.0, first.latency_p50 * 1_000 - gateway_us - primary_us - worker_us)
        return cls(last.callers, gateway_us, primary_us, worker_us, other_us, fleet.shared_keys)

    def shape(
        self, engine: Engine, gateways: int, primaries: int, workers: int, *, one_core: bool = False
    ) -> FleetShape:
        """A fleet with these costs, for the simulation."""
        return FleetShape(
            gateways=gateways,
            primaries=primaries,
            workers=workers,
            gateway_us=self.gateway_us / 2,
            primary_us=self.primary_us / 2,
            worker_us=self.worker_us + engine.row_us,
            batch_us=engine.batch_us,
            other_us=self.other_us,
            one_core=one_core,
        )


@dataclass(frozen=True, slots=True)
class FleetSize:
    """The processes that hold so many callers."""

    callers: int
    gateways: int
    primaries: int
    workers: int
    cards: int
    shared_share: float  # of each worker's core, for the keys that all processes share
    hub_share: float  # of the core of the primary that holds those keys


def cpu_engine(steps: Sequence[StepTime]) -> Engine:
    """Fit a line to the measured steps of the mix. Raises ValueError with fewer than two."""
    known = [(p.batch, p.step_ms * 1_000) for p in steps if p.scene == "mix" and p.batch > 1]
    if len(known) < 2:
        raise ValueError("Expected the engine's steps at two batches, got fewer")
    count = len(known)
    mean_x, mean_y = (sum(axis) / count for axis in zip(*known, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in known)
    row_us = sum((x - mean_x) * (y - mean_y) for x, y in known) / spread
    return Engine("tiny, a core", max(0.0, mean_y - row_us * mean_x), row_us, card=False)


def a_worker_holds(costs: Costs, engine: Engine, share: float = FULL) -> int:
    """How many callers one worker holds if its turn takes that share of a chunk's time."""
    room_us = share * CHUNK_US - engine.batch_us
    return max(0, int(room_us / (costs.worker_us + engine.row_us)))


def a_card_holds(engine: Engine, a_worker: int) -> int:
    """How many workers share one card, on which their steps run one after another."""
    return max(1, int(FULL * CHUNK_US / (engine.batch_us + a_worker * engine.row_us)))


def size(costs: Costs, engine: Engine, callers: int) -> FleetSize | None:
    """The fleet that holds so many callers; None if no number of processes does."""
    workers = 1
    gateways = math.ceil(callers * costs.gateway_us / (FULL * CHUNK_US))
    for _ in range(200):
        shared = _shared_share(costs.shared_keys, callers, workers)
        each = a_worker_holds(costs, engine, FULL - shared)
        if each < 1:
            return None
        needed = math.ceil(callers / each)
        if needed <= workers:
            break
        workers = needed
    else:
        return None
    hub = _hub_share(costs.shared_keys, workers, gateways)
    if hub > FULL:
        return None
    swept_us = (
        SWEEPS_PER_S * workers * callers * costs.shared_keys.sweep_redis
    )  # a second, over all primaries
    data_us = callers * CHUNKS_PER_S * costs.primary_us
    primaries = math.ceil((data_us + swept_us) / (FULL * 1e6))
    cards = math.ceil(workers / a_card_holds(engine, each)) if engine.card else 0
    return FleetSize(callers, gateways, primaries, workers, cards, shared, hub)


def _shared_share(keys: SharedKeyCosts, callers: int, workers: int) -> float:
    """The share of a worker's core for sweeps, watches and its own beat."""
    swept = SWEEPS_PER_S * callers * keys.sweep_worker
    watched = LOOKS_PER_S * (workers * keys.watch_worker + keys.beat_worker)
    return (swept + watched) / 1e6


def _hub_share(keys: SharedKeyCosts, workers: int, gateways: int) -> float:
    """The share of the core of the primary that holds the shared keys, for looks and beats."""
    looks = LOOKS_PER_S * (workers + gateways) * workers * keys.watch_redis
    return (looks + LOOKS_PER_S * workers * keys.beat_redis) / 1e6


def ends_at(costs: Costs, engine: Engine) -> int:
    """The most callers of one fleet, by bisection; 0 if there is no such fleet."""
    return _most(lambda found: found is not None, costs, engine)


def cell(costs: Costs, engine: Engine) -> int:
    """The most callers of a fleet if its shared keys take at most `CELL_SHARE` of any core."""
    return _most(
        lambda found: found is not None and max(found.shared_share, found.hub_share) <= CELL_SHARE,
        costs,
        engine,
    )


def _most(good: Callable[[FleetSize | None], bool], costs: Costs, engine: Engine) -> int:
    low, high = 0, LARGEST
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        if good(size(costs, engine, middle)):
            low = middle
        else:
            high = middle
    return low
