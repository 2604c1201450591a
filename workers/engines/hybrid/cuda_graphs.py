"""Functions of tensors at a few batch sizes only, so that a GPU can replay each as one graph.

A step is some 400 small kernels, whose launches take a CPU longer than a GPU takes to run them. A
CUDA graph launches them all at once, but has fixed shapes and addresses: inputs are copied into
tensors that stay, a batch is padded to the next of a few sizes, and padded rows work on a slot that
nobody holds. Without capture (on a CPU) the same padded function runs as it is.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

WARM_UPS: Final = 3  # before a capture, as CUDA's libraries set themselves up on first use


def sizes(largest: int) -> list[int]:
    """The batch sizes: powers of two, and the largest."""
    return [1 << power for power in range((largest - 1).bit_length())] + [largest]


class _FixedSize:
    """The function at one size: its inputs, and how to get its outputs from them."""

    def __init__(
        self, function: Callable[..., Tensor], inputs: Sequence[Tensor], pool: Any | None
    ) -> None:
        self.inputs = inputs
        self._function = function
        self._graph: torch.cuda.CUDAGraph | None = None
        if pool is None:
            return
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        here = torch.cuda.current_stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                function(*inputs)
        here.wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool):
            self._output = function(*inputs)

    def run(self) -> Tensor:
        """The function of what `inputs` hold now. A graph's output is good until its next run."""
        if self._graph is None:
            return self._function(*self.inputs)
        self._graph.replay()
        return self._output


class FixedSizes:
    """`function` of tensors (B, ...) -> (B, ...), at batches of `sizes(largest)`.

    `padding` has for each input what a row that is not there holds. Slots that a function changes
    are named by its inputs, so padding must name one that nobody holds. Not for two threads.
    """

    def __init__(
        self, function: Callable[..., Tensor], padding: Sequence[float], largest: int
    ) -> None:
        self._function = function
        self._padding = padding
        self._sizes = sizes(largest)
        self._by_shape: dict[tuple[torch.Size, ...], _FixedSize] = {}
        self._pool: Any | None = None

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The function; what it gives must be used before it is called again."""
        rows = len(inputs[0])
        if rows > self._sizes[-1]:
            raise ValueError(f"Expected at most {self._sizes[-1]} rows, got {rows}")
        size = next(size for size in self._sizes if size >= rows)
        key = tuple(torch.Size((size, *given.shape[1:])) for given in inputs)
        if key not in self._by_shape:
            self._by_shape[key] = self._hold(key, inputs)
        held = self._by_shape[key]
        for static, given, padding in zip(held.inputs, inputs, self._padding, strict=True):
            static[:rows].copy_(given)
            static[rows:].fill_(padding)
        return held.run()[:rows]

    def _hold(self, shapes: Sequence[torch.Size], like: Sequence[Tensor]) -> _FixedSize:
        """All rows padding, so that what a warm-up changes is nobody's."""
        made = [
            torch.full(shape, padding, dtype=given.dtype, device=given.device)
            for shape, given, padding in zip(shapes, like, self._padding, strict=True)
        ]
        if like[0].is_cuda and self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        return _FixedSize(self._function, made, self._pool)
