"""Linear layers with a kernel for each number of rows, which timing selects."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor

from workers.models.llama.kernels import Kernel

SIZES: Final = (1, 2, 4, 8, 16, 32, 64)  # numbers of rows to time; the last serves more too
_REPEATS: Final = 2


class KernelChoice:
    """Which of several kernels serves a number of rows. Layers of one kind share it."""

    def __init__(self, kinds: Sequence[type[Kernel]]) -> None:
        self.kinds = tuple(kinds)
        self._best = [0] * len(SIZES)

    def of(self, rows: int) -> int:
        """The number of the kernel for so many rows: that of the next larger size."""
        return self._best[min(bisect_left(SIZES, rows), len(SIZES) - 1)]

    def settle(self, best: Sequence[int]) -> None:
        """Set the fastest kernel for each of SIZES."""
        self._best = list(best)

    @property
    def used(self) -> frozenset[int]:
        """The kernels that serve some number of rows."""
        return frozenset(self._best)


class Linear:
    """One layer: x (N, in) float32 -> (N, out) float32. It makes each kernel at its first use."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        choice: KernelChoice,
        factors: Tensor | None = None,
    ) -> None:
        """`factors` (in,) multiply the inputs first."""
        self.inward = weight.shape[1]
        self._factors = factors
        self._weight: Tensor | None = weight
        self._bias = bias
        self._choice = choice
        self._kernels: dict[int, Kernel] = {}

    def __call__(self, x: Tensor) -> Tensor:
        if self._factors is not None:
            x = x * self._factors
        found = self.by(self._choice.of(len(x)), x)
        return found if self._bias is None else found.add_(self._bias)

    def by(self, number: int, x: Tensor) -> Tensor:
        """The product by one of the kernels, without the bias."""
        kernel = self._kernels.get(number)
        if kernel is None:
            kernel = self._kernels[number] = self._made(number)
        return kernel(x)

    def kernel(self, number: int) -> Kernel:
        """A kernel that was made before."""
        return self._kernels[number]

    def settle(self) -> None:
        """Make the kernels in use; free the others, and the weights they were made from."""
        used = self._choice.used
        made = {at: self._kernels.get(at) or self._made(at) for at in used}
        self._kernels, self._weight = made, None

    def _made(self, number: int) -> Kernel:
        if self._weight is None:
            raise RuntimeError("Expected a kernel that `settle` kept, but it was freed")
        return self._choice.kinds[number](self._weight)


def time_kernels(linears: Sequence[Linear], choice: KernelChoice, device: torch.device) -> None:
    """Find the fastest kernel for each of SIZES by timing them on these layers."""
    if len(choice.kinds) == 1:
        return
    best = []
    for rows in SIZES:
        inputs = [torch.randn(rows, one.inward, device=device) for one in linears]

        def run(number: int, inputs: Sequence[Tensor] = inputs) -> None:
            for one, x in zip(linears, inputs, strict=True):
                one.by(number, x)

        spent = [_seconds_of(partial(run, number)) for number in range(len(choice.kinds))]
        best.append(spent.index(min(spent)))
    choice.settle(best)


def _seconds_of(run: Callable[[], object]) -> float:
    """The least processor time of some runs, which leaves out other processes."""
    run()
    found = []
    for _ in range(_REPEATS):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return min(found)
