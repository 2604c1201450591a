"""A training run's bookkeeping: budget, resumption, loss log and READY."""

import json
from pathlib import Path

import pytest
import torch

from shared.errors import ConfigError
from workers.training.stages.training_run import READY, Run, claim, plot, ready


def test_a_run_resumes_at_its_saved_step_and_budget(tmp_path: Path) -> None:
    first = Run(tmp_path / "part", minutes=60)
    assert first.load() is None
    for _ in range(7):
        assert first.going()
    first.save({"weight": torch.ones(2)})
    again = Run(tmp_path / "part", minutes=60)
    state = again.load()
    assert state is not None
    assert torch.equal(state["weight"], torch.ones(2))
    assert again.step == 7
    assert again.spent_s >= state["spent_s"] > 0


def test_a_spent_budget_ends_the_run(tmp_path: Path) -> None:
    torch.save({"step": 3, "spent_s": 61.0}, tmp_path / "checkpoint.pt")
    run = Run(tmp_path, minutes=1)
    run.load()
    assert run.fraction == 1.0
    assert not run.going()
    assert run.step == 3


def test_preparation_before_the_first_step_costs_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=0.001)
    sum(range(2_000_000))
    assert run.spent_s == 0
    assert run.going()


def test_a_finished_run_that_continues_is_unfinished(tmp_path: Path) -> None:
    first = Run(tmp_path, minutes=1)
    assert first.going()
    first.save({})
    first.finish()
    again = Run(tmp_path, minutes=2)
    again.load()
    assert (tmp_path / READY).exists()
    assert again.going()
    assert not (tmp_path / READY).exists()


def test_a_folder_of_runs_keeps_its_preset(tmp_path: Path) -> None:
    claim(tmp_path / "runs", "tiny")
    claim(tmp_path / "runs", "tiny")
    with pytest.raises(ConfigError, match="started with, tiny, got base"):
        claim(tmp_path / "runs", "base")


def test_losses_are_averaged_and_drawn(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=60, every=2)
    for loss in (1.0, 3.0, 5.0, 5.0, 9.0):
        run.going()
        run.log(loss=loss, part=torch.tensor(loss / 2))
    rows = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert [(row["step"], row["loss"], row["part"]) for row in rows] == [(2, 2, 1), (4, 5, 2.5)]
    run.finish()
    plot(tmp_path)
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_a_loss_that_is_logged_rarely_has_its_own_mean(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=60, every=4)
    for step in range(4):
        run.going()
        run.log(**({"rare": 6.0} if step == 3 else {"often": float(step)}))
    row = json.loads((tmp_path / "losses.jsonl").read_text())
    assert (row["rare"], row["often"]) == (6.0, 1.0)


def test_only_a_finished_run_is_ready(tmp_path: Path) -> None:
    run = Run(tmp_path, minutes=60)
    with pytest.raises(FileNotFoundError, match="Expected a finished stage"):
        ready(tmp_path)
    run.finish(stoi=0.95)
    assert ready(tmp_path) == {"step": 0, "stoi": 0.95}
