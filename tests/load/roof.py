"""What a GPU or a core can do at most, measured, and which part of it a step uses."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.load.engine import Pace, Stage, weights
from workers.engines.base import Engine, Speak, Work

_REPEATS: Final = 20
_ROWS: Final = 4  # that the operations of a step are counted at


@dataclass(frozen=True, slots=True)
class Roof:
    """Measured rates of one card, or of one core."""

    device: str
    multiply_per_s: float  # floating-point operations of a matrix product
    memory_per_s: float  # bytes read and written by a copy

    @classmethod
    def measure(cls, device: str, dtype: torch.dtype) -> "Roof":
        """Multiply and copy large matrices."""
        cuda = device.startswith("cuda")
        side, words = (8_192, 2**28) if cuda else (1_024, 2**26)  # both are out of every cache
        a = torch.randn(side, side, device=device).to(dtype)
        b, product = torch.randn_like(a), torch.empty_like(a)
        source = torch.zeros(words, device=device)
        target = torch.empty_like(source)
        multiply_s = _seconds(lambda: torch.mm(a, b, out=product), cuda)
        copy_s = _seconds(lambda: target.copy_(source), cuda)
        return cls(device, 2 * side**3 / multiply_s, 2 * source.nbytes / copy_s)


@dataclass(frozen=True, slots=True)
class Share:
    """What a step of so many speaking callers needs of the roof, at least."""

    batch: int
    step_ms: float
    multiply: float  # of the matrix rate
    memory: float  # of the memory rate


@dataclass(frozen=True, slots=True)
class Need:
    """A step's work: what cannot be saved."""

    operations: float  # a caller: products and convolutions
    weight_bytes: int  # read once a step, however many callers; with the codec's encoder

    @classmethod
    def of(cls, engine: Engine) -> "Need":
        """Count an engine's own; it must not run inside CUDA graphs (a CPU's does not)."""
        stage = Stage(engine)
        stage.ask(range(_ROWS))
        works = [Work(slot, (), Speak.CONTINUE) for slot in range(_ROWS)]
        with FlopCounterMode(display=False) as counter:
            engine.step(works)
        read = {id(w): w.nbytes for w in weights(engine, "_listener")}
        return cls(counter.get_total_flops() / _ROWS, sum(read.values()))

    def shares(self, paces: Sequence[Pace], roof: Roof, scale: float = 1.0) -> list[Share]:
        """For each step of the speaking scene; `scale`: bytes a weight here for one counted."""
        return [
            Share(
                p.batch,
                p.step_ms,
                self.operations * p.batch / (p.step_ms / 1_000) / roof.multiply_per_s,
                self.weight_bytes * scale / (p.step_ms / 1_000) / roof.memory_per_s,
            )
            for p in paces
            if p.scene == "speaking"
        ]


def _seconds(work: Callable[[], object], cuda: bool) -> float:
    work()
    if not cuda:
        start = time.thread_time()
        for _ in range(_REPEATS):
            work()
        return (time.thread_time() - start) / _REPEATS
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(_REPEATS):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / _REPEATS
