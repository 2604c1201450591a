"""A worker's slots and step time as Prometheus gauges, taken from the status that it publishes."""

from collections.abc import Mapping
from typing import Any, Final

from prometheus_client import Gauge

# In seconds and by engine, since a step of another engine may take another time.
SLOTS: Final = Gauge("antiphon_worker_slots", "Sessions that this worker can hold", ["engine"])
FREE_SLOTS: Final = Gauge(
    "antiphon_worker_free_slots", "Sessions that this worker could still take", ["engine"]
)
STEP_P95: Final = Gauge(
    "antiphon_worker_step_p95_seconds",
    "95th percentile of this worker's steps of the last 10 s, in seconds; the last one known, "
    "halved every 20 s, while there are too few steps",
    ["engine"],
)
STEP_LIMIT: Final = Gauge(
    "antiphon_worker_step_limit_seconds", "What a step of this engine may take", ["engine"]
)


def show(status: Mapping[str, Any]) -> None:
    """Set the gauges to a status as the worker publishes it."""
    engine = status["engine"]
    SLOTS.labels(engine).set(status["slots"])
    FREE_SLOTS.labels(engine).set(status["free"])
    STEP_P95.labels(engine).set(status["step_p95_ms"] / 1_000)
    STEP_LIMIT.labels(engine).set(status["step_limit_ms"] / 1_000)
