"""The plans of `make train`: they name families that exist, and a wrong name is refused."""

import pytest
from typer.testing import CliRunner

from workers.training.__main__ import app
from workers.training.dialogue import FAMILIES_IN
from workers.training.plan import LARGE, PLANS

NAMES = {family.name for known in FAMILIES_IN.values() for family in known}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_plan_teaches_families_that_exist(name: str) -> None:
    assert set(PLANS[name].families) <= NAMES


def test_what_two_cores_are_not_to_learn_is_there() -> None:
    assert LARGE < NAMES
    assert not LARGE & set(PLANS["cpu"].families)


def test_families_have_names_of_their_own() -> None:
    assert len(NAMES) == sum(len(known) for known in FAMILIES_IN.values())


def test_a_plan_that_does_not_exist_is_refused_by_name() -> None:
    result = CliRunner().invoke(app, ["all", "--plan", "tomorrow"])
    assert result.exit_code == 2
    assert "'cpu', 'gpu', 'smoke'" in result.output
