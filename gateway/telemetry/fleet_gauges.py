"""The fleet as this gateway sees it, as Prometheus gauges that are set at each scrape.

Every gateway shows the same fleet: take the greatest value, never the sum.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from prometheus_client import Gauge

from gateway.edge.fleet import Fleet, Worker
from shared.modes import EngineName

OTHER: Final = "other"  # no status may add a label of its own
WORKERS: Final = Gauge("antiphon_fleet_workers", "Workers that live", ["engine"])
SLOTS: Final = Gauge("antiphon_fleet_slots", "Slots of the workers that live", ["engine"])
FREE_SLOTS: Final = Gauge(
    "antiphon_fleet_free_slots", "Free slots of the workers that live", ["engine"]
)
STEP_P95: Final = Gauge(
    "antiphon_fleet_step_p95_seconds",
    "The greatest 95th percentile of step time of the workers that live, in seconds",
    ["engine"],
)
WAITING: Final = Gauge(
    "antiphon_fleet_waiting_callers", "Callers who wait for a worker to take their call"
)


def show(fleet: Fleet, now: float) -> None:
    """Set the gauges to what the fleet is now. An engine without a worker has no series."""
    for gauge in (WORKERS, SLOTS, FREE_SLOTS, STEP_P95):
        gauge.clear()
    by_engine: defaultdict[str, list[Worker]] = defaultdict(list)
    for worker in fleet.live(now).values():
        by_engine[_engine(worker)].append(worker)
    for engine, workers in by_engine.items():
        _show(engine, workers)
    WAITING.set(fleet.queued)


def _show(engine: str, workers: Iterable[Worker]) -> None:
    workers = list(workers)
    WORKERS.labels(engine).set(len(workers))
    SLOTS.labels(engine).set(sum(worker.number("slots") for worker in workers))
    FREE_SLOTS.labels(engine).set(sum(worker.number("free") for worker in workers))
    STEP_P95.labels(engine).set(max(worker.step_p95_ms for worker in workers) / 1_000)


def _engine(worker: Worker) -> str:
    name = worker.status.get("engine")
    return name if name in list(EngineName) else OTHER
