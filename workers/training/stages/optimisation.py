"""What every trainer does with an optimiser: one update, and the checkpoint of one network."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from workers.training.stages.training_run import Run


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group this learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def update(
    optimiser: torch.optim.Optimizer,
    loss: Tensor,
    parameters: Iterable[nn.Parameter],
    clip: float = 1.0,
) -> None:
    """One step down the gradient. Its norm over these parameters is at most `clip`."""
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()


def cosine_rate(peak: float, fraction: float, step: int) -> float:
    """A learning rate: 50 steps of warm-up, then a cosine over the budget down to a twentieth."""
    warm = min(1.0, step / 50)
    return float(peak * warm * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * fraction))))


def resume(run: Run, model: nn.Module, optimiser: torch.optim.Optimizer) -> bool:
    """Load the run's checkpoint into both, if there is one."""
    state = run.load()
    if state is None:
        return False
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return True


def save(run: Run, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Write the checkpoint that `resume` reads."""
    run.save({"model": model.state_dict(), "optimiser": optimiser.state_dict()})
