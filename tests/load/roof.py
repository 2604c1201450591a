"""What a GPU can do at most, measured, and which part of it a step uses."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

_SIDE: Final = 8_192
_REPEATS: Final = 20


@dataclass(frozen=True, slots=True)
class Roof:
    """Measured rates of one card."""

    multiply_per_s: float  # floating-point operations of a bfloat16 matrix product
    memory_per_s: float  # bytes read and written by a copy

    @classmethod
    def measure(cls, device: str) -> "Roof":
        """Multiply and copy large matrices."""
        a = torch.randn(_SIDE, _SIDE, device=device, dtype=torch.bfloat16)
        b, out = torch.randn_like(a), torch.empty_like(a)
        multiply_s = _seconds(lambda: torch.mm(a, b, out=out))
        copy_s = _seconds(lambda: out.copy_(a))
        return cls(2 * _SIDE**3 / multiply_s, 2 * a.nbytes / copy_s)

    def shares(self, model: nn.Module, rows: int, step_s: float) -> tuple[float, float]:
        """The shares (of matrix rate, of memory rate) that a step of so many rows needs at least:
        every weight read once, and multiplied once a row.
        """
        weights = sum(p.numel() for p in model.parameters())
        size = sum(p.nbytes for p in model.parameters())
        return (
            2 * weights * rows / step_s / self.multiply_per_s,
            size / step_s / self.memory_per_s,
        )


def _seconds(work: Callable[[], object]) -> float:
    work()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(_REPEATS):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / _REPEATS
