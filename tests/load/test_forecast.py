"""The simulation against values calculated by hand, and the forecast's consistency."""

import pytest

from tests.load.engine import StepTime
from tests.load.fleet import Fleet
from tests.load.forecast import (
    ECHO,
    FULL,
    GPU,
    Costs,
    a_card_holds,
    a_worker_holds,
    cell,
    cpu_engine,
    ends_at,
    size,
)
from tests.load.ladder import Rung
from tests.load.shared_keys import SharedKeyCosts
from tests.load.simulation import FleetShape, Simulation

SHARED_KEYS = SharedKeyCosts(2.0, 20.0, 1.0, 5.0, 30.0, 100.0, 1.0, 1.0)
COSTS = Costs(100, 300.0, 100.0, 300.0, 4_000.0, SHARED_KEYS)


def shape(**changes: float | bool) -> FleetShape:
    plain = {"gateway_us": 100.0, "primary_us": 50.0, "worker_us": 200.0, "batch_us": 0.0}
    return FleetShape(gateways=1, primaries=1, workers=1, **{**plain, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("one_core", [False, True])
def test_a_single_caller_never_waits(one_core: bool) -> None:
    alone = shape(batch_us=1_000.0, other_us=500.0, one_core=one_core)
    found = Simulation(alone, 1, seed=1).run(2.0)
    assert found == pytest.approx([2.0] * len(found))  # 2 x (100 + 50) + 200 + 1,000 + 500 us
    assert len(found) in (18, 19)


def test_latency_grows_with_the_callers_up_to_overload() -> None:
    medians = []
    for callers in (10, 300, 380, 500):  # 200 us of 80 ms each: 400 fill the worker or gateway
        found = Simulation(shape(), callers, seed=1).run(2.0)
        medians.append(found[len(found) // 2])
    assert medians == sorted(medians)
    assert medians[2] < 20 < 100 < medians[3]


def test_processes_on_one_core_are_slower_than_on_one_each() -> None:
    def p95(*, one_core: bool) -> float:
        found = Simulation(shape(one_core=one_core), 200, seed=1).run(2.0)
        return found[int(0.95 * len(found))]

    assert p95(one_core=True) > 2 * p95(one_core=False)  # 500 us a chunk: 160 fill it


def test_the_engine_is_a_line_through_the_measured_steps() -> None:
    steps = [StepTime("mix", batch, 30 + 2 * batch, 0, {}) for batch in (4, 16, 32)]
    engine = cpu_engine([*steps, StepTime("mix", 1, 5, 5, {}), StepTime("speaking", 4, 99, 99, {})])
    assert (engine.batch_us, engine.row_us) == pytest.approx((30_000, 2_000))
    with pytest.raises(ValueError, match="two batches"):
        cpu_engine(steps[:1])


def test_workers_and_cards_are_filled_up_to_their_share() -> None:
    each = a_worker_holds(COSTS, GPU)
    turn_us = GPU.batch_us + each * (COSTS.worker_us + GPU.row_us)
    assert turn_us <= FULL * 80_000 < turn_us + COSTS.worker_us + GPU.row_us
    steps_us = a_card_holds(GPU, each) * (GPU.batch_us + each * GPU.row_us)
    assert steps_us <= FULL * 80_000


def test_a_fleet_grows_with_its_callers_until_the_shared_keys_limit_it() -> None:
    small, large = size(COSTS, ECHO, 1_000), size(COSTS, ECHO, 10_000)
    assert small is not None
    assert large is not None
    assert large.gateways == pytest.approx(10 * small.gateways, rel=0.2)
    assert large.workers > 10 * small.workers * 0.9
    assert large.shared_share > small.shared_share
    end = ends_at(COSTS, ECHO)
    assert size(COSTS, ECHO, end) is not None
    assert size(COSTS, ECHO, 2 * end) is None
    assert 0 < cell(COSTS, ECHO) < end


def test_costs_come_from_the_largest_rung_that_held() -> None:
    def rung(callers: int, p95: float) -> Rung:
        cpu = {"redis": 1.25 * callers, "gateway": 2.5 * callers, "worker": 3.75 * callers}
        return Rung(callers, 5.0, p95, p95, 1, 1, 0, 1, cpu)

    fleet = Fleet([], [], SHARED_KEYS)
    costs = Costs.of([rung(1, 9), rung(50, 20), rung(100, 300)], fleet)
    assert costs == Costs(50, 200.0, 100.0, 300.0, 4_400.0, SHARED_KEYS)
    assert Costs.of([rung(1, 900), rung(50, 900)], fleet).callers == 50
    with pytest.raises(ValueError, match="lost nothing"):
        Costs.of([Rung.failed(1, "why")], fleet)
