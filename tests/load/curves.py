"""Simulate latency against load, and compare the simulation with the measurement."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.load.fleet import Fleet
from tests.load.forecast import ECHO, Costs, Engine, a_worker_holds
from tests.load.ladder import Rung, percentile
from tests.load.simulation import CHUNK_US, Simulation

LOADS: Final = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)  # 1: a worker's turn takes 80 ms
SIMULATED: Final = 600  # callers, or as many as one worker holds
SECONDS: Final = 1.5
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Point:
    """A fleet at a load; times in ms."""

    load: float
    callers: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Check:
    """One rung of the ladder as measured, and as simulated on one core; ms."""

    callers: int
    measured_p50: float
    measured_p95: float
    simulated_p50: float
    simulated_p95: float


def curve(costs: Costs, engine: Engine) -> list[Point]:
    """The latency of fleets with the same load on all processes."""
    return [_point(costs, engine, load) for load in LOADS if a_worker_holds(costs, engine, load)]


def _point(costs: Costs, engine: Engine, load: float) -> Point:
    each = a_worker_holds(costs, engine, load)
    workers = max(1, round(SIMULATED / each))
    callers = workers * each
    gateways = math.ceil(callers * costs.gateway_us / CHUNK_US / load)
    primaries = math.ceil(callers * costs.primary_us / CHUNK_US / load)
    shape = costs.shape(engine, gateways, primaries, workers)
    found = Simulation(shape, callers, SEED).run(SECONDS)
    return Point(load, callers, *(percentile(found, share) for share in (0.5, 0.95, 0.99)))


def check(rungs: Sequence[Rung], fleet: Fleet) -> list[Check]:
    """Simulate every rung that held on one core at its own costs."""
    return [_check(rungs, rung, fleet) for rung in rungs if rung.holds]


def _check(rungs: Sequence[Rung], rung: Rung, fleet: Fleet) -> Check:
    costs = Costs.of([rungs[0], rung], fleet)
    shape = costs.shape(ECHO, 1, 1, 1, one_core=True)
    found = Simulation(shape, rung.callers, SEED).run(SECONDS)
    p50, p95 = percentile(found, 0.5), percentile(found, 0.95)
    return Check(rung.callers, rung.latency_p50, rung.latency_p95, p50, p95)
