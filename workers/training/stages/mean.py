"""Averages weights that share their origin: the mean can be better than each of them.

Source: Wortsman et al. 2022, "Model soups" (arXiv:2203.05482). Measured on 600 questions by voices
that no training used: one set of weights answered 470 right. A run continued from it answered 462;
the mean of both, 493. A run continued from that mean answered 469; the mean of all three, 492. That
last mean recognised 357 questions word for word, the mean of two 348, the first weights 332.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from shared.errors import ConfigError
from workers.models.checkpoint import Part, parts_in, put_part, read_part
from workers.models.voice.repertoire import FILE as VOICES

MEASURED: Final = ("errors", "checks")  # facts measured with one set of weights
MAY_DIFFER: Final = (*MEASURED, "steps")


def main(folders: Sequence[Path], output: Path) -> None:
    """Write the mean of at least two weights folders, with the voices of the first.

    A folder named twice counts twice. Raises ConfigError if `output` is one of the folders, or if
    their parts, configs or facts differ.
    """
    if len(folders) < 2:
        raise ConfigError(f"Expected at least two weights folders, got {len(folders)}")
    if output.resolve() in {folder.resolve() for folder in folders}:
        raise ConfigError(f"Expected a new folder for the mean, got {output}, one of its sources")
    names = parts_in(folders[0])
    for folder in folders[1:]:
        if parts_in(folder) != names:
            raise ConfigError(f"Expected the parts {names} in {folder}, got {parts_in(folder)}")
    means = [mean([read_part(folder, name) for folder in folders], folders) for name in names]
    for part in means:
        put_part(output, part)
    if (folders[0] / VOICES).exists():
        shutil.copyfile(folders[0] / VOICES, output / VOICES)


def mean(parts: Sequence[Part], folders: Sequence[Path]) -> Part:
    """The mean of one part of each folder. Raises ConfigError if config, facts or shapes differ."""
    first = parts[0]
    for part, folder in zip(parts[1:], folders[1:], strict=True):
        unlike = [
            *_unlike(first.config, part.config),
            *(key for key in _unlike(first.facts, part.facts) if key not in MAY_DIFFER),
            *(_unlike(_shapes(first), _shapes(part))),
        ]
        if unlike:
            raise ConfigError(
                f"Expected {first.name!r} of {folder} to match that of {folders[0]}, but they "
                f"differ in {', '.join(unlike)}: take weights that share their origin"
            )
    if all(_same(first, part) for part in parts[1:]):
        return first
    tensors = {key: _mean([part.tensors[key] for part in parts]) for key in first.tensors}
    facts = {key: value for key, value in first.facts.items() if key not in MAY_DIFFER}
    facts |= {key: {} for key in MEASURED if key in first.facts}
    if "steps" in first.facts:
        facts["steps"] = max(part.facts["steps"] for part in parts)
    return Part(first.name, first.config, facts, tensors)


def _unlike(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [key for key in sorted(one | other) if one.get(key) != other.get(key)]


def _shapes(part: Part) -> dict[str, Any]:
    return {key: (value.shape, value.dtype) for key, value in part.tensors.items()}


def _same(one: Part, other: Part) -> bool:
    return all(torch.equal(value, other.tensors[key]) for key, value in one.tensors.items())


def _mean(values: Sequence[Tensor]) -> Tensor:
    if not values[0].is_floating_point():  # counters
        return values[0]
    return torch.stack(list(values)).mean(0)
