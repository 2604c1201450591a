"""The fleet's gauges: sums by engine, and no label that a status could invent."""

from prometheus_client import REGISTRY

from gateway.edge.fleet import Fleet
from gateway.telemetry import fleet_gauges


def value(name: str, engine: str) -> float | None:
    return REGISTRY.get_sample_value(f"antiphon_fleet_{name}", {"engine": engine})


def test_the_gauges_sum_the_live_workers_of_each_engine() -> None:
    fleet = Fleet(lease_s=1.0, max_sessions=10)
    echo = {"engine": "echo", "slots": 8, "step_p95_ms": 20.0}
    statuses = {
        "w1": {**echo, "free": 3},
        "w2": {**echo, "free": 8, "step_p95_ms": 60.0},
        "w3": {**echo, "engine": "x" * 99, "free": 1},
        "dead": {**echo, "free": 5},
    }
    for beat in range(2):
        beats = {name: {**s, "beat": beat * (name != "dead")} for name, s in statuses.items()}
        fleet.observe(beats, queued=4, now=beat / 10)
    fleet_gauges.show(fleet, 0.1)
    assert (value("workers", "echo"), value("slots", "echo")) == (2, 16)
    assert (value("free_slots", "echo"), value("step_p95_seconds", "echo")) == (11, 0.06)
    assert value("workers", fleet_gauges.OTHER) == 1
    assert REGISTRY.get_sample_value("antiphon_fleet_waiting_callers") == 4
    fleet_gauges.show(Fleet(lease_s=1.0, max_sessions=10), 0.1)
    assert value("workers", "echo") is None
