"""Runs functions of tensors at a few fixed batch sizes, which a GPU replays as graphs.

A step is some 400 small kernels. Launching them takes the CPU longer than running them takes the
GPU. A CUDA graph launches them all at once, but has fixed shapes and addresses. So inputs are
copied into fixed tensors, a batch is padded to the next of a few sizes, and padded rows use a spare
slot. On a CPU the same padded function runs without a graph.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Final

import torch
from torch import Tensor

WARM_UPS: Final = 3  # runs before a capture, since CUDA's libraries initialise on first use


def sizes(largest: int) -> list[int]:
    """The batch sizes: powers of two, then the largest."""
    return [1 << power for power in range((largest - 1).bit_length())] + [largest]


class _FixedSize:
    """The function at one batch size: its input tensors and, on a GPU, its graph."""

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
        """Run the function on `inputs`. A graph's output is valid until its next run."""
        if self._graph is None:
            return self._function(*self.inputs)
        self._graph.replay()
        return self._output


class FixedSizes:
    """`function` of tensors (B, ...) -> (B, ...), at batches of `sizes(largest)`.

    `padding` has the value of each input in padded rows. The inputs name the slots that a function
    changes, so padding must name a spare slot. Not thread-safe.

    `pool`: functions that never run at the same time may share the memory of their graphs.
    """

    def __init__(
        self,
        function: Callable[..., Tensor],
        padding: Sequence[float],
        largest: int,
        pool: Any | None = None,
    ) -> None:
        self._function = function
        self._padding = padding
        self._sizes = sizes(largest)
        self._by_shape: dict[tuple[torch.Size, ...], _FixedSize] = {}
        self._pool = pool

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Run the function. The next call overwrites the result."""
        rows = len(inputs[0])
        if rows > self._sizes[-1]:
            raise ValueError(f"Expected at most {self._sizes[-1]} rows, got {rows}")
        size = next(size for size in self._sizes if size >= rows)
        key = tuple(torch.Size((size, *given.shape[1:])) for given in inputs)
        # Streams and graphs are those of the current device, which may be another GPU.
        with torch.cuda.device(inputs[0].device) if inputs[0].is_cuda else nullcontext():
            if key not in self._by_shape:
                self._by_shape[key] = self._hold(key, inputs)
            held = self._by_shape[key]
            for static, given, padding in zip(held.inputs, inputs, self._padding, strict=True):
                static[:rows].copy_(given)
                static[rows:].fill_(padding)
            return held.run()[:rows]

    def _hold(self, shapes: Sequence[torch.Size], like: Sequence[Tensor]) -> _FixedSize:
        """Make inputs of all padding for these shapes: warm-ups then change only the spare slot."""
        made = [
            torch.full(shape, padding, dtype=given.dtype, device=given.device)
            for shape, given, padding in zip(shapes, like, self._padding, strict=True)
        ]
        if like[0].is_cuda and self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        return _FixedSize(self._function, made, self._pool)
