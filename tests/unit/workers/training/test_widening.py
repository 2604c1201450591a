"""A checkpoint of fewer words goes on: known rows stay, new ones learn, the rest must fit."""

from typing import Any

import pytest
import torch
from torch import nn

from workers.training.progress import mean_of
from workers.training.widening import widened, widened_optimiser


def model(rows: int, width: int = 3) -> nn.Module:
    return nn.ModuleDict({"text": nn.Embedding(rows, width), "to_text": nn.Linear(width, rows)})


def learned(net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """One update that reaches every row."""
    parts: Any = net
    parts["to_text"](parts["text"].weight).square().sum().backward()
    optimiser.step()
    optimiser.zero_grad()


def test_known_rows_stay_and_new_ones_are_their_mean() -> None:
    torch.manual_seed(0)
    old, new = model(5), model(8)
    new.load_state_dict(widened(old.state_dict(), new))
    for name in ("text.weight", "to_text.weight", "to_text.bias"):
        known, now = old.state_dict()[name], new.state_dict()[name]
        assert torch.equal(now[:5], known)
        assert torch.allclose(now[5:], known.mean(0).expand_as(now[5:]))


def test_the_running_mean_is_widened_too() -> None:
    old, new = mean_of(model(5)), mean_of(model(8))
    new.load_state_dict(widened(old.state_dict(), new))
    name = "module.text.weight"
    assert torch.equal(new.state_dict()[name][:5], old.state_dict()[name])


def test_an_optimiser_goes_on_and_knows_nothing_of_new_rows() -> None:
    torch.manual_seed(0)
    old, new = model(5), model(8)
    first, second = (torch.optim.AdamW(net.parameters(), 0.01) for net in (old, new))
    learned(old, first)
    saved = first.state_dict()
    second.load_state_dict(widened_optimiser(saved, list(new.parameters())))
    state = second.state_dict()["state"]
    for place, known in saved["state"].items():
        assert torch.equal(state[place]["exp_avg"][: len(known["exp_avg"])], known["exp_avg"])
        assert not state[place]["exp_avg"][len(known["exp_avg"]) :].any()
        assert state[place]["step"] == 1
    learned(new, second)
    assert all(torch.isfinite(parameter).all() for parameter in new.parameters())


def test_what_differs_otherwise_is_refused() -> None:
    old, new = model(5, width=3), model(8, width=4)
    with pytest.raises(RuntimeError, match="size mismatch"):
        new.load_state_dict(widened(old.state_dict(), new))
    with pytest.raises(RuntimeError, match="size mismatch"):
        model(4).load_state_dict(widened(model(5).state_dict(), model(4)))
