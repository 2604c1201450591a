"""Measure what a GPU or a core can do at most, and which share of it a step uses."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.load.engine import Scenes, StepTime, weights
from workers.engines.base import Engine, Speak, Work

_REPEATS: Final = 20
_ROWS: Final = 4  # the batch whose operations are counted


@dataclass(frozen=True, slots=True)
class Roofline:
    """The measured rates of one card or of one core."""

    device: str
    multiply_per_s: float  # floating-point operations of a matrix product
    memory_per_s: float  # bytes that a copy reads and writes

    @classmethod
    def measure(cls, device: str, dtype: torch.dtype) -> "Roofline":
        """Measure by multiplying and copying large matrices."""
        cuda = device.startswith("cuda")
        side, words = (8_192, 2**28) if cuda else (1_024, 2**26)  # larger than every cache
        a = torch.randn(side, side, device=device).to(dtype)
        b, product = torch.randn_like(a), torch.empty_like(a)
        source = torch.zeros(words, device=device)
        target = torch.empty_like(source)
        multiply_s = _seconds(lambda: torch.mm(a, b, out=product), cuda)
        copy_s = _seconds(lambda: target.copy_(source), cuda)
        return cls(device, 2 * side**3 / multiply_s, 2 * source.nbytes / copy_s)


@dataclass(frozen=True, slots=True)
class RooflineShare:
    """The least share of the roofline that a step of so many speaking callers needs."""

    batch: int
    step_ms: float
    multiply: float  # of the matrix rate
    memory: float  # of the memory rate


@dataclass(frozen=True, slots=True)
class StepWork:
    """The least work of a step."""

    operations: float  # of products and convolutions, for each caller
    weight_bytes: int  # read once a step for any number of callers; with the codec's encoder

    @classmethod
    def of(cls, engine: Engine) -> "StepWork":
        """Count the work of an engine without CUDA graphs, as on a CPU."""
        scenes = Scenes(engine)
        scenes.begin_replies(range(_ROWS))
        works = [Work(slot, (), Speak.CONTINUE) for slot in range(_ROWS)]
        with FlopCounterMode(display=False) as counter:
            engine.step(works)
        read = {id(w): w.nbytes for w in weights(engine, "_listener")}
        return cls(counter.get_total_flops() / _ROWS, sum(read.values()))

    def shares(
        self, steps: Sequence[StepTime], roofline: Roofline, scale: float = 1.0
    ) -> list[RooflineShare]:
        """Those of the speaking steps; `scale`: bytes of a weight there over those counted here."""
        return [
            RooflineShare(
                p.batch,
                p.step_ms,
                self.operations * p.batch / (p.step_ms / 1_000) / roofline.multiply_per_s,
                self.weight_bytes * scale / (p.step_ms / 1_000) / roofline.memory_per_s,
            )
            for p in steps
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
