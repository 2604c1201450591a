"""The plans of `make train`: they name families that exist, and a wrong name is refused."""

import pytest
from typer.testing import CliRunner

from workers.training.__main__ import app
from workers.training.dialogue import FAMILIES
from workers.training.plan import PLANS


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_plan_teaches_families_that_exist(name: str) -> None:
    assert set(PLANS[name].families) <= {family.name for family in FAMILIES}


def test_families_have_names_of_their_own() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_a_plan_that_does_not_exist_is_refused_by_name() -> None:
    result = CliRunner().invoke(app, ["all", "--plan", "tomorrow"])
    assert result.exit_code == 2
    assert "'cpu', 'gpu', 'smoke'" in result.output
