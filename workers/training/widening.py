"""Goes on from a checkpoint made with fewer words: its text tables get rows for the new ones.

Only rows are added, behind those that are there; all else must fit as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


def _longer(known: Tensor, wanted: Tensor, row: Tensor) -> Tensor:
    """`known` with as many copies of `row` behind as `wanted` has rows more."""
    more = wanted.shape[0] - known.shape[0]
    return torch.cat([known, row.expand(more, *known.shape[1:])])


def _is_short(known: Tensor, wanted: Tensor) -> bool:
    return (
        known.dim() > 0 and known.shape[1:] == wanted.shape[1:] and known.shape[0] < wanted.shape[0]
    )


def widened(saved: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """A module's saved state; a new row is the mean of the known ones, as likely as any."""
    own = module.state_dict()
    return {
        name: _longer(value, own[name], value.mean(0))
        if name in own and _is_short(value, own[name])
        else value
        for name, value in saved.items()
    }


def widened_optimiser(
    saved: Mapping[str, Any], parameters: Sequence[nn.Parameter]
) -> dict[str, Any]:
    """An optimiser's saved state; what it knows of a new row is nothing."""
    state = {
        place: {
            name: _longer(value, parameters[place], value.new_zeros(value.shape[1:]))
            if _is_short(value, parameters[place])
            else value
            for name, value in known.items()
        }
        for place, known in saved["state"].items()
    }
    return {**saved, "state": state}
