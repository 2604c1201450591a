"""The plans of `make train`, and the commands' options."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.errors import ConfigError
from workers.training import __main__ as command
from workers.training.__main__ import STAGES, app
from workers.training.command_settings import (
    CorpusSettings,
    ModelSettings,
    StageSettings,
    WeightsSettings,
)
from workers.training.questions.catalogue import FAMILIES_IN
from workers.training.stages.plan import LARGE, PLANS, PlanName

NAMES = {family.name for known in FAMILIES_IN.values() for family in known}


@pytest.mark.parametrize("name", list(PlanName))
def test_a_plan_names_existing_families(name: PlanName) -> None:
    assert set(PLANS[name].families) <= NAMES


def test_large_families_exist_and_the_cpu_plan_leaves_them_out() -> None:
    assert LARGE < NAMES
    assert not LARGE & set(PLANS[PlanName.CPU].families)


def test_families_have_unique_names() -> None:
    assert len(NAMES) == sum(len(known) for known in FAMILIES_IN.values())


def test_a_trial_writes_to_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, CorpusSettings]] = []
    evaluated: list[Path] = []
    monkeypatch.setattr(command, "run_stage", lambda *given: ran.append(given))
    monkeypatch.setattr(command, "evaluate", lambda weights, _: evaluated.append(weights))
    runs = tmp_path / "runs"
    for trial in ((), ("--smoke",), ("--plan", "smoke")):
        result = CliRunner().invoke(app, ["all", "--runs", str(runs), *trial])
        assert result.exit_code == 0, result.output
    assert [name for name, _ in ran] == list(STAGES) * 3
    outputs = [s.output for name, s in ran if name == "voice" and isinstance(s, WeightsSettings)]
    assert outputs == [runs / "weights", *[runs / "smoke" / "weights"] * 2]
    assert (outputs[0] / "voices.toml").exists()
    assert evaluated == [runs / "weights"]


def test_every_stage_gets_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[CorpusSettings] = []
    monkeypatch.setattr(command, "run_stage", lambda _, settings: ran.append(settings))
    runs = ["--runs", str(tmp_path)]
    for name in ("listener", "codec"):
        result = CliRunner().invoke(app, [name, *runs, "--minutes", "3", "--preset", "base"])
        assert result.exit_code == 0, result.output
    assert ran == [
        ModelSettings(runs=tmp_path, minutes=3, preset="base"),
        StageSettings(runs=tmp_path, minutes=3, preset="base"),
    ]
    assert CliRunner().invoke(app, ["codec", *runs, "--device", "cuda"]).exit_code == 2
    assert StageSettings().minutes_of("codec") == PLANS[PlanName.CPU].minutes["codec"]


def test_an_unknown_plan_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    runs = ["--runs", str(tmp_path / "runs")]
    result = CliRunner().invoke(app, ["all", "--plan", "tomorrow", *runs])
    assert result.exit_code == 2
    assert isinstance(
        CliRunner().invoke(app, ["all", "--preset", "bse", *runs]).exception, ConfigError
    )
    assert not (tmp_path / "runs").exists()
    assert all(f"'{name}'" in result.output for name in PlanName)
