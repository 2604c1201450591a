"""The autoscaler's decisions, the load's curve, and what `make plan` says."""

import pytest

from tests.load import plan
from tests.load.record import Record
from tests.operations.autoscaler import Autoscaler
from tests.operations.scaling import FALL, FEWEST, HOLD, MOST, RISE, callers_at


def scaler() -> Autoscaler:
    return Autoscaler(slots=10, least=2, most=5, quiet_s=8.0, period_s=4.0)


@pytest.mark.parametrize(
    ("callers", "workers"), [(0, 2), (14, 2), (15, 3), (28, 4), (29, 5), (500, 5)]
)
def test_seven_tenths_of_the_slots_are_for_callers(callers: int, workers: int) -> None:
    assert scaler().need(callers) == workers


def test_it_grows_at_once_and_by_as_many_as_it_needs() -> None:
    assert scaler().change(callers=29, free=0, workers=2, now=0.0) == 3


def test_it_shrinks_after_a_quiet_window_one_at_a_time_and_with_room_to_spare() -> None:
    found = scaler()
    changes = [
        found.change(28, 12, 4, 0.0),
        *(found.change(5, 30, 4, float(t)) for t in range(1, 9)),
    ]
    assert changes == [0] * 9  # the need of second 0 is still in the window
    assert found.change(5, 9, 4, 9.0) == 0  # less than one worker's slots are free
    assert found.change(5, 30, 4, 10.0) == -1
    assert found.change(5, 20, 3, 11.0) == 0  # one a period
    assert found.change(5, 20, 3, 14.0) == -1


def test_the_load_rises_holds_and_falls() -> None:
    assert callers_at(0) == FEWEST
    assert callers_at(RISE) == callers_at(RISE + HOLD) == MOST
    assert callers_at(RISE + HOLD + FALL) == callers_at(1.0) == FEWEST


@pytest.mark.parametrize("engine", plan.ENGINES)
def test_a_plan_says_what_was_measured(engine: str) -> None:
    rows = plan.plan(Record(plan.RECORD), 5_000, engine)
    assert all(
        row.basis.startswith(("measured", "assumed")) or "a core, " in row.basis for row in rows
    )
    assert {row.process for row in rows} >= {"gateway", "worker", "Redis primary"}
    twice = plan.plan(Record(plan.RECORD), 10_000, engine)
    assert sum(row.count for row in twice) > 1.5 * sum(row.count for row in rows)
    said = plan.text(rows, 5_000, engine)
    assert "5,000 callers" in said
    assert ("assumed" in said) == any("assumed" in row.basis for row in rows)
