"""Linear layers that exist in several forms; which is used depends on the number of rows."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor

from workers.models.llama.kernels import Kernel

SIZES: Final = (1, 2, 4, 8, 16, 32, 64)  # numbers of rows that are timed; the last: and more
_REPEATS: Final = 2


class KernelChoice:
    """Which of several kernels serves a number of rows; shared by layers alike."""

    def __init__(self, kinds: Sequence[type[Kernel]]) -> None:
        self.kinds = tuple(kinds)
        self._best = [0] * len(SIZES)

    def of(self, rows: int) -> int:
        """The kernel for so many rows: that of the next size above."""
        return self._best[min(bisect_left(SIZES, rows), len(SIZES) - 1)]

    def settle(self, best: Sequence[int]) -> None:
        """Take the kernel found best for each of SIZES."""
        self._best = list(best)

    @property
    def used(self) -> frozenset[int]:
        """Kernels that some number of rows needs."""
        return frozenset(self._best)


class Linear:
    """One layer: x (N, in) float32 -> (N, out) float32. A form is made when it is first needed."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        choice: KernelChoice,
        factors: Tensor | None = None,
    ) -> None:
        """`factors` (in,): what the inputs are multiplied by first."""
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
        """One of the forms."""
        return self._kernels[number]

    def settle(self) -> None:
        """Make the forms that are used, free the others and the weights they are made of."""
        used = self._choice.used
        made = {at: self._kernels.get(at) or self._made(at) for at in used}
        self._kernels, self._weight = made, None

    def _made(self, number: int) -> Kernel:
        if self._weight is None:
            raise RuntimeError("Expected a form that was kept, but the weights are settled")
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
    """The least processor time of some runs: neighbours on the machine do not count."""
    run()
    found = []
    for _ in range(_REPEATS):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return min(found)
