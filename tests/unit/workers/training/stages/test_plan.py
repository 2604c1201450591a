"""The plans of `make train`: they name families that exist, and a wrong name is refused."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.errors import ConfigError
from workers.training.__main__ import app
from workers.training.questions.catalogue import FAMILIES_IN
from workers.training.stages.plan import LARGE, PLANS

NAMES = {family.name for known in FAMILIES_IN.values() for family in known}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_plan_teaches_families_that_exist(name: str) -> None:
    assert set(PLANS[name].families) <= NAMES


def test_what_two_cores_are_not_to_learn_is_there() -> None:
    assert LARGE < NAMES
    assert not LARGE & set(PLANS["cpu"].families)


def test_families_have_names_of_their_own() -> None:
    assert len(NAMES) == sum(len(known) for known in FAMILIES_IN.values())


def test_a_trial_writes_over_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    for stage in ("corpus", "listener", "codec", "vocoder", "reading", "joint", "s2s", "evaluate"):
        monkeypatch.setattr(f"workers.training.__main__.{stage}", lambda *_: None)
    monkeypatch.setattr("workers.training.__main__.voice", lambda *given: made.append(given[3]))
    runs = tmp_path / "runs"
    for trial in ((), ("--smoke",), ("--plan", "smoke")):
        assert CliRunner().invoke(app, ["all", "--runs", str(runs), *trial]).exit_code == 0
    assert made == [runs / "weights", *[runs / "smoke" / "weights"] * 2]
    assert (made[0] / "voices.toml").exists()


def test_a_plan_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    result = CliRunner().invoke(app, ["all", "--plan", "tomorrow", *runs])
    assert result.exit_code == 2
    assert isinstance(
        CliRunner().invoke(app, ["all", "--preset", "bse", *runs]).exception, ConfigError
    )
    assert not (tmp_path / "runs").exists()
    assert "'cpu', 'gpu', 'smoke'" in result.output
